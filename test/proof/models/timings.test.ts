import { describe, expect, it } from 'vitest';
import type { Stroke } from '../../../src/proof/data/typing.ts';
import { learnTimings, strokesOf } from '../../../src/proof/models/timings.ts';
import { Random } from '../../../src/producers/simulator/random.ts';

/** `ab` is quick and `ba` slow, with some noise. */
function typed(text: string, random: Random): Stroke[] {
  let press = 0;
  return Array.from(text).map((key, i) => {
    if (i > 0) press += (text[i - 1] === 'a' && key === 'b' ? 80 : 240) + random.between(0, 30);
    return { press: Math.round(press), release: Math.round(press + 60), key };
  });
}

describe('timing of keys', () => {
  const random = new Random(1, 'timings');
  const background = Array.from({ length: 200 }, () => typed(random.text('ab', 20), random));
  const likelihood = learnTimings(background);

  it('tells which text was typed, without its keys', () => {
    let right = 0;
    for (let n = 0; n < 100; n += 1) {
      const [text, other] = [random.text('ab', 12), random.text('ab', 12)];
      const strokes = typed(text, random).map((stroke) => ({ ...stroke, key: 'x' }));
      if (text === other || likelihood(strokes, strokesOf(text)) > likelihood(strokes, strokesOf(other))) right += 1;
    }
    expect(right).toBeGreaterThan(90);
  });

  it('says nothing where the numbers of keys differ', () => {
    expect(likelihood(typed('abab', random), ['a', 'b'])).toBe(Number.NEGATIVE_INFINITY);
  });
});

it('capitals and signs above need Shift', () => {
  expect(strokesOf('Ab?')).toEqual(['Shift', 'a', 'b', 'Shift', '?']);
  expect(strokesOf("it's, 1.")).toEqual(Array.from("it's, 1."));
});
