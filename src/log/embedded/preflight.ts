/**
 * Looks at a log folder before LMDB does. LMDB trusts its file, and its binding ends the process (a segmentation fault, a bus
 * error) where opening fails: a file that is no log, a shortened copy, a folder without permission. So those are found here.
 *
 * What this can't find is damage in the middle of a file of full length: LMDB keeps no checksums.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, constants, mkdir, open, readdir, stat, type FileHandle } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const DATA_FILE = 'data.mdb';
export const LOCK_FILE = 'lock.mdb';

/** Makes the folder if need be, private to its user, and checks that LMDB may open it. */
export async function prepareFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const names = await readdir(dir);
  if (names.length > 0 && !names.includes(DATA_FILE) && !names.includes(LOCK_FILE)) throw new ForeignFolderError();
  await makeMode(dir, 0o700);
  await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  for (const name of [DATA_FILE, LOCK_FILE]) {
    // Not opened: closing a lock file that this process has open elsewhere would release its locks (POSIX).
    if (names.includes(name)) await access(join(dir, name), constants.R_OK | constants.W_OK);
  }
  if (names.includes(DATA_FILE)) await checkDataFile(dir);
}

/** Files that a copy, or another program, left open to others. */
export async function makePrivate(dir: string): Promise<void> {
  for (const name of [DATA_FILE, LOCK_FILE]) await makeMode(join(dir, name), 0o600);
}

/** The folder is not a log and not empty. */
export class ForeignFolderError extends Error {
  override name = 'ForeignFolderError';
}

/** The data file can't be what LMDB wrote; the message says in which way. */
export class DamagedFileError extends Error {
  override name = 'DamagedFileError';
}

async function makeMode(path: string, mode: number): Promise<void> {
  if (((await stat(path)).mode & 0o777) !== mode) await chmod(path, mode);
}

async function checkDataFile(dir: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const verdict = await inspect(join(dir, DATA_FILE));
    if (verdict === 'good') return;
    if (verdict === 'short') return walkInChild(dir);
    // Another process may be making the file at this moment.
    if (attempt === ATTEMPTS) throw new DamagedFileError(verdict);
    await delay(20);
  }
}

/** 'good'; 'short' when pages at the end are missing, which may be in order; otherwise what is wrong. */
async function inspect(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size === 0) return 'good';
    const first = await readMeta(file, 0);
    if (typeof first === 'string') return first;
    const second = await readMeta(file, first.pageSize);
    if (typeof second === 'string') return second;
    const { lastPage } = second.transaction > first.transaction ? second : first;
    return BigInt(size) >= (lastPage + 1n) * BigInt(first.pageSize) ? 'good' : 'short';
  } finally {
    await file.close();
  }
}

interface Meta {
  readonly pageSize: number;
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

/** A meta page as lmdb 3.5 writes it: MDB_page's header with its transaction id (24 bytes), then MDB_meta. */
async function readMeta(file: FileHandle, position: number): Promise<Meta | string> {
  const page = Buffer.alloc(176);
  const { bytesRead } = await file.read(page, 0, page.length, position);
  if (bytesRead < page.length) return 'it is too short to be a log';
  // MDB_meta is in the byte order of the machine.
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  if ((view.getUint16(18, LITTLE) & META_PAGE) === 0 || view.getUint32(24, LITTLE) !== MAGIC)
    return 'its head is not that of a log';
  if ((view.getUint32(28, LITTLE) & 0xffff) !== VERSION) return 'its head is of another LMDB version';
  const pageSize = view.getUint32(48, LITTLE);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return 'its page size is not possible';
  return { pageSize, lastPage: view.getBigUint64(144, LITTLE), transaction: view.getBigUint64(152, LITTLE) };
}

/** A log may be shorter than its page count when its last pages are free. Reading it all tells; in a process that may crash. */
async function walkInChild(dir: string): Promise<void> {
  const lmdb = createRequire(import.meta.url).resolve('lmdb');
  const child = spawn(process.execPath, ['--eval', WALK, lmdb, dir], { stdio: 'ignore' });
  const [code]: unknown[] = await once(child, 'exit');
  if (code !== 0) throw new DamagedFileError('it was cut short');
}

const WALK = `
  const [, lmdb, path] = process.argv;
  const root = require(lmdb).open({ path, readOnly: true, noSubdir: false, maxDbs: 8 });
  for (const name of [...root.getKeys()]) {
    const db = root.openDB(name, { encoding: 'binary', keyEncoding: 'binary' });
    for (const { value } of db.getRange()) if (value.length > 0) value.at(-1);
  }
`;
const ATTEMPTS = 5;
const LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const META_PAGE = 0x08;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
