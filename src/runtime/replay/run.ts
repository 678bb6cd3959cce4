import type { Config } from '../../config.ts';
import type { Codec } from '../../events/codec.ts';
import type { Zstd } from '../../events/zstd.ts';
import { OffsetOutOfRangeError, type EventLog } from '../../log/event-log.ts';
import type { ConsentTimeline } from '../../privacy/consent.ts';
import type { Policy } from '../../privacy/policy.ts';
import type { Vocabulary } from '../../privacy/vocabulary.ts';
import { openTrainingTable, type TableStore } from '../../sinks/index.ts';
import type { ControlTables } from '../control-tables.ts';
import type { Delay } from '../partition-group.ts';
import { RunError } from '../run-error.ts';
import { runSanitizer, type FetchSize } from '../sanitizer.ts';
import { refuseIfLost, runSink } from '../sink-runner.ts';
import type { Telemetry } from '../telemetry.ts';
import { TOPICS } from '../topics.ts';
import type { RawSealing } from '../unseal.ts';
import { endsOfWritten } from '../written.ts';
import { abandonReplay } from './abandon.ts';
import { createLedgers, readCounts, type ReplayCounts } from './ledger.ts';
import { changeManifest, readManifest, refuseAbandoned, type ReplayManifest } from './manifest.ts';
import { REPLAYS_SPEC, replayNames, replayTopics } from './names.ts';
import { fixStretch, horizonMs, type Asked } from './stretch.ts';

/** The log as the parts of the line see it: on a cluster, each signed in as itself. */
export interface ReplayLogs {
  /** Makes topics. */
  readonly operator: EventLog;
  readonly sanitizer: EventLog;
  readonly sink: EventLog;
}

/** What a replay is about. */
export interface ReplayRequest {
  readonly name: string;
  readonly asked: Asked;
  readonly policy: Policy;
  readonly vocabulary: Vocabulary;
  /** Where its table goes. */
  readonly table: string;
  /** Goes on although a part of the stretch has expired. */
  readonly allowExpired: boolean;
}

export interface ReplayTools {
  readonly logs: ReplayLogs;
  readonly codec: Codec;
  readonly zstd: Zstd;
  readonly subjectKey: (subject: string) => string;
  readonly tables: ControlTables;
  /** Whether raw batches must be sealed. */
  readonly sealed: RawSealing;
  readonly telemetry: Telemetry;
  readonly fetch: FetchSize;
  readonly sink: Config['sink'];
  readonly topics: Pick<Config['topics'], 'retentionDays'>;
  readonly now: () => number;
  /** The replay's table, to write into. */
  readonly openStore: () => Promise<TableStore>;
  readonly onProgress?: (done: number, total: number) => void;
  /** How to wait before work on a partition starts again; by default, in real time. */
  readonly delay?: Delay;
}

/**
 * Fixes what the replay is about, or finds that it is fixed already: then it must be the same.
 *
 * @throws RunError when another replay has that name, or raw of the stretch has expired and that is not allowed.
 */
export async function startReplay(request: ReplayRequest, tools: ReplayTools): Promise<ReplayManifest> {
  const { name } = request;
  const { logs } = tools;
  replayNames(name);
  await logs.operator.createTopics([REPLAYS_SPEC]);
  const changed = await changeManifest(logs.sanitizer, name, async (current) => {
    if (current !== undefined) {
      refuseAbandoned(current);
      refuseOther(request, current);
      return undefined;
    }
    return await newManifest(request, tools);
  });
  // There is one by now: this process has just made it or found it.
  const manifest = changed ?? (await readManifest(logs.sanitizer, name));
  // The live topic may have been given more partitions since.
  const partitions = manifest.sanitizedPartitions ?? (await logs.sink.partitions(TOPICS.sanitized));
  const age = Math.max(0, manifest.startedAt - (manifest.span?.first ?? manifest.startedAt));
  await logs.operator.createTopics(replayTopics(name, { ...tools.topics, partitions }, age));
  return manifest;
}

async function newManifest(request: ReplayRequest, tools: ReplayTools): Promise<ReplayManifest> {
  const { name, asked, policy, vocabulary, table } = request;
  const fixed = await fixStretch(tools.logs.sanitizer, asked, policy);
  if (fixed.expired > 0 && !request.allowExpired) throw new RunError(expiredMessage(fixed.expired));
  return {
    v: 1,
    name,
    policy: policy.digest,
    vocabulary: vocabulary.digest,
    ...asked,
    ...fixed,
    sanitizedPartitions: await tools.logs.sink.partitions(TOPICS.sanitized),
    startedAt: tools.now(),
    state: 'running',
    finishedAt: null,
    table,
    promoted: null,
  };
}

/** What to say of raw that is not there any more. */
export const expiredMessage = (offsets: number): string =>
  `raw of this stretch has expired: up to ${offsets.toLocaleString('en')} batches are gone. ` +
  'Give a later --from, or --allow-expired to replay what is left; sessions that have lost their beginning keep no free text';

