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

/** @throws RunError when the file cannot be read, or a line is no anchor. */
export async function readAnchors(path: string): Promise<readonly Anchor[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new RunError(`the anchors in ${path} cannot be read (${codeOf(error)}): check the path`);
  });
  return text.split('\n').flatMap((line, i) => (line === '' ? [] : [parse(line, `${path}:${i + 1}`)]));
}

/** The same; a file that is not there yet has none. */
export async function readAnchorsIfAny(path: string): Promise<readonly Anchor[]> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new RunError(`the anchors in ${path} cannot be read (${codeOf(error)}): check the path`);
  });
  await file?.close();
  return file === undefined ? [] : readAnchors(path);
}

/** Adds a line to the file, which is made (private) if need be; on the disk when this resolves. @throws RunError */
export async function appendAnchor(path: string, { sequence, hash, at }: Anchor): Promise<void> {
  try {
    const file = await open(path, 'a', 0o600);
    try {
      await file.chmod(0o600);
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
