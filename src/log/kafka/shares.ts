/**
 * What a member of a group holds, as its user sees it. A partition that is taken away disappears at once, and stays hidden,
 * whoever it is given to, until its user has said that the work on it has stopped.
 */
export class Shares {
  #given: ReadonlySet<number> = new Set();
  #unstopped: ReadonlySet<number> = new Set();
  #unstoppedSince = 0;
  #visible: readonly number[] = [];
  #version = 0;
  readonly #now: () => number;
  readonly #onChange: () => void;

  /** @param now milliseconds of a monotonic clock. */
  constructor(now: () => number, onChange: () => void) {
    this.#now = now;
    this.#onChange = onChange;
  }

  /** Changes with {@link visible}. */
  get version(): number {
    return this.#version;
  }

  /** What may be worked on, ascending. */
  get visible(): readonly number[] {
    return this.#visible;
  }

  /** What nobody else may be given yet: held, or taken away and not known to be stopped. */
  get claimed(): readonly number[] {
    return [...new Set([...this.#given, ...this.#unstopped])].sort((a, b) => a - b);
  }

  /** How long the oldest of the partitions that were taken away has been waiting for its work to stop, ms. */
  get waitingMs(): number {
    return this.#unstopped.size === 0 ? 0 : this.#now() - this.#unstoppedSince;
  }

  get hasUnstopped(): boolean {
    return this.#unstopped.size > 0;
  }

  give(partitions: readonly number[]): void {
    this.#given = new Set(partitions);
    this.#show();
  }

  /** Everything belongs to others from now on. */
  lose(): void {
    this.give([]);
  }

  /** The work on all that was taken away has stopped. Returns those that are now free for others. */
  stopped(): readonly number[] {
    const released = [...this.#unstopped].filter((partition) => !this.#given.has(partition));
    this.#unstopped = new Set();
    this.#show();
    return released;
  }

  #show(): void {
    const gone = this.#visible.filter((partition) => !this.#given.has(partition));
    if (gone.length > 0) {
      if (this.#unstopped.size === 0) this.#unstoppedSince = this.#now();
      this.#unstopped = new Set([...this.#unstopped, ...gone]);
    }
    const visible = [...this.#given].filter((partition) => !this.#unstopped.has(partition)).sort((a, b) => a - b);
    if (visible.length === this.#visible.length && visible.every((p, i) => p === this.#visible[i])) return;
    this.#visible = visible;
    this.#version += 1;
    this.#onChange();
  }
}
