/** Offsets of partitions and positions of groups. */
import type { Position, TopicPartition } from '../event-log.ts';
import {
  EARLIEST,
  LATEST,
  listOffsetsCall,
  offsetFetchCall,
  type OffsetFound,
  type OffsetWanted,
  type Sees,
} from './calls.ts';
import type { KafkaClient } from './client.ts';
import { BrokerError, checkCode, isStale } from './errors.ts';

/** Asks for offsets; what is asked in one turn of the event loop goes out as one request to each broker. */
export class Offsets {
  readonly #client: KafkaClient;
  readonly #batches = new Map<string, OffsetBatch>();

  constructor(client: KafkaClient) {
    this.#client = client;
  }

  /** The first offset still kept. */
  begin(at: TopicPartition): Promise<number> {
    return this.#find(at, EARLIEST);
  }

  /** The last stable offset. */
  end(at: TopicPartition): Promise<number> {
    return this.#find(at, LATEST);
  }

  /** Past all that is replicated, also of transactions that have not ended. */
  highWatermark(at: TopicPartition): Promise<number> {
    return this.#find(at, LATEST, 'all');
  }

  /** The first offset whose record is at or after `timestamp` (ms), or the end. */
  async forTime(at: TopicPartition, timestamp: number): Promise<number> {
    const found = await this.#find(at, Math.min(Math.max(0, Math.ceil(timestamp)), Number.MAX_SAFE_INTEGER));
    return found < 0 ? this.end(at) : found;
  }

  #find(at: TopicPartition, timestamp: number, sees: Sees = 'committed'): Promise<number> {
    const { topic, partition } = at;
    const attempts = {
      doing: `asking for offsets of topic '${topic}' partition ${partition}`,
      right: 'DESCRIBE',
      topic,
    };
    return this.#client.trying(attempts, async () => {
      const leader = await this.#client.leaderOf(at);
      try {
        const found = await this.#ask(leader, { topic, partition, timestamp }, sees);
        checkCode(found.errorCode);
        return found.offset;
      } catch (error) {
        if (isStale(error)) this.#client.forgetLeaders(topic);
        throw error;
      }
    });
  }

  async #ask(leader: number, wanted: OffsetWanted, sees: Sees): Promise<OffsetFound> {
    // A request may name a partition once and sees one thing, so each timestamp has requests of its own.
    const key = `${leader}/${wanted.timestamp}/${sees}`;
    let batch = this.#batches.get(key);
    if (batch === undefined) {
      batch = new OffsetBatch((all) => {
        this.#batches.delete(key);
        return this.#client.send(leader, 'offsets', listOffsetsCall(all, sees));
      });
      this.#batches.set(key, batch);
    }
    return batch.add(wanted);
  }
}

/** One request on its way together: it goes out when all that can run now has run. */
class OffsetBatch {
  readonly #wanted = new Map<string, OffsetWanted>();
  readonly #found: Promise<readonly OffsetFound[]>;

  constructor(send: (wanted: readonly OffsetWanted[]) => Promise<readonly OffsetFound[]>) {
    const turn = new Promise<void>((resolve) => setImmediate(resolve));
    this.#found = turn.then(() => send([...this.#wanted.values()]));
  }

  async add(wanted: OffsetWanted): Promise<OffsetFound> {
    this.#wanted.set(`${wanted.topic}/${wanted.partition}`, wanted);
    const all = await this.#found;
    const found = all.find(({ topic, partition }) => topic === wanted.topic && partition === wanted.partition);
    if (found === undefined) throw new BrokerError('UNKNOWN_TOPIC_OR_PARTITION');
    return found;
  }
}

/**
 * A group's position, after all transactions that were ended have reached the group's coordinator: an offset that is still on its
 * way is waited for. A transaction that is left open is waited for as long as a request may take.
 * @throws LogUnavailableError, LogAccessError
 */
export async function committedPosition(
  client: KafkaClient,
  group: string,
  at: TopicPartition,
): Promise<Position | undefined> {
  const attempts = { doing: `asking for the position of group '${group}'`, right: 'DESCRIBE', group, topic: at.topic };
  return client.trying(attempts, async () => {
    const coordinator = await client.coordinator('group', group);
    try {
      const found = await client.send(coordinator, 'offsets', offsetFetchCall(group, at.topic, at.partition));
      checkCode(found.errorCode);
      return found.offset < 0 ? undefined : { offset: found.offset, metadata: found.metadata };
    } catch (error) {
      if (isStale(error)) client.forgetCoordinator('group', group);
      throw error;
    }
  });
}
