/** Delta checkpoints in the classic format: one Parquet file with one action a row ("Checkpoints" of the protocol). */
import { parquetMetadata, parquetReadObjects, type SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { Zstd } from '../../events/zstd.ts';
import { TableFormatError } from '../sink.ts';
import { parseAction, type Action } from './actions.ts';
import type { TableState } from './delta-log.ts';
import { asParquetFile, decompressors } from './parquet.ts';

/** Removed files are remembered this long, so that a vacuum by another tool still finds them: Delta's default. */
const TOMBSTONE_MS = 7 * 24 * 3_600_000;

/** Actions of a row group: the event loop waits no longer than for one. */
const ROW_GROUP = 8_192;

/**
 * The state as a checkpoint file. Gives way to other work of the process between row groups.
 *
 * @param now ms since the epoch; removed files older than a week are left out.
 * @returns the file and how many actions it holds.
 */
export async function renderCheckpoint(
  state: TableState,
  zstd: Zstd,
  now: number,
): Promise<{ bytes: Uint8Array; actions: number }> {
  // All of it at once: the state changes in place.
  const actions: Action[] = [{ protocol: state.protocol }, { metaData: state.metaData }];
  for (const txn of state.marks.values()) actions.push({ txn });
  for (const add of state.files.values()) actions.push({ add: { ...add, dataChange: false } });
  for (const remove of state.removed.values()) {
    if ((remove.deletionTimestamp ?? 0) > now - TOMBSTONE_MS)
      actions.push({ remove: { ...remove, dataChange: false } });
  }
  const writer = new ByteWriter();
  const compressors = { ZSTD: (data: Uint8Array) => zstd.compress(data) };
  const parquet = new ParquetWriter({ writer, schema: SCHEMA, codec: 'ZSTD', compressors, createdBy: 'redactory' });
  for (let start = 0; start < actions.length; start += ROW_GROUP) {
    const group = actions.slice(start, start + ROW_GROUP);
    await parquet.write({
      columnData: KINDS.map((name) => ({ name, data: group.map((action) => withLongs(action[name])) })),
      rowGroupSize: ROW_GROUP,
    });
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  await parquet.finish();
  return { bytes: writer.getBytes(), actions: actions.length };
}

/** @throws TableFormatError when the file is not a checkpoint that the protocol allows. */
export async function readCheckpoint(bytes: Uint8Array, zstd: Zstd, where: string): Promise<Action[]> {
  let rows: unknown[];
  try {
    const file = asParquetFile(bytes);
    const metadata = parquetMetadata(file.slice(0));
    const present = new Set(metadata.schema.map((element) => element.name));
    const columns = KINDS.filter((name) => present.has(name));
    rows = await parquetReadObjects({ file, metadata, columns, compressors: decompressors(zstd) });
  } catch (error) {
    throw new TableFormatError(
      `Checkpoint ${where} cannot be read. If all commits before it are still there, delete it and _last_checkpoint.`,
      { cause: error },
    );
  }
  return rows.map((row, i) => parseAction(withNumbers(row), `${where}, row ${i + 1}`));
}

const KINDS = ['txn', 'add', 'remove', 'metaData', 'protocol'] as const;

const LONGS = new Set(['version', 'lastUpdated', 'size', 'modificationTime', 'deletionTimestamp', 'createdTime']);

/** Parquet's INT64 columns take bigints. */
function withLongs(fields: object | null | undefined): object | null {
  if (!fields) return null;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      LONGS.has(name) && typeof value === 'number' ? BigInt(value) : value,
    ]),
  );
}

/** The other way; all of the protocol's 64-bit fields are far below 2^53. */
function withNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(withNumbers);
  if (value instanceof Date || value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withNumbers(inner)]));
}

const text = (name: string): SchemaElement[] => [
  { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
];
const long = (name: string): SchemaElement[] => [{ name, type: 'INT64', repetition_type: 'OPTIONAL' }];
const int = (name: string): SchemaElement[] => [{ name, type: 'INT32', repetition_type: 'OPTIONAL' }];
const flag = (name: string): SchemaElement[] => [{ name, type: 'BOOLEAN', repetition_type: 'OPTIONAL' }];
const struct = (name: string, ...fields: SchemaElement[][]): SchemaElement[] => [
  { name, repetition_type: 'OPTIONAL', num_children: fields.length },
  ...fields.flat(),
];
const map = (name: string): SchemaElement[] => [
  { name, repetition_type: 'OPTIONAL', converted_type: 'MAP', num_children: 1 },
  { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
  { name: 'key', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  { name: 'value', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
];
const list = (name: string): SchemaElement[] => [
  { name, repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
];

const SCHEMA: SchemaElement[] = [
  { name: 'schema', num_children: KINDS.length },
  ...struct('txn', text('appId'), long('version'), long('lastUpdated')),
  ...struct(
    'add',
    text('path'),
    map('partitionValues'),
    long('size'),
    long('modificationTime'),
    flag('dataChange'),
    text('stats'),
    map('tags'),
  ),
  ...struct(
    'remove',
    text('path'),
    long('deletionTimestamp'),
    flag('dataChange'),
    flag('extendedFileMetadata'),
    map('partitionValues'),
    long('size'),
  ),
  ...struct(
    'metaData',
    text('id'),
    text('name'),
    text('description'),
    struct('format', text('provider'), map('options')),
    text('schemaString'),
    list('partitionColumns'),
    map('configuration'),
    long('createdTime'),
  ),
  ...struct('protocol', int('minReaderVersion'), int('minWriterVersion')),
];
