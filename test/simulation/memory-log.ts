/** The log in memory, shared by the clients made over it: fast enough for hundreds of simulated runs. Passes the contract. */
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
} from '../../src/log/event-log.ts';
import { emptyGroup, plan, step, without, type GroupState } from '../../src/log/embedded/group.ts';
import { deadlineIn, Waits } from '../../src/log/embedded/waits.ts';
import { partitionOf } from '../../src/log/partitioner.ts';

/** What all clients see. Nothing is ever deleted; offsets have no holes. */
export class Broker {
  readonly topics = new Map<string, LogRecord[][]>();
  readonly positions = new Map<string, Position>();
  readonly epochs = new Map<string, number>();
  readonly groups = new Map<string, GroupState>();
  /** Waiting clients. */
  readonly listeners = new Set<() => void>();
  members = 0;

  connect(): EventLog {
    return new MemoryLog(this);
  }

  /** Another broker that holds the same records, without positions and groups. */
  copy(topics: readonly string[]): Broker {
    const copy = new Broker();
    for (const [name, partitions] of this.topics) {
      copy.topics.set(
        name,
        partitions.map((records) => (topics.includes(name) ? records.slice() : [])),
      );
    }
    return copy;
  }

  partition({ topic, partition }: TopicPartition): LogRecord[] {
    const partitions = this.topics.get(topic);
    if (partitions === undefined) throw new UnknownTopicError(`There is no topic '${topic}'.`);
    const records = partitions[partition];
    if (records === undefined) throw new UnknownTopicError(`Topic '${topic}' has no partition ${partition}.`);
    return records;
  }

  /** All records of a topic, partition after partition. */
  records(topic: string): LogRecord[] {
    return this.topics.get(topic)?.flat() ?? [];
  }

  /** Returns the offset of each record. */
  put(topic: string, records: readonly NewRecord[]): number[] {
    const count = this.topics.get(topic)?.length ?? 0;
    const places = records.map((record) => {
      if (!Number.isSafeInteger(record.timestamp) || record.timestamp < 0) throw new RangeError(badTimestamp(record));
      const partition = record.partition ?? partitionOf(record.key, count);
      return { partition, list: this.partition({ topic, partition }) };
    });
    const offsets = records.map((record, i) => {
      const { partition, list } = places[i] ?? { partition: 0, list: [] };
      const { key, timestamp, headers = {} } = record;
      const value = record.value?.slice() ?? null;
      return list.push({ topic, partition, offset: list.length, key, value, timestamp, headers }) - 1;
    });
    this.wake();
    return offsets;
  }

  wake(): void {
    for (const wake of this.listeners) wake();
  }
}

class MemoryLog implements EventLog {
  readonly #broker: Broker;
  readonly #waits = new Waits();
  readonly #members = new Set<Member>();
  readonly #wake = (): void => this.#waits.wake();

  constructor(broker: Broker) {
    this.#broker = broker;
    broker.listeners.add(this.#wake);
  }

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    const { topics } = this.#open();
    for (const { name, partitions } of specs) {
      const there = topics.get(name)?.length ?? partitions;
      if (there !== partitions) throw new Error(`Topic '${name}' has ${there} partitions.`);
    }
    for (const { name, partitions } of specs) {
      if (!topics.has(name))
        topics.set(
          name,
          Array.from({ length: partitions }, () => []),
        );
    }
  }

