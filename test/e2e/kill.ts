/**
 * The line under kill -9: a simulation is worked through twice, once undisturbed and once by processes that are killed at
 * random moments; then both tables must hold the same rows.
 */
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openTableStore, readTable, tableDigest } from '../../src/sinks/index.ts';
import { generator } from '../helpers/generator.ts';
import type { Cli } from './cli.ts';

export interface KillPlan {
  readonly cli: Cli;
  /** An empty folder to work in. */
  readonly dir: string;
  /** At least so many raw events. */
  readonly events: number;
  readonly kills: number;
  readonly seed: number;
  /** Told of every step, in a line. */
  readonly report: (line: string) => void;
}

export interface KillReport {
  /** Raw events as the undisturbed run counted them. */
  readonly events: number;
  readonly undisturbed: TableSum;
  readonly killed: TableSum;
  /** Kills by what the process was doing. */
  readonly kills: Readonly<Record<Doing, number>>;
}

/** `idle`: all was processed; the sink may still have something to commit. */
type Doing = 'starting' | 'working' | 'idle';

export interface TableSum {
  readonly rows: number;
  readonly digest: string;
  readonly seconds: number;
}

export async function killTest(plan: KillPlan): Promise<KillReport> {
  const { cli, dir, report } = plan;
  const config = join(dir, 'redactory.yaml');
  // Small transactions and commits: more moments at which a kill can do harm.
  await writeFile(config, 'fetch:\n  maxRecords: 8\nsink:\n  flushSeconds: 1\n  flushRows: 20000\n');
  const [calm, harassed] = [join(dir, 'undisturbed'), join(dir, 'killed')];
  const at = (data: string): string[] => ['--config', config, '--data', data];

  await simulate(plan, at(calm));
  await cp(calm, harassed, { recursive: true });

  const undisturbed = await measured(calm, async () => {
    const summary = JSON.parse(await cli.run(['run', '--until-end', '--json', ...at(calm)])) as RunSummary;
    report(`undisturbed: ${summary.sanitized.read} events`);
    return addsUp(summary.sanitized);
  });
  report(`undisturbed: ${describe(undisturbed)}`);

  const kills = { starting: 0, working: 0, idle: 0 };
  const killed = await measured(harassed, async () => {
    const random = generator(plan.seed);
    const span = (1600 * Math.max(0.2, undisturbed.seconds - STARTUP_SECONDS)) / (plan.kills + 1);
    for (let n = 1; n <= plan.kills; n++) {
      // One in four is killed before it has done anything; the others at a random time after their first commit.
      const early = n % 4 === 0;
      const what = await killOnce(cli, at(harassed), early, random() * (early ? 2_000 : span));
      kills[what]++;
      report(`kill ${n} while ${what}`);
    }
    await cli.run(['run', '--until-end', ...at(harassed)]);
    return 0;
  });
  report(`killed ${plan.kills} times: ${describe(killed)}`);
  return { events: undisturbed.result, undisturbed, killed, kills };
}

/** A first small run makes the month's keys, so that both folders pseudonymise with the same ones. */
async function simulate({ cli, events, seed, report }: KillPlan, at: readonly string[]): Promise<void> {
  const minutes = events >= 1_000_000 ? 90 : 20;
  const people = Math.max(4, Math.ceil(events / (minutes * EVENTS_A_MINUTE)));
  const common = ['--start', new Date(startOfWork(Date.now())).toISOString(), ...at];
  await cli.run(['simulate', '--people', '2', '--minutes', '1', '--seed', String(seed + 1), ...common]);
  await cli.run(['run', '--until-end', ...at]);
  const size = ['--people', String(people), '--minutes', String(minutes)];
  await cli.run(['simulate', ...size, '--seed', String(seed), ...common]);
  report(`simulated ${people} people for ${minutes} minutes with seed ${seed}`);
}

/** What a simulated person makes at least, on average over a few people. */
const EVENTS_A_MINUTE = 600;
/** Of an undisturbed run, how long it takes to its first commit, roughly. */
const STARTUP_SECONDS = 1.5;
const HOUR_MS = 3_600_000;

/** Now, or far enough back that no session starts in the next month, for which each folder would make keys of its own. */
function startOfWork(now: number): number {
  const month = (time: number): number => new Date(time).getUTCMonth();
  return month(now) === month(now + 3 * HOUR_MS) ? now : now - 4 * HOUR_MS;
}

interface RunSummary {
  readonly sanitized: {
    readonly read: number;
    readonly released: number;
    readonly dropped: Readonly<Record<string, number>>;
    readonly quarantined: number;
    readonly pending: number;
  };
}

/** The events read. @throws Error when the counts of a run do not add up to them. */
function addsUp({ read, released, dropped, quarantined, pending }: RunSummary['sanitized']): number {
  const sum = Object.values(dropped).reduce((all, n) => all + n, released + quarantined + pending);
  if (sum !== read) throw new Error(`the counts add up to ${sum}, not ${read}`);
  return read;
}

async function measured<T>(data: string, work: () => Promise<T>): Promise<TableSum & { readonly result: T }> {
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000;
  return {
    result,
    seconds,
    ...(await tableDigest(await readTable({ store: await openTableStore(join(data, 'table')) }))),
  };
}

/** Starts `run` and kills it `waitMs` after it was started, or after its first commit. */
async function killOnce(cli: Cli, at: readonly string[], early: boolean, waitMs: number): Promise<Doing> {
  const running = cli.start(['run', ...at], { REDACTORY_METRICS_PORT: '0' });
  const doing = early ? 'starting' : await firstCommit(running.waitForLog(/"address":"([^"]+)"/u));
  await delay(waitMs);
  running.child.kill('SIGKILL');
  const code = await running.ended;
  if (code !== 'SIGKILL') throw new Error(`run ended by itself with ${code}: ${running.stderr()}`);
  return doing;
}

/** Waits for the first commit that the metrics tell of, or until they say that nothing is left to do. */
async function firstCommit(address: Promise<RegExpExecArray>): Promise<Doing> {
  const url = `${(await address)[1] ?? ''}/metrics`;
  for (let tries = 0; tries < 3_000; tries++) {
    const metrics = await (await fetch(url)).text();
    if (/^redactory_raw_batches_total\{.*\} [1-9]/mu.test(metrics)) return 'working';
    const lags = [...metrics.matchAll(/^redactory_lag_messages\{group="sanitize".*\} (\d+)$/gmu)];
    if (lags.length === PARTITIONS && lags.every(([, lag]) => lag === '0')) return 'idle';
    await delay(20);
  }
  throw new Error('run commits nothing and does not say that it has nothing to do');
}

const PARTITIONS = 4;

const describe = ({ rows, digest, seconds }: TableSum): string =>
  `${rows} rows in ${seconds.toFixed(1)} s, digest ${digest}`;
