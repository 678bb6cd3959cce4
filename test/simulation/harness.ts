/** The whole line under faults, by seed: a company's raw events in, a table out, and everything that may go wrong between. */
import { createCodec, type Codec } from '../../src/events/codec.ts';
import { KEY_PURPOSES, type ConsentDecision, type Erasure, type KeyringEntry } from '../../src/events/control.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import { loadContracts, schemaIds } from '../../src/events/schemas.ts';
import { loadZstd, type Zstd } from '../../src/events/zstd.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { partitionOf } from '../../src/log/partitioner.ts';
import { packagePath } from '../../src/package-path.ts';
import { createKeyring, epochOf, keyringRecordKey } from '../../src/privacy/keyring.ts';
import { fixedWrapping } from '../../src/privacy/keys/wrapping.ts';
import { loadPolicy, type Policy } from '../../src/privacy/policy.ts';
import { createSubjectKeys } from '../../src/privacy/subject-key.ts';
import type { Vocabulary } from '../../src/privacy/vocabulary.ts';
import { Random } from '../../src/producers/simulator/random.ts';
import { openControlTables, type ControlTables } from '../../src/runtime/control-tables.ts';
import { runSanitizer } from '../../src/runtime/sanitizer.ts';
import { runSink } from '../../src/runtime/sink-runner.ts';
import { createTelemetry, silentLogger, type Telemetry } from '../../src/runtime/telemetry.ts';
import { GROUPS, TOPICS, topicSpecs } from '../../src/runtime/topics.ts';
import { openTrainingTable } from '../../src/sinks/index.ts';
import type { TableStore } from '../../src/sinks/training-table/store.ts';
import { companyItems, type Item } from './company.ts';
import { Crew } from './crew.ts';
import { Hands, inHands, storeInHands, turns, type Weather } from './faults.ts';
import { addCounts, placeOf, type Counts, type OracleTools } from './oracle.ts';
import type { PolicyName, RunPlan } from './plan.ts';

/** What is costly to make and the same for every run. */
export interface Kit {
  readonly codec: Codec;
  readonly zstd: Zstd;
  readonly policies: Readonly<Record<PolicyName, { policy: Policy; vocabulary: Vocabulary }>>;
}

export async function loadKit(): Promise<Kit> {
  const zstd = await loadZstd();
  const codec = createCodec({ zstd, schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });
  const load = async (name: PolicyName): Promise<Kit['policies'][PolicyName]> =>
    loadPolicy(packagePath(`policies/${name}.yaml`));
  const [strict, balanced, recognizers] = await Promise.all([load('strict'), load('balanced'), load('recognizers')]);
  return { codec, zstd, policies: { strict, balanced, recognizers } };
}

/** Where a run's log and table are: in memory, or on disk. */
export interface World {
  /** A client of the log, as of another process. */
  connect(): Promise<EventLog>;
  /** A writer's way to the table's files. */
  store(): Promise<TableStore>;
}

/** What a finished run leaves to be checked. */
export interface Finished {
  readonly log: EventLog;
  readonly store: TableStore;
  readonly tools: OracleTools;
  /** As the workers' telemetry counted. */
  readonly counts: Counts;
  readonly weather: Weather;
  /** Decisions and erasures that were on the log before each raw record, by the record's place. */
  readonly known: ReadonlyMap<string, { readonly decisions: number; readonly erasures: number }>;
  readonly decisions: readonly ConsentDecision[];
  readonly erasures: readonly Erasure[];
}

export const PARTITIONS = 4;
const MASTER_KEY = new Uint8Array(32).fill(7);

export async function runLine(plan: RunPlan, kit: Kit, world: World): Promise<Finished> {
  const run = new Run(plan, kit, world);
  return run.all();
}

class Run {
  readonly #plan: RunPlan;
  readonly #kit: Kit;
  readonly #world: World;
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #crews: ReadonlyMap<string, Crew>;
  readonly #telemetry: Telemetry;
  readonly #policy: Policy;
  readonly #subjectKey: (subject: string) => string;
  readonly #counts: Counts = {};
  readonly #known = new Map<string, { decisions: number; erasures: number }>();
  readonly #decisions: ConsentDecision[] = [];
  readonly #erasures: Erasure[] = [];

