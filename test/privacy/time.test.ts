import { describe, expect, it } from 'vitest';
import { createContextRule } from '../../src/privacy/contexts.ts';
import { lettersOf } from '../../src/privacy/letters.ts';
import { foldAccents, normaliseSegment, spellSegment, splitSegments, tokens } from '../../src/privacy/text.ts';
import { withoutEdges } from '../../src/privacy/vocabulary.ts';
import { policyWith } from '../helpers/line.ts';

/** What a text is filled with to make a search go wrong: each stands for a way to be slow. */
const UNITS = {
  letters: 'a',
  capitals: 'A ',
  spaces: ' ',
  'line breaks': '\n',
  dashes: '-',
  'spaced dashes': ' - ',
  'dashes without an end': ' --',
  stars: '*',
  'accelerators without an end': '(f) ',
  numbers: '1.',
  digits: '1',
  underscores: '_',
  slashes: '/',
  'marks out of order': '\u0300\u0323',
  'voicing signs out of order': '\uFF9E\u0323\u0300',
  'zero-width characters': '\u200B',
  dots: '.',
  labels: 'a.',
  'bars and words': 'a | ',
} as const;

/** Linear takes a few ms; quadratic took seconds. */
const BUDGET_MS = 500;

/** Processor time in ms: what other processes do does not count. */
function timeOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

// The end makes searches for what ends a text fail only after they have looked at all of it.
const filled = (unit: string, length: number): string => `${unit.repeat(Math.ceil(length / unit.length))}x`;

// Beside other work a measurement may be of that: what is quadratic fails each time.
describe.each(Object.entries(UNITS))('a text full of %s takes linear time', { retry: 3 }, (_, unit) => {
  it.each(
    Object.entries({ normaliseSegment, spellSegment, splitSegments, tokens, foldAccents, withoutEdges, lettersOf }),
  )('in %s', (_name, work) => {
    expect(timeOf(() => void work(filled(unit, 32_768)))).toBeLessThan(BUDGET_MS);
  });

  const isExcluded = createContextRule(policyWith());
  const place = { app: '', title: '', url: '', private: false };

  it.each(['app', 'title', 'url'] as const)('as the %s of a context, however long', (field) => {
    const text = filled(unit, 262_144);
    const url = `https://${text}`;
    let excluded = false;
    const took = timeOf(() => {
      excluded = isExcluded({ ...place, [field]: field === 'url' ? url : text });
    });
    expect(excluded).toBe(true);
    expect(took).toBeLessThan(BUDGET_MS);
  });

  it.each(['app', 'title', 'url'] as const)(
    'as the longest %s that is looked at, in a whole table of them',
    (field) => {
      const text = filled(unit, field === 'url' ? 8_000 : 1_000);
      const value = field === 'url' ? `https://${text}` : text;
      const many = Array.from({ length: field === 'url' ? 10 : 80 }, (_, i) => ({ ...place, [field]: value + i }));
      expect(timeOf(() => void many.map(isExcluded))).toBeLessThan(BUDGET_MS);
    },
  );
});
