/**
 * A compacted topic read from its begin and kept up with: how shared state (consent, keyring, erasures) reaches every
 * process without a database.
 */
import type { EventLog, LogRecord } from './event-log.ts';

export interface GlobalTableOptions {
  readonly log: EventLog;
  readonly topic: string;
  /**
   * Takes one record into the state, synchronously; tombstones included. A record may come again after compaction elsewhere,
   * never twice in one table. A throw ends the table: it can't be told any more what the state is.
   */
  readonly apply: (record: LogRecord) => void;
  /** Ends waits for records that are not there yet. */
  readonly signal?: AbortSignal;
}

export interface GlobalTable {
  /**
   * Resolves when every record below these end offsets (one a partition) has been applied; waits for records that are not
   * there yet. To be causal, take the offsets (`log.endOffsets`) after what must not overtake the table.
   * @throws whatever the log or `apply` threw, now and on every later call; AbortError when the signal ended a wait.
   */
  caughtUpTo(endOffsets: readonly number[]): Promise<void>;
  /** The next offset to apply, by partition. */
  positions(): readonly number[];
  /** Offsets between {@link positions} and the log's end offsets, all partitions together; 0 is caught up. */
  lag(): Promise<number>;
}

/** Opens the table and reads it to the end that the topic has now. @throws UnknownTopicError, LogStorageError */
export async function openGlobalTable(options: GlobalTableOptions): Promise<GlobalTable> {
  const table = new TopicTable(options, await options.log.beginOffsets(options.topic));
  await table.caughtUpTo(await options.log.endOffsets(options.topic));
  return table;
}

class TopicTable implements GlobalTable {
  readonly #o: GlobalTableOptions;
  readonly #positions: number[];
  /** Callers read one after another: records are applied in offset order, once. */
  #last: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(options: GlobalTableOptions, positions: readonly number[]) {
    this.#o = options;
    this.#positions = [...positions];
  }

  caughtUpTo(endOffsets: readonly number[]): Promise<void> {
    if (endOffsets.length !== this.#positions.length) {
      const message = `Topic '${this.#o.topic}' has ${this.#positions.length} partitions, ${endOffsets.length} end offsets were given.`;
      return Promise.reject(new RangeError(message));
    }
    if (this.#failure === undefined && this.#isAt(endOffsets)) return Promise.resolve();
    const mine = this.#last.then(() => this.#readTo(endOffsets));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  positions(): readonly number[] {
    return [...this.#positions];
  }

  async lag(): Promise<number> {
    const ends = await this.#o.log.endOffsets(this.#o.topic);
    return ends.reduce((sum, end, p) => sum + Math.max(0, end - (this.#positions[p] ?? 0)), 0);
  }

  #isAt(endOffsets: readonly number[]): boolean {
    return endOffsets.every((end, p) => (this.#positions[p] ?? 0) >= end);
  }

  async #readTo(endOffsets: readonly number[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    for (const [partition, end] of endOffsets.entries()) {
      while ((this.#positions[partition] ?? 0) < end) await this.#readOn(partition);
    }
  }

  async #readOn(partition: number): Promise<void> {
    const { log, topic, apply, signal } = this.#o;
    signal?.throwIfAborted();
    const offset = this.#positions[partition] ?? 0;
    const wait = signal === undefined ? {} : { signal };
    const fetched = await log.read({
      topic,
      partition,
      offset,
      maxRecords: 10_000,
      maxBytes: 8_000_000,
      waitMs: 1000,
      ...wait,
    });
    try {
      for (const record of fetched.records) apply(record);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
    this.#positions[partition] = fetched.nextOffset;
  }
}
