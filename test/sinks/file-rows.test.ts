import { expect, test } from 'vitest';
import { loadZstd } from '../../src/events/zstd.ts';
import { TableFormatError } from '../../src/sinks/index.ts';
import { encodeDataFile } from '../../src/sinks/training-table/data-file.ts';
import { GatheredRows, readRows, readRowsOf } from '../../src/sinks/training-table/file-rows.ts';
import { RowBuffer } from '../../src/sinks/training-table/row-buffer.ts';
import { action, pseudonym, record } from '../helpers/released.ts';

const zstd = await loadZstd();

function someRows(): RowBuffer {
  const buffer = new RowBuffer();
  const apps = ['Excel', '😀', '\u{ff5e}', 'a'];
  for (let i = 0; i < 40; i++) {
    const actions = Array.from({ length: 50 }, (_, step) =>
      action(step, { app: apps[(i + step) % 5] ?? null, window: step % 9 === 0 ? 'x'.repeat(70) : null }),
    );
    const subject = i % 4 === 0 ? pseudonym(500 - i) : null;
    buffer.append(record(0, i, { session: pseudonym(1000 - i), subject, actions }));
  }
  return buffer;
}

test('rows that were read and gathered make the file and the statistics that they came of', async () => {
  const [day] = someRows().days();
  if (day === undefined) throw new Error('no rows');
  const first = await encodeDataFile(day, zstd);
  const gathered = new GatheredRows(day.date);
  for await (const chunk of readRows(first.bytes, zstd)) for (const row of chunk) gathered.add(row);
  const second = await encodeDataFile(gathered, zstd);
  expect(second.stats).toBe(first.stats);
  expect(second.rows).toBe(2000);
  expect(Buffer.compare(second.bytes, first.bytes)).toBe(0);
});

test('of the rows of some sessions only those are decoded whose row group has one', async () => {
  const buffer = new RowBuffer();
  // Rows lie by session: these are two row groups, and a part of a third.
  for (let i = 0; i < 3_000; i++) {
    const actions = Array.from({ length: 50 }, (_, step) => action(step));
    buffer.append(record(0, i, { session: pseudonym(i), actions }));
  }
  const [day] = buffer.days();
  if (day === undefined) throw new Error('no rows');
  const { bytes } = await encodeDataFile(day, zstd);
  const reading = async (rows: (counted: typeof zstd) => AsyncGenerator<Record<string, unknown>[]>) => {
    let decoded = 0;
    const counted = {
      ...zstd,
      decompress: (data: Uint8Array, size: number) => (decoded++, zstd.decompress(data, size)),
    };
    const found: Record<string, unknown>[] = [];
    for await (const chunk of rows(counted)) found.push(...chunk);
    return { decoded, found };
  };
  const all = await reading((counted) => readRows(bytes, counted));
  const column = await reading((counted) => readRows(bytes, counted, ['session']));
  const wanted = new Set([pseudonym(2_999)]);
  const some = await reading((counted) => readRowsOf(bytes, counted, wanted));
  expect(some.found).toEqual(all.found.filter(({ session }) => session === pseudonym(2_999)));
  expect(some.found).toHaveLength(50);
  expect(some.decoded).toBeLessThan(all.decoded / 2 + column.decoded);
  const none = await reading((counted) => readRowsOf(bytes, counted, new Set([pseudonym(5_000)])));
  expect(none).toEqual({ decoded: column.decoded, found: [] });
});

test.each([
  ['a missing value', { session: null }],
  ['a number in a text', { session: 5 }],
  ['half a step', { step: 1.5 }],
  ['a step beyond 32 bits', { step: 2n ** 40n }],
])('%s stops it without being shown', async (_, wrong) => {
  const row = { session: pseudonym(1), step: 1n, action: 'click', policy: 'p', schema: 1 };
  const gathered = new GatheredRows('2026-11-01');
  gathered.add(row);
  expect(gathered.values('step', 0, 1)).toEqual(Int32Array.of(1));
  expect(() => gathered.add({ ...row, ...wrong })).toThrow(
    new TableFormatError('A file of the table holds a value that its column may not have; it was not rewritten.'),
  );
});
