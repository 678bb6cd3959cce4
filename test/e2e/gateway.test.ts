/** What is acknowledged is on the log, however the gateway ends. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace } from '../../src/runtime/workspace.ts';
import { buildCli, type Cli, type CliProcess } from './cli.ts';

const RECORDERS = 8;
const KILLS = 3;
const ENOUGH = 60;

let cli: Cli;
let dir: string;
let args: readonly string[];

beforeAll(async () => {
  cli = await buildCli();
  dir = await mkdtemp(join(tmpdir(), 'redactory-gateway-'));
  const config = join(dir, 'gateway.yaml');
  await writeFile(config, 'gateway: { port: 0, requestsPerMinute: 100000 }\n');
  args = ['--data', dir, '--config', config];
}, 120_000);
afterAll(async () => {
  await cli.remove();
  await rm(dir, { recursive: true, force: true });
});

async function start(): Promise<{ readonly running: CliProcess; readonly address: string }> {
  const running = cli.start([...args, 'gateway']);
  const [, address = ''] = await running.waitForLog(/"address":"(http[^"]+)","msg":"serving recorders"/u);
  return { running, address };
}

interface Asked {
  readonly status: number;
  readonly body: { readonly session?: string };
}

/** Undefined when there was no answer. */
async function ask(url: string, method: string, token: string, json: unknown): Promise<Asked | undefined> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  try {
    const response = await fetch(url, { method, headers, body: JSON.stringify(json) });
    return { status: response.status, body: (await response.json()) as Asked['body'] };
  } catch {
    return undefined;
  }
}

/** Sends until there is no answer. */
async function record(
  address: string,
  token: string,
  subject: string,
  acknowledged: (id: string) => void,
): Promise<void> {
  const granted = await ask(`${address}/v1/sessions`, 'POST', token, { device: 'laptop' });
  const session = granted?.body.session;
  if (session === undefined) return;
  const event = { kind: 'value_change', at: Date.UTC(2026, 10, 25), value: 'x'.repeat(500) };
  const batch = { subject, device: 'laptop', events: [event] };
  for (let sequence = 0; ; sequence++) {
    const answer = await ask(`${address}/v1/sessions/${session}/batches/${sequence}`, 'PUT', token, batch);
    if (answer?.status !== 200) return;
    acknowledged(`${session}/${sequence}`);
  }
}

it('killed under load three times, it has lost nothing that it acknowledged', async () => {
  const people = Array.from({ length: RECORDERS }, (_, i) => `person-${i}`);
  const tokens: string[] = [];
  for (const subject of people) {
    await cli.run([...args, 'consent', 'enrol', '--subject', subject]);
    tokens.push(await tokenOf(subject));
  }
  const acknowledged = new Set<string>();
  for (let kill = 1; kill <= KILLS; kill++) {
    const { running, address } = await start();
    const before = acknowledged.size;
    const recorders = people.map((subject, i) =>
      record(address, tokens[i] ?? '', subject, (id) => {
        acknowledged.add(id);
        if (acknowledged.size === before + ENOUGH) running.child.kill('SIGKILL');
      }),
    );
    await Promise.all(recorders);
    expect(await running.ended).toBe('SIGKILL');
    for (const secret of tokens) expect(running.stderr()).not.toContain(secret);
  }
  expect(acknowledged.size).toBeGreaterThanOrEqual(KILLS * ENOUGH);
  const onLog = await batchesOf(dir);
  expect([...acknowledged].filter((id) => !onLog.includes(id))).toEqual([]);
  expect(new Set(onLog).size).toBe(onLog.length);
}, 120_000);

it('told to stop under load, it answers what it took and ends with 0', async () => {
  const { running, address } = await start();
  const token = await tokenOf('person-0');
  const acknowledged = new Set<string>();
  await record(address, token, 'person-0', (id) => {
    acknowledged.add(id);
    if (acknowledged.size === 20) running.child.kill('SIGTERM');
  });
  expect(await running.ended).toBe(0);
  expect(acknowledged.size).toBeGreaterThanOrEqual(20);
  const onLog = await batchesOf(dir);
  expect([...acknowledged].filter((id) => !onLog.includes(id))).toEqual([]);
}, 60_000);

async function tokenOf(subject: string): Promise<string> {
  const issued = await cli.run([...args, '--json', 'devices', 'issue', '--subject', subject]);
  return (JSON.parse(issued) as { readonly token: string }).token;
}

async function batchesOf(data: string): Promise<readonly string[]> {
  const workspace = await openWorkspace(await loadConfig({ env: {}, cwd: data, data }), {});
  const { log, codec } = workspace;
  const ids: string[] = [];
  for (const [partition, end] of (await log.endOffsets(TOPICS.raw)).entries()) {
    for (let offset = 0; offset < end;) {
      const at = { topic: TOPICS.raw, partition, offset, maxRecords: 1_000, maxBytes: 1 << 24, waitMs: 0 };
      const { records, nextOffset } = await log.read(at);
      offset = nextOffset;
      for (const { value } of records) {
        const batch = codec.openEnvelope(value ?? new Uint8Array());
        if (!batch.ok) throw new Error(batch.reason);
        ids.push(`${batch.value.session}/${batch.value.sequence}`);
      }
    }
  }
  await workspace.close();
  return ids;
}
