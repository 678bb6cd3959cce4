/**
 * Replays under crashes, fencing, lost acknowledgements and failing stores. Each seed is a company, a stretch and a run;
 * `REDACTORY_SEEDS=100` runs more of them, `REDACTORY_SEED=17` runs one.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { EventLog, Fetched, LogRecord } from '../../src/log/event-log.ts';
import { Random } from '../../src/producers/simulator/random.ts';
import { compareReplay } from '../../src/runtime/replay/compare.ts';
import { replayNames } from '../../src/runtime/replay/names.ts';
import { judgedAgain } from '../../src/runtime/replay/run.ts';
import { GROUPS, TOPICS } from '../../src/runtime/topics.ts';
import { runSink } from '../../src/runtime/sink-runner.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';
import {
  eraseSessions,
  openTrainingTable,
  readTable,
  tableDigest,
  type TableRow,
  type TableStore,
} from '../../src/sinks/index.ts';
import { MemoryStore } from '../helpers/memory-store.ts';
import { turns } from './faults.ts';
import { loadKit, PARTITIONS, runLine, type Finished, type Kit, type World } from './harness.ts';
import { actual, decidedBy, placeOf, readTopic, rowsOf, singlePass, type Released } from './oracle.ts';
import { planOf, type RunPlan } from './plan.ts';
import {
  newWeather,
  promoteUnderFaults,
  replayUnderFaults,
  withExpired,
  withoutTopic,
  type Replaying,
  type ReplayPlan,
} from './replaying.ts';
import { inMemory } from './worlds.ts';

const one = process.env['REDACTORY_SEED'];
const count = Number(process.env['REDACTORY_SEEDS'] ?? 8);
const seeds = one === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(one)];

let kit: Kit;
beforeAll(async () => {
  kit = await loadKit();
});

/** A company whose consent is settled, worked on live without trouble. */
async function liveRun(seed: number, world: World, change: Partial<RunPlan> = {}): Promise<Finished> {
  const plan: RunPlan = { ...planOf(seed), consentFirst: true, keysFirst: true, faults: 0, sinks: 1, ...change };
  return await runLine(plan, kit, world);
}

const planFor = (run: Finished, seed: number, change: Partial<ReplayPlan> = {}): ReplayPlan => ({
  name: 'again',
  asked: { from: null, to: null },
  policy: run.tools.policy,
  vocabulary: run.tools.vocabulary,
  workers: new Random(seed, 'workers').whole(1, 3),
  luck: seed,
  faults: 15,
  ...change,
});

async function told<T>(seed: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error) error.message = `${error.message}\nagain with REDACTORY_SEED=${seed}`;
    throw error;
  }
}

/** Who may be replayed, from nothing but the decisions: nobody who has left, been exempted or erased since. */
function isWelcome(run: Finished, key: string): boolean {
  const { decisions, erasures } = decidedBy(key, run);
  const standing = decisions
    .filter(({ kind }) => kind === 'enrol' || kind === 'withdraw' || kind === 'exempt')
    .toSorted((a, b) => a.decidedAt - b.decidedAt)
    .at(-1);
  return standing?.kind === 'enrol' && erasures.length === 0;
}

/** What live released of welcome people in the stretch. */
async function expected(run: Finished, { replayed }: Pick<Replaying, 'replayed'>): Promise<Released[]> {
  const raw = await readTopic(run.log, TOPICS.raw);
  const keyOf = new Map(raw.map((record) => [placeOf(record), record.key]));
  const { partitions } = replayed.manifest;
  return actual(await readTopic(run.log, TOPICS.sanitized)).filter(({ source }) => {
    const [, partition = 0, offset = 0] = source.split('/').map(Number);
    const { from = 0, end = 0 } = partitions[partition] ?? {};
    return offset >= from && offset < end && isWelcome(run, keyOf.get(source) ?? '');
  });
}

const releasedBy = async (run: Finished, { plan }: Replaying): Promise<LogRecord[]> =>
  await readTopic(run.log, replayNames(plan.name).sanitizer.sanitized);

const rowsIn = (records: readonly LogRecord[]): TableRow[] =>
  records.flatMap(({ value }) => rowsOf(kit.codec.decodeReleased(value ?? new Uint8Array())));

