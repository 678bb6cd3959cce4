/**
 * Takes the rows of sessions out of the table: one commit that puts other files in place of those that held them, after
 * which the old files are deleted at once, and what the log tells of them with them. See docs/decisions/0031-erasing-rows.md.
 *
 * Every step may be the last one: another call with the same id goes on from there.
 */
import { randomUUID } from 'node:crypto';
import { loadZstd, type Zstd } from '../../events/zstd.ts';
import { columnNamed } from '../columns.ts';
import { TableFormatError } from '../sink.ts';
import { renderCommit, type Action } from './actions.ts';
import { tryCommit } from './commit.ts';
import { openDeltaLog, type DeltaLog, type TableState } from './delta-log.ts';
import { EraseSurvey, type Found } from './erase-survey.ts';
import { assertWritable, erasureFigureMark, erasureMark } from './layout.ts';
import { scrubLog } from './scrub-log.ts';
import type { TableStore } from './store.ts';

export interface EraseOptions {
  /** The table, opened for writing. */
  readonly store: TableStore;
  /** Pseudonyms of the sessions, as in the column `session`. They are written nowhere. */
  readonly sessions: ReadonlySet<string>;
  /**
   * Names this erasure, for going on with it: a UUID made at random for it, which is kept in the table's log for good and so
   * must tell nothing. Until a call has ended well, each with its id is of the same sessions or of more.
   */
  readonly erasure: string;
  /** For the times that a Delta log wants, ms since the epoch. */
  readonly now: () => number;
  readonly zstd?: Zstd;
  /** Stops between two steps; call again to go on. */
  readonly signal?: AbortSignal;
}

/** What an erasure came to. `rows`, `sessions` and `filesRewritten` are of all calls with its id, also of killed ones. */
export interface Erasure {
  /** Rows that the table no longer has. */
  readonly rows: number;
  /** Sessions that had rows; one whose rows came in two times counts twice. */
  readonly sessions: number;
  /** Files of which some rows stayed, and were written again. */
  readonly filesRewritten: number;
  /** Data files that this call deleted from the store. */
  readonly filesDeleted: number;
  /** The version of its last commit, since which the table is without the rows; null when it has made none. */
  readonly version: number | null;
}

/**
 * Erases. When it returns, no file below the table's folder holds a row of the sessions or one of their pseudonyms, but for
 * what a sink has added since: call it when the sink is past them. No table, and no such rows: nothing is committed.
 *
 * @throws TableFormatError when the table is not one that this version may write to, or has a file that cannot be read.
 * @throws SinkStorageError when the store cannot be used.
 */
export async function eraseSessions(options: EraseOptions): Promise<Erasure> {
  checkOptions(options);
  const { store, signal } = options;
  const zstd = options.zstd ?? (await loadZstd());
  const log = await openDeltaLog(store, zstd);
  if (log.state.version < 0) return { rows: 0, sessions: 0, filesRewritten: 0, filesDeleted: 0, version: null };
  const survey = new EraseSurvey({ ...options, zstd });
  const found = await commitWithout(options, log, survey);
  for (const path of found.doomed) {
    signal?.throwIfAborted();
    await store.delete(path);
  }
  await log.advance();
  await scrubLog({ ...options, zstd, state: log.state, signal });
  if (found.unreadable.length > 0) throw unreadableError(store, found.unreadable);
  return { ...figuresOf(log.state, options.erasure), filesDeleted: found.doomed.length };
}

const ERASURE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;

function checkOptions({ erasure, sessions }: EraseOptions): void {
  if (!ERASURE_ID.test(erasure)) throw new TableFormatError('The id of an erasure is a UUID in small letters.');
  const form = columnNamed('session').pattern;
  for (const session of sessions) {
    if (form?.test(session) !== true) throw new TableFormatError('A session to erase is not the pseudonym of one.');
  }
}

/** Commits the table without the rows, if it has any. @returns what must be deleted now. */
async function commitWithout(options: EraseOptions, log: DeltaLog, survey: EraseSurvey): Promise<Found> {
  const { store, signal } = options;
  for (;;) {
    signal?.throwIfAborted();
    assertWritable(log.state, log.state.metaData?.name ?? '', store.location);
    const found = await survey.look(log.state);
    if (found === undefined) {
      // A file has gone while it was looked for: with a commit that this process has not seen yet, or it is lost.
      await advanceBeyond(log, log.state.version, store);
      continue;
    }
    if (!found.needsCommit) return found;
    const version = log.state.version + 1;
    const actions = actionsOf(options, log.state, found, version);
    if (await tryCommit(store, version, commitOf(options, found, actions))) {
      log.apply(version, actions);
      return found;
    }
    await advanceBeyond(log, version - 1, store);
  }
}

async function advanceBeyond(log: DeltaLog, version: number, store: TableStore): Promise<void> {
  await log.advance();
  if (log.state.version > version) return;
  throw new TableFormatError(
    `A file that the table in ${store.location} names, or its commit ${version + 1}, cannot be read: restore it from a copy.`,
  );
}

function actionsOf(options: EraseOptions, state: TableState, found: Found, version: number): Action[] {
  const now = options.now();
  const table = state.metaData?.name ?? '';
  const before = figuresOf(state, options.erasure);
  const figures = {
    rows: before.rows + found.rows,
    sessions: before.sessions + found.sessions,
    rewritten: before.filesRewritten + found.adds.length,
    version,
  };
  const mark = (appId: string, version: number): Action => ({ txn: { appId, version, lastUpdated: now } });
  return [
    mark(erasureMark(table), version),
    ...Object.entries(figures).map(([figure, n]) => mark(erasureFigureMark(table, options.erasure, figure), n)),
    ...found.removes.map(({ path, partitionValues, size }): Action => ({
      remove: { path, deletionTimestamp: now, dataChange: true, extendedFileMetadata: true, partitionValues, size },
    })),
    // Files that no commit names: so that another call sees that this commit has come before their deletion.
    ...found.orphans.map((path): Action => ({
      remove: { path: encodeURI(path), deletionTimestamp: now, dataChange: false },
    })),
    ...found.adds.map((add): Action => ({ add })),
  ];
}

function commitOf({ erasure, now }: EraseOptions, found: Found, actions: readonly Action[]): Uint8Array {
  const info = {
    timestamp: now(),
    operation: 'DELETE',
    operationParameters: { erasure },
    isBlindAppend: false,
    operationMetrics: {
      numRemovedFiles: String(found.removes.length),
      numAddedFiles: String(found.adds.length),
      numDeletedRows: String(found.rows),
      numCopiedRows: String(found.copiedRows),
    },
    engineInfo: 'redactory',
    txnId: randomUUID(),
  };
  return renderCommit([{ commitInfo: info }, ...actions]);
}

/** What all commits of an erasure came to, as the table's marks say. */
function figuresOf(state: TableState, erasure: string): Omit<Erasure, 'filesDeleted'> {
  const table = state.metaData?.name ?? '';
  const figure = (name: string): number | undefined =>
    state.marks.get(erasureFigureMark(table, erasure, name))?.version;
  return {
    rows: figure('rows') ?? 0,
    sessions: figure('sessions') ?? 0,
    filesRewritten: figure('rewritten') ?? 0,
    version: figure('version') ?? null,
  };
}

function unreadableError(store: TableStore, paths: readonly string[]): TableFormatError {
  return new TableFormatError(
    `The rows are erased from the table in ${store.location}, but ${paths.length} files there that no commit names cannot be ` +
      `read (${paths[0]}${paths.length > 1 ? ', …' : ''}): if nobody is writing them, delete them; then erase again.`,
  );
}
