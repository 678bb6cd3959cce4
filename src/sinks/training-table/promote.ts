/**
 * Puts the rows of a replay in place of a stretch's rows, in one commit: readers see the table as it was or as it is to be.
 * Files that hold rows of the stretch only leave; of files that hold others as well, the others are written again. Nothing
 * is deleted, so older versions can be read as before, until an erasure.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { loadZstd, type Zstd } from '../../events/zstd.ts';
import { TableFormatError, type SinkRecord } from '../sink.ts';
import { parseJson, renderCommit, type Action, type AddFile } from './actions.ts';
import { tryCommit } from './commit.ts';
import { encodeDataFile } from './data-file.ts';
import { decodePath, openDeltaLog, type DeltaLog, type TableState } from './delta-log.ts';
import { assertWritable, erasedRows, erasureFence, fileTags, sanitizedRanges } from './layout.ts';
import { numberOfRecords } from './read-table.ts';
import { RowBuffer, type OffsetRange } from './row-buffer.ts';
import type { TableStore } from './store.ts';

/** A stretch of the raw topic: first offset and the one after the last, by partition. */
export type RawStretch = Readonly<Record<string, readonly [from: number, end: number]>>;

/** A file of the live table, and where its rows come from. */
export interface LiveFile {
  readonly path: string;
  readonly date: string;
  readonly rows: number | undefined;
  /** First and last offset of its records by sanitised partition; undefined when the file does not say. */
  readonly sanitized: ReadonlyMap<number, OffsetRange> | undefined;
  /** The replay on whose sanitised topic those records are; null for the live one. */
  readonly replay: string | null;
  /** Records that came of these stretches of raw are not in the file, although they are within its offsets. */
  readonly without: readonly RawStretch[];
  /** How many rows of its records were erased from it. */
  readonly erased: number;
}

/** What becomes of a file. `mixed`: the rows outside were given to `keep`. `unknown`: nobody can tell any more, and why. */
export type Verdict =
  | { readonly kind: 'outside' }
  | { readonly kind: 'inside' | 'mixed'; readonly inside: number; readonly outside: number }
  | { readonly kind: 'unknown'; readonly why: string };

export interface PromoteOptions {
  readonly live: TableStore;
  /** The replay's own table. */
  readonly replay: TableStore;
  readonly name: string;
  readonly stretch: RawStretch;
  /** Reads what a file's rows came of; hands those that did not come of the stretch to `keep`. */
  readonly judge: (file: LiveFile, keep: (record: SinkRecord) => void) => Promise<Verdict>;
  /** For the times that a Delta log wants, ms since the epoch. */
  readonly now: () => number;
  readonly zstd?: Zstd;
}

export interface Promotion {
  /** The first version of the live table that has the replay's rows. */
  readonly version: number;
  /** It had been promoted before; nothing was done. */
  readonly already: boolean;
  /** Rows that the commit took out, wrote again, and brought from the replay. */
  readonly removed: number;
  readonly rewritten: number;
  readonly added: number;
}

/**
 * @throws TableFormatError when there is no live table, or it cannot be told of some file which rows are of the stretch; the
 * message names the dates. Then nothing has changed.
 */
export async function promoteReplay(options: PromoteOptions): Promise<Promotion> {
  const { live, name } = options;
  const zstd = options.zstd ?? (await loadZstd());
  const log = await openDeltaLog(live, zstd);
  if (log.state.version < 0)
    throw new TableFormatError(`There is no table in ${live.location} yet: run the sink first.`);
  const tableName = log.state.metaData?.name ?? '';
  assertWritable(log.state, tableName, live.location);
  const mark = `${tableName}<-replay/${name}`;
  const plan = new Plan(options, zstd);
  const fence = erasureFence(log.state, tableName);
  let copied: Copied | undefined;
  for (;;) {
    if (erasureFence(log.state, tableName) !== fence) await giveUp(live, plan, copied);
    const before = log.state.marks.get(mark)?.version;
    if (before !== undefined) return { version: before, already: true, removed: 0, rewritten: 0, added: 0 };
    // Whatever others have committed since is looked at as well.
    await plan.follow(log.state);
    copied ??= await copyFiles(options, zstd);
    const { adds } = copied;
    // An erasure takes its rows out of the replay's table first: one that did so before it looked at the live table, and so
    // before all of the copies lay there, is seen here; one that looks later finds the copies or the commit.
    if ((await fenceOf(options.replay, zstd)) !== copied.fence) await giveUp(live, plan, copied);
    const version = log.state.version + 1;
    const actions = [...plan.actions(log.state, options.now()), ...adds.map((add): Action => ({ add }))];
    const txn = { appId: mark, version, lastUpdated: options.now() };
    if (await tryCommit(live, version, commitOf(options, [...actions, { txn }]))) {
      const added = adds.reduce((sum, add) => sum + (numberOfRecords(add) ?? 0), 0);
      return { version, already: false, ...plan.totals(), added };
    }
    await advance(log, version, live);
  }
}