const digestOf = (rows: readonly TableRow[]): ReturnType<typeof tableDigest> =>
  tableDigest({
    async *batches() {
      yield rows;
    },
  });

const tableOf = async (store: Replaying['store']): ReturnType<typeof tableDigest> =>
  await tableDigest(await readTable({ store, zstd: kit.zstd }));

function middle(raw: readonly LogRecord[], seed: number): ReplayPlan['asked'] {
  const random = new Random(seed, 'stretch');
  const times = raw.map(({ timestamp }) => timestamp).toSorted((a, b) => a - b);
  const pick = (from: number, to: number): number =>
    times[random.whole(Math.floor(times.length * from), Math.floor(times.length * to))] ?? 0;
  return { from: pick(0.2, 0.5), to: pick(0.55, 0.8) };
}

describe('a replay under the policy of before', () => {
  it.each(seeds)('gives byte for byte what live gave, whatever happens on the way: seed %i', (seed) =>
    told(seed, async () => {
      const world = inMemory();
      const run = await liveRun(seed, world);
      const liveBefore = await readTopic(run.log, TOPICS.sanitized);
      const replaying = await replayUnderFaults(planFor(run, seed), kit, world);
      const released = await releasedBy(run, replaying);
      expect(actual(released)).toEqual(await expected(run, replaying));
      const again = {
        ...run.tools,
        tables: {
          ...run.tools.tables,
          consent: { ...run.tools.tables.consent, ...judgedAgain(run.tools.tables.consent) },
        },
      };
      const pass = singlePass(again, await readTopic(run.log, TOPICS.raw), PARTITIONS);
      expect(actual(released)).toEqual(pass.released);
      expect(await tableOf(replaying.store)).toEqual(await digestOf(rowsIn(released)));
      const { counts, manifest } = replaying.replayed;
      expect(manifest.state).toBe('done');
      // Counted once each, whoever crashed: the counts travel with the commits.
      const { read = 0, released: inActions = 0, quarantined = 0, ...dropped } = pass.counts;
      expect(counts).toMatchObject({ read, released: inActions, quarantined, pending: pass.pending, cutSessions: 0 });
      const sums = (reasons: object): number => Object.values(reasons).reduce((a: number, b: number) => a + b, 0);
      expect(sums(counts.dropped)).toBe(sums(dropped));
      expect(await readTopic(run.log, TOPICS.sanitized)).toEqual(liveBefore);
    }),
  );

  it.each(seeds)('does so for a stretch in the middle as well: seed %i', (seed) =>
    told(seed, async () => {
      const world = inMemory();
      const run = await liveRun(seed, world, { people: 7, minutes: 4 });
      const asked = middle(await readTopic(run.log, TOPICS.raw), seed);
      const replaying = await replayUnderFaults(planFor(run, seed, { asked }), kit, world);
      const { from, end } = replaying.replayed.manifest.partitions.reduce((a, b) =>
        b.end - b.from > a.end - a.from ? b : a,
      );
      expect(end).toBeGreaterThan(from);
      expect(actual(await releasedBy(run, replaying))).toEqual(await expected(run, replaying));
    }),
  );
});

describe('the comparison', () => {
  it.each(seeds.slice(0, 4))('counts what differs, in little memory or much: seed %i', (seed) =>
    told(seed, async () => {
      const world = inMemory();
      const run = await liveRun(seed, world, { policy: 'strict' });
      const { policy, vocabulary } = kit.policies.balanced;
      const plan = planFor(run, seed, {
        policy: { ...policy, session: run.tools.policy.session },
        vocabulary,
        faults: 0,
      });
      const replaying = await replayUnderFaults(plan, kit, world);
      const { manifest } = replaying.replayed;
      const given = { log: run.log, rawLog: run.log, codec: kit.codec, manifest };
      const comparison = await compareReplay(given);
      const live = rowsIn(await readTopic(run.log, TOPICS.sanitized));
      const replayed = rowsIn(await releasedBy(run, replaying));
      expect(comparison.live).toMatchObject({
        ...(await digestOf(live)),
        sessions: new Set(live.map((row) => row.session)).size,
      });
      expect(comparison.replay).toMatchObject(await digestOf(replayed));
      const { equal, changed, dropped, kept } = comparison.rows;
      expect(equal + changed + dropped).toBe(live.length);
      expect(equal + changed + kept).toBe(replayed.length);
      // Balanced releases a pseudonym of the person, strict none; and people who have left are not replayed.
      expect(comparison.columns.subject).toBe(equal + changed);
      expect(comparison).toMatchObject({ liveBehind: 0, liveExpired: false, livePolicies: [run.tools.policy.digest] });
      expect(await compareReplay({ ...given, maxBytes: 2_000 })).toEqual(comparison);
    }),
  );
});

