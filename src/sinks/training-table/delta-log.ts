/**
 * The state of a Delta table as its log tells it: files, progress marks, protocol and metadata at one version.
 *
 * @see https://github.com/delta-io/delta/blob/master/PROTOCOL.md
 */
import { z } from 'zod';
import type { Zstd } from '../../events/zstd.ts';
import { TableFormatError } from '../sink.ts';
import {
  parseCommit,
  parseJson,
  type Action,
  type AddFile,
  type MetaData,
  type Protocol,
  type RemoveFile,
  type TransactionMark,
} from './actions.ts';
import { readCheckpoint } from './checkpoint.ts';
import { NEW_TABLE } from './layout.ts';
import type { TableStore } from './store.ts';

/** Everything that a table's log says as of `version`; -1 is a table that is not there yet. */
export interface TableState {
  version: number;
  protocol: Protocol | undefined;
  metaData: MetaData | undefined;
  /** By decoded path. */
  files: Map<string, AddFile>;
  removed: Map<string, RemoveFile>;
  marks: Map<string, TransactionMark>;
}

export interface DeltaLog {
  /** As of the last {@link advance}; changes in place. */
  readonly state: TableState;
  /** Reads the commits that others have made since. */
  advance(): Promise<void>;
  /** Takes in the next version's actions, which the caller has just committed. */
  apply(version: number, actions: readonly Action[]): void;
}

export const LOG_FOLDER = '_delta_log';
export const LAST_CHECKPOINT = `${LOG_FOLDER}/_last_checkpoint`;
export const commitPath = (version: number): string => `${LOG_FOLDER}/${digits(version)}.json`;
export const checkpointPath = (version: number): string => `${LOG_FOLDER}/${digits(version)}.checkpoint.parquet`;
const digits = (version: number): string => String(version).padStart(20, '0');

/**
 * Reads a table's log: the newest checkpoint and the commits after it.
 *
 * @throws TableFormatError when the log is damaged, has a hole, or needs a reader that this is not.
 */
export async function openDeltaLog(store: TableStore, zstd: Zstd): Promise<DeltaLog> {
  let state = await loadState(store, zstd);
  return {
    get state() {
      return state;
    },
    apply: (version, actions) => applyCommit(state, version, actions, store.location),
    async advance() {
      if ((await applyNewCommits(store, state)) > 0) return;
      // Old commits may have been cleaned away: a checkpoint beyond this version says that there is more.
      const last = await lastCheckpoint(store);
      if (last !== undefined && last > state.version) state = await loadState(store, zstd);
    },
  };
}

/** A checkpoint may go while it is read, when an erasure has put another in its place. */
const MAX_LOADS = 3;

async function loadState(store: TableStore, zstd: Zstd): Promise<TableState> {
  for (let loads = 1; ; loads++) {
    try {
      return await tryLoadState(store, zstd);
    } catch (error) {
      if (!(error instanceof CheckpointGoneError) || loads >= MAX_LOADS) throw error;
    }
  }
}

class CheckpointGoneError extends TableFormatError {}

async function tryLoadState(store: TableStore, zstd: Zstd): Promise<TableState> {
  const hint = await lastCheckpoint(store);
  const startAfter = hint === undefined ? undefined : digits(hint);
  let names = await store.list(LOG_FOLDER, startAfter);
  let checkpoint = newestCheckpoint(names);
  if (checkpoint === undefined && startAfter !== undefined) {
    names = await store.list(LOG_FOLDER);
    checkpoint = newestCheckpoint(names);
  }

  const state: TableState = {
    version: -1,
    protocol: undefined,
    metaData: undefined,
    files: new Map(),
    removed: new Map(),
    marks: new Map(),
  };
  if (checkpoint !== undefined) {
    for (const part of checkpoint.parts) {
      const path = `${LOG_FOLDER}/${part}`;
      const bytes = await store.read(path);
      if (bytes === undefined)
        throw new CheckpointGoneError(`Checkpoint ${path} of ${store.location} is gone: try again.`);
      for (const action of await readCheckpoint(bytes, zstd, path)) applyAction(state, action);
    }
    state.version = checkpoint.version;
    assertReadable(state, store.location);
  }
  await applyNewCommits(store, state);
  const newest = names.findLast((name) => COMMIT.test(name));
  if (newest !== undefined && Number.parseInt(newest, 10) > state.version) {
    throw new TableFormatError(
      `The log of ${store.location} has a hole: commit ${state.version + 1} is missing. Restore it from a copy.`,
    );
  }
  return state;
}

