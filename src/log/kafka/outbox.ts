/** Records on their way into the log, encoded by partition when they are handed in. */
import type { NewRecord } from '../event-log.ts';
import { partitionOf } from '../partitioner.ts';
import { leaderAmong, type Leaders } from './client.ts';
import type { Outgoing } from './producing.ts';
import { Packer } from './records.ts';

/** Where a record will be: its place among what the outbox holds for a partition. */
export interface Placed {
  readonly id: string;
  readonly index: number;
}

export class Outbox {
  readonly #boxes = new Map<string, { topic: string; partition: number; packer: Packer; count: number }>();

  get isEmpty(): boolean {
    return this.#boxes.size === 0;
  }

  /**
   * Takes all records or, when one is wrong, none.
   * @throws RangeError for a timestamp, UnknownTopicError for a partition that the topic does not have
   */
  add(topic: string, leaders: Leaders, records: readonly NewRecord[]): Placed[] {
    const partitions = records.map((record) => {
      checkRecord(record);
      const partition = record.partition ?? partitionOf(record.key, leaders.length);
      leaderAmong(leaders, { topic, partition });
      return partition;
    });
    return records.map((record, i) => this.#put(topic, partitions[i] ?? 0, record));
  }

  finish(): Outgoing[] {
    return [...this.#boxes.values()].map(({ topic, partition, packer }) => ({
      topic,
      partition,
      packed: packer.finish(),
    }));
  }

  #put(topic: string, partition: number, record: NewRecord): Placed {
    const id = `${topic}/${partition}`;
    let box = this.#boxes.get(id);
    if (box === undefined) this.#boxes.set(id, (box = { topic, partition, packer: new Packer(), count: 0 }));
    box.packer.add(record);
    box.count += 1;
    return { id, index: box.count - 1 };
  }
}

/** Records that the caller may change from now on without changing these. */
export function copied(records: readonly NewRecord[]): NewRecord[] {
  // Not by `slice`, which for a Buffer is a view.
  return records.map((record) => ({ ...record, value: record.value === null ? null : new Uint8Array(record.value) }));
}

export function checkRecord(record: NewRecord): void {
  if (Number.isSafeInteger(record.timestamp) && record.timestamp >= 0) return;
  throw new RangeError(
    `A record's timestamp is ${record.timestamp}; give whole milliseconds since the epoch, not negative.`,
  );
}
