import { chmod, mkdir, mkdtemp, open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import { LogStorageError, type NewRecord } from '../../src/log/event-log.ts';

const FOR_EVER = { kind: 'delete', retentionMs: 1e15 } as const;
const posix = process.platform !== 'win32';

describe("the embedded log's folder", () => {
  let parent: string;
  let dir: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'redactory-log-'));
    dir = join(parent, 'deep', 'log');
  });
  afterEach(() => rm(parent, { recursive: true }));

  it('is made when missing, and keeps everything over a restart', async () => {
    const log = await filledLog();
    const member = await log.join('g', 't');
    expect(member.assignment()).toHaveLength(1);
    const tx = await (await log.transactional('id')).begin();
    await tx.commitOffset('g', { topic: 't', partition: 0 }, { offset: 7, metadata: 'm' });
    await tx.commit();
    const before = await log.read(ALL);
    await log.close();
    const again = await openEmbeddedLog({ dir });
    expect(await again.read(ALL)).toEqual(before);
    expect(before.records).toHaveLength(300);
    expect(await again.committed('g', { topic: 't', partition: 0 })).toEqual({ offset: 7, metadata: 'm' });
    expect(await again.append('t', [record(1)])).toEqual([300]);
    expect((await again.join('g', 't')).assignment()).toHaveLength(1);
    await again.close();
  });

  it.skipIf(!posix)('is private, and made private again (POSIX modes)', async () => {
    await (await filledLog()).close();
    const modes = async (): Promise<string[]> => {
      const paths = [dir, ...(await readdir(dir)).map((name) => join(dir, name))];
      return Promise.all(paths.map(async (path) => ((await stat(path)).mode & 0o777).toString(8)));
    };
    expect(await modes()).toEqual(['700', '600', '600']);
    for (const name of ['data.mdb', 'lock.mdb']) await chmod(join(dir, name), 0o644);
    await chmod(dir, 0o755);
    const log = await openEmbeddedLog({ dir });
    expect(await modes()).toEqual(['700', '600', '600']);
    await log.close();
  });

  it('grows beyond the address space that was reserved for it', async () => {
    const log = await openEmbeddedLog({ dir, mapSizeBytes: 1_000_000 });
    await log.createTopics([{ name: 't', partitions: 1, cleanup: FOR_EVER }]);
    const value = new Uint8Array(500_000).fill(7);
    for (let i = 0; i < 12; i += 1) await log.append('t', [{ key: `${i}`, value, timestamp: i }]);
    const { records } = await log.read({ ...ALL, maxBytes: 1e9 });
    expect(records.map((r) => r.key)).toEqual(Array.from({ length: 12 }, (_, i) => `${i}`));
    expect(records.every((r) => r.value?.length === 500_000 && r.value.at(-1) === 7)).toBe(true);
    await log.close();
  });

  it.each([
    ['garbage at its head', (path: string) => overwrite(path, 0, Buffer.alloc(20_000, 0xab))],
    ['a damaged second meta page', (path: string) => overwrite(path, 4096, Buffer.alloc(200, 0xab))],
    ['other content', (path: string) => writeFile(path, 'not a log\n'.repeat(10_000))],
    ['a few bytes only', (path: string) => truncate(path, 100)],
    ['half its length', async (path: string) => truncate(path, Math.floor((await stat(path)).size / 2))],
    ['its pages zeroed', async (path: string) => overwrite(path, 8192, Buffer.alloc((await stat(path)).size - 8192))],
  ])('with %s is an error that names the folder and says what to do', async (_, damage) => {
    await (await filledLog()).close();
    await damage(join(dir, 'data.mdb'));
    const opening = openEmbeddedLog({ dir });
    await expect(opening).rejects.toThrow(LogStorageError);
    await expect(opening).rejects.toThrow(dir);
    await expect(opening).rejects.toThrow(/damaged .*put back a copy/);
  });

  it('may lack free pages at its end', async () => {
    await (await filledLog()).close();
    const path = join(dir, 'data.mdb');
    const pages = BigInt((await stat(path)).size / 4096 + 5);
    const lastPage = Buffer.alloc(8);
    lastPage.writeBigUInt64LE(pages);
    // MDB_meta.mm_last_pg of both meta pages.
    for (const at of [144, 4096 + 144]) await overwrite(path, at, lastPage);
    const log = await openEmbeddedLog({ dir });
    expect((await log.read(ALL)).records).toHaveLength(300);
    await log.close();
  });

  it('is refused when it holds something else', async () => {
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'thesis.doc'), 'x');
    await expect(openEmbeddedLog({ dir })).rejects.toThrow(
      /Cannot open the log in '.*' *: the folder holds other files/,
    );
    await writeFile(join(parent, 'file'), 'x');
    await expect(openEmbeddedLog({ dir: join(parent, 'file') })).rejects.toThrow(/not a folder/);
    await expect(openEmbeddedLog({ dir: join(parent, 'file', 'log') })).rejects.toThrow(/not a folder/);
  });

  it.skipIf(!posix)('that may not be used says so (POSIX users)', async () => {
    await (await filledLog()).close();
    await chmod(parent, 0o755);
    await chmod(join(parent, 'deep'), 0o755);
    // Root may do everything, so become nobody for this.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    else await chmod(join(dir, 'data.mdb'), 0o400);
    try {
      const opening = openEmbeddedLog({ dir });
      await expect(opening).rejects.toThrow(LogStorageError);
      await expect(opening).rejects.toThrow(/permission denied.*must belong to the user/);
      await expect(openEmbeddedLog({ dir: join(parent, 'new') })).rejects.toThrow(isRoot ? /permission denied/ : /./);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  async function filledLog(): Promise<Awaited<ReturnType<typeof openEmbeddedLog>>> {
    const log = await openEmbeddedLog({ dir });
    await log.createTopics([{ name: 't', partitions: 1, cleanup: FOR_EVER }]);
    for (let call = 0; call < 10; call += 1)
      await log.append(
        't',
        Array.from({ length: 30 }, (_, i) => record(i)),
      );
    return log;
  }
});

async function overwrite(path: string, position: number, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, position);
  await file.close();
}

const record = (n: number): NewRecord => ({ key: `k${n}`, value: new Uint8Array(1000).fill(n), timestamp: n });
const ALL = { topic: 't', partition: 0, offset: 0, maxRecords: 1e6, maxBytes: 1e7, waitMs: 0 };
