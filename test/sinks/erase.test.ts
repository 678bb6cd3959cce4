import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadZstd } from '../../src/events/zstd.ts';
import {
  createRowDigest,
  eraseSessions,
  FilesErasedError,
  openTrainingTable,
  readTable,
  tableDigest,
  withTable,
  type Erasure,
  type TableFile,
  type TableRow,
  type TableStore,
  type TrainingTable,
} from '../../src/sinks/index.ts';
import { renderCommit } from '../../src/sinks/training-table/actions.ts';
import { checkpointPath, commitPath, LAST_CHECKPOINT } from '../../src/sinks/training-table/delta-log.ts';
import { readRows } from '../../src/sinks/training-table/file-rows.ts';
import { MemoryStore, type StoreHooks } from '../helpers/memory-store.ts';
import { action, DAY, pseudonym, record } from '../helpers/released.ts';
import { allFiles, filesThatHold } from '../helpers/table-bytes.ts';
import { PLACES, type Place } from '../helpers/table-places.ts';

const TOPIC = 'interactions.sanitized';
const now = (): number => Date.UTC(2026, 10, 2);
const zstd = await loadZstd();
const ID = '0b9f1c52-6f1e-4f0e-9c3e-5a2f2f6d7a10';
const OTHER_ID = 'd1b8a7c4-2222-4f0e-9c3e-5a2f2f6d7a11';

/** Far from each other, so that none stands in another one's text by chance. */
const session = (n: number): string => pseudonym((n + 1) * 0x1000_0001);
const sessions = (...numbers: number[]): Set<string> => new Set(numbers.map(session));

const openSink = async (store: TableStore): Promise<TrainingTable> => {
  const sink = await openTrainingTable({ topic: TOPIC, now, store, zstd });
  await sink.resumeFrom(0);
  return sink;
};

/** One commit for each list of sessions; each session has three rows, those of odd ones on the next day. */
async function commitSessions(sink: TrainingTable, ...commits: readonly (readonly number[])[]): Promise<void> {
  for (const numbers of commits) {
    let offset = await sink.resumeFrom(0);
    await sink.write(numbers.map((n) => recordOf(offset++, n)));
    await sink.flush();
  }
}

const recordOf = (offset: number, n: number) =>
  record(0, offset, {
    session: session(n),
    subject: n % 3 === 0 ? pseudonym(0x7777_0000 + n) : null,
    day: DAY + (n % 2),
    actions: [0, 1, 2].map((i) =>
      action(offset * 3 + i, { app: `app ${n}`, target: i === 1 ? null : `target <${n}>` }),
    ),
  });

async function rowsOf(store: TableStore): Promise<TableRow[]> {
  const rows: TableRow[] = [];
  for await (const batch of (await readTable({ store, zstd })).batches()) rows.push(...batch);
  return rows;
}

const erase = (store: TableStore, from: ReadonlySet<string>, more: object = {}): Promise<Erasure> =>
  eraseSessions({ store, sessions: from, erasure: ID, now, zstd, ...more });

