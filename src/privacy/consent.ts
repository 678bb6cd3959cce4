import type { ConsentDecision, Erasure } from '../events/control.ts';

/** Longest pause, by rule: what a decision asks beyond this is cut off. */
export const MAX_PAUSE_MS = 30 * 60_000;

/** A closed interval of time, ms since the epoch. */
export type Interval = readonly [from: number, to: number];

export type ConsentVerdict =
  | {
      readonly allowed: true;
      /** Closed intervals of device time (ms, guard included) whose events are dropped as `paused`. Sorted, disjoint. */
      readonly pausedIntervals: readonly Interval[];
    }
  | {
      readonly allowed: false;
      readonly reason: 'not_enrolled' | 'withdrawn' | 'exempt' | 'paused' | 'session_ended_by_consent' | 'erased';
    };

export type ConsentStatus =
  | { readonly kind: 'not_enrolled' | 'enrolled' | 'withdrawn' | 'exempt' }
  | { readonly kind: 'paused'; readonly until: number };

/** Everybody's consent decisions and erasures. What it answers depends on the set applied, not on the order. */
export interface ConsentTimeline {
  /**
   * May this batch be processed? Both stamps are the trusted side's (ms); see docs/privacy-model.md for the rules.
   * Answers are shared objects: do not keep them across an apply.
   */
  judge(subjectKey: string, grantedAt: number, receivedAt: number): ConsentVerdict;
  /**
   * May this batch be processed once more, in a replay? Only if {@link judge} allows it and the person stands as enrolled
   * after all decisions that are known, whenever they were made, and never asked for an erasure: else all that there is of
   * the person is refused, what was captured while they were enrolled as well. A pause after the capture changes nothing.
   */
  judgeAgain(subjectKey: string, grantedAt: number, receivedAt: number): ConsentVerdict;
  /** Adds a decision; adding it again changes nothing. */
  apply(decision: ConsentDecision): void;
  /** Adds an erasure; of several, the latest counts. */
  applyErasure(erasure: Pick<Erasure, 'subjectKey' | 'requestedAt'>): void;
  /** How the person stands at a moment (ms), for showing. */
  status(subjectKey: string, at: number): ConsentStatus;
  /** The end (ms) of the pause that holds at a moment, also of somebody who is not enrolled; else undefined. */
  pausedUntil(subjectKey: string, at: number): number | undefined;
  /** A person's decisions by time, for showing. */
  decisions(subjectKey: string): readonly ConsentDecision[];
  /** Up to when (ms) the person's sessions are erased, or undefined. */
  erasedUpTo(subjectKey: string): number | undefined;
}

export interface ConsentOptions {
  /** How far the clocks of trusted machines may differ, ms; the policy's `consent.guardSeconds`. */
  readonly guardMs: number;
}

/**
 * A consent timeline without decisions: nobody is enrolled yet.
 *
 * A batch is allowed only if
 * - the latest of enrol, withdraw and exempt at or before `grantedAt` is an enrolment (ties: the more protective);
 * - the session was not granted in a pause, guard included;
 * - no pause, withdrawal or exemption lies between grant and reception, guard included: those end the person's sessions;
 * - no erasure was requested at or after the grant, guard included.
 *
 * @throws RangeError when the guard is not a time.
 */