describe('raw that has expired', () => {
  it.each(seeds.slice(0, 4))('cuts sessions, which then keep no free text and are counted: seed %i', (seed) =>
    told(seed, async () => {
      const world = inMemory();
      const run = await liveRun(seed, world, { session: null, redelivered: 0, damaged: 0 });
      const raw = await readTopic(run.log, TOPICS.raw);
      const begins = (await run.log.endOffsets(TOPICS.raw)).map((end) => Math.floor(end / 2));
      const connect = async () => withExpired(await world.connect(), TOPICS.raw, begins);
      const kept = raw.filter(({ partition, offset }) => offset >= (begins[partition] ?? 0));
      const from = Math.min(...raw.map(({ timestamp }) => timestamp));
      const asked = { from, to: null };
      await expect(replayUnderFaults(planFor(run, seed, { asked, faults: 0 }), kit, { connect })).rejects.toThrow(
        /--allow-expired/u,
      );

      const replaying = await replayUnderFaults(planFor(run, seed, { asked, allowExpired: true, name: 'rest' }), kit, {
        connect,
      });
      const { counts, manifest } = replaying.replayed;
      expect(manifest.expired).toBe(begins.reduce((a, b) => a + b));
      const consent = { ...run.tools.tables.consent, ...judgedAgain(run.tools.tables.consent) };
      const pass = singlePass({ ...run.tools, tables: { ...run.tools.tables, consent } }, kept, PARTITIONS);
      expect(actual(await releasedBy(run, replaying))).toEqual(pass.released);
      const cut = cutSessions(kept);
      expect(cut).toBeGreaterThan(0);
      expect(counts.cutSessions).toBe(cut);
    }),
  );
});

/** Sessions of which the log shows a later batch first, that were granted before anything that it still has. */
function cutSessions(kept: readonly LogRecord[]): number {
  const firstOf = new Map<number, number>();
  const seen = new Set<string>();
  let cut = 0;
  for (const { key, value, partition, timestamp } of kept) {
    if (!firstOf.has(partition)) firstOf.set(partition, timestamp);
    const envelope = kit.codec.openEnvelope(value ?? new Uint8Array());
    if (!envelope.ok) continue;
    const { session, grantedAt, sequence } = envelope.value;
    const name = `${key}/${session}/${grantedAt}`;
    if (!seen.has(name) && sequence > 0 && grantedAt <= (firstOf.get(partition) ?? 0)) cut++;
    seen.add(name);
  }
  return cut;
}

/** The table as it was at a version. */
const asOf = (store: TableStore, version: number): TableStore => ({
  ...slow(store),
  list: async (folder, startAfter) =>
    (await store.list(folder, startAfter)).filter((name) => Number.parseInt(name, 10) <= version),
  read: async (path) =>
    Number(/^_delta_log\/(\d+)/u.exec(path)?.[1] ?? 0) <= version ? await store.read(path) : undefined,
});

