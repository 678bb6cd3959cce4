/** Rows of a data file, read, and gathered for another. */
import { parquetMetadata, parquetRead, parquetReadObjects, type ColumnData } from 'hyparquet';
import type { Zstd } from '../../events/zstd.ts';
import type { TableRow } from '../columns.ts';
import { TableFormatError } from '../sink.ts';
import { FILE_COLUMNS, type FileRows } from './data-file.ts';
import { asParquetFile, decompressors } from './parquet.ts';
import { compareCodePoints, type Bounds } from './row-buffer.ts';

/** Rows decoded at a time. */
const CHUNK = 65_536;

const ALL = FILE_COLUMNS.map(({ name }) => name);

/** The file's rows as they lie there, a bounded number at a time; only `columns` of them if given. */
export async function* readRows(
  bytes: Uint8Array,
  zstd: Zstd,
  columns: readonly string[] = ALL,
): AsyncGenerator<Record<string, unknown>[]> {
  const file = asParquetFile(bytes);
  const metadata = parquetMetadata(file.slice(0));
  const compressors = decompressors(zstd);
  for (let rowStart = 0; rowStart < Number(metadata.num_rows); rowStart += CHUNK) {
    const rowEnd = Math.min(rowStart + CHUNK, Number(metadata.num_rows));
    yield await parquetReadObjects({ file, metadata, columns: [...columns], rowStart, rowEnd, compressors });
  }
}

/**
 * The rows of these sessions, a bounded number at a time. Their column is decoded first, and the others only where it has one of
 * them; rows are put together only of those.
 */
export async function* readRowsOf(
  bytes: Uint8Array,
  zstd: Zstd,
  sessions: ReadonlySet<string>,
): AsyncGenerator<Record<string, unknown>[]> {
  const file = asParquetFile(bytes);
  const metadata = parquetMetadata(file.slice(0));
  const of = { file, metadata, compressors: decompressors(zstd) };
  let groupStart = 0;
  for (const group of metadata.row_groups) {
    const groupEnd = groupStart + Number(group.num_rows);
    for (let rowStart = groupStart; rowStart < groupEnd; rowStart += CHUNK) {
      const range = { rowStart, rowEnd: Math.min(rowStart + CHUNK, groupEnd) };
      const hits = (await readColumns({ ...of, ...range, columns: ['session'] }))
        .flatMap((run) => placesOf(sessions, run))
        .filter((row) => row >= range.rowStart && row < range.rowEnd);
      const columns = hits.length === 0 ? [] : await readColumns({ ...of, ...range, columns: ALL });
      yield rowsAt(hits, columns);
    }
    groupStart = groupEnd;
  }
}

async function readColumns(options: Parameters<typeof parquetRead>[0]): Promise<ColumnData[]> {
  const runs: ColumnData[] = [];
  await parquetRead({ ...options, onChunk: (run) => runs.push(run) });
  return runs;
}

function placesOf(sessions: ReadonlySet<string>, { columnData, rowStart }: ColumnData): number[] {
  const places: number[] = [];
  for (let i = 0; i < columnData.length; i++) {
    const session: unknown = columnData[i];
    if (typeof session === 'string' && sessions.has(session)) places.push(rowStart + i);
  }
  return places;
}

/** The rows at these places, in their order, of columns that lie in runs. */
function rowsAt(places: readonly number[], columns: readonly ColumnData[]): Record<string, unknown>[] {
  const rows = new Map(places.map((place): [number, Record<string, unknown>] => [place, {}]));
  for (const { columnName, columnData, rowStart, rowEnd } of columns) {
    for (const [place, row] of rows) {
      if (place >= rowStart && place < rowEnd) row[columnName] = columnData[place - rowStart];
    }
  }
  return [...rows.values()];
}

/** Rows in the order in which they are added, to be encoded: a text is kept once, rows hold its number. */
export class GatheredRows implements FileRows {
  readonly date: string;
  readonly #columns = new Map(FILE_COLUMNS.map((column) => [column.name, new GatheredColumn()]));
  #count = 0;

  constructor(date: string) {
    this.date = date;
  }

  get count(): number {
    return this.#count;
  }

  /** @throws TableFormatError when a value is neither of the column's type nor null. */
  add(row: Record<string, unknown>): void {
    for (const { name, type, nullable } of FILE_COLUMNS) {
      this.#columns.get(name)?.add(asValue(row[name], type === 'integer', nullable));
    }
    this.#count++;
  }

  values(column: keyof TableRow, start: number, end: number): (string | null)[] | Int32Array {
    const values = this.#columns.get(column)?.slice(start, end) ?? [];
    const isOfNumbers = FILE_COLUMNS.some(({ name, type }) => name === column && type === 'integer');
    return isOfNumbers
      ? Int32Array.from(values, Number)
      : values.map((value) => (value === null ? null : String(value)));
  }

  bounds(): ReadonlyMap<keyof TableRow, Bounds> {
    return new Map([...this.#columns].map(([name, column]) => [name, column.bounds()]));
  }
}

type Value = string | number | null;

function asValue(value: unknown, isNumber: boolean, nullable: boolean): Value {
  if (value === null || value === undefined) {
    if (nullable) return null;
  } else if (isNumber) {
    // Other writers may have kept whole numbers in 64 bits.
    const number = Number(value);
    if (Number.isInteger(number) && (number | 0) === number) return number;
  } else if (typeof value === 'string') {
    return value;
  }
  throw new TableFormatError('A file of the table holds a value that its column may not have; it was not rewritten.');
}

class GatheredColumn {
  readonly #numbers = new Map<string | number, number>();
  readonly #distinct: (string | number)[] = [];
  #rows = new Int32Array(1024);
  #count = 0;
  #nulls = 0;

  add(value: Value): void {
    if (this.#count === this.#rows.length) {
      const larger = new Int32Array(this.#count * 2);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    if (value === null) this.#nulls++;
    this.#rows[this.#count++] = value === null ? NULL : this.#numberOf(value);
  }

  slice(start: number, end: number): Value[] {
    return Array.from(this.#rows.subarray(start, end), (number) => this.#distinct[number] ?? null);
  }

  bounds(): Bounds {
    let [min, max]: [Bounds['min'], Bounds['max']] = [undefined, undefined];
    for (const value of this.#distinct) {
      if (min === undefined || isBelow(value, min)) min = value;
      if (max === undefined || isBelow(max, value)) max = value;
    }
    return { min, max, nulls: this.#nulls };
  }

  #numberOf(value: string | number): number {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    this.#numbers.set(value, this.#distinct.length);
    return this.#distinct.push(value) - 1;
  }
}

const NULL = -1;

const isBelow = (a: string | number, b: string | number): boolean =>
  typeof a === 'string' && typeof b === 'string' ? compareCodePoints(a, b) < 0 : Number(a) < Number(b);
