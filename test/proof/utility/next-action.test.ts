import { expect, it } from 'vitest';
import { nextActionAccuracy } from '../../../src/proof/utility/next-action.ts';
import { Random } from '../../../src/producers/simulator/random.ts';

const people = (sessionOf: (random: Random) => string[]): string[][][] => {
  const random = new Random(1, 'people');
  return Array.from({ length: 20 }, () => [sessionOf(random), sessionOf(random)]);
};

it('what always follows the same is predicted', () => {
  const cycle = ['focus|Word', 'click|Word', 'type|Word'];
  const { value, chance } = nextActionAccuracy(
    people(() => Array.from({ length: 60 }, (_, i) => cycle[i % 3] ?? '')),
    1,
    50,
  );
  expect(value).toBeGreaterThan(0.98);
  expect(chance).toBeCloseTo(1 / 3, 2);
});

it('what follows nothing is predicted as often as it is', () => {
  const { value, chance, range } = nextActionAccuracy(
    people((random) => Array.from({ length: 200 }, () => (random.chance(0.6) ? 'click|' : 'type|'))),
    1,
    50,
  );
  expect(value).toBeCloseTo(chance, 1);
  expect(value).toBeLessThan(0.65);
  expect(range[0]).toBeLessThanOrEqual(value);
});

it('the longer run decides where it knows more', () => {
  // After `b`, what came before it decides.
  const { value } = nextActionAccuracy(
    people((random) =>
      Array.from({ length: 60 }, () => (random.chance(0.5) ? ['a|', 'b|', 'x|'] : ['c|', 'b|', 'y|'])).flat(),
    ),
    1,
    20,
  );
  // A third of all is tossed; the rest is certain.
  expect(value).toBeGreaterThan(0.8);
});

it('nothing is learned from the person who is asked about', () => {
  // Each person has a word of their own that nobody else could teach.
  const own = Array.from({ length: 10 }, (_, i) => [Array.from({ length: 30 }, () => `${'abcdefghij'[i] ?? ''}|`)]);
  expect(nextActionAccuracy(own, 1, 20).value).toBe(0);
});
