/** Replays of a simulated company, by workers that crash, are fenced and come again. */
import type { EventLog } from '../../src/log/event-log.ts';
import { OffsetOutOfRangeError, UnknownTopicError } from '../../src/log/event-log.ts';
import { Random } from '../../src/producers/simulator/random.ts';
import { fixedWrapping } from '../../src/privacy/keys/wrapping.ts';
import { createSubjectKeys } from '../../src/privacy/subject-key.ts';
import { openControlTables } from '../../src/runtime/control-tables.ts';
import { readManifest } from '../../src/runtime/replay/manifest.ts';
import { replayNames } from '../../src/runtime/replay/names.ts';
import { promote } from '../../src/runtime/replay/promote.ts';
import {
  startReplay,
  workOnReplay,
  type Replayed,
  type ReplayRequest,
  type ReplayTools,
} from '../../src/runtime/replay/run.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';
import type { Promotion, TableStore } from '../../src/sinks/index.ts';
import { MemoryStore } from '../helpers/memory-store.ts';
import { Crew } from './crew.ts';
import { Hands, inHands, storeInHands, turns, type Weather } from './faults.ts';
import { PARTITIONS, type Finished, type Kit, type World } from './harness.ts';

export interface ReplayPlan {
  readonly name: string;
  readonly asked: ReplayRequest['asked'];
  readonly policy: Finished['tools']['policy'];
  readonly vocabulary: Finished['tools']['vocabulary'];
  readonly workers: number;
  readonly luck: number;
  readonly faults: number;
  readonly allowExpired?: boolean;
}

export interface Replaying {
  readonly plan: ReplayPlan;
  readonly replayed: Replayed;
  /** The replay's own table. */
  readonly store: TableStore;
  readonly weather: Weather;
}

const MASTER_KEYS = { masterKey: new Uint8Array(32).fill(7), alsoOpens: [] };
const LATER = Date.UTC(2026, 5, 1);

export const newWeather = (luck: number, faults: number): Weather => ({
  random: new Random(luck, 'replay'),
  rate: 0.004,
  budget: faults,
  unacknowledged: 0,
  operations: 0,
  injected: {},
});

/** Runs a replay to its end, by workers each of which starts it anew whenever it has crashed. */
export async function replayUnderFaults(plan: ReplayPlan, kit: Kit, world: Pick<World, 'connect'>): Promise<Replaying> {
  const weather = newWeather(plan.luck, plan.faults);
  const names = replayNames(plan.name);
  const crews = new Map(
    [names.sanitizer.group, names.sink.group].map((group) => [group, new Crew(weather.random, PARTITIONS)]),
  );
  const files = new Map<string, Uint8Array>();
  const worker = async (): Promise<Replayed> => {
    for (;;) {
      const hands = new Hands(weather);
      const client = await world.connect();
      try {
        // Faults are used up at last; from then on the groups are calm and the work comes to its end.
        if (weather.budget === 0) for (const crew of crews.values()) crew.calm = true;
        const store = storeInHands(new MemoryStore(files), hands);
        return await startAndWork(plan, await toolsOf(kit, inHands(client, hands, crews), plan, store, weather.random));
      } catch (error) {
        if (hands.faults === 0) throw error;
      } finally {
        await client.close();
      }
      await turns(weather.random.whole(0, 20));
    }
  };
  const all = await Promise.all(Array.from({ length: plan.workers }, worker));
  const replayed = all[0];
  if (replayed === undefined) throw new Error('a replay needs a worker');
  return { plan, replayed, store: new MemoryStore(files), weather };
}

async function startAndWork(plan: ReplayPlan, tools: ReplayTools): Promise<Replayed> {
  const request: ReplayRequest = { ...plan, table: `tables/${plan.name}`, allowExpired: plan.allowExpired === true };
  const manifest = await startReplay(request, tools);
  return await workOnReplay(request, manifest, tools, { signal: new AbortController().signal });
}

