/** A sink and a steward whose table is not the one that the sink's group has filled. */
import { beforeAll, describe, expect, it } from 'vitest';
import { OffsetOutOfRangeError, type EventLog, type LogRecord } from '../../src/log/event-log.ts';
import { replayNames } from '../../src/runtime/replay/names.ts';
import {
  refuseIfLost,
  rewindSink,
  runSink,
  sinkRecord,
  type SinkRoute,
  type SinkSummary,
} from '../../src/runtime/sink-runner.ts';
import { encodeTaken, TableAheadError, TableBehindError, takenOf } from '../../src/runtime/table-progress.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';
import { GROUPS, TOPICS } from '../../src/runtime/topics.ts';
import { openJsonlSink, openTrainingTable, readTable, tableDigest, type TableStore } from '../../src/sinks/index.ts';
import { Writable } from 'node:stream';
import { MemoryStore } from '../helpers/memory-store.ts';
import { loadKit, PARTITIONS, runLine, type Kit } from '../simulation/harness.ts';
import { Broker } from '../simulation/memory-log.ts';
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

/** Another log, with what `keep` leaves of the sanitised topic. */
async function another(log: EventLog, keep: (record: LogRecord) => LogRecord | undefined): Promise<EventLog> {
  const other = new Broker().connect();
  const cleanup = { kind: 'delete', retentionMs: 1e12 } as const;
  await other.createTopics([{ name: TOPICS.sanitized, partitions: PARTITIONS, cleanup }]);
  const kept = (await readTopic(log, TOPICS.sanitized)).flatMap((record) => keep(record) ?? []);
  await other.append(TOPICS.sanitized, kept);
  return other;
}

const withSource = (record: LogRecord, offset: (own: number) => number): LogRecord => ({
  ...record,
  headers: { ...record.headers, 'source-offset': String(offset(Number(record.headers['source-offset']))) },
});

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
    const withMarkers: EventLog = {
      ...withExpired(log, TOPICS.raw, []),
      highWatermarks: async (topic) => (await log.highWatermarks(topic)).map((mark) => mark + 1),
    };
    await sinkInto(store, withMarkers);
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

