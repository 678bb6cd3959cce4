import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COLUMNS, openTrainingTable, readTable, tableDigest } from '../../src/sinks/index.ts';
import { action, DAY, pseudonym, record } from '../helpers/released.ts';

/** The readers that people use, on tables of ours. REDACTORY_PYTHON is an interpreter that has them. */
const PYTHON = process.env['REDACTORY_PYTHON'] ?? '';
const TOPIC = 'interactions.sanitized';
const MARK = `training/${TOPIC}/0`;

function whyNot(): string | undefined {
  if (PYTHON === '') return 'REDACTORY_PYTHON is not set';
  try {
    execFileSync(PYTHON, ['-c', 'import deltalake, duckdb, polars, pyarrow'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'REDACTORY_PYTHON lacks one of deltalake, polars, duckdb, pyarrow';
  }
}
const reason = whyNot();

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clients-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function python(command: string, ...more: string[]): Promise<Record<string, unknown>> {
  const script = fileURLToPath(new URL('check_table.py', import.meta.url));
  const { stdout } = await promisify(execFile)(PYTHON, [script, dir, command, ...more]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Commits sessions of three days, two a commit, with every column in use, from where the table stands. */
async function commit(commits: number): Promise<void> {
  const sink = await openTrainingTable({ dir, topic: TOPIC, now: () => Date.UTC(2026, 10, 2) });
  const from = await sink.resumeFrom(0);
  for (let i = from; i < from + commits * 2; i++) {
    const actions = [
      action(0, {
        app: 'Excel',
        window: 'Über {n} - Excel 😀',
        target_role: 'cell',
        target: `Total ${'x'.repeat(i * 5)}`,
      }),
      action(1, { action: 'type', length: '<16', pause: '<1s' }),
      action(2, { action: 'shortcut', key: 'Ctrl+S', url: 'https://example.com/{n}' }),
      action(3, { action: 'scroll', direction: 'down', count: 'more', button: 'left', cell: 'center' }),
    ];
    const subject = i % 2 === 0 ? pseudonym(77) : null;
    await sink.write([record(0, i, { session: pseudonym(1000 - i), subject, day: DAY + (i % 3), actions })]);
    if (i % 2 === 1) await sink.flush();
  }
  await sink.close();
}

describe.skipIf(reason !== undefined)(`Python clients${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  const expectSame = async (version: number): Promise<void> => {
    const ours = await tableDigest(await readTable({ dir }));
    const theirs = await python('read', MARK);
    expect(theirs).toMatchObject({ version, deltalake: ours, polars: ours, duckdb: ours });
    expect(theirs).toMatchObject({ polars_filtered: 4, duckdb_filtered: 4, deltalake_filtered: 4 });
  };

  test('deltalake, polars and DuckDB see our rows, columns and progress', async () => {
    await commit(3);
    await expectSame(3);
    expect(await python('read', MARK)).toMatchObject({
      columns: COLUMNS.map(({ name, type, nullable }) => [name, type, nullable]),
      partitions: ['date'],
      protocol: [1, 2],
      marks: { [MARK]: 5 },
    });
  });

  test('they read our checkpoint, also when the commits before it are gone', async () => {
    await commit(12);
    for (let version = 0; version <= 10; version++) {
      await rm(join(dir, '_delta_log', `${String(version).padStart(20, '0')}.json`));
    }
    await expectSame(12);
    expect(await python('read', MARK)).toMatchObject({ marks: { [MARK]: 23 } });
  });

  test('we read a checkpoint of deltalake’s, also when the commits before it are gone, and go on', async () => {
    await commit(3);
    expect(await python('checkpoint')).toEqual({ version: 3 });
    for (const name of await readdir(join(dir, '_delta_log'))) {
      if (name.endsWith('.json')) await rm(join(dir, '_delta_log', name));
    }
    await expectSame(3);
    await commit(8);
    await expectSame(11);
  });

  test('deltalake appends beside us; our next commits and checkpoints hold its rows', async () => {
    await commit(2);
    expect(await python('append')).toEqual({ version: 3, protocol: [1, 2] });
    await commit(8);
    await expectSame(11);
    expect((await readTable({ dir })).rowCount).toBe(10 * 8 + 1);
  });

  test('a vacuum deletes nothing that the table names', async () => {
    await commit(2);
    expect(await python('vacuum')).toEqual({ would_delete: [] });
  });
});
