import type { Codec } from '../events/codec.ts';
import {
  OffsetOutOfRangeError,
  type EventLog,
  type LogRecord,
  type TopicPartition,
  type TransactionalProducer,
} from '../log/event-log.ts';
import { readmit } from '../processors/release.ts';
import { FencedSinkError, type Sink, type SinkRecord, type TableStore } from '../sinks/index.ts';
import { delay, workOnGroup, type Delay } from './partition-group.ts';
import type { FetchSize } from './sanitizer.ts';
import { sourceOf } from './replay/join.ts';
import {
  encodeTaken,
  partitionsBehind,
  tableAt,
  TableAheadError,
  TableBehindError,
  takenOf,
} from './table-progress.ts';
import type { Telemetry } from './telemetry.ts';
import { GROUPS, TOPICS } from './topics.ts';

/** From which topic a sink takes, and as which group. */
export interface SinkRoute {
  readonly group: string;
  readonly sanitized: string;
  /** All that was ever on the topic is wanted: if its beginning has expired, that is an error also for a new table. */
  readonly isWhole?: boolean;
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

/** What the sink has taken: what it had already, and what another took first, is not in it. */
export interface SinkSummary {
  readonly batches: number;
  readonly rows: number;
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
 * @throws ForeignRecordError, and what the sink throws when a row breaks the column contract. TableBehindError when the sink
 * has less than its group has committed, TableAheadError when it has more than the log or what is not of this log,
 * OffsetOutOfRangeError when what it wants next has expired.
 */
export async function runSink(
  options: SinkRunOptions,
  until: {
    readonly end: boolean;
    /** By default those that readers see at the start. */
    readonly ends?: readonly number[];
    readonly signal: AbortSignal;
    readonly maxRestarts?: number;
  },
): Promise<SinkSummary> {
  const { log, sink, route = LIVE_ROUTE } = options;
  const before = sink.counts;
  const summary = (): SinkSummary => ({
    batches: sink.counts.records - before.records,
    rows: sink.counts.rows - before.rows,
  });
  const ends = until.end ? (until.ends ?? (await log.endOffsets(route.sanitized))) : undefined;
  if (options.alone === true) {
    await workAlone(options, ends, until.signal);
    return summary();
  }
  const all = Array.from({ length: await log.partitions(route.sanitized) }, (_, partition) => partition);
  // Of all before work on any: what a table takes from another log in one partition cannot be told from its own any more.
  await refuseIfAhead(options, all, until.signal);
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
    isDone: async () => {
      if (ends === undefined || !(await areAllTaken(log, route, ends, finished))) return false;
      await refuseIfBehind(options, route);
      // The group's positions may be of another log too, so that no work was needed.
      await refuseIfAhead(options, all, until.signal);
      return true;
    },
    work: async (at, signal, onProgress) => {
      const end = ends?.[at.partition];
      const producer = await log.transactional(`${route.group}/${at.topic}/${at.partition}`);
      const commit = (offset: number, taken: number): Promise<void> =>
        commitTaken(producer, route, at, { offset, taken });
      try {
        await workOnPartition({ ...options, at, end, signal, commit, onProgress });
      } finally {
        await producer.close();
      }
      if (!signal.aborted) finished.add(at.partition);
    },
  });
  return summary();
}

async function commitTaken(
  producer: TransactionalProducer,
  { group }: SinkRoute,
  at: TopicPartition,
  { offset, taken }: { readonly offset: number; readonly taken: number },
): Promise<void> {
  const transaction = await producer.begin();
  await transaction.commitOffset(group, at, { offset, metadata: encodeTaken(taken) });
  await transaction.commit();
}

/**
 * Puts the group back to what the sink has, so that the next run takes the rest again from the topic, also what was erased
 * from a table that is lost; also a group that is beyond the end of a log that is not the one that it has read.
 *
 * @returns of how many partitions something is taken again.
 */
export async function rewindSink({ log, sink }: Pick<SinkRunOptions, 'log' | 'sink'>): Promise<number> {
  const { group, sanitized: topic } = LIVE_ROUTE;
  const behind = await partitionsBehind(log, { group, topic }, (partition) => sink.resumeFrom(partition));
  const beyond = await partitionsBeyond(log, { group, topic }, sink);
  const isOther = ({ partition }: TopicPartition): boolean => !behind.some((one) => one.partition === partition);
  const all = [...behind, ...beyond.filter(isOther)];
  for (const { next, ...at } of all) {
    const producer = await log.transactional(`${group}/${topic}/${at.partition}`);
    const begin = (await log.beginOffsets(topic))[at.partition] ?? 0;
    await commitTaken(producer, LIVE_ROUTE, at, { offset: Math.max(next, begin), taken: next });
    await producer.close();
  }
  return all.length;
}

