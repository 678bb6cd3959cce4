import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTableStore, readTable, type TableRow } from '../../src/sinks/index.ts';
import { createBench, type Bench } from './harness.ts';

/** In the middle of a month, so that there is one epoch. */
const START = Date.UTC(2026, 10, 10, 9);
const given = { now: () => START };
const other = Buffer.alloc(32, 7).toString('base64');

let bench: Bench;
let master: string;
beforeEach(async () => {
  bench = await createBench();
  master = join(bench.data, 'keys', 'master.key');
});
afterEach(() => bench.remove());

interface Run {
  readonly sanitized: {
    readonly read: number;
    readonly released: number;
    readonly dropped: Readonly<Record<string, number>>;
    readonly quarantined: number;
  };
}

const RECORDING = [
  { at: START, kind: 'focus', context: { app: 'Word', title: 'Word' } },
  { at: START + 1000, kind: 'pointer_down', x: 1, y: 1, button: 'left', element: { role: 'button', name: 'Save' } },
  { at: START + 1100, kind: 'pointer_up', x: 1, y: 1, button: 'left' },
  { at: START + 2000, kind: 'session_end' },
]
  .map((line) => JSON.stringify({ subject: 'ana', session: 's', ...line }))
  .join('\n');

async function importOne(): Promise<void> {
  await writeFile(join(bench.dir, 'a.jsonl'), RECORDING);
  await bench.json('import a.jsonl --format capture-jsonl --enrol', given);
}
const run = (): Promise<Run> => bench.json<Run>('run --until-end --policy balanced', given);
const keys = async (): Promise<{ epoch: string; purpose: string; state: string; masterKeyIds: readonly string[] }[]> =>
  (await bench.json<{ keys: [] }>('keys list', given)).keys;

async function rows(): Promise<TableRow[]> {
  const all: TableRow[] = [];
  for await (const batch of (await readTable({ store: await openTableStore(join(bench.data, 'table')) })).batches())
    all.push(...batch);
  return all;
}

describe('keys', () => {
  it('are made on first use, one a purpose and month, and listed without their values', async () => {
    expect((await bench.run('keys list', given)).stdout).toBe('no keys yet: they are made on first use\n');
    await importOne();
    await run();
    expect(await keys()).toEqual([
      expect.objectContaining({ epoch: '2026-11', purpose: 'session', state: 'active', current: true }),
      expect.objectContaining({ epoch: '2026-11', purpose: 'subject', state: 'active', current: true }),
    ]);
    expect((await stat(master)).mode & 0o777).toBe(0o600);
    const secret = (await readFile(master, 'utf8')).trim();
    const { stdout } = await bench.run('keys list --json', given);
    expect(stdout).not.toContain(secret);
    expect(stdout).not.toContain('wrapped');
  });

  it('rotate wraps them anew: pseudonyms stay what they are', async () => {
    await importOne();
    await run();
    const before = { key: await readFile(master, 'utf8'), ids: (await keys()).map((key) => key.masterKeyIds) };
    expect((await bench.run('keys rotate', given)).stdout).toMatch(
      /^3 keys are wrapped by a new master key \([0-9a-f]{8}\); the old one is gone\n$/u,
    );
    expect(await readFile(master, 'utf8')).not.toBe(before.key);
    expect((await keys()).map((key) => key.masterKeyIds)).not.toEqual(before.ids);
    await importOne();
    await run();
    const released = await rows();
    expect(new Set(released.map((row) => row.session)).size).toBe(2);
    // Balanced releases a pseudonym of the person, which links both sessions across the rotation.
    expect(new Set(released.map((row) => row.subject)).size).toBe(1);
    expect(released[0]?.subject).toMatch(/^[0-9a-f]{32}$/u);
  });

  it('destroy says what it would do, and does it with --yes: nothing of that month is released any more', async () => {
    await importOne();
    await run();
    const before = (await rows()).length;
    expect((await bench.run('keys destroy 2026-11', given)).stdout).toBe(
      'would destroy 2 keys of 2026-11 for good, and rotate the master key. This month is still in use: its sessions would be dropped. Add --yes to do it.\n',
    );
    expect((await keys()).map((key) => key.state)).toEqual(['active', 'active']);
    expect((await bench.run('keys destroy 2026-11 --yes', given)).stdout).toBe(
      'destroyed 2 keys of 2026-11; 1 key is wrapped by a new master key, the old one is gone\n',
    );
    expect((await keys()).map((key) => key.state)).toEqual(['destroyed', 'destroyed']);
    await importOne();
    const { sanitized } = await run();
    expect(sanitized).toMatchObject({ released: 0, quarantined: 0 });
    expect(sanitized.dropped['key_destroyed']).toBeGreaterThan(0);
    expect(Object.values(sanitized.dropped).reduce((sum, n) => sum + n)).toBe(sanitized.read);
    expect(await rows()).toHaveLength(before);
    expect((await bench.run('keys destroy 2026-11 --yes', given)).stdout).toContain('destroyed 0 keys of 2026-11');
  });

  it.each(['2026-13', '2026', 'november'])('destroy refuses %s', async (epoch) => {
    const { code, stderr } = await bench.run(`keys destroy ${epoch} --yes`, given);
    expect(code).toBe(1);
    expect(stderr).toContain('an epoch is a month such as');
  });

  it('destroy refuses a month of which nothing is known', async () => {
    expect((await bench.run('keys destroy 2020-01 --yes', given)).stderr).toContain('there is no key of 2020-01');
  });
});

