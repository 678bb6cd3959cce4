import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areaUnderCurve,
  countBelow,
  countUpTo,
  equalErrorRate,
  topOne,
} from '../../../src/proof/statistics/measures.ts';
import { Random } from '../../../src/producers/simulator/random.ts';

const scores = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 40 });

describe('the area under the curve', () => {
  it.each([
    ['is 1 where all genuine scores are above all others', [3, 4], [1, 2], 1],
    ['is 0 where all are below', [1, 2], [3, 4], 0],
    ['is one half where all are equal', [5, 5, 5], [5, 5], 0.5],
    ['counts pairs: three of four are right', [1, 3], [0, 2], 0.75],
    ['counts ties half', [1, 2], [1, 2], 0.5],
    ['counts a tie among right ones', [2, 2], [1, 2], 0.75],
  ])('%s', (_what, genuine, impostor, area) => {
    expect(areaUnderCurve(genuine, impostor)).toBeCloseTo(area, 12);
  });

  it('is what counting every pair gives', () => {
    fc.assert(
      fc.property(scores, scores, (genuine, impostor) => {
        let wins = 0;
        for (const g of genuine) for (const i of impostor) wins += g > i ? 1 : g === i ? 0.5 : 0;
        expect(areaUnderCurve(genuine, impostor)).toBeCloseTo(wins / (genuine.length * impostor.length), 10);
      }),
    );
  });

  it('of two normal distributions is what the closed form says', () => {
    // AUC = Phi(d / sqrt 2) for means d apart and variance 1; Phi(1 / sqrt 2) = 0.7602.
    const random = new Random(7, 'auc');
    const genuine = Array.from({ length: 20_000 }, () => random.normal() + 1);
    const impostor = Array.from({ length: 20_000 }, () => random.normal());
    expect(areaUnderCurve(genuine, impostor)).toBeCloseTo(0.7602, 2);
  });

  it('is not a number without scores', () => {
    expect(areaUnderCurve([], [1])).toBeNaN();
    expect(areaUnderCurve([1], [])).toBeNaN();
  });
});

describe('the equal error rate', () => {
  it.each([
    ['is 0 where nothing overlaps', [3, 4], [1, 2], 0],
    ['is 1 where everything is the wrong way round', [1, 2], [3, 4], 1],
    ['is one half where all are equal', [5, 5], [5, 5, 5], 0.5],
    ['is where both errors are equal: one of four on each side', [2, 4, 5, 6], [0, 1, 1.5, 3], 0.25],
  ])('%s', (_what, genuine, impostor, rate) => {
    expect(equalErrorRate(genuine, impostor)).toBeCloseTo(rate, 12);
  });

  it('of two normal distributions is what the closed form says', () => {
    // EER = Phi(-d / 2); Phi(-1) = 0.1587.
    const random = new Random(8, 'eer');
    const genuine = Array.from({ length: 20_000 }, () => random.normal() + 2);
    const impostor = Array.from({ length: 20_000 }, () => random.normal());
    expect(equalErrorRate(genuine, impostor)).toBeCloseTo(0.1587, 2);
  });

  it('does not change when scores are stretched, and is mirrored when they are turned round', () => {
    fc.assert(
      fc.property(scores, scores, (genuine, impostor) => {
        const rate = equalErrorRate(genuine, impostor);
        const stretched = (list: readonly number[]): number[] => list.map((score) => score * 3 + 100);
        expect(equalErrorRate(stretched(genuine), stretched(impostor))).toBeCloseTo(rate, 10);
        const turned = (list: readonly number[]): number[] => list.map((score) => -score);
        expect(equalErrorRate(turned(genuine), turned(impostor))).toBeCloseTo(1 - rate, 10);
      }),
    );
  });
});

describe('the first place', () => {
  it.each([
    ['is a hit alone at the top', [1, 5, 2], 1, 1],
    ['is no hit below', [1, 5, 2], 2, 0],
    ['is shared by those who are equal', [5, 5, 2, 5], 0, 1 / 3],
    ['is nothing of its own where all are equal', [0, 0, 0, 0], 3, 1 / 4],
  ])('%s', (_what, list, right, credit) => {
    expect(topOne(list, right)).toBeCloseTo(credit, 12);
  });

  it('over all candidates is given once', () => {
    fc.assert(
      fc.property(scores, (list) => {
        const sum = list.reduce((total, _, right) => total + topOne(list, right), 0);
        expect(sum).toBeCloseTo(1, 10);
      }),
    );
  });
});

it('counts in sorted lists are those of counting', () => {
  fc.assert(
    fc.property(scores, fc.integer({ min: -21, max: 21 }), (list, value) => {
      const sorted = list.toSorted((a, b) => a - b);
      expect(countBelow(sorted, value)).toBe(list.filter((other) => other < value).length);
      expect(countUpTo(sorted, value)).toBe(list.filter((other) => other <= value).length);
    }),
  );
});
