/**
 * The checker: whatever was done to the line, what it left must be what one pass over the raw topic gives. It knows
 * nothing of workers, transactions or groups; it compares records, rows and positions, and says where they differ.
 */
import type { Codec } from '../../src/events/codec.ts';
import type { QuarantineRecord } from '../../src/events/control.ts';
import type { LogRecord } from '../../src/log/event-log.ts';
import { tableDigest, type TableRow } from '../../src/sinks/index.ts';
import { placeOf, type Pass, type Released } from '../simulation/oracle.ts';
import { search, type Haystack, type Needle } from '../leak/needles.ts';

/** All that a run left behind, and what it should have left. */
export interface Evidence {
  readonly raw: readonly LogRecord[];
  readonly sanitized: readonly LogRecord[];
  readonly quarantine: readonly LogRecord[];
  /** One pass of the processors over {@link raw}, in the checker's own process. */
  readonly reference: Pass;
  readonly positions: readonly GroupPosition[];
  /** The table's rows, and how far it says to have read, by sanitised partition. */
  readonly rows: readonly TableRow[];
  readonly marks: ReadonlyMap<number, number>;
  readonly codec: Pick<Codec, 'decodeReleased' | 'decodeQuarantine'>;
  /** Personal texts that the producers planted, and all places where they may not come out. */
  readonly needles: readonly Needle[];
  readonly haystacks: readonly Haystack[];
}

export interface GroupPosition {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly begin: number;
  readonly end: number;
  readonly committed: number | undefined;
}

export interface Verdict {
  /** What is wrong, one sentence each; nothing if all is well. */
  readonly problems: readonly string[];
  /** What was counted and compared, in the order of the report. */
  readonly counts: Readonly<Record<string, number | string>>;
}

export async function check(evidence: Evidence): Promise<Verdict> {
  const { raw, sanitized, quarantine, reference, rows, positions, codec, needles, haystacks } = evidence;
  const table = await digestOf(rows);
  const wanted = await digestOf(reference.rows);
  const leaks = search(haystacks, needles);
  const problems = [
    ...checkSources(sanitized, reference.released),
    ...checkBytes(sanitized, reference.released),
    ...checkOrder(sanitized),
    ...checkSteps(sanitized, codec),
    ...checkQuarantine(quarantine, reference.quarantined, codec),
    ...checkPositions(positions),
    ...checkMarks(sanitized, evidence.marks),
    ...checkRows(rows, reference.rows),
    ...(table.digest === wanted.digest ? [] : [`the table's digest is ${table.digest}, not ${wanted.digest}`]),
    ...checkBalance(reference),
    ...leaks.map((leak) => `leaked: ${leak}`),
  ];
  return {
    problems,
    counts: {
      'raw batches': raw.length,
      'raw events': reference.counts['read'] ?? 0,
      'batches released once, byte for byte': sanitized.length,
      'batches quarantined once': quarantine.length,
      'sessions in order, without a gap': new Set(sanitized.map(({ key }) => key)).size,
      'table rows': rows.length,
      'table digest': table.digest,
      'positions at their ends': positions.length,
      'events released': reference.counts['released'] ?? 0,
      'events dropped': droppedOf(reference),
      'events quarantined': reference.counts['quarantined'] ?? 0,
      'events pending': reference.pending,
      'personal texts looked for': needles.length,
      'places searched for them': haystacks.length,
      problems: problems.length,
    },
  };
}

/** The verdict as it is printed. */
export function reportOf(title: string, { counts, problems }: Verdict): string {
  const lines = Object.entries(counts).map(([name, n]) => `  ${name.padEnd(38)} ${amount(n)}`);
  return [title, ...lines, ...problems.slice(0, SHOWN).map((problem) => `  ! ${problem}`)].join('\n');
}

const amount = (n: number | string): string => (typeof n === 'number' ? n.toLocaleString('en') : n);
/** Problems named in a message; where there are more, these say enough. */
const SHOWN = 20;

/** @throws Error that lists what is wrong. */
export function mustBeSound(title: string, verdict: Verdict): void {
  if (verdict.problems.length > 0) throw new Error(reportOf(title, verdict));
}

/** Every raw batch that must give output gives one record, by its source headers; no other does. */
function checkSources(sanitized: readonly LogRecord[], wanted: readonly Released[]): string[] {
  const problems: string[] = [];
  const seen = new Map<string, LogRecord>();
  for (const record of sanitized) {
    if (Object.keys(record.headers).length !== 3) problems.push(`${placeOf(record)} has other headers than its source`);
    const source = sourceOf(record);
    const before = seen.get(source);
    if (before !== undefined) problems.push(`doubled: ${source} is in ${placeOf(before)} and in ${placeOf(record)}`);
    seen.set(source, record);
  }
  const expected = new Set(wanted.map(({ source }) => source));
  for (const source of expected) if (!seen.has(source)) problems.push(`lost: nothing was released of ${source}`);
  for (const [source, record] of seen) {
    if (!expected.has(source)) problems.push(`not to be released: ${source}, in ${placeOf(record)}`);
  }
  return problems;
}

