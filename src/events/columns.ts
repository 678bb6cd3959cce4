/**
 * Events as columns of varints (schemas/capture-payload.avsc says what each holds), and back.
 *
 * Columns pack smaller than records, because zstd sees like beside like, and decode faster: each is one tight loop over
 * bytes, and the events are put together from typed arrays. This is the hot path of the whole pipeline.
 */
import { MAX_TIME, MIN_TIME, type Limits } from './limits.ts';
import { CLIPBOARD_OPS, POINTER_BUTTONS } from './raw.ts';
import type { RawEvent, RawEventKind } from './raw.ts';

export interface Key {
  readonly key: string;
  readonly code: string;
}

/** The part of a payload that stands for its events. */
export interface EventColumns {
  readonly startedAt: number;
  readonly keys: readonly Key[];
  readonly texts: readonly string[];
  readonly kinds: Buffer;
  readonly times: Buffer;
  readonly contextChanges: Buffer;
  readonly elementChanges: Buffer;
  readonly x: Buffer;
  readonly y: Buffer;
  readonly buttons: Buffer;
  readonly wheelX: Buffer;
  readonly wheelY: Buffer;
  readonly keyRefs: Buffer;
  readonly textRefs: Buffer;
  readonly clipboardOps: Buffer;
}

/** Events that cannot be written, or columns that are no events. The message holds positions and names only. */
export class ColumnError extends Error {
  override name = 'ColumnError';
  readonly overLimit: boolean;
  constructor(message: string, overLimit = false) {
    super(message);
    this.overLimit = overLimit;
  }
}

const CODE = {
  pointer_move: 0,
  pointer_down: 1,
  pointer_up: 2,
  wheel: 3,
  key_down: 4,
  key_up: 5,
  focus: 6,
  navigate: 7,
  clipboard: 8,
  value_change: 9,
  composition: 10,
  session_end: 11,
} as const satisfies Record<Exclude<RawEventKind, 'unknown'>, number>;
const KNOWN_CODES = Object.keys(CODE).length;

/** Lengths of the tables that events point into. */
export interface TableSizes {
  readonly contexts: number;
  readonly elements: number;
}

/**
 * @returns columns that share memory with the next call's: copy or encode them before that.
 * @throws ColumnError when an index, time or coordinate is out of range, or a table is over its limit.
 */
export function encodeEvents(events: readonly RawEvent[], sizes: TableSizes, limits: Limits): EventColumns {
  if (events.length > limits.maxEvents) throw new ColumnError(`more than ${limits.maxEvents} events`, true);
  const startedAt = events[0]?.at ?? 0;
  writer.reset(events.length, startedAt);
  for (let index = 0; index < events.length; index++) {
    const event = events[index];
    if (event === undefined) continue; // never: index is below the length
    const fault = misfit(event, sizes);
    if (fault !== undefined) throw new ColumnError(`event ${index}: ${fault}`);
    writer.add(event, index);
  }
  return writer.finish();
}

/**
 * @param columns of the payload; `sizes` are its tables'.
 * @returns new events; each kind has one hidden class.
 * @throws ColumnError when the columns do not hold exactly what the kinds ask for, or an index is out of its table.
 */
export function decodeEvents(columns: EventColumns, sizes: TableSizes, limits: Limits): RawEvent[] {
  const count = columns.kinds.length;
  if (count > limits.maxEvents) throw new ColumnError(`more than ${limits.maxEvents} events`, true);
  if (values.size < count) values = makeValues(count * 2);
  readColumns(columns, sizes, tallyKinds(columns.kinds));
  return assemble(columns, values);
}

/** Whether a stamp is one at all: whole milliseconds in the years 1990 to 2200. */
export function isTime(time: number): boolean {
  return Number.isInteger(time) && time >= MIN_TIME && time < MAX_TIME;
}

// --- columns to events ---

