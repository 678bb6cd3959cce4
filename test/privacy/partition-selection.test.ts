import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byBudget,
  byPeople,
  createSample,
  keepProbabilities,
  PROBABILITY_BITS,
  randomBelow,
  type Budget,
} from '../../src/privacy/partition-selection.ts';
import { seededBytes } from '../helpers/seeded-bytes.ts';

const ONE = 1n << BigInt(PROBABILITY_BITS);

/** A probability of the table as a double. */
const toNumber = (p: bigint): number => Number(p >> BigInt(PROBABILITY_BITS - 64)) / 2 ** 64;

const budgets: fc.Arbitrary<Budget> = fc.record({
  epsilon: fc.double({ min: 0.05, max: 10, noNaN: true }),
  delta: fc.double({ min: 1e-12, max: 0.3, noNaN: true }),
  maxContributions: fc.integer({ min: 1, max: 20 }),
});

/** Theorem 1 of Desfontaines et al. 2022, for one contribution. */
function closedForm(n: number, epsilon: number, delta: number): number {
  const growth = Math.exp(epsilon);
  const first = 1 + Math.floor(Math.log((growth + 2 * delta - 1) / ((growth + 1) * delta)) / epsilon);
  const upTo = (count: number): number => ((Math.exp(count * epsilon) - 1) / (growth - 1)) * delta;
  if (n <= first) return upTo(n);
  const more = n - first;
  const shrunk = Math.exp(-more * epsilon);
  return Math.min(1, (1 - shrunk) * (1 + delta / (growth - 1)) + shrunk * upTo(first));
}

/** e^x for a fraction, in units of 2^-256 and not above it: a cut series of whole numbers, exact until the end. */
function expBelow(n: bigint, d: bigint): bigint {
  let [numerator, denominator] = [0n, 1n];
  // Horner: 1 + x/1 (1 + x/2 (1 + ...)).
  for (let k = 120n; k >= 1n; k--) [numerator, denominator] = [n * (denominator + numerator), d * k * denominator];
  return ((denominator + numerator) << 256n) / denominator;
}

/** A double as a fraction. */
function fraction(value: number): readonly [bigint, bigint] {
  let d = 1n;
  let n = value;
  while (!Number.isInteger(n)) {
    n *= 2;
    d *= 2n;
  }
  return [BigInt(n), d];
}

