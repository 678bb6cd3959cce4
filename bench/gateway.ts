import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../dev/broker.ts';
import { loadConfig } from '../src/config.ts';
import type { CapturePayload } from '../src/events/raw.ts';
import { packagePath } from '../src/package-path.ts';
import { makeDecision } from '../src/privacy/decisions.ts';
import type { RawRecord } from '../src/processors/stages.ts';
import { simulate } from '../src/producers/simulator/index.ts';
import { issueDevice } from '../src/runtime/devices.ts';
import { appendDecision } from '../src/runtime/ingest.ts';
import { ensureSealingKey } from '../src/runtime/sealing-keys.ts';
import { TOPICS, topicSpecs } from '../src/runtime/topics.ts';
import { createUnseal } from '../src/runtime/unseal.ts';
import { openWorkspace, type Workspace } from '../src/runtime/workspace.ts';
import { FORMS, newTally, record, type RecorderOptions, type SentBatch, type Tally } from './gateway-recorder.ts';
import { KEYS, quantile, withBroker } from './kafka.ts';
import { EVERYBODY } from './workload.ts';

export interface GatewayLoad {
  readonly recorders: number;
  readonly seconds: number;
  /** How often the gateway is killed (SIGKILL) meanwhile, and started again. */
  readonly kills: number;
  /** Between two batches of a recorder, ms. */
  readonly everyMs: number;
}

