import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Codec } from '../events/codec.ts';
import { addCounts, type DropReason, type QuarantineReason } from '../events/outcome.ts';
import {
  OffsetOutOfRangeError,
  type EventLog,
  type Fetched,
  type LogRecord,
  type NewRecord,
  type Position,
  type TopicPartition,
  type TransactionalProducer,
} from '../log/event-log.ts';
import type { ConsentTimeline } from '../privacy/consent.ts';
import { epochEnd } from '../privacy/epoch.ts';
import { KeyError } from '../privacy/keyring.ts';
import type { Policy } from '../privacy/policy.ts';
import type { Vocabulary } from '../privacy/vocabulary.ts';
import { createPipeline, preparePolicy, type Pipeline, type Processed } from '../processors/pipeline.ts';
import type { ControlTables } from './control-tables.ts';
import { delay, workOnGroup, type Delay } from './partition-group.ts';
import { createOwnerLedger, type OwnerLedger } from './owners.ts';
import { processWhenKnown } from './pending-schemas.ts';
import type { Telemetry } from './telemetry.ts';
import { GROUPS, TOPICS } from './topics.ts';
import { RunError } from './run-error.ts';
import { NO_TRACES, TRACEPARENT, type Span, type SpanFacts, type Traces } from './traces.ts';
import { createUnseal, type RawSealing, type Unseal } from './unseal.ts';

/** From where to where a sanitizer works, and as which group; by default the live one. */
export interface SanitizerRoute {
  readonly group: string;
  readonly raw: string;
  readonly sanitized: string;
  readonly quarantine: string;
  /** How keys begin on the topic of owners: '' for what is live. */
  readonly owners: string;
}

export const LIVE_ROUTE: SanitizerRoute = {
  group: GROUPS.sanitize,
  raw: TOPICS.raw,
  sanitized: TOPICS.sanitized,
  quarantine: TOPICS.quarantine,
  owners: '',
};

/** A stretch of one raw partition, in offsets: output is made of [from, end), state from `warmFrom` on. */
export interface PartitionStretch {
  readonly warmFrom: number;
  readonly from: number;
  readonly end: number;
}

/**
 * Counts of one partition that must survive the process: they travel with the offset commits, so that they are exact
 * whatever crashes in between.
 */
export interface Ledger {
  /** A record was read for its sessions' state only. */
  warmed(record: LogRecord): void;
  /** A record's outputs are in the transaction under way. */
  processed(record: LogRecord, result: Processed): void;
  /** What open sessions hold back has changed by so many raw events. */
  pending(change: number): void;
  /** As JSON, at most 3,500 bytes. */
  render(): unknown;
}