const COMMIT = /^\d{20}\.json$/u;
const CHECKPOINT = /^(\d{20})\.checkpoint(?:\.\d{10}\.(\d{10}))?\.parquet$/u;

/** What the name of a checkpoint's file says: its version; undefined for other files. */
export function checkpointVersion(name: string): number | undefined {
  const version = CHECKPOINT.exec(name)?.[1];
  return version === undefined ? undefined : Number(version);
}

/** The highest version whose checkpoint is whole. */
export const newestCheckpoint = (names: readonly string[]): Checkpoint | undefined => wholeCheckpoints(names).at(-1);

interface Checkpoint {
  readonly version: number;
  readonly parts: readonly string[];
}

/** Checkpoints that are whole, as one may be in several parts; by version. */
export function wholeCheckpoints(names: readonly string[]): readonly Checkpoint[] {
  const found = new Map<string, { version: number; wanted: number; parts: string[] }>();
  for (const name of names) {
    const match = CHECKPOINT.exec(name);
    if (match?.[1] === undefined) continue;
    const key = `${match[1]}/${match[2] ?? ''}`;
    const entry = found.get(key) ?? { version: Number(match[1]), wanted: Number(match[2] ?? 1), parts: [] };
    entry.parts.push(name);
    found.set(key, entry);
  }
  const whole = [...found.values()].filter((c) => c.parts.length === c.wanted);
  return whole.sort((a, b) => a.version - b.version);
}

const lastCheckpointFile = z.object({ version: z.number().int().min(0) });

/** The version that `_last_checkpoint` names: a hint, so one that cannot be read is none. */
export async function lastCheckpoint(store: TableStore): Promise<number | undefined> {
  const bytes = await store.read(LAST_CHECKPOINT);
  if (bytes === undefined) return undefined;
  try {
    return lastCheckpointFile.parse(parseJson(new TextDecoder().decode(bytes), LAST_CHECKPOINT)).version;
  } catch {
    return undefined;
  }
}

async function applyNewCommits(store: TableStore, state: TableState): Promise<number> {
  for (let read = 0; ; read++) {
    const version = state.version + 1;
    const bytes = await store.read(commitPath(version));
    if (bytes === undefined) return read;
    applyCommit(state, version, parseCommit(bytes, `${store.location}/${commitPath(version)}`), store.location);
  }
}

function applyCommit(state: TableState, version: number, actions: readonly Action[], location: string): void {
  for (const action of actions) applyAction(state, action);
  state.version = version;
  assertReadable(state, location);
}

function applyAction(state: TableState, { protocol, metaData, add, remove, txn }: Action): void {
  if (protocol) state.protocol = protocol;
  if (metaData) state.metaData = metaData;
  if (txn) state.marks.set(txn.appId, txn);
  if (add) {
    const path = decodePath(add.path);
    state.removed.delete(path);
    state.files.set(path, add);
  }
  if (remove) {
    const path = decodePath(remove.path);
    state.files.delete(path);
    state.removed.set(path, remove);
  }
}

/** Paths in the log are URL-encoded. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new TableFormatError('The log names a file by a path that is not URL-encoded; the table may be damaged.');
  }
}

function assertReadable(state: TableState, location: string): void {
  const { protocol } = state;
  if (protocol === undefined || state.metaData === undefined) {
    throw new TableFormatError(`The log of ${location} does not begin with protocol and metadata: not a Delta table.`);
  }
  const features = protocol.readerFeatures ?? [];
  if (protocol.minReaderVersion > 1 || features.length > 0) {
    const named = features.length > 0 ? ` (${features.join(', ')})` : '';
    throw new TableFormatError(
      `The table in ${location} needs Delta reader version ${protocol.minReaderVersion}${named}; this version reads 1. ` +
        `Another tool has upgraded it: downgrade it there, ${NEW_TABLE}.`,
    );
  }
}
