import { expect, it } from 'vitest';
import { describeFaults, report } from './harness.ts';
import { PARTITIONS } from './line.ts';
import { told } from './told.ts';
import { Timeline } from './timeline.ts';
import type { Worker } from './worker.ts';

/** Commits of the one that goes on, seen while the other changes hands. */
const SOME = 3;

describeFaults('workers that come and go under load', (stage) => {
  it('take partitions over while work on the others goes on', async () => {
    // Two records a transaction: commits are what is counted here.
    const { line } = await stage({ settings: { fetch: { maxRecords: 2 } } });
    const { batches } = await line.simulate({ people: 40, minutes: 16, faults: 'none', consent: 'all_enrolled' });
    const rest = [...batches];
    await line.append(rest.splice(0, 400));
    const first = line.start('sanitize');
    line.start('sink');
    await line.worked(20);

    const coming = new Timeline(line, rest);
    const second = line.start('sanitize');
    await coming.watch('a second worker to have its share', async () => shareOf(second).length > 0);
    const moved = shareOf(second);
    const kept = shareOf(first);
    expect(new Set([...kept, ...moved]).size).toBe(PARTITIONS);
    expectNoStandstill(coming, moved, kept, 'a worker came');

    const leaving = new Timeline(line, rest);
    await line.retire(first);
    await leaving.watch('the other to have all', async () => shareOf(second).length === PARTITIONS);
    expectNoStandstill(leaving, kept, moved, 'a worker went');
    await told(second, 'scaled');
    await line.finish('workers coming and going');
  });
});

function expectNoStandstill(seen: Timeline, moved: readonly number[], kept: readonly number[], what: string): void {
  for (const from of moved) {
    for (const other of kept) {
      const { ms, commits } = seen.during(from, other);
      report(
        `${what}: partition ${from} stood still for ${ms.toFixed(0)} ms, ${other} had ${commits} commits meanwhile`,
      );
      expect(commits).toBeGreaterThanOrEqual(SOME);
    }
  }
}

/** The partitions of raw that a worker says it has. */
function shareOf(worker: Worker): number[] {
  const lines = worker
    .stderr()
    .split('\n')
    .filter((line) => line.includes("of group 'sanitize'"));
  const last = /"detail":"([\d, ]*)"/u.exec(lines.at(-1) ?? '')?.[1] ?? '';
  return last === '' ? [] : last.split(', ').map(Number);
}