describe('promote', () => {
  it.each(seeds)('changes nothing in the table when nothing has changed, crashes or not: seed %i', (seed) =>
    told(seed, async () => {
      const world = inMemory();
      const run = await liveRun(seed, world, { erasure: false });
      const before = await tableOf(run.store);
      const asked = seed % 2 === 0 ? middle(await readTopic(run.log, TOPICS.raw), seed) : { from: null, to: null };
      const replaying = await replayUnderFaults(planFor(run, seed, { asked }), kit, world);
      const comparison = await compareReplay({
        log: run.log,
        rawLog: run.log,
        codec: kit.codec,
        manifest: replaying.replayed.manifest,
      });
      const promotion = await promoteUnderFaults(replaying, kit, world, newWeather(seed, 8));
      const after = await tableOf(run.store);
      expect(after.rows).toBe(before.rows - comparison.rows.dropped);
      const outside = outsideRows(await readTopic(run.log, TOPICS.sanitized), replaying);
      expect(after).toEqual(await digestOf([...outside, ...rowsIn(await releasedBy(run, replaying))]));
      expect(await tableOf(asOf(run.store, promotion.version - 1))).toEqual(before);
      const again = await promoteUnderFaults(replaying, kit, world, newWeather(seed, 0));
      expect(again).toMatchObject({ already: true, version: promotion.version });
    }),
  );

  it.each(seeds.slice(0, 3))('one after another, overlapping, gives the last one’s rows where it is: seed %i', (seed) =>
    told(seed, async () => {
      const world = inMemory();
      const run = await liveRun(seed, world, { policy: 'strict' });
      const raw = await readTopic(run.log, TOPICS.raw);
      const { policy, vocabulary } = kit.policies.balanced;
      const balanced = { policy: { ...policy, session: run.tools.policy.session }, vocabulary, faults: 0 };
      const first = await replayUnderFaults(
        planFor(run, seed, { ...balanced, asked: middle(raw, seed), name: 'first' }),
        kit,
        world,
      );
      await promoteUnderFaults(first, kit, world, newWeather(seed, 4));
      const second = await replayUnderFaults(
        planFor(run, seed, { asked: middle(raw, seed + 1), name: 'second', faults: 0 }),
        kit,
        world,
      );
      await promoteUnderFaults(second, kit, world, newWeather(seed, 4));
      const live = outsideRecords(outsideRecords(await readTopic(run.log, TOPICS.sanitized), first), second);
      const rows = rowsIn([
        ...live,
        ...outsideRecords(await releasedBy(run, first), second),
        ...(await releasedBy(run, second)),
      ]);
      expect(await tableOf(run.store)).toEqual(await digestOf(rows));
    }),
  );
});

function outsideRecords(sanitized: readonly LogRecord[], { replayed }: Replaying): LogRecord[] {
  const { partitions } = replayed.manifest;
  return sanitized.filter(({ headers }) => {
    const { from = 0, end = 0 } = partitions[Number(headers['source-partition'])] ?? {};
    const offset = Number(headers['source-offset']);
    return offset < from || offset >= end;
  });
}

const outsideRows = (sanitized: readonly LogRecord[], replaying: Replaying): TableRow[] =>
  rowsIn(outsideRecords(sanitized, replaying));

