import type { ConsentDecision, ConsentKind } from '../../events/control.ts';
import type { Random } from './random.ts';
import type { ConsentShares, Faults } from './types.ts';

/** What a recorder does at a time, ms of trusted time. */
export type Change =
  /** Begins to record, in a new session. */
  | { readonly kind: 'start'; readonly at: number }
  /** Ends its session and records nothing until a `start`. */
  | { readonly kind: 'stop'; readonly at: number }
  /** Ends its session; whatever comes next is another. */
  | { readonly kind: 'restart'; readonly at: number }
  /** Keeps what it captures to itself until `until`, then sends it: forbidden in a pause. */
  | { readonly kind: 'hold'; readonly at: number; readonly until: number };

export type Behaviour = 'stays' | 'pauses' | 'withdraws' | 'exempt' | 'never_enrolled' | 'enrols_late';

/** What a person decides in a stretch of time, and what their recorder makes of it; both in order of time. */
export interface Stretch {
  readonly decisions: readonly ConsentDecision[];
  readonly changes: readonly Change[];
  /** From this time on nothing is planned yet; Infinity when nothing more will come. */
  readonly until: number;
}

export interface ConsentPlanOptions {
  readonly subjectKey: string;
  readonly behaviour: Behaviour;
  readonly start: number;
  readonly end: number;
  readonly faults: Faults;
  readonly random: Random;
}

const MINUTE = 60_000;

/** Which behaviour stands at `place` (0..1) when the shares are laid end to end. */
export function behaviourAt(place: number, shares: ConsentShares): Behaviour {
  const bands: readonly (readonly [Behaviour, number])[] = [
    ['pauses', shares.pauses],
    ['withdraws', shares.withdraws],
    ['exempt', shares.exempt],
    ['never_enrolled', shares.neverEnrolled],
    ['enrols_late', shares.enrolsLate],
  ];
  let rest = place;
  for (const [behaviour, share] of bands) {
    if (rest < share) return behaviour;
    rest -= share;
  }
  return 'stays';
}

/**
 * Plans a person's decisions, stretch after stretch, each asked for when the time comes: a long simulation has more pauses
 * than should be kept in memory.
 */
export class ConsentPlan {
  readonly #o: ConsentPlanOptions;
  readonly #random: Random;
  #decisions: ConsentDecision[] = [];
  #changes: Change[] = [];
  /** Of people who pause: when they do so next. */
  #nextPause = Number.NaN;

  constructor(options: ConsentPlanOptions) {
    this.#o = options;
    this.#random = options.random;
  }

  /** The first stretch, or the one after the last that was given. */
  next(): Stretch {
    this.#decisions = [];
    this.#changes = [];
    const until = Number.isNaN(this.#nextPause) ? this.#begin() : this.#pause();
    return {
      decisions: this.#decisions.sort((a, b) => a.decidedAt - b.decidedAt),
      changes: this.#changes.filter((change) => change.at < this.#o.end).sort((a, b) => a.at - b.at),
      until,
    };
  }

  #begin(): number {
    switch (this.#o.behaviour) {
      case 'stays':
        this.#enrolAtStart();
        break;
      case 'pauses':
        this.#enrolAtStart();
        return this.#firstPause();
      case 'withdraws':
        this.#enrolAtStart();
        this.#withdraws();
        break;
      case 'exempt':
        this.#exempt();
        break;
      case 'never_enrolled':
        this.#change({ kind: 'start', at: this.#firstSession() });
        break;
      case 'enrols_late':
        this.#enrolsLate();
        break;
    }
    return Number.POSITIVE_INFINITY;
  }

