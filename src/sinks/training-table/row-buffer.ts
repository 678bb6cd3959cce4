/**
 * Rows waiting to be written, column by column: a text is kept once and checked once, rows hold its number. So a quarter
 * of a million rows take some twenty megabytes, whatever objects they came in.
 */
import { TABLE_SCHEMA_VERSION, type ReleasedAction } from '../../events/released.ts';
import { columnNamed, type Column, type TableRow } from '../columns.ts';
import { checkCombination, checkHead, checkStep, checkText, withCoordinates } from '../contract.ts';
import type { SinkRecord } from '../sink.ts';

/** The rows of one day, in the order of session and step. */
export interface DayRows {
  /** `YYYY-MM-DD` */
  readonly date: string;
  readonly count: number;
  /** Where the rows' records lie on the sanitised topic: first and last offset, by partition. */
  readonly offsets: ReadonlyMap<number, OffsetRange>;
  /** A column's values of rows `start` to before `end`, for the Parquet writer. */
  values(column: keyof TableRow, start: number, end: number): (string | null)[] | Int32Array;
  /** Least and greatest value and number of nulls of each column but `date`. */
  bounds(): ReadonlyMap<keyof TableRow, Bounds>;
}

/** First and last offset, both included. */
export type OffsetRange = readonly [from: number, to: number];

export interface Bounds {
  readonly min: string | number | undefined;
  readonly max: string | number | undefined;
  readonly nulls: number;
}

/** Where a record's rows lie. */
interface Stretch {
  readonly day: number;
  readonly session: string;
  readonly partition: number;
  readonly offset: number;
  readonly firstStep: number;
  readonly start: number;
  readonly count: number;
}

