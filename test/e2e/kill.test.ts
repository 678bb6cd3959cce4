import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCli, type Cli } from './cli.ts';
import { killTest } from './kill.ts';

/** REDACTORY_KILL_EVENTS=2000000 REDACTORY_KILLS=20 is the full size; REDACTORY_SEED repeats a run. */
const events = Number(process.env['REDACTORY_KILL_EVENTS'] ?? 100_000);
const kills = Number(process.env['REDACTORY_KILLS'] ?? 3);
const seed = Number(process.env['REDACTORY_SEED'] ?? Date.now() % 2 ** 31);

describe('kill -9 of run', () => {
  let cli: Cli;
  let dir: string;
  beforeAll(async () => {
    cli = await buildCli();
    dir = await mkdtemp(join(tmpdir(), 'redactory-kill-'));
  });
  afterAll(async () => {
    await cli.remove();
    await rm(dir, { recursive: true, force: true });
  });

  it(
    `${kills} times over ${events} events leaves the table of an undisturbed run, row for row (seed ${seed})`,
    { timeout: 120_000 + events + kills * 60_000 },
    async () => {
      const report = (line: string): void => void process.stdout.write(`  ${line}\n`);
      const outcome = await killTest({ cli, dir, events, kills, seed, report });
      const { undisturbed, killed } = outcome;
      expect(outcome.events).toBeGreaterThanOrEqual(events);
      expect(undisturbed.rows).toBeGreaterThan(0);
      expect({ rows: killed.rows, digest: killed.digest }).toEqual({
        rows: undisturbed.rows,
        digest: undisturbed.digest,
      });
      expect(Object.values(outcome.kills).reduce((sum, n) => sum + n)).toBe(kills);
    },
  );
});