  async partitions(topic: string): Promise<number> {
    this.#open().partition({ topic, partition: 0 });
    return this.#broker.topics.get(topic)?.length ?? 0;
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<readonly number[]> {
    this.#open().partition({ topic, partition: 0 });
    return this.#broker.put(topic, records);
  }

  async read(request: ReadRequest): Promise<Fetched> {
    const deadline = deadlineIn(request.waitMs);
    for (;;) {
      const fetched = readNow(this.#open().partition(request), request);
      const { signal } = request;
      if (fetched.records.length > 0 || deadline.left() === 0 || signal?.aborted === true) return fetched;
      await this.#waits.wait(deadline.left(), signal);
      if (this.#waits.closed) return fetched;
    }
  }

  async beginOffsets(topic: string): Promise<readonly number[]> {
    return (await this.endOffsets(topic)).map(() => 0);
  }

  async endOffsets(topic: string): Promise<readonly number[]> {
    this.#open().partition({ topic, partition: 0 });
    return (this.#broker.topics.get(topic) ?? []).map((records) => records.length);
  }

  highWatermarks(topic: string): Promise<readonly number[]> {
    return this.endOffsets(topic);
  }

  async offsetForTime(at: TopicPartition, timestamp: number): Promise<number> {
    const records = this.#open().partition(at);
    const found = records.findIndex((record) => record.timestamp >= timestamp);
    return found === -1 ? records.length : found;
  }

  async committed(group: string, at: TopicPartition): Promise<Position | undefined> {
    return this.#open().positions.get(positionKey(group, at));
  }

  async transactional(transactionalId: string): Promise<TransactionalProducer> {
    const { epochs } = this.#open();
    const epoch = (epochs.get(transactionalId) ?? 0) + 1;
    epochs.set(transactionalId, epoch);
    return new Producer(transactionalId, () => this.#open(), epoch);
  }

  async join(group: string, topic: string): Promise<Membership> {
    const partitions = await this.partitions(topic);
    const member = new Member(this.#broker, this.#waits, `${group}\0${topic}`, topic, partitions);
    this.#members.add(member);
    return member;
  }

  async clean(): Promise<void> {
    this.#open();
  }

  async close(): Promise<void> {
    this.#waits.close();
    for (const member of this.#members) await member.leave();
    this.#broker.listeners.delete(this.#wake);
  }

  #open(): Broker {
    if (this.#waits.closed) throw new LogClosedError();
    return this.#broker;
  }
}

function readNow(all: readonly LogRecord[], { topic, partition, offset, maxRecords, maxBytes }: ReadRequest): Fetched {
  const endOffset = all.length;
  if (offset < 0 || offset > endOffset) {
    throw new OffsetOutOfRangeError(
      `Offset ${offset} of topic '${topic}' partition ${partition} is out of range 0..${endOffset}.`,
    );
  }
  const records: LogRecord[] = [];
  let bytes = 0;
  for (let i = offset; i < endOffset && records.length < maxRecords; i++) {
    const record = all[i];
    bytes += record?.value?.length ?? 0;
    if (record === undefined || (bytes > maxBytes && records.length > 0)) break;
    records.push(record);
  }
  return { records, nextOffset: offset + records.length, endOffset };
}

class Producer implements TransactionalProducer {
  readonly transactionalId: string;
  readonly #broker: () => Broker;
  readonly #epoch: number;
  #open: MemoryTransaction | undefined;
  #closed = false;

  constructor(id: string, broker: () => Broker, epoch: number) {
    this.transactionalId = id;
    this.#broker = broker;
    this.#epoch = epoch;
  }

  async begin(): Promise<Transaction> {
    if (this.#closed) throw new Error('The producer is closed.');
    if (this.#open?.state === 'open') throw new Error('The producer has an open transaction.');
    this.#open = new MemoryTransaction(() => {
      const broker = this.#broker();
      if (broker.epochs.get(this.transactionalId) === this.#epoch) return broker;
      throw new FencedError('Another producer has taken the transactional id.');
    });
    return this.#open;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#open?.abort();
  }
}

class MemoryTransaction implements Transaction {
  readonly #unfenced: () => Broker;
  readonly #appends: [topic: string, records: readonly NewRecord[]][] = [];
  readonly #positions: [key: string, position: Position][] = [];
  state: 'open' | 'ended' = 'open';

  constructor(unfenced: () => Broker) {
    this.#unfenced = unfenced;
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<void> {
    this.#mustBeOpen();
    this.#appends.push([topic, records]);
  }

  async commitOffset(group: string, at: TopicPartition, { offset, metadata }: Position): Promise<void> {
    this.#mustBeOpen();
    const bytes = Buffer.byteLength(metadata);
    if (bytes > 4096) throw new RangeError(`Metadata of ${bytes} bytes: at most 4096.`);
    this.#positions.push([positionKey(group, at), { offset, metadata }]);
  }

  async commit(): Promise<void> {
    this.#mustBeOpen();
    this.state = 'ended';
    const broker = this.#unfenced();
    for (const [topic, records] of this.#appends) broker.put(topic, records);
    for (const [key, position] of this.#positions) broker.positions.set(key, position);
  }

  async abort(): Promise<void> {
    this.state = 'ended';
  }

  #mustBeOpen(): void {
    if (this.state !== 'open') throw new Error('The transaction has ended.');
  }
}

class Member implements Membership {
  readonly #broker: Broker;
  readonly #waits: Waits;
  readonly #group: string;
  readonly #topic: string;
  readonly #id: string;
  readonly #partitions: number;
  #reported: string;
  #ended = false;

  constructor(broker: Broker, waits: Waits, group: string, topic: string, partitions: number) {
    this.#broker = broker;
    this.#waits = waits;
    this.#group = group;
    this.#topic = topic;
    this.#partitions = partitions;
    this.#id = `member-${String(++broker.members).padStart(6, '0')}`;
    this.#step([]);
    this.#reported = this.#shown();
  }

  assignment(): readonly TopicPartition[] {
    if (this.#ended) return [];
    const state = this.#state();
    const planned = plan(state);
    return state.owners.flatMap((owner, partition) =>
      owner === this.#id && planned[partition] === this.#id ? [{ topic: this.#topic, partition }] : [],
    );
  }

  async changed(waitMs: number, signal?: AbortSignal): Promise<void> {
    const deadline = deadlineIn(waitMs);
    if (this.#shown() === this.#reported) this.#step(this.#revoked());
    while (this.#shown() === this.#reported) {
      if (this.#ended || this.#waits.closed || signal?.aborted === true || deadline.left() === 0) return;
      await this.#waits.wait(deadline.left(), signal);
      if (!this.#ended) this.#step([]);
    }
    this.#reported = this.#shown();
  }

  async leave(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#put(without(this.#state(), [this.#id]));
  }

  #revoked(): number[] {
    const state = this.#state();
    const planned = plan(state);
    return state.owners.flatMap((owner, p) => (owner === this.#id && planned[p] !== this.#id ? [p] : []));
  }

  #step(released: readonly number[]): void {
    if (!this.#ended) this.#put(step(this.#state(), this.#id, 0, released));
  }

  #shown(): string {
    return JSON.stringify(this.assignment());
  }

  #state(): GroupState {
    return this.#broker.groups.get(this.#group) ?? emptyGroup(this.#partitions);
  }

  #put(state: GroupState): void {
    const before = JSON.stringify(this.#broker.groups.get(this.#group));
    this.#broker.groups.set(this.#group, state);
    if (JSON.stringify(state) !== before) this.#broker.wake();
  }
}

const badTimestamp = ({ timestamp }: NewRecord): string =>
  `A record's timestamp must be whole milliseconds since the epoch, not ${timestamp}.`;

const positionKey = (group: string, { topic, partition }: TopicPartition): string => `${group}/${topic}/${partition}`;
