/**
 * The whole line under crashes, redeliveries, failing writes, doubled owners and late decisions. Each seed is a run of its
 * own; `REDACTORY_SEEDS=300` runs more of them, `REDACTORY_SEED=17` runs one.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { checkRun } from './check.ts';
import { loadKit, runLine, type Kit, type World } from './harness.ts';
import { planOf } from './plan.ts';
import { inMemory, onDisk } from './worlds.ts';

const one = process.env['REDACTORY_SEED'];
const count = Number(process.env['REDACTORY_SEEDS'] ?? 25);
const seeds = one === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(one)];

let kit: Kit;
beforeAll(async () => {
  kit = await loadKit();
});

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
