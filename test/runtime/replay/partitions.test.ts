/** A replay of a line whose topics are given more partitions. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { EventLog } from '../../../src/log/event-log.ts';
import { compareReplay, NotComparableError } from '../../../src/runtime/replay/compare.ts';
import { readManifest } from '../../../src/runtime/replay/manifest.ts';
import { startReplay, workOnReplay, type ReplayRequest } from '../../../src/runtime/replay/run.ts';
import { TOPICS } from '../../../src/runtime/topics.ts';
import { Random } from '../../../src/producers/simulator/random.ts';
import { MemoryStore } from '../../helpers/memory-store.ts';
import { loadKit, PARTITIONS, runLine, type Finished, type Kit } from '../../simulation/harness.ts';
import { planOf } from '../../simulation/plan.ts';
import { toolsOf, withExpired } from '../../simulation/replaying.ts';
import { inMemory } from '../../simulation/worlds.ts';

let kit: Kit;
let run: Finished;
let request: ReplayRequest;
beforeAll(async () => {
  kit = await loadKit();
  const plan = { ...planOf(3), consentFirst: true, keysFirst: true, faults: 0, sinks: 1, people: 3, minutes: 2 };
  run = await runLine(plan, kit, inMemory());
  const { policy, vocabulary } = run.tools;
  const asked = { from: null, to: null };
  request = { name: 'trial', asked, policy, vocabulary, table: 'tables/trial', allowExpired: false };
});

const live = TOPICS.sanitized;

/** The log when the live sanitised topic has been given another partition, on which nothing is yet. */
function grown(log: EventLog): EventLog {
  const more = (name: string, offsets: readonly number[]): readonly number[] =>
    name === live ? [...offsets, 0] : offsets;
  return {
    ...withExpired(log, live, []),
    partitions: async (name) => (await log.partitions(name)) + (name === live ? 1 : 0),
    beginOffsets: async (name) => more(name, await log.beginOffsets(name)),
    endOffsets: async (name) => more(name, await log.endOffsets(name)),
  };
}

/** The log when the live topic was given its partitions after its records were written. */
const grownBefore = (log: EventLog): EventLog => ({
  ...withExpired(log, live, []),
  read: async (what) => {
    const fetched = await log.read(what);
    const records = fetched.records.map((record) => ({ ...record, key: record.key.slice(1) }));
    return what.topic === live ? { ...fetched, records } : fetched;
  },
});

describe('a replay whose live topic is given more partitions', () => {
  it('goes on with as many as it began with, and is not compared', async () => {
    const tools = await toolsOf(kit, run.log, run.tools, new MemoryStore(), new Random(1, 'tools'));
    const manifest = await startReplay(request, tools);
    expect(manifest.sanitizedPartitions).toBe(PARTITIONS);
    const later = grown(run.log);
    const since = { ...tools, logs: { operator: later, sanitizer: later, sink: later } };
    expect(await startReplay(request, since)).toEqual(manifest);
    await workOnReplay(request, manifest, since, { signal: new AbortController().signal });

    const done = { rawLog: run.log, codec: kit.codec, manifest: await readManifest(run.log, 'trial') };
    expect((await compareReplay({ ...done, log: run.log })).live.rows).toBeGreaterThan(0);
    const refused = async (log: EventLog, why: string): Promise<void> => {
      const comparing = compareReplay({ ...done, log });
      await expect(comparing).rejects.toThrow(NotComparableError);
      await expect(comparing).rejects.toThrow(why);
    };
    await refused(later, `${live} has ${PARTITIONS + 1} partitions now`);
    await refused(grownBefore(run.log), `${live} has records from before it was given ${PARTITIONS} partitions`);
  });
});
