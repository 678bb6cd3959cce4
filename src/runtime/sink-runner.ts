import type { Codec } from '../events/codec.ts';
import type { EventLog, LogRecord, TopicPartition } from '../log/event-log.ts';
import { readmit } from '../processors/release.ts';
import { FencedSinkError, type Sink, type SinkRecord } from '../sinks/index.ts';
import { delay, workOnGroup, type Delay } from './partition-group.ts';
import type { FetchSize } from './sanitizer.ts';
import type { Telemetry } from './telemetry.ts';
import { GROUPS, TOPICS } from './topics.ts';

/** From which topic a sink takes, and as which group. */
export interface SinkRoute {
  readonly group: string;
  readonly sanitized: string;
}

const LIVE_ROUTE: SinkRoute = { group: GROUPS.sink, sanitized: TOPICS.sanitized };

export interface SinkRunOptions {
  readonly log: EventLog;
  readonly codec: Codec;
  readonly sink: Sink;
  readonly telemetry: Telemetry;
  readonly fetch: FetchSize;
  /** Longest time that a released batch waits for its commit, in seconds. */
  readonly flushSeconds: number;
  readonly now: () => number;
  /** Leaves the group's seat to the next start of this process when it is stopped: for members with an instance name. */
  readonly keepsSeat?: boolean;
  /** How to wait before work on a partition starts again; by default, in real time. */
  readonly delay?: Delay;
  /** By default the live one. */
  readonly route?: SinkRoute;
  /** For a look that shares no work and leaves no trace: reads all partitions, outside of the group. */
  readonly alone?: boolean;
}

export interface SinkSummary {
  batches: number;
  rows: number;
}

const WAIT_MS = 200;

/** A record on the sanitised topic is not what the sanitizer writes there; the sink stops rather than take or skip it. */
export class ForeignRecordError extends Error {
  override name = 'ForeignRecordError';

  constructor(record: LogRecord, what: string) {
    const at = `${record.topic}/${record.partition} at offset ${record.offset}`;
    super(`${at} holds ${what}: find out who wrote it; only the sanitizer may write to this topic`);
  }
}

/**
 * Moves released batches from the sanitised topic into a sink, from where the sink's own durable state says, until stopped
 * or until the ends that the partitions had at the start. The group's offsets are committed after the sink's, for lag only.
 *
 * @throws ForeignRecordError, and what the sink throws when a row breaks the column contract.
 */
export async function runSink(
  options: SinkRunOptions,
  until: { readonly end: boolean; readonly signal: AbortSignal; readonly maxRestarts?: number },
): Promise<SinkSummary> {
  const { log, route = LIVE_ROUTE } = options;
  const summary: SinkSummary = { batches: 0, rows: 0 };
  const ends = until.end ? await log.endOffsets(route.sanitized) : undefined;
  if (options.alone === true) {
    await workAlone({ ...options, summary }, ends, until.signal);
    return summary;
  }
  const finished = new Set<number>();

  await workOnGroup({
    log,
    group: route.group,
    role: 'sink',
    topic: route.sanitized,
    telemetry: options.telemetry,
    now: options.now,
    delay: options.delay ?? delay,
    signal: until.signal,
    maxRestarts: until.maxRestarts,
    keepsSeat: options.keepsSeat,
    isFatal: (error) => !MENDED_BY_ANOTHER_TRY.some((name) => error instanceof Error && error.name === name),
    isDone: async () => ends !== undefined && (await areAllTaken(log, route, ends, finished)),
    work: async (at, signal) => {
      const end = ends?.[at.partition];
      const producer = await log.transactional(`${route.group}/${at.topic}/${at.partition}`);
      const commit = async (offset: number): Promise<void> => {
        const transaction = await producer.begin();
        await transaction.commitOffset(route.group, at, { offset, metadata: '' });
        await transaction.commit();
      };
      try {
        await workOnPartition({ ...options, at, end, signal, summary, commit });
      } finally {
        await producer.close();
      }
      if (!signal.aborted) finished.add(at.partition);
    },
  });
  return summary;
}

/** Every partition, outside of the group; the first failure ends the others. */
async function workAlone(
  options: SinkRunOptions & Pick<PartitionJob, 'summary'>,
  ends: readonly number[] | undefined,
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const topic = (options.route ?? LIVE_ROUTE).sanitized;
  const partitions = Array.from({ length: await options.log.partitions(topic) }, (_, partition) => partition);
  await Promise.all(
    partitions.map(async (partition) => {
      const at = { topic, partition };
      try {
        const stop = AbortSignal.any([signal, failure.signal]);
        await workOnPartition({ ...options, at, end: ends?.[partition], signal: stop, commit: async () => {} });
      } catch (error) {
        failure.abort();
        throw error;
      }
    }),
  );
}

