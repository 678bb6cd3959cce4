import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventLog } from '../../src/log/event-log.ts';
import { makeDecision } from '../../src/privacy/decisions.ts';
import { appendErasure } from '../../src/runtime/erasures.ts';
import { appendDecision } from '../../src/runtime/ingest.ts';
import { changeManifest } from '../../src/runtime/replay/manifest.ts';
import { REPLAYS_TOPIC } from '../../src/runtime/replay/names.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openTableStore, readTable, tableDigest } from '../../src/sinks/index.ts';
import { createBench, type Bench } from './harness.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench.remove());

interface Result {
  readonly replay: {
    readonly state: string;
    readonly promoted: { readonly version: number } | null;
    readonly from: string;
  };
  readonly counts: Record<'read' | 'released' | 'quarantined' | 'pending' | 'batches', number> & {
    readonly dropped: Readonly<Record<string, number>>;
    readonly batchesByReason: Readonly<Record<string, number>>;
  };
  readonly rows: number;
  readonly comparison: {
    readonly live: { readonly rows: number; readonly digest: string };
    readonly replay: { readonly rows: number; readonly digest: string };
    readonly rows: Record<'equal' | 'changed' | 'dropped' | 'kept', number>;
    readonly columns: Readonly<Record<string, number>>;
  } | null;
}

/** A few people, worked on live; whoever has withdrawn enrols again. */
async function liveWork(): Promise<void> {
  await bench.json('simulate --people 5 --minutes 4 --seed 5');
  await enrolEverybody();
  await bench.json('run --until-end');
}

async function enrolEverybody(): Promise<void> {
  await bench.withWorkspace(async (workspace) => {
    const { log, codec } = workspace;
    const { records } = await log.read({
      topic: TOPICS.consent,
      partition: 0,
      offset: 0,
      maxRecords: 10_000,
      maxBytes: 1 << 24,
      waitMs: 0,
    });
    const keys = new Set(
      records.flatMap(({ value }) => (value === null ? [] : [codec.decodeConsent(value).subjectKey])),
    );
    const now = await workspace.trustedNow();
    for (const subjectKey of keys) {
      await appendDecision(log, codec, makeDecision('enrol', { subjectKey, now, randomId: randomUUID }));
    }
  });
}

/** The subject key of a person of whom live work released something. */
async function somebodyReleased(log: EventLog): Promise<string> {
  for (const partition of (await log.endOffsets(TOPICS.sanitized)).keys()) {
    const one = { offset: 0, maxRecords: 1, maxBytes: 1, waitMs: 0 };
    const [released] = (await log.read({ ...one, topic: TOPICS.sanitized, partition })).records;
    if (released === undefined) continue;
    const { 'source-partition': from, 'source-offset': offset } = released.headers;
    const [raw] = (await log.read({ ...one, topic: TOPICS.raw, partition: Number(from), offset: Number(offset) }))
      .records;
    if (raw !== undefined) return raw.key;
  }
  throw new Error('nothing was released');
}

const digestOf = async (table: string): ReturnType<typeof tableDigest> =>
  await tableDigest(await readTable({ store: await openTableStore(join(bench.data, table)) }));

