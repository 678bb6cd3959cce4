/** What the end of a key is worth: to whoever joins tables, has backups, or has the sink's part of the line. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../src/config-kafka.ts';
import { loadConfig } from '../../src/config.ts';
import type { LogRecord } from '../../src/log/event-log.ts';
import { createKeyring, KeyError, type KeyringTable } from '../../src/privacy/keyring.ts';
import { parseKey } from '../../src/privacy/keys/key-files.ts';
import { fixedWrapping } from '../../src/privacy/keys/wrapping.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';
import { openTableStore, readTable, type TableRow } from '../../src/sinks/index.ts';
import { describeWithOpenBao, startOpenBao, writeToken, type OpenBaoServer } from '../servers/openbao.ts';
import { createBench, type Bench } from './harness.ts';

const START = Date.UTC(2026, 10, 10, 9);
const given = { now: () => START };
const PEOPLE = ['ana', 'bo', 'cy'];

let bench: Bench;
let master: string;
beforeEach(async () => {
  bench = await createBench();
  master = join(bench.data, 'keys', 'master.key');
});
afterEach(() => bench.remove());

/** Two sessions of each person, imported and released under the policy that gives people pseudonyms. */
async function liveWork(command = 'run'): Promise<void> {
  for (const subject of PEOPLE) {
    for (const session of ['one', 'two']) {
      const lines = [
        { at: START, kind: 'focus', context: { app: 'Word', title: 'Word' } },
        {
          at: START + 1000,
          kind: 'pointer_down',
          x: 1,
          y: 1,
          button: 'left',
          element: { role: 'button', name: 'Save' },
        },
        { at: START + 1100, kind: 'pointer_up', x: 1, y: 1, button: 'left' },
        { at: START + 2000, kind: 'session_end' },
      ].map((line) => JSON.stringify({ subject, session, ...line }));
      await writeFile(join(bench.dir, 'a.jsonl'), lines.join('\n'));
      await bench.json('import a.jsonl --format capture-jsonl --enrol', given);
    }
  }
  await bench.json(`${command} --until-end --policy balanced`, given);
}

async function rows(table = 'table'): Promise<TableRow[]> {
  const all: TableRow[] = [];
  for await (const batch of (await readTable({ store: await openTableStore(join(bench.data, table)) })).batches())
    all.push(...batch);
  return all;
}

const subjectsOf = async (table?: string): Promise<Set<string>> =>
  new Set((await rows(table)).flatMap(({ subject }) => subject ?? []));

async function withConfig<T>(
  file: string | undefined,
  role: Role,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const workspace = await openWorkspace(await loadConfig({ file, env: {}, cwd: bench.dir }), {}, { role });
  try {
    return await work(workspace);
  } finally {
    await workspace.close();
  }
}

/** All that is on the keyring's topic. */
function keyringRecords(): Promise<readonly LogRecord[]> {
  return bench.withWorkspace(async ({ log }) => {
    const [offset = 0] = await log.beginOffsets(TOPICS.keyring);
    const all = { partition: 0, maxRecords: 10_000, maxBytes: 1 << 24, waitMs: 0 };
    return (await log.read({ ...all, topic: TOPICS.keyring, offset })).records;
  });
}

/** The keyring as somebody opens it who has its records and master keys, and no other part of the line. */
function thief(records: readonly LogRecord[], ...masterKeys: string[]): Promise<KeyringTable> {
  return bench.withWorkspace(async ({ codec }) => {
    const [first, ...others] = masterKeys.map((text) => parseKey(text.trim(), 'key'));
    if (first === undefined) throw new Error('a thief needs a key');
    const keyring = createKeyring({ wrapping: fixedWrapping({ masterKey: first, alsoOpens: others }) });
    for (const { value, offset } of records) {
      const record = value === null ? undefined : codec.decodeKeyEntry(value);
      // Who is after pseudonyms leaves sealing keys alone, which have no epoch.
      if (record !== undefined && !('purpose' in record && record.purpose === 'sealing')) keyring.apply(record, offset);
    }
    await keyring.openKeys();
    return keyring;
  });
}

/** Who of the people is in the table, for somebody who knows their ids and can make pseudonyms. */
function found(keyring: KeyringTable, subjects: ReadonlySet<string>): string[] {
  return PEOPLE.filter((person) => subjects.has(keyring.pseudonym('subject', '2026-11', person) ?? ''));
}

