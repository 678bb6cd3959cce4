import { describe, expect, it } from 'vitest';
import { DOCUMENTS } from '../../../src/privacy/recognizers/documents/index.ts';
import { MIN_SCORE, recognize } from '../../../src/privacy/recognizers/index.ts';
import { labelOf, lengthOf, randomFrom, validNumbers, written } from './support/planted.ts';

const SEED = 11;
/** Share of strings of its form that may pass for a document that needs no word beside it. */
const MOST_BY_CHANCE = 0.03;

describe('documents', () => {
  it('have names of their own, and forms that their patterns can have', () => {
    expect(new Set(DOCUMENTS.map(({ name }) => name)).size).toBe(DOCUMENTS.length);
    expect(new Set(DOCUMENTS.map(({ name }) => name.slice(0, 2))).size).toBeGreaterThan(50);
  });

  it.each(DOCUMENTS.map((document) => [document.name, document] as const))('%s', (name, document) => {
    const numbers = validNumbers(document, 2, SEED);
    expect(numbers.length).toBeGreaterThan(0);
    for (const number of numbers) {
      for (const form of document.forms.filter((each) => lengthOf(each) === number.length)) {
        const text = `${labelOf(document)}: ${written(document, number, form)}`;
        const span = recognize(text).find(({ end }) => end === text.length);
        expect(span?.score ?? 0, `${name}: ${text}`).toBeGreaterThanOrEqual(MIN_SCORE);
      }
    }
  });

  it.each(
    DOCUMENTS.filter(
      ({ score, check, forms }) =>
        score >= MIN_SCORE && check !== undefined && forms.some((form) => /^\d+$/u.test(form)),
    ).map((document) => [document.name, document] as const),
  )('%s is no number that many others are', (_, document) => {
    const random = randomFrom(SEED);
    const [sample = ''] = validNumbers(document, 1, SEED);
    const tries = 4_000;
    let passed = 0;
    for (let i = 0; i < tries; i += 1) {
      const other = sample.replace(/\d/gu, () => String(random(10)));
      if (document.pattern.test(other) && document.check?.(other, other) === true) passed += 1;
    }
    // Letters in set places make a string rare by themselves.
    const rarity = 10 ** -(sample.match(/[A-Z]/gu) ?? []).length;
    expect((passed / tries) * rarity).toBeLessThanOrEqual(MOST_BY_CHANCE);
  });
});
