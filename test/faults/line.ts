/**
 * The line as a user runs it: producers, and processes of `sanitize`, `sink` or `run` on one log, watched from outside by
 * its topics, positions, logs and metrics.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config.ts';
import type { LogRecord, NewRecord } from '../../src/log/event-log.ts';
import { appendDecision } from '../../src/runtime/ingest.ts';
import { GROUPS, TOPICS, topicSpecs } from '../../src/runtime/topics.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';
import type { Cli } from '../e2e/cli.ts';
import { generator } from '../helpers/generator.ts';
import { check, mustBeSound, reportOf, type Verdict } from './checker.ts';
import { gather, readAll } from './evidence.ts';
import { record, type Recording, type Size } from './recording.ts';
import { untilTrue } from './until.ts';
import { Worker } from './worker.ts';

export const PARTITIONS = 4;

export interface LineOptions {
  readonly cli: Cli;
  readonly seed: number;
  /** Of a cluster; without them the log is embedded. */
  readonly brokers?: readonly string[];
  /** For the test's own producers and its looks; the same as `brokers` unless given. */
  readonly directBrokers?: readonly string[];
  /** Over the settings that all lines of these tests have. */
  readonly settings?: Settings;
}

export type Settings = Readonly<Record<string, unknown>>;

export type Command = 'sanitize' | 'sink' | 'run';

export class Line {
  readonly random: () => number;
  /** The producers', and the test's eye on the log. */
  readonly workspace: Workspace;
  /** Every worker that was ever started. */
  readonly workers: Worker[] = [];
  readonly recordings: Recording[] = [];
  /** Raw records that were worked through and are not on the topic any more. */
  readonly gone: LogRecord[] = [];
  readonly #dir: string;
  readonly #options: LineOptions;

