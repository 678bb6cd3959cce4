/**
 * The training table: a Delta Lake table that is also the truth of how far the sink has come.
 *
 * Every commit carries rows and, in the same file, the last offsets that they include (`txn` actions). So a commit and its
 * progress are one put of one file: a crash leaves either, never half; what was read twice is recognised; and of two
 * writers of one partition only one gets through.
 */
import { randomUUID } from 'node:crypto';
import { loadZstd, type Zstd } from '../../events/zstd.ts';
import { FencedSinkError, TableFormatError, type Sink, type SinkRecord, type Taken } from '../sink.ts';
import { renderCommit, type Action, type AddFile } from './actions.ts';
import { isSameCommit, MAX_FAILURES } from './commit.ts';
import { encodeDataFile } from './data-file.ts';
import { commitPath, openDeltaLog, type DeltaLog } from './delta-log.ts';
import {
  assertOpen,
  assertWritable,
  checkName,
  erasureFence,
  fileTags,
  newMetaData,
  progressMark,
  PROTOCOL,
  sourceMark,
  sourcesIn,
} from './layout.ts';
import { OldCheckpoints } from './old-checkpoints.ts';
import { RowBuffer } from './row-buffer.ts';
import type { TableStore } from './store.ts';
import { withdrawIfErased, writeCheckpoint } from './write-checkpoint.ts';

export interface TrainingTableOptions {
  /** Where the table is, opened for writing; the table is made if it is not there. */
  readonly store: TableStore;
  /** The table's own name, a part of its progress marks. Default `training`. */
  readonly name?: string;
  /** The sanitised topic that the offsets belong to. */
  readonly topic: string;
  /** Rows after which `write` commits by itself. Default 250,000. */
  readonly flushRows?: number;
  /** Memory of waiting rows, in bytes, after which `write` commits by itself. Default 64 MiB. */
  readonly flushBytes?: number;
  /** Clock for the times that a Delta log wants: of commits, never of actions. Milliseconds since the epoch. */
  readonly now: () => number;
  readonly zstd?: Zstd;
  readonly onCommit?: (commit: TableCommit) => void;
}

/** What one commit added. */
export interface TableCommit {
  readonly version: number;
  readonly records: number;
  readonly rows: number;
  readonly files: number;
  /** Bytes of the data files. */
  readonly bytes: number;
  /** How long it took. */
  readonly seconds: number;
}

/** Since the sink was opened. */
export interface TableCounts {
  readonly commits: number;
  readonly records: number;
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
  /** Records left out because the table had them already. */
  readonly doubles: number;
  /** Commits that had to be tried again behind another writer's. */
  readonly conflicts: number;
  /** Checkpoints that could not be written, or old ones deleted: they only make opening faster, so the commits stand. */
  readonly failedCheckpoints: number;
}

export interface TrainingTable extends Sink {
  readonly counts: TableCounts;
  /** Version of the table as this sink knows it. */
  readonly version: number;
  /** Written but not committed yet. */
  readonly pending: { readonly records: number; readonly rows: number; readonly bytes: number };
}

/**
 * Opens the table, or makes it.
 *
 * `write` takes a partition's records only after `resumeFrom` was asked for that partition, and again after a
 * {@link FencedSinkError}. After any other error than these the sink is closed: open it again.
 *
 * @throws TableFormatError when the table there is not one that this version may write to.
 * @throws SinkStorageError when the store cannot be used.
 */
export async function openTrainingTable(options: TrainingTableOptions): Promise<TrainingTable> {
  const name = options.name ?? 'training';
  checkName('table name', name);
  checkName('topic', options.topic);
  const { store } = options;
  const zstd = options.zstd ?? (await loadZstd());
  const log = await openDeltaLog(store, zstd);
  if (log.state.version < 0) {
    const now = options.now();
    const create = [commitInfo('CREATE TABLE', now, {}), { protocol: PROTOCOL }, { metaData: newMetaData(name, now) }];
    // Another may be making it as well: whoever comes first has made it for both.
    await store.putIfAbsent(commitPath(0), renderCommit(create));
    await log.advance();
  }
  assertWritable(log.state, name, store.location);
  assertOpen(log.state, store.location);
  return new TableSink({ ...options, name }, zstd, log);
}