  constructor(plan: RunPlan, kit: Kit, world: World) {
    this.#plan = plan;
    this.#kit = kit;
    this.#world = world;
    this.#random = new Random(plan.luck, 'run');
    this.#weather = {
      random: this.#random,
      rate: plan.faultRate,
      budget: plan.faults,
      unacknowledged: 0,
      operations: 0,
      injected: {},
    };
    this.#crews = new Map(Object.values(GROUPS).map((group) => [group, new Crew(this.#random, PARTITIONS)]));
    const telemetry = createTelemetry(silentLogger);
    this.#telemetry = { ...telemetry, processed: (result) => addCounts(this.#counts, result.counts) };
    const { policy } = kit.policies[plan.policy];
    this.#policy = plan.session === null ? policy : { ...policy, session: plan.session };
    this.#subjectKey = createSubjectKeys(new Uint8Array(32).fill(9));
  }

  async all(): Promise<Finished> {
    const log = await this.#world.connect();
    await log.createTopics(
      topicSpecs({ partitions: PARTITIONS, retentionDays: { raw: 1, sanitized: 1, quarantine: 1, audit: 1 } }),
    );
    if (this.#plan.keysFirst) await this.#putKeys(log);
    await this.#live(log);
    for (const crew of this.#crews.values()) crew.calm = true;
    await this.#drain();
    const { vocabulary } = this.#kit.policies[this.#plan.policy];
    const tables = await this.#tables(log);
    await tables.catchUp();
    return {
      log,
      store: await this.#world.store(),
      tools: {
        codec: this.#kit.codec,
        policy: this.#policy,
        vocabulary,
        tables,
        subjectKey: this.#subjectKey,
      },
      counts: this.#counts,
      weather: this.#weather,
      known: this.#known,
      decisions: this.#decisions,
      erasures: this.#erasures,
    };
  }

  /** Producers and workers at once: workers come and go while records and decisions arrive. */
  async #live(log: EventLog): Promise<void> {
    const over = new AbortController();
    const workers = [
      ...Array.from({ length: this.#plan.sanitizers }, () => this.#keepAlive('sanitizer', over.signal)),
      ...Array.from({ length: this.#plan.sinks }, () => this.#keepAlive('sink', over.signal)),
    ];
    // A worker that meets an error nobody injected ends the run.
    const failed = Promise.all(workers);
    failed.catch(() => over.abort());
    try {
      await this.#feed(log, over.signal);
      await turns(this.#random.whole(0, 200));
    } finally {
      over.abort();
    }
    await failed;
  }

  async #feed(log: EventLog, stop: AbortSignal): Promise<void> {
    const items = companyItems(this.#plan, this.#kit.codec, this.#subjectKey);
    let next = 0;
    while (next < items.length && !stop.aborted) {
      const first = items[next];
      const wanted = this.#random.whole(1, 24);
      const batch: Item[] = [];
      while (batch.length < wanted && items[next] !== undefined && items[next]?.topic === first?.topic) {
        const item = items[next++];
        if (item !== undefined) batch.push(item);
      }
      await this.#append(log, first?.topic ?? '', batch);
      if (this.#random.chance(0.5)) await turns(this.#random.whole(1, 40));
    }
  }

  async #append(log: EventLog, topic: string, batch: readonly Item[]): Promise<void> {
    const records = batch.map(({ record }) => record);
    const offsets = await log.append(topic, records);
    for (const [i, { key, value }] of records.entries()) {
      if (topic === TOPICS.consent && value !== null) this.#decisions.push(this.#kit.codec.decodeConsent(value));
      if (topic === TOPICS.erasures && value !== null) this.#erasures.push(this.#kit.codec.decodeErasure(value));
      if (topic !== TOPICS.raw) continue;
      const partition = partitionOf(key, PARTITIONS);
      const place = placeOf({ topic, partition, offset: offsets[i] ?? -1 });
      this.#known.set(place, { decisions: this.#decisions.length, erasures: this.#erasures.length });
    }
  }

  /** Until the end that the topics have now, by workers that come again until one gets there. */
  async #drain(): Promise<void> {
    const together = (count: number, role: Role): Promise<void[]> =>
      Promise.all(Array.from({ length: count }, () => this.#untilEnd(role)));
    await together(this.#plan.sanitizers, 'sanitizer');
    await together(this.#plan.sinks, 'sink');
  }

  /** A worker, and another whenever one has crashed or was told to go, until `over`. */
  async #keepAlive(role: Role, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const own = new AbortController();
      const signal = AbortSignal.any([over, own.signal]);
      const leaves = this.#random.chance(0.3) ? this.#leaveLater(own, over) : undefined;
      await this.#survive(role, { end: false, signal });
      own.abort();
      await leaves;
      await turns(this.#random.whole(0, 20));
    }
  }

  async #leaveLater(own: AbortController, over: AbortSignal): Promise<void> {
    for (let left = this.#random.whole(20, 600); left > 0 && !own.signal.aborted && !over.aborted; left--) {
      await turns(1);
    }
    own.abort();
  }

  async #untilEnd(role: Role): Promise<void> {
    const never = new AbortController().signal;
    while (!(await this.#survive(role, { end: true, signal: never }))) await turns(this.#random.whole(0, 20));
  }

  /** @returns whether the worker came to its own end. @throws what it threw, if that was nobody's fault here. */
  async #survive(role: Role, until: Until): Promise<boolean> {
    const hands = new Hands(this.#weather);
    const client = await this.#world.connect();
    try {
      await (role === 'sanitizer' ? this.#sanitize(client, hands, until) : this.#sink(client, hands, until));
      return true;
    } catch (error) {
      if (hands.faults === 0) throw error;
      return false;
    } finally {
      await client.close();
    }
  }

  async #sanitize(client: EventLog, hands: Hands, until: Until): Promise<void> {
    const log = inHands(client, hands, this.#crews);
    const { vocabulary } = this.#kit.policies[this.#plan.policy];
    await runSanitizer(
      {
        log,
        codec: this.#kit.codec,
        policy: this.#policy,
        vocabulary,
        subjectKey: this.#subjectKey,
        tables: await this.#tables(log),
        sealed: 'accepted',
        telemetry: this.#telemetry,
        fetch: this.#fetchSize(),
        now: this.#now,
        delay: () => turns(this.#random.whole(1, 60)),
      },
      until,
    );
  }

  async #sink(client: EventLog, hands: Hands, until: Until): Promise<void> {
    const log = inHands(client, hands, this.#crews);
    const sink = await openTrainingTable({
      store: storeInHands(await this.#world.store(), hands),
      topic: TOPICS.sanitized,
      flushRows: this.#random.pick([1, 20, 200, 250_000]),
      now: this.#now,
      zstd: this.#kit.zstd,
    });
    await runSink(
      {
        log,
        codec: this.#kit.codec,
        sink,
        telemetry: this.#telemetry,
        fetch: this.#fetchSize(),
        // At every turn, or only at the end: nothing between would be the same in every run.
        flushSeconds: this.#random.pick([0, 1e9]),
        now: this.#now,
        delay: () => turns(this.#random.whole(1, 60)),
      },
      until,
    );
    await sink.close();
  }

  #tables(log: EventLog): Promise<ControlTables> {
    const wrapping = fixedWrapping({ masterKey: MASTER_KEY, alsoOpens: [] });
    const guardMs = this.#policy.consent.guardSeconds * 1000;
    return openControlTables({ log, codec: this.#kit.codec, guardMs, wrapping, now: this.#now });
  }

  /** The same keys in every run of a seed, so that a run can be had again. */
  async #putKeys(log: EventLog): Promise<void> {
    const random = new Random(this.#plan.seed, 'keys');
    const randomBytes = (size: number): Uint8Array => Uint8Array.from({ length: size }, () => random.whole(0, 255));
    const keyring = createKeyring({
      wrapping: fixedWrapping({ masterKey: MASTER_KEY, alsoOpens: [] }, randomBytes),
      randomBytes,
    });
    const { start, minutes } = this.#plan;
    const epochs = new Set([epochOf(start), epochOf(start + minutes * 60_000)]);
    const entries: KeyringEntry[] = [];
    for (const epoch of epochs) {
      for (const purpose of KEY_PURPOSES) entries.push(await keyring.newEntry(purpose, epoch, start));
    }
    await log.append(
      TOPICS.keyring,
      entries.map((entry) => ({
        key: keyringRecordKey(entry),
        value: this.#kit.codec.encodeKeyEntry(entry),
        timestamp: start,
      })),
    );
  }

  #fetchSize(): { maxRecords: number; maxBytes: number } {
    return {
      maxRecords: this.#random.pick([1, 3, 16, 64, 512]),
      maxBytes: this.#random.pick([1_024, 30_000, 4 << 20]),
    };
  }

  readonly #now = (): number => this.#plan.start + this.#plan.minutes * 60_000;
}

type Role = 'sanitizer' | 'sink';

interface Until {
  readonly end: boolean;
  readonly signal: AbortSignal;
}
