/**
 * The chain of audit records: each holds the hash of the one before, so that none can be changed, removed or moved without the
 * rest telling of it. Pure: it knows no log.
 *
 * What is chained is found wrong by anybody who can read; that nobody has written all of it anew is told only by an anchor, a
 * hash that was kept elsewhere.
 */
import { createHash } from 'node:crypto';
import type { AuditRecord } from '../../events/control.ts';

/** What the first record has in place of the hash of the one before. */
export const BEFORE_FIRST = '0'.repeat(64);

/** The end of a chain: what the next record is chained to. */
export type Head = Pick<AuditRecord, 'sequence' | 'hash'>;

/** A record that has no place in the chain yet. */
export type Unchained = Omit<AuditRecord, 'sequence' | 'previous' | 'hash'>;

/**
 * What the next record is chained to where all records have left the log by their age. Its sequence is the log's next offset:
 * that is behind all of them, for a record's sequence is never above its offset. An anchor of one of them stays right.
 */
export function headAfterCut(end: number): Head {
  return { sequence: end - 1, hash: BEFORE_FIRST };
}

/** The record after `head`; null: the first one. */
export function appendTo(head: Head | null, entry: Unchained): AuditRecord {
  const sequence = head === null ? 0 : head.sequence + 1;
  const record = { ...entry, sequence, previous: head?.hash ?? BEFORE_FIRST };
  return { ...record, hash: hashOf(record) };
}

/** The hash that a record must have, as 64 hex digits. */
export function hashOf(record: Omit<AuditRecord, 'hash'>): string {
  const { sequence, previous, at, run, who, what, stage, why, about } = record;
  // An array of a fixed order leaves no doubt about where a field ends; the name in front is for other orders to come.
  const text = JSON.stringify(['redactory-audit-1', sequence, previous, at, run, who, what, stage, why, about]);
  return createHash('sha256').update(text).digest('hex');
}

/** What a log holds at one place. */
export interface Link {
  /** Of the log's record. */
  readonly key: string;
  /** Null: nothing that can be read. */
  readonly record: AuditRecord | null;
}

/** What was the end of the chain once, kept where nobody who writes to the log can change it. */
export interface Anchor extends Head {
  /** The record's own time, ms since the epoch. */
  readonly at: number;
}

export const FINDING_KINDS = ['altered', 'missing', 'reordered', 'doubled', 'forked', 'rewritten'] as const;

/** Something that is not as it was written. */
export interface Finding {
  /**
   * `altered`: a record does not have its own hash or key, or the next one was chained to another. `missing`: no record has
   * this sequence. `reordered`: it comes after a later one. `doubled`: it is there twice. `forked`: two different ones are.
   * `rewritten`: it is another than the one that was anchored, or claims to be the first of a log that held others before it.
   */
  readonly kind: (typeof FINDING_KINDS)[number];
  /** Null where not even that can be read. */
  readonly sequence: number | null;
  /** The last sequence that the finding is about, where it is about several. */
  readonly to: number | null;
  readonly text: string;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  /** Places of the log. */
  readonly records: number;
  /** The first and the last record, by sequence; null: there is none. */
  readonly first: number | null;
  readonly head: Anchor | null;
  /** Anchors whose record is there and the same. */
  readonly anchored: number;
  /** Anchors whose record has left the log, as old ones do. */
  readonly expired: number;
}

export interface VerifyOptions {
  readonly anchors?: readonly Anchor[];
  /** Whether the log has removed what it had at its start; then the chain may begin later than with 0. */
  readonly isCut?: boolean;
  /** What is younger must still be there, ms since the epoch. */
  readonly keptSince?: number;
}

