import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { Fail } from '../producers/recordings/import-error.ts';

/** Whole lines as they come in, and the number of the first, from 1. */
export interface Lines {
  readonly first: number;
  readonly lines: readonly string[];
}

const LINE_FEED = 10;
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * The lines of a stream, as many at once as each read completes; a last line needs no line feed, a byte order mark is
 * skipped. Holds no more than one read and one unfinished line.
 *
 * `fail` is called for a line that is longer than `maxBytes` or not UTF-8, after those before it.
 */
export async function* readLines(stream: Readable, maxBytes: number, fail: Fail): AsyncGenerator<Lines> {
  let rest: Buffer[] = [];
  let held = 0;
  let first = 1;

  function* take(bytes: Buffer): Generator<Lines> {
    const { lines, fault } = split(bytes, maxBytes);
    if (first === 1 && lines[0]?.startsWith(BYTE_ORDER_MARK) === true) lines[0] = lines[0].slice(1);
    if (lines.length > 0) yield { first, lines };
    first += lines.length;
    if (fault !== undefined) fail(first, fault);
  }

  for await (const chunk of stream) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk), 'utf8');
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) {
      yield* take(Buffer.concat([...rest, bytes.subarray(0, end)]));
      rest = [];
      held = 0;
    }
    if (end === bytes.length) continue;
    rest.push(bytes.subarray(end));
    held += bytes.length - end;
    if (held > maxBytes) fail(first, tooLong(maxBytes));
  }
  if (held > 0) yield* take(Buffer.concat(rest));
}

/** The lines up to the first that may not be, and what is wrong with that one. */
function split(bytes: Buffer, maxBytes: number): { readonly lines: string[]; readonly fault?: string } {
  const lines: string[] = [];
  const valid = isUtf8(bytes);
  for (let from = 0; from < bytes.length;) {
    const feed = bytes.indexOf(LINE_FEED, from);
    const to = feed === -1 ? bytes.length : feed;
    if (to - from > maxBytes) return { lines, fault: tooLong(maxBytes) };
    if (!valid && !isUtf8(bytes.subarray(from, to))) return { lines, fault: 'is not UTF-8 text; convert it to UTF-8' };
    lines.push(bytes.toString('utf8', from, to));
    from = to + 1;
  }
  return { lines };
}

const tooLong = (maxBytes: number): string => `is longer than ${maxBytes} bytes; give shorter texts`;
