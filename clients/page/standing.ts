/** What the page says of recording. It never says that nothing is recorded without an answer that is fresh. */
import type { Status } from '../../src/producers/gateway/protocol.ts';

/** An answer counts for so long; the page asks far more often while it is looked at. */
export const FRESH_MS = 20_000;

export interface Known {
  readonly status: Status;
  /** Since the answer came, ms; the larger one when clocks differ. */
  readonly ageMs: number;
}

export type Trouble = 'unreachable' | 'busy' | 'refused';

export type Standing =
  | { readonly kind: 'checking' | 'pauseOver' | 'allowed' | 'withdrawn' | 'exempt' | 'not_enrolled' }
  | { readonly kind: 'recording'; readonly sessions: number }
  | { readonly kind: 'paused'; readonly leftMs: number; readonly until: number }
  | { readonly kind: 'unsure'; readonly trouble: Trouble };

/**
 * @param known the last answer, or null before the first.
 * @param trouble why the last question had none, or null.
 */
export function standingOf(known: Known | null, trouble: Trouble | null): Standing {
  if (trouble !== null) return { kind: 'unsure', trouble };
  if (known === null) return { kind: 'checking' };
  const { status, ageMs } = known;
  const isFresh = ageMs >= 0 && ageMs < FRESH_MS;
  switch (status.recording) {
    case 'enrolled':
      // That it is recording may be said a little too long; that it is not, may not.
      if (status.sessions > 0) return { kind: 'recording', sessions: status.sessions };
      return { kind: isFresh ? 'allowed' : 'checking' };
    case 'paused': {
      if (!isFresh || status.until === null) return { kind: 'checking' };
      const leftMs = status.until - status.now - ageMs;
      return leftMs > 0 ? { kind: 'paused', leftMs, until: status.until } : { kind: 'pauseOver' };
    }
    case 'withdrawn':
    case 'exempt':
    case 'not_enrolled':
      return { kind: isFresh ? status.recording : 'checking' };
  }
}

const RECORDING: Readonly<Record<Status['recording'], true>> = {
  not_enrolled: true,
  enrolled: true,
  paused: true,
  withdrawn: true,
  exempt: true,
};

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

/** The answer as a status, or null: whatever stands between may answer something else. */
export function readStatus(body: unknown): Status | null {
  if (typeof body !== 'object' || body === null) return null;
  const status = body as Partial<Status>; // looked at field by field below
  const isOne =
    typeof status.recording === 'string' &&
    Object.hasOwn(RECORDING, status.recording) &&
    (status.until === null || isCount(status.until)) &&
    [status.now, status.sessions, status.sentBytesToday, status.dataBudgetBytes].every(isCount) &&
    Array.isArray(status.thin);
  return isOne ? (status as Status) : null; // all of its fields have been looked at
}