function refuseOther(request: ReplayRequest, current: ReplayManifest): void {
  const { name, asked, policy, table } = request;
  const others = [
    policy.digest === current.policy ? [] : ['policy'],
    asked.from === current.from ? [] : ['--from'],
    asked.to === current.to ? [] : ['--to'],
    table === current.table ? [] : ['table'],
  ].flat();
  if (others.length === 0) return;
  throw new RunError(
    `there is a replay named ${name} already, with another ${others.join(', another ')}: ` +
      `give the same again to go on with it (\`redactory replay show ${name}\`), or another name`,
  );
}

/** What a replay has done when it is done: by all processes that took part, over all its starts. */
export interface Replayed {
  readonly manifest: ReplayManifest;
  readonly counts: ReplayCounts;
}

/**
 * Works on a replay, with whoever else does, until its stretch is in its table or `signal` aborts. Killed or stopped, the
 * next one goes on from what is committed. Live work is not touched: topics, groups, transactions and table are its own.
 *
 * @throws RunError when raw that it still needs has expired: then it is abandoned, as nobody can finish it. ReplayEndedError
 * when somebody has abandoned it; and what the sanitizer and the sink throw.
 */
export async function workOnReplay(
  request: ReplayRequest,
  manifest: ReplayManifest,
  tools: ReplayTools,
  until: { readonly signal: AbortSignal; readonly maxRestarts?: number },
): Promise<Replayed> {
  const { logs } = tools;
  try {
    await sanitizeStretch(request, manifest, tools, until);
    if (!until.signal.aborted) await sinkStretch(manifest, tools, until);
  } catch (error) {
    if (!(error instanceof OffsetOutOfRangeError)) throw error;
    throw new RunError(
      `${error.message}\nThe replay ${manifest.name} still needed this and cannot be finished. ${await giveUp(manifest, tools)}: ` +
        'start another under a new name, with a later --from or a longer retention',
    );
  }
  const finished = until.signal.aborted
    ? manifest
    : await changeManifest(logs.sanitizer, manifest.name, async (current) =>
        current?.state === 'running' ? { ...current, state: 'done', finishedAt: tools.now() } : undefined,
      );
  if (finished !== undefined) refuseAbandoned(finished);
  return { manifest: finished ?? manifest, counts: await readCounts(logs.sanitizer, manifest) };
}

/** Left as running it would hold up every erasure. @returns what became of it. */
async function giveUp({ name }: ReplayManifest, tools: ReplayTools): Promise<string> {
  try {
    await abandonReplay(name, tools);
    return 'It is abandoned';
  } catch {
    return `\`redactory replay abandon ${name}\` ends it, so that erasures need not wait for it`;
  }
}

/** Consent as a replay asks for it: as of the capture and as of today. */
export function judgedAgain(consent: ConsentTimeline): Pick<ConsentTimeline, 'judge'> {
  return { judge: (key, grantedAt, receivedAt) => consent.judgeAgain(key, grantedAt, receivedAt) };
}

async function sanitizeStretch(
  { policy, vocabulary }: ReplayRequest,
  manifest: ReplayManifest,
  tools: ReplayTools,
  until: { readonly signal: AbortSignal; readonly maxRestarts?: number },
): Promise<void> {
  const log = tools.logs.sanitizer;
  const { codec, tables } = tools;
  const ledgers = createLedgers({ log, codec, manifest, horizonMs: horizonMs(policy) });
  await runSanitizer(
    {
      ...tools,
      log,
      policy,
      vocabulary,
      // What a person has decided since counts as well.
      tables: { ...tables, consent: judgedAgain(tables.consent) },
      route: replayNames(manifest.name).sanitizer,
      stretches: manifest.partitions,
      ledger: async (at, carried) => {
        // Whoever abandons it says so before the id is taken over, which this process has taken by now.
        refuseAbandoned(await readManifest(log, manifest.name));
        return await ledgers(at, carried);
      },
    },
    { end: true, ...until },
  );
}

async function sinkStretch(
  manifest: ReplayManifest,
  tools: ReplayTools,
  until: { readonly signal: AbortSignal; readonly maxRestarts?: number },
): Promise<void> {
  const route = replayNames(manifest.name).sink;
  // All positions are seen by now, but perhaps not yet all records that were released with them.
  const ends = await endsOfWritten(tools.logs.sink, route.sanitized);
  if (ends === undefined) {
    throw new RunError(
      `a transaction on ${route.sanitized} does not end, so that not all that the replay ${manifest.name} released can be read: ` +
        'give the same command again',
    );
  }
  const store = await tools.openStore();
  await refuseIfLost({ log: tools.logs.sink, store }, route);
  const sink = await openTrainingTable({
    store,
    topic: route.sanitized,
    flushRows: tools.sink.flushRows,
    now: tools.now,
    zstd: tools.zstd,
    onCommit: ({ rows, bytes }) => tools.telemetry.tableCommitted(rows, bytes),
  });
  try {
    await runSink(
      { ...tools, log: tools.logs.sink, sink, flushSeconds: tools.sink.flushSeconds, route },
      { end: true, ends, ...until },
    );
  } finally {
    await sink.close();
  }
}
