import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Codec } from '../src/events/codec.ts';
import type { NewRecord } from '../src/log/event-log.ts';
import { packagePath } from '../src/package-path.ts';
import { partitionOf } from '../src/log/partitioner.ts';
import { TOPICS } from '../src/runtime/topics.ts';
import { quantile, type KafkaBench } from './kafka.ts';

export interface Latency {
  /** Share of the rate that one worker reaches when it is behind. */
  readonly load: number;
  readonly eventsPerSecond: number;
  /** From the call that appends a raw batch until a reader has its released batch, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
}

const SECONDS = 8;
const TICK_MS = 20;
/** The first seconds are for the worker to get warm. */
const WARM_UP_SECONDS = 2;

/** Appends at a steady rate to a running worker, and times what comes out on the other side. */
export async function measureLatency(bench: KafkaBench, load: number, fullRate: number): Promise<Latency> {
  const worker = startWorker(bench);
  const stop = new AbortController();
  const appended = new Map<string, number>();
  const released = new Map<string, number>();
  try {
    await worker.ready;
    const reading = readReleased(bench, stop.signal, released);
    // It first reads what open sessions need again, which is no part of what is timed.
    await untilFirstReleased(bench, released);
    const rate = await appendSteadily(bench, load * fullRate, appended);
    // What was appended last has a second to come through.
    await delay(1_000);
    stop.abort();
    await reading;
    const times = [...appended]
      .flatMap(([source, at]) => (released.get(source) ?? Number.NaN) - at)
      .filter((t) => t >= 0);
    return {
      load,
      eventsPerSecond: rate,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      samples: times.length,
    };
  } finally {
    stop.abort();
    worker.process.kill('SIGTERM');
    await once(worker.process, 'close');
  }
}

function startWorker({ config, file, env }: KafkaBench): {
  readonly process: ReturnType<typeof spawn>;
  readonly ready: Promise<void>;
} {
  const args = ['sanitize', '--config', file, '--data', config.data];
  const child = spawn(process.execPath, [packagePath('bin/redactory.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env, REDACTORY_METRICS_PORT: '0' },
  });
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => text.includes('/readyz') && resolve());
    child.once('exit', () => reject(new Error('the worker ended')));
  });
  return { process: child, ready };
}

/** One pass of a small part of the load through the worker. */
async function untilFirstReleased(bench: KafkaBench, released: ReadonlyMap<string, number>): Promise<void> {
  const { workspace, loaded } = bench;
  const prefix = `${Math.random().toString(36).slice(2)}-`;
  const shift = nextShift(bench);
  const probe = loaded.records.slice(0, PROBE).map((record) => anew(workspace.codec, record, prefix, shift));
  await workspace.log.append(TOPICS.raw, probe);
  const deadline = performance.now() + MAX_START_MS;
  while (released.size === 0) {
    if (performance.now() > deadline) throw new Error('the worker released nothing');
    await delay(TICK_MS);
  }
}

const PROBE = 200;
const MAX_START_MS = 120_000;

/** Sends the load again, under session names of its own, so that nothing is a double. Returns events a second. */
async function appendSteadily(bench: KafkaBench, rate: number, appended: Map<string, number>): Promise<number> {
  const { codec } = bench.workspace;
  const { records, events } = bench.loaded;
  const run = `${Math.random().toString(36).slice(2)}-`;
  const pending: Promise<void>[] = [];
  const started = performance.now();
  let sent = 0;
  let shift = 0;
  for (let i = 0; performance.now() - started < SECONDS * 1000;) {
    const due = ((performance.now() - started) / 1000) * rate;
    const chunk = [];
    for (; sent < due; i++) {
      const record = records[i % records.length];
      if (record === undefined || record.value === null) break;
      const lap = Math.floor(i / records.length);
      if (i % records.length === 0) shift = nextShift(bench);
      chunk.push(anew(codec, record, `${run}${lap}-`, shift));
      sent += events[i % records.length] ?? 0;
    }
    if (chunk.length > 0) {
      const isWarm = performance.now() - started > WARM_UP_SECONDS * 1000;
      pending.push(appendAndNote(bench, chunk, isWarm ? appended : new Map()));
    }
    await delay(TICK_MS);
  }
  await Promise.all(pending);
  return (sent / (performance.now() - started)) * 1000;
}

async function appendAndNote(
  { workspace: { log }, config }: KafkaBench,
  chunk: readonly NewRecord[],
  appended: Map<string, number>,
): Promise<void> {
  const at = performance.now();
  const offsets = await log.append(TOPICS.raw, chunk);
  for (const [i, { key }] of chunk.entries()) {
    appended.set(`${partitionOf(key, config.topics.partitions)}/${offsets[i] ?? ''}`, at);
  }
}

/** Each lap of the load comes after the one before, for the time of a partition only goes on. */
function nextShift({ loaded }: KafkaBench): number {
  const first = loaded.records[0]?.timestamp ?? 0;
  const last = loaded.records.at(-1)?.timestamp ?? 0;
  laps++;
  return laps * (last - first + 3_600_000);
}
let laps = 0;

/** The same batch in another session and at another time. */
function anew(codec: Codec, record: NewRecord, prefix: string, shift: number): NewRecord {
  const envelope = codec.openEnvelope(record.value ?? new Uint8Array());
  const payload = envelope.ok ? codec.openPayload(envelope.value.payload) : envelope;
  if (!envelope.ok || !payload.ok) throw new Error('the load cannot be read');
  const { session, sequence, grantedAt, receivedAt } = envelope.value;
  const stamps = { grantedAt: grantedAt + shift, receivedAt: receivedAt + shift };
  const value = codec.encodeCapture({ session: prefix + session, sequence, ...stamps }, payload.value);
  return { ...record, value, timestamp: stamps.receivedAt };
}

async function readReleased(
  { workspace: { log }, config }: KafkaBench,
  signal: AbortSignal,
  released: Map<string, number>,
): Promise<void> {
  const ends = await log.endOffsets(TOPICS.sanitized);
  await Promise.all(
    ends.map(async (end, partition) => {
      let offset = end;
      while (!signal.aborted) {
        const request = { topic: TOPICS.sanitized, partition, offset, ...config.fetch, waitMs: 100, signal };
        const { records, nextOffset } = await log.read(request);
        const at = performance.now();
        for (const { headers } of records)
          released.set(`${headers['source-partition'] ?? ''}/${headers['source-offset'] ?? ''}`, at);
        offset = nextOffset;
      }
    }),
  );
}
