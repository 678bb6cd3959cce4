import { cp, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace } from '../../src/runtime/workspace.ts';
import { openTableStore, readTable, tableDigest } from '../../src/sinks/index.ts';
import { buildCli, type Cli, type CliProcess } from './cli.ts';

describe.skipIf(process.platform === 'win32')('a stop (signals: not on Windows)', () => {
  let cli: Cli;
  /** What each test begins with. */
  let simulated: string;
  let dir: string;
  beforeAll(async () => {
    cli = await buildCli();
    simulated = await mkdtemp(join(tmpdir(), 'redactory-stop-'));
    await cli.run(['simulate', '--people', '20', '--minutes', '20', '--seed', '4', '--data', simulated]);
  });
  afterAll(() => Promise.all([cli.remove(), rm(simulated, { recursive: true, force: true })]));
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-stop-'));
    await cp(simulated, dir, { recursive: true });
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s commits what is finished within 5 s and ends with 0; the next run does the rest',
    async (signal) => {
      const running = cli.start(['run', '--json', '--data', dir], { REDACTORY_METRICS_PORT: '0' });
      await running.waitForLog(/serving/u);
      const asked = performance.now();
      running.child.kill(signal);
      expect(await running.ended).toBe(0);
      expect(performance.now() - asked).toBeLessThan(5_000);
      const first = JSON.parse(running.stdout()) as Summary;
      const second = JSON.parse(await cli.run(['run', '--until-end', '--json', '--data', dir])) as Summary;
      for (const summary of [first, second]) expect(sumOf(summary)).toBe(summary.sanitized.read);
      const table = await tableDigest(await readTable({ store: await openTableStore(join(dir, 'table')) }));
      expect(table.rows).toBe(first.sink.rows + second.sink.rows);
      expect(table.rows).toBeGreaterThan(0);
      // Nothing is left, and nothing was done twice.
      const third = JSON.parse(await cli.run(['run', '--until-end', '--json', '--data', dir])) as Summary;
      expect(third).toMatchObject({ sanitized: { read: 0 }, sink: { rows: 0 } });
    },
  );

  it('asked for twice ends the process at once, with 130; nothing is lost', async () => {
    const running = cli.start(['run', '--data', dir], { REDACTORY_METRICS_PORT: '0' });
    await running.waitForLog(/serving/u);
    const signals = setInterval(() => running.child.kill('SIGTERM'), 1);
    const code = await running.ended;
    clearInterval(signals);
    expect(code).toBe(130);
    expect(running.stderr()).toContain('a second signal ends the process at once');
    await cli.run(['run', '--until-end', '--data', dir]);
    expect((await readTable({ store: await openTableStore(join(dir, 'table')) })).rowCount).toBeGreaterThan(0);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('by %s, which all workers get as well, is one stop', async (signal) => {
    const { running, pid } = await startWorkers(cli, dir);
    process.kill(-pid, signal);
    expect(await running.ended).toBe(0);
    expect(running.stderr()).not.toContain('worker');
    const first = JSON.parse(running.stdout()) as Pick<Summary, 'sanitized'>;
    const args = ['sanitize', '--until-end', '--json', '--data', dir];
    const second = JSON.parse(await cli.run(args)) as Pick<Summary, 'sanitized'>;
    expect(first.sanitized.released + second.sanitized.released).toBeGreaterThan(0);
  });

  it('of who has started workers by kill -9 stops them', async () => {
    const { running, pid } = await startWorkers(cli, dir);
    process.kill(pid, 'SIGKILL');
    // They hold its stderr open for as long as they live.
    const first = await Promise.race([running.ended, delay(15_000, 'alive')]);
    if (first === 'alive') process.kill(-pid, 'SIGKILL');
    expect(first).toBe('SIGKILL');
  });

  it('of a paced simulation leaves whole batches', async () => {
    const args = ['simulate', '--people', '3', '--minutes', '60', '--pace', '30', '--data', dir];
    const running = cli.start(args, { REDACTORY_LOG_LEVEL: 'info' });
    const before = await ends(cli, dir);
    while ((await ends(cli, dir)) <= before);
    running.child.kill('SIGTERM');
    expect(await running.ended).toBe(130);
    const { sanitized } = JSON.parse(await cli.run(['run', '--until-end', '--json', '--data', dir])) as Summary;
    expect(sanitized.quarantined).toBe(0);
  });

  it('of whoever reads a pipe ends the writer without a complaint', async () => {
    await cli.run(['run', '--until-end', '--data', dir]);
    for (const args of [
      ['inspect', 'table', '--limit', '100000'],
      ['sink', '--until-end', '--to', 'jsonl'],
    ]) {
      const running = cli.start([...args, '--data', dir]);
      running.child.stdout?.once('data', () => running.child.stdout?.destroy());
      expect(await running.ended).toBe(0);
      expect(running.stderr()).toBe('');
    }
  });

  it('of whoever reads stderr ends nothing', async () => {
    const running = cli.start(['run', '--until-end', '--json', '--data', dir], { REDACTORY_METRICS_PORT: '0' });
    running.child.stderr?.destroy();
    expect(await running.ended).toBe(0);
    expect(JSON.parse(running.stdout())).toHaveProperty('sink.rows');
  });

  it.skipIf(process.platform !== 'linux')('by a full disk behind stdout says so', async () => {
    await cli.run(['run', '--until-end', '--data', dir]);
    const full = await open('/dev/full', 'w');
    for (const args of [
      ['inspect', 'table'],
      ['sink', '--until-end', '--to', 'jsonl'],
    ]) {
      const running = cli.start([...args, '--data', dir], {}, { stdout: full.fd });
      expect(await running.ended).toBe(1);
      expect(running.stderr()).toBe('redactory: the output cannot be written (ENOSPC): check the disk\n');
    }
    await full.close();
  });

  it('of whoever reads a pipe does not hide that a command has failed', async () => {
    const config = await loadConfig({ env: {}, cwd: dir, data: dir });
    const workspace = await openWorkspace(config, {});
    await workspace.log.append(TOPICS.audit, [{ key: 'x', value: Buffer.from('no record'), timestamp: 0 }]);
    await workspace.close();
    const running = cli.start(['audit', 'verify', '--data', dir]);
    running.child.stdout?.destroy();
    expect(await running.ended).toBe(1);
    expect(running.stderr()).toContain('the audit trail is not as it was written');
  });
});

/** Two, which have begun: each tells that it serves. */
async function startWorkers(cli: Cli, data: string): Promise<{ running: CliProcess; pid: number }> {
  const args = ['sanitize', '--workers', '2', '--json', '--data', data];
  const running = cli.start(args, { REDACTORY_METRICS_PORT: '0' }, { ownGroup: true });
  await running.waitForLog(/serving[^]*serving/u);
  const { pid } = running.child;
  if (pid === undefined) throw new Error('it has been started');
  return { running, pid };
}

interface Summary {
  readonly sanitized: {
    readonly read: number;
    readonly released: number;
    readonly dropped: Readonly<Record<string, number>>;
    readonly quarantined: number;
    readonly pending: number;
  };
  readonly sink: { readonly rows: number };
}

const sumOf = ({ sanitized }: Summary): number =>
  Object.values(sanitized.dropped).reduce(
    (sum, n) => sum + n,
    sanitized.released + sanitized.quarantined + sanitized.pending,
  );

async function ends(cli: Cli, data: string): Promise<number> {
  const raw = JSON.parse(await cli.run(['inspect', 'raw', '--limit', '0', '--json', '--data', data])) as {
    ends: number[];
  };
  return raw.ends.reduce((sum, end) => sum + end);
}
