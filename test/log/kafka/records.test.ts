import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LogRecord, NewRecord } from '../../../src/log/event-log.ts';
import type { AbortedTransaction } from '../../../src/log/kafka/calls.ts';
import { CompressionError, loadCodecs } from '../../../src/log/kafka/compression.ts';
import { crc32c } from '../../../src/log/kafka/crc32c.ts';
import { CorruptBatchError, decodeBatches, Packer, type Codecs, type Stretch } from '../../../src/log/kafka/records.ts';
import { Reader, Writer } from '../../../src/log/kafka/wire.ts';
import { batch, marker } from './batches.ts';

let codecs: Codecs;
beforeAll(async () => {
  codecs = await loadCodecs();
});

const ALL: Stretch = { topic: 't', partition: 0, offset: 0, maxRecords: 1e6, maxBytes: 1e9 };
const record = (value: string): NewRecord => ({ key: 'k', value: new TextEncoder().encode(value), timestamp: 1000 });
const text = ({ value }: LogRecord): string => new TextDecoder().decode(value ?? new Uint8Array());

describe('numbers on the wire', () => {
  it('come back, whatever their size', () => {
    const numbers = fc.array(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }));
    fc.assert(
      fc.property(numbers, (all) => {
        const w = new Writer(1);
        for (const n of all) w.varint(n).int64(n).string(`${n}`).compactString(`${n}`);
        const r = new Reader(w.finish());
        for (const n of all)
          expect([r.varint(), r.int64(), r.string(), r.compactString()]).toEqual([n, n, `${n}`, `${n}`]);
        expect(r.left).toBe(0);
      }),
    );
  });

  it('are not read past the end', () => {
    expect(() => new Reader(Buffer.from([0, 0])).int32()).toThrow(RangeError);
    expect(() => new Reader(Buffer.from([0x7f, 1])).string()).toThrow(RangeError);
    expect(() => new Reader(Buffer.alloc(20, 0xff)).varint()).toThrow(RangeError);
  });

  it('have the check values of CRC-32C', () => {
    expect(crc32c(Buffer.from('123456789')).toString(16)).toBe('e3069283');
    // RFC 3720, B.4
    expect(crc32c(Buffer.alloc(32)).toString(16)).toBe('8a9136aa');
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i))).toString(16)).toBe('46dd794e');
  });
});

