/**
 * The whole line under crashes, redeliveries, failing writes, doubled owners and late decisions. Each seed is a run of its
 * own; `REDACTORY_SEEDS=300` runs more of them, `REDACTORY_SEED=17` runs one.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { openLocalStore } from '../../src/sinks/training-table/local-store.ts';
import { MemoryStore } from '../helpers/memory-store.ts';
import { checkRun } from './check.ts';
import { loadKit, runLine, type Kit, type World } from './harness.ts';
import { Broker } from './memory-log.ts';
import { planOf } from './plan.ts';

const one = process.env['REDACTORY_SEED'];
const count = Number(process.env['REDACTORY_SEEDS'] ?? 25);
const seeds = one === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(one)];

let kit: Kit;
beforeAll(async () => {
  kit = await loadKit();
});

/** The real log and the real files, for a few of the seeds: they take their time. */
async function onDisk(): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'redactory-line-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const clients: EventLog[] = [];
  onTestFinished(async () => void (await Promise.all(clients.map((client) => client.close()))));
  return {
    connect: async () => {
      const client = await openEmbeddedLog({ dir: join(dir, 'log') });
      clients.push(client);
      return client;
    },
    store: () => openLocalStore(join(dir, 'table')),
  };
}

function inMemory(): World {
  const broker = new Broker();
  const files = new Map<string, Uint8Array>();
  return { connect: async () => broker.connect(), store: async () => new MemoryStore(files) };
}

async function runAndCheck(seed: number, world: World): Promise<void> {
  const plan = planOf(seed);
  try {
    await checkRun(plan, kit, await runLine(plan, kit, world));
  } catch (error) {
    if (error instanceof Error) {
      error.message = `${error.message}\nagain with REDACTORY_SEED=${seed}: ${JSON.stringify(plan)}`;
    }
    throw error;
  }
}

describe('the line under faults', () => {
  it.each(seeds)('seed %i', async (seed) => {
    expect.hasAssertions();
    await runAndCheck(seed, inMemory());
  });
});

describe('the line under faults, on the embedded log and real files', () => {
  it.each(one === undefined ? seeds.filter((seed) => seed % 10 === 1) : seeds)('seed %i', async (seed) => {
    expect.hasAssertions();
    await runAndCheck(seed, await onDisk());
  });
});
