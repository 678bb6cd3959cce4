import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import type { EventLog, LogRecord } from '../../src/log/event-log.ts';
import { compileChild, killAndWait, nextMessage, type ChildProgram } from './support/processes.ts';

const PARTITIONS = 8;
const seed = Number(process.env['REDACTORY_SEED'] ?? Date.now() % 2 ** 31);
const FOR_EVER = { kind: 'delete', retentionMs: 1e15 } as const;

describe('several processes on one log folder', () => {
  let child: ChildProgram;
  let dir: string;
  beforeAll(async () => {
    child = await compileChild();
  });
  afterAll(() => child.remove());
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-log-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it(`survive kill -9 of a writer at any moment: what was acknowledged is there, all or nothing (seed ${seed})`, async () => {
    const random = generator(seed);
    // This process keeps the log open throughout, so it meets locks that the dead writer held.
    const log = await openEmbeddedLog({ dir });
    await log.createTopics([
      { name: 't', partitions: PARTITIONS, cleanup: FOR_EVER },
      { name: 'in', partitions: 1, cleanup: FOR_EVER },
    ]);
    let acknowledged = -1;
    for (let round = 0; round < 12; round += 1) {
      const writer = child.start('transactions', dir);
      const commits = 1 + Math.floor(random() * 40);
      for (let i = 0; i < commits; i += 1) acknowledged = Number(await nextMessage(writer));
      // The writer is in its next transaction: let it get to some moment of it.
      spin(random() * 3);
      await killAndWait(writer);
      await expectWhole(log, acknowledged);
      const reopened = await openEmbeddedLog({ dir });
      await expectWhole(reopened, acknowledged);
      await reopened.append('in', [{ key: 'alive', value: null, timestamp: round }]);
      await reopened.close();
    }
    expect((await log.endOffsets('in'))[0]).toBe(12);
    await log.close();
  });

  it('see what another one appended, also while they wait', async () => {
    const log = await openEmbeddedLog({ dir });
    await log.createTopics([{ name: 't', partitions: 1, cleanup: FOR_EVER }]);
    const waiting = log.read({ topic: 't', partition: 0, offset: 0, maxRecords: 1, maxBytes: 1, waitMs: 60_000 });
    const writer = child.start('append', dir);
    const { records } = await waiting;
    expect(records.map((r) => Buffer.from(r.value ?? []).toString())).toEqual(['from the child']);
    if (writer.exitCode === null) await once(writer, 'exit');
    await log.close();
  });

  it('take over the partitions of a killed group member after the session timeout, not before', async () => {
    let ahead = 0;
    const log = await openEmbeddedLog({ dir, now: () => Date.now() + ahead, sessionTimeoutMs: 60_000 });
    await log.createTopics([{ name: 't', partitions: 4, cleanup: FOR_EVER }]);
    const other = child.start('member', dir);
    expect(await nextMessage(other)).toBe(4);
    const member = await log.join('g', 't');
    while (member.assignment().length < 2) await member.changed(1000);
    await killAndWait(other);
    await member.changed(50);
    expect(member.assignment()).toHaveLength(2);
    ahead = 61_000;
    while (member.assignment().length < 4) await member.changed(1000);
    expect(member.assignment().map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
    await log.close();
  });

  it.skipIf(process.platform === 'win32')(
    'that meet a full disk get an error that says so, and lose nothing (limits of bash: not on Windows)',
    async () => {
      const log = await openEmbeddedLog({ dir });
      await log.createTopics([{ name: 't', partitions: 1, cleanup: FOR_EVER }]);
      await log.close();
      const full = child.startWithFileLimit('fill-disk', dir, 3000);
      expect(await nextMessage(full)).toEqual({
        message: expect.stringMatching(/^Cannot write the log in '.*disk.*full.*Free disk space/) as string,
        refusedAgain: true,
        allThere: true,
      });
      if (full.exitCode === null) await once(full, 'exit');
      const again = await openEmbeddedLog({ dir });
      const [end = 0] = await again.endOffsets('t');
      expect(await again.append('t', [{ key: 'k', value: null, timestamp: 1 }])).toEqual([end]);
      await again.close();
    },
  );
});

async function expectWhole(log: EventLog, acknowledged: number): Promise<void> {
  const found = new Map<number, { size: number; count: number }>();
  for (const { value } of await readAll(log)) {
    // Written by the child: JSON, padded.
    const { n, size } = JSON.parse(Buffer.from(value ?? []).toString()) as { n: number; size: number };
    found.set(n, { size, count: (found.get(n)?.count ?? 0) + 1 });
  }
  for (let n = 0; n <= acknowledged; n += 1) expect(found.get(n)?.count, `transaction ${n}`).toBe(1 + (n % 20));
  for (const [n, { size, count }] of found) expect(count, `transaction ${n}`).toBe(size);
  const position = await log.committed('g', { topic: 'in', partition: 0 });
  expect(position?.offset).toBe(found.size);
  expect(position?.metadata).toBe(`${found.get(found.size - 1)?.size}`);
}

async function readAll(log: EventLog): Promise<LogRecord[]> {
  const ends = await log.endOffsets('t');
  const all: LogRecord[] = [];
  for (const [partition, end] of ends.entries()) {
    for (let offset = 0; offset < end;) {
      const fetched = await log.read({ topic: 't', partition, offset, maxRecords: 1000, maxBytes: 1e7, waitMs: 0 });
      all.push(...fetched.records);
      offset = fetched.nextOffset;
    }
  }
  return all;
}

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
