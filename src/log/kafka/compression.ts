/**
 * Compression of record batches: reads all that Kafka has, whoever wrote it, and writes what the Java client reads.
 *
 * Source: https://kafka.apache.org/documentation/#recordbatch for the types.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as zstdWasm from '@bokuweb/zstd-wasm';
import { compressFrame, decompressFrame } from 'lz4-napi';
import { compress as snappyCompress, uncompress as snappyUncompress } from 'snappy';
import { loadZstd, ZstdError, type Zstd } from '../../events/zstd.ts';
import { COMPRESSIONS, type Compression } from './options.ts';

export interface Codec {
  compress(data: Uint8Array): Promise<Buffer>;
  /** @throws CompressionError when the bytes are damaged, or unpack to more than allowed. */
  decompress(data: Uint8Array): Promise<Buffer>;
}

/** The compressed records of a batch are damaged or too large. */
export class CompressionError extends Error {
  override name = 'CompressionError';
  /** They may be sound, but nobody is going to unpack them. */
  readonly tooLarge: boolean;

  constructor(message: string, tooLarge = false) {
    super(message);
    this.tooLarge = tooLarge;
  }
}

/**
 * The number of a compression in a record batch's attributes; see {@link COMPRESSIONS} for the names.
 * `none` is 0.
 */
export function compressionType(name: Compression): number {
  return { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }[name];
}

/**
 * So much more than its own size may a batch unpack to. Topics take batches of 2 MiB, and what this program writes is packed
 * already; what gains more is made to harm, or by a producer that batches in an odd way.
 */
const MAX_GAINED_BYTES = 32 * 1024 * 1024;

/** The codecs by {@link compressionType}. */
export async function loadCodecs(): Promise<ReadonlyMap<number, Codec>> {
  const zstd = await loadZstd();
  const codecs: Readonly<Record<Exclude<Compression, 'none'>, Codec>> = {
    gzip: gzipCodec(),
    snappy: snappyCodec(),
    lz4: lz4Codec(),
    zstd: zstdCodec(zstd),
  };
  const named = COMPRESSIONS.flatMap((name) => (name === 'none' ? [] : [[name, codecs[name]] as const]));
  return new Map(named.map(([name, codec]) => [compressionType(name), guarded(name, codec)]));
}

/** Messages of the libraries are not passed on: it is not ours to promise that they hold no content. */
function guarded(name: Compression, codec: Codec): Codec {
  return {
    compress: (data) => codec.compress(data),
    async decompress(data) {
      try {
        return await codec.decompress(data);
      } catch (error) {
        if (error instanceof CompressionError) throw error;
        throw new CompressionError(
          `A record batch's ${name} data is damaged: read it with another client to see if the log itself is.`,
        );
      }
    },
  };
}

function tooLarge(name: Compression, maxBytes: number): CompressionError {
  return new CompressionError(
    `A record batch's ${name} data unpacks to more than ${maxBytes} bytes, which no sound producer writes: find who wrote it.`,
    true,
  );
}

const boundOf = (data: Uint8Array): number => data.byteLength + MAX_GAINED_BYTES;

function gzipCodec(): Codec {
  const [pack, unpack] = [promisify(gzip), promisify(gunzip)];
  return {
    compress: (data) => pack(data),
    async decompress(data) {
      const maxBytes = boundOf(data);
      try {
        return await unpack(data, { maxOutputLength: maxBytes });
      } catch (error) {
        const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
        throw isTooLarge ? tooLarge('gzip', maxBytes) : error;
      }
    },
  };
}

/** Kafka's LZ4 is the frame format. */
function lz4Codec(): Codec {
  return {
    compress: (data) => compressFrame(data),
    async decompress(data) {
      const maxBytes = boundOf(data);
      checkLz4Size(data, maxBytes);
      const unpacked = await decompressFrame(data);
      if (unpacked.byteLength > maxBytes) throw tooLarge('lz4', maxBytes);
      return unpacked;
    },
  };
}

/**
 * Walks over the blocks without unpacking them: all but the last of each frame are taken to be full, as writers make them.
 *
 * Source: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */
function checkLz4Size(data: Uint8Array, maxBytes: number): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let total = 0;
  for (let at = 0; at < view.byteLength;) {
    const { flags, blockBytes, headerBytes } = lz4Header(view, at);
    at += headerBytes;
    for (let blocks = 0; ; blocks += 1) {
      const size = view.getUint32(at, true);
      at += 4;
      if (size === 0) break;
      if (blocks > 0) total += blockBytes;
      if (total > maxBytes) throw tooLarge('lz4', maxBytes);
      // The highest bit says that the block is stored as it is.
      at += (size & 0x7fffffff) + ((flags & 0x10) !== 0 ? 4 : 0);
    }
    if ((flags & 0x04) !== 0) at += 4;
  }
}

