/** A replay whose last records are readable later than the positions of their transactions. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EventLog } from '../../../src/log/event-log.ts';
import { Random } from '../../../src/producers/simulator/random.ts';
import { readManifest, type ReplayManifest } from '../../../src/runtime/replay/manifest.ts';
import { replayNames } from '../../../src/runtime/replay/names.ts';
import { promote } from '../../../src/runtime/replay/promote.ts';
import { startReplay, workOnReplay, type ReplayRequest, type ReplayTools } from '../../../src/runtime/replay/run.ts';
import { encodeTaken } from '../../../src/runtime/table-progress.ts';
import { TOPICS } from '../../../src/runtime/topics.ts';
import { progressMark, readTable, tableDigest, type TableStore } from '../../../src/sinks/index.ts';
import { MemoryStore } from '../../helpers/memory-store.ts';
import { loadKit, runLine, type Finished, type Kit, type World } from '../../simulation/harness.ts';
import { planOf } from '../../simulation/plan.ts';
import { toolsOf, withExpired, withoutTopic } from '../../simulation/replaying.ts';
import { inMemory } from '../../simulation/worlds.ts';

let kit: Kit;
let run: Finished;
let world: World;
beforeAll(async () => {
  kit = await loadKit();
});
beforeEach(async () => {
  world = inMemory();
  const plan = { ...planOf(3), consentFirst: true, keysFirst: true, faults: 0, sinks: 1, people: 3, minutes: 2 };
  run = await runLine(plan, kit, world);
});

const NAME = 'trial';
const ROUTE = replayNames(NAME).sink;

async function replay(store: MemoryStore, sinkLog: EventLog): Promise<ReplayManifest> {
  const { policy, vocabulary } = run.tools;
  const asked = { from: null, to: null };
  const request: ReplayRequest = { name: NAME, asked, policy, vocabulary, table: 'tables/trial', allowExpired: false };
  const own: ReplayTools = await toolsOf(kit, run.log, run.tools, store, new Random(1, 'tools'));
  const tools = { ...own, logs: { ...own.logs, sink: sinkLog } };
  const manifest = await startReplay(request, tools);
  return (await workOnReplay(request, manifest, tools, { signal: new AbortController().signal })).manifest;
}

const digestOf = async (store: TableStore): ReturnType<typeof tableDigest> =>
  await tableDigest(await readTable({ store, zstd: kit.zstd }));

/** A log that lets readers see the last record of each partition of the replay's topic after some looks only. */
function late(log: EventLog, looks: number): EventLog {
  let left = looks;
  const shown = async (topic: string): Promise<readonly number[]> => {
    const ends = await log.endOffsets(topic);
    return topic === ROUTE.sanitized && left > 0 ? ends.map((end) => Math.max(0, end - 1)) : ends;
  };
  return {
    ...withExpired(log, TOPICS.raw, []),
    endOffsets: async (topic) => {
      const ends = await shown(topic);
      if (topic === ROUTE.sanitized) left--;
      return ends;
    },
    read: async (request) => {
      const end = (await shown(request.topic))[request.partition] ?? 0;
      const fetched = await log.read({ ...request, waitMs: 1 });
      const records = fetched.records.filter(({ offset }) => offset < end);
      return { records, nextOffset: Math.max(request.offset, Math.min(fetched.nextOffset, end)), endOffset: end };
    },
  };
}

it('is done when its table has them', async () => {
  const store = new MemoryStore();
  expect((await replay(store, late(run.log, 2))).state).toBe('done');
  const { marks, name } = await readTable({ store, zstd: kit.zstd });
  const ends = await run.log.endOffsets(ROUTE.sanitized);
  const taken = ends.map((_, partition) => (marks.get(progressMark(name, ROUTE.sanitized, partition)) ?? -1) + 1);
  expect(taken).toEqual(ends);
});

describe('is not promoted', () => {
  const promoting = (store: TableStore, log: EventLog): Promise<unknown> =>
    readManifest(run.log, NAME).then((manifest) =>
      promote(manifest, {
        logs: { sanitizer: log, sink: log },
        codec: kit.codec,
        zstd: kit.zstd,
        live: run.store,
        replay: store,
        now: () => 0,
      }),
    );

  it('when its table lacks some, although it is said to be done', async () => {
    const store = new MemoryStore();
    await replay(store, run.log);
    const before = await digestOf(run.store);
    const [released] = (await run.log.read({ ...first(), maxRecords: 1, maxBytes: 1, waitMs: 0 })).records;
    if (released === undefined) throw new Error('nothing was released');
    await run.log.append(ROUTE.sanitized, [released]);
    await expect(promoting(store, run.log)).rejects.toThrow(
      /the table of the replay trial has not taken all from interactions\.sanitized\.trial\/\d/u,
    );
    expect(await digestOf(run.store)).toEqual(before);
  });

  it('when what it lacks has expired, unless its sink says that there was none', async () => {
    const store = new MemoryStore();
    await replay(store, run.log);
    // As in Kafka, where the ends of transactions have offsets too, which expire like the records before them.
    const ends = (await run.log.endOffsets(ROUTE.sanitized)).map((end) => end + 1);
    const expired: EventLog = {
      ...withExpired(run.log, ROUTE.sanitized, ends),
      endOffsets: async (topic) => marked(topic),
    };
    const marked = async (topic: string): Promise<readonly number[]> =>
      topic === ROUTE.sanitized ? ends : await run.log.endOffsets(topic);
    const log = { ...expired, highWatermarks: marked };
    await expect(promoting(store, log)).rejects.toThrow(/has not taken all/u);
    for (const [partition, end] of ends.entries()) {
      const transaction = await (await run.log.transactional(`test/${partition}`)).begin();
      const at = { topic: ROUTE.sanitized, partition };
      await transaction.commitOffset(ROUTE.group, at, { offset: end, metadata: encodeTaken(end - 1) });
      await transaction.commit();
    }
    expect(await promoting(store, log)).toMatchObject({ manifest: { state: 'promoted' } });
  });

  it('when its topic was deleted', async () => {
    const store = new MemoryStore();
    await replay(store, run.log);
    await expect(promoting(store, withoutTopic(run.log, ROUTE.sanitized))).rejects.toThrow(
      'the topic interactions.sanitized.trial is gone',
    );
  });

  const first = (): { topic: string; partition: number; offset: number } => ({
    topic: ROUTE.sanitized,
    partition: busiest,
    offset: 0,
  });
  let busiest = 0;
  beforeEach(async () => {
    const ends = await run.log.endOffsets(TOPICS.sanitized);
    busiest = ends.indexOf(Math.max(...ends));
  });
});
