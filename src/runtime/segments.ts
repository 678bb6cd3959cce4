import type { EventLog } from '../log/event-log.ts';

/**
 * Ends the segments that a compacted topic is being written to, so that what was overwritten in them can go although nothing
 * else is appended. A cluster compacts only whole segments, and only an append ends one: so one is made that is late enough
 * (a tombstone of a key that nothing has). Other logs take it for what it says.
 *
 * @param withinMs the topic's, as `topicSpecs` says.
 */
export async function endSegments(
  { log, now }: { readonly log: Pick<EventLog, 'append' | 'partitions'>; readonly now: () => number },
  topic: string,
  withinMs: number,
): Promise<void> {
  const timestamp = now() + withinMs + 1;
  const partitions = Array.from({ length: await log.partitions(topic) }, (_, partition) => partition);
  await log.append(
    topic,
    partitions.map((partition) => ({ key: 'segment-end', value: null, timestamp, partition })),
  );
}