/** Looks at all that a log holds, in its order. Nothing found says that the chain is whole from its first record on. */
export function verifyChain(links: readonly Link[], options: VerifyOptions = {}): Verdict {
  const { bySequence, findings } = placed(links);
  const sequences = [...bySequence.keys()].toSorted((a, b) => a - b);
  const isCut = options.isCut === true;
  findings.push(...gaps(sequences, isCut), ...broken(sequences, bySequence));
  const first = sequences[0] ?? null;
  // Whose records have all left goes on behind them: see `headAfterCut`.
  if (isCut && first === 0)
    findings.push(finding('rewritten', 0, 'it is no first record: the log held others before it'));
  const last = bySequence.get(sequences.at(-1) ?? -1)?.[0];
  const anchors = compared(options, bySequence, first, last?.sequence ?? -1);
  return {
    findings: [...findings, ...anchors.findings],
    records: links.length,
    first,
    head: last === undefined ? null : { sequence: last.sequence, hash: last.hash, at: last.at },
    anchored: anchors.anchored,
    expired: anchors.expired,
  };
}

type Placed = ReadonlyMap<number, readonly AuditRecord[]>;

/** Each record by itself, and its place among those before it in the log. */
function placed(links: readonly Link[]): { readonly bySequence: Placed; readonly findings: Finding[] } {
  const bySequence = new Map<number, AuditRecord[]>();
  const findings: Finding[] = [];
  let highest = -1;
  for (const { key, record } of links) {
    if (record === null) {
      findings.push(finding('altered', null, 'a record cannot be read'));
      continue;
    }
    const { sequence } = record;
    if (hashOf(record) !== record.hash) findings.push(finding('altered', sequence, 'its content has another hash'));
    if (key !== String(sequence)) findings.push(finding('altered', sequence, 'it has the key of another'));
    const same = bySequence.get(sequence);
    if (same === undefined) {
      if (sequence < highest) findings.push(finding('reordered', sequence, `it comes after ${highest}`));
      bySequence.set(sequence, [record]);
    } else {
      const isCopy = same.some(({ hash }) => hash === record.hash);
      findings.push(
        isCopy ? finding('doubled', sequence, 'it is there twice') : finding('forked', sequence, 'two claim its place'),
      );
      same.push(record);
    }
    highest = Math.max(highest, sequence);
  }
  return { bySequence, findings };
}

function gaps(sequences: readonly number[], isCut: boolean): Finding[] {
  const findings: Finding[] = [];
  // What a log removes by age it removes from its start.
  let expected = isCut ? (sequences[0] ?? 0) : 0;
  for (const sequence of sequences) {
    if (sequence > expected) findings.push(missing(expected, sequence - 1, 'gone'));
    expected = sequence + 1;
  }
  return findings;
}

/** Records that are not chained to the one before. */
function broken(sequences: readonly number[], bySequence: Placed): Finding[] {
  return sequences.flatMap((sequence) => {
    const before = sequence === 0 ? [{ hash: BEFORE_FIRST }] : bySequence.get(sequence - 1);
    // It is missing, and said to be.
    if (before === undefined) return [];
    const loose = (bySequence.get(sequence) ?? []).filter(({ previous }) =>
      before.every(({ hash }) => hash !== previous),
    );
    return loose.map(() => finding('altered', sequence, 'it was chained to another record than the one before it'));
  });
}

function compared(
  { anchors = [], keptSince = -Infinity }: VerifyOptions,
  bySequence: Placed,
  first: number | null,
  last: number,
): Pick<Verdict, 'anchored' | 'expired'> & { readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  let [anchored, expired] = [0, 0];
  for (const { sequence, hash, at } of anchors) {
    const found = bySequence.get(sequence);
    if (found?.some((record) => record.hash === hash) === true) anchored++;
    else if (found !== undefined) findings.push(finding('rewritten', sequence, 'it is not the one that was anchored'));
    else if (at < keptSince && (first === null || sequence < first)) expired++;
    else if (sequence > last) findings.push(missing(last + 1, sequence, 'gone from the end, which an anchor knows'));
    else findings.push(missing(sequence, sequence, 'gone before its time; an anchor knows it'));
  }
  return { findings, anchored, expired };
}

const finding = (kind: Finding['kind'], sequence: number | null, text: string): Finding => ({
  kind,
  sequence,
  to: null,
  text,
});

const missing = (from: number, to: number, text: string): Finding => ({
  kind: 'missing',
  sequence: from,
  to: to === from ? null : to,
  text,
});