describe('a table that is ahead of its log', () => {
  const copyOfLog = async (log: EventLog): Promise<EventLog> => another(log, (record) => record);

  it('goes on with the same records in another log', async () => {
    const { log, store } = await line();
    const copy = await copyOfLog(log);
    expect(await sinkInto(store, copy)).toEqual({ batches: 0, rows: 0 });
    await more(copy);
    expect((await sinkInto(store, copy)).rows).toBeGreaterThan(0);
  });

  it.each([true, false])('ends the sink, which would skip what is new (until the end: %s)', async (end) => {
    const { log, store } = await line();
    const before = await digestOf(store);
    const lost = await another(log, () => undefined);
    await expect(sinkInto(store, lost, end)).rejects.toThrow(TableAheadError);
    const older = await another(log, (record) => (record.offset % 2 === 0 ? record : undefined));
    await expect(sinkInto(store, older, end)).rejects.toThrow(/the log ends at \d+: was the log lost/u);
    expect(await digestOf(store)).toEqual(before);
  });

  it('in one partition takes nothing of the others', async () => {
    const { log, store } = await line();
    const ends = await log.endOffsets(TOPICS.sanitized);
    const lost = ends.indexOf(Math.max(...ends));
    const older = await another(log, (record) => (record.partition === lost ? undefined : record));
    await more(older);
    const before = await digestOf(store);
    await expect(sinkInto(store, older)).rejects.toThrow(TableAheadError);
    expect(await digestOf(store)).toEqual(before);
    const committed = ends.map((_, partition) => older.committed(GROUPS.sink, { topic: TOPICS.sanitized, partition }));
    expect(await Promise.all(committed)).toEqual(ends.map(() => undefined));
  });

  it('ends the sink although the group of that log has come to its end', async () => {
    const { log, store } = await line();
    const older = await another(log, (record) => (record.offset % 2 === 0 ? record : undefined));
    for (const [partition, end] of (await older.endOffsets(TOPICS.sanitized)).entries()) {
      const transaction = await (await older.transactional(`test/${partition}`)).begin();
      const position = { offset: end, metadata: encodeTaken(end) };
      await transaction.commitOffset(GROUPS.sink, { topic: TOPICS.sanitized, partition }, position);
      await transaction.commit();
    }
    await expect(sinkInto(store, older)).rejects.toThrow(TableAheadError);
  });

  it.each([
    ['lower', (own: number) => Math.floor(own / 2)],
    ['higher', (own: number) => own + 1_000],
  ])('ends it when the log has grown again, of raw offsets that are %s', async (_, offset) => {
    const { log, store } = await line();
    const grown = await another(log, (record) => withSource(record, offset));
    await more(grown);
    await expect(sinkInto(store, grown)).rejects.toThrow(
      /has taken another record at offset \d+ than the log has there/u,
    );
  });

  it('is not one whose last record was a double, or has expired', async () => {
    const { log, store } = await line();
    const [first] = await readTopic(log, TOPICS.sanitized);
    if (first === undefined) throw new Error('nothing was released');
    await log.append(TOPICS.sanitized, [first]);
    expect(await sinkInto(store, log)).toEqual({ batches: 0, rows: 0 });
    expect(await sinkInto(store, log)).toEqual({ batches: 0, rows: 0 });
    const ends = await log.endOffsets(TOPICS.sanitized);
    expect(await sinkInto(store, withExpired(log, TOPICS.sanitized, ends))).toEqual({ batches: 0, rows: 0 });
  });

  it('is left for a new one where the log began anew, which takes all of that', async () => {
    const { log, store } = await line();
    const begun = await another(log, (record) => record);
    const fresh = new MemoryStore();
    await refuseIfLost({ log: begun, store: fresh });
    await sinkInto(fresh, begun);
    expect(await digestOf(fresh)).toEqual(await digestOf(store));
  });

  it('is not one whose group is ahead alone, which --refill puts back', async () => {
    const { log } = await line();
    const begun = await another(log, (record) => record);
    for (const [partition, end] of (await begun.endOffsets(TOPICS.sanitized)).entries()) {
      const transaction = await (await begun.transactional(`test/${partition}`)).begin();
      // As where a topic that had no record but ends of transactions was made anew.
      const position = { offset: end + 5, metadata: encodeTaken(0) };
      await transaction.commitOffset(GROUPS.sink, { topic: TOPICS.sanitized, partition }, position);
      await transaction.commit();
    }
    const fresh = new MemoryStore();
    await expect(sinkInto(fresh, begun)).rejects.toThrow(/the sink's group goes on at offset/u);
    const sink = await openTrainingTable({ store: fresh, topic: TOPICS.sanitized, now: () => 0, zstd: kit.zstd });
    expect(await rewindSink({ log: begun, sink })).toBe(PARTITIONS);
    await sink.close();
    expect((await sinkInto(fresh, begun)).batches).toBe((await readTopic(log, TOPICS.sanitized)).length);
  });

  it('is left for a new one where the log is an older copy, by --refill', async () => {
    const { log: older, store } = await line();
    const fresh = new MemoryStore();
    await expect(refuseIfLost({ log: older, store: fresh })).rejects.toThrow(TableBehindError);
    const sink = await openTrainingTable({ store: fresh, topic: TOPICS.sanitized, now: () => 0, zstd: kit.zstd });
    await rewindSink({ log: older, sink });
    await sink.close();
    await sinkInto(fresh, older);
    expect(await digestOf(fresh)).toEqual(await digestOf(store));
  });
});

describe('what a sink says it has taken', () => {
  it('is each record once, also when another was faster', async () => {
    const { log } = await line();
    const files = new Map<string, Uint8Array>();
    let raced = false;
    const hooked = new MemoryStore(files, {
      before: async (operation, path) => {
        if (raced || operation !== 'putIfAbsent' || !path.endsWith('1.json')) return;
        raced = true;
        const other = await openTrainingTable({
          store: new MemoryStore(files),
          topic: TOPICS.sanitized,
          now: () => 0,
          zstd: kit.zstd,
        });
        await other.resumeFrom(busiest);
        await other.write(theirs);
        await other.close();
      },
    });
    const ends = await log.endOffsets(TOPICS.sanitized);
    const busiest = ends.indexOf(Math.max(...ends));
    const released = await readTopic(log, TOPICS.sanitized);
    const theirs = released
      .filter(({ partition }) => partition === busiest)
      .slice(0, 1)
      .map((record) => sinkRecord(kit.codec, record));
    const copy = await another(log, (record) => record);
    const { codec, zstd } = kit;
    const sink = await openTrainingTable({ store: hooked, topic: TOPICS.sanitized, now: () => 0, zstd });
    const tools = { codec, telemetry: createTelemetry(silentLogger), flushSeconds: 1e9, now: () => 0 };
    const told = await runSink(
      { ...tools, log: copy, sink, fetch: { maxRecords: 10, maxBytes: 1 << 20 } },
      { end: true, signal: new AbortController().signal, maxRestarts: 5 },
    );
    expect(raced).toBe(true);
    expect(told.batches).toBe(released.length - 1);
    const rows = (await digestOf(hooked)).rows;
    expect(told.rows).toBe(rows - theirs.reduce((sum, { batch }) => sum + batch.actions.length, 0));
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
