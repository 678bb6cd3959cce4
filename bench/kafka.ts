import { Kafka, logLevel, type Admin } from 'kafkajs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBroker, freePort } from '../dev/broker.ts';
import { loadConfig, type Config } from '../src/config.ts';
import type { NewRecord, TopicPartition } from '../src/log/event-log.ts';
import { loadPolicy } from '../src/privacy/policy.ts';
import { createPipeline, preparePolicy } from '../src/processors/pipeline.ts';
import { simulate } from '../src/producers/simulator/index.ts';
import { appendDecision } from '../src/runtime/ingest.ts';
import { runSanitizer } from '../src/runtime/sanitizer.ts';
import { createTelemetry, silentLogger, type Telemetry } from '../src/runtime/telemetry.ts';
import { GROUPS, TOPICS, topicSpecs } from '../src/runtime/topics.ts';
import { openWorkspace, type Workspace } from '../src/runtime/workspace.ts';
import { measureLatency, type Latency } from './kafka-latency.ts';
import { measureWorkers, type WorkerRate } from './kafka-workers.ts';
import { EVERYBODY, sizeFor } from './workload.ts';

/** What the line does on a real broker, in raw events a second unless said otherwise. */
export interface KafkaFigures {
  readonly events: number;
  readonly batches: number;
  readonly bytes: number;
  readonly produce: Spread;
  readonly consume: Spread;
  /** The processors alone on the same batches, in the same process, run in turn with {@link transactions}. */
  readonly bare: Spread;
  /** Consume, process, produce with transactions, one worker in this process. */
  readonly transactions: Spread;
  /** Median of transactions / bare, run by run. */
  readonly ratio: number;
  readonly transactionMs: { readonly p50: number; readonly p99: number; readonly count: number };
  readonly workers: readonly WorkerRate[];
  readonly latency: readonly Latency[];
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Raw batches as they lie on the topic. */
export interface Loaded {
  readonly records: readonly NewRecord[];
  readonly events: readonly number[];
  readonly total: number;
}

/** Everything that the parts of this benchmark share. */
export interface KafkaBench {
  readonly config: Config;
  /** The config's, for workers in processes of their own. */
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workspace: Workspace;
  readonly loaded: Loaded;
  /** Lets the sanitize group begin anew. */
  forget(): Promise<void>;
}

/** Of what is made for one run and thrown away after it. */
export const KEYS = {
  REDACTORY_INGEST_KEY: Buffer.alloc(32, 1).toString('base64'),
  REDACTORY_MASTER_KEY: Buffer.alloc(32, 2).toString('base64'),
};

/**
 * Measures on a broker of its own, from the jars in `lib`, on the loopback interface of this machine, which client and
 * broker share.
 */
export async function benchKafka(options: {
  readonly lib: string;
  readonly events: number;
  readonly runs: number;
}): Promise<KafkaFigures> {
  const dir = await mkdtemp(join(tmpdir(), 'redactory-bench-kafka-'));
  try {
    return await withBroker(options.lib, join(dir, 'broker'), (address) => measureAll(dir, address, options));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Lends a new broker, by its `host:port`, with its data in `dir`; it ends with `use`. */
export async function withBroker<T>(lib: string, dir: string, use: (address: string) => Promise<T>): Promise<T> {
  const address = `127.0.0.1:${await freePort()}`;
  const properties = {
    listeners: `PLAINTEXT://${address}`,
    'advertised.listeners': `PLAINTEXT://${address}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
  };
  const broker = createBroker({ lib, dir, properties, heapMegabytes: 512 });
  try {
    await broker.start();
    return await use(address);
  } finally {
    await broker.kill();
  }
}

async function measureAll(
  dir: string,
  address: string,
  { events, runs }: { readonly events: number; readonly runs: number },
): Promise<KafkaFigures> {
  const env = { ...KEYS, REDACTORY_KAFKA_BROKERS: address };
  // What is measured is the log: opening seals is one of the stages.
  const file = join(dir, 'redactory.yaml');
  await writeFile(file, 'raw: { sealed: accepted }\n');
  const config = await loadConfig({ file, data: join(dir, 'data'), env, cwd: dir });
  const workspace = await openWorkspace(config, env, { role: 'operator' });
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin();
  try {
    await admin.connect();
    await workspace.log.createTopics(topicSpecs(config.topics));
    const loaded = await makeLoad(workspace, events);
    const bench: KafkaBench = { config, file, env, workspace, loaded, forget: () => forgetGroup(admin) };
    const produce = await measureProduce(bench, runs);
    const consume = await measureConsume(bench, runs);
    const line = await measureTransactions(bench, runs);
    const workers: WorkerRate[] = [];
    for (const count of [1, 2, 4]) workers.push(await measureWorkers(bench, count));
    const full = line.transactions.median;
    const latency: Latency[] = [];
    for (const share of [0.1, 0.5, 0.9]) latency.push(await measureLatency(bench, share, full));
    return {
      events: loaded.total,
      batches: loaded.records.length,
      bytes: loaded.records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0),
      produce,
      consume,
      ...line,
      workers,
      latency,
    };
  } finally {
    await admin.disconnect();
    await workspace.close();
  }
}

async function forgetGroup(admin: Admin): Promise<void> {
  const { groups } = await admin.listGroups();
  if (groups.some(({ groupId }) => groupId === GROUPS.sanitize)) await admin.deleteGroups([GROUPS.sanitize]);
}

/** Simulated work, encoded; its consent goes onto the log at once. */
async function makeLoad(workspace: Workspace, events: number): Promise<Loaded> {
  const { log, codec, now } = workspace;
  const subjectKey = await workspace.subjectKeys();
  const records: NewRecord[] = [];
  const counts: number[] = [];
  let total = 0;
  // Not long ago, so that retention leaves it alone.
  const start = now() - 3_600_000;
  for (const simulated of simulate({ ...sizeFor(events), ...EVERYBODY, start, subjectKey })) {
    if (simulated.kind === 'consent') {
      await appendDecision(log, codec, simulated.decision);
      continue;
    }
    const { key, envelope, payload } = simulated.record;
    records.push({ key, value: codec.encodeCapture(envelope, payload), timestamp: envelope.receivedAt });
    counts.push(payload.events.length);
    total += payload.events.length;
    if (total >= events) break;
  }
  return { records, events: counts, total };
}

const CHUNK = 512;

/** Appends the whole load again and again; each run after the first adds the same batches, which workers drop as doubles. */
async function measureProduce({ workspace: { log }, loaded }: KafkaBench, runs: number): Promise<Spread> {
  const append = async (topic: string): Promise<number> => {
    const started = performance.now();
    for (let i = 0; i < loaded.records.length; i += CHUNK) await log.append(topic, loaded.records.slice(i, i + CHUNK));
    return (loaded.total / (performance.now() - started)) * 1000;
  };
  const scratch = 'bench.produce';
  await log.createTopics([{ name: scratch, partitions: 4, cleanup: { kind: 'delete', retentionMs: 86_400_000 } }]);
  await append(scratch);
  const rates = [];
  for (let run = 0; run < runs; run++) rates.push(await append(scratch));
  await append(TOPICS.raw);
  return spread(rates);
}

async function measureConsume(bench: KafkaBench, runs: number): Promise<Spread> {
  const { log } = bench.workspace;
  const ends = await log.endOffsets(TOPICS.raw);
  const rates: number[] = [];
  for (let run = -1; run < runs; run++) {
    const started = performance.now();
    await Promise.all(ends.map((end, partition) => readTo(bench, { topic: TOPICS.raw, partition }, end)));
    if (run >= 0) rates.push((bench.loaded.total / (performance.now() - started)) * 1000);
  }
  return spread(rates);
}

async function readTo({ workspace: { log }, config }: KafkaBench, at: TopicPartition, end: number): Promise<void> {
  let offset = 0;
  while (offset < end) ({ nextOffset: offset } = await log.read({ ...at, offset, ...config.fetch, waitMs: 100 }));
}

type Line = Pick<KafkaFigures, 'bare' | 'transactions' | 'ratio' | 'transactionMs'>;

/** The bare processors and the whole of a worker in turn, so that a slow moment of the machine meets both. */
async function measureTransactions(bench: KafkaBench, runs: number): Promise<Line> {
  const bare: number[] = [];
  const whole: number[] = [];
  const commits: number[] = [];
  for (let run = -1; run < runs; run++) {
    const alone = await runBare(bench);
    const measured = await runWorker(bench);
    if (run < 0) continue;
    bare.push(alone);
    whole.push(measured.rate);
    commits.push(...measured.commits);
  }
  const ratios = whole.map((rate, i) => rate / (bare[i] ?? Number.NaN));
  return {
    bare: spread(bare),
    transactions: spread(whole),
    ratio: spread(ratios).median,
    transactionMs: { p50: quantile(commits, 0.5), p99: quantile(commits, 0.99), count: commits.length },
  };
}

async function runBare({ workspace, config, loaded }: KafkaBench): Promise<number> {
  const { policy, vocabulary } = await loadPolicy(config.policy);
  const tables = await workspace.controlTables(policy.consent.guardSeconds * 1000);
  await tables.catchUp();
  await tables.ensureKeys(loaded.records.map(({ timestamp }) => timestamp));
  const { codec } = workspace;
  const subjectKey = await workspace.subjectKeys();
  const pipeline = createPipeline(
    { codec, policy, vocabulary, subjectKey, consent: tables.consent, keyring: tables.keyring },
    preparePolicy(policy, vocabulary),
  );
  const started = performance.now();
  for (const [offset, record] of loaded.records.entries()) {
    const { released } = pipeline.process({ key: record.key, value: record.value, offset });
    if (released !== null) codec.encodeReleased(released);
  }
  return (loaded.total / (performance.now() - started)) * 1000;
}

/** One worker from the first batch to the last; its rate is taken between its first and its last commit. */
async function runWorker(bench: KafkaBench): Promise<{ readonly rate: number; readonly commits: number[] }> {
  const { workspace, config } = bench;
  await bench.forget();
  const { policy, vocabulary } = await loadPolicy(config.policy);
  const watch = watchTelemetry();
  const signal = new AbortController().signal;
  await runSanitizer(
    {
      log: workspace.log,
      codec: workspace.codec,
      policy,
      vocabulary,
      subjectKey: await workspace.subjectKeys(),
      tables: await workspace.controlTables(policy.consent.guardSeconds * 1000),
      sealed: 'accepted',
      telemetry: watch.telemetry,
      fetch: config.fetch,
      now: workspace.now,
    },
    { end: true, signal },
  );
  return watch.result();
}

function watchTelemetry(): {
  readonly telemetry: Telemetry;
  readonly result: () => { readonly rate: number; readonly commits: number[] };
} {
  const commits: number[] = [];
  let events = 0;
  /** When the first fetch came, and when the last commit had been counted. */
  const times = { first: 0, last: 0 };
  const telemetry: Telemetry = {
    ...createTelemetry(silentLogger),
    stage(stage, seconds) {
      if (stage === 'fetch' && times.first === 0) times.first = performance.now() - seconds * 1000;
      if (stage === 'commit') commits.push(seconds * 1000);
    },
    processed(result) {
      events += result.counts.read;
      times.last = performance.now();
    },
  };
  return { telemetry, result: () => ({ rate: (events / (times.last - times.first)) * 1000, commits }) };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function spread(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values) };
}
