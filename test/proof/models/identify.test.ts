/** The attack itself: it finds who is there to be found, and nobody where nobody is. */
import { describe, expect, it } from 'vitest';
import { isAtChance, measureNamed } from '../../../src/proof/measure.ts';
import { identify, measuresOf, MODELS, shuffleIdentities, trialOf } from '../../../src/proof/models/identify.ts';
import type { Subject } from '../../../src/proof/models/model.ts';
import { areaUnderCurve, equalErrorRate, topOne } from '../../../src/proof/statistics/measures.ts';
import { mean } from '../../../src/proof/statistics/intervals.ts';
import { Random } from '../../../src/producers/simulator/random.ts';

/** People whose recordings scatter around a point of their own; `own`: how far those points lie apart. */
function people(count: number, own: number, seed: number, features = 12): Subject[] {
  const random = new Random(seed, 'people');
  const normal = (spread: number): number => spread * random.normal();
  return Array.from({ length: count }, () => {
    const centre = Array.from({ length: features }, () => normal(own));
    const recording = (): Float64Array => Float64Array.from(centre, (value) => value + normal(1));
    return { enrol: [recording(), recording(), recording()], probe: [recording(), recording()] };
  });
}

const run = (subjects: readonly Subject[], models = MODELS, seed = 1) =>
  identify(subjects, { models, random: new Random(seed, 'run'), rounds: 100 });

describe('identity that is planted', () => {
  it.each(MODELS)('is found by $name', (model) => {
    const found = run(people(60, 2, 11), [model]);
    expect(measureNamed(found, 'AUC').value).toBeGreaterThan(0.9);
    expect(measureNamed(found, 'top-1').value).toBeGreaterThan(10 * measureNamed(found, 'top-1').chance);
    expect(measureNamed(found, 'EER').value).toBeLessThan(0.2);
    for (const measure of found) expect(isAtChance(measure)).toBe(false);
  });

  it('is found in one feature among a hundred that say nothing', () => {
    const random = new Random(12, 'needle');
    const subjects = people(80, 0, 12, 100).map(({ enrol, probe }): Subject => {
      const own = 12 * random.normal();
      const mark = (vector: Float64Array): Float64Array => vector.map((value, i) => (i === 40 ? own + value : value));
      return { enrol: enrol.map(mark), probe: probe.map(mark) };
    });
    expect(measureNamed(run(subjects), 'AUC').value).toBeGreaterThan(0.85);
  });

  it('is found again with the same seed, to the last digit', () => {
    expect(run(people(40, 1, 13))).toEqual(run(people(40, 1, 13)));
  });
});

describe('identity that is absent', () => {
  it('is not found: on average over worlds, the strongest method is where chance is', () => {
    const tops: number[] = [];
    const areas: number[] = [];
    let outside = 0;
    for (let seed = 1; seed <= 8; seed += 1) {
      const found = run(people(30, 0, seed), MODELS, seed);
      tops.push(measureNamed(found, 'top-1').value - mean(measureNamed(found, 'top-1').chanceRange));
      areas.push(measureNamed(found, 'AUC').value - mean(measureNamed(found, 'AUC').chanceRange));
      if (!isAtChance(measureNamed(found, 'AUC'))) outside += 1;
    }
    expect(Math.abs(mean(areas))).toBeLessThan(0.03);
    expect(Math.abs(mean(tops))).toBeLessThan(0.03);
    expect(outside).toBeLessThanOrEqual(2);
  });

  it('is not found where all recordings are alike: ties count by their share', () => {
    const same = Array.from({ length: 20 }, (): Subject => ({
      enrol: [Float64Array.of(1, 2)],
      probe: [Float64Array.of(1, 2)],
    }));
    const found = run(same);
    expect(measureNamed(found, 'top-1').value).toBeCloseTo(1 / 10, 10);
    expect(measureNamed(found, 'AUC').value).toBeCloseTo(0.5, 10);
    expect(measureNamed(found, 'EER').value).toBeCloseTo(0.5, 10);
  });

  it('is what shuffling makes, without losing a recording', () => {
    const before = people(50, 3, 14);
    const after = shuffleIdentities(before, new Random(9, 'mix'));
    const all = (subjects: readonly Subject[]): Set<Float64Array> =>
      new Set(subjects.flatMap(({ enrol, probe }) => [...enrol, ...probe]));
    expect(all(after)).toEqual(all(before));
    expect(after.map(({ enrol, probe }) => [enrol.length, probe.length])).toEqual(before.map(() => [3, 2]));
    const found = run(after);
    expect(measureNamed(found, 'AUC').value).toBeLessThan(0.6);
    expect(measureNamed(found, 'top-1').value).toBeLessThan(0.2);
  });
});

it('nothing of a tested person is learned from', () => {
  const seen: (readonly Subject[])[] = [];
  const subjects = people(20, 1, 15);
  const spy = {
    name: 'spy',
    fit: (background: readonly Subject[]) => (
      seen.push(background),
      MODELS[0]?.fit(background, new Random(1)) ?? never()
    ),
  };
  run(subjects, [{ ...spy, takesAll: true }]);
  expect(seen).toHaveLength(2);
  const [first = [], second = []] = seen;
  expect(first.length + second.length).toBe(20);
  expect(first.filter((one) => second.includes(one))).toEqual([]);
});

const never = (): never => {
  throw new Error('there is no model');
};

describe('the figures of a matrix of scores', () => {
  const random = new Random(16, 'matrix');
  const scores = Array.from({ length: 30 }, (_, i) =>
    Float64Array.from({ length: 30 }, (_, j) => random.normal() + (i === j ? 1 : 0)),
  );
  const genuine = scores.map((row, i) => row[i] ?? 0);
  const impostor = scores.flatMap((row, i) => [...row].filter((_, j) => j !== i));
  const found = measuresOf([{ name: 'given', trials: [trialOf(scores)] }], { random, rounds: 300 });

  it('are those of its genuine and impostor scores', () => {
    expect(measureNamed(found, 'AUC').value).toBeCloseTo(areaUnderCurve(genuine, impostor), 10);
    expect(measureNamed(found, 'EER').value).toBeCloseTo(equalErrorRate(genuine, impostor), 1);
    expect(measureNamed(found, 'top-1').value).toBeCloseTo(mean(scores.map((row, i) => topOne(row, i))), 10);
  });

  it('lie in their own intervals, and chance in those of chance', () => {
    for (const { value, range, chance, chanceRange } of found) {
      expect(range[0]).toBeLessThanOrEqual(value);
      expect(range[1]).toBeGreaterThanOrEqual(value);
      expect(chanceRange[0]).toBeLessThanOrEqual(chance);
      expect(chanceRange[1]).toBeGreaterThanOrEqual(chance);
    }
    // 30 people: the standard deviation of an AUC by chance is about sqrt(1 / 12 / 30) = 0.053.
    const [low, high] = measureNamed(found, 'AUC').chanceRange;
    expect(high - low).toBeGreaterThan(0.14);
    expect(high - low).toBeLessThan(0.28);
  });
});
