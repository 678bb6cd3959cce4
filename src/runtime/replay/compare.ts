import type { Codec } from '../../events/codec.ts';
import type { EventLog, LogRecord, TopicPartition } from '../../log/event-log.ts';
import { partitionOf } from '../../log/partitioner.ts';
import type { ReleasedBatch } from '../../events/released.ts';
import { COLUMNS, createRowDigest, type RowDigest, type TableRow } from '../../sinks/index.ts';
import { RunError } from '../run-error.ts';
import { sinkRecord } from '../sink-runner.ts';
import { GROUPS, TOPICS } from '../topics.ts';
import { joinBySource, type Pair } from './join.ts';
import { refuseAbandoned, type ReplayManifest } from './manifest.ts';
import { replayNames } from './names.ts';
import { timeOf } from './stretch.ts';

/** What was released of the stretch, live or by the replay. */
export interface Released {
  readonly rows: number;
  readonly batches: number;
  readonly sessions: number;
  /** As `tableDigest` of a table with just these rows. */
  readonly digest: string;
}

/** A replay beside the live output of the same stretch. `dropped`: live has it, the replay not; `kept`: the other way. */
export interface Comparison {
  readonly live: Released;
  readonly replay: Released;
  /** Equal in all columns but `policy`, or changed in some; rows of one batch are matched by what was done. */
  readonly rows: Tally;
  /** How many of the changed rows differ in each column. */
  readonly columns: Readonly<Partial<Record<keyof TableRow, number>>>;
  readonly batches: Tally;
  /** Digests of the policies under which live released, at most ten. */
  readonly livePolicies: readonly string[];
  /** Raw batches of the stretch that live has still to process. */
  readonly liveBehind: number;
  /** Live output of the stretch may have expired: the comparison is over what is there. */
  readonly liveExpired: boolean;
}

export interface Tally {
  equal: number;
  changed: number;
  dropped: number;
  kept: number;
}

export interface CompareOptions {
  /** Reads both sanitised topics. */
  readonly log: EventLog;
  /** Knows the live group's positions on raw. */
  readonly rawLog: EventLog;
  readonly codec: Codec;
  readonly manifest: ReplayManifest;
  /** Bytes of records that may wait for their other side; default 64 MiB. */
  readonly maxBytes?: number;
  readonly onProgress?: (done: number, total: number) => void;
}

const DAY_MS = 86_400_000;

/** The two sides hold the same sessions on different partitions, so what came of one raw record is not found together. */
export class NotComparableError extends RunError {
  override name = 'NotComparableError';
}

/** Compares by source coordinates, batch by batch, in bounded memory. @throws NotComparableError, ForeignRecordError */
export async function compareReplay(options: CompareOptions): Promise<Comparison> {
  const { log, manifest } = options;
  refuseAbandoned(manifest);
  const topics = { live: TOPICS.sanitized, replay: replayNames(manifest.name).sanitizer.sanitized };
  const ends = { live: await log.endOffsets(topics.live), replay: await log.endOffsets(topics.replay) };
  const begins = { live: await log.beginOffsets(topics.live), replay: await log.beginOffsets(topics.replay) };
  const count = ends.replay.length;
  if (ends.live.length !== count)
    throw notComparable(manifest, `${topics.live} has ${ends.live.length} partitions now`);
  const wanted = new Map([...manifest.partitions.entries()].filter(([, { from, end }]) => from < end));
  const sum = new Difference(options.codec);
  let liveExpired = false;
  for (const partition of ends.replay.keys()) {
    const liveEnd = ends.live[partition] ?? 0;
    const at = { topic: topics.live, partition };
    const start = await liveStart(log, at, begins.live[partition] ?? 0, liveEnd, manifest);
    liveExpired ||= start.expired;
    const ranges = {
      live: { from: start.offset, end: liveEnd },
      replay: { from: begins.replay[partition] ?? 0, end: ends.replay[partition] ?? 0 },
    };
    const parts = new Map<number, Difference>();
    const partOf = (raw: number): Difference => {
      const part = parts.get(raw) ?? new Difference(options.codec);
      parts.set(raw, part);
      return part;
    };
    await joinBySource(
      { log, partition, topics, ranges, rawTopic: TOPICS.raw, wanted, maxBytes: options.maxBytes ?? 64 << 20 },
      {
        pair: (pair) => {
          for (const { topic, key } of [pair.live, pair.replay].filter((record) => record !== null)) {
            if (partitionOf(key, count) === partition) continue;
            throw notComparable(manifest, `${topic} has records from before it was given ${count} partitions`);
          }
          partOf(pair.rawPartition).take(pair);
        },
        putOff: (raw) => parts.delete(raw),
      },
    );
    for (const part of parts.values()) sum.add(part);
    options.onProgress?.(partition + 1, ends.replay.length);
  }
  return { ...sum.result(), liveBehind: await liveBehind(options), liveExpired };
}

