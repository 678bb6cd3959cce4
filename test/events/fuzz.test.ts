/** Whatever bytes arrive: a value or a reason, soon, and never a throw. REDACTORY_FUZZ_CASES sets how many are tried. */
import * as fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { createCodec } from '../../src/events/codec.ts';
import type { Codec, Decoded } from '../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import { QUARANTINE_REASONS } from '../../src/events/outcome.ts';
import { loadContracts, schemaIds } from '../../src/events/schemas.ts';
import { loadZstd } from '../../src/events/zstd.ts';
import type { Zstd } from '../../src/events/zstd.ts';
import { envelope, FUZZ_CASES, payload } from './arbitraries.ts';

let zstd: Zstd;
let codec: Codec;
beforeAll(async () => {
  zstd = await loadZstd();
  codec = createCodec({ zstd, schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });
});
const numRuns = FUZZ_CASES;
const NOTHING = new Uint8Array(0);

function isOutcome(decoded: Decoded<unknown>): boolean {
  return decoded.ok || QUARANTINE_REASONS.includes(decoded.reason);
}

function openAll(value: Uint8Array): boolean {
  const opened = codec.openEnvelope(value);
  return isOutcome(opened) && (!opened.ok || isOutcome(codec.openPayload(opened.value.payload)));
}

/** Flips, overwrites, cuts and repeats; positions are fractions of the length. */
const damage = fc.array(
  fc.record({ where: fc.double({ min: 0, max: 1, noNaN: true }), what: fc.nat(4), byte: fc.nat(255), run: fc.nat(12) }),
  { minLength: 1, maxLength: 4 },
);

function damaged(
  value: Uint8Array,
  changes: readonly { where: number; what: number; byte: number; run: number }[],
): Buffer {
  let bytes = Buffer.from(value);
  for (const { where, what, byte, run } of changes) {
    const at = Math.min(Math.floor(where * bytes.length), Math.max(0, bytes.length - 1));
    if (what === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << (byte & 7));
    else if (what === 1) bytes[at] = byte;
    else if (what === 2) bytes = bytes.subarray(0, at);
    else if (what === 3) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(run, byte), bytes.subarray(at)]);
    else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + run)]);
  }
  return bytes;
}

it('random bytes are refused, or read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(openAll(bytes) && isOutcome(codec.openPayload(bytes))).toBe(true);
    }),
    { numRuns },
  );
});

it('random bytes behind a good header are refused, or read', () => {
  const header = (record: string) => {
    const id = Buffer.alloc(5);
    id.writeInt32BE(schemaIds(loadContracts()).idOf(record), 1);
    return id;
  };
  const outside = header('CaptureBatch');
  const inside = header('CapturePayload');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const packed = zstd.compress(Buffer.concat([inside, bytes]));
      expect(openAll(Buffer.concat([outside, bytes])) && isOutcome(codec.openPayload(packed))).toBe(true);
    }),
    { numRuns },
  );
});

it('a damaged message is refused, or read', () => {
  fc.assert(
    fc.property(envelope, payload, damage, (outside, inside, changes) => {
      expect(openAll(damaged(codec.encodeCapture(outside, inside), changes))).toBe(true);
    }),
    { numRuns },
  );
});

it('a damaged payload in a sound frame is refused, or read', () => {
  fc.assert(
    fc.property(envelope, payload, damage, (outside, inside, changes) => {
      const opened = codec.openEnvelope(codec.encodeCapture(outside, inside));
      const body = zstd.decompress(opened.ok ? opened.value.payload : NOTHING, DEFAULT_LIMITS.maxPayloadBytes);
      expect(isOutcome(codec.openPayload(zstd.compress(damaged(body, changes))))).toBe(true);
    }),
    { numRuns },
  );
});

it('a whole message still opens after all of that', () => {
  fc.assert(
    fc.property(envelope, payload, (outside, inside) => {
      const opened = codec.openEnvelope(codec.encodeCapture(outside, inside));
      expect(opened.ok && codec.openPayload(opened.value.payload)).toStrictEqual({ ok: true, value: inside });
    }),
    { numRuns: 10 },
  );
});
