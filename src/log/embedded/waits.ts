/** Waiting for something that this process (by {@link Waits.wake}) or another one (by polling) may bring about. */
export class Waits {
  readonly #waiting = new Set<() => void>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when woken, aborted, closed, or after `ms` milliseconds of real time. */
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.#closed || signal?.aborted === true || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiting.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  wake(): void {
    for (const done of this.#waiting) done();
  }

  close(): void {
    this.#closed = true;
    this.wake();
  }
}

/** A moment of real (monotonic) time, independent of any injected clock. */
export function deadlineIn(ms: number): { readonly left: () => number } {
  const end = performance.now() + ms;
  return { left: () => Math.max(0, end - performance.now()) };
}
