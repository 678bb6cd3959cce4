import { randomUUID } from 'node:crypto';
import type { Membership, TopicPartition } from '../event-log.ts';
import { emptyGroup, plan, step, without, withoutDead, type GroupState } from './group.ts';
import type { Store } from './store.ts';
import { deadlineIn, type Waits } from './waits.ts';

export interface MembershipOptions {
  readonly store: Store;
  readonly waits: Waits;
  readonly group: string;
  readonly topic: string;
  readonly partitions: number;
  readonly now: () => number;
  /** A member silent for longer is dead, ms. */
  readonly sessionTimeoutMs: number;
  /** How often to look for what other processes did, ms of real time. */
  readonly pollMs: number;
  /** Called once, when the membership has ended. */
  readonly onEnd: () => void;
}

/**
 * A member of a group whose state lies in LMDB. It looks at the state on a timer and writes when its heartbeat is due or
 * there is something to take or to let go.
 *
 * A partition that is to move disappears from {@link assignment} at once, but is let go only when the user calls
 * {@link changed} again after having seen that, or after a session timeout: so its next owner starts when the work on it
 * has stopped.
 */
export async function joinGroup(options: MembershipOptions): Promise<Membership> {
  const member = new Member(options);
  await member.start();
  return member;
}

class Member implements Membership {
  readonly #o: MembershipOptions;
  readonly #id = randomUUID();
  readonly #key: [string, string, string];
  #assignment: readonly TopicPartition[] = [];
  /** Partitions that are planned for somebody else and not yet let go, and since when (ms by the log's clock). */
  #revoked = new Map<number, number>();
  #acknowledged = new Set<number>();
  #version = 0;
  #reported = 0;
  #lastBeat = 0;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended: Promise<void> | undefined;

  constructor(options: MembershipOptions) {
    this.#o = options;
    this.#key = ['group', options.group, options.topic];
  }

  async start(): Promise<void> {
    await this.#write();
    this.#reported = this.#version;
    this.#timer = setInterval(() => this.#tick(), this.#o.pollMs);
    this.#timer.unref();
  }

  assignment(): readonly TopicPartition[] {
    return this.#assignment;
  }

  async changed(waitMs: number, signal?: AbortSignal): Promise<void> {
    const deadline = deadlineIn(waitMs);
    if (this.#version === this.#reported) {
      for (const partition of this.#revoked.keys()) this.#acknowledged.add(partition);
      this.#tick();
    }
    while (this.#version === this.#reported) {
      if (this.#ended !== undefined || this.#o.waits.closed || signal?.aborted === true || deadline.left() === 0)
        return;
      await this.#o.waits.wait(Math.min(deadline.left(), this.#o.pollMs), signal);
    }
    this.#reported = this.#version;
  }

  leave(): Promise<void> {
    this.#ended ??= this.#leave();
    return this.#ended;
  }

  async #leave(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    this.#assign([]);
    this.#o.onEnd();
    await this.#o.store.commit({
      apply: () => this.#o.store.meta.putSync(this.#key, without(this.#read(), [this.#id])),
    });
  }

  #tick(): void {
    if (this.#ended !== undefined || this.#writing !== undefined || this.#o.waits.closed) return;
    try {
      const now = this.#o.now();
      const state = this.#o.store.reading(() => this.#read());
      const live = withoutDead(state, this.#id, now, this.#o.sessionTimeoutMs);
      this.#adopt(live, now);
      const next = step(live, this.#id, now, this.#released(now));
      const beatIsDue = Math.abs(now - this.#lastBeat) * 3 >= this.#o.sessionTimeoutMs;
      const moves = next.owners.some((owner, p) => owner !== state.owners[p]) || state.members[this.#id] === undefined;
      if (beatIsDue || moves) this.#writing = this.#writeInBackground();
    } catch {
      // The log can't be read: whoever uses the partitions meets the same error and reports it.
      this.#assign([]);
    }
  }

  async #writeInBackground(): Promise<void> {
    try {
      await this.#write();
    } catch {
      // As above: without heartbeats the partitions go to others, so they are not ours any more.
      this.#assign([]);
    } finally {
      this.#writing = undefined;
    }
  }

  async #write(): Promise<void> {
    const now = this.#o.now();
    const released = this.#released(now);
    const next = await this.#o.store.commit({
      apply: () => {
        const state = step(withoutDead(this.#read(), this.#id, now, this.#o.sessionTimeoutMs), this.#id, now, released);
        this.#o.store.meta.putSync(this.#key, state);
        return state;
      },
    });
    this.#lastBeat = now;
    if (this.#ended === undefined) this.#adopt(next, now);
  }

  /** Takes over from the shared state what this member holds and what it is to give up. */
  #adopt(state: GroupState, now: number): void {
    const planned = plan(state);
    const held = state.owners.flatMap((owner, partition) => (owner === this.#id ? [partition] : []));
    const revoked = held.filter((partition) => planned[partition] !== this.#id);
    this.#revoked = new Map(revoked.map((partition) => [partition, this.#revoked.get(partition) ?? now]));
    this.#acknowledged = new Set(revoked.filter((partition) => this.#acknowledged.has(partition)));
    this.#assign(held.filter((partition) => planned[partition] === this.#id));
  }

  #released(now: number): readonly number[] {
    const due = (since: number): boolean => now - since > this.#o.sessionTimeoutMs;
    return [...this.#revoked].flatMap(([p, since]) => (this.#acknowledged.has(p) || due(since) ? [p] : []));
  }

  #assign(partitions: readonly number[]): void {
    const same =
      partitions.length === this.#assignment.length &&
      partitions.every((partition, i) => partition === this.#assignment[i]?.partition);
    if (same) return;
    this.#assignment = partitions.map((partition) => ({ topic: this.#o.topic, partition }));
    this.#version += 1;
    this.#o.waits.wake();
  }

  #read(): GroupState {
    // Written only by this class.
    const stored = this.#o.store.meta.get(this.#key) as GroupState | undefined;
    return stored ?? emptyGroup(this.#o.partitions);
  }
}
