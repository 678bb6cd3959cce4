/** Putting commits, by whoever writes to the table. */
import { z } from 'zod';
import { TableFormatError } from '../sink.ts';
import { commitPath } from './delta-log.ts';
import type { TableStore } from './store.ts';

/** How often a commit is tried whose fate a failing store leaves open. */
export const MAX_FAILURES = 3;

/**
 * Puts a commit at a version that should be free.
 *
 * @returns whether this commit is there now, also when the store said that it failed; false when another is.
 * @throws what the store throws when nothing can be put or read there.
 */
export async function tryCommit(store: TableStore, version: number, commit: Uint8Array): Promise<boolean> {
  for (let failures = 1; ; failures++) {
    let failure: unknown = new TableFormatError(`Commit ${version} is taken but cannot be read.`);
    try {
      if (await store.putIfAbsent(commitPath(version), commit)) return true;
    } catch (error) {
      failure = error;
    }
    const there = await store.read(commitPath(version));
    if (there !== undefined) return isSameCommit(there, commit);
    if (failures >= MAX_FAILURES) throw failure;
  }
}

/**
 * Whether the commit that lies there is the one that was put: an erasure may have taken statistics out of it since, so its
 * id counts and not its bytes.
 */
export function isSameCommit(there: Uint8Array, put: Uint8Array): boolean {
  if (Buffer.compare(there, put) === 0) return true;
  const id = idOf(put);
  return id !== undefined && idOf(there) === id;
}

const firstLine = z.object({ commitInfo: z.object({ txnId: z.string() }) });

/** The random `txnId` of a commit of ours; others may have none, or one elsewhere. */
function idOf(commit: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(commit);
  try {
    return firstLine.parse(JSON.parse(text.slice(0, text.indexOf('\n')))).commitInfo.txnId;
  } catch {
    return undefined;
  }
}
