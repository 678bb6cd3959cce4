import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import { BatchReader } from '../../src/log/embedded/batch.ts';
import { openStore } from '../../src/log/embedded/store.ts';
import { eventLogContract } from '../contract/event-log.ts';

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'redactory-log-'));

eventLogContract('embedded', { cleans: true, settleMs: 10_000 }, async () => {
  const dir = await newFolder();
  const [log, other] = [await openEmbeddedLog({ dir }), await openEmbeddedLog({ dir })];
  return {
    log,
    other,
    close: async () => {
      await Promise.all([log.close(), other.close()]);
      await rm(dir, { recursive: true });
    },
  };
});

describe('the embedded log, beyond the port', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await newFolder();
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('lets a partition go only when its holder has asked for changes again, or after a session timeout', async () => {
    let now = 0;
    const log = await openEmbeddedLog({ dir, now: () => now, sessionTimeoutMs: 60_000 });
    await log.createTopics([{ name: 't', partitions: 4, cleanup: { kind: 'compact' } }]);
    const first = await log.join('g', 't');
    const second = await log.join('g', 't');
    await first.changed(10_000);
    expect(first.assignment()).toHaveLength(2);
    await second.changed(100);
    expect(second.assignment()).toHaveLength(0);
    const released = first.changed(10_000);
    await second.changed(10_000);
    expect(second.assignment()).toHaveLength(2);
    const third = await log.join('g', 't');
    await Promise.race([released, second.changed(10_000)]);
    await third.changed(100);
    expect(third.assignment()).toHaveLength(0);
    // The heartbeats go on by themselves, so nobody is dead; what is not let go in time is taken.
    for (; now <= 70_000; now += 10_000) await third.changed(100);
    expect(third.assignment()).toHaveLength(1);
    await log.close();
  });

  it('keeps no expired record in what LMDB holds', async () => {
    const log = await openEmbeddedLog({ dir });
    await log.createTopics([{ name: 't', partitions: 1, cleanup: { kind: 'delete', retentionMs: 10 } }]);
    await log.append(
      't',
      [1, 2, 3, 4].map((timestamp) => ({ key: `${timestamp}`, value: null, timestamp })),
    );
    await log.clean(13);
    await log.close();
    const store = await openStore({ dir, mapSizeBytes: 1e6, onCommit: () => {} });
    const keys: string[] = [];
    for (const { value } of store.reading(() => [...store.batches.getRange()])) {
      const reader = new BatchReader(value);
      while (reader.next()) keys.push(reader.key);
    }
    expect(keys).toEqual(['3', '4']);
    await store.close();
  });
});
