import type { ConsentDecision, Erasure } from '../events/control.ts';
import { MAX_PAUSE_MS } from './consent.ts';

export type DecisionKind = ConsentDecision['kind'];
export const DECISION_KINDS: readonly DecisionKind[] = ['enrol', 'pause', 'resume', 'withdraw', 'exempt'];

export interface DecisionInput {
  readonly subjectKey: string;
  /** Length of a pause in minutes: above 0, at most 30. Pauses only. */
  readonly minutes?: number;
  /** The trusted side's clock, ms since the epoch. */
  readonly now: number;
  /** A new id nobody can guess, such as `crypto.randomUUID`; not time-ordered. */
  readonly randomId: () => string;
}

/** A decision that cannot be taken; the message says how to ask for it. */
export class DecisionError extends Error {
  override name = 'DecisionError';
}

/**
 * A person's decision, ready for the consent topic.
 *
 * @throws DecisionError when a pause has no length or one above 30 minutes, when another kind has a length, or when the
 *   subject key is not one.
 */
export function makeDecision(kind: DecisionKind, input: DecisionInput): ConsentDecision {
  const { subjectKey, minutes, now, randomId } = input;
  if (!/^[0-9a-f]{64}$/u.test(subjectKey)) {
    throw new DecisionError(
      'a decision needs a subject key (64 hex digits): make it from the subject with the ingest key',
    );
  }
  if (!Number.isSafeInteger(now) || now < 0) throw new DecisionError('the clock gave no time in whole milliseconds');
  if (kind !== 'pause' && minutes !== undefined) {
    throw new DecisionError(`only a pause has a length: leave --minutes out for ${kind}`);
  }
  const until = kind === 'pause' ? now + pauseLength(minutes) : null;
  return { subjectKey, decisionId: randomId(), kind, decidedAt: now, until };
}

/**
 * What a person asks when they, or an operator, have all that there is of them erased; ready for the topic of erasures. While
 * an erasure is under way it is that one, which then reaches up to now.
 *
 * @param before what is known of the person, done or not.
 */
export function askErasure(
  before: Erasure | undefined,
  { subjectKey, by, now, randomId }: Pick<Erasure, 'subjectKey' | 'by'> & Pick<DecisionInput, 'now' | 'randomId'>,
): Erasure {
  const erasureId = before?.doneAt === null ? before.erasureId : randomId();
  // Clocks of two machines differ: yet a request is later than the one that it has seen.
  const requestedAt = before === undefined ? now : Math.max(now, before.requestedAt + 1);
  return { subjectKey, erasureId, requestedAt, by, doneAt: null, rows: 0, sessions: 0 };
}

function pauseLength(minutes: number | undefined): number {
  const length = Math.round((minutes ?? NaN) * 60_000);
  if (length >= 1 && length <= MAX_PAUSE_MS) return length;
  throw new DecisionError(
    'a pause lasts 1 to 30 minutes: give --minutes 1..30, pause again later, or use withdraw to stop for good',
  );
}
