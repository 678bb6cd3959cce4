import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  FencedError,
  LogClosedError,
  OffsetOutOfRangeError,
  UnknownTopicError,
  type Cleanup,
  type EventLog,
  type LogRecord,
  type Membership,
  type NewRecord,
  type Transaction,
} from '../../src/log/event-log.ts';
import { partitionOf } from '../../src/log/partitioner.ts';

/** One log as the suite uses it, with a second client of the same log: another process, as far as the port can tell. */
export interface LogUnderTest {
  readonly log: EventLog;
  readonly other: EventLog;
  /** Releases both clients and what they stored. */
  close(): Promise<void>;
}

export interface Capabilities {
  /** `clean` does something (Kafka cleans by itself, when it likes). */
  readonly cleans: boolean;
  /** Longest that a change made by one client may take to reach the other, ms. */
  readonly settleMs: number;
}

/** The promises of the port. Every adapter runs this suite; names are unique per test, so a broker may be shared. */
export function eventLogContract(name: string, capabilities: Capabilities, open: () => Promise<LogUnderTest>): void {
  describe(`${name}: the port EventLog`, () => {
    let under: LogUnderTest;
    const logs = (): LogUnderTest => under;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under.close());

    topicTests(logs);
    readTests(logs);
    waitTests(logs, capabilities);
    transactionTests(logs);
    positionTests(logs);
    timeTests(logs);
    groupTests(logs, capabilities);
    cleaningTests(logs, capabilities);
    closingTests(open);
  });
}

type Logs = () => LogUnderTest;

function topicTests(logs: Logs): void {
  describe('topics', () => {
    it('creates what is missing and leaves what is there', async () => {
      const { log, other } = logs();
      const topic = unique();
      await log.createTopics([{ name: topic, partitions: 3, cleanup: FOR_EVER }]);
      await log.append(topic, [record('a', 'kept')]);
      await other.createTopics([
        { name: topic, partitions: 3, cleanup: FOR_EVER },
        { name: `${topic}.second`, partitions: 1, cleanup: COMPACT },
      ]);
      expect(await other.partitions(topic)).toBe(3);
      expect(await log.partitions(`${topic}.second`)).toBe(1);
      expect(await valuesOf(other, topic)).toEqual(['kept']);
    });

    it('refuses another partition count and creates nothing of that call', async () => {
      const { log } = logs();
      const topic = await topicOf(log, 2);
      const specs = [`${topic}.new`, topic].map((name) => ({ name, partitions: 4, cleanup: FOR_EVER }));
      await expect(log.createTopics(specs)).rejects.toThrow(topic);
      expect(await log.partitions(topic)).toBe(2);
    });

    it('names a topic or partition that does not exist', async () => {
      const { log } = logs();
      const topic = unique();
      await expect(log.partitions(topic)).rejects.toThrow(UnknownTopicError);
      await expect(log.append(topic, [record('a', '1')])).rejects.toThrow(topic);
      await expect(log.endOffsets(topic)).rejects.toThrow(UnknownTopicError);
      await expect(log.beginOffsets(topic)).rejects.toThrow(UnknownTopicError);
      await expect(log.join('group', topic)).rejects.toThrow(UnknownTopicError);
      const known = await topicOf(log, 2);
      await expect(log.read({ ...at(known, 2), offset: 0, ...NOW })).rejects.toThrow(UnknownTopicError);
      await expect(log.append(known, [{ ...record('a', '1'), partition: -1 }])).rejects.toThrow(UnknownTopicError);
    });
  });
}

