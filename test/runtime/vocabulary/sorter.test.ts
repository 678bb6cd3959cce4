import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSorter } from '../../../src/runtime/vocabulary/sorter.ts';
import { openSpillFolder } from '../../../src/runtime/vocabulary/spill.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-sorter-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function sort(strings: readonly string[], limitBytes: number): Promise<{ sorted: string[]; spilled: number }> {
  const folder = await openSpillFolder(join(dir, 'spill'));
  const sorter = createSorter(limitBytes, async () => folder);
  for (const text of strings) {
    sorter.add(text);
    if (sorter.isFull) await sorter.spill();
  }
  const sorted: string[] = [];
  for await (const chunk of sorter.sorted()) sorted.push(...chunk);
  await sorter.close();
  return { sorted, spilled: sorter.spilled };
}

describe('sorted strings', () => {
  const strings = fc.array(fc.stringMatching(/^[a-cäß林😀\t]{0,4}$/u), { maxLength: 120 });
  it('are the same with files as in memory: distinct, in code-unit order', async () => {
    await fc.assert(
      fc.asyncProperty(strings, fc.constantFrom(1, 200, 1_000), async (list, limit) => {
        const { sorted } = await sort(list, limit);
        expect(sorted).toEqual([...new Set(list)].sort());
      }),
      { numRuns: 40 },
    );
  });

  it('of more files than are merged at a time come out right, through several levels', async () => {
    const list = Array.from({ length: 1_500 }, (_, i) => String((i * 7_919) % 1_201));
    const { sorted, spilled } = await sort(list, 1);
    expect(sorted).toEqual([...new Set(list)].sort());
    // Each string a file, and one more for every 32 of them and for every 32 of those.
    expect(spilled).toBeGreaterThan(1_500 + 46);
  });

  it('need no file when they fit', async () => {
    expect(await sort(['b', 'a', 'b'], 1_000_000)).toEqual({ sorted: ['a', 'b'], spilled: 0 });
  });

  it('take no more memory than was allowed before they are to be spilled', async () => {
    const folder = await openSpillFolder(join(dir, 'spill'));
    const sorter = createSorter(100_000, async () => folder);
    let added = 0;
    while (!sorter.isFull) sorter.add(`text number ${added++}`);
    expect(added).toBeGreaterThan(50);
    expect(added).toBeLessThan(100_000 / 200);
    await sorter.spill();
    expect(sorter.isFull).toBe(false);
    await sorter.close();
  });
});

describe('a spill folder', () => {
  it('shows no file, whatever was written, and is its owner’s only', async () => {
    const path = join(dir, 'spill');
    const folder = await openSpillFolder(path);
    const file = await folder.write([['personal'], ['text']]);
    expect(await readdir(path)).toEqual([]);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect(await file.next()).toEqual(['personal', 'text']);
    expect(await file.next()).toEqual([]);
    await file.close();
  });

  it('is cleaned of what a process left that ended at the wrong moment', async () => {
    const path = join(dir, 'spill');
    await openSpillFolder(path);
    await writeFile(join(path, 'abc.spill'), 'left');
    await writeFile(join(path, 'README'), 'somebody’s');
    await openSpillFolder(path);
    expect(await readdir(path)).toEqual(['README']);
  });

  it('that cannot be used says where, and what to do', async () => {
    await writeFile(join(dir, 'taken'), '');
    await expect(openSpillFolder(join(dir, 'taken'))).rejects.toThrow(/taken cannot hold .*\(E\w+\): make room/u);
  });
});