export function createConsentTimeline(options: ConsentOptions): ConsentTimeline {
  const { guardMs } = options;
  if (!Number.isFinite(guardMs) || guardMs < 0) throw new RangeError('the consent guard must be 0 ms or more');
  const people = new Map<string, Person>();
  const erasures = new Map<string, number>();

  const indexOf = (person: Person): PersonIndex => (person.index ??= buildIndex(person.decisions.values(), guardMs));

  function judge(subjectKey: string, grantedAt: number, receivedAt: number): ConsentVerdict {
    const erasedUpTo = erasures.get(subjectKey);
    if (erasedUpTo !== undefined && grantedAt <= erasedUpTo + guardMs) return DENIED.erased;
    const person = people.get(subjectKey);
    return person === undefined ? DENIED.not_enrolled : judgePerson(indexOf(person), guardMs, grantedAt, receivedAt);
  }

  return {
    judge,
    judgeAgain(subjectKey, grantedAt, receivedAt) {
      if (erasures.has(subjectKey)) return DENIED.erased;
      const then = judge(subjectKey, grantedAt, receivedAt);
      const person = people.get(subjectKey);
      if (!then.allowed || person === undefined) return then;
      const now = standing(indexOf(person), Infinity);
      return now === 'enrolled' ? then : DENIED[now];
    },
    apply(decision) {
      let person = people.get(decision.subjectKey);
      if (person === undefined) people.set(decision.subjectKey, (person = { decisions: new Map(), index: undefined }));
      const identity = identityOf(decision);
      if (person.decisions.has(identity)) return;
      person.decisions.set(identity, { ...decision });
      person.index = undefined;
    },
    applyErasure({ subjectKey, requestedAt }) {
      erasures.set(subjectKey, Math.max(requestedAt, erasures.get(subjectKey) ?? requestedAt));
    },
    status(subjectKey, at) {
      const person = people.get(subjectKey);
      if (person === undefined) return { kind: 'not_enrolled' };
      const index = indexOf(person);
      const kind = standing(index, at);
      if (kind !== 'enrolled') return { kind };
      const until = intervalAt(index.pauses, at)?.[1];
      return until === undefined ? { kind } : { kind: 'paused', until };
    },
    pausedUntil(subjectKey, at) {
      const person = people.get(subjectKey);
      return person === undefined ? undefined : intervalAt(indexOf(person).pauses, at)?.[1];
    },
    decisions: (subjectKey) => [...(people.get(subjectKey)?.decisions.values() ?? [])].sort(byTimeThenProtection),
    erasedUpTo: (subjectKey) => erasures.get(subjectKey),
  };
}

interface Person {
  /** By identity: see {@link identityOf}. */
  readonly decisions: Map<string, ConsentDecision>;
  /** Built when first needed after a change. */
  index: PersonIndex | undefined;
}

type Standing = 'not_enrolled' | 'enrolled' | 'withdrawn' | 'exempt';

/** One person's decisions, sorted for binary search. Times are ms. */
interface PersonIndex {
  /** When the standing changed, and to what from then on. */
  readonly changedAt: readonly number[];
  readonly standings: readonly Standing[];
  readonly withdrawnAt: readonly number[];
  readonly exemptAt: readonly number[];
  readonly pausedAt: readonly number[];
  /** `latestPauseEnd[i]`: the latest end of the pauses up to and including `pausedAt[i]`. */
  readonly latestPauseEnd: readonly number[];
  /** Pauses, joined where they touch. */
  readonly pauses: readonly Interval[];
  /** The same, widened by the guard on both sides. */
  readonly guardedPauses: readonly Interval[];
  /**
   * The answer for what may be kept: all pauses that there ever were, for device clocks may be wrong by any amount, and an
   * imported recording is older than its grant.
   */
  readonly allowed: ConsentVerdict;
}

const DENIED = {
  erased: { allowed: false, reason: 'erased' },
  not_enrolled: { allowed: false, reason: 'not_enrolled' },
  withdrawn: { allowed: false, reason: 'withdrawn' },
  exempt: { allowed: false, reason: 'exempt' },
  paused: { allowed: false, reason: 'paused' },
  session_ended_by_consent: { allowed: false, reason: 'session_ended_by_consent' },
} as const satisfies Record<string, ConsentVerdict>;

const ALLOWED: ConsentVerdict = { allowed: true, pausedIntervals: [] };

function judgePerson(index: PersonIndex, guardMs: number, grantedAt: number, receivedAt: number): ConsentVerdict {
  const atGrant = standing(index, grantedAt);
  if (atGrant !== 'enrolled') return DENIED[atGrant];
  const from = grantedAt - guardMs;
  // Stamps of two machines may be the wrong way round: the batch then counts as received when it was granted.
  const received = Math.max(grantedAt, receivedAt);
  const to = received + guardMs;
  if (anyWithin(index.withdrawnAt, from, to)) return DENIED.withdrawn;
  if (anyWithin(index.exemptAt, from, to)) return DENIED.exempt;
  if (intervalAt(index.guardedPauses, grantedAt) !== undefined) return DENIED.paused;
  if (anyWithin(index.pausedAt, from, to)) {
    const latestEnd = index.latestPauseEnd[countUpTo(index.pausedAt, to) - 1] ?? 0;
    return received > latestEnd ? DENIED.session_ended_by_consent : DENIED.paused;
  }
  return index.allowed;
}