function readTests(logs: Logs): void {
  describe('append and read', () => {
    it('returns what was appended, in order, whole', async () => {
      const { log, other } = logs();
      const topic = await topicOf(log, 1);
      const written: NewRecord[] = [
        { key: 'k', value: bytes('one'), timestamp: 1_700_000_000_000, headers: { 'source-offset': '7', empty: '' } },
        { key: 'ключ/🔑', value: new Uint8Array(0), timestamp: 0 },
        { key: '', value: null, timestamp: 5 },
        { key: 'big', value: new Uint8Array(300_000).fill(9), timestamp: 6 },
      ];
      const offsets = await log.append(topic, written);
      const { records, nextOffset, endOffset } = await other.read({ ...at(topic), offset: 0, ...NOW });
      const expected = written.map((w, i) =>
        Object.assign({ headers: {}, topic, partition: 0, offset: offsets[i] }, w),
      );
      expect(records).toEqual(expected);
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
      expect(nextOffset).toBe(endOffset);
      expect(await log.endOffsets(topic)).toEqual([endOffset]);
      expect(await log.beginOffsets(topic)).toEqual([0]);
    });

    it("does not depend on the caller's buffer after append", async () => {
      const { log } = logs();
      const topic = await topicOf(log, 1);
      const value = bytes('before');
      const appended = log.append(topic, [{ ...record('a', ''), value }]);
      value.fill(0);
      await appended;
      expect(await valuesOf(log, topic)).toEqual(['before']);
    });

    it('puts a key where Kafka puts it, and an explicit partition where it says', async () => {
      const { log } = logs();
      const topic = await topicOf(log, 7);
      const keys = ['', 'a', 'foobar', 'session/1', 'session/2', 'ключ', '21'];
      await log.append(
        topic,
        keys.map((key) => record(key, key)),
      );
      await log.append(topic, [{ ...record('a', 'explicit'), partition: (partitionOf('a', 7) + 1) % 7 }]);
      for (let p = 0; p < 7; p += 1) {
        const there = (await readAll(log, topic, p)).filter((r) => text(r) !== 'explicit').map((r) => r.key);
        expect(there).toEqual(keys.filter((key) => partitionOf(key, 7) === p));
      }
      const explicit = await readAll(log, topic, (partitionOf('a', 7) + 1) % 7);
      expect(explicit.map((r) => text(r))).toContain('explicit');
    });

    it('goes on at nextOffset and keeps to its bounds', async () => {
      const { log } = logs();
      const topic = await topicOf(log, 1);
      const values = Array.from({ length: 500 }, (_, i) => `${i}`.padStart(100, '.'));
      await log.append(
        topic,
        values.map((value) => record('k', value)),
      );
      const seen: string[] = [];
      let offset = 0;
      while (seen.length < values.length) {
        const { records, nextOffset } = await log.read({
          ...at(topic),
          offset,
          maxRecords: 7,
          maxBytes: 1000,
          waitMs: 0,
        });
        expect(records.length).toBeGreaterThan(0);
        expect(records.length).toBeLessThanOrEqual(7);
        seen.push(...records.map(text));
        offset = nextOffset;
      }
      expect(seen).toEqual(values);
      const bounded = await log.read({ ...at(topic), offset: 0, maxRecords: 1000, maxBytes: 350, waitMs: 0 });
      expect(bounded.records.length).toBeLessThan(10);
      const one = await log.read({ ...at(topic), offset: 0, maxRecords: 1000, maxBytes: 1, waitMs: 0 });
      expect(one.records.length).toBeGreaterThan(0);
    });

    it.each([-1, 0.5, Number.NaN])('refuses a timestamp of %s, and the whole call', async (timestamp) => {
      const { log } = logs();
      const topic = await topicOf(log, 1);
      await expect(log.append(topic, [record('a', '1'), record('a', '2', timestamp)])).rejects.toThrow(/timestamp/);
      expect(await log.endOffsets(topic)).toEqual([0]);
    });

    it('refuses an offset beyond the end, and says what is there', async () => {
      const { log } = logs();
      const topic = await topicOf(log, 1);
      await log.append(topic, [record('a', '1'), record('a', '2')]);
      const reading = log.read({ ...at(topic), offset: 1000, ...NOW });
      await expect(reading).rejects.toThrow(OffsetOutOfRangeError);
      await expect(reading).rejects.toThrow(/1000.*0\.\.\d+/s);
      await expect(reading).rejects.toThrow(topic);
    });
  });
}

