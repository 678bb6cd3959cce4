import { createRequire } from 'node:module';
import path from 'node:path';
import * as zlib from 'node:zlib';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkFrame, loadZstd, ZstdError } from '../../src/events/zstd.ts';
import type { Zstd } from '../../src/events/zstd.ts';
import { FUZZ_CASES } from './arbitraries.ts';

const MAX = 1_000_000;
const hasNative = 'zstdCompressSync' in zlib;
const LEGS = [
  { leg: 'wasm', missing: false },
  { leg: 'native', missing: !hasNative },
] as const;

describe.each(LEGS)('zstd, $leg', ({ leg, missing }) => {
  const title = missing ? ' (skipped: this Node has no zstd of its own)' : '';
  describe.skipIf(missing)(`frames${title}`, () => {
    let zstd: Zstd;
    beforeAll(async () => {
      zstd = await loadZstd(leg);
    });

    it('come back as they went in, with their content size in the header', () => {
      expect(zstd.implementation).toBe(leg);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(300), (data, repeats) => {
          const whole = Buffer.concat(Array.from({ length: repeats + 1 }, () => data));
          const packed = zstd.compress(whole);
          expect(checkFrame(packed, MAX)).toBe(whole.length);
          expect(Buffer.from(zstd.decompress(packed, MAX)).equals(whole)).toBe(true);
        }),
        { numRuns: 100 },
      );
    });

    it('are refused above the limit, and taken at it', () => {
      const packed = zstd.compress(new Uint8Array(1_000));
      expect(zstd.decompress(packed, 1_000)).toHaveLength(1_000);
      expect(() => zstd.decompress(packed, 999)).toThrow(expect.objectContaining({ tooLarge: true }));
    });

    it('are refused when damaged, and the next one is read', () => {
      const data = Buffer.from(Array.from({ length: 3_000 }, (_, i) => (i * i) % 251));
      const packed = zstd.compress(data);
      fc.assert(
        fc.property(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
          const damaged = Buffer.from(packed);
          damaged[at] = (damaged[at] ?? 0) ^ mask;
          // Without a checksum some damage shows only in the content.
          expect([data.length, 'refused']).toContain(sizeOrRefused(zstd, damaged));
          expect(Buffer.from(zstd.decompress(packed, MAX)).equals(data)).toBe(true);
        }),
        { numRuns: FUZZ_CASES },
      );
    });

    it('of random blocks are refused or read', () => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(2_000), (block, claimed) => {
          const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0, 0, 0, 0]);
          header.writeUInt32LE(claimed, 5);
          header.writeUIntLE((block.length << 3) | (2 << 1) | 1, 9, 3);
          expect([claimed, 'refused']).toContain(sizeOrRefused(zstd, Buffer.concat([header, block])));
        }),
        { numRuns: FUZZ_CASES },
      );
    });
  });
});

describe('frames that are refused before anything is unpacked', () => {
  const frame = (...bytes: number[]) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...bytes]);
  /** Single segment, a byte of content size, one raw block. */
  const sound = frame(0x20, 2, (2 << 3) | 1, 0, 0, 65, 66);
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);

  it('a sound one is not', () => {
    expect(checkFrame(sound, 2)).toBe(2);
    // A block of one byte, repeated; then a checksum's four bytes.
    expect(checkFrame(frame(0x20, 9, (9 << 3) | 3, 0, 0, 65), MAX)).toBe(9);
    expect(checkFrame(frame(0x24, 2, (2 << 3) | 1, 0, 0, 65, 66, 1, 2, 3, 4), MAX)).toBe(2);
    // Two blocks.
    expect(checkFrame(frame(0x20, 2, 1 << 3, 0, 0, 65, (1 << 3) | 1, 0, 0, 66), MAX)).toBe(2);
  });

  it.each([
    ['a second frame', Buffer.concat([sound, sound]), 'something follows'],
    ['a byte behind it', Buffer.concat([sound, Buffer.alloc(1)]), 'something follows'],
    ['a skippable frame', skippable, 'skippable'],
    ['a skippable frame before it', Buffer.concat([skippable, sound]), 'skippable'],
    ['no content size', frame(0x00, 0x58, 1, 0, 0), 'content size'],
    ['a reserved bit', frame(0x28, 0, 1, 0, 0), 'reserved'],
    ['a dictionary', frame(0x21, 7, 0, 1, 0, 0), 'dictionary'],
    ['a window of a gigabyte', frame(0x40, 0xa0, 0, 0, 1, 0, 0), 'window'],
    ['more in a block than in the whole', frame(0x20, 1, (2 << 3) | 1, 0, 0, 65, 66), 'more than its header says'],
    ['an unknown block type', frame(0x20, 0, 7, 0, 0), 'block'],
    ['an oversized block', frame(0x20, 0, 0x0d, 0, 0x10), 'block'],
  ])('%s', (_name, bytes, reason) => {
    expect(() => checkFrame(bytes, MAX)).toThrow(ZstdError);
    expect(() => checkFrame(bytes, MAX)).toThrow(reason);
  });

  it('many gigabytes', () => {
    const huge = frame(0xe0, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0);
    expect(() => checkFrame(huge, MAX)).toThrow(expect.objectContaining({ name: 'ZstdError', tooLarge: true }));
  });

  it('what is cut off anywhere', () => {
    for (let length = 0; length < sound.length; length++) {
      expect(() => checkFrame(sound.subarray(0, length), MAX)).toThrow(ZstdError);
    }
  });
});

it('a second load leaves the first one usable', async () => {
  const first = await loadZstd('wasm');
  const second = await loadZstd('wasm');
  await new Promise((resolve) => setImmediate(resolve));
  const data = Buffer.from('some text, some text, some text');
  expect(Buffer.from(first.decompress(second.compress(data), MAX))).toStrictEqual(data);
  expect(second).toBe(first);
});

it('the memory of the WebAssembly stays as it is over good and damaged frames', async () => {
  const zstd = await loadZstd('wasm');
  let seed = 1;
  const data = Buffer.from(Array.from({ length: 100_000 }, () => (seed = (seed * 48_271) % 2_147_483_647) & 15));
  const packed = zstd.compress(data);
  const damaged = Buffer.from(packed).fill(0xff, 20, 40);
  const round = () => {
    zstd.compress(data);
    zstd.decompress(packed, MAX);
    expect(() => zstd.decompress(damaged, MAX)).toThrow(ZstdError);
  };
  for (let i = 0; i < 5; i++) round();
  const before = wasmBytes();
  // Without every free, this would take hundreds of megabytes.
  for (let i = 0; i < 1_000; i++) round();
  expect(wasmBytes()).toBe(before);
});

/** The library does not export its memory; this is the very module that it uses. */
function wasmBytes(): number {
  const require = createRequire(import.meta.url);
  const folder = path.dirname(require.resolve('@bokuweb/zstd-wasm'));
  const internal: { Module: { HEAPU8: Uint8Array } } = require(path.join(folder, 'module.js'));
  return internal.Module.HEAPU8.length;
}

function sizeOrRefused(zstd: Zstd, bytes: Uint8Array): number | string {
  try {
    return zstd.decompress(bytes, MAX).byteLength;
  } catch (error) {
    return error instanceof ZstdError ? 'refused' : 'another error';
  }
}