export async function toolsOf(
  kit: Kit,
  log: EventLog,
  { policy }: Pick<ReplayPlan, 'policy'>,
  store: TableStore,
  random: Random,
): Promise<ReplayTools> {
  const { codec, zstd } = kit;
  const guardMs = policy.consent.guardSeconds * 1000;
  const now = (): number => LATER;
  return {
    logs: { operator: log, sanitizer: log, sink: log },
    codec,
    zstd,
    subjectKey: createSubjectKeys(new Uint8Array(32).fill(9)),
    tables: await openControlTables({ log, codec, guardMs, wrapping: fixedWrapping(MASTER_KEYS), now }),
    sealed: 'accepted',
    telemetry: createTelemetry(silentLogger),
    fetch: { maxRecords: random.pick([1, 3, 16, 64, 512]), maxBytes: random.pick([1_024, 30_000, 4 << 20]) },
    sink: { flushRows: random.pick([1, 20, 200, 250_000]), flushSeconds: random.pick([0, 1e9]) },
    topics: { retentionDays: { raw: 1, sanitized: 1, quarantine: 1, audit: 1 } },
    now,
    openStore: async () => store,
    delay: () => turns(random.whole(1, 60)),
  };
}

/** Promotes by a process that comes again whenever it has crashed. */
export async function promoteUnderFaults(
  { plan, store }: Replaying,
  kit: Kit,
  world: Pick<World, 'connect' | 'store'>,
  weather: Weather,
): Promise<Promotion> {
  for (;;) {
    const hands = new Hands(weather);
    const client = await world.connect();
    try {
      const log = inHands(client, hands, new Map());
      const { codec, zstd } = kit;
      const live = storeInHands(await world.store(), hands);
      const manifest = await readManifest(log, plan.name);
      const logs = { sanitizer: log, sink: log };
      const { promotion } = await promote(manifest, { logs, codec, zstd, live, replay: store, now: () => LATER });
      return promotion;
    } catch (error) {
      if (hands.faults === 0) throw error;
    } finally {
      await client.close();
    }
  }
}

/** The log as it is when somebody has deleted that topic. */
export function withoutTopic(log: EventLog, gone: string): EventLog {
  const there = async <T>(topic: string, ask: () => Promise<T>): Promise<T> => {
    if (topic === gone) throw new UnknownTopicError(`There is no topic '${topic}'.`);
    return await ask();
  };
  return {
    ...withExpired(log, gone, []),
    partitions: (topic) => there(topic, () => log.partitions(topic)),
    read: (request) => there(request.topic, () => log.read(request)),
    beginOffsets: (topic) => there(topic, () => log.beginOffsets(topic)),
    endOffsets: (topic) => there(topic, () => log.endOffsets(topic)),
    highWatermarks: (topic) => there(topic, () => log.highWatermarks(topic)),
    committed: (group, at) => there(at.topic, () => log.committed(group, at)),
  };
}

/** The log as it is when retention has taken what lies before these offsets of a topic. */
export function withExpired(log: EventLog, topic: string, begins: readonly number[]): EventLog {
  const beginOf = (at: { readonly topic: string; readonly partition: number }): number =>
    at.topic === topic ? (begins[at.partition] ?? 0) : 0;
  return {
    createTopics: (specs) => log.createTopics(specs),
    partitions: (name) => log.partitions(name),
    append: (name, records) => log.append(name, records),
    read: async (request) => {
      if (request.offset >= beginOf(request)) return await log.read(request);
      throw new OffsetOutOfRangeError(`Offset ${request.offset} of ${request.topic}/${request.partition} has expired.`);
    },
    beginOffsets: async (name) =>
      (await log.beginOffsets(name)).map((begin, partition) => Math.max(begin, beginOf({ topic: name, partition }))),
    endOffsets: (name) => log.endOffsets(name),
    highWatermarks: (name) => log.highWatermarks(name),
    offsetForTime: async (at, timestamp) => Math.max(beginOf(at), await log.offsetForTime(at, timestamp)),
    committed: (group, at) => log.committed(group, at),
    transactional: (id) => log.transactional(id),
    join: (group, name) => log.join(group, name),
    clean: (now) => log.clean(now),
    close: () => log.close(),
  };
}