function checkBytes(sanitized: readonly LogRecord[], wanted: readonly Released[]): string[] {
  const expected = new Map(wanted.map((one) => [one.source, one]));
  return sanitized.flatMap((record) => {
    const want = expected.get(sourceOf(record));
    if (want === undefined) return [];
    const got = {
      partition: record.partition,
      key: record.key,
      value: Buffer.from(record.value ?? []).toString('hex'),
      timestamp: record.timestamp,
    };
    const wrong = (['partition', 'key', 'value', 'timestamp'] as const).filter((field) => got[field] !== want[field]);
    return wrong.length === 0 ? [] : [`altered: ${placeOf(record)} has another ${wrong.join(', ')}`];
  });
}

/** On each sanitised partition, the source offsets of each raw partition rise. */
function checkOrder(sanitized: readonly LogRecord[]): string[] {
  const last = new Map<string, number>();
  return inLogOrder(sanitized).flatMap((record) => {
    const { 'source-topic': topic, 'source-partition': partition, 'source-offset': offset } = record.headers;
    const stream = `${record.topic}/${record.partition} from ${topic}/${partition}`;
    const before = last.get(stream) ?? -1;
    last.set(stream, Number(offset));
    return Number(offset) > before ? [] : [`out of order: ${stream}: ${offset} comes after ${before}`];
  });
}

/** The steps of a session are 0, 1, 2 and so on, over all of its records in the order of the log. */
function checkSteps(sanitized: readonly LogRecord[], codec: Evidence['codec']): string[] {
  const next = new Map<string, number>();
  const problems: string[] = [];
  for (const record of inLogOrder(sanitized)) {
    const { session, actions } = codec.decodeReleased(record.value ?? new Uint8Array());
    for (const { step } of actions) {
      const due = next.get(session) ?? 0;
      if (step !== due) problems.push(`a gap in a session: ${placeOf(record)} has step ${step} where ${due} was due`);
      next.set(session, step + 1);
    }
  }
  return problems;
}

/** Every raw batch that cannot be processed gives one record with its reason; no other does. */
function checkQuarantine(
  quarantine: readonly LogRecord[],
  wanted: readonly string[],
  codec: Evidence['codec'],
): string[] {
  const got = tally(quarantine.map(({ value }) => entryOf(codec.decodeQuarantine(value ?? new Uint8Array()))));
  const want = tally(wanted);
  return differences(got, want).map(([entry, has, due]) => `quarantined ${has} times, not ${due}: ${entry}`);
}

const entryOf = (entry: QuarantineRecord): string => `${placeOf(entry)} ${entry.reason}`;

function checkPositions(positions: readonly GroupPosition[]): string[] {
  return positions.flatMap(({ group, topic, partition, begin, end, committed }) =>
    committed === end || (end === begin && committed === undefined)
      ? []
      : [`${group} has committed ${committed ?? 'nothing'} of ${topic}/${partition}, whose end is ${end}`],
  );
}

function checkMarks(sanitized: readonly LogRecord[], marks: Evidence['marks']): string[] {
  const last = new Map<number, number>();
  for (const { partition, offset } of sanitized) last.set(partition, Math.max(offset, last.get(partition) ?? -1));
  return [...last].flatMap(([partition, offset]) =>
    marks.get(partition) === offset
      ? []
      : [`the table has taken sanitised partition ${partition} up to ${marks.get(partition)}, not ${offset}`],
  );
}

/** By session and step, so that a difference can be named without a value. */
function checkRows(rows: readonly TableRow[], wanted: readonly TableRow[]): string[] {
  const stepOf = ({ session, step }: TableRow): string => `${session}/${step}`;
  return differences(tally(rows.map(stepOf)), tally(wanted.map(stepOf))).map(
    ([step, has, due]) => `the table has step ${step} ${has} times, not ${due}`,
  );
}

function tally(all: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of all) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
}

type Tally = ReadonlyMap<string, number>;

const differences = (got: Tally, want: Tally): (readonly [name: string, has: number, due: number])[] =>
  [...new Set([...got.keys(), ...want.keys()])]
    .map((name) => [name, got.get(name) ?? 0, want.get(name) ?? 0] as const)
    .filter(([, has, due]) => has !== due);

/** Conservation: what was read is released, dropped, quarantined or still held back by an open session. */
function checkBalance(reference: Pass): string[] {
  const { read = 0, released = 0, quarantined = 0 } = reference.counts;
  const sum = released + quarantined + droppedOf(reference) + reference.pending;
  return sum === read ? [] : [`${read} events were read, and ${sum} are accounted for`];
}

const droppedOf = ({ counts }: Pass): number =>
  Object.entries(counts).reduce((sum, [name, n]) => (KEPT.has(name) ? sum : sum + n), 0);
const KEPT: ReadonlySet<string> = new Set(['read', 'released', 'quarantined']);

export const sourceOf = ({ headers }: LogRecord): string =>
  `${headers['source-topic']}/${headers['source-partition']}/${headers['source-offset']}`;

const inLogOrder = (records: readonly LogRecord[]): LogRecord[] =>
  [...records].sort((a, b) => a.partition - b.partition || a.offset - b.offset);

function digestOf(rows: readonly TableRow[]): Promise<{ rows: number; digest: string }> {
  return tableDigest({
    async *batches() {
      yield rows;
    },
  });
}
