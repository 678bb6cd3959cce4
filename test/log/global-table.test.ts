import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import { LogClosedError, UnknownTopicError, type EventLog, type LogRecord } from '../../src/log/event-log.ts';
import { partitionOf } from '../../src/log/partitioner.ts';
import { openGlobalTable, type GlobalTable } from '../../src/log/global-table.ts';

const DAY = 24 * 60 * 60 * 1000;

describe('a global table', () => {
  let dir: string;
  let log: EventLog;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-log-'));
    log = await openEmbeddedLog({ dir });
    await log.createTopics([{ name: 'consent', partitions: 2, cleanup: { kind: 'compact' } }]);
  });
  afterEach(async () => {
    await log.close();
    await rm(dir, { recursive: true });
  });

  it('holds everything that was there when it was opened', async () => {
    await put('a', '1', 'b', '2', 'c', '3', 'a', '4', 'b', null);
    const { state, table } = await open();
    expect(state).toEqual(
      new Map([
        ['a', '4'],
        ['c', '3'],
      ]),
    );
    expect(table.positions()).toEqual(await log.endOffsets('consent'));
    expect(await table.lag()).toBe(0);
  });

  it('is behind by what came since, until it is asked to catch up', async () => {
    const { state, table } = await open();
    await put('a', '1', 'b', '2');
    expect(await table.lag()).toBe(2);
    expect(state.size).toBe(0);
    await table.caughtUpTo(await log.endOffsets('consent'));
    expect(state).toEqual(
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    );
    expect(await table.lag()).toBe(0);
  });

  it('waits for offsets that are not there yet', async () => {
    const { state, table } = await open();
    const [first = 0, second = 0] = await log.endOffsets('consent');
    const partition = partitionOf('a', 2);
    const waiting = table.caughtUpTo(partition === 0 ? [first + 1, second] : [first, second + 1]);
    await put('a', '1');
    await waiting;
    expect(state.get('a')).toBe('1');
  });

  it('applies each record once and in order, whoever asks at the same time', async () => {
    const { applied, table } = await open();
    for (let i = 0; i < 20; i += 1) await put('a', `${i}`);
    const ends = await log.endOffsets('consent');
    await Promise.all([table.caughtUpTo(ends), table.caughtUpTo(ends), table.caughtUpTo(ends)]);
    expect(applied).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
  });

  it('gets over records that compaction removed, also the last ones', async () => {
    await put('a', '1', 'a', '2', 'b', '1', 'b', null);
    await log.clean(0);
    await log.clean(1);
    await log.clean(1 + DAY);
    const { state, table } = await open();
    expect(state).toEqual(new Map([['a', '2']]));
    expect(await table.lag()).toBe(0);
  });

  it('is over when a record could not be applied: every later call fails', async () => {
    let broken = false;
    const table = await openGlobalTable({
      log,
      topic: 'consent',
      apply: () => {
        broken = true;
        throw new Error('cannot decode');
      },
    });
    await put('a', '1');
    const ends = await log.endOffsets('consent');
    await expect(table.caughtUpTo(ends)).rejects.toThrow('cannot decode');
    expect(broken).toBe(true);
    expect(await table.lag()).toBe(1);
    await expect(table.caughtUpTo(ends)).rejects.toThrow('cannot decode');
    await expect(table.caughtUpTo([0, 0])).rejects.toThrow('cannot decode');
  });

  it('fails rather than be taken for complete: wrong offsets, unknown topic, closed log, aborted wait', async () => {
    const abort = new AbortController();
    const { table } = await open(abort.signal);
    await expect(table.caughtUpTo([1])).rejects.toThrow(RangeError);
    await expect(openGlobalTable({ log, topic: 'other', apply: () => {} })).rejects.toThrow(UnknownTopicError);
    const waiting = table.caughtUpTo([9, 9]);
    abort.abort();
    await expect(waiting).rejects.toThrow(/abort/i);
    const { table: second } = await open();
    const onClosed = second.caughtUpTo([9, 9]);
    await log.close();
    await expect(onClosed).rejects.toThrow(LogClosedError);
  });

  async function open(
    signal?: AbortSignal,
  ): Promise<{ state: Map<string, string>; applied: (string | null)[]; table: GlobalTable }> {
    const state = new Map<string, string>();
    const applied: (string | null)[] = [];
    const apply = (record: LogRecord): void => {
      const value = record.value === null ? null : new TextDecoder().decode(record.value);
      applied.push(value);
      if (value === null) state.delete(record.key);
      else state.set(record.key, value);
    };
    const table = await openGlobalTable({ log, topic: 'consent', apply, ...(signal === undefined ? {} : { signal }) });
    return { state, applied, table };
  }

  async function put(...pairs: (string | null)[]): Promise<void> {
    for (let i = 0; i < pairs.length; i += 2) {
      const value = pairs[i + 1] ?? null;
      await log.append('consent', [
        { key: pairs[i] ?? '', value: value === null ? null : Buffer.from(value), timestamp: i },
      ]);
    }
  }
});