const notComparable = ({ name }: ReplayManifest, why: string): NotComparableError =>
  new NotComparableError(`the replay ${name} cannot be compared: ${why}, so its sessions are on others`);

/** Where live records of the stretch can begin: their timestamps are their sessions' days. */
async function liveStart(
  log: EventLog,
  at: TopicPartition,
  begin: number,
  end: number,
  { span }: ReplayManifest,
): Promise<{ readonly offset: number; readonly expired: boolean }> {
  if (span === null) return { offset: end, expired: false };
  const day = Math.floor(span.first / DAY_MS) * DAY_MS;
  // A session may have been granted on the day before.
  const offset = Math.max(begin, await log.offsetForTime(at, Math.max(0, day - DAY_MS)));
  if (begin === 0) return { offset, expired: false };
  const first = await timeOf(log, at, begin, end);
  return { offset, expired: first === null || first > day };
}

async function liveBehind({ rawLog, manifest }: CompareOptions): Promise<number> {
  let behind = 0;
  for (const [partition, { from, end }] of manifest.partitions.entries()) {
    const position = await rawLog.committed(GROUPS.sanitize, { topic: TOPICS.raw, partition });
    behind += Math.max(0, end - Math.max(from, position?.offset ?? 0));
  }
  return behind;
}

/** Columns that are compared: the policy's digest differs wherever the policy does. */
const COMPARED = COLUMNS.map(({ name }) => name).filter((name) => name !== 'policy');
const MAX_POLICIES = 10;

