/** Bodies that are small as they are sent: what is unpacked of them is bounded, and so is the memory for it. */
import { brotliCompressSync, constants, deflateRawSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createCodec, type Codec } from '../../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../../src/events/limits.ts';
import { loadContracts, schemaIds } from '../../../src/events/schemas.ts';
import { loadZstd, type Zstd } from '../../../src/events/zstd.ts';
import { readBatch, type BodyTools } from '../../../src/producers/gateway/bodies.ts';
import { CAPTURE_TYPE, JSON_TYPE, SEALED_TYPE, type Reason } from '../../../src/producers/gateway/protocol.ts';

const MIB = 1 << 20;
const MAX_PAYLOAD = 8 * MIB;
const AT = 1_795_590_000_000;
/** What may be held at once: the result, its pieces before they are joined, and what is waiting to be collected. */
const MAX_GROWTH = 12 * MAX_PAYLOAD;

let codec: Codec;
let zstd: Zstd;
let tools: BodyTools;
beforeAll(async () => {
  zstd = await loadZstd();
  codec = createCodec({ zstd, schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });
  tools = { codec, zstd, maxPayloadBytes: MAX_PAYLOAD, maxEvents: 100, maxContexts: 100, maxElements: 100 };
});

/** One gzip member of `size` zeros (a multiple of 64 MiB), made of the same compressed 64 MiB again and again. */
function zeros(size: number): Buffer {
  // A full flush ends on a byte, and what follows it refers to nothing before it.
  const piece = deflateRawSync(Buffer.alloc(64 * MIB), { finishFlush: constants.Z_FULL_FLUSH });
  const head = Buffer.from('1f8b0800000000000003', 'hex');
  // An empty last block; the checksum after it would be wrong, if ever somebody came as far.
  const end = Buffer.from('03000000000000000000', 'hex');
  return Buffer.concat([head, ...Array.from({ length: size / (64 * MIB) }, () => piece), end]);
}

/** Bytes of buffers, with those that are waiting to be collected. */
const held = (): number => process.memoryUsage().external;

async function refusal(bytes: Uint8Array, type: string, encoding?: string): Promise<Reason | 'none'> {
  const read = await readBatch({ type, encoding, bytes }, tools);
  return 'refused' in read ? read.refused : 'none';
}

