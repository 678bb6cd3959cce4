import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { distance } from '../../../src/proof/attacks/sentence.ts';

it.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['Saturday', 'Sunday', 3],
])('from %j to %j it takes %d changes', (a, b, changes) => {
  expect(distance(a, b)).toBe(changes);
});

it('distance is a metric', () => {
  const text = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      expect(distance(a, b)).toBe(distance(b, a));
      expect(distance(a, b) === 0).toBe(a === b);
      expect(distance(a, c)).toBeLessThanOrEqual(distance(a, b) + distance(b, c));
    }),
  );
});