describe('after an epoch is destroyed', () => {
  it('a replay joins nobody of the live table, as it did before', async () => {
    await liveWork();
    const live = await subjectsOf();
    expect(live.size).toBe(3);
    await bench.json('replay --policy balanced --into before', given);
    expect(await subjectsOf('table-replays/before')).toEqual(live);
    await bench.json('keys destroy 2026-11 --yes', given);
    const { counts } = await bench.json<{ counts: { released: number; dropped: Record<string, number> } }>(
      'replay --policy balanced --into after',
      given,
    );
    expect(counts.released).toBe(0);
    expect(counts.dropped['key_destroyed']).toBeGreaterThan(0);
    const after = await subjectsOf('table-replays/after').catch(() => new Set<string>());
    expect([...after].filter((subject) => live.has(subject))).toEqual([]);
    expect(await subjectsOf()).toEqual(live);
  });

  it('nobody who has the log, the master key and the people’s ids finds them in the table, as they could before', async () => {
    await liveWork();
    const subjects = await subjectsOf();
    expect(found(await thief(await keyringRecords(), await readFile(master, 'utf8')), subjects)).toEqual(PEOPLE);
    await bench.json('keys destroy 2026-11 --yes', given);
    expect(found(await thief(await keyringRecords(), await readFile(master, 'utf8')), subjects)).toEqual([]);
  });

  it('a backup of the keyring does not open with the master key of today', async () => {
    await liveWork();
    const subjects = await subjectsOf();
    const backup = await keyringRecords();
    const old = await readFile(master, 'utf8');
    await bench.json('keys destroy 2026-11 --yes', given);
    await expect(thief(backup, await readFile(master, 'utf8'))).rejects.toThrow(KeyError);
    // Nor is anything left on the topic that the master key of that time opens.
    expect(found(await thief(await keyringRecords(), old), subjects)).toEqual([]);
    // With a backup of that key as well it does, as docs/keys.md says: such copies are to be deleted.
    expect(found(await thief(backup, old), subjects)).toEqual(PEOPLE);
  });

  it('a backup opens as long as the master key is not replaced, and the command says so', async () => {
    await liveWork();
    const subjects = await subjectsOf();
    const backup = await keyringRecords();
    const { stdout } = await bench.run('keys destroy 2026-11 --yes --no-rotate', given);
    expect(stdout).toContain('until it is replaced, a backup of the keyring opens with it');
    expect(found(await thief(backup, await readFile(master, 'utf8')), subjects)).toEqual(PEOPLE);
    await bench.json('keys rotate', given);
    await expect(thief(backup, await readFile(master, 'utf8'))).rejects.toThrow(KeyError);
  });

  it('no record of its keys is left on the embedded log', async () => {
    await liveWork();
    const wrapped = (await keyringRecords()).flatMap(({ value }) => (value === null ? [] : [value]));
    await bench.json('keys destroy 2026-11 --yes', given);
    const left = (await keyringRecords()).map(({ value }) => value);
    expect(left.filter((value) => value !== null && wrapped.some((one) => Buffer.from(one).equals(value)))).toEqual([]);
  });

  it('a workspace that is open follows with its next catching up', async () => {
    await liveWork();
    await bench.withWorkspace(async (worker) => {
      const tables = await worker.controlTables(5_000);
      await tables.catchUp();
      expect(tables.keyring.pseudonym('subject', '2026-11', 'ana')).toBeDefined();
      await bench.json('keys destroy 2026-11 --yes', given);
      await tables.catchUp();
      expect(tables.keyring.pseudonym('subject', '2026-11', 'ana')).toBeUndefined();
      await tables.ensureKeys([START]);
      expect(tables.keyring.state('subject', '2026-11')).toBe('destroyed');
    });
  });
});

it('two months of a person have nothing in common', async () => {
  await liveWork();
  const keyring = await thief(await keyringRecords(), await readFile(master, 'utf8'));
  const december = await bench.withWorkspace(async (workspace) => {
    const tables = await workspace.controlTables(5_000);
    await tables.catchUp();
    await tables.ensureKeys([Date.now()]);
    const month = new Date().toISOString().slice(0, 7);
    return PEOPLE.map((person) => tables.keyring.pseudonym(month === '2026-11' ? 'session' : 'subject', month, person));
  });
  const november = new Set(PEOPLE.map((person) => keyring.pseudonym('subject', '2026-11', person)));
  expect(december.filter((one) => november.has(one))).toEqual([]);
});