export interface SanitizerOptions {
  readonly log: EventLog;
  readonly codec: Codec;
  readonly policy: Policy;
  readonly vocabulary: Vocabulary;
  readonly subjectKey: (subject: string) => string;
  readonly tables: Pick<ControlTables, 'keyring' | 'catchUp' | 'ensureKeys' | 'lag'> & {
    readonly consent: Pick<ConsentTimeline, 'judge'>;
  };
  /** Whether raw batches must be sealed. */
  readonly sealed: RawSealing;
  readonly telemetry: Telemetry;
  /** By default nowhere. */
  readonly traces?: Traces;
  readonly fetch: FetchSize;
  readonly now: () => number;
  readonly route?: SanitizerRoute;
  /** By raw partition: a run over a part of the topic, which ends there exactly. */
  readonly stretches?: readonly PartitionStretch[];
  /** A ledger for a partition, going on from what the last commit's ledger said; undefined at the first. */
  readonly ledger?: (at: TopicPartition, carried: unknown) => Promise<Ledger>;
  /** Told, when a run has an end, how many of the raw batches up to there are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Leaves the group's seat to the next start of this process when it is stopped: for members with an instance name. */
  readonly keepsSeat?: boolean;
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
/** Records processed before other work of this process gets its turn; less if they hold more than so many events. */
const SLICE = 32;
const SLICE_EVENTS = 10_000;

/**
 * Runs the processors over the raw topic's partitions that the group gives this process, until stopped, or until the
 * whole group has come to the ends that the partitions had at the start.
 *
 * Each fetch ends in one transaction: released batches, quarantine records, and the new offset with `warmFrom`. A partition
 * is taken over by fencing its last owner first; its sessions' state is built again from `warmFrom` up to the committed
 * offset, without output.
 *
 * @throws KeyError, OffsetOutOfRangeError, LogStorageError, LogAccessError, RunError when going on would lose or leak something.
 */
export async function runSanitizer(
  options: SanitizerOptions,
  until: { readonly end: boolean; readonly signal: AbortSignal; readonly maxRestarts?: number },
): Promise<SanitizerSummary> {
  // From before the first wait for the tables: a start that gets no further is told of as well.
  const stopTelling = options.telemetry.whenShown(() => tellControlTables(options));
  try {
    return await sanitize(options, until);
  } finally {
    stopTelling();
  }
}

async function sanitize(
  options: SanitizerOptions,
  until: Parameters<typeof runSanitizer>[1],
): Promise<SanitizerSummary> {
  const { log, stretches, route = LIVE_ROUTE } = options;
  const unseal = createUnseal({ ...options, keyring: options.tables.keyring });
  const summary = emptySummary();
  await options.tables.catchUp();
  const prepared = preparePolicy(options.policy, options.vocabulary);
  const ends = stretches?.map(({ end }) => end) ?? (until.end ? await log.endOffsets(route.raw) : undefined);
  const progress = new Map<number, { readonly done: number; readonly total: number }>();

  await workOnGroup({
    log,
    group: route.group,
    role: 'sanitize',
    topic: route.raw,
    telemetry: options.telemetry,
    now: options.now,
    doneBefore: ({ offset, metadata }) => decodeMetadata(metadata, offset).time,
    delay: options.delay ?? delay,
    signal: until.signal,
    maxRestarts: until.maxRestarts,
    keepsSeat: options.keepsSeat,
    isFatal,
    isDone: async () => ends !== undefined && (await areAllCommitted(log, route, await startsOf(options), ends)),
    work: async (at, signal, onCommit) => {
      const end = ends?.[at.partition];
      const stretch = stretches?.[at.partition];
      // A partition that was added since the stretch was fixed has nothing of it.
      if (stretches !== undefined && stretch === undefined) return;
      const producer = await log.transactional(`${route.group}/${at.topic}/${at.partition}`);
      try {
        const run = { route, at, stretch, end, signal, producer, prepared, unseal, summary, progress, onCommit };
        await workOnPartition({ ...options, ...run });
      } finally {
        await producer.close();
      }
    },
  });
  return summary;
}

interface PartitionJob extends SanitizerOptions {
  readonly route: SanitizerRoute;
  readonly at: TopicPartition;
  readonly stretch: PartitionStretch | undefined;
  readonly end: number | undefined;
  readonly signal: AbortSignal;
  readonly onCommit: () => void;
  readonly producer: TransactionalProducer;
  readonly prepared: ReturnType<typeof preparePolicy>;
  readonly unseal: Unseal;
  readonly summary: SanitizerSummary;
  readonly progress: Map<number, { readonly done: number; readonly total: number }>;
}

async function workOnPartition(job: PartitionJob): Promise<void> {
  const { at, telemetry } = job;
  const start = await startOf(job);
  let { offset } = start;
  if (job.stretch !== undefined && offset >= job.stretch.end) return;
  const ledger = await job.ledger?.(at, start.ledger);
  const { consent, keyring } = job.tables;
  const pipeline = createPipeline({ ...job, consent, keyring }, job.prepared, start.time);
  const owners = createOwnerLedger({ codec: job.codec, keyring, topic: at.topic, prefix: job.route.owners });
  await warmUp(job, pipeline, { ledger, owners }, start.warmFrom, offset);
  let pendingBefore = pipeline.pending();
  const first = offset;
  const isLeft = (): boolean => !job.signal.aborted && (job.end === undefined || offset < job.end);
  // While a fetch is worked on, the one after it is on its way and the one before it is committed.
  let ahead = handledLater(read(job, offset, WAIT_MS));
  let behind: Promise<void> = Promise.resolve();
  try {
    while (isLeft()) {
      const fetchStart = performance.now();
      const fetched = withinStretch(job, await ahead);
      const isNew = fetched.records.length > 0 || fetched.nextOffset !== offset;
      offset = fetched.nextOffset;
      if (isLeft()) ahead = handledLater(read(job, offset, WAIT_MS));
      if (!isNew) {
        // Nobody else would notice that the last commit has failed.
        await behind;
        continue;
      }
      telemetry.stage('fetch', secondsSince(fetchStart));
      const span = startSpan(job, fetched);
      const tablesStart = performance.now();
      await job.tables.catchUp();
      await ensureKeys(job, fetched.records);
      telemetry.stage('tables', secondsSince(tablesStart));

      const unsealStart = performance.now();
      const ready = await job.unseal(fetched.records);
      telemetry.stage('unseal', secondsSince(unsealStart));
      const output = await processAll(job, pipeline, { ledger, owners }, ready);
      await behind;
      if (job.signal.aborted) return;
      const pending = pipeline.pending();
      ledger?.pending(pending - pendingBefore);
      const metadata = encodeMetadata(pipeline.warmFrom(fetched.nextOffset), ledger?.render());
      const done = { fetched, output, metadata, pending, pendingChange: pending - pendingBefore, first, span };
      pendingBefore = pending;
      behind = handledLater(finish(job, pipeline.openSessions(), done));
    }
    await behind;
  } finally {
    // What failed here has been thrown above, or comes after an error that says more.
    await Promise.allSettled([ahead, behind]);
  }
}

/** A fetch whose records are processed, on its way to a commit. */
interface Done {
  readonly fetched: Fetched;
  readonly output: Output;
  readonly metadata: string;
  readonly pending: number;
  readonly pendingChange: number;
  readonly first: number;
  readonly span: Span;
}

async function finish(job: PartitionJob, openSessions: number, done: Done): Promise<void> {
  const { fetched, output } = done;
  const commitStart = performance.now();
  try {
    await commit(job, output, { offset: fetched.nextOffset, metadata: done.metadata });
  } catch (error) {
    done.span.end({ outcome: 'failed', partition: job.at.partition });
    throw error;
  }
  job.onCommit();
  done.span.end(factsOf(job, output));
  job.telemetry.stage('commit', secondsSince(commitStart));
  job.summary.pending += done.pendingChange;
  report(job, openSessions, done);
  if (job.end !== undefined) showProgress(job, done.first, Math.min(fetched.nextOffset, job.end), job.end);
}

/** Of one transaction, from its fetch on; linked to where its raw records came in. */
function startSpan({ traces = NO_TRACES }: PartitionJob, { records }: Fetched): Span {
  return traces.start('sanitize.commit', { links: records.map(({ headers }) => headers[TRACEPARENT]) });
}

function factsOf({ at }: PartitionJob, { results }: Output): SpanFacts {
  const sum = emptySummary();
  for (const { result, bytes } of results) addTo(sum, result, bytes);
  const dropped = Object.values(sum.dropped).reduce((all, n) => all + n, 0);
  const { batches: records, rawBytes: bytes, read: events, released, quarantined } = sum;
  return { outcome: 'done', partition: at.partition, records, bytes, events, released, dropped, quarantined };
}

/** The same promise; that it fails while other work is awaited is no failure that nobody handles. */
function handledLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/**
 * What the control tables lack, before and after they are asked to catch up: what stays is what cannot be taken in, and not what
 * was decided in a night without work.
 */
async function tellControlTables({ tables, telemetry, now }: SanitizerOptions): Promise<void> {
  telemetry.keyEpochEnds(epochEnd(now()));
  await tellControlLag(tables, telemetry);
  await tables.catchUp();
  await tellControlLag(tables, telemetry);
}

async function tellControlLag(tables: SanitizerOptions['tables'], telemetry: Telemetry): Promise<void> {
  const lag = await tables.lag();
  for (const table of ['consent', 'keyring', 'erasures'] as const) telemetry.controlLag(table, lag[table]);
}

function showProgress(job: PartitionJob, first: number, offset: number, end: number): void {
  job.progress.set(job.at.partition, { done: offset - first, total: end - first });
  const all = [...job.progress.values()];
  job.onProgress?.(
    all.reduce((sum, { done }) => sum + done, 0),
    all.reduce((sum, { total }) => sum + total, 0),
  );
}

interface Start {
  /** The first record whose output is missing. */
  readonly offset: number;
  readonly warmFrom: number;
  /** The partition's time to start with. */
  readonly time: number;
  readonly ledger: unknown;
}

/** From the last commit; without one, from the stretch's start or the first record that is kept. */
async function startOf(job: PartitionJob): Promise<Start> {
  const { log, route, at, stretch } = job;
  const committed = await log.committed(route.group, at);
  const first = await firstOffset(log, at);
  if (committed !== undefined) {
    const { offset } = committed;
    const { offset: warm, time, ledger } = decodeMetadata(committed.metadata, offset);
    // After a quiet time longer than retention, what the open sessions began with is gone, and so is their time.
    const warmFrom = warm < first && first <= offset && isLongAgo(job, time) ? first : warm;
    return { offset, warmFrom, time, ledger };
  }
  if (stretch === undefined) return { offset: first, warmFrom: first, time: 0, ledger: undefined };
  // Nothing has come of it yet, so state may be built from less: what has expired since was never needed for output.
  const warmFrom = Math.min(Math.max(stretch.warmFrom, first), stretch.from);
  return { offset: stretch.from, warmFrom, time: 0, ledger: undefined };
}

/** Whatever arrives from now on belongs to no session that was open at that partition's time. */
function isLongAgo({ policy, stretch, now }: PartitionJob, time: number): boolean {
  const { maxMinutes, latenessMinutes } = policy.session;
  return stretch === undefined && now() - time > (maxMinutes + latenessMinutes) * MINUTE_MS;
}

/** A stretch ends exactly; other runs may go beyond the end that they were given. */
function withinStretch({ stretch }: PartitionJob, fetched: Fetched): Fetched {
  if (stretch === undefined || fetched.nextOffset <= stretch.end) return fetched;
  const records = fetched.records.filter(({ offset }) => offset < stretch.end);
  return { ...fetched, records, nextOffset: stretch.end };
}

/** Rebuilds the sessions' state from records that are done already: same work, no output. */
async function warmUp(
  job: PartitionJob,
  pipeline: Pipeline,
  { ledger, owners }: Ledgers,
  from: number,
  to: number,
): Promise<void> {
  let offset = from;
  while (offset < to && !job.signal.aborted) {
    // All of it is there. Going on with less would go on with less of what was typed.
    const fetched = await read(job, offset, WAIT_MS);
    await job.tables.catchUp();
    const done = await job.unseal(fetched.records.filter((record) => record.offset < to));
    const othersTurn = turns();
    for (let i = 0; i < done.length; i++) {
      const record = done[i];
      if (record !== undefined) {
        ledger?.warmed(record);
        const result = await processWhenKnown(pipeline, done, i, job);
        owners.warmed(result);
        await othersTurn(result);
      }
    }
    offset = fetched.nextOffset;
  }
}

/** Gives others their turn after some records, or after one that takes a second: heartbeats are not to be late. */
function turns(): (result: Processed) => Promise<void> {
  let [records, events] = [0, 0];
  return async ({ counts }) => {
    records++;
    events += counts.read;
    if (records < SLICE && events < SLICE_EVENTS) return;
    await nextTurn();
    [records, events] = [0, 0];
  };
}

/** What is counted beside the output, and travels with it. */
interface Ledgers {
  readonly ledger: Ledger | undefined;
  readonly owners: OwnerLedger;
}

interface Output {
  readonly sanitized: NewRecord[];
  readonly quarantined: NewRecord[];
  readonly owners: NewRecord[];
  readonly results: { readonly result: Processed; readonly bytes: number }[];
}

async function processAll(
  job: PartitionJob,
  pipeline: Pipeline,
  { ledger, owners }: Ledgers,
  records: readonly LogRecord[],
): Promise<Output> {
  const start = performance.now();
  const othersTurn = turns();
  const output: Output = { sanitized: [], quarantined: [], owners: [], results: [] };
  for (let i = 0; i < records.length; i++) {
    const record = records[i];
    if (record === undefined) continue;
    const result = await processWhenKnown(pipeline, records, i, job);
    ledger?.processed(record, result);
    owners.processed(record, result);
    output.results.push({ result, bytes: record.value?.length ?? 0 });
    if (result.released !== null) output.sanitized.push(releasedRecord(job.codec, record, result.released));
    if (result.kind === 'quarantine') output.quarantined.push(quarantineRecord(job.codec, record, result.reason));
    await othersTurn(result);
    if (job.signal.aborted) break;
  }
  output.owners.push(...owners.take());
  job.telemetry.stage('process', secondsSince(start));
  return output;
}

const MINUTE_MS = 60_000;
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

async function commit(job: PartitionJob, output: Output, position: Position): Promise<void> {
  const { route } = job;
  const transaction = await job.producer.begin();
  try {
    if (output.sanitized.length > 0) await transaction.append(route.sanitized, output.sanitized);
    if (output.quarantined.length > 0) await transaction.append(route.quarantine, output.quarantined);
    if (output.owners.length > 0) await transaction.append(TOPICS.owners, output.owners);
    await transaction.commitOffset(route.group, job.at, position);
    await transaction.commit();
  } catch (error) {
    await transaction.abort().catch(() => undefined);
    throw error;
  }
}

function report(job: PartitionJob, openSessions: number, { output, pending }: Done): void {
  const { telemetry, summary, at } = job;
  for (const { result, bytes } of output.results) {
    telemetry.processed(result, bytes);
    addTo(summary, result, bytes);
  }
  telemetry.sessions(at.partition, openSessions, pending);
}

function read(job: PartitionJob, offset: number, waitMs: number): Promise<Fetched> {
  return job.log.read({ ...job.at, offset, ...job.fetch, waitMs, standIns: true, signal: job.signal });
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

async function startsOf({ log, stretches, route = LIVE_ROUTE }: SanitizerOptions): Promise<readonly number[]> {
  return stretches?.map(({ from }) => from) ?? (await log.beginOffsets(route.raw));
}

async function areAllCommitted(
  log: EventLog,
  route: SanitizerRoute,
  starts: readonly number[],
  ends: readonly number[],
): Promise<boolean> {
  for (const [partition, end] of ends.entries()) {
    if (end <= (starts[partition] ?? 0)) continue;
    const position = await log.committed(route.group, { topic: route.raw, partition });
    if ((position?.offset ?? 0) < end) return false;
  }
  return true;
}

/** Errors that another try would meet again, or that mean that records are lost. */
export function isFatal(error: unknown): boolean {
  return (
    error instanceof KeyError ||
    error instanceof OffsetOutOfRangeError ||
    (error instanceof Error && FATAL.has(error.name))
  );
}

const FATAL = new Set([
  'LogStorageError',
  'LogAccessError',
  'KafkaSecurityError',
  'CompressionError',
  'CorruptBatchError',
  'InstanceFencedError',
  'CodecError',
  'RunError',
  'ReplayEndedError',
]);

/** Where a successor starts to read, and a ledger to go on with, in the offset commit's metadata. */
export function encodeMetadata(warm: { readonly offset: number; readonly time: number }, ledger?: unknown): string {
  return JSON.stringify({ v: 1, warmFrom: warm.offset, time: warm.time, ledger });
}

/** @throws RunError when another version has written it: state could not be rebuilt. */
export function decodeMetadata(
  metadata: string,
  committed: number,
): { readonly offset: number; readonly time: number; readonly ledger: unknown } {
  // An operator has put the group there (kafka-consumer-groups --reset-offsets): sessions begin afresh.
  if (metadata === '') return { offset: committed, time: 0, ledger: undefined };
  const parsed = parseJson(metadata);
  if (typeof parsed === 'object' && parsed !== null && 'v' in parsed && 'warmFrom' in parsed && 'time' in parsed) {
    const { v, warmFrom, time } = parsed;
    if (v === 1 && typeof warmFrom === 'number' && typeof time === 'number' && warmFrom <= committed) {
      return { offset: warmFrom, time, ledger: 'ledger' in parsed ? parsed.ledger : undefined };
    }
  }
  throw new RunError('a group has a commit whose metadata this version cannot read: run the version that wrote it');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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

/** Counts one raw record into `summary`. */
export function addTo(summary: SanitizerSummary, { reason, counts }: Processed, bytes: number): void {
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