/** Decisions are immutable: should two share an id and differ, both count, so that their order does not matter. */
function identityOf(decision: ConsentDecision): string {
  return `${decision.decisionId}\0${decision.kind}\0${decision.decidedAt}\0${decision.until}`;
}

/** Of decisions made in the same millisecond, the most protective counts as the last. */
const PROTECTION: Readonly<Record<ConsentDecision['kind'], number>> = {
  resume: 0,
  enrol: 1,
  pause: 2,
  exempt: 3,
  withdraw: 4,
};

function byTimeThenProtection(a: ConsentDecision, b: ConsentDecision): number {
  return a.decidedAt - b.decidedAt || PROTECTION[a.kind] - PROTECTION[b.kind];
}

function buildIndex(decisions: Iterable<ConsentDecision>, guardMs: number): PersonIndex {
  const sorted = [...decisions].sort(byTimeThenProtection);
  const timesOf = (kind: ConsentDecision['kind']): number[] =>
    sorted.filter((decision) => decision.kind === kind).map((decision) => decision.decidedAt);
  const changes = sorted.flatMap((decision): [number, Standing][] => {
    const standing = STANDING_AFTER[decision.kind];
    return standing === undefined ? [] : [[decision.decidedAt, standing]];
  });
  const resumedAt = timesOf('resume');
  const windows = sorted.flatMap((decision) => (decision.kind === 'pause' ? [pauseWindow(decision, resumedAt)] : []));
  const guardedPauses = joined(windows.map(([start, end]): Interval => [start - guardMs, end + guardMs]));
  let latest = -Infinity;
  return {
    changedAt: changes.map(([at]) => at),
    standings: changes.map(([, standing]) => standing),
    withdrawnAt: timesOf('withdraw'),
    exemptAt: timesOf('exempt'),
    pausedAt: timesOf('pause'),
    latestPauseEnd: windows.map(([, end]) => (latest = Math.max(latest, end))),
    pauses: joined(windows),
    guardedPauses,
    allowed: guardedPauses.length === 0 ? ALLOWED : { allowed: true, pausedIntervals: guardedPauses },
  };
}

const STANDING_AFTER: Readonly<Record<ConsentDecision['kind'], Standing | undefined>> = {
  enrol: 'enrolled',
  withdraw: 'withdrawn',
  exempt: 'exempt',
  pause: undefined,
  resume: undefined,
};

/** From the decision to its end, the next resumption, or 30 minutes on, whichever comes first. */
function pauseWindow(pause: ConsentDecision, resumedAt: readonly number[]): Interval {
  const start = pause.decidedAt;
  const latest = start + MAX_PAUSE_MS;
  // A pause without a sensible end lasts as long as a pause can.
  const asked = pause.until !== null && pause.until > start ? Math.min(pause.until, latest) : latest;
  // A resumption in the pause's own millisecond is taken as the earlier one: the pause holds.
  const resumed = resumedAt[countUpTo(resumedAt, start)] ?? Infinity;
  return [start, Math.min(asked, resumed)];
}

/** Joins intervals (sorted by start) that touch or overlap. */
function joined(intervals: readonly Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const [start, end] of intervals) {
    const last = result.at(-1);
    if (last !== undefined && start <= last[1]) result[result.length - 1] = [last[0], Math.max(last[1], end)];
    else result.push([start, end]);
  }
  return result;
}

function standing(index: PersonIndex, at: number): Standing {
  return index.standings[countUpTo(index.changedAt, at) - 1] ?? 'not_enrolled';
}

function anyWithin(sorted: readonly number[], from: number, to: number): boolean {
  const first = sorted[countWhile(sorted.length, (i) => (sorted[i] ?? 0) < from)];
  return first !== undefined && first <= to;
}

function intervalAt(intervals: readonly Interval[], at: number): Interval | undefined {
  const last = intervals[countWhile(intervals.length, (i) => startOf(intervals, i) <= at) - 1];
  return last !== undefined && at <= last[1] ? last : undefined;
}

const startOf = (intervals: readonly Interval[], i: number): number => intervals[i]?.[0] ?? Infinity;

/** How many of the sorted times are at or before `at`. */
function countUpTo(sorted: readonly number[], at: number): number {
  return countWhile(sorted.length, (i) => (sorted[i] ?? Infinity) <= at);
}

/** The length of the prefix of 0..length-1 for which `holds` is true, by binary search. */
function countWhile(length: number, holds: (i: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
