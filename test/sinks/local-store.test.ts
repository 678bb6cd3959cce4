import { chmod, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SinkStorageError } from '../../src/sinks/sink.ts';
import { openLocalStore } from '../../src/sinks/training-table/local-store.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'table-store-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined): string | undefined => data && new TextDecoder().decode(data);

test('of many writers of one name exactly one wins, and its whole file is there', async () => {
  const store = await openLocalStore(dir, 'write');
  const results = await Promise.all(
    Array.from({ length: 30 }, (_, i) => store.putIfAbsent('log/1.json', bytes(`${i}`.repeat(10_000)))),
  );
  expect(results.filter(Boolean)).toHaveLength(1);
  expect(text(await store.read('log/1.json'))).toBe(`${results.indexOf(true)}`.repeat(10_000));
  expect(await readdir(dir)).toEqual(['log']);
});

test('folders are for the owner only, and so are files', async () => {
  const store = await openLocalStore(join(dir, 'table'), 'write');
  await store.putIfAbsent('date=2026-11-01/part', bytes('x'));
  await store.put('pointer', bytes('x'));
  const mode = async (path: string): Promise<number> => (await stat(join(dir, 'table', path))).mode & 0o777;
  expect(await mode('.')).toBe(0o700);
  expect(await mode('date=2026-11-01')).toBe(0o700);
  expect(await mode('date=2026-11-01/part')).toBe(0o600);
  expect(await mode('pointer')).toBe(0o600);
});

test('opening removes temporary files that a crash left long ago, and no fresh or other ones', async () => {
  const old = new Date(Date.now() - 2 * 3_600_000);
  for (const name of ['.tmp-old', '.tmp-fresh', 'other']) await writeFile(join(dir, name), 'x');
  await utimes(join(dir, '.tmp-old'), old, old);
  await utimes(join(dir, 'other'), old, old);
  await openLocalStore(dir, 'write');
  expect((await readdir(dir)).sort()).toEqual(['.tmp-fresh', 'other']);
});

test('opening to read makes no folder and removes nothing', async () => {
  const mistyped = await openLocalStore(join(dir, 'typo', 'table'), 'read');
  expect(await mistyped.list('_delta_log')).toEqual([]);
  expect(await mistyped.read('x')).toBeUndefined();
  expect(await readdir(dir)).toEqual([]);

  await writeFile(join(dir, '.tmp-old'), 'x');
  await utimes(join(dir, '.tmp-old'), 0, 0);
  await openLocalStore(dir, 'read');
  expect(await readdir(dir)).toEqual(['.tmp-old']);
});

test('failures of the disk say what to do', async () => {
  await writeFile(join(dir, 'file'), 'x');
  await expect(openLocalStore(join(dir, 'file', 'table'), 'write')).rejects.toThrow(
    /is a file: choose another folder/u,
  );
  const store = await openLocalStore(dir, 'write');
  await mkdir(join(dir, 'folder'));
  await expect(store.read('folder')).rejects.toThrow(SinkStorageError);
});

test('a folder without permission says so', async () => {
  const store = await openLocalStore(dir, 'write');
  await chmod(dir, 0o500);
  const release = actAsNobody();
  try {
    await expect(store.put('x', bytes('x'))).rejects.toThrow(/permission denied/u);
  } finally {
    release();
    await chmod(dir, 0o700);
  }
});

/** Root may do all, so for the moment this process is nobody; other users are what they are. */
function actAsNobody(): () => void {
  if (process.geteuid?.() !== 0) return () => {};
  process.seteuid?.(65_534);
  return () => process.seteuid?.(0);
}
