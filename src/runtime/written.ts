import { setTimeout as delay } from 'node:timers/promises';
import type { EventLog } from '../log/event-log.ts';

/** Whether all transactions that wrote below these offsets of a topic have ended for its readers. */
export async function canBeRead(
  log: Pick<EventLog, 'endOffsets'>,
  topic: string,
  written: readonly number[],
): Promise<boolean> {
  const ends = await log.endOffsets(topic);
  return written.every((offset, partition) => (ends[partition] ?? 0) >= offset);
}

/**
 * One past all that was written to a topic when this was called, by partition, as soon as it can be read: a commit shows on
 * each partition at its own time, so that a group's position may be seen before the records of the same transaction.
 *
 * @returns undefined when a transaction did not end in the time of all tries.
 */
export async function endsOfWritten(
  log: Pick<EventLog, 'endOffsets' | 'highWatermarks'>,
  topic: string,
  { tries, everyMs }: { readonly tries: number; readonly everyMs: number } = { tries: 50, everyMs: 200 },
): Promise<readonly number[] | undefined> {
  const written = await log.highWatermarks(topic);
  for (let left = tries; left > 0; left--) {
    if (await canBeRead(log, topic, written)) return written;
    await delay(everyMs);
  }
  return undefined;
}
