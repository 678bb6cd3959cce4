import { faker } from '@faker-js/faker';
import { afterAll, expect, it } from 'vitest';
import { recognize } from '../../../src/privacy/recognizers/index.ts';
import { pick, plant, randomFrom, TRICKS } from './support/planted.ts';
import { printTable } from './support/table.ts';

const CASES = Number(process.env['REDACTORY_FUZZ_CASES'] ?? 2_000);
const SEED = Number(process.env['REDACTORY_SEED'] ?? 1);
/** Share of what was planted that must be found, all of it within spans. */
const LEAST = 0.98;
const LEAST_OF_A_KIND = 0.9;

const WORDS = [
  'the',
  'report',
  'from',
  'Büro',
  'écran',
  'on',
  'список',
  '報告',
  'und',
  'para',
  'Window',
  'of',
  'done',
  '😀',
  'a',
  '—',
];

interface Count {
  found: number;
  planted: number;
}

const byKind = new Map<string, Count>();
const byTrick = new Map<string, Count>();

const count = (counts: Map<string, Count>, key: string, isFound: boolean): void => {
  const before = counts.get(key) ?? { found: 0, planted: 0 };
  counts.set(key, { found: before.found + Number(isFound), planted: before.planted + 1 });
};

it(`finds what is planted under Unicode tricks (${CASES} texts, seed ${SEED})`, () => {
  faker.seed(SEED);
  const random = randomFrom(SEED);
  const missed: string[] = [];
  for (let i = 0; i < CASES; i += 1) {
    const planted = plant(random);
    const trick = pick(random, Object.keys(TRICKS));
    const hidden = TRICKS[trick]?.(planted.text, random) ?? planted.text;
    const words = (): string => Array.from({ length: random(6) }, () => pick(random, WORDS)).join(' ');
    const before = `${words()} ${planted.label}`.trimStart();
    const text = `${before} ${hidden} ${words()}`;
    const start = before.length + 1;
    const spans = recognize(text);
    // White space and invisible marks at the edges may stay.
    const isFound =
      spans.some((span) => span.start <= start + 2 && span.end >= start + hidden.length - 3) ||
      coversValue(spans, hidden, start);
    count(byKind, planted.kind, isFound);
    count(byTrick, trick, isFound);
    if (!isFound) missed.push(`${planted.name}, ${trick}: ${JSON.stringify(text)}`);
    for (const span of spans) expect(span.start >= 0 && span.end <= text.length && span.start < span.end).toBe(true);
  }
  const share = 1 - missed.length / CASES;
  expect(share, `seed ${SEED}:\n${missed.slice(0, 40).join('\n')}`).toBeGreaterThanOrEqual(LEAST);
  const poor = [...byKind].filter(([, { found, planted }]) => planted >= 20 && found / planted < LEAST_OF_A_KIND);
  expect(poor, `seed ${SEED}:\n${missed.join('\n')}`).toEqual([]);
});

/** Of a URL, the secret in it is what must be covered. */
function coversValue(spans: readonly { start: number; end: number }[], hidden: string, start: number): boolean {
  return spans.some(
    (span) =>
      span.end - span.start >= 12 &&
      span.start >= start &&
      span.end <= start + hidden.length &&
      /[:：]/u.test(hidden) &&
      /\/|／/u.test(hidden),
  );
}

it('crashes on nothing', () => {
  const random = randomFrom(SEED + 1);
  for (let i = 0; i < CASES; i += 1) {
    const text = Array.from({ length: random(80) }, () =>
      random(3) === 0
        ? pick(random, [
            '@',
            '://',
            '-',
            '.',
            '\u0301',
            '\u200B',
            '\uD800',
            ' ',
            '0',
            'password=',
            '\\\\',
            '[',
            '%40',
            '٣',
            'Ⅷ',
            '﷽',
          ])
        : String.fromCharCode(random(0x10000)),
    ).join('');
    for (const { start, end } of recognize(text, 0)) expect(start < end && end <= text.length).toBe(true);
  }
});

afterAll(() => {
  const rows = (
    counts: ReadonlyMap<string, Count>,
  ): { name: string; planted: number; found: number; share: string }[] =>
    [...counts].map(([name, { found, planted }]) => ({ name, planted, found, share: (found / planted).toFixed(3) }));
  printTable('found by kind', rows(byKind));
  printTable('found by trick', rows(byTrick));
});
