/** A sink and a steward whose table is not the one that the sink's group has filled. */
import { beforeAll, describe, expect, it } from 'vitest';
import { OffsetOutOfRangeError, type EventLog } from '../../src/log/event-log.ts';
import { replayNames } from '../../src/runtime/replay/names.ts';
import { refuseIfLost, rewindSink, runSink, type SinkRoute, type SinkSummary } from '../../src/runtime/sink-runner.ts';
import { encodeTaken, TableBehindError, takenOf } from '../../src/runtime/table-progress.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';
import { GROUPS, TOPICS } from '../../src/runtime/topics.ts';
import { openJsonlSink, openTrainingTable, readTable, tableDigest, type TableStore } from '../../src/sinks/index.ts';
import { Writable } from 'node:stream';
import { MemoryStore } from '../helpers/memory-store.ts';
import { loadKit, PARTITIONS, runLine, type Kit } from '../simulation/harness.ts';
import { readTopic } from '../simulation/oracle.ts';
import { planOf } from '../simulation/plan.ts';
import { withExpired } from '../simulation/replaying.ts';
import { inMemory } from '../simulation/worlds.ts';

interface Line {
  readonly log: EventLog;
  readonly store: MemoryStore;
}

let kit: Kit;
beforeAll(async () => {
  kit = await loadKit();
});

/** A line that has done all that there was. */
async function line(): Promise<Line> {
  const plan = { ...planOf(3), consentFirst: true, keysFirst: true, faults: 0, sinks: 1, people: 3, minutes: 2 };
  const world = inMemory();
  const { log } = await runLine(plan, kit, world);
  const store = await world.store();
  if (!(store instanceof MemoryStore)) throw new Error('the table is not in memory');
  return { log, store };
}

const copyOf = (store: MemoryStore): MemoryStore => new MemoryStore(new Map(store.files));
const digestOf = async (store: TableStore): ReturnType<typeof tableDigest> =>
  await tableDigest(await readTable({ store, zstd: kit.zstd }));

async function sinkInto(store: TableStore, log: EventLog, end = true): Promise<SinkSummary> {
  const { codec, zstd } = kit;
  const sink = await openTrainingTable({ store, topic: TOPICS.sanitized, now: () => 0, zstd });
  const telemetry = createTelemetry(silentLogger);
  const fetch = { maxRecords: 10, maxBytes: 1 << 20 };
  try {
    return await runSink(
      { log, codec, sink, telemetry, fetch, flushSeconds: 0, now: () => 0 },
      { end, signal: new AbortController().signal, maxRestarts: 0 },
    );
  } finally {
    await sink.close();
  }
}

/** Released batches again, as of other raw records. */
async function more(log: EventLog, times = 1): Promise<void> {
  const released = await readTopic(log, TOPICS.sanitized);
  await log.append(
    TOPICS.sanitized,
    released.map(({ key, value, timestamp, headers }) => ({
      key,
      value,
      timestamp,
      headers: { ...headers, 'source-offset': String(1_000_000 * times + Number(headers['source-offset'])) },
    })),
  );
}

