import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { FencedError, type EventLog, type Position } from '../../src/log/event-log.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { createIngest } from '../../src/runtime/ingest.ts';
import { watchLag } from '../../src/runtime/lag.ts';
import { runSanitizer, type SanitizerOptions } from '../../src/runtime/sanitizer.ts';
import { runSink } from '../../src/runtime/sink-runner.ts';
import { createTelemetry, silentLogger, type Telemetry } from '../../src/runtime/telemetry.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';
import { asReleased, fields } from '../helpers/released.ts';

const NEVER = new Promise<never>(() => undefined);

interface Outage {
  readonly over: Promise<void>;
  readonly end: () => void;
}

const NO_OUTAGE: Outage = { over: Promise.resolve(), end: () => undefined };

function outage(): Outage {
  let end = (): void => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  return { over, end };
}

/** The same log, but for these. */
function withOther(log: EventLog, other: Partial<EventLog>): EventLog {
  return new Proxy(log, {
    get(target, name) {
      const member: unknown = Reflect.get(name in other ? other : target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

/** The value of one series, as a look at the metrics shows it now; undefined where there is none. */
async function shown(telemetry: Telemetry, series: string): Promise<number | undefined> {
  const { body } = await telemetry.render();
  const line = body.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

const untilShown = (telemetry: Telemetry, series: string, value: number | undefined): Promise<void> =>
  vi.waitFor(async () => expect([series, await shown(telemetry, series)]).toEqual([series, value]), {
    timeout: 20_000,
    interval: 20,
  });

const messages = (group: string, partition = 0): string =>
  `redactory_lag_messages{group="${group}",partition="${partition}"}`;
const seconds = (group: string, partition = 0): string =>
  `redactory_lag_seconds{group="${group}",partition="${partition}"}`;

describe('what waits', () => {
  let telemetry: Telemetry;
  let now: number;
  let ends: () => Promise<readonly number[]>;
  let committed: Position | undefined;
  beforeEach(() => {
    telemetry = createTelemetry(silentLogger);
    now = 1_000_000;
    ends = async () => [10, 10];
    committed = undefined;
  });
  const watch = (doneBefore?: (at: Position) => number): ReturnType<typeof watchLag> =>
    watchLag({
      log: {
        endOffsets: () => ends(),
        beginOffsets: async () => [4, 4],
        committed: async (_group, { partition }) => (partition === 0 ? committed : undefined),
      },
      group: 'sanitize',
      role: 'sanitize',
      topic: 'interactions.raw',
      telemetry,
      now: () => now,
      doneBefore,
    });
  const byMetadata = ({ metadata }: Position): number => Number(metadata);

  it('grows while nothing is committed, from what there is and from when work began', async () => {
    watch(byMetadata).begins(0);
    now += 5_000;
    expect(await shown(telemetry, messages('sanitize'))).toBe(6);
    expect(await shown(telemetry, seconds('sanitize'))).toBe(5);
    ends = async () => [30, 0];
    now += 60_000;
    expect(await shown(telemetry, messages('sanitize'))).toBe(26);
    expect(await shown(telemetry, seconds('sanitize'))).toBe(65);
  });

  it('has the age that the last commit says, also if that is from before this process', async () => {
    committed = { offset: 8, metadata: '400000' };
    watch(byMetadata).begins(0);
    expect(await shown(telemetry, messages('sanitize'))).toBe(2);
    expect(await shown(telemetry, seconds('sanitize'))).toBe(600);
    committed = { offset: 10, metadata: '900000' };
    expect(await shown(telemetry, messages('sanitize'))).toBe(0);
    expect(await shown(telemetry, seconds('sanitize'))).toBe(0);
  });

  it('after a quiet time is as old as what came after it', async () => {
    committed = { offset: 10, metadata: '400000' };
    watch(byMetadata).begins(0);
    now += 86_400_000;
    expect(await shown(telemetry, seconds('sanitize'))).toBe(0);
    ends = async () => [11, 10];
    now += 3_000;
    expect(await shown(telemetry, seconds('sanitize'))).toBe(3);
  });

  it('goes on to age while the log gives no answer, and no look waits for one for long', async () => {
    watch(byMetadata).begins(0);
    now += 1_000;
    expect(await shown(telemetry, seconds('sanitize'))).toBe(1);
    ends = () => NEVER;
    now += 100_000;
    expect(await shown(telemetry, seconds('sanitize'))).toBe(101);
    expect(await shown(telemetry, messages('sanitize'))).toBe(6);
  });

  it('goes on to age while the log fails, and is right again afterwards', async () => {
    watch(byMetadata).begins(0);
    await telemetry.render();
    ends = async () => Promise.reject(new Error('away'));
    now += 7_000;
    expect(await shown(telemetry, seconds('sanitize'))).toBe(7);
    ends = async () => [4, 4];
    expect(await shown(telemetry, messages('sanitize'))).toBe(0);
  });

  it('says nothing of seconds where commits say nothing of time', async () => {
    watch().begins(0);
    expect(await shown(telemetry, messages('sanitize'))).toBe(6);
    expect(await shown(telemetry, seconds('sanitize'))).toBeUndefined();
  });

  it('is told of the partitions that this process has, and of no other', async () => {
    const lag = watch(byMetadata);
    lag.begins(0);
    lag.begins(1);
    telemetry.sessions(0, 3, 30);
    telemetry.sessions(1, 4, 40);
    await telemetry.render();
    lag.ends(0);
    const { body } = await telemetry.render();
    expect(body).not.toContain('partition="0"');
    expect(body).toContain(`${messages('sanitize', 1)} 6\n`);
    expect(body).toContain('redactory_open_sessions{partition="1"} 4\n');
  });

  it('of a sink that gives a partition up is not that of the sanitizer beside it', async () => {
    telemetry.lag('sanitize', 0, 7, 1);
    telemetry.lag('sink', 0, 8, null);
    telemetry.sessions(0, 3, 30);
    telemetry.partitionEnded('sink', 0);
    expect(await shown(telemetry, messages('sanitize'))).toBe(7);
    expect(await shown(telemetry, messages('sink'))).toBeUndefined();
    expect(await shown(telemetry, 'redactory_open_sessions{partition="0"}')).toBe(3);
  });
});

describe('work that is stuck', { timeout: 60_000 }, () => {
  const CONSENT = 'redactory_control_table_lag_messages{table="consent"}';
  let dir: string;
  let workspace: Workspace;
  let telemetry: Telemetry;
  let stop: AbortController;
  let running: Promise<unknown>;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-stuck-'));
    workspace = await openWorkspace(await loadConfig({ env: {}, cwd: dir }), {});
    telemetry = createTelemetry(silentLogger);
    stop = new AbortController();
    running = Promise.resolve();
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await workspace.close();
    await rm(dir, { recursive: true });
  });

  const arrive = async (topic: string): Promise<void> => {
    await workspace.log.append(topic, [{ key: 'k', value: Buffer.from('no batch'), timestamp: 0, partition: 0 }]);
  };
  const decide = async (): Promise<void> => {
    const ingest = createIngest({ ...workspace, sealer: await workspace.sealer() });
    const subjectKey = (await workspace.subjectKeys())('ana');
    await ingest.decide({ subjectKey, decisionId: 'd1', kind: 'enrol', decidedAt: Date.now(), until: null });
  };

  async function sanitize(change: (options: SanitizerOptions) => Partial<SanitizerOptions>): Promise<void> {
    // Keys are made before there are records that need them.
    const subjectKey = await workspace.subjectKeys();
    const tables = await workspace.controlTables(5000);
    const { codec, config, now, log } = workspace;
    const { policy, vocabulary } = await loadPolicy(config.policy);
    const line = { codec, policy, vocabulary, subjectKey, tables, telemetry, now, log, fetch: config.fetch };
    const options: SanitizerOptions = { ...line, sealed: 'required' };
    running = runSanitizer({ ...options, ...change(options) }, { end: false, signal: stop.signal });
  }

  it('on consent that cannot be read: decisions and raw batches that wait are told of, until they do not', async () => {
    let away = NO_OUTAGE;
    await sanitize(({ tables }) => ({
      tables: {
        ...tables,
        catchUp: async () => {
          await away.over;
          await tables.catchUp();
        },
      },
    }));
    await untilShown(telemetry, messages('sanitize'), 0);
    away = outage();
    await decide();
    await arrive(TOPICS.raw);
    await untilShown(telemetry, CONSENT, 1);
    await untilShown(telemetry, messages('sanitize'), 1);
    expect(await shown(telemetry, seconds('sanitize'))).toBeGreaterThan(0);
    away.end();
    await untilShown(telemetry, CONSENT, 0);
    await untilShown(telemetry, messages('sanitize'), 0);
  });

  it('on tables before it has begun: told of from the start', async () => {
    const away = outage();
    await decide();
    await sanitize(({ tables }) => ({
      tables: { ...tables, catchUp: () => away.over, lag: async () => ({ consent: 3, keyring: 0, erasures: 0 }) },
    }));
    await untilShown(telemetry, CONSENT, 3);
    expect(await shown(telemetry, CONSENT.replace('consent', 'keyring'))).toBe(0);
    away.end();
  });

  it('on transactions that fail, again and again: what waits is told of', async () => {
    await sanitize(({ log }) => ({
      log: withOther(log, { transactional: () => Promise.reject(new FencedError('taken')) }),
    }));
    await arrive(TOPICS.raw);
    await untilShown(telemetry, messages('sanitize'), 1);
    await arrive(TOPICS.raw);
    await untilShown(telemetry, messages('sanitize'), 2);
    const restarts = 'redactory_partition_restarts_total{role="sanitize",reason="fenced"}';
    await vi.waitFor(async () => expect(await shown(telemetry, restarts)).toBeGreaterThan(1), { timeout: 20_000 });
  });

  it('is no decision of a night without work: it is taken in with a look at the metrics', async () => {
    await sanitize(() => ({}));
    await untilShown(telemetry, messages('sanitize'), 0);
    await decide();
    await untilShown(telemetry, CONSENT, 0);
    expect(await shown(telemetry, 'redactory_key_epoch_end_timestamp_seconds')).toBeGreaterThan(Date.now() / 1000);
  });

  it('at its end is told of no longer', async () => {
    await sanitize(() => ({}));
    await untilShown(telemetry, messages('sanitize'), 0);
    stop.abort();
    await running;
    expect((await telemetry.render()).body).not.toMatch(/^redactory_\w+\{.*partition=/mu);
  });

  it('in a sink: what is not in the table waits, also if it has been read', async () => {
    const { codec, config, now, log } = workspace;
    let read = 0;
    const counted = withOther(log, {
      read: async (request) => {
        const fetched = await log.read(request);
        read += fetched.records.length;
        return fetched;
      },
    });
    const flushed = { to: 0 };
    const sink = {
      write: async () => {},
      flush: async () => {},
      resumeFrom: async () => flushed.to,
      taken: async () => ({ next: flushed.to, sources: new Map<string, number>() }),
      counts: { records: 0, rows: 0 },
      close: async () => {},
    };
    const options = { log: counted, codec, sink, telemetry, now, fetch: config.fetch, flushSeconds: 1e9 };
    const headers = { 'source-topic': TOPICS.raw, 'source-partition': '0', 'source-offset': '0' };
    const value = codec.encodeReleased(asReleased(fields()));
    await log.append(TOPICS.sanitized, [{ key: 'k', value, headers, timestamp: 0, partition: 0 }]);
    running = runSink(options, { end: false, signal: stop.signal });
    await vi.waitFor(() => expect(read).toBe(1), { timeout: 20_000 });
    await untilShown(telemetry, messages('sink'), 1);
    flushed.to = 1;
  });
});
