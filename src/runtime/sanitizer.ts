import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Codec } from '../events/codec.ts';
import type { DropReason, QuarantineReason } from '../events/outcome.ts';
import {
  OffsetOutOfRangeError,
  type EventLog,
  type Fetched,
  type LogRecord,
  type NewRecord,
  type TopicPartition,
  type TransactionalProducer,
} from '../log/event-log.ts';
import { KeyError } from '../privacy/keyring.ts';
import type { Policy } from '../privacy/policy.ts';
import type { Vocabulary } from '../privacy/vocabulary.ts';
import { createPipeline, preparePolicy, type Pipeline, type Processed } from '../processors/pipeline.ts';
import type { ControlTables } from './control-tables.ts';
import { delay, workOnGroup, type Delay } from './partition-group.ts';
import type { Telemetry } from './telemetry.ts';
import { GROUPS, TOPICS } from './topics.ts';
import { RunError } from './run-error.ts';

export interface SanitizerOptions {
  readonly log: EventLog;
  readonly codec: Codec;
  readonly policy: Policy;
  readonly vocabulary: Vocabulary;
  readonly subjectKey: (subject: string) => string;
  readonly tables: ControlTables;
  readonly telemetry: Telemetry;
  readonly fetch: FetchSize;
  readonly now: () => number;
  /** Told, when a run has an end, how many of the raw batches up to there are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** How to wait before work on a partition starts again; by default, in real time. */
  readonly delay?: Delay;
}

