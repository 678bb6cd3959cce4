/**
 * A recording's file, read twice: once to check it, once to import it. It stays open in between and each read asks
 * whether it is still the same file, so what was checked is what is imported.
 */

import { isUtf8 } from 'node:buffer';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { ImportError } from './import-error.ts';

const CHUNK_BYTES = 262_144;
const LINE_FEED = 10;

export interface Source {
  /** Base name, as errors show it. */
  readonly name: string;
  /** Bytes when it was opened. */
  readonly size: number;
  /**
   * The file from its start in blocks of whole lines; a last line needs no line feed, a byte order mark is skipped.
   * @throws ImportError when a line is too long or not UTF-8, or when the file has changed since it was opened.
   */
  lines(maxLineBytes: number): AsyncGenerator<LineBlock>;
  close(): Promise<void>;
}

export interface LineBlock {
  /** Number of the first line, from 1. */
  readonly first: number;
  /** Lines without their line feed; a carriage return before it stays. */
  readonly lines: readonly string[];
}

export interface SourceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of each read. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/** @throws ImportError when the path is missing, unreadable or no regular file. */
export async function openSource(path: string, o: SourceOptions = {}): Promise<Source> {
  const name = basename(path);
  const handle = await openFile(path, name);
  try {
    const opened = await handle.stat({ bigint: true });
    const size = Number(opened.size);
    const unchanged = async (): Promise<void> => {
      const now = await handle.stat({ bigint: true });
      if (now.size !== opened.size || now.mtimeNs !== opened.mtimeNs) {
        throw new ImportError(name, undefined, 'changed while it was imported; import a copy that nothing writes to');
      }
    };
    return {
      name,
      size,
      lines: (maxLineBytes) => readLines({ handle, name, size, unchanged, maxLineBytes, ...o }),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openFile(path: string, name: string): Promise<FileHandle> {
  try {
    // Asked first, because opening a pipe would wait for its writer.
    if ((await stat(path)).isFile()) return await open(path, 'r');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') throw new ImportError(name, undefined, 'no such file; check the path');
    if (code === 'EACCES' || code === 'EPERM') {
      throw new ImportError(name, undefined, 'may not be read; check its permissions');
    }
    throw new ImportError(name, undefined, 'could not be opened; check that the path is a readable file');
  }
  throw new ImportError(name, undefined, 'is not a regular file; save the recording to a file and give its path');
}

interface Reading extends SourceOptions {
  readonly handle: FileHandle;
  readonly name: string;
  readonly size: number;
  readonly unchanged: () => Promise<void>;
  readonly maxLineBytes: number;
}

async function* readLines(r: Reading): AsyncGenerator<LineBlock> {
  // One buffer for all reads: an unfinished line moves to its start, the next chunk goes behind it.
  const buffer = Buffer.allocUnsafe(Math.min(r.maxLineBytes + CHUNK_BYTES, r.size));
  let held = 0;
  let position = 0;
  let first = 1;
  await r.unchanged();
  while (position < r.size) {
    r.signal?.throwIfAborted();
    const { bytesRead } = await r.handle.read(buffer, held, Math.min(CHUNK_BYTES, r.size - position), position);
    await r.unchanged();
    // A file can become shorter between the read and the check before it.
    if (bytesRead === 0) throw new ImportError(r.name, undefined, 'ended too early; import it again');
    const start = position === 0 ? bomBytes(buffer.subarray(0, bytesRead)) : 0;
    position += bytesRead;
    r.onRead?.(bytesRead);
    const bytes = buffer.subarray(start, held + bytesRead);
    const last = position === r.size ? bytes.length : bytes.lastIndexOf(LINE_FEED) + 1;
    const lines = splitLines(bytes.subarray(0, last), first, r);
    held = bytes.length - last;
    if (held > r.maxLineBytes) throw tooLong(r, first + lines.length);
    bytes.copyWithin(0, last);
    if (start > 0) buffer.copyWithin(0, start, start + held);
    if (lines.length > 0) yield { first, lines };
    first += lines.length;
  }
}

function splitLines(bytes: Buffer, first: number, r: Reading): string[] {
  const valid = isUtf8(bytes);
  const lines: string[] = [];
  let from = 0;
  while (from < bytes.length) {
    const feed = bytes.indexOf(LINE_FEED, from);
    const to = feed < 0 ? bytes.length : feed;
    if (to - from > r.maxLineBytes) throw tooLong(r, first + lines.length);
    if (!valid && !isUtf8(bytes.subarray(from, to))) {
      throw new ImportError(r.name, first + lines.length, 'is not UTF-8 text; convert the file to UTF-8');
    }
    lines.push(bytes.toString('utf8', from, to));
    from = to + 1;
  }
  return lines;
}

function tooLong(r: Reading, line: number): ImportError {
  return new ImportError(r.name, line, `is longer than ${r.maxLineBytes} bytes; put each event on a line of its own`);
}

function bomBytes(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}
