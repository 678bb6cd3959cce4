import { describe, expect, it } from 'vitest';
import { ColumnError, decodeEvents, encodeEvents } from '../../src/events/columns.ts';
import type { EventColumns } from '../../src/events/columns.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import type { RawEvent } from '../../src/events/raw.ts';

const T = Date.UTC(2025, 0, 1);
const NOTHING = Buffer.alloc(0);
const EMPTY: EventColumns = {
  startedAt: T,
  keys: [],
  texts: [],
  kinds: NOTHING,
  times: NOTHING,
  contextChanges: NOTHING,
  elementChanges: NOTHING,
  x: NOTHING,
  y: NOTHING,
  buttons: NOTHING,
  wheelX: NOTHING,
  wheelY: NOTHING,
  keyRefs: NOTHING,
  textRefs: NOTHING,
  clipboardOps: NOTHING,
};
const bytes = (...values: number[]) => Buffer.from(values);
const decode = (columns: Partial<EventColumns>, contexts = 0, elements = 0) =>
  decodeEvents({ ...EMPTY, ...columns }, { contexts, elements }, DEFAULT_LIMITS);
const at = { at: T, context: -1, element: -1 };

describe('columns that stand for events', () => {
  it('an unknown kind takes nothing from any column but the times', () => {
    const columns = { kinds: bytes(0, 200, 12, 0), times: bytes(0, 2, 1, 0), x: bytes(2, 4), y: bytes(1, 0) };
    expect(decode(columns)).toStrictEqual([
      { kind: 'pointer_move', ...at, x: 1, y: -1 },
      { kind: 'unknown', ...at, at: T + 1, code: 200 },
      { kind: 'unknown', ...at, code: 12 },
      { kind: 'pointer_move', ...at, x: 3, y: -1 },
    ]);
  });

  it('changes hold from their event up to the next', () => {
    const columns = { kinds: bytes(6, 6, 6, 6), times: bytes(0, 0, 0, 0), contextChanges: bytes(1, 2, 2, 0) };
    expect(decode(columns, 2).map((event) => event.context)).toStrictEqual([-1, 1, 1, -1]);
  });

  it('a larger batch after a small one, and a small one after that', () => {
    const move = (index: number): RawEvent => ({ kind: 'pointer_move', ...at, at: T + index, x: index, y: 7 - index });
    for (const count of [3, 20_000, 5]) {
      const events = Array.from({ length: count }, (_, index) => move(index));
      const columns = encodeEvents(events, { contexts: 0, elements: 0 }, DEFAULT_LIMITS);
      expect(decode(columns)).toStrictEqual(events);
    }
  });
});

describe('columns that do not', () => {
  const move = { kinds: bytes(0), times: bytes(0), x: bytes(2), y: bytes(2) };
  const keyed = { kinds: bytes(4), times: bytes(0), keys: [{ key: 'a', code: '' }], keyRefs: bytes(0) };
  const pasted = { kinds: bytes(8), times: bytes(0), texts: ['t'], textRefs: bytes(0), clipboardOps: bytes(2) };
  const focus = { kinds: bytes(6, 6), times: bytes(0, 0) };

  it('their sound neighbours do', () => {
    expect(decode(move)).toHaveLength(1);
    expect(decode(keyed)).toHaveLength(1);
    expect(decode(pasted)).toHaveLength(1);
    expect(decode({ ...focus, contextChanges: bytes(0, 1, 1, 0) }, 1)).toHaveLength(2);
  });

  const cases: readonly (readonly [string, Partial<EventColumns>])[] = [
    ['too few times', { ...move, times: NOTHING }],
    ['too many times', { ...move, times: bytes(0, 0) }],
    ['a time step without end', { ...move, times: Buffer.alloc(9, 0x80) }],
    ['a time after 2199', { ...move, times: bytes(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f) }],
    ['the first time after 2199', { ...move, startedAt: Date.UTC(2200, 0, 1) }],
    ['the last time before 1990', { ...move, startedAt: Date.UTC(1990, 0, 1) - 1 }],
    ['a time before 1990', { ...move, startedAt: 0 }],
    ['a start that is no number', { ...move, startedAt: Number.NaN }],
    ['too few x', { ...move, x: NOTHING }],
    ['too many y', { ...move, y: bytes(2, 2) }],
    ['x where no event has one', { ...focus, x: bytes(2) }],
    ['a truncated varint', { ...move, x: bytes(0x80) }],
    ['a varint of more than 32 bits', { ...move, x: bytes(0xff, 0xff, 0xff, 0xff, 0x1f) }],
    ['a varint without end', { ...move, x: Buffer.alloc(7, 0x80) }],
    ['a key outside of the table', { ...keyed, keyRefs: bytes(1) }],
    ['a key without a table', { ...keyed, keys: [] }],
    ['a text outside of the table', { ...pasted, textRefs: bytes(1) }],
    ['a clipboard operation outside of its set', { ...pasted, clipboardOps: bytes(3) }],
    ['a button outside of its set', { ...move, kinds: bytes(1), buttons: bytes(6) }],
    ['too few buttons', { ...move, kinds: bytes(1) }],
    ['a context outside of the table', { ...focus, contextChanges: bytes(0, 2) }],
    ['an element outside of the table', { ...focus, elementChanges: bytes(0, 1) }],
    ['a change behind the last event', { ...focus, contextChanges: bytes(2, 1) }],
    ['two changes at one event', { ...focus, contextChanges: bytes(1, 1, 0, 0) }],
    ['two changes at the first event', { ...focus, contextChanges: bytes(0, 1, 0, 0) }],
    ['half of a change', { ...focus, contextChanges: bytes(0) }],
    ['a change without events', { contextChanges: bytes(0, 1) }],
  ];
  it.each(cases)('%s', (_name, columns) => {
    expect(() => decode(columns, 1)).toThrow(ColumnError);
  });

  it('more events than allowed', () => {
    const columns = { ...EMPTY, kinds: bytes(6, 6, 6), times: bytes(0, 0, 0) };
    const limits = { ...DEFAULT_LIMITS, maxEvents: 2 };
    const attempt = () => decodeEvents(columns, { contexts: 0, elements: 0 }, limits);
    expect(attempt).toThrow(expect.objectContaining({ overLimit: true }));
  });
});
