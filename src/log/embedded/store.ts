/**
 * The LMDB environment under the embedded log: opening it privately, committing units of work, and turning its errors
 * into {@link LogStorageError}.
 *
 * Choices, and why:
 * - Commits are synchronous LMDB transactions with a flush (`overlappingSync` off): a resolved promise is on disk, not only
 *   in the page cache, and no reader sees what could still be lost to a power cut. `kill -9` alone would not need the flush.
 * - Units that were submitted in one turn of the event loop share a transaction, so several waiting callers cost one flush.
 * - Not lmdb's asynchronous transactions: they hold the machine-wide write lock until this process's event loop is free
 *   (every other process waits for our computing), and a failed commit ends the process by an unhandled rejection.
 * - After a failed commit nothing more is written until the log is opened again: LMDB may not begin a transaction after some
 *   failures, and its binding does not check that.
 */
import { open, type Database, type RootDatabase } from 'lmdb';
import { LogClosedError, LogStorageError } from '../event-log.ts';
import { DamagedBatchError } from './batch.ts';
import { DamagedFileError, ForeignFolderError, makePrivate, prepareFolder } from './preflight.ts';

/**
 * Work to be done inside one transaction, all or nothing. `check` may throw to refuse this unit alone and must not write;
 * `apply` writes, and what it throws fails every unit of the transaction.
 */
export interface Unit<T> {
  readonly check?: () => void;
  readonly apply: () => T;
}

export interface Store {
  /** Small values as JSON: topics, partition states, positions, producers, groups. */
  readonly meta: Database<unknown>;
  /** Record batches, by partition id and last offset ({@link partitionKey}). */
  readonly batches: Database<Uint8Array, Uint8Array>;
  /** For each batch that raised its partition's greatest timestamp: (partition id, that timestamp) to its last offset. */
  readonly times: Database<Uint8Array, Uint8Array>;
  /** Runs `work` on the newest committed state, this or another process's. @throws LogStorageError, LogClosedError */
  reading<T>(work: () => T): T;
  /** Commits the unit, durably. @throws LogStorageError, LogClosedError, or what `check` threw */
  commit<T>(unit: Unit<T>): Promise<T>;
  /** Commits what was submitted, then closes. Idempotent. */
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly dir: string;
  /** Address space reserved for the file at first; LMDB maps more when the file outgrows it. */
  readonly mapSizeBytes: number;
  /** Called after each commit of this process. */
  readonly onCommit: () => void;
}

/** @throws LogStorageError when the folder can't be used or the file is damaged. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { dir } = options;
  try {
    await prepareFolder(dir);
    const root = openEnvironment(dir, options.mapSizeBytes);
    try {
      await makePrivate(dir);
      return new LmdbStore(root, options);
    } catch (error) {
      await root.close();
      throw error;
    }
  } catch (error) {
    throw storageError(dir, 'open', error);
  }
}

/** 12 bytes that sort by partition id, then by number (an offset or a timestamp; a safe integer, not negative). */
export function partitionKey(partitionId: number, number: number): Buffer {
  const key = Buffer.alloc(12);
  key.writeUInt32BE(partitionId, 0);
  key.writeUInt32BE(Math.floor(number / TWO_32), 4);
  key.writeUInt32BE(number % TWO_32, 8);
  return key;
}

/** The number in a {@link partitionKey}. */
export function numberOf(key: Uint8Array): number {
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  return view.getUint32(4) * TWO_32 + view.getUint32(8);
}

class LmdbStore implements Store {
  readonly meta: Database<unknown>;
  readonly batches: Database<Uint8Array, Uint8Array>;
  readonly times: Database<Uint8Array, Uint8Array>;
  readonly #root: RootDatabase;
  readonly #dir: string;
  readonly #onCommit: () => void;
  #queue: Pending[] = [];
  #failed: LogStorageError | undefined;
  #closing: Promise<void> | undefined;

  constructor(root: RootDatabase, options: StoreOptions) {
    this.#root = root;
    this.#dir = options.dir;
    this.#onCommit = options.onCommit;
    this.meta = root.openDB<unknown>('meta', { encoding: 'json' });
    this.batches = root.openDB<Uint8Array, Uint8Array>('batches', BINARY);
    this.times = root.openDB<Uint8Array, Uint8Array>('times', BINARY);
  }

