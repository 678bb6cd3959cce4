import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EventLog } from '../../../src/log/event-log.ts';
import { abandonReplay } from '../../../src/runtime/replay/abandon.ts';
import { compareReplay } from '../../../src/runtime/replay/compare.ts';
import { changeManifest, readManifest } from '../../../src/runtime/replay/manifest.ts';
import { replayNames } from '../../../src/runtime/replay/names.ts';
import { promote } from '../../../src/runtime/replay/promote.ts';
import { startReplay, workOnReplay, type ReplayRequest, type ReplayTools } from '../../../src/runtime/replay/run.ts';
import { watchLine } from '../../../src/runtime/steward/erase.ts';
import { TOPICS } from '../../../src/runtime/topics.ts';
import { Random } from '../../../src/producers/simulator/random.ts';
import { readTable } from '../../../src/sinks/index.ts';
import { MemoryStore } from '../../helpers/memory-store.ts';
import { loadKit, runLine, type Finished, type Kit, type World } from '../../simulation/harness.ts';
import { readTopic } from '../../simulation/oracle.ts';
import { planOf } from '../../simulation/plan.ts';
import { toolsOf, withExpired } from '../../simulation/replaying.ts';
import { inMemory } from '../../simulation/worlds.ts';

let kit: Kit;
let run: Finished;
let world: World;
beforeAll(async () => {
  kit = await loadKit();
});
beforeEach(async () => {
  world = inMemory();
  run = await runLine(
    { ...planOf(3), consentFirst: true, keysFirst: true, faults: 0, sinks: 1, people: 3, minutes: 2 },
    kit,
    world,
  );
});

const forever = { signal: new AbortController().signal };

const requestOf = (): ReplayRequest => ({
  name: 'trial',
  asked: { from: null, to: null },
  policy: run.tools.policy,
  vocabulary: run.tools.vocabulary,
  table: 'tables/trial',
  allowExpired: false,
});

const tools = (log: EventLog, store: MemoryStore): Promise<ReplayTools> =>
  toolsOf(kit, log, run.tools, store, new Random(1, 'tools'));

describe('a replay that cannot be finished', () => {
  it('is abandoned by whoever finds out: no erasure waits for it, and nobody goes on with it', async () => {
    const store = new MemoryStore();
    const manifest = await startReplay(requestOf(), await tools(run.log, store));
    expect(await watchLine(run.log).waitsFor({ erasureId: 'e', requestedAt: 1 })).toBe('replay');
    const gone = (await run.log.endOffsets(TOPICS.raw)).map((end) => end - 1);
    const late = await tools(withExpired(await world.connect(), TOPICS.raw, gone), store);
    await expect(workOnReplay(requestOf(), manifest, late, forever)).rejects.toThrow(
      /cannot be finished\. It is abandoned: start another/u,
    );

    const abandoned = await readManifest(run.log, 'trial');
    expect(abandoned.state).toBe('abandoned');
    expect(await watchLine(run.log).waitsFor({ erasureId: 'e', requestedAt: 1 })).toBeUndefined();
    const again = await tools(run.log, store);
    await expect(startReplay(requestOf(), again)).rejects.toThrow('the replay trial was abandoned');
    await expect(workOnReplay(requestOf(), manifest, again, forever)).rejects.toThrow('was abandoned');
    const { codec, zstd } = kit;
    const both = { live: run.store, replay: store, now: () => 0 };
    await expect(promote(abandoned, { logs: again.logs, codec, zstd, ...both })).rejects.toThrow('was abandoned');
    const compared = compareReplay({ log: run.log, rawLog: run.log, codec, manifest: abandoned });
    await expect(compared).rejects.toThrow('was abandoned');
  });

  it('stays what it was when it cannot be abandoned either, and the error says what to do', async () => {
    const store = new MemoryStore();
    const manifest = await startReplay(requestOf(), await tools(run.log, store));
    const gone = (await run.log.endOffsets(TOPICS.raw)).map((end) => end - 1);
    const late = await tools(withExpired(await world.connect(), TOPICS.raw, gone), store);
    const away = { ...late, openStore: () => Promise.reject(new Error('the store is away')) };
    await expect(workOnReplay(requestOf(), manifest, away, forever)).rejects.toThrow(
      /`redactory replay abandon trial` ends it/u,
    );
    expect((await readManifest(run.log, 'trial')).state).toBe('running');
  });
});

/** The log of a worker that falls asleep right before its transactions of that group, until it is woken. */
function asleep(log: EventLog, group: string): { log: EventLog; sleeping: Promise<void>; wake(): void } {
  let wake = (): void => {};
  const woken = new Promise<void>((resolve) => (wake = resolve));
  let sleeps = (): void => {};
  const sleeping = new Promise<void>((resolve) => (sleeps = resolve));
  const whole = withExpired(log, TOPICS.raw, []);
  const transactional: EventLog['transactional'] = async (id) => {
    const producer = await log.transactional(id);
    if (!id.startsWith(`${group}/`)) return producer;
    return {
      transactionalId: id,
      close: () => producer.close(),
      begin: async () => {
        sleeps();
        await woken;
        return await producer.begin();
      },
    };
  };
  return { log: { ...whole, transactional }, sleeping, wake };
}

