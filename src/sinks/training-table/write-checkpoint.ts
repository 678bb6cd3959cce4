import type { Zstd } from '../../events/zstd.ts';
import { parseCommit } from './actions.ts';
import { renderCheckpoint } from './checkpoint.ts';
import { checkpointPath, commitPath, LAST_CHECKPOINT, lastCheckpoint, type TableState } from './delta-log.ts';
import { erasureMark } from './layout.ts';
import type { TableStore } from './store.ts';

/** Writes a checkpoint of the state's version, unless there is one, and points readers to it. */
export async function writeCheckpoint(store: TableStore, state: TableState, zstd: Zstd, now: number): Promise<void> {
  const { bytes, actions } = await renderCheckpoint(state, zstd, now);
  await store.putIfAbsent(checkpointPath(state.version), bytes);
  const pointer = {
    version: state.version,
    size: actions,
    sizeInBytes: bytes.byteLength,
    numOfAddFiles: state.files.size,
  };
  await store.put(LAST_CHECKPOINT, new TextEncoder().encode(JSON.stringify(pointer)));
}

/**
 * Takes a checkpoint back if rows have been erased since its version: it tells of files that held them, and was perhaps
 * written after the erasure had looked for such checkpoints.
 *
 * @returns whether it was taken back.
 */
export async function withdrawIfErased(store: TableStore, table: string, version: number): Promise<boolean> {
  if (!(await isErasedSince(store, table, version))) return false;
  if ((await lastCheckpoint(store)) === version) await store.delete(LAST_CHECKPOINT);
  await store.delete(checkpointPath(version));
  return true;
}

async function isErasedSince(store: TableStore, table: string, version: number): Promise<boolean> {
  for (let next = version + 1; ; next++) {
    const bytes = await store.read(commitPath(next));
    if (bytes === undefined) return false;
    const actions = parseCommit(bytes, `${store.location}/${commitPath(next)}`);
    if (actions.some(({ txn }) => txn?.appId === erasureMark(table))) return true;
  }
}