function waitTests(logs: Logs, { settleMs }: Capabilities): void {
  describe('waiting reads', () => {
    it('returns at once without a wait, and after the wait when nothing comes', async () => {
      const { log } = logs();
      const topic = await topicOf(log, 1);
      const nothing = { records: [], nextOffset: 0, endOffset: 0 };
      expect(await log.read({ ...at(topic), offset: 0, ...NOW })).toEqual(nothing);
      expect(await log.read({ ...at(topic), offset: 0, ...NOW, waitMs: 30 })).toEqual(nothing);
    });

    it('wakes for a record of this client and of another', async () => {
      const { log, other } = logs();
      const topic = await topicOf(log, 1);
      for (const writer of [log, other]) {
        const [offset = 0] = await log.endOffsets(topic);
        const waiting = log.read({ ...at(topic), offset, ...NOW, waitMs: 60_000 });
        const started = performance.now();
        await writer.append(topic, [record('k', 'woken')]);
        expect((await waiting).records.map(text)).toEqual(['woken']);
        expect(performance.now() - started).toBeLessThan(settleMs);
      }
    });

    it('ends early when aborted', async () => {
      const { log } = logs();
      const topic = await topicOf(log, 1);
      const abort = new AbortController();
      const waiting = log.read({ ...at(topic), offset: 0, ...NOW, waitMs: 60_000, signal: abort.signal });
      abort.abort();
      expect((await waiting).records).toEqual([]);
      const before = await log.read({ ...at(topic), offset: 0, ...NOW, waitMs: 60_000, signal: abort.signal });
      expect(before.records).toEqual([]);
    });
  });
}