/** What recorders met, and whether the log has what was acknowledged. Times in ms. */
export interface GatewayFigures extends GatewayLoad {
  readonly sent: number;
  readonly accepted: number;
  readonly acceptedPerSecond: number;
  readonly grants: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly noAnswer: number;
  /** Batches given up: their session was gone, or time was over. */
  readonly dropped: number;
  readonly answered: Quantiles;
  readonly acknowledged: Quantiles;
  /** From each start of the gateway until it served. */
  readonly startMs: readonly number[];
  readonly proof: Proof;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Counts of batches; all but the first two must be 0. */
export interface Proof {
  /** Acknowledged, and on the raw topic once, under the right key, with the content that was sent. */
  readonly kept: number;
  /** On the topic, sent, and never answered: the gateway was killed between. Not a fault. */
  readonly keptUnanswered: number;
  readonly missing: number;
  readonly doubled: number;
  /** Under another person's key, or with other content. */
  readonly altered: number;
  /** On the topic, and sent by nobody. */
  readonly unknown: number;
}

export const holds = ({ missing, doubled, altered, unknown }: Proof): boolean =>
  missing + doubled + altered + unknown === 0;

/** Recorders against `redactory gateway` in a process of its own, on a broker of its own from the jars in `lib`. */
export async function benchGateway(load: GatewayLoad & { readonly lib: string }): Promise<GatewayFigures> {
  const dir = await mkdtemp(join(tmpdir(), 'redactory-bench-gateway-'));
  try {
    return await withBroker(load.lib, join(dir, 'broker'), (brokers) => measure(dir, brokers, load));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function measure(dir: string, brokers: string, load: GatewayLoad): Promise<GatewayFigures> {
  const env = { ...KEYS, REDACTORY_KAFKA_BROKERS: brokers };
  const port = await freePort();
  const file = join(dir, 'redactory.yaml');
  await writeFile(file, `gateway: { port: ${port} }\n`);
  const config = await loadConfig({ file, data: join(dir, 'operator'), env, cwd: dir });
  const workspace = await openWorkspace(config, env, { role: 'operator' });
  const gateway = createGatewayProcess(['--config', file, '--data', join(dir, 'gateway')], env);
  try {
    await workspace.log.createTopics(topicSpecs(config.topics));
    const people = await enrol(workspace, load.recorders);
    await gateway.start();
    const tally = newTally();
    const started = performance.now();
    const until = started + load.seconds * 1_000;
    const common = { address: `http://127.0.0.1:${port}`, codec: workspace.codec, everyMs: load.everyMs, until, tally };
    const capture = captures();
    const recorders = people.map((person, i) =>
      record({ ...common, ...person, capture, form: FORMS[i % FORMS.length] ?? FORMS[0], random: Math.random }),
    );
    await Promise.all([...recorders, killing(gateway, load, started)]);
    const proof = await prove(workspace, tally.batches);
    return { ...load, ...figuresOf(tally, load), startMs: gateway.startMs, proof };
  } finally {
    await gateway.kill();
    await workspace.close();
  }
}

type Somebody = Pick<RecorderOptions, 'subject' | 'subjectKey' | 'token'>;

/** People with a token each, enrolled an hour ago, and the key that is sealed to. */
async function enrol(workspace: Workspace, count: number): Promise<readonly Somebody[]> {
  const { log, codec, now } = workspace;
  await ensureSealingKey({ log, codec, tables: await workspace.controlTables(0), now: now() });
  const keyOf = await workspace.subjectKeys();
  const at = now() - 3_600_000;
  return Promise.all(
    Array.from({ length: count }, async (_, i): Promise<Somebody> => {
      const subject = `recorder-${i}@example.org`;
      const subjectKey = keyOf(subject);
      await appendDecision(log, codec, makeDecision('enrol', { subjectKey, now: at, randomId: () => `enrol-${i}` }));
      const lasts = { issuedAt: at, expiresAt: at + 86_400_000 };
      const { text } = await issueDevice(workspace, { subjectKey, device: null, ...lasts });
      return { subject, subjectKey, token: text };
    }),
  );
}

/** Batches of simulated work, again and again, each with something in it that no other has. */
function captures(): RecorderOptions['capture'] {
  const templates: CapturePayload[] = [];
  for (const simulated of simulate({ people: 20, minutes: 10, ...EVERYBODY, faults: 'none', subjectKey: (s) => s })) {
    if (simulated.kind === 'capture') templates.push(simulated.record.payload);
    if (templates.length === 400) break;
  }
  let made = 0;
  return (subject, device) => {
    const template = templates[made % templates.length];
    if (template === undefined) throw new Error('the simulator made nothing');
    const context = { app: 'Bench', title: `batch ${made++}`, url: '', private: false };
    return { ...template, subject, device, contexts: [...template.contexts, context] };
  };
}

interface GatewayProcess {
  readonly startMs: readonly number[];
  /** Resolves when it serves. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

function createGatewayProcess(args: readonly string[], env: Readonly<Record<string, string>>): GatewayProcess {
  const startMs: number[] = [];
  let child: ChildProcess | undefined;
  return {
    startMs,
    async start() {
      const started = performance.now();
      child = spawn(process.execPath, [packagePath('bin/redactory.js'), 'gateway', ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, ...env, REDACTORY_LOG_LEVEL: 'info' },
      });
      await serving(child);
      startMs.push(performance.now() - started);
    },
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** @throws Error when it ends before it serves. */
function serving(child: ChildProcess): Promise<void> {
  return new Promise((serves, failed) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_096);
      if (said.includes('serving recorders')) serves();
    });
    child.once('exit', (code, signal) => failed(new Error(`the gateway ended (${code ?? signal}): ${said}`)));
  });
}

/** Kills spread evenly over the time. */
async function killing(gateway: GatewayProcess, { kills, seconds }: GatewayLoad, started: number): Promise<void> {
  for (let i = 1; i <= kills; i++) {
    await delay(Math.max(0, started + (seconds * 1_000 * i) / (kills + 1) - performance.now()));
    await gateway.kill();
    await gateway.start();
  }
}

function figuresOf(
  tally: Tally,
  { seconds }: GatewayLoad,
): Omit<GatewayFigures, keyof GatewayLoad | 'startMs' | 'proof'> {
  const { sent, accepted, grants, noAnswer, dropped } = tally;
  return {
    sent,
    accepted,
    acceptedPerSecond: accepted / seconds,
    grants,
    refused: Object.fromEntries([...tally.refused].toSorted(([a], [b]) => a.localeCompare(b))),
    noAnswer,
    dropped,
    answered: quantilesOf(tally.answered),
    acknowledged: quantilesOf(tally.acknowledged),
  };
}

const quantilesOf = (values: readonly number[]): Quantiles => ({
  p50: quantile(values, 0.5),
  p99: quantile(values, 0.99),
  max: quantile(values, 1),
});

