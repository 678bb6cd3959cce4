import type { Random } from '../../producers/simulator/random.ts';
import type { Vector } from '../statistics/matrix.ts';

/** What an attacker has of one person: two lots of recordings, each a few vectors of equal length. */
export interface Subject {
  /** From recordings whose person is known: the template is made of these. */
  readonly enrol: readonly Vector[];
  /** From recordings whose person is asked for. */
  readonly probe: readonly Vector[];
}

/** A learned way to compare recordings. */
export interface Comparison {
  /** What is compared of one lot of recordings; made once, for it is compared with many. */
  place(recordings: readonly Vector[]): Vector;
  /** How alike two places are: higher is more alike. */
  score(template: Vector, probe: Vector): number;
}

/** A way to compare recordings, learned from background people. It never sees the people that it is tested on. */
export interface Model {
  readonly name: string;
  /** Whether it wants all features as they are, not the most telling ones in one scale. */
  readonly takesAll?: true;
  fit(background: readonly Subject[], random: Random): Comparison;
}
