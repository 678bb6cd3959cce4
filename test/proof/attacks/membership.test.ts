import { describe, expect, it } from 'vitest';
import { attackVocabulary, seenBy, selectedBy, type PersonTexts } from '../../../src/proof/attacks/membership.ts';
import { isAtChance, measureNamed } from '../../../src/proof/measure.ts';
import { mean } from '../../../src/proof/statistics/intervals.ts';
import { Random } from '../../../src/producers/simulator/random.ts';

/** People with texts that everybody has, and some of their own. */
const office = Array.from({ length: 48 }, (_, i): { texts: PersonTexts } => ({
  texts: new Set(['save', 'open', 'print', `client ${i}`, `project ${i}`, `team ${i % 6}`]),
}));

const run = (make: Parameters<typeof attackVocabulary>[1]) =>
  attackVocabulary(office, make, new Random(1, 'membership'), 100);

describe('who took part', () => {
  it('is told by a vocabulary of everything', () => {
    const found = run(seenBy(1));
    expect(measureNamed(found, 'AUC').value).toBeGreaterThan(0.95);
    expect(measureNamed(found, 'advantage').value).toBeGreaterThan(0.9);
  });

  it('is not told by a vocabulary that was there before', () => {
    const shipped = new Set(['save', 'open', 'team 2', 'client 3', 'client 4']);
    const runs = Array.from({ length: 20 }, (_, seed) => attackVocabulary(office, () => shipped, new Random(seed), 60));
    for (const name of ['AUC', 'advantage']) {
      const measures = runs.map((run) => measureNamed(run, name));
      expect(Math.abs(mean(measures.map(({ value, chance }) => value - chance)))).toBeLessThan(0.03);
      expect(measures.filter((measure) => !isAtChance(measure)).length).toBeLessThanOrEqual(3);
    }
  });

  it('is as sure as other people would leave it, although the trials share the people', () => {
    // Whoever has no texts of their own is taken for a member in every trial.
    const worker = (random: Random, n: number) => ({
      texts: new Set(['save', random.whole(0, 1) === 0 ? 'open' : `own ${n}`]),
    });
    const found = Array.from({ length: 30 }, (_, seed) => {
      const random = new Random(seed, 'people');
      const people = Array.from({ length: 40 }, (_, n) => worker(random, n));
      return measureNamed(attackVocabulary(people, seenBy(1), new Random(seed), 100), 'AUC');
    });
    const centre = mean(found.map(({ value }) => value));
    const spread = Math.sqrt(mean(found.map(({ value }) => (value - centre) ** 2)));
    // Of a normal distribution 3.9; drawn anew for each trial, the intervals were 1.8 wide.
    expect(mean(found.map(({ range: [low, high] }) => high - low))).toBeGreaterThan(2.8 * spread);
  });

  it('is told less the more people must share a text', () => {
    const advantage = (least: number): number => measureNamed(run(seenBy(least)), 'AUC').value;
    expect(advantage(1)).toBeGreaterThan(advantage(2) + 0.05);
    expect(advantage(12)).toBeLessThan(0.6);
  });
});

it('what a budget selects is shared by many, and not the same each time', () => {
  const make = selectedBy({ epsilon: 8, delta: 1e-3, maxContributions: 3 }, new Random(7));
  const made = Array.from({ length: 20 }, () => make(office.map(({ texts }) => texts)));
  for (const text of new Set(made.flatMap((entries) => [...entries]))) expect(text).not.toMatch(/^(client|project) /u);
  expect(made.filter((entries) => entries.has('save')).length).toBeGreaterThan(15);
  expect(new Set(made.map((entries) => [...entries].toSorted().join())).size).toBeGreaterThan(1);
});

it('what so many people showed is what so many showed', () => {
  const people = [new Set(['a', 'b']), new Set(['b', 'c']), new Set(['b', 'c'])];
  expect(seenBy(1)(people)).toEqual(new Set(['a', 'b', 'c']));
  expect(seenBy(2)(people)).toEqual(new Set(['b', 'c']));
  expect(seenBy(3)(people)).toEqual(new Set(['b']));
});
