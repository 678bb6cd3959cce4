/** Anchors in a file: JSON lines, each the end that the chain had once. */
import { open, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { RunError } from '../run-error.ts';
import type { Anchor } from './chain.ts';

const anchor = z.strictObject({
  sequence: z.int().min(0),
  hash: z.string().regex(/^[0-9a-f]{64}$/u),
  at: z.int().min(0),
});

/** @throws RunError when the file cannot be read, has no anchors, or a line is none: anchors that are gone prove nothing. */
export async function readAnchors(path: string): Promise<readonly Anchor[]> {
  const anchors = await readFile(path, 'utf8').then(
    (text) => text.split('\n').flatMap((line, i) => (line === '' ? [] : [parse(line, `${path}:${i + 1}`)])),
    (error: unknown) => {
      throw new RunError(`the anchors in ${path} cannot be read (${codeOf(error)}): check the path`);
    },
  );
  if (anchors.length === 0) throw new RunError(`${path} holds no anchors: check the path, or restore the file`);
  return anchors;
}

/** That there are none yet, for a file that is to be begun. @throws RunError when there are, or the file cannot be read. */
export async function checkNoAnchors(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '';
    throw new RunError(`${path} cannot be read (${codeOf(error)}): check the path`);
  });
  if (text.trim() !== '') throw new RunError(`${path} holds anchors already: leave out --new, or name another file`);
}

/**
 * Adds a line to the file, which is made (private) if need be; on the disk when this resolves. A file that is there keeps its
 * owner and mode: it may be another's, who lets it grow only.
 *
 * @throws RunError
 */
export async function appendAnchor(path: string, { sequence, hash, at }: Anchor): Promise<void> {
  try {
    const file = await open(path, 'a', 0o600);
    try {
      await file.appendFile(`${JSON.stringify({ sequence, hash, at })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new RunError(`the anchor cannot be written to ${path} (${codeOf(error)}): name a file in a folder of yours`);
  }
}

function parse(line: string, place: string): Anchor {
  try {
    return anchor.parse(JSON.parse(line));
  } catch {
    throw new RunError(`${place} is no anchor: restore the file, or remove the line if its writing was broken off`);
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