describe('keys rewrap', () => {
  const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64');

  it('moves to another master key of the environment, and says what it would do', async () => {
    await liveWork();
    const before = await subjectsOf();
    const old = (await readFile(master, 'utf8')).trim();
    await rm(master);
    const env = { REDACTORY_MASTER_KEY: key(3), REDACTORY_OLD_MASTER_KEY: old };
    const dry = await bench.json<{ wouldRewrap: number }>('keys rewrap --dry-run', { ...given, env });
    expect(dry).toMatchObject({ rewrapped: 0, wouldRewrap: 3 });
    expect(await bench.json('keys rewrap', { ...given, env })).toMatchObject({ rewrapped: 3 });
    expect(await bench.json('keys rewrap', { ...given, env })).toMatchObject({ rewrapped: 0 });
    const alone = { ...given, env: { REDACTORY_MASTER_KEY: key(3) } };
    await bench.json('run --until-end --policy balanced', alone);
    await bench.json('replay --policy balanced --into again', alone);
    expect(await subjectsOf('table-replays/again')).toEqual(before);
    const gone = await bench.run('keys list', { ...given, env: { REDACTORY_MASTER_KEY: old } });
    expect(gone.code).toBe(1);
    // What is there is listed all the same.
    expect(gone.stdout).toContain('2026-11');
    expect(gone.stderr).toContain('does not open with this master key');
  });

  it('a worker that has the old key makes no key that counts, and says what to do', async () => {
    await liveWork();
    const old = (await readFile(master, 'utf8')).trim();
    await bench.json('keys rotate', given);
    const later = { now: () => START + 30 * 86_400_000, env: { REDACTORY_MASTER_KEY: old } };
    const { code, stderr } = await bench.run('run --until-end --policy balanced', later);
    expect(code).toBe(1);
    expect(stderr).toContain('does not open with this master key');
  });

  it('waits for a rotation that was begun', async () => {
    await liveWork();
    await writeFile(`${master}.next`, `${key(5)}\n`, { mode: 0o600 });
    const { code, stderr } = await bench.run('keys rewrap', given);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('finish it with `redactory keys rotate`') as string,
    });
    await bench.json('keys rotate', given);
    expect((await readFile(master, 'utf8')).trim()).toBe(key(5));
  });
});

it('keys destroy refuses to leave the master key of the environment without saying so', async () => {
  await liveWork();
  const env = { REDACTORY_MASTER_KEY: (await readFile(master, 'utf8')).trim() };
  const { code, stderr } = await bench.run('keys destroy 2026-11 --yes', { ...given, env });
  expect(code).toBe(2);
  expect(stderr).toContain('add --no-rotate');
  await bench.json('keys destroy 2026-11 --yes --no-rotate', { ...given, env });
});

it('keys list says since when, and by what keys are wrapped, and shows no byte of them', async () => {
  await liveWork();
  const { stdout } = await bench.run('keys list', { now: () => START + 3 * 86_400_000 });
  expect(stdout).toMatch(
    /^epoch +purpose +state +key +age +wrapped by\n2026-11 +session +active +[0-9a-f]{16} +3 d +[0-9a-f]{8}\n2026-11 +subject +active +[0-9a-f]{16} +3 d +[0-9a-f]{8}\n$/u,
  );
});

describe('the sink’s part of the line', () => {
  it.each(['sink', 'producer'] as const)('as %s opens no key', async (role) => {
    await liveWork();
    await withConfig(undefined, role, async (workspace) => {
      await expect(workspace.wrapping()).rejects.toThrow(`the ${role} opens no keys`);
      await expect(workspace.controlTables(5_000)).rejects.toThrow(KeyError);
    });
  });

  it('works without a master key that it could read', async () => {
    await liveWork('sanitize');
    await writeFile(master, 'no key');
    await bench.json('sink --until-end', given);
    expect(await subjectsOf()).toHaveProperty('size', 3);
  });
});

