import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { byBudget, byPeople, type Budget, type Selection } from '../../../src/privacy/partition-selection.ts';
import { createPeopleCounter } from '../../../src/runtime/vocabulary/count.ts';
import { openSpillFolder } from '../../../src/runtime/vocabulary/spill.ts';
import { seededBytes } from '../../helpers/seeded-bytes.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-count-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

interface Counted {
  readonly kept: readonly string[];
  readonly people: number;
  readonly spilled: number;
}

const PLENTY = 1 << 26;

/** People by name, each with the texts that they saw, again and again. */
async function count(
  people: Readonly<Record<string, readonly string[]>>,
  selection: Selection,
  { limitBytes = PLENTY, seed = 1, times = 1 } = {},
): Promise<Counted> {
  const counter = createPeopleCounter({
    selection,
    random: seededBytes(seed),
    limitBytes,
    folder: () => openSpillFolder(dir),
  });
  for (let i = 0; i < times; i++) {
    for (const [person, texts] of Object.entries(people)) {
      for (const text of texts) counter.add(person, { kind: text.startsWith('/') ? 'path' : 'text', text });
      await counter.settle();
    }
  }
  const kept: string[] = [];
  for await (const { kind, text } of counter.selected()) kept.push(`${kind} ${text}`);
  const result = { kept, people: counter.people, spilled: counter.spilled };
  await counter.close();
  return result;
}

const everybody = fc.dictionary(
  fc.stringMatching(/^[a-h]$/u),
  fc.array(fc.constantFrom('Save', 'Save as', 'Save\u{1F600}', 'Ünder', '/edit', 'Inbox ({n})'), { maxLength: 8 }),
);

describe('by people', () => {
  it('a segment is kept from k distinct people on, however often each saw it', async () => {
    const people = { ann: ['Save', 'Save', 'Mine'], bob: ['Save', '/edit'], eve: ['/edit', 'Save as'] };
    expect((await count(people, byPeople(2), { times: 3 })).kept).toEqual(['path /edit', 'text Save']);
    expect((await count(people, byPeople(3))).kept).toEqual([]);
    expect((await count(people, byPeople(2))).people).toBe(3);
  });

  it('is exact, with as little memory as there is: the same with files as without, and as counted one by one', async () => {
    await fc.assert(
      fc.asyncProperty(everybody, fc.integer({ min: 1, max: 4 }), async (people, k) => {
        const counts = new Map<string, Set<string>>();
        for (const [person, texts] of Object.entries(people)) {
          for (const text of texts) {
            const name = `${text.startsWith('/') ? 'path' : 'text'} ${text}`;
            counts.set(name, (counts.get(name) ?? new Set()).add(person));
          }
        }
        const expected = [...counts].filter(([, of]) => of.size >= k).map(([name]) => name);
        const inMemory = await count(people, byPeople(k), { times: 2 });
        const onDisk = await count(people, byPeople(k), { times: 2, limitBytes: 1 });
        expect(inMemory.kept.toSorted()).toEqual(expected.toSorted());
        expect(onDisk.kept).toEqual(inMemory.kept);
        expect(onDisk.spilled > 0 || counts.size === 0).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

describe('with a budget', () => {
  const budget: Budget = { epsilon: 1.5, delta: 0.05, maxContributions: 2 };
  const select = (
    people: Readonly<Record<string, readonly string[]>>,
    seed: number,
    limitBytes = PLENTY,
  ): Promise<Counted> => count(people, byBudget(budget, seededBytes(seed + 500_000)), { seed, limitBytes });

  it('a person counts for no more than was allowed', async () => {
    const asked: number[] = [];
    const selection: Selection = {
      maxContributions: 2,
      keeps: (n) => {
        asked.push(n);
        return true;
      },
    };
    const texts = Array.from('abcdefgh');
    const people = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`p${i}`, texts]));
    await count(people, selection, { times: 3 });
    expect(asked.reduce((sum, n) => sum + n)).toBe(60);
    expect(Math.max(...asked)).toBeLessThan(25);
  });

  it('files change nothing', async () => {
    const people = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`p${i}`, ['Save', 'Save as', `own ${i}`, '/edit']]),
    );
    // Which person comes first is chance: with one and the same list for all of them, it makes no difference.
    const selection: Selection = { maxContributions: 4, keeps: (n) => n >= 40 };
    const onDisk = await count(people, selection, { limitBytes: 1 });
    expect(onDisk.kept).toEqual((await count(people, selection)).kept);
    expect(onDisk.kept).toEqual(['path /edit', 'text Save', 'text Save as']);
    expect(onDisk.spilled).toBeGreaterThan(40);
  });

  it('one person more changes the odds by no more than epsilon and delta', async () => {
    const RUNS = 4_000;
    const others = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`p${i}`, ['Save', 'Open', 'Print']]));
    const together = { ...others, ann: ['Save', 'Ann only', 'Ann too'] };
    // Events that tell most of her: anything that only she saw, and what everybody saw.
    const events: readonly ((kept: readonly string[]) => boolean)[] = [
      (kept) => kept.some((text) => text.includes('Ann')),
      (kept) => kept.includes('text Save'),
      (kept) => !kept.includes('text Save'),
      (kept) => kept.includes('text Save') && kept.length >= 2,
    ];
    const tally = async (people: Readonly<Record<string, readonly string[]>>, from: number): Promise<number[]> => {
      const counts = events.map(() => 0);
      for (let run = 0; run < RUNS; run++) {
        const { kept } = await select(people, from + run);
        for (const [i, event] of events.entries()) if (event(kept)) counts[i] = (counts[i] ?? 0) + 1;
      }
      return counts;
    };
    const having = await tally(together, 0);
    const without = await tally(others, 1_000_000);
    const growth = Math.exp(budget.epsilon);
    for (const [i, a] of having.entries()) {
      const b = without[i] ?? 0;
      // Refuted only beyond what chance explains (one in 10^8 for each).
      expect(lower(a, RUNS)).toBeLessThanOrEqual(growth * upper(b, RUNS) + budget.delta);
      expect(lower(b, RUNS)).toBeLessThanOrEqual(growth * upper(a, RUNS) + budget.delta);
    }
    // Nobody else has her texts, so all of their odds is delta's; and twice as much would be seen.
    expect(without[0]).toBe(0);
    expect(lower(having[0] ?? 0, RUNS)).toBeGreaterThan(0);
    expect(upper(having[0] ?? 0, RUNS)).toBeLessThan(2 * budget.delta);
  });
});

/** Bounds of a probability after `k` of `n` trials (Chernoff), each wrong with a chance of 10^-8. */
function bound(k: number, n: number, towards: 0 | 1): number {
  const seen = k / n;
  const term = (a: number, b: number): number => (a === 0 ? 0 : a * Math.log(a / b));
  const explains = (p: number): boolean => n * (term(seen, p) + term(1 - seen, 1 - p)) <= Math.log(1e8);
  let [inside, outside] = [seen, towards as number];
  for (let i = 0; i < 60; i++) {
    const middle = (inside + outside) / 2;
    if (explains(middle)) inside = middle;
    else outside = middle;
  }
  return inside;
}
const lower = (k: number, n: number): number => bound(k, n, 0);
const upper = (k: number, n: number): number => bound(k, n, 1);
