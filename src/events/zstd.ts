/** zstd behind a small port: the platform's own where Node has it (22.15 on), else WebAssembly. */
export interface Zstd {
  /** The result is one frame whose header says its content size. */
  compress(data: Uint8Array): Uint8Array;
  /** @throws ZstdError when damaged, not exactly one frame of known size, or larger than `maxBytes` once unpacked. */
  decompress(data: Uint8Array, maxBytes: number): Uint8Array;
}

export class ZstdError extends Error {
  override name = 'ZstdError';
}

export async function loadZstd(_prefer?: 'native' | 'wasm'): Promise<Zstd> {
  throw new ZstdError('not built yet');
}
