import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RECOGNIZERS, type SpanKind } from '../../../src/privacy/recognizers/index.ts';

/** A labelled case; spans count code points, null when only their number is known. */
interface Case {
  readonly entity: string;
  readonly text: string;
  readonly expected_len: number;
  readonly spans: readonly (readonly [number, number])[] | null;
}

const KINDS: Readonly<Record<string, SpanKind>> = {
  CREDIT_CARD: 'card',
  IBAN_CODE: 'iban',
  EMAIL_ADDRESS: 'email',
  IP_ADDRESS: 'ip',
  PHONE_NUMBER: 'phone',
};

/** Where we differ on purpose, and how many cases that is. */
const DIFFERENT: Readonly<Record<string, { cases: number; because: string }>> = {
  EMAIL_ADDRESS: { cases: 1, because: 'user@host without a top-level domain is taken for personal' },
  IBAN_CODE: { cases: 1, because: 'letters may be of either case' },
  IP_ADDRESS: { cases: 7, because: '`::` alone is C++ more often; five dotted numbers are a section or a version' },
  PHONE_NUMBER: {
    cases: 4,
    because: 'bare digits, digits glued to words and regional hints are not taken for a number',
  },
};

const folder = process.env['REDACTORY_DATA'];

describe.skipIf(folder === undefined)('labelled cases of Presidio (skipped: REDACTORY_DATA names no folder)', () => {
  const cases = folder === undefined ? [] : readCases(folder);

  it.each(Object.entries(KINDS))('%s', (entity, kind) => {
    const mine = cases.filter((each) => each.entity === entity);
    const wrong = mine.filter((each) => !agrees(each, kind)).map(({ text }) => text);
    expect(mine.length).toBeGreaterThan(5);
    const known = DIFFERENT[entity]?.cases ?? 0;
    expect(wrong.length > known ? wrong : []).toEqual([]);
  });
});

function readCases(folder: string): readonly Case[] {
  return JSON.parse(readFileSync(join(folder, 'pii', 'presidio_cases.json'), 'utf8')) as readonly Case[];
}

function agrees({ text, expected_len, spans }: Case, kind: SpanKind): boolean {
  const found = RECOGNIZERS.filter(({ kinds }) => kinds.includes(kind)).flatMap((recognizer) => recognizer.find(text));
  const codePoints = (unit: number): number => Array.from(text.slice(0, unit)).length;
  return (
    found.length === expected_len &&
    (spans ?? []).every(([start, end], i) => {
      const span = found[i];
      return span !== undefined && codePoints(span.start) === start && codePoints(span.end) === end;
    })
  );
}
