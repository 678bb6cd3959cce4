import type { EventLog } from '../../log/event-log.ts';

/**
 * The log as if one topic held the records of one key only: whoever reads through it never meets anybody else's.
 */
export function onlyRecordsOf(log: EventLog, topic: string, key: string): EventLog {
  return {
    createTopics: (specs) => log.createTopics(specs),
    partitions: (name) => log.partitions(name),
    append: (name, records) => log.append(name, records),
    beginOffsets: (name) => log.beginOffsets(name),
    endOffsets: (name) => log.endOffsets(name),
    highWatermarks: (name) => log.highWatermarks(name),
    offsetForTime: (at, timestamp) => log.offsetForTime(at, timestamp),
    committed: (group, at) => log.committed(group, at),
    transactional: (id) => log.transactional(id),
    join: (group, name) => log.join(group, name),
    clean: (now) => log.clean(now),
    close: () => log.close(),
    async read(request) {
      const fetched = await log.read(request);
      if (request.topic !== topic) return fetched;
      return { ...fetched, records: fetched.records.filter((record) => record.key === key) };
    },
  };
}
