/**
 * Idempotent producing: batches of a partition are numbered, one is on its way at a time, and one that may or may not have
 * arrived is sent again under its number, so that the broker takes it once.
 *
 * Source: KIP-98.
 */
import { deadlineIn } from '../embedded/waits.ts';
import { produceCall, type Place, type Produced, type ProduceResult, type ProducerId } from './calls.ts';
import { unavailable, type KafkaClient } from './client.ts';
import { compressionType } from './compression.ts';
import { accessError, BrokerError, isStale, isTransient, isTransport, typeOf } from './errors.ts';
import { errorName } from './internals.ts';
import { encodeBatch, type Codecs, type PackedRecords } from './records.ts';

/** Records for one partition. */
export interface Outgoing extends Place {
  readonly packed: readonly PackedRecords[];
}

/** What became of one partition's records, in the order they were given. */
export type Outcome =
  | { readonly kind: 'written'; /** First offset of each packed piece. */ readonly bases: readonly number[] }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface Producing {
  readonly client: KafkaClient;
  readonly codecs: Codecs;
  readonly producer: ProducerId;
  readonly transactionalId: string | null;
  /** Lane for its requests. */
  readonly lane: string;
}

/** The numbering of one producer id. Calls must not overlap. */
export class SequencedProducer {
  readonly #o: Producing;
  readonly #sequences = new Map<string, number>();

  constructor(producing: Producing) {
    this.#o = producing;
  }

  /** Writes to all partitions side by side; each partition has an outcome of its own, in the order given. */
  async produce(outgoing: readonly Outgoing[]): Promise<Outcome[]> {
    const queues = outgoing.map((one) => new Queue(one));
    let deadline = deadlineIn(this.#o.client.options.requestTimeoutMs);
    for (let pause = FIRST_PAUSE_MS; ;) {
      const open = queues.filter((queue) => queue.open);
      if (open.length === 0) return queues.map((queue) => queue.outcome());
      const progress = await this.#round(open);
      if (progress) {
        deadline = deadlineIn(this.#o.client.options.requestTimeoutMs);
        pause = FIRST_PAUSE_MS;
        continue;
      }
      if (deadline.left() === 0 || this.#o.client.closing.aborted) open.forEach((queue) => queue.giveUp());
      else await this.#o.client.pause(Math.min(pause, deadline.left()));
      pause = Math.min(pause * 2, LAST_PAUSE_MS);
    }
  }

  /** Sends the next batch of each partition. True when one of them got further. */
  async #round(queues: readonly Queue[]): Promise<boolean> {
    const byLeader = new Map<number, Queue[]>();
    for (const queue of queues) {
      const leader = await this.#leaderOf(queue);
      if (leader === undefined) continue;
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), queue]);
    }
    const requests = [...byLeader].flatMap(([leader, all]) => inRequests(all).map((some) => this.#send(leader, some)));
    const done = await Promise.all(requests);
    return done.includes(true);
  }

  async #leaderOf(queue: Queue): Promise<number | undefined> {
    try {
      return await this.#o.client.leaderOf(queue.place);
    } catch (error) {
      queue.note(error);
      return undefined;
    }
  }