const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing failed',
    (error: unknown) => (error instanceof Error ? error.message : 'unknown'),
  );

describe('who still works on a replay that is abandoned', () => {
  it('as a sanitizer releases nothing more, and ends', async () => {
    const store = new MemoryStore();
    const { sanitizer } = replayNames('trial');
    const worker = asleep(await world.connect(), sanitizer.group);
    const own = await tools(worker.log, store);
    const manifest = await startReplay(requestOf(), await tools(run.log, store));
    const owners = (await readTopic(run.log, TOPICS.owners)).length;
    const working = failureOf(workOnReplay(requestOf(), manifest, own, forever));
    await worker.sleeping;
    await abandonReplay('trial', await tools(run.log, store));
    worker.wake();
    expect(await working).toContain('was abandoned');
    expect(await readTopic(run.log, sanitizer.sanitized)).toEqual([]);
    expect(await readTopic(run.log, TOPICS.owners)).toHaveLength(owners);
  });

  it('as a sink adds no row, and leaves no file', async () => {
    let isAsleep = (): void => {};
    const sleeping = new Promise<void>((resolve) => (isAsleep = resolve));
    let wake = (): void => {};
    const woken = new Promise<void>((resolve) => (wake = resolve));
    const files = new Map<string, Uint8Array>();
    const slow = new MemoryStore(files, {
      before: async (operation, path) => {
        if (operation !== 'putIfAbsent' || !path.endsWith('00001.json')) return;
        isAsleep();
        await woken;
      },
    });
    const own = await tools(await world.connect(), slow);
    const store = new MemoryStore(files);
    const manifest = await startReplay(requestOf(), own);
    const working = failureOf(workOnReplay(requestOf(), manifest, own, forever));
    await sleeping;
    await abandonReplay('trial', await tools(run.log, store));
    wake();
    expect(await working).toContain('is closed');
    expect((await readTable({ store })).rowCount).toBe(0);
    expect([...files.keys()].filter((path) => path.endsWith('.parquet'))).toEqual([]);
  });
});

it('is abandoned in any order of crashes: begun again, it comes to its end', async () => {
  const store = new MemoryStore();
  await startReplay(requestOf(), await tools(run.log, store));
  for (let at = 0, isDone = false; !isDone; at++) {
    let left = at;
    const crash = withExpired(run.log, TOPICS.raw, []);
    const transactional: EventLog['transactional'] = async (id) => {
      if (left-- === 0) throw new Error('killed');
      return await run.log.transactional(id);
    };
    const dying = await tools({ ...crash, transactional }, store);
    isDone = await abandonReplay('trial', dying).then(
      () => true,
      () => false,
    );
    const waits = await watchLine(run.log).waitsFor({ erasureId: 'e', requestedAt: 1 });
    expect(waits).toBe(isDone ? undefined : 'replay');
  }
  expect((await readManifest(run.log, 'trial')).state).toBe('abandoned');
});

it('whose start was killed before its topics were made is abandoned all the same', async () => {
  const own = await tools(run.log, new MemoryStore());
  const killed: EventLog['createTopics'] = async (specs) => {
    if (specs.some(({ name }) => name.endsWith('.trial'))) throw new Error('killed');
    await run.log.createTopics(specs);
  };
  const operator = { ...withExpired(run.log, TOPICS.raw, []), createTopics: killed };
  await expect(startReplay(requestOf(), { ...own, logs: { ...own.logs, operator } })).rejects.toThrow('killed');
  expect((await readManifest(run.log, 'trial')).state).toBe('running');
  expect(await abandonReplay('trial', own)).toMatchObject({ state: 'abandoned' });
  expect(await watchLine(run.log).waitsFor({ erasureId: 'e', requestedAt: 1 })).toBeUndefined();
});

it('whose table is not there is not abandoned unless its table is said to be lost', async () => {
  const store = new MemoryStore();
  const own = await tools(run.log, store);
  const manifest = await startReplay(requestOf(), own);
  await workOnReplay(requestOf(), manifest, own, forever);
  await changeManifest(run.log, 'trial', async (now) => (now === undefined ? now : { ...now, state: 'running' }));
  const elsewhere = { ...own, openStore: async () => new MemoryStore() };
  await expect(abandonReplay('trial', elsewhere)).rejects.toThrow(
    /the table of the replay trial is not at tables\/trial/u,
  );
  expect((await readManifest(run.log, 'trial')).state).toBe('running');
  expect(await abandonReplay('trial', { ...elsewhere, isTableLost: true })).toMatchObject({ state: 'abandoned' });
});
