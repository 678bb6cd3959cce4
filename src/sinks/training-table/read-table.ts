/** Reading a training table: for `inspect table`, and for tests that compare tables. */
import { loadZstd, type Zstd } from '../../events/zstd.ts';
import type { TableRow } from '../columns.ts';
import { TableFormatError } from '../sink.ts';
import type { AddFile } from './actions.ts';
import { openDeltaLog } from './delta-log.ts';
import { readRows, readRowsOf } from './file-rows.ts';
import { sanitizedRanges } from './layout.ts';
import { createRowDigest } from './row-digest.ts';
import type { OffsetRange } from './row-buffer.ts';
import type { TableStore } from './store.ts';

export interface TableFile {
  /** Relative to the table. */
  readonly path: string;
  readonly date: string;
  readonly bytes: number;
  /** As its statistics say; undefined when another writer left them out. */
  readonly rows: number | undefined;
  /** First and last offset of its records, by partition of the sanitised topic; undefined when another writer wrote it. */
  readonly sanitized: ReadonlyMap<number, OffsetRange> | undefined;
}

/** Which rows are wanted; what is left out does not count. */
export interface Wanted {
  readonly dates?: ReadonlySet<string>;
  /** Other columns than `session` are decoded only where one of these is. */
  readonly sessions?: ReadonlySet<string>;
  /** Ends the reading, which then throws its reason. */
  readonly signal?: AbortSignal;
}

/** A table as of one version. */
export interface TableView {
  readonly version: number;
  readonly name: string;
  /** By date, then path. */
  readonly files: readonly TableFile[];
  /** Rows of all files that tell their number. */
  readonly rowCount: number;
  /** Progress marks: the last offset included, by mark. */
  readonly marks: ReadonlyMap<string, number>;
  /**
   * All rows, or those that are wanted, a bounded number at a time: file by file, rows of a file by session and step.
   *
   * @throws FilesErasedError when rows have been erased since the table was opened; see {@link withTable}.
   */
  batches(only?: Wanted): AsyncGenerator<readonly TableRow[]>;
}

/** No sink has written there yet. */
export class NoTableError extends TableFormatError {
  override name = 'NoTableError';
}

/** An erasure has deleted files of the version that was being read: what was read of it must not be gone on with. */
export class FilesErasedError extends TableFormatError {
  override name = 'FilesErasedError';
}

export interface TablePlace {
  readonly store: TableStore;
  readonly zstd?: Zstd;
}

/** An erasure while the table is read again is rare, a third one a table that is erased from all the time. */
const MAX_READINGS = 5;

/**
 * Hands a table, as it is now, to `use`. If an erasure deletes files of that version meanwhile, `use` is run again from its
 * start on the version after it: what it returns is of one version.
 *
 * @throws TableFormatError as {@link readTable}; FilesErasedError when that has happened five times.
 */
export async function withTable<T>(from: TablePlace, use: (table: TableView) => Promise<T>): Promise<T> {
  for (let readings = 1; ; readings++) {
    try {
      return await use(await readTable(from));
    } catch (error) {
      if (!(error instanceof FilesErasedError) || readings >= MAX_READINGS) throw error;
    }
  }
}

/**
 * Opens a table for reading, as it is now.
 *
 * @throws TableFormatError when there is none, or one that this version cannot read.
 */
export async function readTable(from: TablePlace): Promise<TableView> {
  const { store } = from;
  const zstd = from.zstd ?? (await loadZstd());
  const { state } = await openDeltaLog(store, zstd);
  if (state.version < 0) throw new NoTableError(`There is no table in ${store.location} yet: run the sink first.`);
  const files = [...state.files]
    .map(([path, add]) => ({
      path,
      date: add.partitionValues['date'] ?? '',
      bytes: add.size,
      rows: numberOfRecords(add),
      sanitized: sanitizedRanges(add),
    }))
    .sort((a, b) => (a.date === b.date ? compare(a.path, b.path) : compare(a.date, b.date)));
  return {
    version: state.version,
    name: state.metaData?.name ?? '',
    files,
    rowCount: files.reduce((sum, file) => sum + (file.rows ?? 0), 0),
    marks: new Map([...state.marks].map(([appId, mark]) => [appId, mark.version])),
    async *batches(only = {}) {
      const { dates } = only;
      const wanted = dates === undefined ? files : files.filter(({ date }) => dates.has(date));
      for (const file of wanted) yield* readFileRows(store, zstd, file, only);
    },
  };
}

/**
 * A digest of the rows that does not depend on files, commits or the order of arrival: the sum, modulo 2^256, of the
 * SHA-256 of each row as the JSON array of its values in the order of docs/table.md. For finding differences, not for
 * standing up to someone who makes collisions.
 */
export async function tableDigest(table: Pick<TableView, 'batches'>): Promise<{ rows: number; digest: string }> {
  const digest = createRowDigest();
  for await (const batch of table.batches()) for (const row of batch) digest.add(row);
  return digest.result();
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

async function* readFileRows(
  store: TableStore,
  zstd: Zstd,
  { path, date }: TableFile,
  { sessions, signal }: Wanted,
): AsyncGenerator<TableRow[]> {
  signal?.throwIfAborted();
  const bytes = await store.read(path);
  if (bytes === undefined) throw await goneError(store, zstd, path);
  const batches = sessions === undefined ? readRows(bytes, zstd) : readRowsOf(bytes, zstd, sessions);
  for await (const rows of batches) {
    signal?.throwIfAborted();
    if (rows.length > 0) yield rows.map((row) => toTableRow(row, date));
    if (signal === undefined) continue;
    // Or nobody would hear of its abort.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

async function goneError(store: TableStore, zstd: Zstd, path: string): Promise<Error> {
  const { state } = await openDeltaLog(store, zstd);
  if (!state.files.has(path)) {
    return new FilesErasedError(`Rows were erased from ${store.location} while it was read: read it again.`);
  }
  return new TableFormatError(`${path} of ${store.location} is gone: restore it, or read an older version.`);
}

/** The table's schema was checked when it was written; a row of another writer that differs is not ours to repair. */
const toTableRow = (row: Record<string, unknown>, date: string): TableRow => ({ ...row, date }) as unknown as TableRow;

/** Rows of a file as its statistics say; undefined when they do not. */
export function numberOfRecords({ stats }: Pick<AddFile, 'stats'>): number | undefined {
  if (!stats) return undefined;
  const found = /"numRecords":(\d+)/u.exec(stats)?.[1];
  return found === undefined ? undefined : Number(found);
}