describe('record batches', () => {
  const records = fc.array(
    fc.record({
      key: fc.string({ unit: 'binary' }),
      value: fc.option(fc.uint8Array()),
      timestamp: fc.nat({ max: 2 ** 45 }),
      headers: fc.dictionary(fc.stringMatching(/^[a-z-]{1,9}$/u), fc.stringMatching(/^[ -~]{0,9}$/u)),
    }),
    { minLength: 1, maxLength: 20 },
  );

  it('hold records as they are, by every codec', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.integer({ min: 0, max: 4 }), fc.nat(), async (all, compression, baseOffset) => {
        const bytes = await batch({ baseOffset, records: all, compression }, codecs);
        const decoded = await decodeBatches(bytes, [], { ...ALL, offset: baseOffset }, codecs);
        const at = (i: number): object => ({ topic: 't', partition: 0, offset: baseOffset + i });
        expect(decoded.records).toEqual(all.map((r, i) => ({ ...r, headers: { ...r.headers }, ...at(i) })));
        expect(decoded.nextOffset).toBe(baseOffset + all.length);
      }),
      { numRuns: 60 },
    );
  });

  it('are split before they become too large, and one large record stays whole', () => {
    const packer = new Packer();
    for (let i = 0; i < 10; i += 1) packer.add({ key: 'k', value: new Uint8Array(300_000), timestamp: 1 });
    packer.add({ key: 'k', value: new Uint8Array(3_000_000), timestamp: 1 });
    const packed = packer.finish();
    expect(packed.map(({ count }) => count)).toEqual([2, 2, 2, 2, 2, 1]);
  });

  it('that were cut off are left out, and the rest is read', async () => {
    const [one, two] = [
      await batch({ baseOffset: 0, records: [record('a')] }),
      await batch({ baseOffset: 1, records: [record('b')] }),
    ];
    for (let cut = 0; cut < two.length; cut += 1) {
      const decoded = await decodeBatches(Buffer.concat([one, two.subarray(0, cut)]), [], ALL, codecs);
      expect([decoded.records.map(text), decoded.nextOffset]).toEqual([['a'], 1]);
    }
  });

  it('are read from the wanted offset on', async () => {
    const bytes = await batch({ baseOffset: 10, records: ['a', 'b', 'c'].map(record) });
    const decoded = await decodeBatches(bytes, [], { ...ALL, offset: 11 }, codecs);
    expect(decoded.records.map((r) => [text(r), r.offset])).toEqual([
      ['b', 11],
      ['c', 12],
    ]);
  });

  it('that compaction has thinned out or emptied still move the reader on', async () => {
    const bytes = Buffer.concat([
      await batch({ baseOffset: 5, records: [record('a')], span: 10 }),
      await batch({ baseOffset: 20, records: [], span: 5 }),
    ]);
    const decoded = await decodeBatches(bytes, [], { ...ALL, offset: 3 }, codecs);
    expect([decoded.records.map(text), decoded.nextOffset]).toEqual([['a'], 25]);
  });

  it('are taken within bounds, and at least one record', async () => {
    const bytes = Buffer.concat([
      await batch({ baseOffset: 0, records: ['aaaa', 'bbbb', 'cccc'].map(record) }),
      await batch({ baseOffset: 3, records: ['dddd'].map(record) }),
    ]);
    const next = async (bounds: Partial<Stretch>): Promise<number> =>
      (await decodeBatches(bytes, [], { ...ALL, ...bounds }, codecs)).nextOffset;
    expect(await next({ maxRecords: 2 })).toBe(2);
    expect(await next({ maxRecords: 3 })).toBe(3);
    expect(await next({ maxBytes: 1 })).toBe(1);
    expect(await next({ maxBytes: 8 })).toBe(2);
    expect(await next({ maxBytes: 16 })).toBe(4);
  });

  it.each([1, 2, 3, 4])('that would unpack to too much are not unpacked, by codec %i', async (compression) => {
    const bomb = { key: 'k', value: new Uint8Array(40 * 2 ** 20), timestamp: 1000 };
    const bytes = Buffer.concat([
      await batch({ baseOffset: 0, records: [record('a')] }),
      await batch({ baseOffset: 1, records: [bomb], span: 3, compression }, codecs),
      await batch({ baseOffset: 4, records: [record('d')] }),
    ]);
    await expect(decodeBatches(bytes, [], ALL, codecs)).rejects.toThrow(CompressionError);
    const read = async (bounds: Partial<Stretch>): Promise<unknown> => {
      const { records: all, nextOffset } = await decodeBatches(
        bytes,
        [],
        { ...ALL, standIns: true, ...bounds },
        codecs,
      );
      return [nextOffset, ...all.map((one) => [one.offset, one.refused ?? text(one)])];
    };
    expect(await read({})).toEqual([5, [0, 'a'], [1, 'limit_exceeded'], [4, 'd']]);
    expect(await read({ maxRecords: 1 })).toEqual([1, [0, 'a']]);
    expect(await read({ offset: 2 })).toEqual([5, [2, 'limit_exceeded'], [4, 'd']]);
  });

  it('whose compressed records are damaged have nothing in their place', async () => {
    const bytes = await batch({ baseOffset: 0, records: [record('a')] });
    // Not compressed, and said to be: the checksum is made anew.
    bytes.writeInt16BE(1, 21);
    bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
    await expect(decodeBatches(bytes, [], { ...ALL, standIns: true }, codecs)).rejects.toThrow(/damaged/u);
  });

  it('that are damaged are refused by name', async () => {
    const bytes = await batch({ baseOffset: 7, records: [record('secret')] });
    for (const at of [16, 17, 22, bytes.length - 3]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      const decoding = decodeBatches(damaged, [], ALL, codecs);
      await expect(decoding).rejects.toThrow(CorruptBatchError);
      await expect(decoding).rejects.toThrow(/topic 't' partition 0 offset 7/u);
      await expect(decoding).rejects.not.toThrow(/secret/u);
    }
  });
});

