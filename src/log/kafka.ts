/**
 * The log on a Kafka cluster (2.5 or later; topics that it creates need 3.6). Reads, writes and transactions are requests of
 * this adapter over kafkajs' connections: docs/decisions/0011 says why.
 *
 * Beyond the port: `append` is not atomic per call, a commit resolves when readers see it, and everything is tried again for as
 * long as one request may take before it fails with a LogUnavailableError.
 */
import type {
  EventLog,
  Fetched,
  Membership,
  NewRecord,
  Position,
  ReadRequest,
  TopicPartition,
  TopicSpec,
  TransactionalProducer,
} from './event-log.ts';
import { Appender } from './kafka/appender.ts';
import { KafkaClient, leaderAmong } from './kafka/client.ts';
import { loadCodecs } from './kafka/compression.ts';
import { joinKafkaGroup, type KafkaMembership } from './kafka/membership.ts';
import { committedPosition, Offsets } from './kafka/offsets.ts';
import type { KafkaOptions } from './kafka/options.ts';
import { PartitionReader } from './kafka/reader.ts';
import type { Codecs } from './kafka/records.ts';
import { createTopics } from './kafka/topics.ts';
import { takeOver } from './kafka/transactions.ts';

/**
 * Connects to the cluster.
 * @throws LogUnavailableError when no broker answers, LogAccessError when it refuses the sign-in
 */
export async function openKafkaLog(options: KafkaOptions): Promise<EventLog> {
  const codecs = await loadCodecs();
  const client = new KafkaClient(options);
  try {
    await client.connect();
    return new KafkaLog(client, codecs);
  } catch (error) {
    client.close();
    throw error;
  }
}

class KafkaLog implements EventLog {
  readonly #client: KafkaClient;
  readonly #codecs: Codecs;
  readonly #offsets: Offsets;
  readonly #reader: PartitionReader;
  readonly #appender: Appender;
  readonly #members = new Set<KafkaMembership>();
  #closing: Promise<void> | undefined;

  constructor(client: KafkaClient, codecs: Codecs) {
    this.#client = client;
    this.#codecs = codecs;
    this.#offsets = new Offsets(client);
    this.#reader = new PartitionReader(client, this.#offsets, codecs);
    this.#appender = new Appender(client, codecs);
  }

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    this.#client.checkOpen();
    await createTopics(this.#client, this.#offsets, specs);
  }

  async partitions(topic: string): Promise<number> {
    return (await this.#client.leaders(topic)).length;
  }

  append(topic: string, records: readonly NewRecord[]): Promise<readonly number[]> {
    return this.#appender.append(topic, records);
  }

  read(request: ReadRequest): Promise<Fetched> {
    return this.#reader.read(request);
  }

  beginOffsets(topic: string): Promise<readonly number[]> {
    return this.#ofAll(topic, (at) => this.#offsets.begin(at));
  }

  endOffsets(topic: string): Promise<readonly number[]> {
    return this.#ofAll(topic, (at) => this.#offsets.end(at));
  }

  highWatermarks(topic: string): Promise<readonly number[]> {
    return this.#ofAll(topic, (at) => this.#offsets.highWatermark(at));
  }

  async offsetForTime(at: TopicPartition, timestamp: number): Promise<number> {
    this.#client.checkOpen();
    return this.#offsets.forTime(at, timestamp);
  }

  async committed(group: string, at: TopicPartition): Promise<Position | undefined> {
    leaderAmong(await this.#client.leaders(at.topic), at);
    return committedPosition(this.#client, group, at);
  }

  async transactional(transactionalId: string): Promise<TransactionalProducer> {
    this.#client.checkOpen();
    return takeOver(this.#client, this.#codecs, transactionalId);
  }

  async join(group: string, topic: string): Promise<Membership> {
    await this.#client.leaders(topic);
    const { sessionTimeoutMs, instanceId } = this.#client.options;
    const membership = await joinKafkaGroup(this.#client, {
      group,
      topic,
      sessionTimeoutMs,
      instanceId,
      onEnd: () => this.#members.delete(membership),
    });
    this.#members.add(membership);
    return membership;
  }

  async clean(_now: number): Promise<void> {
    // Kafka does it by itself.
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Members say good-bye while there still are connections; one that can't times out.
    await Promise.allSettled([...this.#members].map((member) => member.close()));
    this.#client.close();
  }

  async #ofAll(topic: string, find: (at: TopicPartition) => Promise<number>): Promise<readonly number[]> {
    const leaders = await this.#client.leaders(topic);
    return Promise.all(leaders.map((_, partition) => find({ topic, partition })));
  }
}
