import { expect, it } from 'vitest';
import { describeFaults, report } from './harness.ts';
import { killUnderLoad, type Role } from './kills.ts';
import { told } from './told.ts';

/** REDACTORY_FAULT_KILLS=100 is the full size. */
const kills = Number(process.env['REDACTORY_FAULT_KILLS'] ?? 5);

/** Members with a name get their partitions back at once, those without are missed for a session timeout. */
const ROLES: readonly Role[] = [
  { command: 'sanitize', instance: 'one' },
  { command: 'sanitize', instance: 'two' },
  { command: 'sanitize' },
  { command: 'sink', instance: 'table' },
];
/** So many raw batches for every kill. */
const BATCHES_A_KILL = 40;
const PEOPLE = 20;
const BATCHES_A_MINUTE = 10;

describeFaults('kill -9 under load', (stage) => {
  it(
    `${kills} times, over sanitizers and sink, loses, doubles and leaks nothing`,
    { timeout: 600_000 + kills * 20_000 },
    async () => {
      const { line } = await stage();
      const minutes = Math.ceil(((kills + 1) * BATCHES_A_KILL) / (PEOPLE * BATCHES_A_MINUTE));
      const { batches } = await line.simulate({ people: PEOPLE, minutes });
      const hits = await killUnderLoad({ line, kills, batches, roles: ROLES, report });
      for (const worker of line.workers.filter(({ isAlive, name }) => isAlive && name.startsWith('sanitize'))) {
        await told(worker, 'killed');
      }
      expect(hits.reduce((sum, n) => sum + n)).toBe(kills);
      const verdict = await line.finish(`${kills} kills (${hits.join(', ')} by role)`);
      expect(verdict.counts['table rows']).toBeGreaterThan(50);
    },
  );
});
