import { UnknownTopicError, type EventLog } from '../../log/event-log.ts';
import type { Zstd } from '../../events/zstd.ts';
import { closeTable, type TableStore } from '../../sinks/index.ts';
import { RunError } from '../run-error.ts';
import { tableAt } from '../table-progress.ts';
import { changeManifest, readManifest, type ReplayManifest } from './manifest.ts';
import { replayNames } from './names.ts';

export interface AbandonTools {
  readonly logs: { readonly sanitizer: EventLog; readonly sink: EventLog };
  readonly zstd: Zstd;
  readonly now: () => number;
  /** The replay's table, to write into. */
  readonly openStore: (location: string) => Promise<TableStore>;
  /** Its table is gone for good: an empty one is put in its place. */
  readonly isTableLost?: boolean;
}

/**
 * Ends a replay for good: nothing more is written by it, whoever still works on it or was asleep, and no erasure waits for
 * it. What it has written stays, and erasures go on to take rows out of its table. Killed at any step, another call goes on.
 *
 * A replay that was promoted stays so; only its own table is closed.
 *
 * @throws RunError when there is no such replay, or its table is not there.
 */
export async function abandonReplay(name: string, tools: AbandonTools): Promise<ReplayManifest> {
  const found = await readManifest(tools.logs.sanitizer, name);
  const store = await tools.openStore(found.table);
  if (tools.isTableLost !== true) await refuseIfTableIsElsewhere(found, store, tools);
  // First the table: its sinks do not look at the manifest before they commit.
  await closeTable({ store, now: tools.now, zstd: tools.zstd });
  await change(name, tools, (state) => (state === 'running' || state === 'done' ? 'abandoning' : state));
  await fenceSanitizers(found, tools);
  return await change(name, tools, (state) => (state === 'abandoning' ? 'abandoned' : state));
}

/** A table that is only not here would go on to have its rows, while erasures look at an empty one. */
async function refuseIfTableIsElsewhere(
  { name, state, table }: ReplayManifest,
  store: TableStore,
  { logs }: AbandonTools,
): Promise<void> {
  if ((await tableAt(store)) !== undefined) return;
  if (state === 'running' && !(await hasSunk(name, logs.sink))) return;
  throw new RunError(
    `the table of the replay ${name} is not at ${table}: abandon it where its table is. ` +
      'If that was deleted, and no copy is left, give --table-lost',
  );
}

async function hasSunk(name: string, log: EventLog): Promise<boolean> {
  const { group, sanitized } = replayNames(name).sink;
  try {
    for (let partition = 0; partition < (await log.partitions(sanitized)); partition++) {
      if ((await log.committed(group, { topic: sanitized, partition })) !== undefined) return true;
    }
  } catch (error) {
    // Its topics are made after its manifest: whoever started it was killed between.
    if (!(error instanceof UnknownTopicError)) throw error;
  }
  return false;
}

/**
 * Takes over the ids under which sanitizers commit: what they have begun is void, and who takes one again reads the manifest
 * after that.
 */
async function fenceSanitizers({ name, partitions }: ReplayManifest, { logs }: AbandonTools): Promise<void> {
  const { group, raw } = replayNames(name).sanitizer;
  for (const partition of partitions.keys()) {
    await (await logs.sanitizer.transactional(`${group}/${raw}/${partition}`)).close();
  }
}

async function change(
  name: string,
  { logs, now }: AbandonTools,
  next: (state: ReplayManifest['state']) => ReplayManifest['state'],
): Promise<ReplayManifest> {
  const changed = await changeManifest(logs.sanitizer, name, async (current) => {
    const state = current === undefined ? undefined : next(current.state);
    if (current === undefined || state === undefined || state === current.state) return undefined;
    return { ...current, state, finishedAt: current.finishedAt ?? now() };
  });
  return changed ?? (await readManifest(logs.sanitizer, name));
}
