import type { EventLog, NewRecord } from '../log/event-log.ts';

/** Records that go with one append, at most. */
const MAX_TOGETHER = 512;
const MAX_TOGETHER_BYTES = 8 << 20;

interface Waiting {
  readonly record: NewRecord;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Appends single records, durable when the promise resolves. Those that come while an append is under way go together with
 * the next one: a disk is waited for once for all of them.
 */
export function createAppender(log: Pick<EventLog, 'append'>, topic: string): (record: NewRecord) => Promise<void> {
  let waiting: Waiting[] = [];
  let isAppending = false;

  async function appendAll(): Promise<void> {
    isAppending = true;
    while (waiting.length > 0) {
      const some = take();
      try {
        await log.append(
          topic,
          some.map(({ record }) => record),
        );
        for (const { done } of some) done();
      } catch (error) {
        for (const { failed } of some) failed(error);
      }
    }
    isAppending = false;
  }
  function take(): readonly Waiting[] {
    let [count, bytes] = [0, 0];
    for (const { record } of waiting) {
      bytes += record.value?.length ?? 0;
      if (count === MAX_TOGETHER || (count > 0 && bytes > MAX_TOGETHER_BYTES)) break;
      count++;
    }
    const some = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return some;
  }

  return (record) =>
    new Promise((done, failed) => {
      waiting.push({ record, done, failed });
      // It answers each of those who wait, and throws to nobody.
      if (!isAppending) void appendAll();
    });
}