const inOrder = (rows: readonly TableRow[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

/** All that must hold of a table after an erasure, however it came about. */
async function expectErased(store: TableStore, before: readonly TableRow[], erased: ReadonlySet<string>) {
  expect(inOrder(await rowsOf(store))).toEqual(inOrder(before.filter((row) => !erased.has(row.session))));
  await expectNoTrace(store, before, erased);
  await expectNoOrphans(store);
}

/** Neither the pseudonyms of the sessions nor values that only their rows had. */
async function expectNoTrace(store: TableStore, before: readonly TableRow[], erased: ReadonlySet<string>) {
  const valuesOf = (rows: readonly TableRow[]) => new Set(rows.flatMap(({ subject, target }) => [subject, target]));
  const left = valuesOf(before.filter((row) => !erased.has(row.session)));
  const gone = [...valuesOf(before)].filter((value): value is string => value !== null && !left.has(value));
  // Each session has targets of its own.
  expect(gone.length > 0).toBe(before.some((row) => erased.has(row.session)));
  expect(await filesThatHold(store, [...erased, ...gone], zstd)).toEqual([]);
}

async function expectNoOrphans(store: TableStore): Promise<void> {
  const named = (await readTable({ store, zstd })).files.map(({ path }) => path);
  const there = (await allFiles(store)).filter((path) => !path.startsWith('_delta_log/'));
  expect(there.sort()).toEqual(named.toSorted());
}

const text = async (store: TableStore, path: string) => new TextDecoder().decode(await store.read(path));

for (const kind of PLACES) {
  describe.skipIf(kind.isLacking)(`erasing rows ${kind.title}`, () => {
    let place: Place;
    let store: TableStore;
    let connect: () => Promise<TableStore>;
    beforeAll(async () => {
      place = await kind.open();
    });
    afterAll(async () => {
      await place?.close();
    });
    beforeEach(async () => {
      const table = await place.table();
      connect = () => table.connect();
      store = await connect();
    });

    test('rows leave, the others stay as they were, old files and what the log told of them are gone', async () => {
      await commitSessions(await openSink(store), [1, 2, 4], [3, 5], [7], [8, 2]);
      const before = await rowsOf(store);
      const marks = (await readTable({ store, zstd })).marks;
      const untouched = (await readTable({ store, zstd })).files.find((file) => file.sanitized?.get(0)?.[0] === 3);

      const result = await erase(store, sessions(2, 7, 99));

      expect(result).toEqual({ rows: 9, sessions: 2, filesRewritten: 2, filesDeleted: 3, version: 5 });
      await expectErased(store, before, sessions(2, 7));
      const after = await readTable({ store, zstd });
      for (const [mark, value] of marks) expect(after.marks.get(mark)).toBe(value);
      expect(after.files.map(({ path }) => path)).toContain(untouched?.path);
      expect(after.rowCount).toBe(before.length - 9);
      const commit = await text(store, commitPath(5));
      expect(JSON.parse(commit.split('\n')[0] ?? '')).toMatchObject({
        commitInfo: { operation: 'DELETE', operationParameters: { erasure: ID } },
      });
    });

    test('without such rows nothing is committed and no file touched', async () => {
      await commitSessions(await openSink(store), [1, 2]);
      const before = await allFiles(store);
      const result = await erase(store, sessions(9));
      expect(result).toEqual({ rows: 0, sessions: 0, filesRewritten: 0, filesDeleted: 0, version: null });
      expect(await allFiles(store)).toEqual(before);
    });

    test('of a table that is not there nothing is erased, and none is made', async () => {
      expect(await erase(store, sessions(9))).toMatchObject({ rows: 0, version: null });
      expect(await allFiles(store)).toEqual([]);
    });

    test('a second call finds it done and reports the same rows', async () => {
      await commitSessions(await openSink(store), [1, 2], [2]);
      const first = await erase(store, sessions(2));
      const files = await allFiles(store);
      expect(await erase(store, sessions(2))).toEqual({ ...first, filesDeleted: 0 });
      expect(await allFiles(store)).toEqual(files);
    });

    test('the log of many commits: older checkpoints leave, commits stay, readers and sinks go on', async () => {
      const sink = await openSink(store);
      await commitSessions(sink, ...Array.from({ length: 23 }, (_, n) => [n]));
      const before = await rowsOf(store);
      await erase(store, sessions(3, 20));
      await expectErased(store, before, sessions(3, 20));
      const names = await store.list('_delta_log');
      expect(names.filter((name) => name.includes('.checkpoint'))).toEqual([
        checkpointPath(24).slice('_delta_log/'.length),
      ]);
      expect(names.filter((name) => name.endsWith('.json'))).toHaveLength(25);
      // The files that stay have kept their statistics, in the checkpoint.
      for (let version = 0; version <= 24; version++) await store.delete(commitPath(version));
      expect((await readTable({ store, zstd })).files.every(({ rows }) => rows === 3)).toBe(true);
      await commitSessions(await openSink(await connect()), [40], [41]);
      expect((await rowsOf(store)).length).toBe(before.length);
    });

    test('files that no commit names any more, or none ever did, are deleted if they hold such rows', async () => {
      await commitSessions(await openSink(store), [1, 2], [2, 4]);
      const [odd, even] = (await readTable({ store, zstd })).files.map(({ path }) => path);
      // Another tool has removed a file without deleting it; a sink died before its commit.
      const remove = { path: odd, deletionTimestamp: 1, dataChange: false };
      await store.putIfAbsent(commitPath(3), renderCommit([{ remove }]));
      await store.putIfAbsent(
        'date=2026-12-01/part-a.zstd.parquet',
        (await store.read(even ?? '')) ?? new Uint8Array(),
      );
      const left = await rowsOf(store);
      const gone = new Set((await rowsOf(store)).map((row) => row.session));
      expect(gone.size).toBeGreaterThan(0);
      const everyone = sessions(1, 2, 4);
      await erase(store, everyone);
      await expectErased(store, left, everyone);
    });

    test('a sink that held the table before goes on after it, whatever it had staged', async () => {
      const sink = await openSink(await connect());
      await commitSessions(sink, [1, 2]);
      await sink.write([recordOf(2, 3)]);
      await erase(store, sessions(2));
      await sink.flush();
      await commitSessions(sink, ...Array.from({ length: 20 }, (_, n) => [10 + n]));
      await sink.close();
      expect(sink.counts.failedCheckpoints).toBe(0);
      const found = new Set((await rowsOf(store)).map((row) => row.session));
      expect(found).toEqual(sessions(1, 3, ...Array.from({ length: 20 }, (_, n) => 10 + n)));
      expect(await filesThatHold(store, sessions(2), zstd)).toEqual([]);
      await expectNoOrphans(store);
    });
  });
}

/** A process that dies before or after its `step`th operation on the store. */
function mortal(files: Map<string, Uint8Array>, step: number, when: 'before' | 'after'): MemoryStore {
  let steps = 0;
  const die = (): void => {
    throw new Error('the process is dead');
  };
  return new MemoryStore(files, {
    before: () => {
      steps++;
      if (steps > step || (steps === step && when === 'before')) die();
    },
    after: () => {
      if (steps >= step) die();
    },
  });
}

/** With a checkpoint, files that leave whole and such that are rewritten; also one of an older version, and one of nobody. */
async function makeTable(hasLeftovers = false): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const store = new MemoryStore(files);
  const sink = await openSink(store);
  await commitSessions(sink, ...Array.from({ length: 11 }, (_, n) => [n, n + 1]), [30], [30, 32]);
  if (!hasLeftovers) return files;
  const [oldest] = (await readTable({ store, zstd })).files;
  await store.put('date=2026-11-01/part-dead.zstd.parquet', (await store.read(oldest?.path ?? '')) ?? new Uint8Array());
  const remove = { path: oldest?.path, deletionTimestamp: now(), dataChange: true };
  await store.putIfAbsent(commitPath(14), renderCommit([{ remove }]));
  return files;
}

const copyOf = (files: ReadonlyMap<string, Uint8Array>) => new Map(files);

describe('killed', () => {
  const erased = sessions(...Array.from({ length: 6 }, (_, n) => 2 * n), 30);

  test.each(['before', 'after'] as const)(
    '%s each step, another call ends in the same state',
    { timeout: 120_000 },
    async (when) => {
      const table = await makeTable(true);
      const before = await rowsOf(new MemoryStore(table));
      const whole = copyOf(table);
      const once = await erase(new MemoryStore(whole), erased);
      const rows = before.filter((row) => erased.has(row.session)).length;
      expect(once).toMatchObject({ rows, version: 15 });
      let deaths = 0;
      for (let step = 1; ; step++) {
        const files = copyOf(table);
        const died = await erase(mortal(files, step, when), erased).then(
          () => false,
          () => true,
        );
        if (!died) break;
        deaths++;
        const store = new MemoryStore(files);
        const again = await erase(store, erased);
        expect({ step, ...again, filesDeleted: 0 }).toEqual({ step, ...once, filesDeleted: 0 });
        await expectErased(store, before, erased);
        expect((await readTable({ store, zstd })).version).toBe(15);
        expect([...files.keys()].filter((path) => path.startsWith('_delta_log')).sort()).toEqual(
          [...whole.keys()].filter((path) => path.startsWith('_delta_log')).sort(),
        );
      }
      expect(deaths).toBeGreaterThan(60);
    },
  );

  test(
    'and never taken up again, it leaves a table that can be read, with all rows or without the erased',
    { timeout: 60_000 },
    async () => {
      const table = await makeTable(true);
      const before = inOrder(await rowsOf(new MemoryStore(table)));
      const after = before.filter((row) => ![...erased].some((session) => row.includes(session)));
      const seen = new Set<number>();
      for (let step = 1; ; step++) {
        const files = copyOf(table);
        const died = await erase(mortal(files, step, 'before'), erased).then(
          () => false,
          () => true,
        );
        if (!died) break;
        const rows = inOrder(await rowsOf(new MemoryStore(files)));
        seen.add(rows.length);
        expect(rows).toEqual(rows.length === before.length ? before : after);
      }
      expect(seen).toEqual(new Set([before.length, after.length]));
    },
  );
});

describe('at the same time', () => {
  /** Runs `meanwhile` once, before the erasure's `step`th operation. */
  function interrupted(files: Map<string, Uint8Array>, step: number, meanwhile: () => Promise<void>) {
    let steps = 0;
    const hooks: StoreHooks = {
      before: async () => {
        if (++steps === step) await meanwhile();
      },
    };
    return { store: new MemoryStore(files, hooks), reached: () => steps >= step };
  }

  test(
    'a sink commits before any step: its rows are there, and those that came before the commit are found',
    { timeout: 120_000 },
    async () => {
      const table = await makeTable();
      let found = 0;
      for (let step = 1; ; step++) {
        const files = copyOf(table);
        const sink = await openSink(new MemoryStore(files));
        const before = await rowsOf(new MemoryStore(files));
        const { store, reached } = interrupted(files, step, () => commitSessions(sink, [50, 30]));
        const first = await erase(store, sessions(30));
        if (!reached()) break;
        if (first.rows === 9) found++;
        const all = [...before, ...(await rowsOf(new MemoryStore(files))).filter((row) => row.session === session(50))];
        // Rows that a sink adds after the commit are the next call's.
        const second = await erase(new MemoryStore(files), sessions(30));
        expect({ step, rows: second.rows }).toEqual({ step, rows: 9 });
        await expectErased(new MemoryStore(files), all, sessions(30));
        expect(all.length).toBe(before.length + 3);
        await commitSessions(sink, [60]);
      }
      expect(found).toBeGreaterThan(10);
    },
  );

  test(
    'a sink has staged its files and not committed them: it stages them again, and loses nothing',
    { timeout: 120_000 },
    async () => {
      const table = await makeTable();
      const files = copyOf(table);
      let isErased = false;
      const staging = new MemoryStore(files, {
        before: async (operation, path) => {
          if (isErased || operation !== 'putIfAbsent' || path !== commitPath(14)) return;
          isErased = true;
          await erase(new MemoryStore(files), sessions(30));
        },
      });
      const sink = await openSink(staging);
      await commitSessions(sink, [30, 51]);
      expect([isErased, sink.counts.conflicts]).toEqual([true, 1]);
      const late = (await rowsOf(new MemoryStore(files))).map((row) => row.session);
      expect(late.filter((name) => name === session(51))).toHaveLength(3);
      expect(late.filter((name) => name === session(30))).toHaveLength(3);
      await erase(new MemoryStore(files), sessions(30));
      expect(await filesThatHold(new MemoryStore(files), sessions(30), zstd)).toEqual([]);
      await expectNoOrphans(new MemoryStore(files));
    },
  );

  test('a sink writes its checkpoint late: it takes it back', async () => {
    const files = new Map<string, Uint8Array>();
    const slow = new MemoryStore(files, {
      before: async (operation, path) => {
        if (operation === 'putIfAbsent' && path === checkpointPath(10))
          await erase(new MemoryStore(files), sessions(4));
      },
    });
    const sink = await openSink(slow);
    await commitSessions(sink, ...Array.from({ length: 10 }, (_, n) => [n]));
    const store = new MemoryStore(files);
    expect(await filesThatHold(store, sessions(4), zstd)).toEqual([]);
    expect((await rowsOf(store)).length).toBe(27);
    expect(files.has(LAST_CHECKPOINT) && (await text(store, LAST_CHECKPOINT)).includes('"version":10')).toBe(false);
  });

  test('its own checkpoint is taken back for a later erasure: then the older ones stay', async () => {
    const files = await makeTable();
    // Without it nobody can read the table.
    for (let version = 0; version <= 10; version++) files.delete(commitPath(version));
    let isStopped = false;
    const slow = new MemoryStore(files, {
      before: async (operation, path) => {
        if (isStopped || operation !== 'putIfAbsent' || !path.includes('.checkpoint')) return;
        isStopped = true;
        const until = new AbortController();
        const killed = new MemoryStore(files, {
          // Right after its commit, before it looks into the log.
          after: (did, at) => {
            if (did === 'putIfAbsent' && at.endsWith('.json')) until.abort();
          },
        });
        await erase(killed, sessions(32), { erasure: OTHER_ID, signal: until.signal }).catch(() => undefined);
      },
    });
    await erase(slow, sessions(4));
    expect(isStopped).toBe(true);
    expect(files.has(checkpointPath(10))).toBe(true);
    const store = new MemoryStore(files);
    expect((await rowsOf(store)).length).toBeGreaterThan(0);
    await erase(store, sessions(32), { erasure: OTHER_ID });
    expect(files.has(checkpointPath(10))).toBe(false);
    expect(await filesThatHold(store, sessions(4, 32), zstd)).toEqual([]);
  });

  test('a reader whose checkpoint goes while it opens the table reads the one in its place', async () => {
    const files = await makeTable();
    let readings = 0;
    const slow = new MemoryStore(files, {
      before: async (operation, path) => {
        if (operation !== 'read' || path !== checkpointPath(10) || readings++ > 0) return;
        await erase(new MemoryStore(files), sessions(30));
      },
    });
    const view = await readTable({ store: slow, zstd });
    expect([readings, view.version]).toEqual([1, 14]);
  });

  test('a commit whose answer was lost is known again, though its statistics are gone by now', async () => {
    const files = new Map<string, Uint8Array>();
    let isLost = false;
    const sink = await openSink(
      new MemoryStore(files, {
        after: async (operation, path) => {
          if (operation !== 'putIfAbsent' || path !== commitPath(1) || isLost) return;
          isLost = true;
          await erase(new MemoryStore(files), sessions(2));
          throw new Error('connection reset');
        },
      }),
    );
    await commitSessions(sink, [2, 4], [6]);
    expect((await rowsOf(new MemoryStore(files))).map((row) => row.session).sort()).toEqual(
      [4, 4, 4, 6, 6, 6].map(session),
    );
  });

  test(
    'two erasures of different sessions, one in the middle of the other, both get through',
    { timeout: 120_000 },
    async () => {
      const table = await makeTable();
      const before = await rowsOf(new MemoryStore(table));
      let steps = 0;
      for (let step = 1; ; step++) {
        const files = copyOf(table);
        const { store, reached } = interrupted(files, step, async () => {
          await erase(new MemoryStore(files), sessions(2, 30), { erasure: OTHER_ID });
        });
        await erase(store, sessions(4, 32));
        if (!reached()) break;
        steps++;
        await expectErased(new MemoryStore(files), before, sessions(2, 4, 30, 32));
      }
      expect(steps).toBeGreaterThan(40);
    },
  );

  test('a reader whose files go starts again on the new version, and a damaged table stays an error', async () => {
    const files = await makeTable();
    const store = new MemoryStore(files);
    const view = await readTable({ store, zstd });
    const first = await view.batches().next();
    expect(first.done).toBe(false);
    const whole = await tableDigest(view);
    await erase(store, sessions(6));
    await expect(tableDigest(view)).rejects.toThrow(FilesErasedError);

    let readings = 0;
    const rows = await withTable({ store, zstd }, async (table) => {
      if (readings++ === 0) await erase(store, sessions(8), { erasure: OTHER_ID });
      return (await tableDigest(table)).rows;
    });
    expect([readings, rows]).toEqual([2, whole.rows - 12]);
    files.delete((await readTable({ store, zstd })).files[0]?.path ?? '');
    await expect(withTable({ store, zstd }, tableDigest)).rejects.toThrow(/is gone: restore it/u);
  });
});

describe('any table', () => {
  const table = fc.array(fc.array(fc.integer({ min: 0, max: 14 }), { minLength: 1, maxLength: 5 }), { maxLength: 14 });
  const wanted = fc.uniqueArray(fc.integer({ min: 0, max: 16 }), { maxLength: 8 });

  test(
    'has, after any erasure, the same other rows in the same order, and nothing of the erased',
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(table, wanted, async (commits, numbers) => {
          const store = new MemoryStore();
          await commitSessions(await openSink(store), ...commits);
          const erased = sessions(...numbers);
          const before = await readTable({ store, zstd });
          const rowsBefore = await rowsOf(store);
          const expected = new Map<string, TableRow[]>();
          const rest = createRowDigest();
          let rows = 0;
          for (const file of before.files) {
            const all = await fileRows(store, file);
            const kept = all.filter((row) => !erased.has(row.session));
            rows += all.length - kept.length;
            for (const row of kept) rest.add(row);
            if (kept.length > 0) expected.set(placeOf(file), kept);
          }
          const result = await erase(store, erased);
          const after = await readTable({ store, zstd });
          const found = new Map<string, TableRow[]>();
          for (const file of after.files) found.set(placeOf(file), await fileRows(store, file));
          expect(found).toEqual(expected);
          expect(await tableDigest(after)).toEqual(rest.result());
          expect(result.rows).toBe(rows);
          expect(result.version).toBe(rows === 0 ? null : commits.length + 1);
          await expectNoTrace(store, rowsBefore, erased);
          await expectNoOrphans(store);
        }),
        { numRuns: 40 },
      );
    },
  );

  /** Each file has records of its own. */
  const placeOf = ({ date, sanitized }: TableFile): string => `${date} ${JSON.stringify([...(sanitized ?? [])])}`;

  async function fileRows(store: TableStore, { path, date }: TableFile): Promise<TableRow[]> {
    const rows: TableRow[] = [];
    const bytes = (await store.read(path)) ?? new Uint8Array();
    for await (const chunk of readRows(bytes, zstd)) for (const row of chunk) rows.push({ ...row, date } as TableRow);
    return rows;
  }
});