describe('probabilities to keep a segment', () => {
  it('are those of the closed form', () => {
    for (const [epsilon, delta, m] of [
      [1, 1e-5, 1],
      [0.5, 1e-6, 1],
      [2, 1e-5, 8],
      [4, 1e-9, 3],
      [0.1, 0.01, 1],
    ] as const) {
      const table = keepProbabilities({ epsilon, delta, maxContributions: m });
      for (const [n, p] of table.entries()) {
        const expected = closedForm(n, epsilon / m, delta / m);
        expect(Math.abs(toNumber(p) - expected)).toBeLessThan(1e-9 * Math.max(expected, 1e-9) + 1e-15);
      }
      expect(closedForm(table.length, epsilon / m, delta / m)).toBeGreaterThan(1 - 1e-9);
    }
  });

  it('of some budgets are these', () => {
    // Where a half is passed, by hand from the paper: about 1 + ln((e^ε - 1) / ((e^ε + 1) δ)) / ε people.
    const half = (budget: Budget): number => keepProbabilities(budget).findIndex((p) => 2n * p >= ONE);
    expect(half({ epsilon: 1, delta: 1e-5, maxContributions: 1 })).toBe(12);
    expect(half({ epsilon: 2, delta: 1e-5, maxContributions: 4 })).toBe(24);
  });

  it('rise with the people, from none at all to certainty', () => {
    fc.assert(
      fc.property(budgets, (budget) => {
        const table = keepProbabilities(budget);
        expect(table[0]).toBe(0n);
        expect(table.every((p, n) => n === 0 || (p > (table[n - 1] ?? 0n) && p < ONE))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('hold the definition exactly: whole numbers, no rounding, for one person more and one less', () => {
    fc.assert(
      fc.property(budgets, (budget) => {
        const m = BigInt(budget.maxContributions);
        const [en, ed] = fraction(budget.epsilon);
        const [dn, dd] = fraction(budget.delta);
        const [gn, gd] = [expBelow(en, ed * m), 1n << 256n];
        const table = [...keepProbabilities(budget), ONE, ONE];
        // p <= e^ε q + δ, with everything multiplied out; both for keeping and for leaving out, in both directions.
        const holds = (p: bigint, q: bigint): boolean => p * gd * dd * m <= gn * q * dd * m + dn * ONE * gd;
        for (let n = 1; n < table.length; n++) {
          const [fewer, more] = [table[n - 1] ?? 0n, table[n] ?? 0n];
          expect(holds(more, fewer) && holds(fewer, more)).toBe(true);
          expect(holds(ONE - more, ONE - fewer) && holds(ONE - fewer, ONE - more)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('are the largest that the definition allows, but for what is rounded', () => {
    const budget = { epsilon: 1, delta: 1e-3, maxContributions: 2 };
    const [growth, step] = [Math.exp(0.5), 5e-4];
    const table = keepProbabilities(budget).map(toNumber);
    for (let n = 1; n < table.length; n++) {
      const before = table[n - 1] ?? 0;
      const most = Math.min(growth * before + step, 1 - (1 - before - step) / growth);
      expect(table[n]).toBeCloseTo(most, 12);
    }
  });

  it.each([
    [{ epsilon: 0, delta: 1e-5, maxContributions: 1 }, 'epsilon'],
    [{ epsilon: NaN, delta: 1e-5, maxContributions: 1 }, 'epsilon'],
    [{ epsilon: 1, delta: 1e-5, maxContributions: 20_000 }, 'epsilon'],
    [{ epsilon: 1, delta: 0, maxContributions: 1 }, 'delta'],
    [{ epsilon: 1, delta: 1, maxContributions: 1 }, 'delta'],
    [{ epsilon: 1, delta: 1e-40, maxContributions: 1 }, 'too small'],
    [{ epsilon: 1, delta: 1e-5, maxContributions: 0 }, 'whole number'],
    [{ epsilon: 1, delta: 1e-5, maxContributions: 1.5 }, 'whole number'],
  ])('of %j are none', (budget, message) => {
    expect(() => keepProbabilities(budget)).toThrow(message);
  });
});

/** What is proposed, as bits by segment; with its probability, for people who have these segments each. */
function outcomes(people: readonly (readonly number[])[], segments: number, budget: Budget): number[] {
  const table = keepProbabilities(budget).map(toNumber);
  const result = Array.from({ length: 2 ** segments }, () => 0);
  const go = (i: number, counts: readonly number[], probability: number): void => {
    const own = people[i];
    if (own !== undefined) {
      const choices = subsets(own, Math.min(budget.maxContributions, own.length));
      for (const choice of choices) {
        go(
          i + 1,
          counts.map((n, s) => (choice.includes(s) ? n + 1 : n)),
          probability / choices.length,
        );
      }
      return;
    }
    for (const outcome of result.keys()) {
      let p = probability;
      for (const [s, n] of counts.entries()) {
        const kept = n === 0 ? 0 : (table[n] ?? 1);
        p *= ((outcome >> s) & 1) === 1 ? kept : 1 - kept;
      }
      result[outcome] = (result[outcome] ?? 0) + p;
    }
  };
  go(
    0,
    Array.from({ length: segments }, () => 0),
    1,
  );
  return result;
}

function subsets(items: readonly number[], size: number): number[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, i) => subsets(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}

/** The least delta with which `p` is within epsilon of `q`: what is above, summed over the worst event. */
const deltaNeeded = (p: readonly number[], q: readonly number[], epsilon: number): number =>
  p.reduce((sum, one, i) => sum + Math.max(0, one - Math.exp(epsilon) * (q[i] ?? 0)), 0);

describe('the whole selection, samples and all, worked out exactly', () => {
  const SEGMENTS = 3;
  const own = fc.uniqueArray(fc.nat(SEGMENTS - 1), { minLength: 1, maxLength: SEGMENTS });
  const cases = fc.record({
    people: fc.array(own, { maxLength: 4 }),
    another: own,
    epsilon: fc.constantFrom(0.4, 1, 2),
    delta: fc.constantFrom(0.02, 0.2),
    maxContributions: fc.constantFrom(1, 2, 3),
  });
  const worst = (
    { people, another, ...budget }: { people: number[][]; another: number[] } & Budget,
    spent: Budget = budget,
  ): number => {
    const without = outcomes(people, SEGMENTS, spent);
    const having = outcomes([...people, another], SEGMENTS, spent);
    return (
      Math.max(deltaNeeded(having, without, budget.epsilon), deltaNeeded(without, having, budget.epsilon)) -
      budget.delta
    );
  };

  it('changes with one person by no more than epsilon and delta', () => {
    fc.assert(
      fc.property(cases, (one) => {
        expect(worst(one)).toBeLessThan(1e-12);
      }),
      { numRuns: 150 },
    );
  });

  it('would be found out if every segment had the whole budget', () => {
    const one = {
      people: [[0], [1], [2], [0, 1, 2]],
      another: [0, 1, 2],
      epsilon: 0.4,
      delta: 0.02,
      maxContributions: 3,
    };
    expect(worst(one)).toBeLessThan(1e-12);
    expect(worst(one, { ...one, epsilon: 1.2, delta: 0.06 })).toBeGreaterThan(0.01);
  });
});

describe('drawing', () => {
  it('keeps as often as the table says', () => {
    const random = seededBytes(7);
    const budget = { epsilon: 1, delta: 0.01, maxContributions: 1 };
    const table = keepProbabilities(budget).map(toNumber);
    const { keeps } = byBudget(budget, random);
    const RUNS = 20_000;
    for (let n = 1; n < table.length; n++) {
      const p = table[n] ?? 1;
      let kept = 0;
      for (let i = 0; i < RUNS; i++) if (keeps(n)) kept++;
      // Six standard deviations.
      expect(Math.abs(kept / RUNS - p)).toBeLessThan(6 * Math.sqrt((p * (1 - p)) / RUNS) + 1 / RUNS);
    }
    expect(keeps(table.length)).toBe(true);
    expect(keeps(0)).toBe(false);
  });

  it('takes the random number as it is: kept just below the probability, not at it', () => {
    const budget = { epsilon: 1, delta: 0.01, maxContributions: 1 };
    const p = keepProbabilities(budget)[3] ?? 0n;
    const drawn = (value: bigint): boolean => {
      const bytes = Uint8Array.from(
        (value.toString(16).padStart(32, '0').match(/../gu) ?? []).map((hex) => parseInt(hex, 16)),
      );
      return byBudget(budget, () => bytes).keeps(3);
    };
    expect(drawn(p - 1n)).toBe(true);
    expect(drawn(p)).toBe(false);
  });

  it('by people keeps from k on', () => {
    const { keeps, maxContributions } = byPeople(20);
    expect([0, 1, 19, 20, 21].map(keeps)).toEqual([false, false, false, true, true]);
    expect(maxContributions).toBeNull();
  });

  it('samples every choice as often as any other, and never more than allowed', () => {
    const random = seededBytes(11);
    const counts = new Map<string, number>();
    const RUNS = 12_000;
    for (let i = 0; i < RUNS; i++) {
      const sample = createSample<number>(2, random);
      for (let item = 0; item < 5; item++) sample.put(item);
      const taken = sample
        .taken()
        .toSorted((a, b) => a - b)
        .join('');
      counts.set(taken, (counts.get(taken) ?? 0) + 1);
    }
    expect(counts.size).toBe(10);
    for (const n of counts.values()) expect(Math.abs(n - RUNS / 10)).toBeLessThan(6 * Math.sqrt(RUNS * 0.1 * 0.9));
  });

  it('of whole numbers stays below the limit, and throws away what would favour some', () => {
    const given = [Uint8Array.from([255, 255, 255, 255, 255, 255]), Uint8Array.from([0, 0, 0, 0, 0, 7])];
    expect(randomBelow(3, () => given.shift() ?? new Uint8Array(6))).toBe(1);
    expect(given).toEqual([]);
    const random = seededBytes(3);
    const seen = new Set(Array.from({ length: 200 }, () => randomBelow(3, random)));
    expect([...seen].toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
  });
});
