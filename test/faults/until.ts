import { setTimeout as delay } from 'node:timers/promises';

export interface Patience {
  readonly limitMs?: number;
  /** What there was instead, for the message. */
  readonly state?: () => unknown;
  /** No use in waiting any longer. */
  readonly isHopeless?: () => boolean;
}

const LIMIT_MS = 240_000;
/** Between two looks: short enough to notice soon, long enough to leave the machine to those who are watched. */
const BETWEEN_MS = 20;

/**
 * Looks again and again until there is something.
 *
 * @throws Error after `limitMs`, which says what was waited for and what there was instead.
 */
export async function until<T>(what: string, look: () => Promise<T | undefined>, patience: Patience = {}): Promise<T> {
  const { limitMs = LIMIT_MS, state = () => '', isHopeless = () => false } = patience;
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    const isLate = performance.now() > deadline;
    if (isLate || isHopeless()) {
      const seen = state();
      const told = typeof seen === 'string' ? seen : JSON.stringify(seen);
      throw new Error(`${isLate ? `waited ${limitMs / 1000} s` : 'waited in vain'} for ${what}; there was: ${told}`);
    }
    await delay(BETWEEN_MS);
  }
}

/** The same for a condition. */
export const untilTrue = (what: string, look: () => Promise<boolean>, patience?: Patience): Promise<true> =>
  until(what, async () => ((await look()) ? true : undefined), patience);
