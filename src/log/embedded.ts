/**
 * The log on one machine, in an LMDB file: for trying Redactory, for tests, and for a single host. Several processes may use
 * one folder at once.
 *
 * Beyond the port: offsets have no holes before compaction, a transaction's records get neighbouring offsets, and `append`
 * is atomic per call. Transactions are held in memory until they commit.
 */
import {
  FencedError,
  LogClosedError,
  OffsetOutOfRangeError,
  UnknownTopicError,
  type EventLog,
  type Fetched,
  type LogRecord,
  type Membership,
  type NewRecord,
  type Position,
  type ReadRequest,
  type TopicPartition,
  type TopicSpec,
  type Transaction,
  type TransactionalProducer,
} from './event-log.ts';
import { BatchReader, Packer, placeAt, type PackedBatch } from './embedded/batch.ts';
import { cleanAll } from './embedded/cleaner.ts';
import { joinGroup } from './embedded/membership.ts';
import {
  checkTopic,
  partitionId,
  partitionState,
  putPartitionState,
  putTopic,
  topicInfo,
  type TopicInfo,
} from './embedded/partitions.ts';
import { numberOf, openStore, partitionKey, type Store } from './embedded/store.ts';
import { deadlineIn, Waits } from './embedded/waits.ts';
import { partitionOf } from './partitioner.ts';

export interface EmbeddedLogOptions {
  /** A folder of its own; made when missing. */
  readonly dir: string;
  /** Clock for group heartbeats, ms since the epoch. */
  readonly now?: () => number;
  /** Address space reserved for the file at first (it grows beyond by itself); default 64 GiB, which costs no memory. */
  readonly mapSizeBytes?: number;
  /** A group member that is silent for longer loses its partitions, ms; default 3,000. */
  readonly sessionTimeoutMs?: number;
  /** How often a waiting reader looks for what other processes committed, ms; default 10. */
  readonly pollMs?: number;
}

/** @throws LogStorageError when the folder can't be used or its file is damaged; the message says what to do. */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EventLog> {
  const waits = new Waits();
  const store = await openStore({
    dir: options.dir,
    mapSizeBytes: options.mapSizeBytes ?? 64 * 2 ** 30,
    onCommit: () => waits.wake(),
  });
  return new EmbeddedLog(store, waits, {
    now: options.now ?? Date.now,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 3000,
    pollMs: options.pollMs ?? 10,
  });
}

interface Settings {
  readonly now: () => number;
  readonly sessionTimeoutMs: number;
  readonly pollMs: number;
}

class EmbeddedLog implements EventLog {
  readonly #store: Store;
  readonly #waits: Waits;
  readonly #settings: Settings;
  readonly #topics = new Map<string, TopicInfo>();
  readonly #members = new Set<Membership>();
  #closing: Promise<void> | undefined;

