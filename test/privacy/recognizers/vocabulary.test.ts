import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { recognize } from '../../../src/privacy/recognizers/index.ts';
import { parseVocabulary } from '../../../src/privacy/vocabulary.ts';

it('recognisers object to no entry of the base vocabulary: each would be cut from every text', () => {
  const file = new URL('../../../policies/vocabulary.txt', import.meta.url);
  const entries = parseVocabulary(readFileSync(file, 'utf8'), 'vocabulary.txt').filter(({ kind }) => kind !== 'host');
  expect(entries.length).toBeGreaterThan(3_000);
  const objected = entries.flatMap(({ kind, text }) =>
    recognize(text).map((span) => `${kind} ${text}: ${span.kind} ${span.checked}`),
  );
  expect(objected).toEqual([]);
});