/** Reads the whole raw topic, opens every seal, and holds it against what was sent. */
async function prove(workspace: Workspace, sent: readonly SentBatch[]): Promise<Proof> {
  const known = new Map(sent.map((batch) => [batch.id, batch]));
  const seen = new Map<string, number>();
  const counts = { altered: 0, unknown: 0 };
  for await (const { id, key, digest } of onLog(workspace)) {
    seen.set(id, (seen.get(id) ?? 0) + 1);
    const batch = known.get(id);
    if (batch === undefined) counts.unknown++;
    else if (batch.subjectKey !== key || batch.digest !== digest) counts.altered++;
  }
  const acknowledged = sent.filter((batch) => batch.acknowledged);
  const found = sent.filter(({ id }) => seen.has(id));
  return {
    ...counts,
    kept: acknowledged.filter(({ id }) => seen.get(id) === 1).length,
    keptUnanswered: found.filter((batch) => !batch.acknowledged).length,
    missing: acknowledged.filter(({ id }) => !seen.has(id)).length,
    doubled: [...seen.values()].filter((times) => times > 1).length,
  };
}

interface OnLog {
  readonly id: string;
  readonly key: string;
  /** Empty when the seal does not open. */
  readonly digest: string;
}

async function* onLog(workspace: Workspace): AsyncGenerator<OnLog> {
  const { log, codec } = workspace;
  const tables = await workspace.controlTables(0);
  await tables.catchUp();
  const { keyring } = tables;
  const unseal = createUnseal({ codec, keyring, sealed: 'required' });
  for (const [partition, end] of (await log.endOffsets(TOPICS.raw)).entries()) {
    for (let offset = 0; offset < end;) {
      const at = { topic: TOPICS.raw, partition, offset, maxRecords: 1_000, maxBytes: 1 << 24, waitMs: 100 };
      const { records, nextOffset } = await log.read(at);
      offset = nextOffset;
      for (const { key, value, unsealed } of await unseal<RawRecord>(records)) {
        const envelope = codec.openEnvelope(value ?? new Uint8Array());
        if (!envelope.ok) throw new Error(`a raw record cannot be read: ${envelope.reason}`);
        const packed = unsealed?.ok === true ? unsealed.value : undefined;
        const digest = packed === undefined ? '' : createHash('sha256').update(packed).digest('base64');
        yield { id: `${envelope.value.session}/${envelope.value.sequence}`, key, digest };
      }
    }
  }
}

export function gatewayTable(figures: GatewayFigures): string {
  const { recorders, seconds, kills, everyMs, proof } = figures;
  const line = (what: string, value: string): string => what.padEnd(46) + value;
  const times = ({ p50, p99, max }: Quantiles): string =>
    `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, max ${max.toFixed(0)} ms`;
  return [
    `gateway: ${n(recorders)} recorders, a batch every ${everyMs / 1_000} s for ${seconds} s, killed ${kills} times`,
    line('batches sent, with repeats', n(figures.sent)),
    line('accepted', `${n(figures.accepted)} (${n(figures.acceptedPerSecond)}/s)`),
    line('sessions granted', n(figures.grants)),
    ...Object.entries(figures.refused).map(([reason, times_]) => line(`refused: ${reason}`, n(times_))),
    line('no answer', n(figures.noAnswer)),
    line('given up with their session', n(figures.dropped)),
    line('request to answer, accepted', times(figures.answered)),
    line('first request to acknowledgement', times(figures.acknowledged)),
    line('start to serving', figures.startMs.map((ms) => `${ms.toFixed(0)} ms`).join(', ')),
    line('acknowledged and kept once, as sent', n(proof.kept)),
    line('kept, the answer lost in a kill', n(proof.keptUnanswered)),
    line(
      'missing, doubled, altered, sent by nobody',
      [proof.missing, proof.doubled, proof.altered, proof.unknown].map(n).join(', '),
    ),
    holds(proof) ? 'nothing that was acknowledged is lost' : 'FAILED: the log does not have what was acknowledged',
  ].join('\n');
}

const n = (value: number): string => Math.round(value).toLocaleString('en');