function transactionTests(logs: Logs): void {
  describe('transactions', () => {
    it('shows nothing before the commit, not even to its own process, and all after it', async () => {
      const { log, other } = logs();
      const [one, two] = [await topicOf(log, 2), await topicOf(log, 1)];
      const producer = await log.transactional(unique());
      const tx = await producer.begin();
      await tx.append(one, [record('a', '1'), record('b', '2')]);
      await tx.append(two, [record('c', '3')]);
      await tx.commitOffset('g', at(one), { offset: 11, metadata: 'warmFrom=3' });
      await tx.append(one, [record('a', '4')]);
      for (const reader of [log, other]) {
        expect([...(await valuesOf(reader, one)), ...(await valuesOf(reader, two))]).toEqual([]);
        expect(await reader.endOffsets(two)).toEqual([0]);
        expect(await reader.committed('g', at(one))).toBeUndefined();
      }
      await tx.commit();
      for (const reader of [log, other]) {
        expect((await valuesOf(reader, one)).sort()).toEqual(['1', '2', '4']);
        expect(await valuesOf(reader, two)).toEqual(['3']);
        expect(await reader.committed('g', at(one))).toEqual({ offset: 11, metadata: 'warmFrom=3' });
      }
      await producer.close();
    });

    it('lies below the high watermarks as soon as its position is seen, and can then be read in time', async () => {
      const { log, other } = logs();
      const topic = await topicOf(log, 2);
      expect(await log.highWatermarks(topic)).toEqual([0, 0]);
      await log.append(topic, [{ ...record('a', '0'), partition: 1 }]);
      const producer = await log.transactional(unique());
      const tx = await producer.begin();
      await tx.append(topic, [{ ...record('a', '1'), partition: 1 }]);
      await tx.commitOffset('g', at(topic), { offset: 1, metadata: '' });
      await tx.commit();
      for (const reader of [log, other]) {
        expect(await reader.committed('g', at(topic))).toEqual({ offset: 1, metadata: '' });
        const written = await reader.highWatermarks(topic);
        expect(written[0]).toBe(0);
        expect(written[1]).toBeGreaterThanOrEqual(2);
        await expect.poll(async () => (await reader.endOffsets(topic))[1]).toBeGreaterThanOrEqual(written[1] ?? 0);
        expect(await valuesOf(reader, topic)).toEqual(['0', '1']);
      }
      await expect(log.highWatermarks(unique())).rejects.toThrow(UnknownTopicError);
      await producer.close();
    });

    it('leaves nothing behind when aborted or never ended', async () => {
      const { log } = logs();
      const topic = await topicOf(log, 1);
      const id = unique();
      const first = await log.transactional(id);
      const aborted = await first.begin();
      await fill(aborted, topic, 'aborted');
      await aborted.abort();
      await fill(await first.begin(), topic, 'left open');
      const second = await log.transactional(id);
      const kept = await second.begin();
      await fill(kept, topic, 'kept');
      await kept.commit();
      expect(await valuesOf(log, topic)).toEqual(['kept']);
      expect(await log.committed('g', at(topic))).toEqual({ offset: 1, metadata: 'kept' });
      await second.close();
    });

    it('has one open transaction at a time, and none of an ended one', async () => {
      const { log } = logs();
      const topic = await topicOf(log, 1);
      const producer = await log.transactional(unique());
      const tx = await producer.begin();
      await expect(producer.begin()).rejects.toThrow(/open transaction/);
      await fill(tx, topic, 'one');
      await tx.commit();
      await expect(tx.append(topic, [record('a', 'late')])).rejects.toThrow(/ended/);
      await expect(tx.commit()).rejects.toThrow(/ended/);
      const next = await producer.begin();
      await fill(next, topic, 'two');
      await next.commit();
      expect(await valuesOf(log, topic)).toEqual(['one', 'two']);
      await producer.close();
    });

    it('fences the former owner of an id, whichever process it is in, and writes nothing of it', async () => {
      const { log, other } = logs();
      const topic = await topicOf(log, 1);
      const id = unique();
      const zombie = await (await log.transactional(id)).begin();
      await fill(zombie, topic, 'zombie');
      const producer = await other.transactional(id);
      const [refused, offsets] = await Promise.allSettled([
        zombie.commit(),
        log.append(topic, [record('k', 'bystander')]),
      ]);
      expect(refused).toMatchObject({ status: 'rejected', reason: expect.any(FencedError) as unknown });
      expect(offsets).toMatchObject({ status: 'fulfilled' });
      expect(await valuesOf(log, topic)).toEqual(['bystander']);
      expect(await log.committed('g', at(topic))).toBeUndefined();
      const tx = await producer.begin();
      await fill(tx, topic, 'owner');
      await tx.commit();
      expect(await valuesOf(log, topic)).toEqual(['bystander', 'owner']);
      await producer.close();
    });

    it('lets producers of different ids and plain appends work side by side', async () => {
      const { log, other } = logs();
      const topic = await topicOf(log, 1);
      const producers = await Promise.all([log.transactional(unique()), other.transactional(unique())]);
      const open = await Promise.all(producers.map((producer) => producer.begin()));
      await Promise.all(open.map((tx, i) => tx.append(topic, [record('k', `${i}.a`), record('k', `${i}.b`)])));
      const [, , offsets] = await Promise.all([
        ...open.map((tx) => tx.commit()),
        log.append(topic, [record('k', 'plain')]),
      ]);
      const values = await valuesOf(log, topic);
      expect(values.toSorted()).toEqual(['0.a', '0.b', '1.a', '1.b', 'plain']);
      for (const i of ['0', '1']) expect(values.indexOf(`${i}.a`)).toBeLessThan(values.indexOf(`${i}.b`));
      const read = await log.read({ ...at(topic), offset: offsets?.[0] ?? -1, ...NOW, maxRecords: 1 });
      expect(read.records.map(text)).toEqual(['plain']);
      await Promise.all(producers.map((producer) => producer.close()));
    });

    it('refuses a producer that is closed', async () => {
      const producer = await logs().log.transactional(unique());
      await producer.close();
      await expect(producer.begin()).rejects.toThrow(/closed/);
    });
  });
}

