/** Replays by processes of their own that are killed at random moments, beside each other and beside live work. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTableStore, readTable, tableDigest } from '../../src/sinks/index.ts';
import { generator } from '../helpers/generator.ts';
import { buildCli, type Cli } from './cli.ts';

const KILLS = 4;
const seed = Number(process.env['REDACTORY_SEED'] ?? Date.now() % 2 ** 31);

describe('kill -9 of replay', () => {
  let cli: Cli;
  let dir: string;
  beforeAll(async () => {
    cli = await buildCli();
    dir = await mkdtemp(join(tmpdir(), 'redactory-replay-'));
  });
  afterAll(async () => {
    await cli.remove();
    await rm(dir, { recursive: true, force: true });
  });

  it(
    `${KILLS} times leaves the table of a replay that nobody disturbed, row for row (seed ${seed})`,
    { timeout: 240_000 },
    async () => {
      const config = join(dir, 'redactory.yaml');
      // Small transactions and commits: more moments at which a kill can do harm.
      await writeFile(config, 'fetch:\n  maxRecords: 4\nsink:\n  flushSeconds: 1\n  flushRows: 300\n');
      const at = ['--config', config, '--data', join(dir, 'data')];
      await cli.run(['simulate', '--people', '12', '--minutes', '12', '--seed', String(seed), ...at]);
      await cli.run(['run', '--until-end', ...at]);
      const replay = (name: string): string[] => ['replay', '--policy', 'balanced', '--into', name, ...at];
      await cli.run([...replay('calm'), '--workers', '2']);

      const random = generator(seed);
      for (let kill = 0; kill < KILLS; kill++) {
        const workers = [cli.start(replay('harassed')), cli.start(replay('harassed'))];
        await delay(300 + random() * 1_200);
        for (const { child } of workers) child.kill('SIGKILL');
        await Promise.all(workers.map(({ ended }) => ended));
      }
      const shown = JSON.parse(await cli.run([...replay('harassed'), '--json'])) as {
        readonly counts: { readonly read: number };
      };
      const calm = JSON.parse(await cli.run(['replay', 'show', 'calm', '--json', ...at])) as typeof shown;
      // Counts of work that was done before a kill are there as well, and none twice.
      expect(shown.counts).toEqual(calm.counts);
      expect(shown.counts.read).toBeGreaterThan(10_000);
      expect(await digestOf(dir, 'harassed')).toEqual(await digestOf(dir, 'calm'));

      const promoting = cli.start(['replay', 'promote', 'harassed', ...at]);
      await delay(random() * 900);
      promoting.child.kill('SIGKILL');
      await promoting.ended;
      await cli.run(['replay', 'promote', 'harassed', ...at]);
      const table = await readTable({ store: await openTableStore(join(dir, 'data/table')) });
      expect(await tableDigest(table)).toEqual(await digestOf(dir, 'calm'));
    },
  );
});

const digestOf = async (dir: string, name: string): ReturnType<typeof tableDigest> =>
  await tableDigest(await readTable({ store: await openTableStore(join(dir, 'data/table-replays', name)) }));
