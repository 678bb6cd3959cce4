/**
 * A capture payload as bytes: Avro in Confluent wire format, in one zstd frame. `schemas/capture-payload.avsc` says what each
 * column holds; `src/events/columns.ts` reads them.
 */
import type { CapturePayload, RawEvent } from '../../src/events/raw.ts';

/** Id of the schema in wire format, taken from its fingerprint when this file is bundled. */
declare const CAPTURE_PAYLOAD_SCHEMA_ID: number;

const KINDS: readonly RawEvent['kind'][] = [
  'pointer_move',
  'pointer_down',
  'pointer_up',
  'wheel',
  'key_down',
  'key_up',
  'focus',
  'navigate',
  'clipboard',
  'value_change',
  'composition',
  'session_end',
];
const BUTTONS = ['left', 'right', 'middle', 'back', 'forward', 'other'];
const CLIPBOARD_OPS = ['copy', 'cut', 'paste'];

const utf8 = new TextEncoder();

/** Bytes of the text in UTF-8. */
export const utf8Length = (text: string): number => utf8.encode(text).length;

/** The payload in Avro and wire format. Numbers must be whole, indices in their tables: nothing is checked here. */
export function encodePayload({ subject, device, contexts, elements, events }: CapturePayload): Uint8Array {
  const columns = columnsOf(events);
  const out: number[] = [0];
  for (let shift = 24; shift >= 0; shift -= 8) out.push((CAPTURE_PAYLOAD_SCHEMA_ID >>> shift) & 0xff);
  text(out, subject);
  text(out, device);
  zigzag(out, events[0]?.at ?? 0);
  array(out, contexts, ({ app, title, url, private: isPrivate }) => {
    for (const each of [app, title, url]) text(out, each);
    out.push(Number(isPrivate));
  });
  array(out, elements, ({ role, name, value, secure, bounds }) => {
    for (const each of [role, name, value]) text(out, each);
    out.push(Number(secure));
    zigzag(out, bounds === null ? 0 : 1);
    if (bounds !== null) for (const each of [bounds.x, bounds.y, bounds.width, bounds.height]) zigzag(out, each);
  });
  array(out, columns.keys, ([key, code]) => {
    text(out, key);
    text(out, code);
  });
  array(out, columns.texts, (each) => text(out, each));
  for (const column of columns.columns) bytes(out, column);
  return Uint8Array.from(out);
}

interface Columns {
  readonly keys: readonly (readonly [key: string, code: string])[];
  readonly texts: readonly string[];
  /** In the order of the schema. */
  readonly columns: readonly (readonly number[])[];
}

function columnsOf(events: readonly RawEvent[]): Columns {
  const [kinds, times, buttons, wheelX, wheelY, keyRefs, textRefs, clipboardOps]: number[][] = lists(8);
  const contextChanges = changes();
  const elementChanges = changes();
  const x = deltas();
  const y = deltas();
  const keys = table<readonly [string, string]>();
  const texts = table<string>();
  let time = events[0]?.at ?? 0;
  events.forEach((event, index) => {
    kinds.push(KINDS.indexOf(event.kind));
    zigzag(times, event.at - time);
    time = event.at;
    contextChanges.add(index, event.context);
    elementChanges.add(index, event.element);
    switch (event.kind) {
      case 'pointer_move':
      case 'pointer_down':
      case 'pointer_up':
        x.add(event.x);
        y.add(event.y);
        if (event.kind !== 'pointer_move') buttons.push(BUTTONS.indexOf(event.button));
        break;
      case 'wheel':
        zigzag(wheelX, event.dx);
        zigzag(wheelY, event.dy);
        break;
      case 'key_down':
      case 'key_up':
        varint(keyRefs, keys.indexOf(`${event.code.length}:${event.code}${event.key}`, [event.key, event.code]));
        break;
      case 'clipboard':
        clipboardOps.push(CLIPBOARD_OPS.indexOf(event.op));
        varint(textRefs, texts.indexOf(event.text, event.text));
        break;
      case 'value_change':
        varint(textRefs, texts.indexOf(event.value, event.value));
        break;
      case 'composition':
        varint(textRefs, texts.indexOf(event.text, event.text));
        break;
      case 'focus':
      case 'navigate':
      case 'session_end':
      case 'unknown':
        break;
    }
  });
  const places = [contextChanges.column, elementChanges.column, x.column, y.column];
  const columns = [kinds, times, ...places, buttons, wheelX, wheelY, keyRefs, textRefs, clipboardOps];
  return { keys: keys.rows, texts: texts.rows, columns };
}

type Eight<T> = [T, T, T, T, T, T, T, T];
const lists = (count: 8): Eight<number[]> => Array.from({ length: count }, () => []) as unknown as Eight<number[]>; // so many

/** Pairs of events since the last change and the new index plus 1; before the first there is none. */
function changes(): { readonly column: number[]; add(event: number, index: number): void } {
  const column: number[] = [];
  let current = -1;
  let since = 0;
  return {
    column,
    add(event, index) {
      if (index === current) return;
      varint(column, event - since);
      varint(column, index + 1);
      current = index;
      since = event;
    },
  };
}

/** Differences of 32 bits to the value before. */
function deltas(): { readonly column: number[]; add(value: number): void } {
  const column: number[] = [];
  let last = 0;
  return {
    column,
    add(value) {
      zigzag(column, (value - last) | 0);
      last = value;
    },
  };
}

/** Distinct rows in order of first use. */
function table<T>(): { readonly rows: T[]; indexOf(id: string, row: T): number } {
  const rows: T[] = [];
  const known = new Map<string, number>();
  return {
    rows,
    indexOf(id, row) {
      const index = known.get(id) ?? rows.push(row) - 1;
      known.set(id, index);
      return index;
    },
  };
}

// --- Avro: https://avro.apache.org/docs/1.11.1/specification/#binary-encoding ---

/** Whole numbers of up to 52 bits: times are larger than what bit operators take. */
function zigzag(out: number[], value: number): void {
  varint(out, value < 0 ? -value * 2 - 1 : value * 2);
}

function varint(out: number[], value: number): void {
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80);
  out.push(rest);
}

function bytes(out: number[], value: Iterable<number> & { readonly length: number }): void {
  zigzag(out, value.length);
  for (const byte of value) out.push(byte);
}

function text(out: number[], value: string): void {
  bytes(out, utf8.encode(value));
}

function array<T>(out: number[], items: readonly T[], write: (item: T) => void): void {
  if (items.length > 0) zigzag(out, items.length);
  for (const item of items) write(item);
  out.push(0);
}

// --- zstd: RFC 8878 ---

const MAX_BLOCK_BYTES = 131_072;

/** One frame that says its content size, of blocks that are not compressed: a compressor would weigh more than it saves. */
export function zstdFrame(content: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = Math.max(1, Math.ceil(content.length / MAX_BLOCK_BYTES));
  const frame = new Uint8Array(9 + blocks * 3 + content.length);
  // Magic number; then: a single segment, and its size in 4 bytes.
  frame.set([0x28, 0xb5, 0x2f, 0xfd, 0xa0]);
  new DataView(frame.buffer).setUint32(5, content.length, true);
  let at = 9;
  for (let block = 0; block < blocks; block++) {
    const part = content.subarray(block * MAX_BLOCK_BYTES, (block + 1) * MAX_BLOCK_BYTES);
    const header = (part.length << 3) | Number(block === blocks - 1);
    frame.set([header & 0xff, (header >> 8) & 0xff, header >> 16], at);
    frame.set(part, at + 3);
    at += 3 + part.length;
  }
  return frame;
}