function assemble({ kinds, keys, texts }: EventColumns, from: Values): RawEvent[] {
  const { times, contexts, elements, x, y, buttons, wheelX, wheelY, keyRefs, textRefs, clipboardOps } = from;
  const events: RawEvent[] = [];
  let pointer = 0;
  let press = 0;
  let wheel = 0;
  let keyed = 0;
  let texted = 0;
  let clip = 0;
  for (let i = 0; i < kinds.length; i++) {
    const code = kinds[i] ?? 0;
    const at = times[i] ?? 0;
    const context = contexts[i] ?? -1;
    const element = elements[i] ?? -1;
    switch (code) {
      case CODE.pointer_move:
        events.push({ kind: 'pointer_move', at, context, element, x: x[pointer] ?? 0, y: y[pointer] ?? 0 });
        pointer += 1;
        break;
      case CODE.pointer_down:
      case CODE.pointer_up: {
        const kind = code === CODE.pointer_down ? 'pointer_down' : 'pointer_up';
        const button = POINTER_BUTTONS[buttons[press] ?? 0] ?? 'other';
        events.push({ kind, at, context, element, x: x[pointer] ?? 0, y: y[pointer] ?? 0, button });
        pointer += 1;
        press += 1;
        break;
      }
      case CODE.wheel:
        events.push({ kind: 'wheel', at, context, element, dx: wheelX[wheel] ?? 0, dy: wheelY[wheel] ?? 0 });
        wheel += 1;
        break;
      case CODE.key_down:
      case CODE.key_up: {
        const kind = code === CODE.key_down ? 'key_down' : 'key_up';
        const entry = keys[keyRefs[keyed] ?? 0] ?? NO_KEY;
        events.push({ kind, at, context, element, key: entry.key, code: entry.code });
        keyed += 1;
        break;
      }
      case CODE.focus:
      case CODE.navigate:
        events.push({ kind: code === CODE.focus ? 'focus' : 'navigate', at, context, element });
        break;
      case CODE.clipboard: {
        const op = CLIPBOARD_OPS[clipboardOps[clip] ?? 0] ?? 'copy';
        events.push({ kind: 'clipboard', at, context, element, op, text: texts[textRefs[texted] ?? 0] ?? '' });
        clip += 1;
        texted += 1;
        break;
      }
      case CODE.value_change:
        events.push({ kind: 'value_change', at, context, element, value: texts[textRefs[texted] ?? 0] ?? '' });
        texted += 1;
        break;
      case CODE.composition:
        events.push({ kind: 'composition', at, context, element, text: texts[textRefs[texted] ?? 0] ?? '' });
        texted += 1;
        break;
      case CODE.session_end:
        events.push({ kind: 'session_end', at, context, element });
        break;
      default:
        events.push({ kind: 'unknown', at, context, element, code });
    }
  }
  return events;
}

/** Stands in where an index is missing, which {@link readColumns} has ruled out. */
const NO_KEY: Key = { key: '', code: '' };

/** Values of one batch, unpacked; kept from batch to batch, for making them costs more than filling them. */
interface Values {
  readonly size: number;
  readonly times: Float64Array;
  readonly contexts: Int32Array;
  readonly elements: Int32Array;
  readonly x: Int32Array;
  readonly y: Int32Array;
  readonly buttons: Int32Array;
  readonly wheelX: Int32Array;
  readonly wheelY: Int32Array;
  readonly keyRefs: Int32Array;
  readonly textRefs: Int32Array;
  readonly clipboardOps: Int32Array;
}

let values = makeValues(1_024);

function makeValues(size: number): Values {
  const ints = () => new Int32Array(size);
  return {
    size,
    times: new Float64Array(size),
    contexts: ints(),
    elements: ints(),
    x: ints(),
    y: ints(),
    buttons: ints(),
    wheelX: ints(),
    wheelY: ints(),
    keyRefs: ints(),
    textRefs: ints(),
    clipboardOps: ints(),
  };
}

