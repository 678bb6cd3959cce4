import type { ProcessedBatch, ReleasedAnswer } from './protocol.ts';

/** What became of the last batches, in memory only. */
export interface Feed {
  add(batch: ProcessedBatch): void;
  /**
   * What came after a position, at once if there is something, else when there is, or nothing after `waitMs`. 'busy' when
   * too many wait already.
   */
  after(position: number, waitMs: number): Promise<ReleasedAnswer | 'busy'>;
  /** Ends all waits; nothing is kept any more. */
  close(): void;
}

/** Batches that are kept: a page that has been away longer misses the older ones. */
const MAX_KEPT = 600;
/** Answers that wait at once: a few pages. */
const MAX_WAITING = 8;

export function createFeed({ maxKept = MAX_KEPT, maxWaiting = MAX_WAITING } = {}): Feed {
  let kept: ProcessedBatch[] = [];
  /** Position after the last of them. */
  let end = 0;
  let isClosed = false;
  const waiting = new Set<() => void>();

  const wakeAll = (): void => {
    for (const wake of waiting) wake();
  };
  const since = (position: number): ReleasedAnswer => {
    // A position that was never given comes from before a restart: all that there is, is new.
    const from = position > end ? 0 : position;
    const count = Math.min(end - from, kept.length);
    return { batches: count === 0 ? [] : kept.slice(-count), next: end };
  };

  return {
    add(batch) {
      if (isClosed) return;
      kept.push(batch);
      end++;
      if (kept.length > maxKept) kept = kept.slice(-maxKept);
      wakeAll();
    },
    async after(position, waitMs) {
      const now = since(position);
      if (now.batches.length > 0 || isClosed) return now;
      if (waiting.size >= maxWaiting) return 'busy';
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, waitMs);
        waiting.add(wake);
      });
      return since(position);
    },
    close() {
      isClosed = true;
      kept = [];
      wakeAll();
    },
  };
}
