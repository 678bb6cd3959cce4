import { expect, test } from 'vitest';
import { loadZstd } from '../../src/events/zstd.ts';
import { eraseSessions, openTrainingTable, promoteReplay, readTable, tableDigest } from '../../src/sinks/index.ts';
import { commitPath } from '../../src/sinks/training-table/delta-log.ts';
import { MemoryStore, type StoreOperation } from '../helpers/memory-store.ts';
import { action, pseudonym, record } from '../helpers/released.ts';
import { allFiles } from '../helpers/table-bytes.ts';

const zstd = await loadZstd();
const now = (): number => 0;
const erasure = '0b9f1c52-6f1e-4f0e-9c3e-5a2f2f6d7a10';
const sessions = new Set([pseudonym(1)]);

async function tableOf(...numbers: number[]): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const sink = await openTrainingTable({ store: new MemoryStore(files), topic: 'interactions.sanitized', now, zstd });
  await sink.resumeFrom(0);
  await sink.write(numbers.map((n, i) => record(0, i, { session: pseudonym(n), actions: [action(0), action(1)] })));
  await sink.close();
  return files;
}

test('a promotion during which rows are erased brings none of them back, and leaves no file', async () => {
  const live = await tableOf(1, 2);
  const replay = await tableOf(1, 3);
  let isErased = false;
  const store = new MemoryStore(live, {
    before: async (operation, path) => {
      if (isErased || operation !== 'putIfAbsent' || path !== commitPath(2)) return;
      isErased = true;
      await eraseSessions({ store: new MemoryStore(live), sessions, erasure, now, zstd });
    },
  });
  const promotion = promoteReplay({
    live: store,
    replay: new MemoryStore(replay),
    name: 'again',
    stretch: {},
    judge: async () => ({ kind: 'outside' }),
    now,
    zstd,
  });
  await expect(promotion).rejects.toThrow(
    /Rows were erased from memory or the replay's own table while the replay was promoted/u,
  );
  const view = await readTable({ store: new MemoryStore(live), zstd });
  expect([view.version, (await tableDigest(view)).rows]).toEqual([2, 2]);
  const data = (await allFiles(new MemoryStore(live))).filter((path) => path.endsWith('.zstd.parquet'));
  expect(data).toEqual(view.files.map(({ path }) => path));
});

const promoteInto = (live: MemoryStore, replay: MemoryStore): ReturnType<typeof promoteReplay> =>
  promoteReplay({ live, replay, name: 'again', stretch: {}, judge: async () => ({ kind: 'outside' }), now, zstd });

/** As an erasure does it: the replay's table first, then the live one. */
async function eraseBoth(live: Map<string, Uint8Array>, replay: Map<string, Uint8Array>): Promise<void> {
  for (const files of [replay, live]) {
    await eraseSessions({ store: new MemoryStore(files), sessions, erasure, now, zstd });
  }
}

test.each([
  ['after it has read a file of the replay, and before that lies beside the live ones', 'live', 'putIfAbsent'],
  ['before it reads a file of the replay', 'replay', 'read'],
] as const)('rows that are erased from the replay %s do not come back', async (_when, side, operation) => {
  // The live table has none of them: nothing moves there.
  const live = await tableOf(2);
  const replay = await tableOf(1, 3);
  let isErased = false;
  const erasing = async (of: StoreOperation, path: string): Promise<void> => {
    if (isErased || of !== operation || !path.endsWith('.parquet')) return;
    isErased = true;
    await eraseBoth(live, replay);
  };
  const stores = {
    live: new MemoryStore(live, side === 'live' ? { before: erasing } : {}),
    replay: new MemoryStore(replay, side === 'replay' ? { before: erasing } : {}),
  };
  await expect(promoteInto(stores.live, stores.replay)).rejects.toThrow(/Rows were erased from memory or/u);
  const data = (await allFiles(new MemoryStore(live))).filter((path) => path.endsWith('.zstd.parquet'));
  expect(data).toEqual((await readTable({ store: new MemoryStore(live), zstd })).files.map(({ path }) => path));

  const { added } = await promoteInto(new MemoryStore(live), new MemoryStore(replay));
  expect(added).toBe(2);
  expect((await tableDigest(await readTable({ store: new MemoryStore(live), zstd }))).rows).toBe(4);
});

test('a promotion is told how many rows were erased from a file', async () => {
  const live = await tableOf(1, 2);
  const store = new MemoryStore(live);
  await eraseSessions({ store, sessions, erasure, now, zstd });
  const told: object[] = [];
  await promoteReplay({
    live: store,
    replay: new MemoryStore(await tableOf(3)),
    name: 'again',
    stretch: {},
    judge: async ({ rows, erased }) => {
      told.push({ rows, erased });
      return { kind: 'outside' };
    },
    now,
    zstd,
  });
  expect(told).toEqual([{ rows: 2, erased: 2 }]);
});