export interface FetchSize {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** What a run did. Counts are raw events unless they say batches; `read` = released + dropped + quarantined + pending. */
export interface SanitizerSummary {
  batches: number;
  readonly batchesByReason: Partial<Record<DropReason | QuarantineReason, number>>;
  read: number;
  released: number;
  readonly dropped: Partial<Record<DropReason, number>>;
  quarantined: number;
  /** Change of what open sessions hold back, from the run's start to its end. */
  pending: number;
  rawBytes: number;
}

/** How long a read waits for something new before it looks around again. */
const WAIT_MS = 200;
/** How often the tables' lag is measured. */
const CONTROL_LAG_MS = 1_000;
/** Records processed before other work of this process gets its turn. */
const SLICE = 32;

/**
 * Runs the processors over the raw topic's partitions that the group gives this process, until stopped, or until the
 * whole group has come to the ends that the partitions had at the start.
 *
 * Each fetch ends in one transaction: released batches, quarantine records, and the new offset with `warmFrom`. A partition
 * is taken over by fencing its last owner first; its sessions' state is built again from `warmFrom` up to the committed
 * offset, without output.
 *
 * @throws KeyError, OffsetOutOfRangeError, LogStorageError when going on would lose or leak something.
 */
export async function runSanitizer(
  options: SanitizerOptions,
  until: { readonly end: boolean; readonly signal: AbortSignal; readonly maxRestarts?: number },
): Promise<SanitizerSummary> {
  const { log } = options;
  const summary = emptySummary();
  await options.tables.catchUp();
  const prepared = preparePolicy(options.policy, options.vocabulary);
  const ends = until.end ? await log.endOffsets(TOPICS.raw) : undefined;
  const progress = new Map<number, { readonly done: number; readonly total: number }>();

  await workOnGroup({
    log,
    group: GROUPS.sanitize,
    topic: TOPICS.raw,
    telemetry: options.telemetry,
    delay: options.delay ?? delay,
    signal: until.signal,
    maxRestarts: until.maxRestarts,
    isFatal,
    isDone: async () => ends !== undefined && (await areAllCommitted(log, ends)),
    work: async (at, signal) => {
      const end = ends?.[at.partition];
      const producer = await log.transactional(`${GROUPS.sanitize}/${at.topic}/${at.partition}`);
      try {
        await workOnPartition({ ...options, at, end, signal, producer, prepared, summary, progress });
      } finally {
        await producer.close();
      }
    },
  });
  return summary;
}

interface PartitionJob extends SanitizerOptions {
  readonly at: TopicPartition;
  readonly end: number | undefined;
  readonly signal: AbortSignal;
  readonly producer: TransactionalProducer;
  readonly prepared: ReturnType<typeof preparePolicy>;
  readonly summary: SanitizerSummary;
  readonly progress: Map<number, { readonly done: number; readonly total: number }>;
}

async function workOnPartition(job: PartitionJob): Promise<void> {
  const { log, at, telemetry } = job;
  const committed = await log.committed(GROUPS.sanitize, at);
  let offset = committed?.offset ?? (await firstOffset(log, at));
  const warm = committed === undefined ? { offset, time: 0 } : decodeMetadata(committed.metadata, committed.offset);
  const { consent, keyring } = job.tables;
  const pipeline = createPipeline({ ...job, consent, keyring }, job.prepared, warm.time);
  await warmUp(job, pipeline, warm.offset, offset);
  let pendingBefore = pipeline.pending();
  const first = offset;
  let lagDue = 0;

  while (!job.signal.aborted && (job.end === undefined || offset < job.end)) {
    const fetchStart = performance.now();
    const fetched = await read(job, offset, WAIT_MS);
    if (fetched.records.length === 0 && fetched.nextOffset === offset) {
      telemetry.lag('sanitize', at.partition, 0, 0);
      continue;
    }
    telemetry.stage('fetch', secondsSince(fetchStart));
    const tablesStart = performance.now();
    await job.tables.catchUp();
    await ensureKeys(job, fetched.records);
    telemetry.stage('tables', secondsSince(tablesStart));

    const output = await processAll(job, pipeline, fetched.records);
    if (job.signal.aborted) return;
    const commitStart = performance.now();
    await commit(job, pipeline, output, fetched.nextOffset);
    telemetry.stage('commit', secondsSince(commitStart));

    offset = fetched.nextOffset;
    const pending = pipeline.pending();
    job.summary.pending += pending - pendingBefore;
    pendingBefore = pending;
    report(job, pipeline, fetched, output.results, pending);
    if (job.end !== undefined) showProgress(job, first, Math.min(offset, job.end), job.end);
    // After the counts: what is committed must be counted even if this read fails.
    if (job.now() >= lagDue) {
      await reportControlLag(job);
      lagDue = job.now() + CONTROL_LAG_MS;
    }
  }
}

async function reportControlLag(job: PartitionJob): Promise<void> {
  const lag = await job.tables.lag();
  for (const table of ['consent', 'keyring', 'erasures'] as const) job.telemetry.controlLag(table, lag[table]);
}

function showProgress(job: PartitionJob, first: number, offset: number, end: number): void {
  job.progress.set(job.at.partition, { done: offset - first, total: end - first });
  const all = [...job.progress.values()];
  job.onProgress?.(
    all.reduce((sum, { done }) => sum + done, 0),
    all.reduce((sum, { total }) => sum + total, 0),
  );
}

/** Rebuilds the sessions' state from records that are done already: same work, no output. */
async function warmUp(job: PartitionJob, pipeline: Pipeline, from: number, to: number): Promise<void> {
  let offset = from;
  while (offset < to && !job.signal.aborted) {
    const fetched = await read(job, offset, 0);
    if (fetched.nextOffset === offset) break;
    await job.tables.catchUp();
    const done = fetched.records.filter((record) => record.offset < to);
    for (let i = 0; i < done.length; i++) {
      const record = done[i];
      if (record !== undefined) pipeline.process(record);
      if (i % SLICE === SLICE - 1) await nextTurn();
    }
    offset = fetched.nextOffset;
  }
}

interface Output {
  readonly sanitized: NewRecord[];
  readonly quarantined: NewRecord[];
  readonly results: { readonly result: Processed; readonly bytes: number }[];
}

async function processAll(job: PartitionJob, pipeline: Pipeline, records: readonly LogRecord[]): Promise<Output> {
  const start = performance.now();
  const output: Output = { sanitized: [], quarantined: [], results: [] };
  for (let i = 0; i < records.length; i++) {
    const record = records[i];
    if (record === undefined) continue;
    const result = pipeline.process(record);
    output.results.push({ result, bytes: record.value?.length ?? 0 });
    if (result.released !== null) output.sanitized.push(releasedRecord(job.codec, record, result.released));
    if (result.kind === 'quarantine') output.quarantined.push(quarantineRecord(job.codec, record, result.reason));
    if (i % SLICE === SLICE - 1) await nextTurn();
    if (job.signal.aborted) break;
  }
  job.telemetry.stage('process', secondsSince(start));
  return output;
}

const DAY_MS = 86_400_000;

function releasedRecord(codec: Codec, record: LogRecord, batch: NonNullable<Processed['released']>): NewRecord {
  return {
    key: batch.session,
    value: codec.encodeReleased(batch),
    timestamp: batch.day * DAY_MS,
    headers: {
      'source-topic': record.topic,
      'source-partition': String(record.partition),
      'source-offset': String(record.offset),
    },
  };
}

function quarantineRecord(codec: Codec, record: LogRecord, reason: Processed['reason']): NewRecord {
  const { topic, partition, offset, timestamp } = record;
  return {
    key: `${topic}/${partition}/${offset}`,
    value: codec.encodeQuarantine({
      topic,
      partition,
      offset,
      // `summarise` gives every quarantined batch a reason of this union.
      reason: reason as QuarantineReason,
      bytes: record.value?.length ?? 0,
      quarantinedAt: timestamp,
    }),
    timestamp,
  };
}

async function commit(job: PartitionJob, pipeline: Pipeline, output: Output, next: number): Promise<void> {
  const transaction = await job.producer.begin();
  try {
    if (output.sanitized.length > 0) await transaction.append(TOPICS.sanitized, output.sanitized);
    if (output.quarantined.length > 0) await transaction.append(TOPICS.quarantine, output.quarantined);
    const metadata = encodeMetadata(pipeline.warmFrom(next));
    await transaction.commitOffset(GROUPS.sanitize, job.at, { offset: next, metadata });
    await transaction.commit();
  } catch (error) {
    await transaction.abort().catch(() => undefined);
    throw error;
  }
}

function report(
  job: PartitionJob,
  pipeline: Pipeline,
  fetched: Fetched,
  results: Output['results'],
  pending: number,
): void {
  const { telemetry, summary, at } = job;
  for (const { result, bytes } of results) {
    telemetry.processed(result, bytes);
    addTo(summary, result, bytes);
  }
  telemetry.sessions(at.partition, pipeline.openSessions(), pending);
  const last = fetched.records.at(-1);
  const behind = fetched.endOffset - fetched.nextOffset;
  const age = behind > 0 && last !== undefined ? Math.max(0, (job.now() - last.timestamp) / 1000) : 0;
  telemetry.lag('sanitize', at.partition, behind, age);
}

function read(job: PartitionJob, offset: number, waitMs: number): Promise<Fetched> {
  return job.log.read({ ...job.at, offset, ...job.fetch, waitMs, signal: job.signal });
}

async function ensureKeys(job: PartitionJob, records: readonly LogRecord[]): Promise<void> {
  const grants = new Set<number>();
  for (const { value } of records) {
    const envelope = value === null ? undefined : job.codec.openEnvelope(value);
    if (envelope?.ok) grants.add(envelope.value.grantedAt);
  }
  await job.tables.ensureKeys(grants);
}

async function firstOffset(log: EventLog, at: TopicPartition): Promise<number> {
  return (await log.beginOffsets(at.topic))[at.partition] ?? 0;
}

async function areAllCommitted(log: EventLog, ends: readonly number[]): Promise<boolean> {
  const begins = await log.beginOffsets(TOPICS.raw);
  for (const [partition, end] of ends.entries()) {
    if (end <= (begins[partition] ?? 0)) continue;
    const position = await log.committed(GROUPS.sanitize, { topic: TOPICS.raw, partition });
    if ((position?.offset ?? 0) < end) return false;
  }
  return true;
}

/** Errors that another try would meet again, or that mean that records are lost. */
export function isFatal(error: unknown): boolean {
  return (
    error instanceof KeyError ||
    error instanceof OffsetOutOfRangeError ||
    (error instanceof Error && (error.name === 'LogStorageError' || error.name === 'CodecError'))
  );
}

/** Where a successor starts to read, in the offset commit's metadata. */
export function encodeMetadata(warm: { readonly offset: number; readonly time: number }): string {
  return JSON.stringify({ v: 1, warmFrom: warm.offset, time: warm.time });
}

/** @throws Error when another version has written it: state could not be rebuilt. */
export function decodeMetadata(
  metadata: string,
  committed: number,
): { readonly offset: number; readonly time: number } {
  const parsed: unknown = JSON.parse(metadata);
  if (typeof parsed === 'object' && parsed !== null && 'v' in parsed && 'warmFrom' in parsed && 'time' in parsed) {
    const { v, warmFrom, time } = parsed;
    if (v === 1 && typeof warmFrom === 'number' && typeof time === 'number' && warmFrom <= committed) {
      return { offset: warmFrom, time };
    }
  }
  throw new RunError(
    'the sanitize group has a commit whose metadata this version cannot read: run the version that wrote it',
  );
}

export function emptySummary(): SanitizerSummary {
  return {
    batches: 0,
    batchesByReason: {},
    read: 0,
    released: 0,
    dropped: {},
    quarantined: 0,
    pending: 0,
    rawBytes: 0,
  };
}

/** What two runs did together; a new object. */
export function addSummaries(a: SanitizerSummary, b: SanitizerSummary): SanitizerSummary {
  return {
    batches: a.batches + b.batches,
    batchesByReason: addCounts(a.batchesByReason, b.batchesByReason),
    read: a.read + b.read,
    released: a.released + b.released,
    dropped: addCounts(a.dropped, b.dropped),
    quarantined: a.quarantined + b.quarantined,
    pending: a.pending + b.pending,
    rawBytes: a.rawBytes + b.rawBytes,
  };
}

function addCounts<K extends string>(
  a: Readonly<Partial<Record<K, number>>>,
  b: Readonly<Partial<Record<K, number>>>,
): Partial<Record<K, number>> {
  const sum: Partial<Record<K, number>> = { ...a };
  for (const key of Object.keys(b) as K[]) sum[key] = (a[key] ?? 0) + (b[key] ?? 0);
  return sum;
}

function addTo(summary: SanitizerSummary, { reason, counts }: Processed, bytes: number): void {
  summary.batches++;
  summary.rawBytes += bytes;
  if (reason !== null) summary.batchesByReason[reason] = (summary.batchesByReason[reason] ?? 0) + 1;
  summary.read += counts.read;
  summary.released += counts.released;
  summary.quarantined += counts.quarantined;
  for (const [name, n] of Object.entries(counts.dropped) as [DropReason, number][]) {
    summary.dropped[name] = (summary.dropped[name] ?? 0) + n;
  }
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000;