function readColumns(columns: EventColumns, sizes: TableSizes, tally: Int32Array): void {
  const count = columns.kinds.length;
  const of = (kind: keyof typeof CODE) => tally[CODE[kind]] ?? 0;
  const presses = of('pointer_down') + of('pointer_up');
  const pointers = of('pointer_move') + presses;
  const withText = of('clipboard') + of('value_change') + of('composition');

  readTimes(columns.times, count, columns.startedAt, values.times);
  readChanges(columns.contextChanges, count, sizes.contexts, values.contexts);
  readChanges(columns.elementChanges, count, sizes.elements, values.elements);
  readDeltas(columns.x, pointers, values.x);
  readDeltas(columns.y, pointers, values.y);
  readBytes(columns.buttons, presses, POINTER_BUTTONS.length, values.buttons);
  readSigned(columns.wheelX, of('wheel'), values.wheelX);
  readSigned(columns.wheelY, of('wheel'), values.wheelY);
  readIndices(columns.keyRefs, of('key_down') + of('key_up'), columns.keys.length, values.keyRefs);
  readIndices(columns.textRefs, withText, columns.texts.length, values.textRefs);
  readBytes(columns.clipboardOps, of('clipboard'), CLIPBOARD_OPS.length, values.clipboardOps);
}

function tallyKinds(kinds: Uint8Array): Int32Array {
  const tally = new Int32Array(256);
  for (let i = 0; i < kinds.length; i++) {
    const code = kinds[i] ?? 0;
    tally[code] = (tally[code] ?? 0) + 1;
  }
  return tally;
}

/** Where {@link readVarint} stands; one, because reading is synchronous and an object per column would cost. */
let position = 0;

/** An unsigned 32-bit varint at {@link position}. */
function readVarint(bytes: Uint8Array): number {
  const first = bytes[position];
  if (first !== undefined && first < 0x80) {
    position += 1;
    return first;
  }
  return readLongVarint(bytes);
}

function readLongVarint(bytes: Uint8Array): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[position++];
    if (byte === undefined) throw new ColumnError('a column is too short');
    if (shift === 28 && byte > 0x0f) break;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
  throw new ColumnError('a varint is longer than 32 bits');
}

function checkEnd(bytes: Uint8Array): void {
  if (position !== bytes.length) throw new ColumnError('a column is too long');
}

/** Zigzag varints of up to 49 bits, summed up from `startedAt`. */
function readTimes(bytes: Uint8Array, count: number, startedAt: number, out: Float64Array): void {
  position = 0;
  let time = startedAt;
  for (let i = 0; i < count; i++) {
    const first = bytes[position] ?? 0x80;
    if (first < 0x80) {
      position += 1;
      time += (first >> 1) ^ -(first & 1);
    } else {
      time += readLongStep(bytes);
    }
    if (!(time >= MIN_TIME && time < MAX_TIME)) throw new ColumnError('a time is not between 1990 and 2200');
    out[i] = time;
  }
  checkEnd(bytes);
}

function readLongStep(bytes: Uint8Array): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 7; i++) {
    const byte = bytes[position++];
    if (byte === undefined) throw new ColumnError('a column is too short');
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    scale *= 128;
  }
  throw new ColumnError('a time step is longer than 49 bits');
}

function readDeltas(bytes: Uint8Array, count: number, out: Int32Array): void {
  position = 0;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const step = readVarint(bytes);
    last = (last + ((step >>> 1) ^ -(step & 1))) | 0;
    out[i] = last;
  }
  checkEnd(bytes);
}

function readSigned(bytes: Uint8Array, count: number, out: Int32Array): void {
  position = 0;
  for (let i = 0; i < count; i++) {
    const value = readVarint(bytes);
    out[i] = (value >>> 1) ^ -(value & 1);
  }
  checkEnd(bytes);
}

function readIndices(bytes: Uint8Array, count: number, tableSize: number, out: Int32Array): void {
  position = 0;
  for (let i = 0; i < count; i++) {
    const index = readVarint(bytes);
    if (index >= tableSize) throw new ColumnError('an index is out of its table');
    out[i] = index;
  }
  checkEnd(bytes);
}

function readBytes(bytes: Uint8Array, count: number, choices: number, out: Int32Array): void {
  if (bytes.length !== count) throw new ColumnError('a column has the wrong length');
  for (let i = 0; i < count; i++) {
    const choice = bytes[i] ?? 0;
    if (choice >= choices) throw new ColumnError('a choice is not one of its set');
    out[i] = choice;
  }
}

