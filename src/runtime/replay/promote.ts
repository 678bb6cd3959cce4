import type { Codec } from '../../events/codec.ts';
import type { Zstd } from '../../events/zstd.ts';
import { UnknownTopicError, type EventLog, type LogRecord, type TopicPartition } from '../../log/event-log.ts';
import {
  progressMark,
  promoteReplay,
  readTable,
  type LiveFile,
  type Promotion,
  type RawStretch,
  type SinkRecord,
  type TableStore,
  type Verdict,
} from '../../sinks/index.ts';
import { RunError } from '../run-error.ts';
import { sinkRecord } from '../sink-runner.ts';
import { takenOf } from '../table-progress.ts';
import { GROUPS, TOPICS } from '../topics.ts';
import { endsOfWritten } from '../written.ts';
import { sourceOf } from './join.ts';
import { changeManifest, refuseAbandoned, type ReplayManifest } from './manifest.ts';
import { replayNames } from './names.ts';

export interface PromoteTools {
  readonly logs: { readonly sanitizer: EventLog; readonly sink: EventLog };
  readonly codec: Codec;
  readonly zstd: Zstd;
  readonly live: TableStore;
  readonly replay: TableStore;
  readonly now: () => number;
}

/**
 * Makes a finished replay's rows those that readers of the live table see of its stretch, in one commit. Live work may go on
 * meanwhile, but must have come beyond the stretch, or it would add the stretch's rows once more.
 *
 * @throws RunError when the replay, its table or live work is not that far; TableFormatError when a file's rows cannot be told apart.
 */
export async function promote(
  manifest: ReplayManifest,
  tools: PromoteTools,
): Promise<{ readonly manifest: ReplayManifest; readonly promotion: Promotion }> {
  const { name } = manifest;
  refuseAbandoned(manifest);
  if (manifest.state === 'running') {
    throw new RunError(`the replay ${name} is not done: go on with it by the command that started it`);
  }
  if (manifest.state === 'done') await refuseIfTableIsBehind(manifest, tools);
  await refuseIfLiveIsBehind(manifest, tools);
  const promotion = await promoteReplay({
    ...tools,
    name,
    stretch: stretchOf(manifest),
    judge: (file, keep) => judge(manifest, tools, file, keep),
  });
  const promoted = await changeManifest(tools.logs.sanitizer, name, async (current) =>
    current === undefined || current.state === 'promoted'
      ? undefined
      : { ...current, state: 'promoted', promoted: { version: promotion.version, at: tools.now() } },
  );
  return { manifest: promoted ?? manifest, promotion };
}

const stretchOf = ({ partitions }: ReplayManifest): RawStretch =>
  Object.fromEntries([...partitions.entries()].map(([partition, { from, end }]) => [partition, [from, end]]));

/** The table must have all that the replay has released, whatever its manifest says. */
async function refuseIfTableIsBehind({ name }: ReplayManifest, { logs, replay, zstd }: PromoteTools): Promise<void> {
  const { group, sanitized: topic } = replayNames(name).sink;
  const ends = await topicOr(
    () => endsOfWritten(logs.sink, topic),
    () => {
      throw new RunError(
        `the topic ${topic} is gone, so nothing says whether the replay's table has all that it released: run another replay`,
      );
    },
  );
  if (ends === undefined) {
    throw new RunError(`a transaction on ${topic} has not ended: run this again when it has`);
  }
  const begins = await logs.sink.beginOffsets(topic);
  const { marks, name: table } = await readTable({ store: replay, zstd });
  for (const [partition, end] of ends.entries()) {
    const at = { topic, partition };
    const next = (marks.get(progressMark(table, topic, partition)) ?? -1) + 1;
    if (!(await isBehind(logs.sink, { group, at, next, begin: begins[partition] ?? 0, end }))) continue;
    throw new RunError(
      `the table of the replay ${name} has not taken all from ${topic}/${partition}: go on with it by the command that started it`,
    );
  }
}

/** Whether there are, or were, records from `next` on. Offsets alone do not say: the ends of transactions have some too. */
async function isBehind(
  log: EventLog,
  of: {
    readonly group: string;
    readonly at: TopicPartition;
    readonly next: number;
    readonly begin: number;
    readonly end: number;
  },
): Promise<boolean> {
  const { group, at, next, begin, end } = of;
  if (next < begin) {
    const committed = await log.committed(group, at);
    if (committed === undefined || committed.offset < begin || takenOf(committed, 0) > next) return true;
  }
  for await (const record of recordsOf(log, at, next, end - 1)) return record.offset >= next;
  return false;
}

async function topicOr<T>(ask: () => Promise<T>, otherwise: () => T): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof UnknownTopicError) return otherwise();
    throw error;
  }
}

