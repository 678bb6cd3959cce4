/** What reading and writing of Parquet share. */
import type { Compressors } from 'hyparquet';
import type { Zstd } from '../../events/zstd.ts';

/** Bytes in memory as hyparquet reads a file. */
export function asParquetFile(bytes: Uint8Array): {
  byteLength: number;
  slice(start: number, end?: number): ArrayBuffer;
} {
  return {
    byteLength: bytes.byteLength,
    slice: (start, end) => new Uint8Array(bytes.subarray(start, end)).buffer,
  };
}

/** hyparquet brings snappy along; zstd comes from the port, with the page header's size as the limit. */
export function decompressors(zstd: Zstd): Compressors {
  return { ZSTD: (data, size) => zstd.decompress(data, size) };
}
