import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runBoth, type RunResult } from '../../src/cli/run.ts';
import { loadConfig } from '../../src/config.ts';
import { simulate } from '../../src/producers/simulator/index.ts';
import { createIngest } from '../../src/runtime/ingest.ts';
import { createLogger, createTelemetry } from '../../src/runtime/telemetry.ts';
import { GROUPS, TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';

const START = Date.UTC(2026, 10, 10, 9);

let dir: string;
let workspace: Workspace;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-metrics-'));
  workspace = await openWorkspace(await loadConfig({ env: {}, cwd: dir }), {}, { now: () => START });
});
afterEach(async () => {
  await workspace.close();
  await rm(dir, { recursive: true });
});

interface Ran {
  readonly result: RunResult;
  readonly metrics: string;
  readonly logs: string;
  readonly planted: readonly string[];
}

async function simulateAndRun(): Promise<Ran> {
  const planted: string[] = [];
  const ingest = createIngest({ ...workspace, sealer: await workspace.sealer() });
  const truth = ({ text }: { readonly text: string }): void => void planted.push(text);
  const subjectKey = await workspace.subjectKeys();
  for (const one of simulate({ people: 4, minutes: 4, seed: 7, start: START, subjectKey, truth })) {
    if (one.kind === 'consent') await ingest.decide(one.decision);
    else await ingest.capture(one.record);
  }
  await ingest.flush();
  await workspace.log.append(TOPICS.raw, [{ key: 'k', value: Buffer.from('broken'), timestamp: START }]);

  let logs = '';
  const to = new Writable({
    write(chunk, _encoding, done) {
      logs += String(chunk);
      done();
    },
  });
  const telemetry = {
    ...createTelemetry(createLogger({ level: 'info', pretty: false, to })),
    // What sessions hold back at the end is a part of the sum.
    partitionEnded: () => undefined,
  };
  const io = { stdout: to, stderr: to, env: {}, cwd: dir, now: () => START };
  const { signal } = new AbortController();
  const result = await runBoth({ io, config: workspace.config, telemetry, signal }, workspace, { untilEnd: true });
  return { result, metrics: (await telemetry.render()).body, logs, planted };
}

async function waiting(topic: string, group: string): Promise<number> {
  let sum = 0;
  for (const [partition, end] of (await workspace.log.endOffsets(topic)).entries()) {
    sum += end - ((await workspace.log.committed(group, { topic, partition }))?.offset ?? 0);
  }
  return sum;
}

it('metrics of a run say what its summary says; nothing is left to do', async () => {
  const { result, metrics } = await simulateAndRun();
  const { sanitized, sink } = result;
  const sample = (name: string): number => Number(new RegExp(`^${name} (.+)$`, 'mu').exec(metrics)?.[1] ?? NaN);
  const all = (prefix: string): number =>
    [...metrics.matchAll(new RegExp(`^${prefix}(?:\\{.*\\})? (\\S+)$`, 'gmu'))].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  expect(sanitized.read).toBeGreaterThan(1000);
  expect(sample('redactory_raw_events_read_total')).toBe(sanitized.read);
  expect(sample('redactory_raw_bytes_total')).toBe(sanitized.rawBytes);
  expect(all('redactory_raw_batches_total')).toBe(sanitized.batches);
  expect(all('redactory_raw_events_total')).toBe(sanitized.read - sanitized.pending);
  expect(all('redactory_pending_events')).toBe(sanitized.pending);
  expect(sample('redactory_table_rows_total')).toBe(sink.rows);
  // Each partition commits at its own end, several at once if they meet.
  expect(sample('redactory_table_commits_total')).toBeGreaterThanOrEqual(1);
  expect(sample('redactory_table_commits_total')).toBeLessThanOrEqual(4);
  for (const [reason, n] of Object.entries(sanitized.dropped)) {
    expect(metrics).toContain(`redactory_raw_events_total{outcome="dropped",reason="${reason}"} ${n}\n`);
  }
  expect(metrics).toContain('redactory_raw_batches_total{outcome="quarantined",reason="bad_wire_format"} 1\n');
  expect(await waiting(TOPICS.raw, GROUPS.sanitize)).toBe(0);
  expect(await waiting(TOPICS.sanitized, GROUPS.sink)).toBe(0);
  for (const stage of ['fetch', 'tables', 'unseal', 'process', 'commit', 'table_write', 'table_commit']) {
    expect(metrics).toMatch(new RegExp(`^redactory_stage_seconds_count\\{stage="${stage}"\\} [1-9]`, 'mu'));
  }
});

it('metrics and logs hold nothing of what the people typed, nor who they are', async () => {
  const { metrics, logs, planted } = await simulateAndRun();
  const long = planted.filter((text) => text.length >= 6);
  expect(long.length).toBeGreaterThan(100);
  expect(long.filter((text) => metrics.includes(text) || logs.includes(text))).toEqual([]);
  expect(metrics + logs).not.toMatch(/[0-9a-f]{32}/u);
});