function lz4Header(view: DataView, at: number): { flags: number; blockBytes: number; headerBytes: number } {
  if (view.getUint32(at, true) !== LZ4_MAGIC) throw new CompressionError('not an LZ4 frame');
  const flags = view.getUint8(at + 4);
  const blockBytes = 1 << (8 + 2 * ((view.getUint8(at + 5) >> 4) & 0x07));
  const headerBytes = 7 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0);
  return { flags, blockBytes, headerBytes };
}

const LZ4_MAGIC = 0x184d2204;

/** Java's producers frame Snappy as xerial's library does; others write one raw block. Both are read, the first is written. */
function snappyCodec(): Codec {
  return {
    async compress(data) {
      const block = await snappyCompress(data);
      const size = Buffer.alloc(4);
      size.writeUInt32BE(block.byteLength);
      return Buffer.concat([XERIAL_HEADER, size, block]);
    },
    async decompress(data) {
      const blocks = [...snappyBlocks(data)];
      const total = blocks.reduce((sum, block) => sum + snappySize(block), 0);
      const maxBytes = boundOf(data);
      if (total > maxBytes) throw tooLarge('snappy', maxBytes);
      return Buffer.concat(await Promise.all(blocks.map(unpackSnappy)));
    },
  };
}

/** Magic, version and lowest compatible version, of xerial's SnappyOutputStream. */
const XERIAL_HEADER = Buffer.from('82534e4150505900'.concat('00000001', '00000001'), 'hex');
const XERIAL_MAGIC_BYTES = 8;

function* snappyBlocks(data: Uint8Array): Generator<Buffer> {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const framed = bytes.subarray(0, XERIAL_MAGIC_BYTES).equals(XERIAL_HEADER.subarray(0, XERIAL_MAGIC_BYTES));
  if (!framed) {
    yield bytes;
    return;
  }
  for (let at = XERIAL_HEADER.length; at < bytes.length;) {
    const size = bytes.readUInt32BE(at);
    if (at + 4 + size > bytes.length) throw new RangeError('truncated');
    yield bytes.subarray(at + 4, at + 4 + size);
    at += 4 + size;
  }
}

/** The size that a raw block says it unpacks to: a little-endian number of 7 bits a byte. */
function snappySize(block: Uint8Array): number {
  let size = 0;
  for (let i = 0; i < 5; i += 1) {
    const byte = block[i];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return size;
  }
  throw new RangeError('truncated');
}

async function unpackSnappy(block: Buffer): Promise<Buffer> {
  const unpacked = await snappyUncompress(block, { asBuffer: true });
  return typeof unpacked === 'string' ? Buffer.from(unpacked) : unpacked;
}

function zstdCodec(zstd: Zstd): Codec {
  return {
    compress: async (data) => bufferOf(zstd.compress(data)),
    async decompress(data) {
      const maxBytes = boundOf(data);
      const bound = unsizedZstdBound(data);
      try {
        if (bound === undefined) return bufferOf(zstd.decompress(data, maxBytes));
        return bufferOf(zstdWasm.decompress(data, { defaultHeapSize: Math.min(bound, maxBytes) }));
      } catch (error) {
        const isTooLarge = bound === undefined ? error instanceof ZstdError && error.tooLarge : bound > maxBytes;
        throw isTooLarge ? tooLarge('zstd', maxBytes) : error;
      }
    },
  };
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Java's producers stream: their frames don't say their size. At most how much such a frame unpacks to, by its blocks;
 * undefined when the frame says its size.
 *
 * Source: RFC 8878, 3.1.1
 */
function unsizedZstdBound(data: Uint8Array): number | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const descriptor = view.getUint8(4);
  const saysSize = descriptor >> 6 !== 0 || (descriptor & 0x20) !== 0;
  if (saysSize) return undefined;
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 0x03] ?? 0;
  let bound = 0;
  let at = 6 + dictionaryIdBytes;
  for (let last = false; !last;) {
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const [type, size] = [(header >> 1) & 0x03, header >> 3];
    bound += type === 2 ? MAX_ZSTD_BLOCK_BYTES : size;
    at += 3 + (type === 1 ? 1 : size);
    last = (header & 1) !== 0;
  }
  return bound;
}

const MAX_ZSTD_BLOCK_BYTES = 131_072;
