/** Where the rows of sessions to be erased lie, and the files that are to take the place of those. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Zstd } from '../../events/zstd.ts';
import { SinkStorageError, TableFormatError } from '../sink.ts';
import { parseJson, type AddFile } from './actions.ts';
import { encodeDataFile } from './data-file.ts';
import { decodePath, LOG_FOLDER, type TableState } from './delta-log.ts';
import { GatheredRows, readRows } from './file-rows.ts';
import { erasureFence, sanitizedRanges, tagsWithoutErased } from './layout.ts';
import type { TableStore } from './store.ts';

/** What stands in the way of a table without the rows, as of one version. */
export interface Found {
  readonly needsCommit: boolean;
  /** Files of the table that hold such rows, as their commits named them. */
  readonly removes: readonly AddFile[];
  /** With those of their rows that stay; they lie there already. */
  readonly adds: readonly AddFile[];
  readonly rows: number;
  readonly copiedRows: number;
  readonly sessions: number;
  /** Of `doomed`, those that no commit is known to have named. */
  readonly orphans: readonly string[];
  /** Files to be deleted after the commit. */
  readonly doomed: readonly string[];
  /** Files that no commit names and of which nobody can tell what they hold. */
  readonly unreadable: readonly string[];
}

export interface SurveyOptions {
  readonly store: TableStore;
  readonly zstd: Zstd;
  readonly sessions: ReadonlySet<string>;
  readonly erasure: string;
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/** A file of the table that holds such rows. */
interface Hit {
  readonly sessions: ReadonlySet<string>;
  readonly rows: number;
  readonly copiedRows: number;
  /** Undefined when no row stays. */
  readonly again: AddFile | undefined;
}

/** Looks at each file once, however often the table moves on. */
export class EraseSurvey {
  readonly #options: SurveyOptions;
  /** By path; undefined for a file without such rows. */
  readonly #hits = new Map<string, Hit | undefined>();
  /** Of files that no commit named when they were looked at. */
  readonly #loose = new Map<string, 'clean' | 'doomed' | 'unreadable'>();
  #fence: number | undefined;

  constructor(options: SurveyOptions) {
    this.#options = options;
  }

  /** @returns undefined when a file that the state names is not there. @throws TableFormatError */
  async look(state: TableState): Promise<Found | undefined> {
    const fence = erasureFence(state, state.metaData?.name ?? '');
    // Another erasure deletes what nobody has committed, perhaps files of this one.
    const isMoved = fence !== this.#fence;
    this.#fence = fence;
    for (const [path, hit] of this.#hits) if (isMoved || !state.files.has(path)) await this.#forget(path, hit);
    for (const [path, add] of state.files) {
      this.#options.signal?.throwIfAborted();
      if (this.#hits.has(path)) continue;
      const hit = await this.#judge(path, add);
      if (hit === 'gone') return undefined;
      this.#hits.set(path, hit);
    }
    await this.#lookAtLoose(state);
    return this.#found(state);
  }

  /** What was written in place of the file will be in no commit: only this survey's caller could have made one. */
  async #forget(path: string, hit: Hit | undefined): Promise<void> {
    this.#hits.delete(path);
    if (hit?.again) await this.#options.store.delete(decodePath(hit.again.path));
  }

  #found(state: TableState): Found {
    const hits = [...this.#hits].flatMap(([path, hit]) => (hit === undefined ? [] : [{ path, ...hit }]));
    const removes = hits.flatMap(({ path }) => state.files.get(path) ?? []);
    const adds = hits.flatMap(({ again }) => again ?? []);
    const loose = (kind: string) => [...this.#loose].filter(([, is]) => is === kind).map(([path]) => path);
    const doomed = loose('doomed');
    const orphans = doomed.filter((path) => !state.removed.has(path));
    return {
      needsCommit: removes.length > 0 || orphans.length > 0,
      removes,
      adds,
      rows: hits.reduce((sum, { rows }) => sum + rows, 0),
      copiedRows: hits.reduce((sum, { copiedRows }) => sum + copiedRows, 0),
      sessions: new Set(hits.flatMap(({ sessions }) => [...sessions])).size,
      orphans,
      doomed: [...hits.map(({ path }) => path), ...doomed],
      unreadable: loose('unreadable'),
    };
  }

  async #judge(path: string, add: AddFile): Promise<Hit | undefined | 'gone'> {
    const { store, zstd, sessions } = this.#options;
    if (!mayHold(add, sessions)) return undefined;
    const bytes = await store.read(path);
    if (bytes === undefined) return 'gone';
    try {
      return (await holdsRows(bytes, zstd, sessions)) ? await this.#writeAgain(path, add, bytes) : undefined;
    } catch (error) {
      if (error instanceof TableFormatError || error instanceof SinkStorageError) throw error;
      throw new TableFormatError(`${path} of ${store.location} could not be read or written again: see its cause.`, {
        cause: error,
      });
    }
  }

  async #writeAgain(path: string, add: AddFile, bytes: Uint8Array): Promise<Hit> {
    const { store, zstd, sessions, erasure, now } = this.#options;
    const kept = new GatheredRows(add.partitionValues['date'] ?? '');
    const erased = new Set<string>();
    let rows = 0;
    for await (const chunk of readRows(bytes, zstd)) {
      for (const row of chunk) {
        const session = row['session'];
        if (typeof session !== 'string' || !sessions.has(session)) {
          kept.add(row);
        } else {
          erased.add(session);
          rows++;
        }
      }
    }
    const hit = { sessions: erased, rows, copiedRows: kept.count };
    if (kept.count === 0) return { ...hit, again: undefined };
    const file = await encodeDataFile(kept, zstd);
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const name = `${folder}part-${randomUUID()}${STAGED_BY}${erasure}.zstd.parquet`;
    await store.putIfAbsent(name, file.bytes);
    const again = {
      path: encodeURI(name),
      partitionValues: add.partitionValues,
      size: file.bytes.byteLength,
      modificationTime: now(),
      dataChange: true,
      stats: file.stats,
      tags: tagsWithoutErased(add, rows),
    };
    return { ...hit, again };
  }

