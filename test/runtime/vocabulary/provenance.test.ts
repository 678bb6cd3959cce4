import { describe, expect, it } from 'vitest';
import { commentsOn, describeStretch, peopleBucket } from '../../../src/runtime/vocabulary/provenance.ts';

const MADE = {
  mechanism: { kind: 'people', k: 20 },
  asked: { from: Date.UTC(2026, 10, 1, 8, 13), to: Date.UTC(2026, 10, 3) },
  people: 137,
  policy: 'sha256:p',
  base: 'sha256:b',
  digest: 'sha256:d',
  now: Date.UTC(2026, 10, 25, 9, 17),
} as const;

describe('comments on how a vocabulary was made', () => {
  it('name days and buckets, no times and no counts', () => {
    const text = commentsOn(MADE).join('\n');
    expect(text).toContain('stretch: 2026-11-01 to 2026-11-02');
    expect(text).toContain('people: 100 to 999');
    expect(text).toContain('made on: 2026-11-25');
    expect(text).not.toMatch(/137|\d:\d\d/u);
  });

  it('with a budget are the same whoever took part', () => {
    const mechanism = { kind: 'dp', epsilon: 1, delta: 1e-6, maxContributions: 5 } as const;
    const [few, many] = [3, 3_000].map((people) => commentsOn({ ...MADE, mechanism, people }));
    expect(few).toEqual(many);
  });
});

it.each([
  [0, 'fewer than 20'],
  [19, 'fewer than 20'],
  [20, '20 to 99'],
  [99, '20 to 99'],
  [100, '100 to 999'],
  [12_345, '10,000 to 99,999'],
])('%d people are %s', (people, bucket) => {
  expect(peopleBucket(people)).toBe(bucket);
});

it('a stretch without bounds is named without asking the log', () => {
  expect(describeStretch({ asked: { from: null, to: null }, now: MADE.now })).toBe(
    'the first day that was kept to 2026-11-25',
  );
});