  reading<T>(work: () => T): T {
    if (this.#closing !== undefined) throw new LogClosedError();
    try {
      this.#root.resetReadTxn();
      return work();
    } catch (error) {
      throw isStorageFault(error) ? storageError(this.#dir, 'read', error) : error;
    }
  }

  commit<T>(unit: Unit<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(new LogClosedError());
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run: () => attempt(unit, resolve, reject), reject });
      if (this.#queue.length === 1) setImmediate(() => this.#flush());
    });
  }

  close(): Promise<void> {
    this.#flush();
    this.#closing ??= this.#root.close();
    return this.#closing;
  }

  #flush(): void {
    const pending = this.#queue;
    if (pending.length === 0) return;
    this.#queue = [];
    let settlements: (() => void)[];
    try {
      if (this.#failed !== undefined) throw this.#failed;
      settlements = this.#root.transactionSync(() => pending.map((one) => one.run()));
    } catch (error) {
      this.#failed ??= storageError(this.#dir, 'write', error);
      for (const one of pending) one.reject(this.#failed);
      return;
    }
    for (const settle of settlements) settle();
    this.#onCommit();
  }
}

interface Pending {
  /** Runs inside the transaction; what it returns is called once that is on disk. */
  readonly run: () => () => void;
  readonly reject: (error: Error) => void;
}

function attempt<T>(unit: Unit<T>, resolve: (value: T) => void, reject: (error: unknown) => void): () => void {
  try {
    unit.check?.();
  } catch (error) {
    if (isStorageFault(error)) throw error;
    return () => reject(error);
  }
  const value = unit.apply();
  return () => resolve(value);
}

function openEnvironment(dir: string, mapSize: number): RootDatabase {
  // permissionsMode is read by lmdb's native part (mdb_env_open's mode) and missing from its types.
  const options = { path: dir, noSubdir: false, mapSize, maxDbs: 8, overlappingSync: false, permissionsMode: 0o600 };
  return open(options);
}

function storageError(dir: string, doing: 'open' | 'read' | 'write', cause: unknown): LogStorageError {
  if (cause instanceof LogStorageError) return cause;
  return new LogStorageError(`${VERBS[doing]} the log in '${dir}': ${advice(cause)}`, { cause });
}

const VERBS = { open: 'Cannot open', read: 'Cannot read', write: 'Cannot write' } as const;

function advice(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (cause instanceof ForeignFolderError) {
    return 'the folder holds other files and no log. Choose an empty or a new folder.';
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 13 || code === 1) {
    return 'permission denied. The folder and its files must belong to the user that runs this, with write permission.';
  }
  if (code === 'EROFS' || code === 30) return 'the file system is read-only. Choose a folder that can be written.';
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return 'the path, or a part of it, is not a folder. Choose another path.';
  if (code === 'ENOSPC' || code === 28 || code === MAP_FULL || code === 12)
    return `no room left (${text}). ${FREE_ROOM}`;
  if (code === 5 || code === 27) {
    // LMDB reports a short write as an I/O error.
    return `a write failed (${text}): the disk is full, over quota, or faulty. ${FREE_ROOM} Nothing of the failed write was kept.`;
  }
  if (
    cause instanceof DamagedFileError ||
    cause instanceof DamagedBatchError ||
    (typeof code === 'number' && DAMAGED.has(code))
  ) {
    return `the data file is damaged (${text}). Stop every process that uses it, move the folder away and put back a copy of it, or start with an empty folder and import again.`;
  }
  return `${text}. If this happens again after a restart, put back a copy of the folder or start with an empty one.`;
}

/** Errors of the storage, as against refusals that the log itself throws. */
function isStorageFault(error: unknown): boolean {
  if (error instanceof DamagedBatchError) return true;
  if (!(error instanceof Error)) return true;
  return 'code' in error && typeof error.code === 'number';
}

const FREE_ROOM = 'Free disk space, then start again.';
const TWO_32 = 2 ** 32;
const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const;
const MAP_FULL = -30792;
/** MDB_PAGE_NOTFOUND, CORRUPTED, PANIC, VERSION_MISMATCH, INVALID, INCOMPATIBLE, BAD_TXN, BAD_DBI, and the fork's checksum error. */
const DAMAGED: ReadonlySet<number> = new Set([-30797, -30796, -30795, -30794, -30793, -30784, -30782, -30780, -30778]);