async function partitionsBeyond(
  log: EventLog,
  { group, topic }: { readonly group: string; readonly topic: string },
  sink: Sink,
): Promise<readonly (TopicPartition & { readonly next: number })[]> {
  const beyond = [];
  for (const partition of Array.from({ length: await log.partitions(topic) }, (_, index) => index)) {
    const committed = await log.committed(group, { topic, partition });
    const next = await sink.resumeFrom(partition);
    const end = (await log.highWatermarks(topic))[partition] ?? 0;
    if (next <= end && (committed?.offset ?? 0) > end) beyond.push({ topic, partition, next });
  }
  return beyond;
}

/**
 * To be asked before a table is opened for its sink, which would make a new one where there is none.
 *
 * @throws TableBehindError when there was one.
 */
export async function refuseIfLost(
  { log, store }: { readonly log: EventLog; readonly store: TableStore },
  route: SinkRoute = LIVE_ROUTE,
): Promise<void> {
  if ((await tableAt(store)) !== undefined) return;
  const [behind] = await partitionsBehind(log, { group: route.group, topic: route.sanitized }, () => 0);
  if (behind !== undefined) throw behindError(route, behind);
}

/** @throws TableBehindError */
async function refuseIfBehind({ log, sink }: SinkRunOptions, route: SinkRoute): Promise<void> {
  const { group, sanitized: topic } = route;
  const [behind] = await partitionsBehind(log, { group, topic }, (partition) => sink.resumeFrom(partition));
  if (behind !== undefined) throw behindError(route, behind);
}

function behindError(route: SinkRoute, { topic, partition }: TopicPartition): TableBehindError {
  const what = `the table lacks records of ${topic}/${partition} that its sink has put into a table before`;
  if (route.group !== GROUPS.sink) {
    return new TableBehindError(`${what}: put the replay's table back, or start another replay under a new name`);
  }
  return new TableBehindError(
    `${what}: was it moved or lost, or its volume not mounted? Put it back where \`table\` says. ` +
      'If no copy is left, `redactory sink --refill` takes all that the topic still has, also the rows of people who were erased since',
  );
}

/**
 * A table that goes on behind the end of a log waits for offsets that are given to other records, and takes none before them.
 *
 * @throws TableAheadError
 */
async function refuseIfAhead(
  { log, sink, route = LIVE_ROUTE }: SinkRunOptions,
  partitions: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const topic = route.sanitized;
  const said = [];
  for (const partition of partitions) {
    const committed = await log.committed(route.group, { topic, partition });
    said.push({ partition, committed: committed?.offset ?? 0, ...(await sink.taken(partition)) });
  }
  // Not the end for readers: after a failover a broker may tell of less than it has told of before, but not of this.
  const ends = await log.highWatermarks(topic);
  const begins = await log.beginOffsets(topic);
  for (const { partition, committed, next, sources } of said) {
    const at = { topic, partition };
    const end = ends[partition] ?? 0;
    if (next > end) throw aheadError(route, at, `the table goes on at offset ${next}, and the log ends at ${end}`);
    if (committed > end) {
      throw aheadError(route, at, `the sink's group goes on at offset ${committed}, and the log ends at ${end}`);
    }
    const begin = begins[partition] ?? 0;
    if (next <= begin || sources.size === 0) continue;
    if (await isTakenRecord(log, { ...at, offset: next - 1, begin }, sources, signal)) continue;
    throw aheadError(route, at, `the table has taken another record at offset ${next - 1} than the log has there`);
  }
}

