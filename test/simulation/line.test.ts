/**
 * The whole line under crashes, redeliveries, failing writes, doubled owners and late decisions. Each seed is a run of its
 * own; `REDACTORY_SEEDS=300` runs more of them, `REDACTORY_SEED=17` runs one.
 */
import { beforeAll, describe, expect, it } from 'vitest';
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

function inMemory(): World {
  const broker = new Broker();
  const files = new Map<string, Uint8Array>();
  return { connect: async () => broker.connect(), store: async () => new MemoryStore(files) };
}

describe('the line under faults', () => {
  it.each(seeds)('seed %i', async (seed) => {
    const plan = planOf(seed);
    expect.hasAssertions();
    try {
      await checkRun(plan, kit, await runLine(plan, kit, inMemory()));
    } catch (error) {
      if (error instanceof Error)
        error.message = `${error.message}\nagain with REDACTORY_SEED=${seed}: ${JSON.stringify(plan)}`;
      throw error;
    }
  });
});