describe('promote, on a table of few large files', () => {
  /** Two days, half a minute before midnight on; live's rows in one commit. */
  const MIDNIGHT = {
    start: Date.UTC(2026, 2, 31, 23, 56),
    people: 8,
    minutes: 6,
    session: null,
    policy: 'strict',
  } as const;

  async function inOneCommit(seed: number): Promise<{ run: Finished; world: World }> {
    const world = inMemory();
    const run = await liveRun(seed, world, MIDNIGHT);
    const files = new Map<string, Uint8Array>();
    const store = async (): Promise<TableStore> => new MemoryStore(files);
    const sink = await openTrainingTable({
      store: await store(),
      topic: TOPICS.sanitized,
      now: () => 0,
      zstd: kit.zstd,
    });
    const fetch = { maxRecords: 1_000, maxBytes: 1 << 20 };
    const telemetry = createTelemetry(silentLogger);
    const signal = new AbortController().signal;
    const options = {
      log: run.log,
      codec: kit.codec,
      sink,
      telemetry,
      fetch,
      flushSeconds: 1e9,
      now: () => 0,
      alone: true,
    };
    await runSink(options, { end: true, signal });
    await sink.close();
    return { run: { ...run, store: await store() }, world: { ...world, store } };
  }

  async function replays(run: Finished, seed: number, world: World): Promise<[Replaying, Replaying]> {
    const raw = await readTopic(run.log, TOPICS.raw);
    const { policy, vocabulary } = kit.policies.balanced;
    const asked = middle(raw, seed);
    const first = await replayUnderFaults(
      planFor(run, seed, { policy, vocabulary, asked, name: 'first', faults: 0 }),
      kit,
      world,
    );
    // Another stretch that reaches beyond the first one's middle.
    const other = { from: Math.floor(((asked.from ?? 0) + (asked.to ?? 0)) / 2), to: (asked.to ?? 0) + 20_000 };
    const second = await replayUnderFaults(planFor(run, seed, { asked: other, name: 'second', faults: 0 }), kit, world);
    return [first, second];
  }

  async function rowsAfter(run: Finished, [first, second]: readonly [Replaying, Replaying]): Promise<TableRow[]> {
    const live = outsideRecords(outsideRecords(await readTopic(run.log, TOPICS.sanitized), first), second);
    const ofFirst = outsideRecords(await releasedBy(run, first), second);
    return rowsIn([...live, ...ofFirst, ...(await releasedBy(run, second))]);
  }

  it.each(seeds.slice(0, 3))('writes again what shares a file with the stretch, and again: seed %i', (seed) =>
    told(seed, async () => {
      const { run, world } = await inOneCommit(seed);
      const both = await replays(run, seed, world);
      const promotion = await promoteUnderFaults(both[0], kit, world, newWeather(seed, 0));
      expect(promotion.rewritten).toBeGreaterThan(0);
      await promoteUnderFaults(both[1], kit, world, newWeather(seed, 4));
      expect(await tableOf(run.store)).toEqual(await digestOf(await rowsAfter(run, both)));
    }),
  );

  it.each(seeds.slice(0, 3))('of two at once makes one after the other: seed %i', (seed) =>
    told(seed, async () => {
      const { run, world } = await inOneCommit(seed);
      const [first, second] = await replays(run, seed, world);
      await Promise.all([first, second].map((one, i) => promoteUnderFaults(one, kit, world, newWeather(seed + i, 0))));
      const orders = await Promise.all([rowsAfter(run, [first, second]), rowsAfter(run, [second, first])]);
      expect(await Promise.all(orders.map(digestOf))).toContainEqual(await tableOf(run.store));
    }),
  );

  it('tells the days of a commit apart', async () => {
    const { run, world } = await inOneCommit(3);
    expect(datesOf(await readTable({ store: run.store, zstd: kit.zstd }))).toEqual(['2026-03-31', '2026-04-01']);
    const both = await replays(run, 3, world);
    for (const one of both) await promoteUnderFaults(one, kit, world, newWeather(3, 0));
    expect(await tableOf(run.store)).toEqual(await digestOf(await rowsAfter(run, both)));
  });

  it('leaves erased rows out where the whole file is replaced, and refuses where it would make them again', async () => {
    const { run, world } = await inOneCommit(2);
    const [first] = await replays(run, 2, world);
    const whole = await replayUnderFaults(
      planFor(run, 2, { asked: { from: null, to: null }, name: 'whole', faults: 0 }),
      kit,
      world,
    );
    const erasedSession = (await rowsOfTable(run.store))[0]?.session ?? '';
    const erase = (store: TableStore) =>
      eraseSessions({
        store,
        sessions: new Set([erasedSession]),
        erasure: '0b9f1c52-6f1e-4f0e-9c3e-5a2f2f6d7a10',
        now: () => 0,
        zstd: kit.zstd,
      });
    const erased = await erase(run.store);
    expect(erased).toMatchObject({ sessions: 1, filesRewritten: 1 });
    const { version } = await readTable({ store: run.store, zstd: kit.zstd });
    await expect(promoteUnderFaults(first, kit, world, newWeather(2, 0))).rejects.toThrow(
      /2026-03-31: rows were erased from a file there/u,
    );
    expect((await readTable({ store: run.store, zstd: kit.zstd })).version).toBe(version);

    await erase(whole.store);
    const before = (await tableOf(run.store)).rows;
    const promotion = await promoteUnderFaults(whole, kit, world, newWeather(2, 0));
    expect(promotion.removed).toBe(before);
    expect((await rowsOfTable(run.store)).some(({ session }) => session === erasedSession)).toBe(false);
    expect(await tableOf(run.store)).toEqual(await tableOf(whole.store));
  });

  it('refuses by date where the topic of an earlier replay was deleted', async () => {
    const { run, world } = await inOneCommit(1);
    const [first, second] = await replays(run, 1, world);
    await promoteUnderFaults(first, kit, world, newWeather(1, 0));
    const before = await tableOf(run.store);
    const connect = async (): Promise<EventLog> => withoutTopic(await world.connect(), 'interactions.sanitized.first');
    await expect(promoteUnderFaults(second, kit, { ...world, connect }, newWeather(1, 0))).rejects.toThrow(
      /2026-03-31(?:, 2026-04-01)?: what their rows came of is gone: there is no topic interactions\.sanitized\.first/u,
    );
    expect(await tableOf(run.store)).toEqual(before);
  });

  it('refuses by date where it cannot be told what rows came of, and changes nothing', async () => {
    const { run, world } = await inOneCommit(1);
    const [first] = await replays(run, 1, world);
    const before = await tableOf(run.store);
    const { version } = await readTable({ store: run.store, zstd: kit.zstd });
    const promoting = (connect: World['connect']): Promise<unknown> =>
      promoteUnderFaults(first, kit, { ...world, connect }, newWeather(1, 0));

    const ends = await run.log.endOffsets(TOPICS.sanitized);
    const expired = async () =>
      withExpired(
        await world.connect(),
        TOPICS.sanitized,
        ends.map((end) => end - 1),
      );
    await expect(promoting(expired)).rejects.toThrow(
      /2026-03-31(?:, 2026-04-01)?: what their rows came of has expired/u,
    );

    const lossy = async (): Promise<EventLog> => {
      const log = withExpired(await world.connect(), TOPICS.sanitized, []);
      return { ...log, read: async (request) => withoutLast(await log.read(request), request.topic) };
    };
    await expect(promoting(lossy)).rejects.toThrow(
      /: a file there holds other rows than interactions\.sanitized has for it/u,
    );

    const foreign = (date: string): Promise<boolean> => putForeign(run.store, date);
    await foreign('2020-01-01');
    expect(
      await promoteUnderFaults(
        { ...first, plan: { ...first.plan } },
        kit,
        { ...world, store: async () => copyOf(run.store) },
        newWeather(1, 0),
      ),
    ).toMatchObject({ already: false });
    await foreign('2026-04-01');
    await expect(promoting(() => world.connect())).rejects.toThrow(
      /2026-04-01: a file there was written by another tool/u,
    );
    expect(await tableOf(asOf(run.store, version))).toEqual(before);
  });
});

