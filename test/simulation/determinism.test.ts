/** One raw log, read in whatever portions, by whatever owners, through whatever crashes: byte for byte the same comes out. */
import { beforeAll, describe, expect, it } from 'vitest';
import { TOPICS } from '../../src/runtime/topics.ts';
import { loadKit, runLine, type Kit } from './harness.ts';
import { actual, readTopic, type Released } from './oracle.ts';
import { planOf, type RunPlan } from './plan.ts';
import { inMemory, onDisk } from './worlds.ts';

let kit: Kit;
beforeAll(async () => {
  kit = await loadKit();
});

const COMPANY: RunPlan = {
  ...planOf(1),
  people: 8,
  minutes: 6,
  session: { maxMinutes: 3, maxActions: 5, latenessMinutes: 1 },
  consentFirst: true,
  keysFirst: true,
  redelivered: 0.05,
  damaged: 0.02,
  erasure: true,
};
const UNDISTURBED: Partial<RunPlan> = { sanitizers: 1, sinks: 1, faults: 0 };
const LUCKS = Array.from({ length: 10 }, (_, i) => i + 1);

async function sanitised(change: Partial<RunPlan>, world = inMemory()): Promise<Released[]> {
  const finished = await runLine({ ...COMPANY, ...change }, kit, world);
  return actual(await readTopic(finished.log, TOPICS.sanitized));
}

describe('the sanitised topic', () => {
  it('is the same whoever wrote it', async () => {
    const undisturbed = await sanitised({ ...UNDISTURBED, luck: 1000 });
    expect(undisturbed.length).toBeGreaterThan(100);
    for (const luck of LUCKS) {
      const disturbed = await sanitised({ sanitizers: 3, faults: 30, faultRate: 0.004, luck });
      expect(disturbed, `luck ${luck}`).toEqual(undisturbed);
    }
    expect(await sanitised({ ...UNDISTURBED, luck: 1001 }, await onDisk())).toEqual(undisturbed);
  });
});