class Difference {
  readonly #codec: Codec;
  readonly #live = new Gathered();
  readonly #replay = new Gathered();
  readonly #rows: Tally = { equal: 0, changed: 0, dropped: 0, kept: 0 };
  readonly #batches: Tally = { equal: 0, changed: 0, dropped: 0, kept: 0 };
  readonly #columns = new Map<keyof TableRow, number>();
  readonly #policies = new Set<string>();

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  take(pair: Pair): void {
    const live = this.#rowsOf(pair.live, this.#live);
    const replay = this.#rowsOf(pair.replay, this.#replay);
    const policy = live[0]?.policy;
    if (policy !== undefined && this.#policies.size < MAX_POLICIES) this.#policies.add(policy);
    const before = this.#rows.equal;
    for (const [one, other] of aligned(live, replay)) this.#count(one, other);
    const isEqual = this.#rows.equal - before === Math.max(live.length, replay.length);
    if (pair.live === null) this.#batches.kept++;
    else if (pair.replay === null) this.#batches.dropped++;
    else if (isEqual) this.#batches.equal++;
    else this.#batches.changed++;
  }

  #rowsOf(record: LogRecord | null, into: Gathered): readonly TableRow[] {
    if (record === null) return [];
    const rows = tableRows(sinkRecord(this.#codec, record).batch);
    into.take(record.key, rows);
    return rows;
  }

  #count(live: TableRow | undefined, replay: TableRow | undefined): void {
    if (replay === undefined) this.#rows.dropped++;
    else if (live === undefined) this.#rows.kept++;
    else {
      const changed = COMPARED.filter((name) => live[name] !== replay[name]);
      if (changed.length === 0) this.#rows.equal++;
      else this.#rows.changed++;
      for (const name of changed) this.#columns.set(name, (this.#columns.get(name) ?? 0) + 1);
    }
  }

  add(other: Difference): void {
    this.#live.add(other.#live);
    this.#replay.add(other.#replay);
    addTally(this.#rows, other.#rows);
    addTally(this.#batches, other.#batches);
    for (const [name, n] of other.#columns) this.#columns.set(name, (this.#columns.get(name) ?? 0) + n);
    for (const policy of other.#policies) if (this.#policies.size < MAX_POLICIES) this.#policies.add(policy);
  }

  result(): Omit<Comparison, 'liveBehind' | 'liveExpired'> {
    const byCount = [...this.#columns].toSorted(([, a], [, b]) => b - a);
    return {
      live: this.#live.result(),
      replay: this.#replay.result(),
      rows: this.#rows,
      columns: Object.fromEntries(byCount),
      batches: this.#batches,
      livePolicies: [...this.#policies].toSorted(),
    };
  }
}

function addTally(sum: Tally, other: Tally): void {
  for (const name of ['equal', 'changed', 'dropped', 'kept'] as const) sum[name] += other[name];
}

/** What one side released. */
class Gathered {
  readonly #digest: RowDigest = createRowDigest();
  /** Of one raw partition on one sanitised partition: a session is on no other. */
  readonly #sessions = new Set<string>();
  #sessionCount = 0;
  #batches = 0;

  take(session: string, rows: readonly TableRow[]): void {
    this.#batches++;
    this.#sessions.add(session);
    for (const row of rows) this.#digest.add(row);
  }

  add(other: Gathered): void {
    this.#digest.merge(other.#digest);
    this.#sessionCount += other.#sessions.size + other.#sessionCount;
    this.#batches += other.#batches;
  }

  result(): Released {
    const { rows, digest } = this.#digest.result();
    return { rows, batches: this.#batches, sessions: this.#sessionCount + this.#sessions.size, digest };
  }
}

/** A batch as rows of the table. */
export function tableRows({ actions, day, session, subject, policy, schema }: ReleasedBatch): TableRow[] {
  const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
  return actions.map((action) => ({ date, session, subject, policy, schema, ...action }));
}

const MAX_CELLS = 4_000_000;

/** Rows of one batch side by side: the longest common run of actions is matched, the rest stands alone. */
function aligned(
  live: readonly TableRow[],
  replay: readonly TableRow[],
): [TableRow | undefined, TableRow | undefined][] {
  const isSame = live.length === replay.length && live.every((row, i) => row.action === replay[i]?.action);
  if (isSame) return live.map((row, i) => [row, replay[i]]);
  // Nobody acts so much in a few seconds; a batch that says so is compared row by row as they stand.
  if (live.length * replay.length > MAX_CELLS) {
    return Array.from({ length: Math.max(live.length, replay.length) }, (_, i) => [live[i], replay[i]]);
  }
  const width = replay.length + 1;
  /** `lengths[i * width + j]`: the longest common subsequence of what follows `i` and `j`. */
  const lengths = new Int32Array((live.length + 1) * width);
  for (let i = live.length - 1; i >= 0; i--) {
    for (let j = replay.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        live[i]?.action === replay[j]?.action
          ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);
    }
  }
  const pairs: [TableRow | undefined, TableRow | undefined][] = [];
  let [i, j] = [0, 0];
  while (i < live.length || j < replay.length) {
    if (i < live.length && j < replay.length && live[i]?.action === replay[j]?.action)
      pairs.push([live[i++], replay[j++]]);
    else if (j >= replay.length || (lengths[(i + 1) * width + j] ?? -1) >= (lengths[i * width + j + 1] ?? -1))
      pairs.push(i < live.length ? [live[i++], undefined] : [undefined, replay[j++]]);
    else pairs.push([undefined, replay[j++]]);
  }
  return pairs;
}