describe('a sink', () => {
  it.each([true, false])(
    'does not fill a new table with what was in one that is lost (until the end: %s)',
    async (end) => {
      const { log } = await line();
      const empty = new MemoryStore();
      await expect(refuseIfLost({ log, store: empty })).rejects.toThrow(TableBehindError);
      expect(empty.files.size).toBe(0);
      await expect(sinkInto(empty, log, end)).rejects.toThrow(/`redactory sink --refill` takes all/u);
      expect((await digestOf(empty)).rows).toBe(0);
    },
  );

  it('does not go on with a copy from before', async () => {
    const { log, store } = await line();
    const copy = copyOf(store);
    await more(log);
    await sinkInto(store, log);
    await expect(sinkInto(copy, log)).rejects.toThrow(TableBehindError);
    await expect(refuseIfLost({ log, store })).resolves.toBeUndefined();
    expect(await sinkInto(store, log)).toMatchObject({ rows: 0 });
  });

  it('that is told to takes all again, and once', async () => {
    const { log, store } = await line();
    const before = await digestOf(store);
    const empty = new MemoryStore();
    const sink = await openTrainingTable({ store: empty, topic: TOPICS.sanitized, now: () => 0, zstd: kit.zstd });
    expect(await rewindSink({ log, sink })).toBeGreaterThan(0);
    expect(await rewindSink({ log, sink })).toBe(0);
    await sink.close();
    expect((await sinkInto(empty, log)).rows).toBeGreaterThan(0);
    expect(await digestOf(empty)).toEqual(before);
    expect(await sinkInto(empty, log)).toMatchObject({ rows: 0 });
  });

  it('goes on with a table that is ahead of its group, as after a crash between the two commits', async () => {
    const { log, store } = await line();
    await more(log);
    const stuck = withExpired(log, TOPICS.raw, []);
    const transactional: EventLog['transactional'] = async (id) => {
      const producer = await log.transactional(id);
      const begin = () => Promise.reject(new Error('killed'));
      return { transactionalId: id, begin, close: () => producer.close() };
    };
    await expect(sinkInto(store, { ...stuck, transactional })).rejects.toThrow('killed');
    await sinkInto(store, log);
    await sinkInto(store, log);
    const released = await readTopic(log, TOPICS.sanitized);
    const rows = released.reduce(
      (sum, { value }) => sum + kit.codec.decodeReleased(value ?? new Uint8Array()).actions.length,
      0,
    );
    expect((await digestOf(store)).rows).toBe(rows);
  });

  it('that is stopped at once does not take its group back to before what follows the last record', async () => {
    const { log, store } = await line();
    const ends = await log.endOffsets(TOPICS.sanitized);
    const end = Math.max(...ends);
    const at = { topic: TOPICS.sanitized, partition: ends.indexOf(end) };
    expect(end).toBeGreaterThan(0);
    // As in Kafka, where a marker that ends a transaction has an offset too.
    const beyond = { offset: end + 1, metadata: encodeTaken(end) };
    const transaction = await (await log.transactional(`${GROUPS.sink}/${at.topic}/${at.partition}`)).begin();
    await transaction.commitOffset(GROUPS.sink, at, beyond);
    await transaction.commit();
    await sinkInto(store, log);
    expect(await log.committed(GROUPS.sink, at)).toEqual(beyond);
  });

  it('that only looks reads all of it, whatever the group has done', async () => {
    const { log } = await line();
    const out = new Writable({ write: (_chunk, _encoding, done) => done() });
    const sink = await openJsonlSink({ out });
    const tools = { codec: kit.codec, telemetry: createTelemetry(silentLogger), flushSeconds: 1, now: () => 0 };
    const looked = await runSink(
      { ...tools, log, sink, fetch: { maxRecords: 10, maxBytes: 1 << 20 }, alone: true },
      { end: true, signal: new AbortController().signal },
    );
    expect(looked.batches).toBe((await readTopic(log, TOPICS.sanitized)).length);
  });

  it('knows of commits without a word on the table that there must have been a record', () => {
    expect(takenOf({ offset: 5, metadata: '' }, 0)).toBe(1);
    expect(takenOf({ offset: 5, metadata: '' }, 5)).toBe(0);
    expect(takenOf(undefined, 0)).toBe(0);
    expect(() => takenOf({ offset: 5, metadata: 'x' }, 0)).toThrow('run the version that wrote it');
  });
});

describe('released batches that expire', () => {
  it('before the sink has read them end it: they are not skipped in silence', async () => {
    const { log, store } = await line();
    const before = await digestOf(store);
    await more(log);
    const gone = (await log.endOffsets(TOPICS.sanitized)).map((end) => end - 1);
    await expect(sinkInto(store, withExpired(log, TOPICS.sanitized, gone))).rejects.toThrow(OffsetOutOfRangeError);
    expect(await digestOf(store)).toEqual(before);
  });

  it('after it has read them are no error, whatever comes next', async () => {
    const { log, store } = await line();
    const ends = await log.endOffsets(TOPICS.sanitized);
    const late = withExpired(log, TOPICS.sanitized, ends);
    expect(await sinkInto(store, late)).toMatchObject({ rows: 0 });
    await more(log);
    expect((await sinkInto(store, late)).rows).toBeGreaterThan(0);
  });

  it('before a new sink of the live line reads them are no error, but for a replay they are', async () => {
    const { log } = await line();
    const begins = (await log.endOffsets(TOPICS.sanitized)).map((end) => Math.max(0, end - 1));
    const late = withExpired(log, TOPICS.sanitized, begins);
    const into = async (route: SinkRoute): Promise<SinkSummary> => {
      const { codec, zstd } = kit;
      const sink = await openTrainingTable({ store: new MemoryStore(), topic: route.sanitized, now: () => 0, zstd });
      const tools = { codec, telemetry: createTelemetry(silentLogger), flushSeconds: 1, now: () => 0 };
      return await runSink(
        { ...tools, log: late, sink, route, fetch: { maxRecords: 10, maxBytes: 1 << 20 } },
        { end: true, signal: new AbortController().signal, maxRestarts: 0 },
      );
    };
    expect((await into({ group: 'fresh', sanitized: TOPICS.sanitized })).batches).toBeGreaterThan(0);
    const replay = { ...replayNames('trial').sink, sanitized: TOPICS.sanitized };
    await expect(into(replay)).rejects.toThrow(OffsetOutOfRangeError);
  });

  it('are committed with how far the table is', async () => {
    const { log } = await line();
    const ends = await log.endOffsets(TOPICS.sanitized);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const committed = await log.committed(GROUPS.sink, { topic: TOPICS.sanitized, partition });
      const end = ends[partition] ?? 0;
      expect(takenOf(committed, 0)).toBeLessThanOrEqual(end);
      expect(takenOf(committed, 0) > 0).toBe(end > 0);
    }
  });
});
