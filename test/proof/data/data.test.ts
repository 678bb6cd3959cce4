import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { loadPointerPeople } from '../../../src/proof/data/pointers.ts';
import { MissingDataError, TableError } from '../../../src/proof/data/tables.ts';
import { loadTypists, textOf } from '../../../src/proof/data/typing.ts';

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

async function folderWith(name: string, lines: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'redactory-proof-'));
  folders.push(folder);
  await mkdir(join(folder, 'biometrics'));
  await writeFile(join(folder, 'biometrics', name), gzipSync(`${lines.join('\n')}\n`));
  return folder;
}

const TYPING = 'typing_300users_15sentences.tsv.gz';
const TYPING_HEAD = 'user\tsection\tsentence_id\tpress_ms\trelease_ms\tkeycode\tletter';
const POINTER = 'sapimouse_120users_2sessions.tsv.gz';
const POINTER_HEAD = 'user\tsession\tt_ms\tbutton\tstate\tx\ty';

describe('typing', () => {
  it('is read a person and a sentence at a time, from each sentence’s beginning', async () => {
    const folder = await folderWith(TYPING, [
      TYPING_HEAD,
      '1\t7\t20\t500\t580\t16\tSHIFT',
      '1\t7\t20\t600\t660\t65\tA',
      '1\t7\t20\t700\t760\t66\t',
      '1\t7\t20\t800\t870\t8\tBKSP',
      '1\t9\t21\t0\t50\t99\t',
      '2\t7\t20\t10\t60\t67\tc',
    ]);
    const [first, second] = await loadTypists(folder);
    expect(first?.sentences.map(({ id }) => id)).toEqual(['20', '21']);
    expect(first?.sentences[0]?.strokes).toEqual([
      { press: 0, release: 80, key: 'Shift' },
      { press: 100, release: 160, key: 'A' },
      { press: 200, release: 260, key: 'b' },
      { press: 300, release: 370, key: 'Backspace' },
    ]);
    expect(textOf(first?.sentences[0]?.strokes ?? [])).toBe('A');
    expect(first?.sentences[1]?.strokes[0]?.key).toBe('Unidentified');
    expect(second?.user).toBe('2');
    expect(await loadTypists(folder, 1)).toHaveLength(1);
  });

  it.each([
    ['other columns', ['a\tb'], 'its columns are not'],
    ['too few cells', [TYPING_HEAD, '1\t2'], ':2: it has not 7 cells'],
    ['no number', [TYPING_HEAD, '1\t7\t20\tsoon\t580\t16\tx'], 'a whole number does not'],
  ])('with %s is refused, and nothing of it is shown', async (_what, lines, message) => {
    const loading = loadTypists(await folderWith(TYPING, lines));
    await expect(loading).rejects.toThrow(TableError);
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.not.toThrow('soon');
  });

  it('that is not there is said, and where it was looked for', async () => {
    const loading = loadTypists(await folderWith('other', []));
    await expect(loading).rejects.toThrow(MissingDataError);
    await expect(loading).rejects.toThrow('--biometrics');
  });
});

it('pointers are read by sitting, in order of time; second takes are left out', async () => {
  const folder = await folderWith(POINTER, [
    POINTER_HEAD,
    '1\t3min\t20\tLeft\tReleased\t5\t6',
    '1\t3min\t10\tLeft\tPressed\t3\t4',
    '1\t2020_10_14_1min\t5\tNoButton\tMove\t1\t2',
    '1.1\t1min\t5\tNoButton\tMove\t1\t2',
    '2\t3min\t5\tNoButton\tMove\t1\t2',
  ]);
  const people = await loadPointerPeople(folder);
  expect(people).toEqual([
    {
      user: '1',
      long: [
        { at: 10, kind: 'down', button: 'left', x: 3, y: 4 },
        { at: 20, kind: 'up', button: 'left', x: 5, y: 6 },
      ],
      short: [{ at: 5, kind: 'move', button: 'left', x: 1, y: 2 }],
    },
  ]);
});