describe('replay', () => {
  it('under the same policy gives the live rows byte for byte, and says so', async () => {
    await liveWork();
    const live = await digestOf('table');
    const { counts, rows, comparison, replay } = await bench.json<Result>('replay --policy strict --into again');
    expect(replay.state).toBe('done');
    expect(rows).toBe(live.rows);
    expect(comparison?.live.digest).toBe(live.digest);
    expect(comparison?.replay).toMatchObject(live);
    expect(comparison?.rows).toEqual({ equal: live.rows, changed: 0, dropped: 0, kept: 0 });
    expect(await digestOf('table-replays/again')).toEqual(live);
    const sum = Object.values(counts.dropped).reduce(
      (a, b) => a + b,
      counts.released + counts.quarantined + counts.pending,
    );
    expect(sum).toBe(counts.read);
    const text = await bench.run('replay --policy strict --into again');
    expect(text.stdout).toMatch(/sum +[\d,]+ +adds up\n/u);
    expect(text.stdout).toContain(`identical: digest ${live.digest}`);
  });

  it('under another policy says which columns changed; promoted, the table has its rows and older versions theirs', async () => {
    await liveWork();
    const before = await digestOf('table');
    const { comparison } = await bench.json<Result>('replay --policy balanced --into trial');
    expect(comparison?.columns['subject']).toBe(before.rows);
    expect(await digestOf('table')).toEqual(before);
    const promoted = await bench.json<Result & { promotion: { version: number; added: number; removed: number } }>(
      'replay promote trial',
    );
    expect(promoted.promotion).toMatchObject({
      added: before.rows,
      removed: before.rows,
      rewritten: 0,
      already: false,
    });
    expect(await digestOf('table')).toEqual(await digestOf('table-replays/trial'));
    const names = (await readdir(join(bench.data, 'table', '_delta_log'))).filter((name) => name.endsWith('.json'));
    expect(names).toHaveLength(promoted.promotion.version + 1);
    expect((await bench.run('replay show trial')).stdout).toContain(
      `promoted as version ${promoted.promotion.version}`,
    );
    expect((await bench.run('replay promote trial')).stdout).toContain('nothing was changed');
    expect(await bench.json('run --until-end')).toMatchObject({ sink: { rows: 0 } });
  });

  it('--dry-run says how much it would be, and writes nothing', async () => {
    await liveWork();
    const before = await bench.files();
    const { dryRun } = await bench.json<{
      dryRun: { batches: number; bytes: number; sessions: number; seconds: number };
    }>('replay --policy balanced --into trial --dry-run');
    await bench.withWorkspace(async ({ log }) => {
      const ends = await log.endOffsets(TOPICS.raw);
      expect(dryRun.batches).toBe(ends.reduce((a, b) => a + b));
      await expect(log.partitions(REPLAYS_TOPIC)).rejects.toThrow(REPLAYS_TOPIC);
    });
    expect(dryRun.sessions).toBeGreaterThanOrEqual(5);
    expect(dryRun.seconds).toBeGreaterThan(0);
    expect(await bench.files()).toEqual(before);
    expect((await bench.run('replay --policy balanced --into trial --dry-run')).stdout).toContain(
      'nothing was written',
    );
    expect(await bench.json('replay list')).toEqual({ replays: [] });
  });

  it('of another policy or stretch under a name that is taken is refused', async () => {
    await liveWork();
    await bench.json('replay --policy strict --into again');
    for (const args of ['--policy balanced --into again', '--policy strict --into again --from 2026-01-01']) {
      const { code, stderr } = await bench.run(`replay ${args}`);
      expect(code).toBe(1);
      expect(stderr).toMatch(/there is a replay named again already, with another (?:policy|--from)/u);
    }
  });

  it('drops a person who has withdrawn since, and the sessions of a destroyed month, and says so', async () => {
    await liveWork();
    await bench.withWorkspace(async (workspace) => {
      const { log, codec } = workspace;
      const subjectKey = await somebodyReleased(log);
      const now = (await workspace.trustedNow()) + 3_600_000;
      await appendDecision(log, codec, makeDecision('withdraw', { subjectKey, now, randomId: randomUUID }));
    });
    const { counts, comparison } = await bench.json<Result>('replay --policy strict --into less');
    expect(counts.batchesByReason['withdrawn']).toBeGreaterThan(0);
    expect(comparison?.rows.dropped).toBeGreaterThan(0);
    expect(comparison?.rows.changed).toBe(0);

    const { keys } = await bench.json<{ keys: { epoch: string }[] }>('keys list');
    for (const epoch of new Set(keys.map((key) => key.epoch))) await bench.json(`keys destroy ${epoch} --yes`);
    const { code, stdout } = await bench.run('replay --policy strict --into nothing');
    expect(code).toBe(0);
    expect(stdout).toMatch(/note: [\d,]+ batches were dropped because the key of their month is destroyed/u);
    expect(stdout).toContain('table: 0 rows');
  });

  it('takes the stretch that was asked for, by dates and times with and without zones', async () => {
    await liveWork();
    const whole = await bench.json<{ dryRun: { batches: number } }>('replay --policy strict --into a --dry-run');
    const years = await bench.json<{ dryRun: { batches: number } }>(
      'replay --policy strict --into a --from 2000-01-01 --to 2100-01-01T00:00:00.000+01:00 --dry-run',
    );
    expect(years.dryRun.batches).toBe(whole.dryRun.batches);
    const past = await bench.run('replay --policy strict --into past --to 2000-01-01T10:00');
    expect(past.stdout).toContain('to 2000-01-01T10:00:00.000Z, up to 0 raw batches');
    expect(past.stdout).toContain('table: 0 rows');
    expect((await bench.run('replay promote past')).code).toBe(0);
  });

  it.each([
    ['replay --policy strict', "required option '--into <name>'"],
    ['replay --into a', "required option '--policy <file>'"],
    ['replay --policy strict --into Upper', '--into: a replay is named by'],
    ['replay --policy strict --into a --from yesterday', 'It must be a date such as'],
    ['replay --policy strict --into a --from 2026-02-30', 'It must be a date such as'],
    ['replay --policy strict --into a --from 2026-03-02 --to 2026-03-01', '--from must be before --to'],
  ])('%s is wrong usage', async (args, message) => {
    const { code, stderr } = await bench.run(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it('show, promote and abandon name a replay that there is not', async () => {
    for (const command of ['show', 'promote', 'abandon']) {
      const { code, stderr } = await bench.run(`replay ${command} nobody`);
      expect(code).toBe(1);
      expect(stderr).toContain('there is no replay named nobody');
    }
  });

  it('abandon ends one that holds up erasures, which then take rows out of its table as well', async () => {
    await liveWork();
    await bench.json('replay --policy strict --into trial');
    await bench.withWorkspace(async (workspace) => {
      const { log, codec } = workspace;
      await changeManifest(log, 'trial', async (was) => (was === undefined ? was : { ...was, state: 'running' }));
      const subjectKey = await somebodyReleased(log);
      // Simulated sessions may be granted later than the clock says.
      const requestedAt = await workspace.trustedNow();
      const erasure = { subjectKey, erasureId: randomUUID(), requestedAt, by: 'operator' } as const;
      await appendErasure({ log, codec }, { ...erasure, doneAt: null, rows: 0, sessions: 0 });
    });
    const before = await digestOf('table-replays/trial');
    expect(await bench.run('steward --once --wait-minutes 0', { env: { REDACTORY_LOG_LEVEL: 'warn' } })).toMatchObject({
      code: 1,
      stderr:
        'redactory: 1 erasure has to wait for a replay (`redactory replay list`), which has to be run to its end by the ' +
        'command that began it, or be ended by `redactory replay abandon NAME`\n',
    });
    expect(await digestOf('table-replays/trial')).toEqual(before);

    const { replay } = await bench.json<Result>(['replay', 'abandon', 'trial', '--why', 'raw has expired']);
    expect(replay.state).toBe('abandoned');
    const trail = await bench.json<{ records: { what: string; why: string }[] }>('audit show');
    expect(trail.records.filter(({ what }) => what === 'replay abandon').map(({ why }) => why)).toContain(
      'raw has expired',
    );
    expect((await bench.run('steward --once')).code).toBe(0);
    expect((await digestOf('table-replays/trial')).rows).toBeLessThan(before.rows);

    expect((await bench.run('replay list')).stdout).toMatch(/replay trial: abandoned\n[^]*, abandoned 20/u);
    for (const command of ['replay --policy strict --into trial', 'replay promote trial']) {
      expect(await bench.run(command)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('the replay trial was abandoned: start another under a new name') as string,
      });
    }
  });

  it('promote waits for live work to come beyond the stretch', async () => {
    await bench.json('simulate --people 2 --minutes 2 --seed 5');
    await bench.json('replay --policy strict --into early');
    expect((await bench.run('replay promote early')).stderr).toContain(
      'live work has not come to the end of the stretch',
    );
    await bench.json('sanitize --until-end');
    expect((await bench.run('replay promote early')).stderr).toContain('There is no table in');
    await bench.json('sink --until-end');
    expect((await bench.run('replay promote early')).code).toBe(0);
    await bench.json('simulate --people 2 --minutes 2 --seed 6');
    await bench.json('sanitize --until-end');
    await bench.json('replay --policy strict --into later');
    expect((await bench.run('replay promote later')).stderr).toContain('has not taken all of the stretch');
    await bench.json('sink --until-end');
    expect((await bench.run('replay promote later')).code).toBe(0);
  });
});