test('what other tools wrote into the log is taken out as well', async () => {
  const store = new MemoryStore();
  await commitSessions(await openSink(store), [1, 2]);
  const commitInfo = {
    timestamp: 5,
    operation: 'DELETE',
    operationParameters: { predicate: `session = '${session(2)}'` },
  };
  await store.putIfAbsent(commitPath(2), renderCommit([{ commitInfo }]));
  await store.put('_delta_log/00000000000000000001.crc', new TextEncoder().encode(session(2)));
  await erase(store, sessions(2));
  expect(await filesThatHold(store, sessions(2), zstd)).toEqual([]);
  expect(JSON.parse(await text(store, commitPath(2)))).toEqual({ commitInfo: { timestamp: 5, operation: 'DELETE' } });
});

test('a checksum that Hadoop keeps of a commit goes with what it was of', async () => {
  const store = new MemoryStore();
  await commitSessions(await openSink(store), [1, 2], [4]);
  const checksumOf = (version: number) => commitPath(version).replace('/', '/.').concat('.crc');
  for (const version of [1, 2]) await store.put(checksumOf(version), new Uint8Array(4));
  await erase(store, sessions(2));
  const names = await store.list('_delta_log');
  expect(names.filter((name) => name.endsWith('.crc'))).toEqual([checksumOf(2).slice('_delta_log/'.length)]);
});

