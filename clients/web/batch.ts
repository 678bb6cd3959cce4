/**
 * Events as a capture payload: Avro in Confluent wire format, in one zstd frame. `schemas/capture-payload.avsc` says what each
 * column holds; `src/events/columns.ts` reads them. Events become bytes at once, so that a batch knows its size.
 */
import { bigEndian, bytes, concat, text, varint, zigzag, type Bytes } from './bytes.ts';

/** Id of the schema in wire format, taken from its fingerprint when this file is bundled. */
declare const CAPTURE_PAYLOAD_SCHEMA_ID: number;

/** What stands for a kind in a payload: its place in this list. */
export const KINDS =
  'pointer_move pointer_down pointer_up wheel key_down key_up focus navigate clipboard value_change composition session_end'.split(
    ' ',
  );
export const POINTER_MOVE = 0;
export const POINTER_DOWN = 1;
export const POINTER_UP = 2;
export const WHEEL = 3;
export const KEY_DOWN = 4;
export const KEY_UP = 5;
export const FOCUS = 6;
export const NAVIGATE = 7;
export const CLIPBOARD = 8;
export const VALUE_CHANGE = 9;
export const COMPOSITION = 10;
export const SESSION_END = 11;

/** An event with the fields of its kind, numbers whole and of 32 bits; nothing is checked here. */
export interface Captured {
  readonly kind: number;
  /** Device time, ms since 1970-01-01 UTC. */
  readonly at: number;
  /** Screen pixels. */
  readonly x?: number;
  readonly y?: number;
  /** 0 left, 1 right, 2 middle, 3 back, 4 forward, 5 other. */
  readonly pressed?: number;
  /** Positive to the right, and up. */
  readonly dx?: number;
  readonly dy?: number;
  readonly key?: string;
  readonly code?: string;
  /** 0 copy, 1 cut, 2 paste. */
  readonly op?: number;
  /** Of clipboard, value_change and composition. */
  readonly entered?: string;
}

/** Where it happened; never a private window's. */
export interface Page {
  readonly app: string;
  readonly title: string;
  readonly url: string;
}

/** What it acted on; never a secure element, and without its value, of which nothing is ever released. */
export interface Seen {
  readonly role: string;
  readonly name: string;
  /** x, y, width and height on the screen, whole pixels. */
  readonly bounds: readonly number[];
}

export interface Batch {
  readonly add: (event: Captured, page?: Page, seen?: Seen) => void;
  /** Bytes of the payload, but for a few. */
  readonly sizeNow: () => number;
  readonly eventCount: () => number;
  /** The payload as it is sealed. */
  readonly pack: () => Bytes;
}

export function createBatch(subject: string, device: string): Batch {
  const columns: Columns = [[], [], [], [], [], [], [], [], [], [], [], []];
  const [
    kinds,
    times,
    contextChanges,
    elementChanges,
    xs,
    ys,
    buttons,
    wheelX,
    wheelY,
    keyRefs,
    textRefs,
    clipboardOps,
  ] = columns;
  const tables = [createTable(), createTable(), createTable(), createTable()] as const;
  const [contexts, elements, keys, texts] = tables;
  const putX = deltasTo(xs);
  const putY = deltasTo(ys);
  const putContext = changesTo(contextChanges);
  const putElement = changesTo(elementChanges);
  let startedAt = 0;
  let time = 0;

  return {
    add({ kind, at, x, y, pressed, dx, dy, key, code, op, entered }, page, seen) {
      const index = kinds.length;
      if (index === 0) startedAt = time = at;
      // Neither is private or secure: what is, is never captured. Bounds are the branch 1 of a union. As numbers, false is 0.
      putContext(index, page ? contexts.rowOf([page.app, page.title, page.url, 0]) : 0);
      putElement(index, seen ? elements.rowOf([seen.role, seen.name, '', 0, 1, ...seen.bounds]) : 0);
      kinds.push(kind);
      zigzag(times, at - time);
      time = at;
      when(x, putX);
      when(y, putY);
      when(pressed, (value) => buttons.push(value));
      when(dx, (value) => zigzag(wheelX, value));
      when(dy, (value) => zigzag(wheelY, value));
      when(key, (value) => varint(keyRefs, keys.rowOf([value, code ?? '']) - 1));
      when(op, (value) => clipboardOps.push(value));
      when(entered, (value) => varint(textRefs, texts.rowOf([value]) - 1));
    },
    sizeNow: () => [...tables.map(({ rows }) => rows), ...columns].flat().length,
    eventCount: () => kinds.length,
    pack() {
      // Of each number the last 8 bits are taken.
      const out = [0, ...bigEndian(CAPTURE_PAYLOAD_SCHEMA_ID, 4)];
      text(out, subject);
      text(out, device);
      zigzag(out, startedAt);
      for (const { rows, known } of tables) {
        if (known.size > 0) zigzag(out, known.size);
        out.push(...rows, 0);
      }
      for (const column of columns) bytes(out, column);
      // One frame (RFC 8878) that says its content size, of one block that is not compressed: a compressor would weigh more than
      // it saves. No more than 128 KiB fit into a block; batches are far smaller.
      const { length } = out;
      const header = (length << 3) | 1;
      // Magic number; a single segment whose size has 4 bytes; the last block, as it is.
      const start = [40, 181, 47, 253, 160, length, length >> 8, length >> 16, 0, header, header >> 8, header >> 16];
      return concat(start, out);
    },
  };
}

type Column = number[];
type Columns = readonly [
  Column,
  Column,
  Column,
  Column,
  Column,
  Column,
  Column,
  Column,
  Column,
  Column,
  Column,
  Column,
];

/** Does nothing with what an event of that kind does not have. */
const when = <T>(value: T | undefined, put: (value: T) => unknown): unknown => value !== undefined && put(value);

interface Table {
  /** All rows as Avro. */
  readonly rows: number[];
  readonly known: ReadonlyMap<string, number>;
  /** Place of the row, from 1, which is written if it is new. */
  rowOf(row: readonly (string | number)[]): number;
}

/** Distinct rows in order of first use. */
function createTable(): Table {
  const rows: number[] = [];
  const known = new Map<string, number>();
  return {
    rows,
    known,
    rowOf(row) {
      const id = JSON.stringify(row);
      let place = known.get(id);
      if (!place) {
        known.set(id, (place = known.size + 1));
        for (const each of row) {
          if (typeof each === 'string') text(rows, each);
          else zigzag(rows, each);
        }
      }
      return place;
    },
  };
}

/** Differences of 32 bits to the value before. */
function deltasTo(column: number[]): (value: number) => void {
  let last = 0;
  return (value) => {
    zigzag(column, (value - last) | 0);
    last = value;
  };
}

/** Pairs of events since the last change and the new place, from 1; before the first there is none. */
function changesTo(column: number[]): (event: number, place: number) => void {
  let current = 0;
  let since = 0;
  return (event, place) => {
    if (place === current) return;
    varint(column, event - since);
    varint(column, place);
    current = place;
    since = event;
  };
}