  /**
   * Files that the table does not name: of older versions, of writers that died, and of writers that are about to commit
   * them. The latter find out, as a commit that comes before theirs moves the fence.
   */
  async #lookAtLoose(state: TableState): Promise<void> {
    const { store, zstd, sessions, signal } = this.#options;
    const own = new Set([...this.#hits.values()].map((hit) => hit?.again && decodePath(hit.again.path)));
    const there = new Set(await dataFiles(store));
    for (const path of this.#loose.keys()) if (!there.has(path) || state.files.has(path)) this.#loose.delete(path);
    for (const path of there) {
      signal?.throwIfAborted();
      if (state.files.has(path) || own.has(path) || this.#loose.has(path)) continue;
      if (path.includes(STAGED_BY)) {
        this.#loose.set(path, 'doomed');
        continue;
      }
      const bytes = await store.read(path);
      if (bytes === undefined) continue;
      const verdict = await holdsRows(bytes, zstd, sessions).catch(() => 'unreadable' as const);
      if (verdict === 'unreadable') this.#loose.set(path, verdict);
      else this.#loose.set(path, verdict ? 'doomed' : 'clean');
    }
  }
}

/** Part of the names of files that an erasure has written: those that no commit names are left over from one. */
const STAGED_BY = '.erasure-';

/** All data files below the table's folder, named by the table or not. */
async function dataFiles(store: TableStore): Promise<string[]> {
  const folders = (await store.folders('')).filter((name) => name !== LOG_FOLDER);
  const inFolders = await Promise.all(
    folders.map(async (folder) => (await store.list(folder)).map((name) => `${folder}/${name}`)),
  );
  return [...(await store.list('')), ...inFolders.flat()].filter((path) => path.endsWith('.parquet'));
}

async function holdsRows(bytes: Uint8Array, zstd: Zstd, sessions: ReadonlySet<string>): Promise<boolean> {
  for await (const rows of readRows(bytes, zstd, ['session'])) {
    if (rows.some(({ session }) => typeof session === 'string' && sessions.has(session))) return true;
  }
  return false;
}

const sessionBounds = z.object({
  minValues: z.object({ session: z.string() }),
  maxValues: z.object({ session: z.string() }),
});

/** Whether a file may hold such rows, as its statistics say. Only ours are believed: a row that is missed is a leak. */
function mayHold(add: AddFile, sessions: ReadonlySet<string>): boolean {
  if (!add.stats || sanitizedRanges(add) === undefined) return true;
  const bounds = sessionBounds.safeParse(parseJson(add.stats, 'The statistics of a file'));
  if (!bounds.success) return true;
  const { minValues, maxValues } = bounds.data;
  return [...sessions].some((session) => session >= minValues.session && session <= maxValues.session);
}