test('a file that the table names and that is lost stops the erasure before it commits', async () => {
  const store = new MemoryStore();
  await commitSessions(await openSink(store), [1, 2], [2]);
  store.files.delete((await readTable({ store, zstd })).files[0]?.path ?? '');
  const before = copyOf(store.files);
  await expect(erase(store, sessions(1, 2))).rejects.toThrow(/cannot be read: restore it/u);
  expect(store.files.has(commitPath(3))).toBe(false);
  for (const [path, bytes] of before) expect(store.files.get(path)).toEqual(bytes);
});

test('files of many row groups keep their order', { timeout: 60_000 }, async () => {
  const store = new MemoryStore();
  const sink = await openSink(store);
  const many = (n: number, count: number) => ({
    session: session(n),
    actions: Array.from({ length: count }, (_, i) => action(i, { app: `app ${(i * 7 + n) % 11}` })),
  });
  await sink.write([record(0, 0, many(1, 70_000)), record(0, 1, many(2, 10)), record(0, 2, many(3, 70_001))]);
  await sink.close();
  const before = await rowsOf(store);
  expect(await erase(store, sessions(2))).toMatchObject({ rows: 10, filesRewritten: 1 });
  const after = await rowsOf(store);
  expect(after).toHaveLength(140_001);
  const isSame = after.every((row, i) => JSON.stringify(row) === JSON.stringify(before[i < 70_000 ? i : i + 10]));
  expect(isSame).toBe(true);
});