/** Runs of one index (or -1 for none), up to the next change. */
function readChanges(bytes: Uint8Array, count: number, tableSize: number, out: Int32Array): void {
  position = 0;
  let value = -1;
  let from = 0;
  while (position < bytes.length) {
    const isFirst = position === 0;
    const until = from + readVarint(bytes);
    if (until >= count || (until === from && !isFirst)) throw new ColumnError('a change is out of place');
    out.fill(value, from, until);
    from = until;
    value = readVarint(bytes) - 1;
    if (value >= tableSize) throw new ColumnError('an index is out of its table');
  }
  checkEnd(bytes);
  out.fill(value, from, count);
}

// --- events to columns ---

/** What is wrong with an event, or undefined. Never shows a value. */
function misfit(event: RawEvent, sizes: TableSizes): string | undefined {
  if (!isTime(event.at)) return 'its time is not whole milliseconds between 1990 and 2200';
  if (!isIndex(event.context, sizes.contexts)) return 'its context is not in the table';
  if (!isIndex(event.element, sizes.elements)) return 'its element is not in the table';
  switch (event.kind) {
    case 'pointer_move':
    case 'pointer_down':
    case 'pointer_up':
      return isInt32(event.x) && isInt32(event.y) ? undefined : 'its position is not in whole 32-bit pixels';
    case 'wheel':
      return isInt32(event.dx) && isInt32(event.dy) ? undefined : 'its amount is not a whole 32-bit number';
    case 'unknown':
      return isUnknownCode(event.code) ? undefined : 'its code is that of a known kind, or no byte';
    case 'key_down':
    case 'key_up':
    case 'focus':
    case 'navigate':
    case 'clipboard':
    case 'value_change':
    case 'composition':
    case 'session_end':
      return undefined;
  }
}

function isIndex(index: number, tableSize: number): boolean {
  return Number.isInteger(index) && index >= -1 && index < tableSize;
}

function isInt32(value: number): boolean {
  return value === (value | 0);
}

function isUnknownCode(code: number): boolean {
  return Number.isInteger(code) && code >= KNOWN_CODES && code <= 255;
}

function choice<T>(choices: readonly T[], value: T): number {
  const index = choices.indexOf(value);
  if (index === -1) throw new ColumnError('a button or clipboard operation is not one of its set');
  return index;
}

/** A column being written. Room for all of a batch is taken at its start, so that no append has to ask. */
class Column {
  #bytes = Buffer.alloc(0);
  #length = 0;