export class RowBuffer {
  #rows = 0;
  #capacity = 4096;
  #stretches: Stretch[] = [];
  #step = new Int32Array(this.#capacity);
  readonly #session = new TextColumn('session', this.#capacity);
  readonly #subject = new TextColumn('subject', this.#capacity);
  readonly #policy = new TextColumn('policy', this.#capacity);
  readonly #action = new TextColumn('action', this.#capacity);
  readonly #app = new TextColumn('app', this.#capacity);
  readonly #window = new TextColumn('window', this.#capacity);
  readonly #url = new TextColumn('url', this.#capacity);
  readonly #targetRole = new TextColumn('target_role', this.#capacity);
  readonly #target = new TextColumn('target', this.#capacity);
  readonly #key = new TextColumn('key', this.#capacity);
  readonly #button = new TextColumn('button', this.#capacity);
  readonly #direction = new TextColumn('direction', this.#capacity);
  readonly #cell = new TextColumn('cell', this.#capacity);
  readonly #pause = new TextColumn('pause', this.#capacity);
  readonly #length = new TextColumn('length', this.#capacity);
  readonly #count = new TextColumn('count', this.#capacity);
  readonly #texts: readonly TextColumn[] = [
    this.#session,
    this.#subject,
    this.#policy,
    this.#action,
    this.#app,
    this.#window,
    this.#url,
    this.#targetRole,
    this.#target,
    this.#key,
    this.#button,
    this.#direction,
    this.#cell,
    this.#pause,
    this.#length,
    this.#count,
  ];

  get rows(): number {
    return this.#rows;
  }

  /** About how much memory the rows take. */
  get bytes(): number {
    return this.#texts.reduce((sum, column) => sum + column.textBytes, this.#rows * 4 * (this.#texts.length + 1));
  }

  /**
   * Takes a record's actions, all or none.
   *
   * @throws ContractError
   */
  append(record: SinkRecord): void {
    const { batch, partition, offset } = record;
    const { actions, session, day } = batch;
    const start = this.#rows;
    this.#reserve(start + actions.length);
    withCoordinates(record, () => {
      checkHead(record);
      let last = -1;
      for (let i = 0; i < actions.length; i++) {
        const action = actions[i];
        if (action === undefined) break;
        last = checkStep(action.step, last, i);
        checkCombination(action.action, action.key, action.length, i);
        this.#setRow(start + i, i, action);
      }
    });
    const first = actions[0];
    if (first === undefined) return;
    const end = start + actions.length;
    this.#session.fill(start, end, session);
    this.#subject.fill(start, end, batch.subject);
    this.#policy.fill(start, end, batch.policy);
    this.#rows = end;
    this.#stretches.push({
      day,
      session,
      partition,
      offset,
      firstStep: first.step,
      start,
      count: actions.length,
    });
  }

  /** The rows by day, days in order. Valid until the next {@link append} or {@link clear}. */
  days(): DayRows[] {
    const byDay = new Map<number, Stretch[]>();
    for (const stretch of this.#stretches.toSorted(byPlace)) {
      const sameDay = byDay.get(stretch.day);
      if (sameDay === undefined) byDay.set(stretch.day, [stretch]);
      else sameDay.push(stretch);
    }
    return [...byDay].map(([day, stretches]) => this.#dayRows(day, stretches));
  }

  clear(): void {
    this.#rows = 0;
    this.#stretches = [];
    for (const column of this.#texts) column.clear();
  }

  #setRow(row: number, index: number, action: ReleasedAction): void {
    this.#step[row] = action.step;
    this.#action.set(row, action.action, index);
    this.#app.set(row, action.app, index);
    this.#window.set(row, action.window, index);
    this.#url.set(row, action.url, index);
    this.#targetRole.set(row, action.target_role, index);
    this.#target.set(row, action.target, index);
    this.#key.set(row, action.key, index);
    this.#button.set(row, action.button, index);
    this.#direction.set(row, action.direction, index);
    this.#cell.set(row, action.cell, index);
    this.#pause.set(row, action.pause, index);
    this.#length.set(row, action.length, index);
    this.#count.set(row, action.count, index);
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    this.#capacity = Math.max(rows, this.#capacity * 2);
    this.#step = grown(this.#step, this.#capacity);
    for (const column of this.#texts) column.reserve(this.#capacity);
  }

  #dayRows(day: number, stretches: readonly Stretch[]): DayRows {
    const order = orderRows(stretches, this.#step);
    const steps = this.#step;
    const texts = new Map(this.#texts.map((column) => [column.name, column]));
    return {
      date: new Date(day * 86_400_000).toISOString().slice(0, 10),
      count: order.length,
      offsets: offsetRanges(stretches),
      values(name, start, end) {
        const rows = order.subarray(start, end);
        if (name === 'step') return Int32Array.from(rows, (row) => steps[row] ?? 0);
        if (name === 'schema') return new Int32Array(rows.length).fill(TABLE_SCHEMA_VERSION);
        return texts.get(name)?.values(rows) ?? [];
      },
      bounds() {
        const all = new Map<keyof TableRow, Bounds>([
          ['step', stepBounds(order, steps)],
          ['schema', { min: TABLE_SCHEMA_VERSION, max: TABLE_SCHEMA_VERSION, nulls: 0 }],
        ]);
        for (const [name, column] of texts) all.set(name, column.bounds(order));
        return all;
      },
    };
  }
}

/** A column of texts: each distinct one is checked when first seen, and kept once. */
class TextColumn {
  readonly name: keyof TableRow;
  readonly #column: Column;
  readonly #numbers = new Map<string, number>();
  #texts: string[] = [];
  #rows: Int32Array;
  textBytes = 0;

  constructor(name: keyof TableRow, capacity: number) {
    this.name = name;
    this.#column = columnNamed(name);
    this.#rows = new Int32Array(capacity);
  }

  set(row: number, value: string | null, index: number): void {
    this.#rows[row] = this.#numberOf(value, index);
  }

  fill(start: number, end: number, value: string | null): void {
    this.#rows.fill(this.#numberOf(value, -1), start, end);
  }

  values(rows: Int32Array): (string | null)[] {
    const numbers = this.#rows;
    const texts = this.#texts;
    const values: (string | null)[] = [];
    for (const row of rows) {
      const number = numbers[row] ?? NULL;
      values.push(number === NULL ? null : (texts[number] ?? null));
    }
    return values;
  }

  bounds(rows: Int32Array): Bounds {
    const numbers = this.#rows;
    const used = new Uint8Array(this.#texts.length);
    let nulls = 0;
    for (const row of rows) {
      const number = numbers[row] ?? NULL;
      if (number === NULL) nulls++;
      else used[number] = 1;
    }
    let min: string | undefined;
    let max: string | undefined;
    for (const [number, text] of this.#texts.entries()) {
      if (used[number] === 0) continue;
      if (min === undefined || compareCodePoints(text, min) < 0) min = text;
      if (max === undefined || compareCodePoints(text, max) > 0) max = text;
    }
    return { min, max, nulls };
  }

  reserve(capacity: number): void {
    this.#rows = grown(this.#rows, capacity);
  }

  clear(): void {
    this.#numbers.clear();
    this.#texts = [];
    this.textBytes = 0;
  }

  #numberOf(value: string | null, index: number): number {
    if (value === null) {
      if (!this.#column.nullable) checkText(this.#column, value, index);
      return NULL;
    }
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    checkText(this.#column, value, index);
    const number = this.#texts.length;
    this.#texts.push(value);
    this.#numbers.set(value, number);
    this.textBytes += value.length * 2 + TEXT_OVERHEAD;
    return number;
  }
}

const NULL = -1;
/** A string's header and its places in the array and the map, roughly. */
const TEXT_OVERHEAD = 64;

function grown(array: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(capacity);
  larger.set(array);
  return larger;
}

/** Session, then step; the place on the topic only keeps equals in an order that does not depend on arrival. */
function byPlace(a: Stretch, b: Stretch): number {
  if (a.day !== b.day) return a.day - b.day;
  if (a.session !== b.session) return a.session < b.session ? -1 : 1;
  return a.firstStep - b.firstStep || a.partition - b.partition || a.offset - b.offset;
}

function offsetRanges(stretches: readonly Stretch[]): ReadonlyMap<number, OffsetRange> {
  const ranges = new Map<number, OffsetRange>();
  for (const { partition, offset } of stretches) {
    const [from, to] = ranges.get(partition) ?? [offset, offset];
    ranges.set(partition, [Math.min(from, offset), Math.max(to, offset)]);
  }
  return ranges;
}

/** Row numbers in the order of session and step. `stretches` are in order; their steps should not overlap, but may. */
function orderRows(stretches: readonly Stretch[], steps: Int32Array): Int32Array {
  const order = new Int32Array(stretches.reduce((sum, s) => sum + s.count, 0));
  let at = 0;
  let sessionStart = 0;
  let sorted = true;
  for (const [i, { session, start, count }] of stretches.entries()) {
    const previous = stretches[i - 1];
    if (previous?.session !== session) {
      if (!sorted) sortBySteps(order.subarray(sessionStart, at), steps);
      sessionStart = at;
      sorted = true;
    } else if ((steps[previous.start + previous.count - 1] ?? 0) > (steps[start] ?? 0)) {
      sorted = false;
    }
    for (let row = start; row < start + count; row++) order[at++] = row;
  }
  if (!sorted) sortBySteps(order.subarray(sessionStart, at), steps);
  return order;
}

const sortBySteps = (rows: Int32Array, steps: Int32Array): void => {
  rows.sort((a, b) => (steps[a] ?? 0) - (steps[b] ?? 0));
};

function stepBounds(rows: Int32Array, steps: Int32Array): Bounds {
  let [min, max] = [Infinity, -Infinity];
  for (const row of rows) {
    const step = steps[row] ?? 0;
    if (step < min) min = step;
    if (step > max) max = step;
  }
  return { min, max, nulls: 0 };
}

/** The order of UTF-8 bytes, in which readers compare bounds; JavaScript compares UTF-16 units, where surrogates come early. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Units of surrogate pairs stand for characters above all others. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
