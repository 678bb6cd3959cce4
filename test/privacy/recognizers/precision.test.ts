import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { recognize } from '../../../src/privacy/recognizers/index.ts';

/** How many of the texts may be altered: one in two hundred. */
const MOST_ALTERED = 0.005;

const texts = readFileSync(new URL('ui-strings.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('# ') && !/^\[.*\]$/u.test(line))
  .map((line) => line.replace('{/}', '/'));

it('leaves the texts of real programs alone', () => {
  expect(texts.length).toBeGreaterThan(1_500);
  const offenders = texts.flatMap((text) => {
    const spans = recognize(text);
    return spans.length === 0 ? [] : [`${text}  [${spans.map(({ kind, checked }) => `${kind} ${checked}`).join()}]`];
  });
  expect(offenders.length > texts.length * MOST_ALTERED ? offenders : []).toEqual([]);
});
