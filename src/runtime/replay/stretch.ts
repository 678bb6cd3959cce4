import type { EventLog, TopicPartition } from '../../log/event-log.ts';
import type { Policy } from '../../privacy/policy.ts';
import { TOPICS } from '../topics.ts';
import type { ReplayManifest, ReplayPartition } from './manifest.ts';

/** The stretch of raw that was asked for: times of reception, ms since the epoch; null for all that there is. */
export interface Asked {
  readonly from: number | null;
  readonly to: number | null;
}

export type FixedStretch = Pick<ReplayManifest, 'partitions' | 'span' | 'expired'>;

/** Turns times into offsets, as the log is now. */
export async function fixStretch(log: EventLog, asked: Asked, policy: Policy): Promise<FixedStretch> {
  const begins = await log.beginOffsets(TOPICS.raw);
  const ends = await log.endOffsets(TOPICS.raw);
  const fixed = await Promise.all(
    ends.map((end, partition) =>
      fixPartition(log, { topic: TOPICS.raw, partition }, { begin: begins[partition] ?? 0, end }, asked, policy),
    ),
  );
  const firsts = fixed.flatMap(({ first }) => (first === null ? [] : [first]));
  const lasts = fixed.flatMap(({ last }) => (last === null ? [] : [last]));
  const span =
    firsts.length === 0
      ? null
      : { first: asked.from ?? Math.min(...firsts), last: asked.to ?? Math.max(...firsts, ...lasts) };
  return {
    partitions: fixed.map(({ at }) => at),
    span,
    expired: fixed.reduce((sum, { expired }) => sum + expired, 0),
  };
}

interface Fixed {
  readonly at: ReplayPartition;
  /** Timestamps of the stretch's first and last record (ms); null where there is none. */
  readonly first: number | null;
  readonly last: number | null;
  readonly expired: number;
}

async function fixPartition(
  log: EventLog,
  at: TopicPartition,
  kept: { readonly begin: number; readonly end: number },
  asked: Asked,
  policy: Policy,
): Promise<Fixed> {
  const { begin, end: last } = kept;
  const within = (offset: number): number => Math.min(Math.max(offset, begin), last);
  const from = asked.from === null ? begin : within(await log.offsetForTime(at, asked.from));
  const end = Math.max(from, asked.to === null ? last : within(await log.offsetForTime(at, asked.to)));
  const firstKept = begin < last ? await timeOf(log, at, begin, last) : null;
  // With time asked for that is older than all that is kept, what is gone may have been of the stretch.
  const reachesBack = asked.from !== null && (firstKept === null || asked.from < firstKept);
  const toReachesBack = asked.to !== null && firstKept !== null && asked.to <= firstKept;
  return {
    at: { begin, warmFrom: await warmFromOf(log, at, begin, from, asked.from, policy), from, end },
    first: from < end ? await timeOf(log, at, from, last) : null,
    last: from < end ? await timeOf(log, at, end - 1, last) : null,
    expired: reachesBack || toReachesBack ? begin : 0,
  };
}

const MINUTE_MS = 60_000;

/** How long a session's batches may come after its grant, clocks of trusted machines that differ included. */
export function horizonMs({ session, consent }: Policy): number {
  return (session.maxMinutes + session.latenessMinutes) * MINUTE_MS + consent.guardSeconds * 1_000;
}

/**
 * Where to begin to read so that at `from` every session is known that is still remembered there. What a partition
 * remembers hangs on its own time, which stands still where nothing arrives: so it is the last record before `from` that
 * counts, however long before it came.
 */
async function warmFromOf(
  log: EventLog,
  at: TopicPartition,
  begin: number,
  from: number,
  fromTime: number | null,
  policy: Policy,
): Promise<number> {
  if (from <= begin) return from;
  const before = await timeOf(log, at, from - 1, from);
  const reached = Math.min(before ?? Infinity, fromTime ?? Infinity);
  if (reached === Infinity) return begin;
  const offset = await log.offsetForTime(at, Math.max(0, reached - horizonMs(policy)));
  return Math.min(Math.max(offset, begin), from);
}

/** The timestamp (ms) of the first record at or after `offset`, or null when there is none below `end`. */
export async function timeOf(log: EventLog, at: TopicPartition, offset: number, end: number): Promise<number | null> {
  let next = offset;
  while (next < end) {
    const fetched = await log.read({ ...at, offset: next, maxRecords: 1, maxBytes: 1, waitMs: 200 });
    const found = fetched.records[0];
    if (found !== undefined) return found.offset < end ? found.timestamp : null;
    if (fetched.nextOffset === next) return null;
    next = fetched.nextOffset;
  }
  return null;
}
