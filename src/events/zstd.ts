/**
 * zstd behind a small port: the platform's own where Node has it (22.15 on), else WebAssembly.
 *
 * Whatever unpacks, the frame is looked through first, block by block (RFC 8878), so that a few bytes that claim to be
 * gigabytes, or hide a second frame, are refused before any memory is taken.
 */
import * as zlib from 'node:zlib';
import * as wasm from '@bokuweb/zstd-wasm';

export interface Zstd {
  readonly implementation: 'native' | 'wasm';
  /** The result is one frame whose header says its content size. */
  compress(data: Uint8Array): Uint8Array;
  /** @throws ZstdError when damaged, not exactly one frame of known size, or larger than `maxBytes` once unpacked. */
  decompress(data: Uint8Array, maxBytes: number): Uint8Array;
}

/** The bytes are not one sound zstd frame; `tooLarge` when they may be, but unpack to more than allowed. */
export class ZstdError extends Error {
  override name = 'ZstdError';
  readonly tooLarge: boolean;
  constructor(message: string, tooLarge = false) {
    super(message);
    this.tooLarge = tooLarge;
  }
}

/**
 * Finds a zstd. Both write frames that the other reads.
 *
 * @param prefer which one; without it WebAssembly, everywhere: it is the faster of the two on messages as small as ours
 *   (docs/decisions/0010).
 * @throws ZstdError when native is preferred and this Node has none.
 */
export async function loadZstd(prefer?: 'native' | 'wasm'): Promise<Zstd> {
  if (prefer === 'native' && hasNativeZstd(zlib)) return nativeZstd(zlib);
  if (prefer === 'native') {
    throw new ZstdError('This Node has no zstd of its own: use Node 22.15 or later, or the WebAssembly one.');
  }
  return await wasmZstd();
}

/** Highest ratio for its time on messages of one to a few kilobytes (measured on the recordings). */
const LEVEL = 3;

// Numbers of zstd.h, part of its stable interface; Node 20's types do not have them.
const ZSTD_C_COMPRESSION_LEVEL = 100;

interface NativeZstd {
  zstdCompressSync(data: Uint8Array, options: { params: Record<number, number>; pledgedSrcSize: number }): Uint8Array;
  zstdDecompressSync(data: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}

function hasNativeZstd(module: object): module is NativeZstd {
  return 'zstdCompressSync' in module && 'zstdDecompressSync' in module;
}

function nativeZstd(native: NativeZstd): Zstd {
  return {
    implementation: 'native',
    compress: (data) =>
      native.zstdCompressSync(data, {
        params: { [ZSTD_C_COMPRESSION_LEVEL]: LEVEL },
        pledgedSrcSize: data.byteLength,
      }),
    decompress: (data, maxBytes) => {
      const size = checkFrame(data, maxBytes);
      // Node takes no limit of 0; the size is compared below.
      return unpackChecked(size, () => native.zstdDecompressSync(data, { maxOutputLength: Math.max(size, 1) }));
    },
  };
}

let onlyWasm: Promise<Zstd> | undefined;

/** One for the process: a second `init` would put new memory under the contexts of the first. */
function wasmZstd(): Promise<Zstd> {
  onlyWasm ??= startWasm();
  return onlyWasm;
}

async function startWasm(): Promise<Zstd> {
  await wasm.init();
  // The contexts are kept: making one for every message costs more than the message. No dictionary is the empty one.
  const compressor = wasm.createCCtx();
  const decompressor = wasm.createDCtx();
  const noDictionary = new Uint8Array(0);
  return {
    implementation: 'wasm',
    compress: (data) => wasm.compressUsingDict(compressor, data, noDictionary, LEVEL),
    decompress: (data, maxBytes) => {
      const size = checkFrame(data, maxBytes);
      return unpackChecked(size, () => wasm.decompressUsingDict(decompressor, data, noDictionary));
    },
  };
}

/** The library's own message is not passed on: it is not ours to promise that it holds no content. */
function unpackChecked(size: number, unpack: () => Uint8Array): Uint8Array {
  let unpacked: Uint8Array;
  try {
    unpacked = unpack();
  } catch {
    throw new ZstdError('The zstd frame is damaged.');
  }
  if (unpacked.byteLength !== size) throw new ZstdError('The zstd frame holds another size than its header says.');
  return unpacked;
}

const MAGIC = 0xfd2fb528;
/** RFC 8878, 3.1.1.2.3: no block is larger once unpacked, and none may be larger than the window. */
const MAX_BLOCK_BYTES = 131_072;
/** Far above what a payload needs; libzstd refuses more than this by default (ZSTD_WINDOWLOG_LIMIT_DEFAULT). */
const MAX_WINDOW_LOG = 27;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

/**
 * Looks through a frame without unpacking it.
 *
 * @returns its content size in bytes.
 * @throws ZstdError unless it is one whole frame, with known content size of at most `maxBytes`, without dictionary, and
 * nothing after it.
 */
export function checkFrame(data: Uint8Array, maxBytes: number): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  try {
    const { size, headerBytes, checksum } = readFrameHeader(view);
    if (size > maxBytes) throw new ZstdError(`The zstd frame unpacks to more than ${maxBytes} bytes.`, true);
    const end = findEndOfBlocks(view, headerBytes, size) + (checksum ? 4 : 0);
    if (end !== data.byteLength) throw new ZstdError('The zstd frame is truncated, or something follows it.');
    return size;
  } catch (error) {
    if (error instanceof RangeError) throw new ZstdError('The zstd frame is truncated.');
    throw error;
  }
}

/** RFC 8878, 3.1.1.1. Reading past the end is a RangeError of the view. */
function readFrameHeader(view: DataView): { size: number; headerBytes: number; checksum: boolean } {
  if (view.getUint32(0, true) !== MAGIC) throw new ZstdError('Not a zstd frame, or a skippable one.');
  const descriptor = view.getUint8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x08) !== 0) throw new ZstdError('The zstd frame sets a reserved bit.');
  if ((descriptor & 0x03) !== 0) throw new ZstdError('The zstd frame asks for a dictionary.');

  let at = 5;
  if (!singleSegment) {
    const windowLog = 10 + (view.getUint8(at) >> 3);
    if (windowLog > MAX_WINDOW_LOG) throw new ZstdError('The zstd frame asks for too large a window.', true);
    at += 1;
  }
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 && singleSegment ? 1 : (CONTENT_SIZE_BYTES[sizeFlag] ?? 0);
  if (sizeBytes === 0) throw new ZstdError('The zstd frame does not say its content size.');
  return {
    size: readContentSize(view, at, sizeBytes),
    headerBytes: at + sizeBytes,
    checksum: (descriptor & 0x04) !== 0,
  };
}

function readContentSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  if (bytes === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}

/** RFC 8878, 3.1.1.2: walks the block headers; each holds a last flag, a type and a size. */
function findEndOfBlocks(view: DataView, start: number, contentSize: number): number {
  let at = start;
  let atLeast = 0;
  for (let last = false; !last;) {
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const type = (header >> 1) & 0x03;
    const size = header >> 3;
    if (type === 3 || size > MAX_BLOCK_BYTES)
      throw new ZstdError('The zstd frame holds an unknown or oversized block.');
    // Raw and repeated blocks say how much they unpack to.
    if (type !== 2) atLeast += size;
    if (atLeast > contentSize) throw new ZstdError('The zstd frame holds more than its header says.');
    at += 3 + (type === 1 ? 1 : size);
    last = (header & 1) !== 0;
  }
  return at;
}