/** Whether the record there can be the last that a sink has taken, which has come that far on its sources. */
async function isTakenRecord(
  log: EventLog,
  { offset: last, begin, ...at }: TopicPartition & { readonly offset: number; readonly begin: number },
  sources: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<boolean> {
  const record = await recordAt(log, { ...at, offset: last }, signal);
  if (signal.aborted || record === 'expired') return true;
  const source = record === undefined ? undefined : sourceOf(record);
  if (source === undefined) return false;
  const from = `${source.topic}/${source.partition}`;
  const furthest = sources.get(from) ?? -1;
  if (source.offset >= furthest) return source.offset === furthest;
  // The last one may be a double, of a transaction that was done again: then the other is somewhere before it.
  for (let offset = begin; offset < last && !signal.aborted;) {
    const fetched = await log.read({ ...at, offset, maxRecords: 2_000, maxBytes: 4 << 20, waitMs: WAIT_MS, signal });
    for (const before of fetched.records) {
      const of = sourceOf(before);
      if (before.offset < last && of?.offset === furthest && `${of.topic}/${of.partition}` === from) return true;
    }
    offset = fetched.nextOffset;
  }
  return signal.aborted;
}

/** The record at that offset; undefined when there is none, or `signal` aborts first. */
async function recordAt(
  log: EventLog,
  at: TopicPartition & { readonly offset: number },
  signal: AbortSignal,
): Promise<LogRecord | 'expired' | undefined> {
  while (!signal.aborted) {
    try {
      const { records, nextOffset } = await log.read({ ...at, maxRecords: 1, maxBytes: 1, waitMs: WAIT_MS, signal });
      if (nextOffset > at.offset) return records.find(({ offset }) => offset === at.offset);
    } catch (error) {
      if (!(error instanceof OffsetOutOfRangeError)) throw error;
      return 'expired';
    }
  }
  return undefined;
}

function aheadError(route: SinkRoute, { topic, partition }: TopicPartition, what: string): TableAheadError {
  const why = `on ${topic}/${partition} ${what}: was the log lost, put back from an older copy, or its topic made anew?`;
  if (route.group !== GROUPS.sink) return new TableAheadError(`${why} Start another replay under a new name`);
  return new TableAheadError(
    `${why} Put back log and table of one moment. If there is no such copy, give \`table\` another place: \`redactory sink\` fills that, ` +
      'with --refill where it still ends with an error. What the old table has stays where it is',
  );
}

/** Every partition, outside of the group; the first failure ends the others. */
async function workAlone(
  options: SinkRunOptions,
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
  /** Commits the group's position, after the sink has made everything below it durable; `taken`: see {@link encodeTaken}. */
  readonly commit: (offset: number, taken: number) => Promise<void>;
  /** Told when the sink has come further. */
  readonly onProgress?: () => void;
}

async function workOnPartition(job: PartitionJob): Promise<void> {
  const { log, at, sink, telemetry } = job;
  const begun = await startOf(job);
  let offset = begun.offset;
  /** Not where it starts: the group may be behind the sink, and others wait for the group; or be ahead, beyond markers. */
  let flushed = begun.committed;
  const first = offset;
  /** One past the last record that the sink was given. */
  let taken = 0;
  let flushDue = performance.now() + job.flushSeconds * 1000;

  const flush = async (): Promise<void> => {
    const start = performance.now();
    await sink.flush();
    // Fenced over another partition, a sink has given up the records of this one as well, and had nothing to flush.
    const durable = await sink.resumeFrom(at.partition);
    if (durable < taken) throw new FencedSinkError([at.partition]);
    telemetry.stage('table_commit', secondsSince(start));
    flushDue = performance.now() + job.flushSeconds * 1000;
    if (flushed !== undefined && offset <= flushed) return;
    await job.commit(offset, durable);
    if (offset > first) job.onProgress?.();
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
    }
    offset = fetched.nextOffset;
    if (performance.now() >= flushDue) await flush();
  }
  // Also when stopped: what has been taken is better committed than taken again.
  await flush();
}

interface Start {
  readonly offset: number;
  /** The group's own position; undefined when it has none, or not one of a sink's. */
  readonly committed?: number;
}

/** Where the sink goes on. @throws TableBehindError, TableAheadError, OffsetOutOfRangeError */
async function startOf(job: PartitionJob): Promise<Start> {
  const { log, at, sink, route = LIVE_ROUTE, alone } = job;
  const begin = (await log.beginOffsets(at.topic))[at.partition] ?? 0;
  if (alone === true) return { offset: Math.max(await sink.resumeFrom(at.partition), begin) };
  // Asked before the table, which others may be adding to: its commits come before those of the group.
  const committed = await log.committed(route.group, at);
  const next = await sink.resumeFrom(at.partition);
  if (next < takenOf(committed, begin)) throw behindError(route, at);
  await refuseIfAhead(job, [at.partition], job.signal);
  const known = Math.max(next, committed?.offset ?? 0);
  if (begin > known && (known > 0 || route.isWhole === true)) {
    throw new OffsetOutOfRangeError(
      `Offset ${known} of ${at.topic}/${at.partition} is wanted next, and ${begin} is the first that is kept: ` +
        'those records are gone (retention).',
    );
  }
  const isOwn = committed !== undefined && committed.metadata !== '';
  return { offset: Math.max(next, begin), ...(isOwn && { committed: committed.offset }) };
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