function positionTests(logs: Logs): void {
  describe('positions', () => {
    it('keeps the last position of each group and partition, with its text', async () => {
      const { log, other } = logs();
      const topic = await topicOf(log, 2);
      const producer = await log.transactional(unique());
      await commitPositions(await producer.begin(), [
        ['g1', 0, 5, 'é "quoted" {json}'],
        ['g1', 1, 6, ''],
        ['g2', 0, 7, 'm'.repeat(4096)],
      ]);
      await commitPositions(await producer.begin(), [['g1', 0, 9, 'last']]);
      expect(await other.committed('g1', at(topic, 0))).toEqual({ offset: 9, metadata: 'last' });
      expect(await other.committed('g1', at(topic, 1))).toEqual({ offset: 6, metadata: '' });
      expect((await other.committed('g2', at(topic, 0)))?.metadata).toHaveLength(4096);
      expect(await other.committed('g2', at(topic, 1))).toBeUndefined();
      await producer.close();

      async function commitPositions(tx: Transaction, all: [string, number, number, string][]): Promise<void> {
        for (const [group, p, offset, metadata] of all)
          await tx.commitOffset(group, at(topic, p), { offset, metadata });
        await tx.commit();
      }
    });

    it('refuses metadata of more than 4,096 bytes', async () => {
      const { log } = logs();
      const topic = await topicOf(log, 1);
      const producer = await log.transactional(unique());
      const tx = await producer.begin();
      const metadata = `${'é'.repeat(2048)}x`;
      await expect(tx.commitOffset('g', at(topic), { offset: 1, metadata })).rejects.toThrow(/4097 bytes.*4096/);
      await tx.abort();
      await producer.close();
    });
  });
}

function timeTests(logs: Logs): void {
  describe('offsets by time', () => {
    it('finds the first record at or after a time, also when times are not in order', async () => {
      const { log } = logs();
      const topic = await topicOf(log, 2);
      const times = [100, 90, 200, 150, 150, 300, 10];
      for (const time of times) await log.append(topic, [{ ...record('k', `${time}`), timestamp: time, partition: 1 }]);
      const valueAt = async (time: number): Promise<string> => {
        const offset = await log.offsetForTime(at(topic, 1), time);
        if (offset === (await log.endOffsets(topic))[1]) return 'end';
        return text((await readFrom(log, topic, 1, offset))[0]);
      };
      expect(await Promise.all([0, 100, 101, 150, 200, 201, 300, 301].map(valueAt))).toEqual([
        '100',
        '100',
        '200',
        '200',
        '200',
        '300',
        '300',
        'end',
      ]);
      expect(await log.offsetForTime(at(topic, 0), 0)).toBe(0);
    });
  });
}