  constructor(store: Store, waits: Waits, settings: Settings) {
    this.#store = store;
    this.#waits = waits;
    this.#settings = settings;
  }

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    for (const spec of specs) checkSpec(spec);
    await this.#store.commit({
      check: () => specs.forEach((spec) => checkTopic(this.#store, spec)),
      apply: () => specs.forEach((spec) => putTopic(this.#store, spec)),
    });
  }

  async partitions(topic: string): Promise<number> {
    return this.#topic(topic).partitions;
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<readonly number[]> {
    const outbox = new Outbox(this.#store);
    const placed = outbox.add(this.#topic(topic), records);
    const bases = await this.#store.commit({ apply: () => outbox.write() });
    return placed.map(({ id, index }) => (bases.get(id) ?? 0) + index);
  }

  async read(request: ReadRequest): Promise<Fetched> {
    const deadline = deadlineIn(request.waitMs);
    for (;;) {
      const fetched = this.#readNow(request);
      const { signal } = request;
      if (fetched.nextOffset > request.offset || deadline.left() === 0 || signal?.aborted === true) return fetched;
      await this.#waits.wait(Math.min(deadline.left(), this.#settings.pollMs), signal);
      if (this.#waits.closed) return fetched;
    }
  }

  async beginOffsets(topic: string): Promise<readonly number[]> {
    return this.#states(topic).map((state) => state.begin);
  }

  async endOffsets(topic: string): Promise<readonly number[]> {
    return this.#states(topic).map((state) => state.end);
  }

  /** What is not committed is not in the log. */
  highWatermarks(topic: string): Promise<readonly number[]> {
    return this.endOffsets(topic);
  }

  async offsetForTime(at: TopicPartition, timestamp: number): Promise<number> {
    const id = partitionId(this.#topic(at.topic), at.partition);
    return this.#store.reading(() => offsetAtOrAfter(this.#store, id, timestamp));
  }

  async committed(group: string, at: TopicPartition): Promise<Position | undefined> {
    partitionId(this.#topic(at.topic), at.partition);
    // Written only by EmbeddedTransaction.
    return this.#store.reading(() => this.#store.meta.get(positionKey(group, at)) as Position | undefined);
  }

  async transactional(transactionalId: string): Promise<TransactionalProducer> {
    checkName('transactional id', transactionalId);
    const key = ['producer', transactionalId];
    const epoch = await this.#store.commit({
      apply: () => {
        const taken = epochOf(this.#store, key) + 1;
        this.#store.meta.putSync(key, taken);
        return taken;
      },
    });
    const fenced = (): boolean => epochOf(this.#store, key) !== epoch;
    return new EmbeddedProducer(transactionalId, this.#store, (topic) => this.#topic(topic), fenced);
  }

  async join(group: string, topic: string): Promise<Membership> {
    checkName('group', group);
    const { partitions } = this.#topic(topic);
    const membership = await joinGroup({
      ...this.#settings,
      store: this.#store,
      waits: this.#waits,
      group,
      topic,
      partitions,
      onEnd: () => this.#members.delete(membership),
    });
    this.#members.add(membership);
    return membership;
  }

  clean(now: number): Promise<void> {
    return cleanAll(this.#store, now);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#waits.close();
    // A log that can't be written any more must still close; its members time out.
    await Promise.allSettled([...this.#members].map((member) => member.leave()));
    await this.#store.close();
  }

  #readNow(request: ReadRequest): Fetched {
    const id = partitionId(this.#topic(request.topic), request.partition);
    return this.#store.reading(() => {
      const state = partitionState(this.#store, id);
      checkRange(request, state.begin, state.end);
      if (request.offset === state.end) return { records: [], nextOffset: state.end, endOffset: state.end };
      return fetch(this.#store, id, request, state.end);
    });
  }

  #states(topic: string): { begin: number; end: number }[] {
    const info = this.#topic(topic);
    return this.#store.reading(() =>
      Array.from({ length: info.partitions }, (_, p) => partitionState(this.#store, info.firstId + p)),
    );
  }

  /** Topics are never removed and never change their partitions, so they may be remembered. */
  #topic(name: string): TopicInfo {
    if (this.#closing !== undefined) throw new LogClosedError();
    const info = this.#topics.get(name) ?? this.#store.reading(() => topicInfo(this.#store, name));
    if (info === undefined)
      throw new UnknownTopicError(`There is no topic '${name}'. Create it with createTopics first.`);
    this.#topics.set(name, info);
    return info;
  }
}

class EmbeddedProducer implements TransactionalProducer {
  readonly transactionalId: string;
  readonly #store: Store;
  readonly #topic: (name: string) => TopicInfo;
  readonly #fenced: () => boolean;
  #open: EmbeddedTransaction | undefined;
  #closed = false;

  constructor(id: string, store: Store, topic: (name: string) => TopicInfo, fenced: () => boolean) {
    this.transactionalId = id;
    this.#store = store;
    this.#topic = topic;
    this.#fenced = fenced;
  }

  async begin(): Promise<Transaction> {
    if (this.#closed) throw new Error(`The producer '${this.transactionalId}' is closed. Take a new one from the log.`);
    if (this.#open?.isOpen === true) {
      throw new Error(`The producer '${this.transactionalId}' has an open transaction. Commit or abort it first.`);
    }
    this.#open = new EmbeddedTransaction(this.#store, this.#topic, () => {
      if (this.#fenced()) {
        throw new FencedError(
          `Another producer has taken the transactional id '${this.transactionalId}'; nothing was written. Stop, and start again from the committed position.`,
        );
      }
    });
    return this.#open;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#open?.abort();
  }
}

class EmbeddedTransaction implements Transaction {
  readonly #store: Store;
  readonly #topic: (name: string) => TopicInfo;
  readonly #checkFence: () => void;
  readonly #outbox: Outbox;
  readonly #positions: [key: string[], position: Position][] = [];
  #state: 'open' | 'committed' | 'aborted' | 'failed' = 'open';

  constructor(store: Store, topic: (name: string) => TopicInfo, checkFence: () => void) {
    this.#store = store;
    this.#topic = topic;
    this.#checkFence = checkFence;
    this.#outbox = new Outbox(store);
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<void> {
    this.#mustBeOpen();
    this.#outbox.add(this.#topic(topic), records);
  }

  async commitOffset(group: string, at: TopicPartition, position: Position): Promise<void> {
    this.#mustBeOpen();
    checkName('group', group);
    checkPosition(position);
    partitionId(this.#topic(at.topic), at.partition);
    this.#positions.push([positionKey(group, at), { offset: position.offset, metadata: position.metadata }]);
  }

  async commit(): Promise<void> {
    this.#mustBeOpen();
    this.#state = 'failed';
    await this.#store.commit({
      check: this.#checkFence,
      apply: () => {
        this.#outbox.write();
        for (const [key, position] of this.#positions) this.#store.meta.putSync(key, position);
      },
    });
    this.#state = 'committed';
  }

  async abort(): Promise<void> {
    if (this.isOpen) this.#state = 'aborted';
  }

  #mustBeOpen(): void {
    if (!this.isOpen) throw new Error(`The transaction has ended (${this.#state}). Begin a new one.`);
  }
}

/** Records on their way into the log, packed by partition. */
class Outbox {
  readonly #store: Store;
  readonly #byPartition = new Map<number, { packer: Packer; count: number }>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Returns where each record will be: its partition's id, and its place among what this outbox holds for that partition. */
  add(topic: TopicInfo, records: readonly NewRecord[]): { id: number; index: number }[] {
    // All are checked before the first is taken, so that a refused call leaves nothing behind.
    const ids = records.map((record) => {
      checkRecord(record);
      return partitionId(topic, record.partition ?? partitionOf(record.key, topic.partitions));
    });
    return records.map((record, i) => {
      const id = ids[i] ?? 0;
      let box = this.#byPartition.get(id);
      if (box === undefined) this.#byPartition.set(id, (box = { packer: new Packer(), count: 0 }));
      box.packer.add(record);
      box.count += 1;
      return { id, index: box.count - 1 };
    });
  }

  /** Inside a commit: gives the records their offsets. Returns the first offset by partition id. */
  write(): Map<number, number> {
    const bases = new Map<number, number>();
    for (const [id, { packer }] of this.#byPartition) bases.set(id, appendBatches(this.#store, id, packer.finish()));
    return bases;
  }
}

function appendBatches(store: Store, id: number, batches: readonly PackedBatch[]): number {
  const state = partitionState(store, id);
  let { end, latest } = state;
  for (const batch of batches) {
    placeAt(batch, end);
    end += batch.count;
    const key = partitionKey(id, end - 1);
    store.batches.putSync(key, batch.bytes);
    if (batch.latest > latest) {
      latest = batch.latest;
      store.times.putSync(partitionKey(id, latest), key);
    }
  }
  putPartitionState(store, id, { begin: state.begin, end, latest });
  return state.end;
}

function fetch(store: Store, id: number, request: ReadRequest, endOffset: number): Fetched {
  const { topic, partition, offset, maxRecords, maxBytes } = request;
  const records: LogRecord[] = [];
  let bytes = 0;
  // A batch's key is its last offset, so the first key at or after the wanted offset is the batch that holds it.
  const range = store.batches.getRange({ start: partitionKey(id, offset), end: partitionKey(id, endOffset) });
  for (const { value } of range) {
    const reader = new BatchReader(value);
    while (reader.next()) {
      if (reader.offset < offset) continue;
      const full = records.length >= maxRecords || bytes + reader.valueBytes > maxBytes;
      if (full && records.length > 0) return { records, nextOffset: reader.offset, endOffset };
      bytes += reader.valueBytes;
      records.push(reader.record(topic, partition));
    }
  }
  return { records, nextOffset: endOffset, endOffset };
}

/**
 * The first kept offset whose timestamp is at or after `timestamp`, whatever the order of timestamps. The time index names
 * the batch that first reached it; no earlier record can have.
 */
function offsetAtOrAfter(store: Store, id: number, timestamp: number): number {
  const { begin, end } = partitionState(store, id);
  const wanted = Math.min(Math.max(0, Math.ceil(timestamp)), Number.MAX_SAFE_INTEGER);
  const index = { start: partitionKey(id, wanted), end: partitionKey(id + 1, 0), limit: 1 };
  for (const { value: from } of store.times.getRange(index)) {
    const start = partitionKey(id, Math.max(begin, numberOf(from)));
    for (const { value } of store.batches.getRange({ start, end: partitionKey(id + 1, 0) })) {
      const reader = new BatchReader(value);
      if (reader.latest < wanted) continue;
      while (reader.next()) if (reader.offset >= begin && reader.timestamp >= wanted) return reader.offset;
    }
  }
  return end;
}

function checkRange(request: ReadRequest, begin: number, end: number): void {
  const { topic, partition, offset } = request;
  if (Number.isSafeInteger(offset) && offset >= begin && offset <= end) return;
  const what =
    offset < begin
      ? 'those records are gone (retention). Start from the begin offset if that loss is acceptable, or restore the log.'
      : 'it is not there yet. The position belongs to another log or this one was replaced: reset the position on purpose.';
  throw new OffsetOutOfRangeError(
    `Offset ${offset} of topic '${topic}' partition ${partition} is out of range ${begin}..${end}: ${what}`,
  );
}

function checkRecord(record: NewRecord): void {
  if (Number.isSafeInteger(record.timestamp) && record.timestamp >= 0) return;
  throw new RangeError(
    `A record's timestamp is ${record.timestamp}; give whole milliseconds since the epoch, not negative.`,
  );
}

function checkSpec(spec: TopicSpec): void {
  if (!TOPIC_NAME.test(spec.name)) {
    throw new RangeError(`Topic name '${spec.name}' is not allowed: use 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'.`);
  }
  if (!Number.isInteger(spec.partitions) || spec.partitions < 1) {
    throw new RangeError(`Topic '${spec.name}' needs at least one partition, not ${spec.partitions}.`);
  }
}

function checkName(what: string, name: string): void {
  if (NAME.test(name)) return;
  throw new RangeError(`A ${what} is 1 to 249 printable ASCII characters; '${name}' is not.`);
}

function checkPosition(position: Position): void {
  const bytes = Buffer.byteLength(position.metadata);
  if (bytes > MAX_METADATA_BYTES) {
    throw new RangeError(`The metadata of a committed offset has ${bytes} bytes, at most ${MAX_METADATA_BYTES} fit.`);
  }
  if (!Number.isSafeInteger(position.offset) || position.offset < 0) {
    throw new RangeError(`A committed offset is a whole number, not negative; ${position.offset} is not.`);
  }
}

function epochOf(store: Store, key: readonly string[]): number {
  // Written only by EmbeddedLog.transactional.
  return (store.meta.get([...key]) as number | undefined) ?? 0;
}

function positionKey(group: string, at: TopicPartition): string[] {
  return ['position', group, at.topic, String(at.partition)];
}

const MAX_METADATA_BYTES = 4096;
/** Kafka's rule for topic names. */
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/;
const NAME = /^[\x20-\x7e]{1,249}$/;
