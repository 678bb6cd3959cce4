import { setTimeout } from 'node:timers/promises';
import { SinkStorageError } from '../sink.ts';
import type { RetryReason, StoreRetry } from './s3-settings.ts';

/** How long a store that is away is waited for. */
export interface Patience {
  /** From the first failure of an operation, in milliseconds. */
  readonly totalMs: number;
  /** Before the second try; doubles from try to try. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  readonly onRetry?: ((retry: StoreRetry) => void) | undefined;
  /** Ends waiting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `attempt` until it succeeds, fails for a reason that another try does not mend, or patience is at an end.
 *
 * @param reasonOf why another try may help; undefined for failures that stay, which are thrown as they are.
 * @throws SinkStorageError naming `what` when patience is at an end.
 */
export async function patiently<T>(
  patience: Patience,
  operation: StoreRetry['operation'],
  what: string,
  reasonOf: (error: unknown) => RetryReason | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  let giveUpAt = Infinity;
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === undefined) throw error;
      // Not the wall clock, which may jump.
      const now = performance.now();
      if (tries === 1) giveUpAt = now + patience.totalMs;
      const waitMs = jittered(Math.min(patience.longestWaitMs, patience.firstWaitMs * 2 ** (tries - 1)));
      if (now + waitMs > giveUpAt) throw gaveUp(what, reason, tries);
      patience.onRetry?.({ operation, reason, waitMs });
      if (!(await waited(waitMs, patience.signal))) throw gaveUp(what, reason, tries);
    }
  }
}

/** Between half and all of it, so that writers that failed together do not come back together. */
const jittered = (ms: number): number => Math.round(ms * (0.5 + Math.random() / 2));

/** @returns false when the wait was ended before its time. */
async function waited(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await setTimeout(ms, undefined, signal === undefined ? {} : { signal });
    return true;
  } catch {
    return false;
  }
}

function gaveUp(what: string, reason: RetryReason, tries: number): SinkStorageError {
  return new SinkStorageError(
    `${what}: ${REASONS[reason]}, ${tries} ${tries === 1 ? 'try' : 'tries'}. ` +
      'Check the endpoint and the server, then start again; what was committed is safe.',
  );
}

const REASONS: Readonly<Record<RetryReason, string>> = {
  unreachable: 'the server cannot be reached',
  timeout: 'the server does not answer in time',
  throttled: 'the server asks for fewer requests',
  server_error: 'the server reports an error of its own',
  conflict: 'others keep writing the same object',
  broken_answer: 'the answer arrives damaged',
};
