/**
 * The port to the log: topics of keyed records in partitions, consumer groups, and transactions over several appends and
 * an offset commit. It promises what Kafka can keep and no more; adapters pass one contract suite
 * (test/contract/event-log.ts).
 *
 * - Records of a partition are read in offset order; offsets rise but may have holes (transaction markers, compaction).
 * - A reader sees committed records only, and no record before an earlier open transaction of that partition has ended
 *   (read-committed, last stable offset). A transaction does not read its own appends.
 * - Keys choose partitions by Kafka's default partitioner (murmur2 of the key, modulo the partition count).
 */

/** How old records leave a topic: by age, or all but the last of each key. */
export type Cleanup =
  | { readonly kind: 'delete'; readonly retentionMs: number }
  | {
      readonly kind: 'compact';
      /** What is overwritten is to be gone after so long, as far as the log can do that; without it, some time. */
      readonly withinMs?: number;
    };

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly cleanup: Cleanup;
}

/** A header's values are short ASCII strings; headers never carry payload. */
export type Headers = Readonly<Record<string, string>>;

export interface NewRecord {
  readonly key: string;
  /** null is a tombstone: compaction removes the key. */
  readonly value: Uint8Array | null;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly headers?: Headers;
  /** Explicit partition; without it the key decides. */
  readonly partition?: number;
}

export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: Headers;
  /** It stands for records that nobody is going to unpack ({@link ReadRequest.standIns}); its value is null. */
  readonly refused?: 'limit_exceeded';
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface ReadRequest extends TopicPartition {
  /** First offset wanted. Below the partition's begin offset: {@link OffsetOutOfRangeError}. */
  readonly offset: number;
  readonly maxRecords: number;
  /** Soft bound on the values' bytes; at least one record is returned if there is one. */
  readonly maxBytes: number;
  /** How long to wait when there is nothing yet; 0 returns at once. */
  readonly waitMs: number;
  /**
   * Where records are compressed so that they would unpack to far more than their topic may hold, return one in their place
   * instead of throwing. For topics that many may write to, and readers that quarantine.
   */
  readonly standIns?: boolean;
  /** Ends the wait: the read then returns what there is, mostly nothing. */
  readonly signal?: AbortSignal;
}

export interface Fetched {
  readonly records: readonly LogRecord[];
  /** Where to read next (past holes, even when no record was read); the request's offset when there was nothing at all. */
  readonly nextOffset: number;
  /** The partition's last stable offset as of this fetch. */
  readonly endOffset: number;
}

export interface Position {
  /** The next offset that the group has not processed. */
  readonly offset: number;
  /** Free text that travels with the commit, at most 4,096 bytes. */
  readonly metadata: string;
}

/** All or nothing: appends and commits of one transaction. Any throw, crash or {@link abort} leaves nothing behind. */
export interface Transaction {
  append(topic: string, records: readonly NewRecord[]): Promise<void>;
  /** The offset becomes the group's position for that partition when the transaction commits. */
  commitOffset(group: string, at: TopicPartition, position: Position): Promise<void>;
  /** @throws FencedError when another producer has taken this transactional id; nothing was written. */
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/** A writer of transactions under one id. One open transaction at a time. */
export interface TransactionalProducer {
  readonly transactionalId: string;
  begin(): Promise<Transaction>;
  close(): Promise<void>;
}

/** This process's part in a consumer group. */
export interface Membership {
  /** Partitions held now; may change at any await. */
  assignment(): readonly TopicPartition[];
  /**
   * Resolves at the next change of {@link assignment}, after `waitMs`, or when `signal` aborts; at once when it changed since
   * the last call. Calling it again says that partitions which were taken away are no longer worked on: then they go to
   * their new owners.
   */
  changed(waitMs: number, signal?: AbortSignal): Promise<void>;
  /** Leaves the group: its partitions go to others at once. */
  leave(): Promise<void>;
}

export interface EventLog {
  /** Creates what is missing; an existing topic with another partition count is an error. */
  createTopics(specs: readonly TopicSpec[]): Promise<void>;
  /** @throws UnknownTopicError */
  partitions(topic: string): Promise<number>;
  /** Appends outside a transaction; durable when the promise resolves. Returns the offset of each record, in order. */
  append(topic: string, records: readonly NewRecord[]): Promise<readonly number[]>;
  read(request: ReadRequest): Promise<Fetched>;
  /** First offset still kept of each partition, in partition order. */
  beginOffsets(topic: string): Promise<readonly number[]>;
  /** One past the last committed record of each partition (the last stable offset), in partition order. */
  endOffsets(topic: string): Promise<readonly number[]>;
  /**
   * Never below {@link endOffsets}: also past what was written in transactions that have not ended here yet (Kafka: the high
   * watermark). Once a transaction's position is seen in {@link committed}, all of its records lie below these offsets,
   * on every topic; readers may see them later.
   */
  highWatermarks(topic: string): Promise<readonly number[]>;
  /** The first offset whose record timestamp is at or after `timestamp` (ms), or the end offset. */
  offsetForTime(at: TopicPartition, timestamp: number): Promise<number>;
  committed(group: string, at: TopicPartition): Promise<Position | undefined>;
  /** Takes over a transactional id: fences its last owner and ends that owner's open transaction. */
  transactional(transactionalId: string): Promise<TransactionalProducer>;
  join(group: string, topic: string): Promise<Membership>;
  /** Applies retention and compaction now, as of `now` (ms). Kafka does this by itself: there it is a no-op. */
  clean(now: number): Promise<void>;
  close(): Promise<void>;
}

/** Another owner has taken this transactional id; stop and start again. */
export class FencedError extends Error {
  override name = 'FencedError';
}

/** The wanted offset is gone (retention) or not there yet; never reset silently. */
export class OffsetOutOfRangeError extends Error {
  override name = 'OffsetOutOfRangeError';
}

export class UnknownTopicError extends Error {
  override name = 'UnknownTopicError';
}

/** The log was closed: open it again to go on. Waits that were pending at `close` end early instead. */
export class LogClosedError extends Error {
  override name = 'LogClosedError';
  constructor() {
    super('The log is closed. Open it again to go on.');
  }
}

/** The log's storage failed (full disk, damaged file, no permission); the message says what to do. */
export class LogStorageError extends Error {
  override name = 'LogStorageError';
}