async function rowsOfTable(store: TableStore): Promise<TableRow[]> {
  const rows: TableRow[] = [];
  for await (const batch of (await readTable({ store, zstd: kit.zstd })).batches()) rows.push(...batch);
  return rows;
}

const datesOf = ({ files }: { readonly files: readonly { readonly date: string }[] }): string[] =>
  [...new Set(files.map(({ date }) => date))].toSorted();

const withoutLast = (fetched: Fetched, topic: string): Fetched =>
  topic === TOPICS.sanitized ? { ...fetched, records: fetched.records.slice(0, -1) } : fetched;

/** Another tool's file: it says nothing of where its rows come from. Nobody reads it here. */
async function putForeign(store: TableStore, date: string): Promise<boolean> {
  const version = (await store.list('_delta_log')).filter((name) => name.endsWith('.json')).length;
  const add = {
    path: `date=${date}/other.parquet`,
    partitionValues: { date },
    size: 1,
    modificationTime: 0,
    dataChange: true,
  };
  const bytes = new TextEncoder().encode(`${JSON.stringify({ add })}\n`);
  return await store.putIfAbsent(`_delta_log/${String(version).padStart(20, '0')}.json`, bytes);
}

/** Writes go to a copy. */
function copyOf(store: TableStore): TableStore {
  const copy = new MemoryStore();
  return {
    location: store.location,
    read: async (path) => (await copy.read(path)) ?? (await store.read(path)),
    list: async (folder, startAfter) =>
      [...new Set([...(await store.list(folder, startAfter)), ...(await copy.list(folder, startAfter))])].sort(),
    folders: async (folder) => [...new Set([...(await store.folders(folder)), ...(await copy.folders(folder))])].sort(),
    putIfAbsent: async (path, data) => (await store.read(path)) === undefined && (await copy.putIfAbsent(path, data)),
    put: (path, data) => copy.put(path, data),
    delete: (path) => copy.delete(path),
  };
}

/** A store whose writes take their time, so that others get theirs. */
const slow = (store: TableStore): TableStore => ({
  location: store.location,
  read: (path) => store.read(path),
  list: (folder, startAfter) => store.list(folder, startAfter),
  folders: (folder) => store.folders(folder),
  putIfAbsent: async (path, data) => {
    await turns(40);
    return await store.putIfAbsent(path, data);
  },
  put: (path, data) => store.put(path, data),
  delete: (path) => store.delete(path),
});

