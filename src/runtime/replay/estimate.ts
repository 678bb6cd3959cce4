import { availableParallelism } from 'node:os';
import type { LogRecord, TopicPartition } from '../../log/event-log.ts';
import { createPipeline, preparePolicy } from '../../processors/pipeline.ts';
import { sessionName } from '../../processors/stages.ts';
import { RunError } from '../run-error.ts';
import { TOPICS } from '../topics.ts';
import { createUnseal } from '../unseal.ts';
import type { ReplayPartition } from './manifest.ts';
import { processWhenKnown } from '../pending-schemas.ts';
import { replayNames } from './names.ts';
import { expiredMessage, judgedAgain, type ReplayRequest, type ReplayTools } from './run.ts';
import { fixStretch, horizonMs } from './stretch.ts';

/** What a replay would have to do. */
export interface Estimate {
  readonly batches: number;
  /** Of raw batches as they lie on the log. */
  readonly bytes: number;
  readonly sessions: number;
  /** Batches read only to know the sessions that are open at the start, at most: offsets may have holes. */
  readonly warmUp: number;
  /** Up to so many batches of the stretch have expired. */
  readonly expired: number;
  /** Batches that were processed, without output, to measure; and how long they took, in seconds on one core. */
  readonly sample: { readonly batches: number; readonly seconds: number };
  /** Reading, processing and writing all of it with one worker; null when there is nothing to measure. */
  readonly seconds: number | null;
  readonly cores: number;
}

const SAMPLE_BATCHES = 500;
/** Writing what is released, its table and the comparison take about as long again as the processors (docs/performance.md). */
const WRITING = 1.6;

/**
 * Reads the stretch's envelopes and processes a sample of it, and writes nothing at all.
 *
 * @throws RunError for a name that cannot be, and for raw that has expired where that is not allowed.
 */
export async function estimateReplay(
  request: ReplayRequest,
  tools: Pick<ReplayTools, 'logs' | 'codec' | 'subjectKey' | 'tables' | 'sealed' | 'fetch' | 'onProgress'>,
): Promise<Estimate> {
  replayNames(request.name);
  const { partitions, expired } = await fixStretch(tools.logs.sanitizer, request.asked, request.policy);
  if (expired > 0 && !request.allowExpired) throw new RunError(expiredMessage(expired));
  const seen = { batches: 0, bytes: 0, sessions: 0 };
  const total = partitions.reduce((sum, { from, end }) => sum + end - from, 0);
  const readStart = performance.now();
  const sampled: LogRecord[][] = [];
  let wanted = SAMPLE_BATCHES;
  for (const [partition, stretch] of partitions.entries()) {
    const sessions = countSessions(request, tools);
    const sample: LogRecord[] = [];
    for await (const record of recordsOf(tools, { topic: TOPICS.raw, partition }, stretch)) {
      seen.batches++;
      seen.bytes += record.value?.length ?? 0;
      if (sessions(record)) seen.sessions++;
      if (wanted > 0) {
        sample.push(record);
        wanted--;
      }
      if (seen.batches % 1_000 === 0) tools.onProgress?.(seen.batches, total);
    }
    if (sample.length > 0) sampled.push(sample);
  }
  const reading = (performance.now() - readStart) / 1000;
  await tools.tables.catchUp();
  // The first time is slower than all that follow: code is still being compiled.
  await measure(request, tools, sampled);
  const sample = await measure(request, tools, sampled);
  const processing = (sample.seconds / Math.max(1, sample.batches)) * seen.batches;
  return {
    ...seen,
    warmUp: partitions.reduce((sum, { warmFrom, from }) => sum + from - warmFrom, 0),
    expired,
    sample,
    seconds: sample.batches === 0 ? null : reading + processing * WRITING,
    cores: availableParallelism(),
  };
}

async function* recordsOf(
  { logs, fetch }: Pick<ReplayTools, 'logs' | 'fetch'>,
  at: TopicPartition,
  { from, end }: ReplayPartition,
): AsyncGenerator<LogRecord> {
  let offset = from;
  while (offset < end) {
    const fetched = await logs.sanitizer.read({ ...at, offset, ...fetch, waitMs: 200, standIns: true });
    if (fetched.nextOffset === offset) return;
    for (const record of fetched.records) if (record.offset < end) yield record;
    offset = fetched.nextOffset;
  }
}

/** Says of each record of a partition whether it is the first of its session. Sessions are forgotten when their time is up. */
function countSessions(
  { policy }: ReplayRequest,
  { codec }: Pick<ReplayTools, 'codec'>,
): (record: LogRecord) => boolean {
  const horizon = horizonMs(policy);
  const open = new Map<string, number>();
  let forgetAt = 0;
  return ({ key, value, timestamp }) => {
    const envelope = value === null ? undefined : codec.openEnvelope(value);
    if (envelope?.ok !== true) return false;
    if (timestamp > forgetAt) {
      for (const [name, grantedAt] of open) if (timestamp - grantedAt > horizon) open.delete(name);
      forgetAt = timestamp + horizon;
    }
    const { grantedAt } = envelope.value;
    if (timestamp - grantedAt > horizon) return false;
    const name = sessionName({ key, ...envelope.value });
    if (open.has(name)) return false;
    open.set(name, grantedAt);
    return true;
  };
}

async function measure(
  { policy, vocabulary }: ReplayRequest,
  tools: Pick<ReplayTools, 'codec' | 'subjectKey' | 'tables' | 'sealed'>,
  sampled: readonly (readonly LogRecord[])[],
): Promise<Estimate['sample']> {
  const { keyring } = tools.tables;
  const unseal = createUnseal({ ...tools, keyring });
  const again = judgedAgain(tools.tables.consent);
  const prepared = preparePolicy(policy, vocabulary);
  let [batches, seconds] = [0, 0];
  for (const records of sampled) {
    const pipeline = createPipeline({ ...tools, policy, vocabulary, consent: again, keyring }, prepared);
    const start = performance.now();
    const ready = await unseal(records);
    for (const i of ready.keys()) await processWhenKnown(pipeline, ready, i, tools);
    seconds += (performance.now() - start) / 1000;
    batches += records.length;
  }
  return { batches, seconds };
}
