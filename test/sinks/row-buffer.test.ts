import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareCodePoints, RowBuffer } from '../../src/sinks/training-table/row-buffer.ts';
import { action, DAY, pseudonym, record } from '../helpers/released.ts';

test('rows of a day come by session and step, whatever the order of arrival', () => {
  const parts = [1, 2, 3].flatMap((session) => [0, 4, 8].map((first) => ({ session, first })));
  fc.assert(
    fc.property(fc.shuffledSubarray(parts, { minLength: parts.length }), (shuffled) => {
      const buffer = new RowBuffer();
      for (const [offset, { session, first }] of shuffled.entries()) {
        const actions = [action(first), action(first + 1), action(first + 2)];
        buffer.append(record(session % 2, offset, { session: pseudonym(session), actions }));
      }
      const [day, ...others] = buffer.days();
      expect(others).toEqual([]);
      const sessions = [...(day?.values('session', 0, 27) ?? [])];
      const steps = [...(day?.values('step', 0, 27) ?? [])];
      expect(sessions).toEqual([1, 2, 3].flatMap((s) => Array.from({ length: 9 }, () => pseudonym(s))));
      expect(steps).toEqual([0, 1, 2].flatMap(() => [0, 1, 2, 4, 5, 6, 8, 9, 10]));
    }),
  );
});

test('steps of a session that interleave between batches are still put in order', () => {
  const buffer = new RowBuffer();
  buffer.append(record(0, 0, { session: pseudonym(2), actions: [action(1)] }));
  buffer.append(record(0, 1, { actions: [action(0), action(5), action(9)] }));
  buffer.append(record(0, 2, { actions: [action(3), action(7)] }));
  expect([...(buffer.days()[0]?.values('step', 0, 6) ?? [])]).toEqual([0, 3, 5, 7, 9, 1]);
});

test('days are apart, and bounds and nulls are those of the day', () => {
  const buffer = new RowBuffer();
  buffer.append(record(0, 0, { day: DAY + 1, actions: [action(7, { app: 'Word' })] }));
  buffer.append(
    record(0, 1, { day: DAY, actions: [action(0, { app: 'Excel' }), action(1), action(2, { app: 'Calc' })] }),
  );
  const [first, second] = buffer.days();
  expect([first?.date, first?.count, second?.date, second?.count]).toEqual(['2026-11-01', 3, '2026-11-02', 1]);
  expect(first?.bounds().get('app')).toEqual({ min: 'Calc', max: 'Excel', nulls: 1 });
  expect(first?.bounds().get('step')).toEqual({ min: 0, max: 2, nulls: 0 });
  expect(second?.bounds().get('app')).toEqual({ min: 'Word', max: 'Word', nulls: 0 });
  expect(second?.bounds().get('url')).toEqual({ min: undefined, max: undefined, nulls: 1 });
});

test('a refused record leaves nothing of itself between its neighbours', () => {
  const buffer = new RowBuffer();
  buffer.append(record(0, 0, { actions: [action(0, { app: 'A' })] }));
  expect(() => {
    buffer.append(record(0, 1, { actions: [action(1, { app: 'B' }), action(1, { app: 'C' })] }));
  }).toThrow('rise');
  buffer.append(record(0, 2, { actions: [action(2, { app: 'D' })] }));
  const [day] = buffer.days();
  expect([...(day?.values('app', 0, 9) ?? [])]).toEqual(['A', 'D']);
  expect(day?.bounds().get('app')).toEqual({ min: 'A', max: 'D', nulls: 0 });
});

test('it grows, and is empty again after clear', () => {
  const buffer = new RowBuffer();
  for (let i = 0; i < 3000; i++) {
    buffer.append(record(0, i, { session: pseudonym(i), actions: [action(0), action(1, { app: `app ${i}` })] }));
  }
  expect(buffer.rows).toBe(6000);
  expect(buffer.bytes).toBeGreaterThan(6000 * 4 * 17);
  expect([...(buffer.days()[0]?.values('app', 5998, 6000) ?? [])]).toEqual([null, 'app 2999']);
  buffer.clear();
  expect([buffer.rows, buffer.bytes, buffer.days().length]).toEqual([0, 0, 0]);
});

test('texts compare as their UTF-8 bytes do', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\ue000', '\uffee', '😀', '\u{10fffd}', 'é') });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareCodePoints(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});