  async #send(leader: number, queues: readonly Queue[]): Promise<boolean> {
    const { client, transactionalId, lane } = this.#o;
    const batches: Produced[] = [];
    for (const queue of queues) batches.push({ ...queue.place, batch: await this.#encode(queue) });
    try {
      const call = produceCall(transactionalId, batches, client.options.requestTimeoutMs);
      const results = await client.send(leader, lane, call);
      return queues.map((queue) => this.#settle(queue, results)).includes(true);
    } catch (error) {
      for (const queue of queues) {
        if (isStale(error)) client.forgetLeaders(queue.place.topic);
        queue.note(error);
      }
      return false;
    }
  }

  /** True when the batch was written. */
  #settle(queue: Queue, results: readonly ProduceResult[]): boolean {
    const { topic, partition } = queue.place;
    const result = results.find((r) => r.topic === topic && r.partition === partition);
    if (result?.errorCode === 0) {
      this.#sequences.set(idOf(queue.place), (this.#sequenceOf(queue) + queue.count) % SEQUENCES);
      queue.written(result.baseOffset);
      return true;
    }
    const error = new BrokerError(result === undefined ? 'REQUEST_TIMED_OUT' : errorName(result.errorCode));
    if (isStale(error)) this.#o.client.forgetLeaders(topic);
    queue.note(error);
    return false;
  }

  async #encode(queue: Queue): Promise<Buffer> {
    const { producer, transactionalId, codecs, client } = this.#o;
    const options = {
      producer,
      sequence: this.#sequenceOf(queue),
      transactional: transactionalId !== null,
      compression: compressionType(client.options.compression),
    };
    return queue.encoded((packed) => encodeBatch(packed, options, codecs));
  }

  #sequenceOf(queue: Queue): number {
    return this.#sequences.get(idOf(queue.place)) ?? 0;
  }
}

/** The pieces of one partition on their way. */
class Queue {
  readonly place: Place;
  readonly #packed: readonly PackedRecords[];
  readonly #bases: number[] = [];
  #encoded: Buffer | undefined;
  #failed: Outcome | undefined;
  #lastError: unknown;

  constructor({ topic, partition, packed }: Outgoing) {
    this.place = { topic, partition };
    this.#packed = packed;
  }

  get open(): boolean {
    return this.#failed === undefined && this.#bases.length < this.#packed.length;
  }

  get count(): number {
    return this.#head().count;
  }

  get size(): number {
    return this.#encoded?.length ?? this.#head().bytes.length;
  }

  /** The same bytes for each attempt. */
  async encoded(encode: (packed: PackedRecords) => Promise<Buffer>): Promise<Buffer> {
    this.#encoded ??= await encode(this.#head());
    return this.#encoded;
  }

  written(base: number): void {
    this.#bases.push(base);
    this.#encoded = undefined;
  }

  /** An attempt failed: for good, or the next one may do. */
  note(error: unknown): void {
    this.#lastError = error;
    if (isTransport(error) || isTransient(error)) return;
    this.#failed = { kind: 'failed', error: this.#explain(error) };
  }

  giveUp(): void {
    const { topic, partition } = this.place;
    const error = unavailable(`appending to topic '${topic}' partition ${partition}`, this.#lastError);
    this.#failed = { kind: 'failed', error };
  }

  outcome(): Outcome {
    return this.#failed ?? { kind: 'written', bases: this.#bases };
  }

  #explain(error: unknown): unknown {
    const { topic } = this.place;
    if (typeOf(error) === 'MESSAGE_TOO_LARGE' || typeOf(error) === 'RECORD_LIST_TOO_LARGE') {
      return new RangeError(
        `A record batch of ${this.size} bytes is larger than topic '${topic}' takes. Write smaller records, or raise its max.message.bytes.`,
      );
    }
    return accessError(error, 'WRITE', { topic });
  }

  #head(): PackedRecords {
    const head = this.#packed[this.#bases.length];
    if (head === undefined) throw new Error('The queue is empty.');
    return head;
  }
}

/** Splits what goes to one broker into requests of a sane size. */
function inRequests(queues: readonly Queue[]): Queue[][] {
  const requests: Queue[][] = [];
  let size = Infinity;
  for (const queue of queues) {
    if (size + queue.size > REQUEST_BYTES) {
      requests.push([]);
      size = 0;
    }
    requests.at(-1)?.push(queue);
    size += queue.size;
  }
  return requests;
}

function idOf({ topic, partition }: Place): string {
  return `${topic}/${partition}`;
}

const SEQUENCES = 2 ** 31;
/** Brokers take 100 MB by default. */
const REQUEST_BYTES = 16 * 2 ** 20;
const FIRST_PAUSE_MS = 5;
const LAST_PAUSE_MS = 500;