  static async open(options: LineOptions): Promise<Line> {
    const dir = await mkdtemp(join(tmpdir(), 'redactory-faults-'));
    try {
      await writeConfig(dir, 'redactory.yaml', options, options.brokers);
      await writeConfig(dir, 'direct.yaml', options, options.directBrokers ?? options.brokers);
      const config = await loadConfig({ file: 'direct.yaml', env: {}, cwd: dir });
      const operator = await openWorkspace(config, {}, { role: 'operator' });
      await operator.log.createTopics(topicSpecs(config.topics));
      await operator.close();
      const workspace = await openWorkspace(config, {}, { role: 'producer' });
      return new Line(dir, options, workspace);
    } catch (error) {
      await rm(dir, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(dir: string, options: LineOptions, workspace: Workspace) {
    this.#dir = dir;
    this.#options = options;
    this.workspace = workspace;
    this.random = generator(options.seed);
  }

  /** The arguments by which commands find this line. */
  get args(): readonly string[] {
    return ['--config', join(this.#dir, 'redactory.yaml')];
  }

  start(command: Command, env: Readonly<Record<string, string>> = {}): Worker {
    const { cli } = this.#options;
    const name = `${command} ${this.workers.length + 1}`;
    const process = cli.start([command, '--json', ...this.args], {
      REDACTORY_METRICS_PORT: '0',
      ...env,
    });
    const worker = new Worker(name, process);
    this.workers.push(worker);
    return worker;
  }

  /** Makes simulated work and lets its people decide; the batches are given out for the test to append. */
  async simulate(size: Omit<Size, 'seed'>): Promise<Recording> {
    const { codec, log } = this.workspace;
    const seed = this.#options.seed + this.recordings.length;
    const recording = record({ ...size, seed }, codec, await this.workspace.subjectKeys());
    this.recordings.push(recording);
    for (const decision of recording.decisions) await appendDecision(log, codec, decision);
    return recording;
  }

  async append(batches: readonly NewRecord[]): Promise<void> {
    await this.workspace.log.append(TOPICS.raw, batches);
  }

  /** The sum over a topic's partitions of what its group has committed. */
  async progress(group: keyof typeof GROUPS): Promise<number> {
    return (await this.positions(group)).reduce((sum, { committed, begin }) => sum + (committed ?? begin), 0);
  }

  async positions(
    group: keyof typeof GROUPS,
  ): Promise<{ partition: number; begin: number; end: number; committed: number | undefined }[]> {
    const { log } = this.workspace;
    const topic = group === 'sanitize' ? TOPICS.raw : TOPICS.sanitized;
    const [begins, ends] = [await log.beginOffsets(topic), await log.endOffsets(topic)];
    return Promise.all(
      ends.map(async (end, partition) => {
        const position = await log.committed(group, { topic, partition });
        return { partition, begin: begins[partition] ?? 0, end, committed: position?.offset };
      }),
    );
  }

  /** Waits until so many raw records have been worked through since the log began, all partitions together. */
  async worked(records: number, limitMs = 240_000): Promise<void> {
    await untilTrue(`${records} raw records to be done`, async () => (await this.progress('sanitize')) >= records, {
      limitMs,
      state: () => this.told(),
    });
  }

  /** Waits until both groups have come to the ends of their topics. */
  async drained(limitMs = 240_000): Promise<void> {
    for (const group of [GROUPS.sanitize, GROUPS.sink]) {
      let seen: unknown;
      const isThere = async (): Promise<boolean> => {
        const positions = await this.positions(group);
        seen = positions;
        return positions.every(({ committed, begin, end }) => (committed ?? begin) >= end);
      };
      const state = (): string => `${JSON.stringify(seen)}\n${this.told()}`;
      await untilTrue(`${group} to come to its ends`, isThere, { limitMs, state });
    }
  }

  /** Lets the line finish, stops all workers in order and checks everything that they left. Prints the report. */
  async finish(title: string): Promise<Verdict> {
    await this.drained();
    for (const worker of this.workers.filter(({ isAlive }) => isAlive)) await this.retire(worker);
    return this.check(title);
  }

  /** Keeps what is on the raw topic for the checker, before it expires. */
  async remember(): Promise<void> {
    this.gone.push(...(await readAll(this.workspace, TOPICS.raw)));
  }

  /** Looks at the worker's metrics for the last time and stops it. */
  async retire(worker: Worker): Promise<void> {
    await worker.metrics();
    await worker.stop();
  }

  async check(title: string): Promise<Verdict> {
    const judge = await openWorkspace(this.workspace.config, {}, { role: 'sanitizer' });
    const evidence = await gather(this, judge);
    await judge.close();
    const verdict = await check(evidence);
    process.stdout.write(`${reportOf(`${title} (seed ${this.#options.seed})`, verdict)}\n`);
    mustBeSound(title, verdict);
    return verdict;
  }

  /** What the workers wrote last, for messages. */
  told(): string {
    return this.workers.map((worker) => `${worker.name}: ${worker.told()}`).join('\n');
  }

  async close(): Promise<void> {
    for (const worker of this.workers.filter(({ isAlive }) => isAlive)) {
      // A stopped process is killed as well, but only SIGKILL reaches it.
      worker.signal('SIGKILL');
      await worker.ended;
    }
    await this.workspace.close();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

/** Small transactions and commits: more moments at which a fault can do harm. */
const SMALL: Settings = {
  data: 'data',
  topics: { partitions: PARTITIONS },
  fetch: { maxRecords: 8 },
  sink: { flushSeconds: 1, flushRows: 2_000 },
};
const QUICK_CLUSTER: Settings = { sessionTimeoutMs: 6_000, transactionTimeoutMs: 5_000, replicationFactor: 1 };

/** Recordings are put on the topic as they are: what breaks is the log, whatever the payloads. */
const UNSEALED = { raw: { sealed: 'accepted' } };

async function writeConfig(
  dir: string,
  name: string,
  { settings = {} }: LineOptions,
  brokers: readonly string[] | undefined,
): Promise<void> {
  await mkdir(join(dir, 'data'), { recursive: true, mode: 0o700 });
  const { kafka = {}, ...others } = settings;
  const cluster = brokers === undefined ? {} : { kafka: { brokers, ...QUICK_CLUSTER, ...(kafka as Settings) } };
  await writeFile(join(dir, name), stringify({ ...SMALL, ...UNSEALED, ...others, ...cluster }));
}