function groupTests(logs: Logs, { settleMs }: Capabilities): void {
  describe('groups', () => {
    it('gives one member everything, shares with a second, and gives back when it leaves', async () => {
      const { log, other } = logs();
      const topic = await topicOf(log, 4);
      const group = unique();
      const first = await log.join(group, topic);
      expect(await settle([first], [4])).toEqual([4]);
      const second = await other.join(group, topic);
      expect(await settle([first, second], [2, 2])).toEqual([2, 2]);
      expect(held(first, second)).toEqual([0, 1, 2, 3]);
      await first.leave();
      expect(first.assignment()).toEqual([]);
      expect(await settle([second], [4])).toEqual([4]);
      await second.leave();
    });

    it('leaves a member without partitions when there are more members than partitions', async () => {
      const { log, other } = logs();
      const topic = await topicOf(log, 1);
      const group = unique();
      const members = [await log.join(group, topic), await other.join(group, topic)];
      expect(await settle(members, [0, 1])).toEqual([0, 1]);
      await Promise.all(members.map((member) => member.leave()));
    });

    it('keeps groups apart', async () => {
      const { log } = logs();
      const topic = await topicOf(log, 2);
      const members = [await log.join(unique(), topic), await log.join(unique(), topic)];
      expect(await settle(members.slice(0, 1), [2])).toEqual([2]);
      expect(await settle(members.slice(1), [2])).toEqual([2]);
      await Promise.all(members.map((member) => member.leave()));
    });

    it('ends a wait for a change when aborted', async () => {
      const { log } = logs();
      const member = await log.join(unique(), await topicOf(log, 1));
      expect(await settle([member], [1])).toEqual([1]);
      await member.changed(0);
      const abort = new AbortController();
      const waiting = member.changed(60_000, abort.signal);
      abort.abort();
      await waiting;
      expect(member.assignment()).toHaveLength(1);
      await member.leave();
    });

    /** Lets all members go on until their shares have these sizes, in any order; returns the shares, smallest first. */
    async function settle(members: readonly Membership[], sizes: readonly number[]): Promise<number[]> {
      const end = performance.now() + settleMs;
      const shares = (): number[] => members.map((m) => m.assignment().length).sort(ascending);
      const settled = (): boolean => JSON.stringify(shares()) === JSON.stringify(sizes);
      while (!settled() && performance.now() < end) await Promise.all(members.map((m) => m.changed(25)));
      return shares();
    }
  });
}

function cleaningTests(logs: Logs, { cleans }: Capabilities): void {
  // Where the broker cleans by itself there is nothing to ask for.
  if (!cleans) return;
  describe('cleaning', () => {
    it('drops old records as a prefix and refuses to read them', async () => {
      const { log } = logs();
      const topic = unique();
      await log.createTopics([{ name: topic, partitions: 1, cleanup: { kind: 'delete', retentionMs: 100 } }]);
      await log.append(
        topic,
        [10, 20, 900, 30, 1000].map((time) => record('k', `${time}`, time)),
      );
      await log.clean(1000);
      expect(await log.beginOffsets(topic)).toEqual([2]);
      expect((await readFrom(log, topic, 0, 2)).map(text)).toEqual(['900', '30', '1000']);
      const gone = log.read({ ...at(topic), offset: 1, ...NOW });
      await expect(gone).rejects.toThrow(OffsetOutOfRangeError);
      await expect(gone).rejects.toThrow(/Offset 1 .*2\.\.5/);
      expect(await log.offsetForTime(at(topic), 15)).toBe(2);
      expect(await log.offsetForTime(at(topic), 995)).toBe(4);
      await log.clean(5000);
      expect([await log.beginOffsets(topic), await log.endOffsets(topic)]).toEqual([[5], [5]]);
      expect(await log.append(topic, [record('k', 'later')])).toEqual([5]);
    });

    it('keeps the last record of each key, and tombstones for a day', async () => {
      const { log, other } = logs();
      const topic = await topicOf(log, 1, COMPACT);
      const day = 24 * 60 * 60 * 1000;
      await log.append(topic, [record('a', '1'), record('b', '2'), record('a', '3')]);
      await log.append(topic, [{ ...record('b', ''), value: null }, record('c', '4')]);
      await log.clean(1_000_000);
      expect((await readAll(other, topic)).map((r) => [r.key, text(r), r.offset])).toEqual([
        ['a', '3', 2],
        ['b', 'null', 3],
        ['c', '4', 4],
      ]);
      await log.clean(1_000_000 + day - 1);
      expect(await readAll(log, topic)).toHaveLength(3);
      await log.clean(1_000_000 + day);
      expect((await readAll(log, topic)).map((r) => r.key)).toEqual(['a', 'c']);
      expect([await log.beginOffsets(topic), await log.endOffsets(topic)]).toEqual([[0], [5]]);
      expect(await log.append(topic, [record('c', '5')])).toEqual([5]);
    });

    it('reads past holes, also at the end', async () => {
      const { log } = logs();
      const topic = await topicOf(log, 1, COMPACT);
      await log.append(topic, [record('a', '1'), { ...record('a', ''), value: null }]);
      await log.clean(1);
      await log.clean(1 + 24 * 60 * 60 * 1000);
      expect(await log.read({ ...at(topic), offset: 0, ...NOW, waitMs: 60_000 })).toEqual({
        records: [],
        nextOffset: 2,
        endOffset: 2,
      });
    });
  });
}

