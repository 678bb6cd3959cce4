import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootstrap, mean, middle, quantile, shuffled, wilson } from '../../../src/proof/statistics/intervals.ts';
import { Random } from '../../../src/producers/simulator/random.ts';

describe('quantiles', () => {
  it('lie between values, as R and NumPy have them', () => {
    expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([4, 1, 3, 2], 1)).toBe(4);
    expect(quantile([7], 0.9)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('cut 2.5 % off each end', () => {
    expect(middle(Array.from({ length: 1_001 }, (_, i) => i))).toEqual([25, 975]);
  });
});

describe('the interval of a rate', () => {
  it('is Wilson’s: the values of his formula', () => {
    // R: prop.test(10, 100, correct = FALSE)
    const { value, range } = wilson(10, 100);
    expect(value).toBe(0.1);
    expect(range[0]).toBeCloseTo(0.0552, 4);
    expect(range[1]).toBeCloseTo(0.1744, 4);
  });

  it('of nothing found says how much there could have been', () => {
    const { range } = wilson(0, 50);
    expect(range[0]).toBe(0);
    expect(range[1]).toBeCloseTo(0.0713, 4);
  });
});

describe('the bootstrap', () => {
  it('of a mean is about as wide as the standard error says', () => {
    const random = new Random(3, 'bootstrap');
    const values = Array.from({ length: 400 }, () => random.normal());
    const [low, high] = bootstrap(values.length, 2_000, random, (drawn) =>
      mean(Array.from(drawn, (i) => values[i] ?? 0)),
    );
    // 2 * 1.96 / sqrt(400) = 0.196
    expect(high - low).toBeGreaterThan(0.17);
    expect(high - low).toBeLessThan(0.225);
    expect((low + high) / 2).toBeCloseTo(mean(values), 1);
  });

  it('covers the true mean about as often as it says', () => {
    const random = new Random(4, 'coverage');
    let covered = 0;
    const runs = 300;
    for (let run = 0; run < runs; run += 1) {
      const values = Array.from({ length: 60 }, () => random.normal() + 5);
      const [low, high] = bootstrap(60, 200, random, (drawn) => mean(Array.from(drawn, (i) => values[i] ?? 0)));
      if (low <= 5 && 5 <= high) covered += 1;
    }
    expect(covered / runs).toBeGreaterThan(0.9);
    expect(covered / runs).toBeLessThan(0.985);
  });

  it('draws as many people as there are, and repeats itself with its seed', () => {
    const run = (): readonly [number, number] =>
      bootstrap(10, 50, new Random(1, 'again'), (drawn) => {
        expect(drawn).toHaveLength(10);
        expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...drawn)).toBeLessThan(10);
        return mean(drawn);
      });
    expect(run()).toEqual(run());
  });
});

it('shuffling keeps what there is', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer(), (list, seed) => {
      const mixed = shuffled(list, new Random(seed));
      expect(mixed.toSorted((a, b) => a - b)).toEqual(list.toSorted((a, b) => a - b));
    }),
  );
  // Each of the six orders of three about as often.
  const random = new Random(5, 'orders');
  const seen = new Map<string, number>();
  for (let i = 0; i < 6_000; i += 1) {
    const order = shuffled(['a', 'b', 'c'], random).join('');
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  expect(seen.size).toBe(6);
  expect(Math.min(...seen.values())).toBeGreaterThan(850);
});
