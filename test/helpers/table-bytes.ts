import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import type { Zstd } from '../../src/events/zstd.ts';
import type { TableStore } from '../../src/sinks/index.ts';
import { asParquetFile, decompressors } from '../../src/sinks/training-table/parquet.ts';

/** Paths of all files of a table: in its folder, in folders of that. */
export async function allFiles(store: TableStore): Promise<string[]> {
  const folders = await store.folders('');
  const inside = await Promise.all(folders.map(async (f) => (await store.list(f)).map((name) => `${f}/${name}`)));
  return [...(await store.list('')), ...inside.flat()];
}

/** Paths of the files that hold one of these texts: as they lie there, or in a value of Parquet, which is compressed. */
export async function filesThatHold(store: TableStore, texts: Iterable<string>, zstd: Zstd): Promise<string[]> {
  const wanted = [...texts];
  const found: string[] = [];
  for (const path of await allFiles(store)) {
    const bytes = (await store.read(path)) ?? new Uint8Array();
    const plain =
      Buffer.from(bytes).toString('latin1') + (path.endsWith('.parquet') ? await valuesOf(bytes, zstd) : '');
    if (wanted.some((text) => plain.includes(text))) found.push(path);
  }
  return found;
}

async function valuesOf(bytes: Uint8Array, zstd: Zstd): Promise<string> {
  const file = asParquetFile(bytes);
  const metadata = parquetMetadata(file.slice(0));
  const rows = await parquetReadObjects({ file, metadata, compressors: decompressors(zstd) });
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
}