function closingTests(open: () => Promise<LogUnderTest>): void {
  describe('closing', () => {
    it('ends waits, may be closed twice, and refuses further use', async () => {
      const own = await open();
      const { log } = own;
      const topic = await topicOf(log, 1);
      const member = await log.join(unique(), topic);
      const tx = await (await log.transactional(unique())).begin();
      const waits = [log.read({ ...at(topic), offset: 0, ...NOW, waitMs: 60_000 }), member.changed(60_000)];
      await Promise.all([log.close(), log.close()]);
      await Promise.all(waits);
      expect(member.assignment()).toEqual([]);
      await expect(log.append(topic, [record('a', '1')])).rejects.toThrow(LogClosedError);
      await expect(log.read({ ...at(topic), offset: 0, ...NOW })).rejects.toThrow(LogClosedError);
      await expect(log.partitions(topic)).rejects.toThrow(LogClosedError);
      await expect(log.transactional(unique())).rejects.toThrow(LogClosedError);
      await expect(tx.commit()).rejects.toThrow(LogClosedError);
      await log.close();
      await own.close();
    });
  });
}

async function topicOf(log: EventLog, partitions: number, cleanup: Cleanup = FOR_EVER): Promise<string> {
  const name = unique();
  await log.createTopics([{ name, partitions, cleanup }]);
  return name;
}

async function fill(tx: Transaction, topic: string, value: string): Promise<void> {
  await tx.append(topic, [record('k', value)]);
  await tx.commitOffset('g', at(topic), { offset: 1, metadata: value });
}

async function valuesOf(log: EventLog, topic: string): Promise<string[]> {
  const values: string[] = [];
  for (let p = 0; p < (await log.partitions(topic)); p += 1) values.push(...(await readAll(log, topic, p)).map(text));
  return values;
}

async function readAll(log: EventLog, topic: string, partition = 0): Promise<LogRecord[]> {
  return readFrom(log, topic, partition, (await log.beginOffsets(topic))[partition] ?? 0);
}

async function readFrom(log: EventLog, topic: string, partition: number, from: number): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (let offset = from; ;) {
    const { records, nextOffset, endOffset } = await log.read({ ...at(topic, partition), offset, ...NOW });
    all.push(...records);
    if (nextOffset >= endOffset) return all;
    offset = nextOffset;
  }
}

function held(...members: Membership[]): number[] {
  return members.flatMap((member) => member.assignment().map(({ partition }) => partition)).sort(ascending);
}

const unique = (): string => `t-${randomUUID()}`;
const at = (topic: string, partition = 0): { topic: string; partition: number } => ({ topic, partition });
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const record = (key: string, value: string, timestamp = 1000): NewRecord => ({ key, value: bytes(value), timestamp });
const ascending = (a: number, b: number): number => a - b;
const text = (r: LogRecord | undefined): string =>
  r === undefined ? 'none' : r.value === null ? 'null' : new TextDecoder().decode(r.value);

const NOW = { maxRecords: 10_000, maxBytes: 10_000_000, waitMs: 0 };
const FOR_EVER: Cleanup = { kind: 'delete', retentionMs: 1e15 };
const COMPACT: Cleanup = { kind: 'compact' };