/** As {@link refusal}, and that it took little memory, as looked at all the while. */
async function cheapRefusal(bytes: Uint8Array, type: string, encoding?: string): Promise<Reason | 'none'> {
  let [least, growth] = [held(), 0];
  const done = new AbortController();
  const look = (): void => {
    const now = held();
    // What was there before may be collected meanwhile.
    least = Math.min(least, now);
    growth = Math.max(growth, now - least);
  };
  async function watch(): Promise<void> {
    while (!done.signal.aborted) {
      look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const watched = watch();
  const found = await refusal(bytes, type, encoding);
  look();
  done.abort();
  await watched;
  expect(growth).toBeLessThan(MAX_GROWTH);
  return found;
}

describe('a body of gzip', () => {
  it('that would be 10 GiB is refused for little memory, in one member or in many', async () => {
    const one = zeros(10_240 * MIB);
    expect(one.length).toBeLessThan(12 * MIB);
    const member = gzipSync(Buffer.alloc(64 * MIB));
    const many = Buffer.concat(Array.from({ length: 160 }, () => member));
    for (const body of [one, many]) {
      for (const type of [JSON_TYPE, CAPTURE_TYPE, SEALED_TYPE])
        expect(await cheapRefusal(body, type, 'gzip')).toBe('too_large');
    }
  });

  it('within gzip is unpacked once only', async () => {
    const twice = gzipSync(zeros(10_240 * MIB));
    expect(twice.length).toBeLessThan(MIB / 2);
    // 10 MB of gzip, which is too large by itself, and once more around it.
    expect(await cheapRefusal(twice, CAPTURE_TYPE, 'gzip')).toBe('too_large');
    expect(await cheapRefusal(gzipSync(gzipSync(zeros(1_024 * MIB))), CAPTURE_TYPE, 'gzip')).toBe('bad_batch');
    expect(await cheapRefusal(twice, JSON_TYPE, 'gzip, gzip')).toBe('unsupported_encoding');
  });

  it('around a zstd frame that is large is refused by the frame', async () => {
    const frame = zstd.compress(new Uint8Array(64 * MIB));
    expect(await cheapRefusal(gzipSync(frame), CAPTURE_TYPE, 'gzip')).toBe('too_large');
    expect(await cheapRefusal(frame, CAPTURE_TYPE)).toBe('too_large');
  });

  it('up to the limit is read, and a byte more is not', async () => {
    const bytes = Buffer.alloc(MAX_PAYLOAD + 1, ' ');
    expect(await refusal(gzipSync(bytes.subarray(1)), JSON_TYPE, 'gzip')).toBe('bad_batch');
    expect(await refusal(gzipSync(bytes), JSON_TYPE, 'gzip')).toBe('too_large');
  });
});

describe('a body of zstd', () => {
  /** A frame of 64 MiB of zeros, whose header says that it holds as many bytes as told. */
  function claiming(size: number): Buffer {
    const frame = Buffer.from(zstd.compress(new Uint8Array(64 * MIB)));
    // RFC 8878, 3.1.1: magic number, descriptor, then (with a window, no dictionary) four bytes of content size.
    const isSingle = ((frame[4] ?? 0) & 0x20) !== 0;
    expect((frame[4] ?? 0) >> 6).toBe(2);
    frame.writeUInt32LE(size, isSingle ? 5 : 6);
    return frame;
  }

  it.each([64 * MIB, 2 ** 32 - 1, MAX_PAYLOAD + 1])('that says it holds %d bytes is refused unread', async (size) => {
    expect(await cheapRefusal(claiming(size), CAPTURE_TYPE, 'zstd')).toBe('too_large');
  });

  it.each([0, 1_000, MAX_PAYLOAD])('that says %d and holds more is damaged', async (size) => {
    expect(await cheapRefusal(claiming(size), CAPTURE_TYPE, 'zstd')).toMatch(/^(?:bad_batch|too_large)$/u);
  });

  it('of several frames is refused', async () => {
    const frame = Buffer.from(zstd.compress(Buffer.from('{}')));
    expect(await refusal(Buffer.concat([frame, frame]), JSON_TYPE, 'zstd')).toBe('bad_batch');
  });
});

describe('a body of JSON', () => {
  const half = MAX_PAYLOAD / 2;
  it.each([
    ['nested deeply', `${'['.repeat(half)}${']'.repeat(half)}`, 'bad_batch'],
    ['of many lists', `[${'[],'.repeat(half / 2)}[]]`, 'too_many_events'],
    ['of many events', `{"events":[${'{"kind":"q"},'.repeat(half / 8)}{}]}`, 'too_many_events'],
    ['of many keys', `{${'"k":1,'.repeat(half / 4)}"k":1}`, 'bad_batch'],
    ['of many numbers', `[${'1,'.repeat(half)}1]`, 'bad_batch'],
    ['a text without an end', `"${'\\'.repeat(MAX_PAYLOAD)}`, 'bad_batch'],
  ])('that is %s is refused before anything is made of it', async (_, text, reason) => {
    const parse = vi.spyOn(JSON, 'parse');
    expect(await refusal(Buffer.from(text), JSON_TYPE)).toBe(reason);
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });

  it.each([
    ['long number', '9'.repeat(MAX_PAYLOAD)],
    ['long text', `"${'\\"'.repeat(half)}"`],
  ])('that is one %s is refused', async (_, text) => {
    expect(await refusal(Buffer.from(text), JSON_TYPE)).toBe('bad_batch');
  });

  it('with as much as the limits allow is read', async () => {
    const bounds = { x: 0, y: 0, width: 1, height: 1 };
    const batch = {
      subject: 'ana',
      device: 'laptop',
      contexts: Array.from({ length: 100 }, () => ({ app: '{[", ', title: '\\"', url: '', private: false })),
      elements: Array.from({ length: 100 }, () => ({ role: 'r', name: '', value: '', secure: false, bounds })),
      events: Array.from({ length: 100 }, (_, i) => ({
        kind: 'pointer_up',
        at: AT,
        context: i,
        element: i,
        x: 1,
        y: 1,
        button: 'left',
      })),
    };
    const read = await readBatch(
      { type: JSON_TYPE, encoding: undefined, bytes: Buffer.from(JSON.stringify(batch)) },
      tools,
    );
    expect(read).toMatchObject({ kind: 'open', events: 100 });
    const more = { ...batch, events: [...batch.events, ...batch.events.slice(0, 1)] };
    expect(await refusal(Buffer.from(JSON.stringify(more)), JSON_TYPE)).toBe('too_many_events');
  });

  it.each(['c328', 'eda080', 'f0288cbc', 'ff'])('that is no UTF-8 (%s) is refused', async (hex) => {
    const body = Buffer.from(
      `{"subject":"ana","device":"laptop","events":[{"kind":"composition","at":${AT},"text":"?"}]}`,
    );
    expect(await refusal(body, JSON_TYPE)).toBe('none');
    const at = body.indexOf('?');
    const spoilt = Buffer.concat([body.subarray(0, at), Buffer.from(hex, 'hex'), body.subarray(at + 1)]);
    expect(await refusal(spoilt, JSON_TYPE)).toBe('bad_batch');
  });
});

it.each(['br', 'deflate', 'x-gzip', 'identity, gzip', ''])(
  'an encoding that is not offered (%s) is refused',
  async (encoding) => {
    expect(await refusal(brotliCompressSync('{}'), JSON_TYPE, encoding)).toBe('unsupported_encoding');
  },
);