interface PartitionJob extends SinkRunOptions {
  readonly at: TopicPartition;
  readonly end: number | undefined;
  readonly signal: AbortSignal;
  readonly summary: SinkSummary;
  /** Commits the group's position, after the sink has made everything below it durable. */
  readonly commit: (offset: number) => Promise<void>;
}

async function workOnPartition(job: PartitionJob): Promise<void> {
  const { log, at, sink, telemetry } = job;
  const begin = (await log.beginOffsets(at.topic))[at.partition] ?? 0;
  let offset = Math.max(await sink.resumeFrom(at.partition), begin);
  /** Undefined at first: the group may be behind the sink, and other workers wait for the group. */
  let flushed: number | undefined;
  /** One past the last record that the sink was given. */
  let taken = offset;
  let flushDue = performance.now() + job.flushSeconds * 1000;

  const flush = async (): Promise<void> => {
    const start = performance.now();
    await sink.flush();
    // Fenced over another partition, a sink has given up the records of this one as well, and had nothing to flush.
    if ((await sink.resumeFrom(at.partition)) < taken) throw new FencedSinkError([at.partition]);
    telemetry.stage('table_commit', secondsSince(start));
    flushDue = performance.now() + job.flushSeconds * 1000;
    if (offset === flushed) return;
    await job.commit(offset);
    flushed = offset;
  };

  while (!job.signal.aborted && (job.end === undefined || offset < job.end)) {
    const fetched = await log.read({ ...at, offset, ...job.fetch, waitMs: WAIT_MS, signal: job.signal });
    if (fetched.records.length > 0) {
      const records = fetched.records.map((record) => sinkRecord(job.codec, record));
      const start = performance.now();
      await sink.write(records);
      telemetry.stage('table_write', secondsSince(start));
      taken = (records.at(-1)?.offset ?? offset) + 1;
      job.summary.batches += records.length;
      job.summary.rows += records.reduce((sum, { batch }) => sum + batch.actions.length, 0);
    }
    offset = fetched.nextOffset;
    if (performance.now() >= flushDue) await flush();
  }
  // Also when stopped: what has been taken is better committed than taken again.
  await flush();
}

/** A record of a sanitised topic as a sink takes it. @throws ForeignRecordError */
export function sinkRecord(codec: Codec, record: LogRecord): SinkRecord {
  if (record.value === null) throw new ForeignRecordError(record, 'a tombstone');
  const released = readmit(codec.decodeReleased(record.value));
  if (released.kind !== 'keep') throw new ForeignRecordError(record, 'a batch that breaks the released contract');
  const source = {
    topic: record.headers['source-topic'] ?? '',
    partition: coordinate(record, 'source-partition'),
    offset: coordinate(record, 'source-offset'),
  };
  if (source.topic === '') throw new ForeignRecordError(record, 'no source-topic header');
  return { partition: record.partition, offset: record.offset, source, batch: released.batch };
}

function coordinate(record: LogRecord, header: string): number {
  const text = record.headers[header] ?? '';
  if (!/^\d{1,15}$/u.test(text)) throw new ForeignRecordError(record, `no number in its ${header} header`);
  return Number(text);
}

async function areAllTaken(
  log: EventLog,
  route: SinkRoute,
  ends: readonly number[],
  mine: ReadonlySet<number>,
): Promise<boolean> {
  for (const [partition, end] of ends.entries()) {
    if (end === 0 || mine.has(partition)) continue;
    const position = await log.committed(route.group, { topic: route.sanitized, partition });
    if ((position?.offset ?? 0) < end) return false;
  }
  return true;
}

/**
 * Another worker was faster, here or on the table, and the sink wants to be asked again where to go on; or the log is away
 * for a while, which leaves the sink as it was. After any other error a sink does not know its own state: the process
 * ends, and the next one starts from what is committed.
 */
const MENDED_BY_ANOTHER_TRY = [
  'FencedError',
  'FencedSinkError',
  'UsageError',
  'LogUnavailableError',
  'RegistryUnavailableError',
];

const secondsSince = (start: number): number => (performance.now() - start) / 1000;