/** Nothing of the stretch may still be on its way into the live table. */
async function refuseIfLiveIsBehind(manifest: ReplayManifest, tools: PromoteTools): Promise<void> {
  const { sanitizer, sink } = tools.logs;
  for (const [partition, { from, end }] of manifest.partitions.entries()) {
    if (from === end) continue;
    const position = await sanitizer.committed(GROUPS.sanitize, { topic: TOPICS.raw, partition });
    if ((position?.offset ?? 0) < end) {
      throw new RunError(
        `live work has not come to the end of the stretch on ${TOPICS.raw}/${partition}: let \`redactory run\` do so first`,
      );
    }
  }
  // All that live work releases of the stretch lies below these ends.
  const ends = await endsOfWritten(sink, TOPICS.sanitized);
  if (ends === undefined) {
    throw new RunError(`live work has not ended what it wrote to ${TOPICS.sanitized}: run this again when it has`);
  }
  const { marks, name } = await readTable({ store: tools.live, zstd: tools.zstd });
  for (const [partition, end] of ends.entries()) {
    const at = { topic: TOPICS.sanitized, partition };
    const taken = marks.get(progressMark(name, at.topic, partition)) ?? -1;
    for await (const record of recordsOf(sink, at, taken + 1, end - 1)) {
      if (!isOf(stretchOf(manifest), record)) continue;
      throw new RunError(
        `the live table has not taken all of the stretch from ${at.topic}/${partition}: let \`redactory sink\` do so first`,
      );
    }
  }
}

const DAY_MS = 86_400_000;
/** A session's day is at most one before that of its batches; stamps of trusted machines may differ. */
const MARGIN_DAYS = 2;

async function judge(
  manifest: ReplayManifest,
  tools: PromoteTools,
  file: LiveFile,
  keep: (record: SinkRecord) => void,
): Promise<Verdict> {
  const topic = file.replay === null ? TOPICS.sanitized : replayNames(file.replay).sanitizer.sanitized;
  return await topicOr<Verdict>(
    () => judgeByRecords(manifest, tools, file, keep),
    () => ({ kind: 'unknown', why: `what their rows came of is gone: there is no topic ${topic}` }),
  );
}

/** Reads the records that a file's rows came of. */
async function judgeByRecords(
  manifest: ReplayManifest,
  { codec, logs }: PromoteTools,
  file: LiveFile,
  keep: (record: SinkRecord) => void,
): Promise<Verdict> {
  if (!isNear(manifest, file.date)) return { kind: 'outside' };
  if (file.sanitized === undefined || file.rows === undefined) {
    return {
      kind: 'unknown',
      why: 'a file there was written by another tool, or by a version that did not say of what',
    };
  }
  const topic = file.replay === null ? TOPICS.sanitized : replayNames(file.replay).sanitizer.sanitized;
  const stretch = stretchOf(manifest);
  let [inside, outside] = [0, 0];
  for (const [partition, [first, last]] of file.sanitized) {
    const begin = (await logs.sink.beginOffsets(topic))[partition] ?? 0;
    if (first < begin) return { kind: 'unknown', why: `what their rows came of has expired on ${topic}/${partition}` };
    const seen = new Map<number, number>();
    for await (const record of recordsOf(logs.sink, { topic, partition }, first, last)) {
      const found = sinkRecord(codec, record);
      if (isDouble(seen, found) || dateOf(found) !== file.date) continue;
      if (file.without.some((without) => isOf(without, record))) continue;
      const rows = found.batch.actions.length;
      if (isOf(stretch, record)) {
        inside += rows;
      } else {
        outside += rows;
        keep(found);
      }
    }
  }
  if (inside + outside !== file.rows + file.erased) {
    return { kind: 'unknown', why: `a file there holds other rows than ${topic} has for it` };
  }
  if (file.erased > 0 && inside > 0) {
    // Which records' rows were erased is not written down, and rows made again of all of them would bring those back.
    if (outside > 0) return { kind: 'unknown', why: 'rows were erased from a file there' };
    inside = file.rows;
  }
  return inside === 0 ? { kind: 'outside' } : { kind: outside === 0 ? 'inside' : 'mixed', inside, outside };
}

function isNear({ span }: ReplayManifest, date: string): boolean {
  if (span === null) return false;
  const day = Date.parse(date) / DAY_MS;
  return day >= Math.floor(span.first / DAY_MS) - MARGIN_DAYS && day <= Math.floor(span.last / DAY_MS) + MARGIN_DAYS;
}

const dateOf = ({ batch }: SinkRecord): string => new Date(batch.day * DAY_MS).toISOString().slice(0, 10);

/** As the sink tells doubles. */
function isDouble(seen: Map<number, number>, { source }: SinkRecord): boolean {
  if (source.offset <= (seen.get(source.partition) ?? -1)) return true;
  seen.set(source.partition, source.offset);
  return false;
}

/** Whether a sanitised record came of that stretch of raw. */
function isOf(stretch: RawStretch, record: LogRecord): boolean {
  const source = sourceOf(record);
  const wanted = source?.topic === TOPICS.raw ? stretch[source.partition] : undefined;
  return source !== undefined && wanted !== undefined && source.offset >= wanted[0] && source.offset < wanted[1];
}

/** Records from `first` to `last`, both included, that are still kept. */
async function* recordsOf(log: EventLog, at: TopicPartition, first: number, last: number): AsyncGenerator<LogRecord> {
  const begin = (await log.beginOffsets(at.topic))[at.partition] ?? 0;
  for (let offset = Math.max(first, begin); offset <= last;) {
    const fetched = await log.read({ ...at, offset, maxRecords: 2_000, maxBytes: 4 << 20, waitMs: 200 });
    if (fetched.nextOffset === offset) return;
    for (const record of fetched.records) if (record.offset <= last) yield record;
    offset = fetched.nextOffset;
  }
}
