/** One data file of the table: rows of one day as zstd Parquet, without the partition column, and its statistics. */
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { Zstd } from '../../events/zstd.ts';
import { COLUMNS } from '../columns.ts';
import type { DayRows } from './row-buffer.ts';

export interface DataFile {
  readonly date: string;
  readonly rows: number;
  readonly bytes: Uint8Array;
  /** JSON, as an `add` action carries it. */
  readonly stats: string;
}

/** Rows of a row group: a reader decodes that many at a time, and the event loop waits no longer than for one. */
const ROW_GROUP = 65_536;

/** Bounds longer than this are left out, as readers may take a missing bound for "not known". */
const MAX_BOUND_LENGTH = 64;

/** The columns that lie in the file; `date` is in its folder's name. */
export const FILE_COLUMNS = COLUMNS.filter((column) => column.type !== 'date');

const SCHEMA: SchemaElement[] = [
  { name: 'root', num_children: FILE_COLUMNS.length },
  ...FILE_COLUMNS.map(({ name, type, nullable }): SchemaElement => {
    const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED';
    if (type === 'integer') return { name, type: 'INT32', repetition_type };
    return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type };
  }),
];

/** What a file is made of. */
export type FileRows = Pick<DayRows, 'date' | 'count' | 'values' | 'bounds'>;

/** Gives way to other work of the process between row groups. */
export async function encodeDataFile(rows: FileRows, zstd: Zstd): Promise<DataFile> {
  const writer = new ByteWriter(1 << 20);
  const compressors = { ZSTD: (data: Uint8Array) => zstd.compress(data) };
  const parquet = new ParquetWriter({ writer, schema: SCHEMA, codec: 'ZSTD', compressors, createdBy: 'redactory' });
  for (let start = 0; start < rows.count; start += ROW_GROUP) {
    const end = Math.min(start + ROW_GROUP, rows.count);
    await parquet.write({
      columnData: FILE_COLUMNS.map(({ name }) => ({ name, data: rows.values(name, start, end) })),
      rowGroupSize: ROW_GROUP,
    });
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  await parquet.finish();
  return { date: rows.date, rows: rows.count, bytes: writer.getBytes(), stats: renderStats(rows) };
}

function renderStats(rows: FileRows): string {
  const minValues: Record<string, string | number> = {};
  const maxValues: Record<string, string | number> = {};
  const nullCount: Record<string, number> = {};
  const bounds = rows.bounds();
  for (const { name } of FILE_COLUMNS) {
    const { min, max, nulls } = bounds.get(name) ?? { min: undefined, max: undefined, nulls: 0 };
    nullCount[name] = nulls;
    if (min === undefined || max === undefined || isLong(min) || isLong(max)) continue;
    minValues[name] = min;
    maxValues[name] = max;
  }
  return JSON.stringify({ numRecords: rows.count, minValues, maxValues, nullCount });
}

const isLong = (bound: string | number): boolean => typeof bound === 'string' && bound.length > MAX_BOUND_LENGTH;