/** How far a partition has come, with what is waiting. */
interface Progress {
  /** Last offset in the table when the first waiting record came; -1 for none. */
  base: number;
  last: number;
  waiting: boolean;
  /** Last source offset by source mark, of the sources that waiting records have advanced. */
  readonly sources: Map<string, number>;
}

/** Data files that lie there, and the commit that will make them part of the table. */
interface Staged {
  readonly actions: readonly Action[];
  readonly paths: readonly string[];
  readonly commit: Uint8Array;
  readonly rows: number;
  readonly bytes: number;
}

const CHECKPOINT_EVERY = 10;

class TableSink implements TrainingTable {
  readonly #options: TrainingTableOptions & { readonly name: string };
  readonly #store: TableStore;
  readonly #zstd: Zstd;
  readonly #log: DeltaLog;
  readonly #layout: string;
  readonly #buffer = new RowBuffer();
  readonly #oldCheckpoints: OldCheckpoints;
  readonly #progress = new Map<number, Progress>();
  #waitingRecords = 0;
  /** Calls run one after another, in the order they came. */
  #queue: Promise<unknown> = Promise.resolve();
  #refusal: Error | undefined;
  #end: Error | undefined;
  #counts = {
    commits: 0,
    records: 0,
    rows: 0,
    files: 0,
    bytes: 0,
    doubles: 0,
    conflicts: 0,
    failedCheckpoints: 0,
  };

  constructor(options: TrainingTableOptions & { readonly name: string }, zstd: Zstd, log: DeltaLog) {
    this.#options = options;
    this.#store = options.store;
    this.#zstd = zstd;
    this.#log = log;
    this.#oldCheckpoints = new OldCheckpoints(options.store);
    this.#layout = layoutOf(log);
  }

  get counts(): TableCounts {
    return { ...this.#counts };
  }

  get version(): number {
    return this.#log.state.version;
  }

  get pending(): TrainingTable['pending'] {
    return { records: this.#waitingRecords, rows: this.#buffer.rows, bytes: this.#buffer.bytes };
  }

  async resumeFrom(partition: number): Promise<number> {
    return await this.#inTurn(async () => {
      await this.#advance();
      if (!this.#progress.get(partition)?.waiting) this.#progress.set(partition, this.#committed(partition));
      return this.#markOf(partition) + 1;
    });
  }

  async taken(partition: number): Promise<Taken> {
    return await this.#inTurn(async () => {
      await this.#advance();
      const { name, topic } = this.#options;
      const sources = sourcesIn(this.#log.state.marks, name, topic, partition);
      return { next: this.#markOf(partition) + 1, sources };
    });
  }

  async write(records: readonly SinkRecord[]): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#refusal !== undefined) throw this.#refusal;
      for (const record of records) {
        this.#take(record);
        const isFull =
          this.#buffer.rows >= (this.#options.flushRows ?? 250_000) ||
          this.#buffer.bytes >= (this.#options.flushBytes ?? 64 * 2 ** 20);
        if (isFull) await this.#commitWaiting();
      }
    });
  }

  async flush(): Promise<void> {
    await this.#inTurn(() => this.#commitWaiting());
  }

  async close(): Promise<void> {
    if (this.#end !== undefined) return;
    await this.#inTurn(async () => {
      try {
        await this.#commitWaiting();
      } finally {
        this.#discard();
        this.#end ??= new Error('This training table is closed: open it again.');
      }
    });
  }

  async #inTurn<T>(job: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(async () => {
      if (this.#end !== undefined) throw this.#end;
      try {
        return await job();
      } catch (error) {
        // Being overtaken and a refused row leave a sound state behind; after anything else, only the table knows.
        const isSound = error instanceof FencedSinkError || error === this.#refusal || error instanceof UsageError;
        if (!isSound) this.#end = error instanceof Error ? error : new Error('The training table failed.');
        throw error;
      }
    });
    this.#queue = turn.catch(() => undefined);
    return await turn;
  }

  #take(record: SinkRecord): void {
    let progress = this.#progress.get(record.partition);
    if (progress === undefined) {
      throw new UsageError('Ask resumeFrom(partition) before writing records of a partition, and after being fenced.');
    }
    if (!progress.waiting) {
      // The log may have moved on while nothing of this partition was waiting: what it has now is what counts.
      progress = this.#committed(record.partition);
      this.#progress.set(record.partition, progress);
    }
    checkName('topic', record.source.topic);
    const source = sourceMark(this.#options.name, this.#options.topic, record.partition, record.source);
    const lastOfSource = progress.sources.get(source) ?? this.#log.state.marks.get(source)?.version ?? -1;
    if (record.offset <= progress.last) {
      this.#counts.doubles++;
      return;
    }
    if (record.source.offset > lastOfSource) {
      this.#append(record);
      progress.sources.set(source, record.source.offset);
    } else {
      this.#counts.doubles++;
    }
    progress.last = record.offset;
    progress.waiting = true;
  }

  #append(record: SinkRecord): void {
    try {
      this.#buffer.append(record);
    } catch (error) {
      if (error instanceof Error) this.#refusal = error;
      throw error;
    }
    this.#waitingRecords++;
  }

  async #commitWaiting(): Promise<void> {
    const waiting = [...this.#progress].filter(([, progress]) => progress.waiting);
    if (waiting.length === 0) return;
    const start = performance.now();
    await this.#refuseIfOvertaken([]);
    const { staged, version } = await this.#stageAndCommit(waiting);

    this.#counts.commits++;
    this.#counts.records += this.#waitingRecords;
    this.#counts.rows += staged.rows;
    this.#counts.files += staged.paths.length;
    this.#counts.bytes += staged.bytes;
    const commit = {
      version,
      records: this.#waitingRecords,
      rows: staged.rows,
      files: staged.paths.length,
      bytes: staged.bytes,
      seconds: (performance.now() - start) / 1_000,
    };
    this.#discard();
    for (const [partition] of waiting) this.#progress.set(partition, this.#committed(partition));
    if (version % CHECKPOINT_EVERY === 0) await this.#checkpoint();
    this.#options.onCommit?.(commit);
  }

  async #stageAndCommit(
    waiting: readonly (readonly [number, Progress])[],
  ): Promise<{ readonly staged: Staged; readonly version: number }> {
    for (;;) {
      const staged = await this.#stage(waiting);
      const version = await this.#commit(staged);
      if (version !== undefined) return { staged, version };
    }
  }

  /** Writes the data files: one a day. Until the commit names them they are orphans that no reader sees. */
  async #stage(waiting: readonly (readonly [number, Progress])[]): Promise<Staged> {
    const now = this.#options.now();
    const adds: AddFile[] = [];
    let [rows, bytes] = [0, 0];
    for (const day of this.#buffer.days()) {
      const file = await encodeDataFile(day, this.#zstd);
      const path = `date=${file.date}/part-${randomUUID()}.zstd.parquet`;
      await this.#store.putIfAbsent(path, file.bytes);
      rows += file.rows;
      bytes += file.bytes.byteLength;
      adds.push({
        path: encodeURI(path),
        partitionValues: { date: file.date },
        size: file.bytes.byteLength,
        modificationTime: now,
        dataChange: true,
        stats: file.stats,
        tags: fileTags(day.offsets),
      });
    }
    const actions: Action[] = [...this.#marks(waiting, now), ...adds.map((add) => ({ add }))];
    const metrics = { numFiles: String(adds.length), numOutputRows: String(rows), numOutputBytes: String(bytes) };
    const commit = renderCommit([commitInfo('WRITE', now, metrics), ...actions]);
    return { actions, paths: adds.map((add) => decodeURI(add.path)), commit, rows, bytes };
  }

  #marks(waiting: readonly (readonly [number, Progress])[], now: number): Action[] {
    const { name, topic } = this.#options;
    return waiting.flatMap(([partition, { last, sources }]) => [
      { txn: { appId: progressMark(name, topic, partition), version: last, lastUpdated: now } },
      ...[...sources].map(([appId, version]) => ({ txn: { appId, version, lastUpdated: now } })),
    ]);
  }

  /**
   * Puts the commit at the next free version. A put that fails, or says that the version is taken, may have been carried
   * out all the same: the commit that lies there says whether it is this one.
   *
   * @returns the version; undefined when rows were erased meanwhile, and what was staged must be staged again.
   */
  async #commit(staged: Staged): Promise<number | undefined> {
    const fence = this.#fence();
    for (let failures = 0; ;) {
      const version = this.#log.state.version + 1;
      const put = await this.#tryPut(version, staged.commit);
      const there = put.written ? staged.commit : await this.#store.read(commitPath(version));
      if (there === undefined) {
        // Nothing there, as far as one can see: the same bytes at the same version can be put again without harm.
        if (++failures >= MAX_FAILURES) throw put.failure;
      } else if (isSameCommit(there, staged.commit)) {
        this.#log.apply(version, staged.actions);
        return version;
      } else {
        this.#counts.conflicts++;
        await this.#advance(staged.paths);
        await this.#refuseIfOvertaken(staged.paths);
        if (this.#fence() !== fence) {
          await this.#deleteStaged(staged.paths);
          return undefined;
        }
      }
    }
  }

  async #tryPut(version: number, commit: Uint8Array): Promise<{ written: boolean; failure: unknown }> {
    try {
      const written = await this.#store.putIfAbsent(commitPath(version), commit);
      return { written, failure: new TableFormatError(`Commit ${version} is taken but cannot be read.`) };
    } catch (failure) {
      return { written: false, failure };
    }
  }

  /** Reads what others have committed. @throws TableFormatError when they have changed more than rows and marks. */
  async #advance(ownFiles: readonly string[] = []): Promise<void> {
    await this.#log.advance();
    if (layoutOf(this.#log) !== this.#layout) {
      await this.#deleteStaged(ownFiles);
      assertOpen(this.#log.state, this.#store.location);
      throw new TableFormatError(
        `Another tool has changed protocol or metadata of the table in ${this.#store.location}; ` +
          'the sink has stopped. Start it again if the change is meant.',
      );
    }
  }

  /** Gives up what is waiting if another writer has advanced one of its partitions. */
  async #refuseIfOvertaken(ownFiles: readonly string[]): Promise<void> {
    const overtaken = [...this.#progress]
      .filter(([partition, { waiting, base }]) => waiting && this.#markOf(partition) !== base)
      .map(([partition]) => partition);
    if (overtaken.length === 0) return;
    this.#discard();
    this.#progress.clear();
    await this.#deleteStaged(ownFiles);
    throw new FencedSinkError(overtaken);
  }

  /** No commit names these files or ever will. Failing to delete them only leaves orphans. */
  async #deleteStaged(paths: readonly string[]): Promise<void> {
    await Promise.allSettled(paths.map((path) => this.#store.delete(path)));
  }

  #fence(): number {
    return erasureFence(this.#log.state, this.#options.name);
  }

  async #checkpoint(): Promise<void> {
    const { state } = this.#log;
    try {
      await writeCheckpoint(this.#store, state, this.#zstd, this.#options.now());
      const isWithdrawn = await withdrawIfErased(this.#store, this.#options.name, state.version);
      if (!isWithdrawn) await this.#oldCheckpoints.delete();
    } catch {
      this.#counts.failedCheckpoints++;
    }
  }

  #discard(): void {
    this.#buffer.clear();
    this.#waitingRecords = 0;
  }

  #committed(partition: number): Progress {
    const base = this.#markOf(partition);
    return { base, last: base, waiting: false, sources: new Map() };
  }

  #markOf(partition: number): number {
    const { name, topic } = this.#options;
    return this.#log.state.marks.get(progressMark(name, topic, partition))?.version ?? -1;
  }
}

/** The caller's mistake; the sink is as it was. */
class UsageError extends Error {
  override name = 'UsageError';
}

const layoutOf = ({ state }: DeltaLog): string => JSON.stringify([state.protocol, state.metaData]);

/** `txnId` is random, so that no two commits have the same bytes. */
function commitInfo(operation: string, timestamp: number, operationMetrics: Record<string, string>): object {
  return {
    commitInfo: {
      timestamp,
      operation,
      operationParameters: operation === 'WRITE' ? { mode: 'Append', partitionBy: '["date"]' } : {},
      isBlindAppend: operation === 'WRITE',
      operationMetrics,
      engineInfo: 'redactory',
      txnId: randomUUID(),
    },
  };
}
