import type { SpillFile, SpillFolder } from './spill.ts';

/**
 * Sorts distinct strings, more than fit into memory: an external merge sort. What is in memory is a set, so that what comes
 * again and again is held and written once a round; when the set is full it goes to a file, sorted; files of one level are
 * merged to one of the next. The result is the same as in memory, wherever it was cut.
 */
export interface Sorter {
  add(text: string): void;
  /** More has been added than the limit allows: call {@link spill} before adding much more. */
  readonly isFull: boolean;
  spill(): Promise<void>;
  /** All strings, each once, in code-unit order, some at a time. Ends the sorter. */
  sorted(): AsyncGenerator<readonly string[]>;
  /** Lets everything go; whatever happened before. */
  close(): Promise<void>;
  /** Files written so far. */
  readonly spilled: number;
}

/** What a string costs in a set, beside its characters: 190 to 225 bytes with lines of 32 characters, measured on Node 20. */
const OVERHEAD_BYTES = 200;
/** Files that are merged at a time. */
const FAN_IN = 32;
const CHUNK = 4_096;

/** Strings must be well-formed and hold no line feed. `limitBytes` is about what the set may take. */
export function createSorter(limitBytes: number, folder: () => Promise<SpillFolder>): Sorter {
  let set = new Set<string>();
  let bytes = 0;
  let spilled = 0;
  const levels: SpillFile[][] = [];

  async function put(level: number, file: SpillFile): Promise<void> {
    spilled++;
    const files = (levels[level] ??= []);
    files.push(file);
    if (files.length < FAN_IN) return;
    const merged = await (await folder()).write(merge(files));
    await closeAll(files);
    levels[level] = [];
    await put(level + 1, merged);
  }
  async function spill(): Promise<void> {
    if (set.size === 0) return;
    const strings = [...set].sort();
    set = new Set();
    bytes = 0;
    await put(0, await (await folder()).write([strings]));
  }

  return {
    add(text) {
      const before = set.size;
      set.add(text);
      // A string of Latin letters takes a byte for each, any other two.
      if (set.size > before) bytes += OVERHEAD_BYTES + 2 * text.length;
    },
    get isFull() {
      return bytes >= limitBytes;
    },
    get spilled() {
      return spilled;
    },
    spill,
    async *sorted() {
      if (levels.length === 0) {
        const strings = [...set].sort();
        set = new Set();
        for (let at = 0; at < strings.length; at += CHUNK) yield strings.slice(at, at + CHUNK);
        return;
      }
      await spill();
      yield* merge(levels.flat());
    },
    async close() {
      set = new Set();
      await closeAll(levels.splice(0).flat());
    },
  };
}

async function closeAll(files: readonly SpillFile[]): Promise<void> {
  await Promise.allSettled(files.map((file) => file.close()));
}

interface Cursor {
  readonly file: SpillFile;
  strings: readonly string[];
  at: number;
  head: string;
}

/** The strings of sorted files in one order, each once. */
async function* merge(files: readonly SpillFile[]): AsyncGenerator<readonly string[]> {
  const heap: Cursor[] = [];
  for (const file of files) {
    const cursor: Cursor = { file, strings: [], at: 0, head: '' };
    if (await refill(cursor)) push(heap, cursor);
  }
  let out: string[] = [];
  let last: string | undefined;
  for (let top = heap[0]; top !== undefined; top = heap[0]) {
    if (top.head !== last) {
      last = top.head;
      out.push(last);
      if (out.length >= CHUNK) {
        yield out;
        out = [];
      }
    }
    if (step(top) || (await refill(top))) sinkDown(heap);
    else pop(heap);
  }
  if (out.length > 0) yield out;
}

function step(cursor: Cursor): boolean {
  const next = cursor.strings[++cursor.at];
  if (next === undefined) return false;
  cursor.head = next;
  return true;
}

async function refill(cursor: Cursor): Promise<boolean> {
  cursor.strings = await cursor.file.next();
  cursor.at = -1;
  return step(cursor);
}

function push(heap: Cursor[], cursor: Cursor): void {
  heap.push(cursor);
  for (let at = heap.length - 1; at > 0;) {
    const parent = (at - 1) >> 1;
    if (!isBefore(heap, at, parent)) return;
    swap(heap, at, parent);
    at = parent;
  }
}

function pop(heap: Cursor[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  sinkDown(heap);
}

function sinkDown(heap: Cursor[]): void {
  for (let at = 0; ;) {
    let first = at;
    for (const child of [2 * at + 1, 2 * at + 2]) if (isBefore(heap, child, first)) first = child;
    if (first === at) return;
    swap(heap, at, first);
    at = first;
  }
}

function isBefore(heap: readonly Cursor[], a: number, b: number): boolean {
  const [one, other] = [heap[a], heap[b]];
  return one !== undefined && other !== undefined && one.head < other.head;
}

function swap(heap: Cursor[], a: number, b: number): void {
  const [one, other] = [heap[a], heap[b]];
  if (one === undefined || other === undefined) return;
  heap[a] = other;
  heap[b] = one;
}