  #change(change: Change): void {
    this.#changes.push(change);
  }

  /** Later than an enrolment at the start by more than the machines' clocks may differ. */
  #firstSession(): number {
    return this.#o.start + this.#random.whole(8000, 15_000);
  }

  #enrolAtStart(): void {
    this.#decide('enrol', this.#o.start + this.#random.whole(0, 900));
    this.#change({ kind: 'start', at: this.#firstSession() });
  }

  #firstPause(): number {
    const { start, end } = this.#o;
    const at = start + this.#random.between(0.15, 0.5) * Math.min(end - start, 60 * MINUTE);
    this.#nextPause = Math.max(at, start + 20_000);
    return this.#pause();
  }

  /** One pause; gives when it is over. */
  #pause(): number {
    const pausedAt = Math.round(this.#nextPause);
    if (pausedAt >= this.#o.end) return Number.POSITIVE_INFINITY;
    const until = pausedAt + this.#random.whole(5, 30) * MINUTE;
    this.#decide('pause', pausedAt, until);
    let over = until;
    if (this.#random.chance(0.5)) {
      over = Math.round(pausedAt + this.#random.between(0.1, 0.9) * (until - pausedAt));
      this.#decide('resume', over);
    }
    this.#recorderInPause(pausedAt, over);
    this.#nextPause = over + this.#random.between(15, 90) * MINUTE;
    return over;
  }

  /** A recorder should stop at once and begin another session only when the pause is over. */
  #recorderInPause(pausedAt: number, over: number): void {
    const again = over + this.#random.whole(10_000, 30_000);
    const mode = this.#random.chance(this.#o.faults.recordsWhilePaused)
      ? this.#random.pick(['goes_on', 'reopens', 'holds'] as const)
      : 'stops';
    switch (mode) {
      case 'goes_on':
        return;
      case 'reopens':
        this.#change({ kind: 'restart', at: pausedAt + this.#random.whole(500, 20_000) });
        this.#change({ kind: 'restart', at: again });
        return;
      case 'holds':
        this.#change({
          kind: 'hold',
          at: pausedAt,
          until: Math.min(over + this.#random.whole(2000, 60_000), this.#o.end),
        });
        this.#change({ kind: 'stop', at: Math.min(pausedAt + 3 * MINUTE, over) });
        break;
      case 'stops':
        this.#change({ kind: 'stop', at: pausedAt + this.#random.whole(0, 300) });
        break;
    }
    this.#change({ kind: 'start', at: again });
  }

  #withdraws(): void {
    const at = this.#within(0.3, 0.7);
    this.#decide('withdraw', at);
    this.#recorderAfterEnd(at);
    if (!this.#random.chance(0.3)) return;
    const back = this.#within(0.75, 0.9) + 5 * MINUTE;
    this.#decide('enrol', back);
    this.#change({ kind: 'start', at: back + this.#random.whole(8000, 20_000) });
  }

  #exempt(): void {
    if (this.#random.chance(0.4)) {
      const at = this.#o.start + this.#random.whole(0, 900);
      this.#decide('exempt', at);
      if (!this.#random.chance(this.#o.faults.recordsAfterEnd)) return;
      this.#change({ kind: 'start', at: this.#firstSession() });
      this.#change({ kind: 'stop', at: at + this.#random.whole(1, 4) * MINUTE });
      return;
    }
    this.#enrolAtStart();
    const at = this.#within(0.2, 0.7);
    this.#decide('exempt', at);
    this.#recorderAfterEnd(at);
  }

  #recorderAfterEnd(at: number): void {
    if (!this.#random.chance(this.#o.faults.recordsAfterEnd)) {
      this.#change({ kind: 'stop', at: at + this.#random.whole(0, 300) });
      return;
    }
    if (this.#random.chance(0.5)) this.#change({ kind: 'restart', at: at + this.#random.whole(5000, 40_000) });
    this.#change({ kind: 'stop', at: at + this.#random.whole(1, 4) * MINUTE });
  }

  #enrolsLate(): void {
    this.#change({ kind: 'start', at: this.#firstSession() });
    const at = this.#within(0.2, 0.4) + 20_000;
    this.#decide('enrol', at);
    this.#change({ kind: 'restart', at: at + this.#random.whole(8000, 20_000) });
  }

  #within(low: number, high: number): number {
    const at = this.#o.start + this.#random.between(low, high) * (this.#o.end - this.#o.start);
    return Math.round(Math.max(at, this.#o.start + 20_000));
  }

  /** Decisions later than the simulation's end are not made. */
  #decide(kind: ConsentKind, decidedAt: number, until: number | null = null): void {
    if (decidedAt >= this.#o.end) return;
    const { subjectKey } = this.#o;
    this.#decisions.push({ subjectKey, decisionId: this.#random.hex128(), kind, decidedAt, until });
  }
}