describe('a master key that is not right: the worker does not start, says why, and releases nothing', () => {
  beforeEach(async () => {
    await importOne();
    await run();
    await importOne();
  });

  const refused = async (env: Readonly<Record<string, string>> = {}): Promise<string> => {
    const ends = (): Promise<readonly number[]> =>
      bench.withWorkspace(({ log }) => log.endOffsets('interactions.sanitized'));
    const before = await ends();
    const { code, stdout, stderr } = await bench.run('run --until-end', { ...given, env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(await ends()).toEqual(before);
    return stderr;
  };

  it('a file that others may read', async () => {
    await chmod(master, 0o644);
    expect(await refused()).toContain(`chmod 600 ${master}`);
  });

  it('a file that holds no key', async () => {
    await writeFile(master, 'not a key');
    expect(await refused()).toContain(`key file ${master} does not hold a key`);
  });

  it('a variable that holds no key, whose text is not shown', async () => {
    const message = await refused({ REDACTORY_MASTER_KEY: 'c2VjcmV0dmFsdWU=' });
    expect(message).toContain('REDACTORY_MASTER_KEY does not hold a key');
    expect(message).not.toContain('c2VjcmV0');
  });

  it('another key than the one that wrapped the keyring, from a file or the environment', async () => {
    const message =
      /the (?:(?:session|subject) key of 2026-11|sealing key [0-9a-f]{16}) .*does not open with this master key .* wrapped by/u;
    expect(await refused({ REDACTORY_MASTER_KEY: other })).toMatch(message);
    await writeFile(master, other);
    expect(await refused()).toMatch(message);
    expect(await refused()).not.toContain(other);
  });

  it('a file that is gone though the keyring needs it: none is made in its place', async () => {
    const content = await readFile(master, 'utf8');
    await rm(master);
    expect(await refused()).toContain(master);
    await expect(stat(master)).rejects.toThrow('ENOENT');
    await writeFile(master, content, { mode: 0o600 });
    expect((await run()).sanitized.released).toBeGreaterThan(0);
  });

  it('an ingest key file that is gone though people have decided under it', async () => {
    const ingest = join(bench.data, 'keys', 'ingest.key');
    await rm(ingest);
    expect(await refused()).toContain(`key file ${ingest} does not exist: restore it`);
    expect((await bench.run('consent show --subject ana', given)).code).toBe(1);
    await expect(stat(ingest)).rejects.toThrow('ENOENT');
  });

  it('a variable in place of the file, with the same key, is right', async () => {
    const key = (await readFile(master, 'utf8')).trim();
    await rm(master);
    const { code } = await bench.run('run --until-end', { ...given, env: { REDACTORY_MASTER_KEY: key } });
    expect(code).toBe(0);
    const { code: usage, stderr } = await bench.run('keys rotate', { ...given, env: { REDACTORY_MASTER_KEY: key } });
    expect(usage).toBe(2);
    expect(stderr).toContain('REDACTORY_MASTER_KEY');
  });

  it('an ingest key that is not the one: every batch is quarantined, none released', async () => {
    const env = { REDACTORY_INGEST_KEY: other };
    const before = (await rows()).length;
    const summary = await bench.json<Run>('run --until-end', { ...given, env });
    expect(summary.sanitized).toMatchObject({ released: 0 });
    expect(await rows()).toHaveLength(before);
    const { entries } = await bench.json<{ entries: { reason: string }[] }>('inspect quarantine', given);
    expect(entries.map((entry) => entry.reason)).toEqual(['subject_mismatch']);
    const broken = await bench.run('run --until-end', { ...given, env: { REDACTORY_INGEST_KEY: 'x' } });
    expect(broken.stderr).toContain('REDACTORY_INGEST_KEY does not hold a key');
  });
});
