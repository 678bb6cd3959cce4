import { expect, it } from 'vitest';
import type { NewRecord } from '../../src/log/event-log.ts';
import { makeDecision, type DecisionKind } from '../../src/privacy/decisions.ts';
import { appendDecision } from '../../src/runtime/ingest.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { sourceOf } from './checker.ts';
import { readAll } from './evidence.ts';
import { describeFaults } from './harness.ts';
import { partsOf } from './kills.ts';
import { told } from './told.ts';

/** More than the guard for clocks that differ, which would make what came just before depend on who was faster. */
const QUIET_MS = 20_000;

describeFaults('a decision during a rebalance', (stage) => {
  it.each(['pause', 'withdraw'] as const)(
    '(%s): nothing of that person is released that came after it',
    async (kind) => {
      const { line } = await stage();
      const { batches } = await line.simulate({ people: 6, minutes: 8, faults: 'none', consent: 'all_enrolled' });
      const decided = middleOf(batches);
      const person = busiest(batches.filter(({ timestamp }) => timestamp > decided));
      const kept = batches.filter(({ key, timestamp }) => key !== person || Math.abs(timestamp - decided) > QUIET_MS);
      const [before, after] = [
        kept.filter((one) => one.timestamp <= decided),
        kept.filter((one) => one.timestamp > decided),
      ];

      line.start('sanitize');
      line.start('sink');
      await line.append(before);
      await line.worked(Math.ceil(before.length * 0.7 * line.random()));
      // The group makes room for a second worker and then loses the first, while the decision comes.
      const second = line.start('sanitize');
      const rebalance = line.worked(before.length);
      await decide(line, kind, person, decided);
      const [soon = [], later = []] = partsOf(after, 2);
      const appending = line.append(soon);
      const [first] = line.workers;
      await rebalance;
      await first?.kill();
      await appending;
      await line.append(later);
      await told(second, 'decided');
      await line.finish(`a ${kind} during a rebalance`);

      const released = new Set((await readAll(line.workspace, TOPICS.sanitized)).map(sourceOf));
      const own = (await readAll(line.workspace, TOPICS.raw)).filter(({ key }) => key === person);
      const late = own.filter(({ timestamp }) => timestamp > decided);
      expect(late.length).toBeGreaterThan(5);
      const places = late.map(({ topic, partition, offset }) => `${topic}/${partition}/${offset}`);
      expect(places.filter((place) => released.has(place))).toEqual([]);
    },
  );
});

type Line = Awaited<ReturnType<Parameters<Parameters<typeof describeFaults>[1]>[0]>>['line'];

async function decide({ workspace }: Line, kind: DecisionKind, subjectKey: string, now: number): Promise<void> {
  const length = kind === 'pause' ? { minutes: 30 } : {};
  const decision = makeDecision(kind, { subjectKey, now, randomId: () => 'the decision of the test', ...length });
  await appendDecision(workspace.log, workspace.codec, decision);
}

const middleOf = (batches: readonly NewRecord[]): number => batches[Math.floor(batches.length / 2)]?.timestamp ?? 0;

/** Who has most of these batches. */
function busiest(batches: readonly NewRecord[]): string {
  const counts = new Map<string, number>();
  for (const { key } of batches) counts.set(key, (counts.get(key) ?? 0) + 1);
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? '';
}