  reset(room: number): void {
    if (this.#bytes.length < room) this.#bytes = Buffer.allocUnsafeSlow(room * 2);
    this.#length = 0;
  }

  byte(value: number): void {
    this.#bytes[this.#length++] = value;
  }

  /** An unsigned 32-bit integer, in at most 5 bytes. */
  varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A signed 32-bit integer. */
  zigzag(value: number): void {
    this.varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** A signed integer of up to 48 bits, in at most 7 bytes: any step between two times of {@link isTime}. */
  longZigzag(value: number): void {
    if (isInt32(value)) {
      this.zigzag(value);
      return;
    }
    let rest = value < 0 ? -value * 2 - 1 : value * 2;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Distinct values in order of first use. */
class Table<T> {
  #indices = new Map<string, number>();
  #rows: T[] = [];

  reset(): void {
    this.#indices = new Map();
    this.#rows = [];
  }

  indexOf(id: string, make: () => T): number {
    const known = this.#indices.get(id);
    if (known !== undefined) return known;
    const index = this.#rows.length;
    this.#indices.set(id, index);
    this.#rows.push(make());
    return index;
  }

  rows(): readonly T[] {
    return this.#rows;
  }
}

/** The most that one event appends to any one column: a change, that is two varints. */
const MAX_BYTES_AN_EVENT = 10;

class ColumnWriter {
  #startedAt = 0;
  #time = 0;
  #x = 0;
  #y = 0;
  #context = -1;
  #contextSince = 0;
  #element = -1;
  #elementSince = 0;
  readonly #keys = new Table<Key>();
  readonly #texts = new Table<string>();
  readonly #columns = {
    kinds: new Column(),
    times: new Column(),
    contextChanges: new Column(),
    elementChanges: new Column(),
    x: new Column(),
    y: new Column(),
    buttons: new Column(),
    wheelX: new Column(),
    wheelY: new Column(),
    keyRefs: new Column(),
    textRefs: new Column(),
    clipboardOps: new Column(),
  };

  reset(events: number, startedAt: number): void {
    for (const column of Object.values(this.#columns)) column.reset(events * MAX_BYTES_AN_EVENT);
    this.#keys.reset();
    this.#texts.reset();
    this.#startedAt = startedAt;
    this.#time = startedAt;
    this.#x = 0;
    this.#y = 0;
    this.#context = -1;
    this.#contextSince = 0;
    this.#element = -1;
    this.#elementSince = 0;
  }

  add(event: RawEvent, index: number): void {
    const columns = this.#columns;
    columns.kinds.byte(event.kind === 'unknown' ? event.code : CODE[event.kind]);
    columns.times.longZigzag(event.at - this.#time);
    this.#time = event.at;
    if (event.context !== this.#context) {
      columns.contextChanges.varint(index - this.#contextSince);
      columns.contextChanges.varint(event.context + 1);
      this.#context = event.context;
      this.#contextSince = index;
    }
    if (event.element !== this.#element) {
      columns.elementChanges.varint(index - this.#elementSince);
      columns.elementChanges.varint(event.element + 1);
      this.#element = event.element;
      this.#elementSince = index;
    }
    this.#addFields(event);
  }

  #addFields(event: RawEvent): void {
    const columns = this.#columns;
    switch (event.kind) {
      case 'pointer_move':
        this.#point(event.x, event.y);
        break;
      case 'pointer_down':
      case 'pointer_up':
        this.#point(event.x, event.y);
        columns.buttons.byte(choice(POINTER_BUTTONS, event.button));
        break;
      case 'wheel':
        columns.wheelX.zigzag(event.dx);
        columns.wheelY.zigzag(event.dy);
        break;
      case 'key_down':
      case 'key_up':
        columns.keyRefs.varint(this.#key(event.key, event.code));
        break;
      case 'clipboard':
        columns.clipboardOps.byte(choice(CLIPBOARD_OPS, event.op));
        columns.textRefs.varint(this.#text(event.text));
        break;
      case 'value_change':
        columns.textRefs.varint(this.#text(event.value));
        break;
      case 'composition':
        columns.textRefs.varint(this.#text(event.text));
        break;
      case 'focus':
      case 'navigate':
      case 'session_end':
      case 'unknown':
        break;
    }
  }

  #point(x: number, y: number): void {
    this.#columns.x.zigzag((x - this.#x) | 0);
    this.#columns.y.zigzag((y - this.#y) | 0);
    this.#x = x;
    this.#y = y;
  }

  #key(key: string, code: string): number {
    return this.#keys.indexOf(`${code.length}:${code}${key}`, () => ({ key, code }));
  }

  #text(text: string): number {
    return this.#texts.indexOf(text, () => text);
  }

  finish(): EventColumns {
    const columns = this.#columns;
    return {
      startedAt: this.#startedAt,
      keys: this.#keys.rows(),
      texts: this.#texts.rows(),
      kinds: columns.kinds.view(),
      times: columns.times.view(),
      contextChanges: columns.contextChanges.view(),
      elementChanges: columns.elementChanges.view(),
      x: columns.x.view(),
      y: columns.y.view(),
      buttons: columns.buttons.view(),
      wheelX: columns.wheelX.view(),
      wheelY: columns.wheelY.view(),
      keyRefs: columns.keyRefs.view(),
      textRefs: columns.textRefs.view(),
      clipboardOps: columns.clipboardOps.view(),
    };
  }
}

/** One, kept: its columns keep their memory from batch to batch. Encoding is synchronous. */
const writer = new ColumnWriter();
