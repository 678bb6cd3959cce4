import { randomUUID } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SinkStorageError } from '../sink.ts';
import { assertInside, type TableStore } from './store.ts';

/**
 * A table in a folder of this machine. A file is written under a temporary name, brought to the disk, and then given its
 * name by link(2), which fails when the name is taken: so a name always stands for a whole file, whatever dies when.
 *
 * Folders are made with mode 0700, files with 0600. Opened to read, nothing is made or deleted: the path may be mistyped, or
 * on a file system that is read-only.
 *
 * @throws SinkStorageError when the folder cannot be made or read.
 */
export async function openLocalStore(dir: string, access: 'read' | 'write'): Promise<TableStore> {
  if (access === 'write') {
    await guarded(dir, '', async () => {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await removeOldTemporaries(dir);
    });
  }
  return {
    location: dir,
    read: (path) => guarded(dir, path, () => readIfThere(inside(dir, path))),
    list: (folder, startAfter) => guarded(dir, folder, () => listFolder(inside(dir, folder), startAfter)),
    folders: (folder) => guarded(dir, folder, () => listNames(inside(dir, folder), (entry) => entry.isDirectory())),
    putIfAbsent: (path, data) => guarded(dir, path, () => putNew(dir, inside(dir, path), data)),
    put: (path, data) => guarded(dir, path, () => putOver(dir, inside(dir, path), data)),
    delete: (path) => guarded(dir, path, () => removeIfThere(inside(dir, path))),
  };
}

/** Temporary files all lie in the table's own folder, so that one look finds those that a crash left. */
const TEMPORARY = '.tmp-';
/** Older than any write takes: younger ones may be another writer's. */
const TEMPORARY_AGE_MS = 3_600_000;

async function putNew(dir: string, path: string, data: Uint8Array): Promise<boolean> {
  return await withTemporary(dir, data, async (temporary) => {
    const folder = await ensureFolder(dir, path);
    try {
      await link(temporary, path);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
    await syncFolder(folder);
    return true;
  });
}

async function putOver(dir: string, path: string, data: Uint8Array): Promise<void> {
  await withTemporary(dir, data, async (temporary) => {
    const folder = await ensureFolder(dir, path);
    await rename(temporary, path);
    await syncFolder(folder);
  });
}

async function withTemporary<T>(dir: string, data: Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  const temporary = join(dir, `${TEMPORARY}${randomUUID()}`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    return await use(temporary);
  } finally {
    await removeIfThere(temporary);
  }
}

async function ensureFolder(dir: string, path: string): Promise<string> {
  const folder = dirname(path);
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  // A new folder's name is an entry of the table's folder and must reach the disk before what lies in it counts.
  if (made !== undefined) await syncFolder(dir);
  return folder;
}

/** fsync of a folder makes the names in it durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function listFolder(folder: string, startAfter = ''): Promise<readonly string[]> {
  return await listNames(folder, (entry) => entry.isFile() && entry.name > startAfter);
}

async function listNames(folder: string, isWanted: (entry: Dirent) => boolean): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter(isWanted)
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

async function removeOldTemporaries(dir: string): Promise<void> {
  // The clock of file times is the system's, so the age is taken from it, not from the sink's clock.
  const oldest = Date.now() - TEMPORARY_AGE_MS;
  for (const name of await listFolder(dir)) {
    if (!name.startsWith(TEMPORARY)) continue;
    const path = join(dir, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && found.mtimeMs < oldest) await removeIfThere(path);
  }
}

function inside(dir: string, path: string): string {
  assertInside(dir, path);
  return join(dir, path);
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space and start again; what was committed is safe',
  EDQUOT: 'the disk quota is used up: free some space and start again; what was committed is safe',
  EACCES: 'permission denied: give this user read and write access to the folder',
  EROFS: 'the file system is read-only: choose another folder',
  ENOTDIR: 'a part of the path is a file: choose another folder',
  EPERM: 'not permitted, or the file system has no hard links: put the table on a local file system that has them',
  ENOTSUP: 'the file system has no hard links: put the table on one that has them',
  EMFILE: 'too many open files: raise the limit (ulimit -n)',
  EIO: 'the disk reports an error: check it before going on',
};

async function guarded<T>(dir: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    const advice = ADVICE[code] ?? `the system says ${code}`;
    throw new SinkStorageError(`Table file ${join(dir, path)}: ${advice}.`, { cause: error });
  }
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