test('a file that nobody can read does not keep the rows, but is told', async () => {
  const store = new MemoryStore();
  await commitSessions(await openSink(store), [1, 2]);
  await store.put('date=2026-11-01/part-half.zstd.parquet', new Uint8Array(8));
  await expect(erase(store, sessions(2))).rejects.toThrow(/1 files there that no commit names cannot be read/u);
  expect(await filesThatHold(store, sessions(2), zstd).catch(() => 'unreadable')).toBe('unreadable');
  await store.delete('date=2026-11-01/part-half.zstd.parquet');
  expect(await erase(store, sessions(2))).toMatchObject({ rows: 3 });
  expect(await filesThatHold(store, sessions(2), zstd)).toEqual([]);
});

test('what is no pseudonym or no id is refused without being named', async () => {
  const store = new MemoryStore();
  await expect(erase(store, new Set(['mary']))).rejects.toThrow(/^A session to erase is not the pseudonym of one\.$/u);
  await expect(erase(store, sessions(1), { erasure: 'mary' })).rejects.toThrow(/UUID/u);
});

test('an aborted call stops, and another goes on', async () => {
  const files = await makeTable();
  const before = await rowsOf(new MemoryStore(files));
  const stop = new AbortController();
  const store = new MemoryStore(files, {
    before: (operation) => {
      if (operation === 'delete') stop.abort(new Error('stopped'));
    },
  });
  await expect(erase(store, sessions(30), { signal: stop.signal })).rejects.toThrow('stopped');
  await erase(new MemoryStore(files), sessions(30));
  await expectErased(new MemoryStore(files), before, sessions(30));
});