describeWithOpenBao('keys wrapped by OpenBao', () => {
  let server: OpenBaoServer;
  let made = 0;
  beforeAll(async () => {
    server = await startOpenBao();
  });
  afterAll(() => server.close());

  /** Moves the bench to a key of the service; the operator's token may do all, the worker's encrypt and decrypt. */
  async function configure(): Promise<{ readonly key: string; readonly operator: string; readonly worker: string }> {
    const key = `line-${made++}`;
    await server.ask('POST', `transit/keys/${key}`, { type: 'aes256-gcm96' });
    const rights = ['encrypt', 'decrypt'].map((verb) => `path "transit/${verb}/${key}" { capabilities = ["update"] }`);
    const tokens = { operator: server.rootToken, worker: await server.token(rights.join('\n')) };
    await mkdir(join(bench.dir, 'secrets'), { mode: 0o700 });
    for (const [name, token] of Object.entries(tokens)) {
      await writeToken(join(bench.dir, 'secrets', name), token);
      const transit = { url: server.url, key, tokenFile: `secrets/${name}` };
      await writeFile(join(bench.dir, `${name}.yaml`), JSON.stringify({ keys: { transit } }));
    }
    return { key, operator: '--config operator.yaml', worker: '--config worker.yaml' };
  }

  it('come from a master key by rewrap, and work without it; rotate and destroy end what was', async () => {
    await liveWork();
    const subjects = await subjectsOf();
    const { key, operator, worker } = await configure();
    // Before: workers open with the file what it wrapped.
    await bench.json(`run --until-end --policy balanced ${worker}`, given);
    expect(await bench.json(`keys rewrap ${operator}`, given)).toEqual({
      rewrapped: 3,
      wrappedBy: `transit/${key}:v1`,
    });
    await rm(master);
    await bench.json(`replay --policy balanced --into moved ${worker}`, given);
    expect(await subjectsOf('table-replays/moved')).toEqual(subjects);

    const refused = await bench.run(`keys rotate ${worker}`, given);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('does not let the token of keys.transit.tokenFile rotate');
    expect(await bench.json(`keys rotate ${operator}`, given)).toEqual({
      rewrapped: 3,
      wrappedBy: `transit/${key}:v2`,
    });
    await bench.json(`replay --policy balanced --into rotated ${worker}`, given);
    expect(await subjectsOf('table-replays/rotated')).toEqual(subjects);

    await bench.json(`keys rewrap --to-master-key ${operator}`, given);
    await bench.json('replay --policy balanced --into back', given);
    expect(await subjectsOf('table-replays/back')).toEqual(subjects);
    await bench.json(`keys rewrap ${operator}`, given);
    await rm(master);

    const backup = await keyringRecords();
    const said = await bench.run(`keys destroy 2026-11 --yes ${operator}`, given);
    expect(said.stdout).toContain(`wrapped by a new version of transit/${key}, the old one is gone`);
    // A backup brought back: the service opens nothing of it.
    await rm(join(bench.data, 'log'), { recursive: true });
    await bench.withWorkspace(async ({ log }) => {
      await log.append(
        TOPICS.keyring,
        backup.map(({ key: recordKey, value, timestamp }) => ({ key: recordKey, value, timestamp })),
      );
    });
    const restored = await bench.run(`keys list ${operator}`, given);
    expect(restored.stderr).toMatch(/does not open|is damaged/u);
    expect(restored.code).toBe(1);
  });

  it('a new month’s key is wrapped by the service; without the service nothing is released, and it goes on afterwards', async () => {
    const { key, worker } = await configure();
    await bench.json(`simulate --people 3 --minutes 2 --seed 4 ${worker}`);
    const config = await readFile(join(bench.dir, 'worker.yaml'), 'utf8');
    await writeFile(join(bench.dir, 'worker.yaml'), config.replace(server.url, 'http://127.0.0.1:9'));
    await withConfig('worker.yaml', 'sanitizer', async (workspace) => {
      const tables = await workspace.controlTables(5_000);
      await expect(tables.ensureKeys([workspace.now()])).rejects.toThrow(/\(keys\.transit\.url\), gives no answer/u);
      expect(tables.keyring.entries()).toEqual([]);
    });
    await writeFile(join(bench.dir, 'worker.yaml'), config);
    await bench.json(`run --until-end ${worker}`);
    const { keys } = await bench.json<{ keys: { masterKeyIds: string[] }[] }>(`keys list ${worker}`);
    expect(new Set(keys.flatMap(({ masterKeyIds }) => masterKeyIds))).toEqual(new Set([`transit/${key}:v1`]));
    await expect(readFile(master)).rejects.toThrow('ENOENT');
  });
});
