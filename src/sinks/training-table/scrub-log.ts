/**
 * What a table's log tells of rows that the table no longer has. Beside each file it holds the least and greatest value of
 * each column: pseudonyms, and texts of rows. Commits stay, each under its version, as a writer that has slept must find
 * the next version taken; they lose the statistics. Checkpoints stay only if they name no other files than the table has.
 */
import { z } from 'zod';
import type { Zstd } from '../../events/zstd.ts';
import { TableFormatError } from '../sink.ts';
import { parseJson } from './actions.ts';
import { readCheckpoint } from './checkpoint.ts';
import {
  checkpointVersion,
  decodePath,
  lastCheckpoint,
  LOG_FOLDER,
  newestCheckpoint,
  type TableState,
} from './delta-log.ts';
import { numberOfRecords } from './read-table.ts';
import type { TableStore } from './store.ts';
import { withdrawIfErased, writeCheckpoint } from './write-checkpoint.ts';

export interface ScrubOptions {
  readonly store: TableStore;
  readonly zstd: Zstd;
  /** The table now. */
  readonly state: TableState;
  /** Pseudonyms that must not be left. */
  readonly sessions: ReadonlySet<string>;
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes out of the log what it tells of files that the table no longer has. Doing it again, or on from where another
 * stopped, comes to the same.
 *
 * @throws TableFormatError when one of `sessions` stands where this version does not take it out.
 */
export async function scrubLog(options: ScrubOptions): Promise<void> {
  const { store, state } = options;
  const names = await store.list(LOG_FOLDER);
  const dirty = await dirtyCommits(names, options);
  const newest = newestCheckpoint(names)?.version ?? -1;
  // The statistics of the files that stay must be somewhere: commits lose theirs.
  const isWanted = (dirty.length > 0 || newest >= 0) && !(await isCleanCheckpoint(names, options));
  let isWithdrawn = false;
  if (isWanted) {
    await writeCheckpoint(store, state, options.zstd, options.now());
    isWithdrawn = await withdrawIfErased(store, state.metaData?.name ?? '', state.version);
  }
  for (const name of dirty) {
    // Hadoop keeps a checksum beside files on a local disk, which would no longer be right.
    const checksum = `.${name}.crc`;
    if (names.includes(checksum)) await store.delete(`${LOG_FOLDER}/${checksum}`);
    await rewrite(`${LOG_FOLDER}/${name}`, options);
  }
  // Nothing has taken the place of the older ones, which a shortened log cannot be read without; the later erasure deletes them.
  if (isWithdrawn) return;
  await deleteSuperseded(names, isWanted ? state.version : newest, options);
}

const COMMITS_AT_ONCE = 8;

const COMMIT = /^\d{20}\.json$/u;

async function dirtyCommits(names: readonly string[], options: ScrubOptions): Promise<string[]> {
  const { store, state, signal } = options;
  const commits = names.filter((name) => COMMIT.test(name) && Number.parseInt(name, 10) <= state.version);
  const dirty: string[] = [];
  const waiting = commits.values();
  const work = async (): Promise<void> => {
    for (const name of waiting) {
      signal?.throwIfAborted();
      const path = `${LOG_FOLDER}/${name}`;
      const bytes = await store.read(path);
      if (bytes !== undefined && isDirty(new TextDecoder().decode(bytes), path, options)) dirty.push(name);
    }
  };
  await Promise.all(Array.from({ length: COMMITS_AT_ONCE }, work));
  return dirty.sort();
}

async function rewrite(path: string, { store, sessions, signal }: ScrubOptions): Promise<void> {
  signal?.throwIfAborted();
  const bytes = await store.read(path);
  if (bytes === undefined) return;
  const clean = scrubCommit(new TextDecoder().decode(bytes), path);
  if (holdsOneOf(sessions, clean)) {
    throw new TableFormatError(
      `${store.location}/${path} holds an erased pseudonym where no statistics are: look at it.`,
    );
  }
  await store.put(path, new TextEncoder().encode(clean));
}

const fileAction = z.looseObject({ path: z.string(), stats: z.string().nullish() }).nullish();
const line = z.looseObject({ add: fileAction, remove: fileAction, commitInfo: z.looseObject({}).nullish() });

/** A pseudonym by itself, not a part of a longer number. */
const PSEUDONYMS = /(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/gu;

const holdsOneOf = (sessions: ReadonlySet<string>, text: string): boolean =>
  [...text.matchAll(PSEUDONYMS)].some(([found]) => sessions.has(found));

function isDirty(commit: string, path: string, { state, sessions }: ScrubOptions): boolean {
  if (holdsOneOf(sessions, commit)) return true;
  return linesOf(commit).some((text) => {
    const { add, remove } = parseLine(text, path);
    const gone = add && state.files.has(decodePath(add.path)) ? undefined : (add ?? remove);
    return gone?.stats ? gone.stats !== reduced(gone.stats) : false;
  });
}

/**
 * A commit without the bounds of any of its files, and without what other tools wrote about how they chose rows. What is
 * left does not depend on who asks, so that two that rewrite one commit come to the same.
 */
export function scrubCommit(commit: string, path: string): string {
  const lines = linesOf(commit).map((text) => {
    const action = parseLine(text, path);
    const { add, remove, commitInfo } = action;
    if (commitInfo && text.search(PSEUDONYMS) >= 0)
      return JSON.stringify({ commitInfo: withoutParameters(commitInfo) });
    if (add?.stats) return JSON.stringify({ ...action, add: { ...add, stats: reduced(add.stats) } });
    if (remove?.stats) return JSON.stringify({ ...action, remove: { ...remove, stats: reduced(remove.stats) } });
    return text;
  });
  return `${lines.join('\n')}\n`;
}

const linesOf = (commit: string): string[] => commit.split('\n').filter((text) => text.trim() !== '');

function parseLine(text: string, path: string): z.infer<typeof line> {
  const parsed = line.safeParse(parseJson(text, path));
  if (!parsed.success)
    throw new TableFormatError(`${path} is not as the Delta protocol has it; the table may be damaged.`);
  return parsed.data;
}

/** Statistics that say how many rows there are, and nothing else. */
function reduced(stats: string): string | null {
  const numRecords = numberOfRecords({ stats });
  return numRecords === undefined ? null : JSON.stringify({ numRecords });
}

function withoutParameters(info: Record<string, unknown>): object {
  const kept = ['timestamp', 'operation', 'isBlindAppend', 'engineInfo', 'txnId'] as const;
  return Object.fromEntries(kept.flatMap((name) => (name in info ? [[name, info[name]]] : [])));
}

/** Whether the newest checkpoint is the one that readers are pointed to, and names only files that the table has. */
async function isCleanCheckpoint(names: readonly string[], { store, state, zstd }: ScrubOptions): Promise<boolean> {
  const newest = newestCheckpoint(names);
  if (newest === undefined || (await lastCheckpoint(store)) !== newest.version) return false;
  for (const part of newest.parts) {
    const path = `${LOG_FOLDER}/${part}`;
    const bytes = await store.read(path);
    if (bytes === undefined) return false;
    const actions = await readCheckpoint(bytes, zstd, path);
    if (actions.some(({ add }) => add && !state.files.has(decodePath(add.path)))) return false;
  }
  return true;
}

const CHECKSUM = /^(\d{20})\.crc$/u;
const COMPACTED = /^\d{20}\.(\d{20})\.compacted\.json$/u;

/** Older checkpoints, and what other tools derive from commits: readers do without. */
async function deleteSuperseded(names: readonly string[], newest: number, { store, state }: ScrubOptions) {
  for (const name of names) {
    const checkpoint = checkpointVersion(name) ?? Infinity;
    const derived = Number(CHECKSUM.exec(name)?.[1] ?? COMPACTED.exec(name)?.[1] ?? Infinity);
    if (checkpoint < newest || derived <= state.version) await store.delete(`${LOG_FOLDER}/${name}`);
  }
}