describe('what a read-committed reader sees', () => {
  it('takes no record for a marker, whatever its key', async () => {
    const zero: NewRecord = { ...record('plain'), key: '\0\0\0\0' };
    const bytes = Buffer.concat([
      await batch({ baseOffset: 0, records: [zero], producerId: 1, transactional: true }),
      await batch({ baseOffset: 1, records: [record('aborted')], producerId: 1, transactional: true }),
      await marker(2, 1, 'abort'),
      await batch({ baseOffset: 3, records: [record('kept')], producerId: 1, transactional: true }),
      await marker(4, 1, 'commit'),
    ]);
    const decoded = await decodeBatches(bytes, [{ producerId: 1, firstOffset: 0 }], ALL, codecs);
    expect([decoded.records.map(text), decoded.nextOffset]).toEqual([['kept'], 5]);
  });

  /** What producers do, one after another, to one partition. */
  const steps = fc.array(
    fc.record({
      producer: fc.integer({ min: 1, max: 3 }),
      does: fc.constantFrom('write', 'write', 'write', 'commit', 'abort', 'plain'),
      count: fc.integer({ min: 1, max: 3 }),
      compression: fc.constantFrom(0, 0, 1),
    }),
    { maxLength: 40, size: 'max' },
  );

  interface Partition {
    readonly batches: { readonly at: number; readonly end: number; readonly bytes: Buffer }[];
    /** With the offset of its marker. */
    readonly aborted: (AbortedTransaction & { readonly end: number })[];
    readonly visible: number[];
  }

  /** A partition that a simple model has written; transactions still open at the end are committed. */
  async function partitionOf(all: typeof steps extends fc.Arbitrary<infer T> ? T : never): Promise<Partition> {
    const partition: Partition = { batches: [], aborted: [], visible: [] };
    const open = new Map<number, number[]>();
    let end = 0;
    const put = (bytes: Buffer, count: number): void => {
      partition.batches.push({ at: end, end: end + count, bytes });
      end += count;
    };
    const finish = async (producer: number, kind: 'commit' | 'abort'): Promise<void> => {
      const offsets = open.get(producer);
      if (offsets === undefined) return;
      open.delete(producer);
      if (kind === 'commit') partition.visible.push(...offsets);
      else partition.aborted.push({ producerId: producer, firstOffset: offsets[0] ?? 0, end });
      put(await marker(end, producer, kind), 1);
    };
    for (const { producer, does, count, compression } of all) {
      if (does === 'commit' || does === 'abort') await finish(producer, does);
      else {
        // Those who write without transactions have producer ids of their own.
        const plain = does === 'plain';
        const records = Array.from({ length: count }, (_, i) => record(`${end + i}`));
        const offsets = records.map((_, i) => end + i);
        const spec = { baseOffset: end, records, compression, transactional: !plain };
        put(await batch({ ...spec, producerId: plain ? producer + 10 : producer }, codecs), count);
        if (plain) partition.visible.push(...offsets);
        else open.set(producer, [...(open.get(producer) ?? []), ...offsets]);
      }
    }
    for (const producer of open.keys()) await finish(producer, 'commit');
    return partition;
  }

  it('is what was committed, in order, from any offset, by any sizes of fetches', async () => {
    const bounds = fc.record({
      maxRecords: fc.integer({ min: 1, max: 9 }),
      fetchBatches: fc.integer({ min: 1, max: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(steps, bounds, fc.nat({ max: 30 }), async (all, { maxRecords, fetchBatches }, from) => {
        const { batches, aborted, visible } = await partitionOf(all);
        const end = batches.at(-1)?.end ?? 0;
        const start = Math.min(from, end);
        const seen: number[] = [];
        let offset = start;
        while (offset < end) {
          const first = batches.findIndex((b) => b.end > offset);
          const fetched = batches.slice(first, first + fetchBatches);
          const last = fetched.at(-1)?.end ?? 0;
          // A broker names the aborted transactions that overlap what it returns.
          const named = aborted.filter((a) => a.end >= (fetched[0]?.at ?? 0) && a.firstOffset < last);
          const bytes = Buffer.concat(fetched.map((b) => b.bytes));
          const decoded = await decodeBatches(bytes, named, { ...ALL, offset, maxRecords }, codecs);
          expect(decoded.nextOffset).toBeGreaterThan(offset);
          expect(decoded.records.length).toBeLessThanOrEqual(maxRecords);
          for (const one of decoded.records) expect(text(one)).toBe(`${one.offset}`);
          seen.push(...decoded.records.map((one) => one.offset));
          offset = decoded.nextOffset;
        }
        expect(seen).toEqual(visible.filter((o) => o >= start).toSorted((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });
});
