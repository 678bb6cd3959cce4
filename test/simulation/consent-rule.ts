/**
 * Rule 8 of the design once more, in its plainest form and from nothing but the decisions: what may not be used, whatever
 * src/privacy/consent.ts thinks of it. Times are ms since the epoch.
 */
import type { ConsentDecision, Erasure } from '../../src/events/control.ts';

const GUARD_MS = 5_000;
const LONGEST_PAUSE_MS = 30 * 60_000;

export interface Stamps {
  readonly grantedAt: number;
  readonly receivedAt: number;
}

/** Whether nothing of a batch with these stamps may be used, after these decisions and erasures of its person. */
export function isForbidden(
  { grantedAt, receivedAt }: Stamps,
  decisions: readonly ConsentDecision[],
  erasures: readonly Erasure[],
): boolean {
  if (erasures.some(({ requestedAt }) => grantedAt <= requestedAt + GUARD_MS)) return true;
  let enrolled = false;
  for (const { kind, decidedAt } of inOrder(decisions)) {
    if (decidedAt > grantedAt) break;
    if (kind === 'enrol') enrolled = true;
    if (kind === 'withdraw' || kind === 'exempt') enrolled = false;
  }
  if (!enrolled) return true;
  const received = Math.max(grantedAt, receivedAt);
  const ends = decisions.some(
    ({ kind, decidedAt }) =>
      (kind === 'pause' || kind === 'withdraw' || kind === 'exempt') &&
      decidedAt >= grantedAt - GUARD_MS &&
      decidedAt <= received + GUARD_MS,
  );
  return ends || isPausedAt(grantedAt, decisions);
}

/** Whether an event with this device time may not be used. */
export function isPausedAt(at: number, decisions: readonly ConsentDecision[]): boolean {
  return decisions.some((pause) => {
    if (pause.kind !== 'pause') return false;
    const resumed = decisions.filter(({ kind, decidedAt }) => kind === 'resume' && decidedAt > pause.decidedAt);
    const end = Math.min(
      pause.until ?? Infinity,
      pause.decidedAt + LONGEST_PAUSE_MS,
      ...resumed.map(({ decidedAt }) => decidedAt),
    );
    return at >= pause.decidedAt - GUARD_MS && at <= end + GUARD_MS;
  });
}

const inOrder = (decisions: readonly ConsentDecision[]): ConsentDecision[] =>
  [...decisions].sort((a, b) => a.decidedAt - b.decidedAt);
