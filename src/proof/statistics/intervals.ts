/** How sure a figure is. All intervals are two-sided, at 95 %. */
import type { Random } from '../../producers/simulator/random.ts';

export type Range = readonly [low: number, high: number];

/** Normal quantile of a two-sided interval of 95 %. */
const Z = 1.959963984540054;

/** The `share` quantile of values in any order, by linear interpolation (type 7 of Hyndman and Fan, 1996). */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** The middle 95 % of simulated values. */
export function middle(values: ArrayLike<number>): Range {
  return [quantile(values, 0.025), quantile(values, 0.975)];
}

/**
 * Percentile bootstrap (Efron and Tibshirani, 1993): draws `people` of as many people, with repeats, and takes the middle
 * 95 % of what `statistic` gives for the draws. People are drawn, not scores: one person's scores go together.
 */
export function bootstrap(
  people: number,
  rounds: number,
  random: Random,
  statistic: (drawn: Int32Array) => number,
): Range {
  const values = new Float64Array(rounds);
  const drawn = new Int32Array(people);
  for (let round = 0; round < rounds; round += 1) {
    for (let i = 0; i < people; i += 1) drawn[i] = random.whole(0, people - 1);
    values[round] = statistic(drawn);
  }
  return middle(values);
}

/** The interval of a rate seen as `successes` of `trials` (Wilson, 1927): right for small numbers, and for none at all. */
export function wilson(successes: number, trials: number): { readonly value: number; readonly range: Range } {
  if (trials === 0) return { value: Number.NaN, range: [0, 1] };
  const rate = successes / trials;
  const z2 = Z * Z;
  const centre = (rate + z2 / (2 * trials)) / (1 + z2 / trials);
  const half = (Z / (1 + z2 / trials)) * Math.sqrt((rate * (1 - rate)) / trials + z2 / (4 * trials * trials));
  return { value: rate, range: [Math.max(0, centre - half), Math.min(1, centre + half)] };
}

export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += values[i] ?? 0;
  return sum / values.length;
};

/** The list in another order, each as likely (Fisher and Yates). */
export function shuffled<T>(list: readonly T[], random: Random): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i -= 1) {
    const other = random.whole(0, i);
    [result[i], result[other]] = [result[other] as T, result[i] as T];
  }
  return result;
}
