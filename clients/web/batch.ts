/**
 * Events as a capture payload: Avro in Confluent wire format, in one zstd frame. `schemas/capture-payload.avsc` says what each
 * column holds; `src/events/columns.ts` reads them. Events become bytes at once, so that a batch knows its size.
 */
import type { Context, RawEvent, UiElement } from '../../src/events/raw.ts';
import { bytes, concat, text, varint, zigzag, type Bytes } from './bytes.ts';

/** Id of the schema in wire format, taken from its fingerprint when this file is bundled. */
declare const CAPTURE_PAYLOAD_SCHEMA_ID: number;

type WithoutPlace<E> = E extends RawEvent ? Omit<E, 'context' | 'element'> : never;
/** An event that does not know its place yet. */
export type EventBody = WithoutPlace<RawEvent>;

export interface Batch {
  /** Numbers must be whole and of 32 bits, times in the years 1990 to 2200: nothing is checked here. */
  readonly add: (event: EventBody, context: Context | null, element: UiElement | null) => void;
  /** Bytes of the payload, but for a few. */
  readonly sizeNow: () => number;
  readonly eventCount: () => number;
  /** The payload as it is sealed. */
  readonly pack: () => Bytes;
}

const KINDS =
  'pointer_move pointer_down pointer_up wheel key_down key_up focus navigate clipboard value_change composition session_end'.split(
    ' ',
  );
const BUTTONS = ['left', 'right', 'middle', 'back', 'forward', 'other'];
const CLIPBOARD_OPS = ['copy', 'cut', 'paste'];

export function createBatch(subject: string, device: string): Batch {
  const kinds: number[] = [];
  const times: number[] = [];
  const buttons: number[] = [];
  const wheelX: number[] = [];
  const wheelY: number[] = [];
  const keyRefs: number[] = [];
  const textRefs: number[] = [];
  const clipboardOps: number[] = [];
  const contexts = createTable();
  const elements = createTable();
  const keys = createTable();
  const texts = createTable();
  const x: number[] = [];
  const y: number[] = [];
  const contextChanges: number[] = [];
  const elementChanges: number[] = [];
  const putX = deltasTo(x);
  const putY = deltasTo(y);
  const putContext = changesTo(contextChanges);
  const putElement = changesTo(elementChanges);
  const tables = [contexts, elements, keys, texts];
  const columns = [
    kinds,
    times,
    contextChanges,
    elementChanges,
    x,
    y,
    buttons,
    wheelX,
    wheelY,
    keyRefs,
    textRefs,
    clipboardOps,
  ];
  let startedAt = 0;
  let time = 0;

  return {
    add(event, context, element) {
      const index = kinds.length;
      if (index === 0) startedAt = time = event.at;
      putContext(index, context === null ? -1 : contexts.indexOf(writeContext, context));
      putElement(index, element === null ? -1 : elements.indexOf(writeElement, element));
      kinds.push(KINDS.indexOf(event.kind));
      zigzag(times, event.at - time);
      time = event.at;
      if ('x' in event) {
        putX(event.x);
        putY(event.y);
      }
      if ('button' in event) buttons.push(BUTTONS.indexOf(event.button));
      if ('dx' in event) {
        zigzag(wheelX, event.dx);
        zigzag(wheelY, event.dy);
      }
      if ('key' in event) varint(keyRefs, keys.indexOf(writeTexts, [event.key, event.code]));
      if ('op' in event) clipboardOps.push(CLIPBOARD_OPS.indexOf(event.op));
      if ('text' in event) varint(textRefs, texts.indexOf(writeTexts, [event.text]));
      if ('value' in event) varint(textRefs, texts.indexOf(writeTexts, [event.value]));
    },
    sizeNow: () => [...tables.map(({ rows }) => rows), ...columns].flat().length,
    eventCount: () => kinds.length,
    pack() {
      // Of each number the last 8 bits are taken.
      const out = [0, ...[24, 16, 8, 0].map((shift) => CAPTURE_PAYLOAD_SCHEMA_ID >> shift)];
      writeTexts(out, [subject, device]);
      zigzag(out, startedAt);
      for (const { rows, known } of tables) {
        if (known.size > 0) zigzag(out, known.size);
        out.push(...rows, 0);
      }
      for (const column of columns) bytes(out, column);
      return zstdFrame(out);
    },
  };
}

const writeTexts = (out: number[], values: readonly string[]): void => values.forEach((value) => text(out, value));

function writeContext(out: number[], { app, title, url, private: isPrivate }: Context): void {
  writeTexts(out, [app, title, url]);
  out.push(Number(isPrivate));
}

function writeElement(out: number[], { role, name, value, secure, bounds }: UiElement): void {
  writeTexts(out, [role, name, value]);
  // A place is the second branch of a union.
  out.push(Number(secure), bounds === null ? 0 : 2);
  if (bounds !== null) [bounds.x, bounds.y, bounds.width, bounds.height].forEach((each) => zigzag(out, each));
}

interface Table {
  /** All rows as Avro. */
  readonly rows: number[];
  readonly known: ReadonlyMap<string, number>;
  /** Place of the row, which is written if it is new. */
  indexOf<T>(write: (out: number[], row: T) => void, row: T): number;
}

/** Distinct rows in order of first use. */
function createTable(): Table {
  const rows: number[] = [];
  const known = new Map<string, number>();
  let last: unknown;
  let lastIndex = -1;
  return {
    rows,
    known,
    indexOf(write, row) {
      // Mostly the same object comes again.
      if (row === last) return lastIndex;
      // What is written tells one row from another.
      const written: number[] = [];
      write(written, row);
      const id = written.join();
      const index = known.get(id) ?? known.size;
      if (index === known.size) rows.push(...written);
      known.set(id, index);
      last = row;
      return (lastIndex = index);
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

/** Pairs of events since the last change and the new index plus 1; before the first there is none. */
function changesTo(column: number[]): (event: number, index: number) => void {
  let current = -1;
  let since = 0;
  return (event, index) => {
    if (index === current) return;
    varint(column, event - since);
    varint(column, index + 1);
    current = index;
    since = event;
  };
}

/**
 * One frame (RFC 8878) that says its content size, of one block that is not compressed: a compressor would weigh more than it
 * saves. No more than 128 KiB fit into a block; batches are far smaller.
 */
function zstdFrame(content: readonly number[]): Bytes {
  const { length } = content;
  const header = (length << 3) | 1;
  // Magic number; a single segment whose size has 4 bytes; the last block, as it is.
  const start = [40, 181, 47, 253, 160, length, length >> 8, length >> 16, 0, header, header >> 8, header >> 16];
  return concat(start, content);
}