describe('live work at the same time', () => {
  it.each(seeds.slice(0, 4))('comes to what it would have come to alone: seed %i', (seed) =>
    told(seed, async () => {
      const alone = await liveRun(seed, inMemory());
      const world = inMemory();
      // The first part of the company's day is replayed while the line works on all of it.
      const together = liveRun(seed, world);
      let replaying: Promise<Replaying> | undefined;
      for (let left = 5_000; left > 0 && replaying === undefined; left--) {
        const log = await world.connect();
        const ends = await log.endOffsets(TOPICS.raw).catch(() => []);
        const keys = await log.endOffsets(TOPICS.keyring).catch(() => [0]);
        if (ends.reduce((a, b) => a + b, 0) > 20 && (keys[0] ?? 0) > 0)
          replaying = replayUnderFaults(planFor(alone, seed), kit, world);
        await log.close();
        await turns(1);
      }
      const run = await together;
      if (replaying === undefined) throw new Error('the company did not begin to work');
      const sanitized = actual(await readTopic(run.log, TOPICS.sanitized));
      expect(sanitized).toEqual(actual(await readTopic(alone.log, TOPICS.sanitized)));
      expect(await tableOf(run.store)).toEqual(await tableOf(alone.store));
      const done = await replaying;
      expect(actual(await releasedBy(run, done))).toEqual(await expected(run, done));
    }),
  );

  it.each(seeds.slice(0, 4))('goes on through a promotion: seed %i', (seed) =>
    told(seed, async () => {
      const world = inMemory();
      const run = await liveRun(seed, world, { erasure: false, policy: 'strict' });
      const { policy, vocabulary } = kit.policies.balanced;
      const plan = planFor(run, seed, {
        policy: { ...policy, session: run.tools.policy.session },
        vocabulary,
        faults: 0,
      });
      const replaying = await replayUnderFaults(plan, kit, world);
      // More of live comes while the replay is promoted: yesterday's records again, from another raw topic's place.
      const before = await readTopic(run.log, TOPICS.sanitized);
      const more = before.map(({ key, value, timestamp, headers }) => ({
        key,
        value,
        timestamp,
        headers: { ...headers, 'source-offset': String(1_000_000 + Number(headers['source-offset'])) },
      }));
      const live = await openTrainingTable({
        store: slow(await world.store()),
        topic: TOPICS.sanitized,
        flushRows: 5,
        now: () => 0,
        zstd: kit.zstd,
      });
      await run.log.append(TOPICS.sanitized, more);
      const telemetry = createTelemetry(silentLogger);
      const fetch = { maxRecords: 3, maxBytes: 10_000 };
      const [promotion] = await Promise.all([
        promoteUnderFaults(replaying, kit, world, newWeather(seed, 4)),
        runSink(
          { log: run.log, codec: kit.codec, sink: live, telemetry, fetch, flushSeconds: 0, now: () => 0 },
          { end: true, signal: new AbortController().signal },
        ),
      ]);
      await live.close();
      // Commits of the sink lie on both sides of the promotion.
      expect(promotion.version).toBeLessThan(live.version);
      expect(promotion.already || promotion.added > 0).toBe(true);
      const rows = outsideRows(await readTopic(run.log, TOPICS.sanitized), replaying);
      const wanted = await digestOf([...rows, ...rowsIn(await releasedBy(run, replaying))]);
      expect(await tableOf(await world.store())).toEqual(wanted);
    }),
  );
});

it('leaves the positions of live groups alone', async () => {
  const world = inMemory();
  const run = await liveRun(3, world);
  const positions = async (): Promise<unknown[]> =>
    await Promise.all(
      Array.from({ length: PARTITIONS }, async (_, partition) => [
        await run.log.committed(GROUPS.sanitize, { topic: TOPICS.raw, partition }),
        await run.log.committed(GROUPS.sink, { topic: TOPICS.sanitized, partition }),
      ]),
    );
  const before = await positions();
  await replayUnderFaults(planFor(run, 3), kit, world);
  expect(await positions()).toEqual(before);
});