/** What lies there to be committed may hold the erased rows, and the erasure may have deleted some of it. */
async function giveUp(live: TableStore, plan: Plan, copied: Copied | undefined): Promise<never> {
  await deleteAll(live, [...plan.staged(), ...(copied?.adds ?? [])]);
  throw erasedError(live);
}

async function deleteAll(live: TableStore, staged: readonly AddFile[]): Promise<void> {
  await Promise.allSettled(staged.map(({ path }) => live.delete(decodePath(path))));
}

const erasedError = ({ location }: TableStore): TableFormatError =>
  new TableFormatError(
    `Rows were erased from ${location} or the replay's own table while the replay was promoted; nothing was changed. ` +
      'When they are erased from both, promote again.',
  );

async function advance(log: DeltaLog, version: number, live: TableStore): Promise<void> {
  await log.advance();
  if (log.state.version < version) throw new TableFormatError(`Commit ${version} of ${live.location} cannot be read.`);
}

/** What becomes of the live table's files. */
class Plan {
  readonly #options: PromoteOptions;
  readonly #zstd: Zstd;
  readonly #planned = new Map<string, Planned>();

  constructor(options: PromoteOptions, zstd: Zstd) {
    this.#options = options;
    this.#zstd = zstd;
  }

  /** Judges files that have come since, forgets those that have gone. @throws TableFormatError */
  async follow(state: TableState): Promise<void> {
    for (const path of this.#planned.keys()) if (!state.files.has(path)) this.#planned.delete(path);
    const unknown = new Map<string, string>();
    for (const [path, add] of state.files) {
      if (this.#planned.has(path)) continue;
      const file = liveFile(path, add);
      const planned = await this.#judge(file, add);
      if ('why' in planned)
        unknown.set(planned.why, [...new Set([unknown.get(planned.why), file.date])].join(' ').trim());
      else this.#planned.set(path, planned);
    }
    if (unknown.size === 0) return;
    const reasons = [...unknown].map(([why, dates]) => `${datesOf(dates)}: ${why}`);
    throw new TableFormatError(
      `It cannot be told which rows of the live table are of the stretch. ${reasons.join('. ')}. ` +
        "Nothing was changed; the replay's own table can be read where it is.",
    );
  }

  async #judge(file: LiveFile, add: AddFile): Promise<Planned | { readonly why: string }> {
    const buffer = new RowBuffer();
    const verdict = await this.#options.judge(file, (record) => buffer.append(record));
    switch (verdict.kind) {
      case 'unknown':
        return { why: verdict.why };
      case 'outside':
        return { leaves: false, inside: 0, rewritten: 0, again: [] };
      case 'inside':
        return { leaves: true, inside: verdict.inside, rewritten: 0, again: [] };
      case 'mixed':
        return {
          leaves: true,
          inside: verdict.inside,
          rewritten: verdict.outside,
          again: await this.#writeAgain(buffer, file, add),
        };
    }
  }

  async #writeAgain(buffer: RowBuffer, file: LiveFile, add: AddFile): Promise<AddFile[]> {
    const adds: AddFile[] = [];
    for (const day of buffer.days()) {
      const { bytes, stats } = await encodeDataFile(day, this.#zstd);
      const without = [...file.without, this.#options.stretch];
      adds.push({
        ...(await putFile(this.#options.live, day.date, bytes, this.#options.now())),
        stats,
        tags: { ...add.tags, ...fileTags(day.offsets), [WITHOUT_TAG]: JSON.stringify(without) },
      });
    }
    return adds;
  }

  /** Files that were written for the commit. */
  staged(): AddFile[] {
    return [...this.#planned.values()].flatMap(({ again }) => again);
  }

  actions(state: TableState, now: number): Action[] {
    return [...this.#planned].flatMap(([path, { leaves, again }]): Action[] => {
      const add = state.files.get(path);
      if (!leaves || add === undefined) return [];
      const { partitionValues, size } = add;
      const remove = { path: add.path, deletionTimestamp: now, dataChange: true, extendedFileMetadata: true };
      return [{ remove: { ...remove, partitionValues, size } }, ...again.map((file) => ({ add: file }))];
    });
  }

  totals(): { readonly removed: number; readonly rewritten: number } {
    const all = [...this.#planned.values()];
    return {
      removed: all.reduce((sum, { inside }) => sum + inside, 0),
      rewritten: all.reduce((sum, { rewritten }) => sum + rewritten, 0),
    };
  }
}

interface Planned {
  readonly leaves: boolean;
  readonly inside: number;
  readonly rewritten: number;
  /** Files with those of its rows that stay. */
  readonly again: readonly AddFile[];
}

const datesOf = (dates: string): string => {
  const list = dates.split(' ').toSorted();
  return list.length > 5 ? `${list.slice(0, 5).join(', ')} and ${list.length - 5} more dates` : list.join(', ');
};

/** Tag of a file whose rows a replay made: its name. */
const REPLAY_TAG = 'redactory.replay';
/** Tag of a file of which some rows were taken out: the stretches of raw that those came of. */
const WITHOUT_TAG = 'redactory.without';

const stretches = z.array(z.record(z.string().regex(/^\d{1,10}$/u), z.tuple([z.number(), z.number()]).readonly()));

function liveFile(path: string, add: AddFile): LiveFile {
  const without = add.tags?.[WITHOUT_TAG];
  const parsed = without ? stretches.safeParse(parseJson(without, `The tag ${WITHOUT_TAG} of ${path}`)) : undefined;
  if (parsed?.success === false) throw new TableFormatError(`The tag ${WITHOUT_TAG} of ${path} cannot be read.`);
  return {
    path,
    date: add.partitionValues['date'] ?? '',
    rows: numberOfRecords(add),
    sanitized: sanitizedRanges(add),
    replay: add.tags?.[REPLAY_TAG] ?? null,
    without: parsed?.data ?? [],
    erased: erasedRows(add),
  };
}

interface Copied {
  readonly adds: readonly AddFile[];
  /** Of the replay's table before the first was copied. */
  readonly fence: number;
}

async function fenceOf(store: TableStore, zstd: Zstd): Promise<number> {
  const { state } = await openDeltaLog(store, zstd);
  return erasureFence(state, state.metaData?.name ?? '');
}

/** The replay's files lie beside the live ones before a commit names them: orphans that no reader sees. */
async function copyFiles(options: PromoteOptions, zstd: Zstd): Promise<Copied> {
  const { live, replay, name } = options;
  const { state } = await openDeltaLog(replay, zstd);
  const fence = erasureFence(state, state.metaData?.name ?? '');
  const adds: AddFile[] = [];
  for (const [path, add] of state.files) {
    const bytes = await replay.read(path);
    if (bytes === undefined) {
      await deleteAll(live, adds);
      if ((await fenceOf(replay, zstd)) !== fence) throw erasedError(live);
      throw new TableFormatError(`${path} of ${replay.location} is gone: run the replay again.`);
    }
    const copied = await putFile(live, add.partitionValues['date'] ?? '', bytes, options.now());
    adds.push({ ...copied, stats: add.stats, tags: { ...add.tags, [REPLAY_TAG]: name } });
  }
  return { adds, fence };
}

async function putFile(store: TableStore, date: string, bytes: Uint8Array, now: number): Promise<AddFile> {
  const path = `date=${date}/part-${randomUUID()}.zstd.parquet`;
  await store.putIfAbsent(path, bytes);
  return {
    path: encodeURI(path),
    partitionValues: { date },
    size: bytes.byteLength,
    modificationTime: now,
    dataChange: true,
  };
}

function commitOf({ name, now }: PromoteOptions, actions: readonly Action[]): Uint8Array {
  const info = {
    timestamp: now(),
    operation: 'REPLACE',
    operationParameters: { replay: name },
    isBlindAppend: false,
    engineInfo: 'redactory',
    // No two commits have the same bytes.
    txnId: randomUUID(),
  };
  return renderCommit([{ commitInfo: info }, ...actions]);
}
