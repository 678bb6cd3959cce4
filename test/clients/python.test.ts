import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadZstd } from '../../src/events/zstd.ts';
import {
  COLUMNS,
  eraseSessions,
  openTrainingTable,
  readTable,
  tableDigest,
  type TableStore,
} from '../../src/sinks/index.ts';
import { renderCommit } from '../../src/sinks/training-table/actions.ts';
import { commitPath } from '../../src/sinks/training-table/delta-log.ts';
import { action, DAY, pseudonym, record } from '../helpers/released.ts';
import { filesThatHold } from '../helpers/table-bytes.ts';
import { DURABLE_PLACES, type Place, type TablePlace } from '../helpers/table-places.ts';

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

let table: TablePlace;
let store: TableStore;

async function python(command: string, ...more: string[]): Promise<Record<string, unknown>> {
  const script = fileURLToPath(new URL('check_table.py', import.meta.url));
  const env = { ...process.env, STORAGE_OPTIONS: JSON.stringify(table.storageOptions) };
  const { stdout } = await promisify(execFile)(PYTHON, [script, table.location, command, ...more], { env });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Commits sessions of three days, two a commit, with every column in use, from where the table stands. */
async function commit(commits: number): Promise<void> {
  const sink = await openTrainingTable({ store, topic: TOPIC, now: () => Date.UTC(2026, 10, 2) });
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

for (const kind of DURABLE_PLACES) {
  describe.skipIf(reason !== undefined || kind.isLacking)(
    `Python clients ${kind.title}${reason === undefined ? '' : ` (skipped: ${reason})`}`,
    () => {
      let place: Place;
      beforeAll(async () => {
        place = await kind.open();
      });
      afterAll(async () => {
        await place?.close();
      });
      beforeEach(async () => {
        table = await place.table();
        store = await table.connect();
      });

      const expectSame = async (version: number): Promise<void> => {
        const ours = await tableDigest(await readTable({ store }));
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
          await store.delete(commitPath(version));
        }
        await expectSame(12);
        expect(await python('read', MARK)).toMatchObject({ marks: { [MARK]: 23 } });
      });

      test('they read our checkpoint of many actions, and the table when older checkpoints were deleted', async () => {
        await commit(65);
        const deletionTimestamp = Date.UTC(2026, 10, 2);
        const removes = Array.from({ length: 20_000 }, (_, n) => ({
          remove: { path: `date=2026-11-01/${n}`, deletionTimestamp, dataChange: true },
        }));
        await store.put(commitPath(66), renderCommit(removes));
        await commit(6);
        expect((await store.list('_delta_log')).filter((name) => name.includes('.checkpoint'))).toHaveLength(5);
        await expectSame(72);
        for (let version = 0; version <= 70; version++) await store.delete(commitPath(version));
        await expectSame(72);
      });

      test('we read a checkpoint of deltalake’s, also when the commits before it are gone, and go on', async () => {
        await commit(3);
        expect(await python('checkpoint')).toEqual({ version: 3 });
        for (const name of await store.list('_delta_log')) {
          if (name.endsWith('.json')) await store.delete(`_delta_log/${name}`);
        }
        await expectSame(3);
        const ranges = (await readTable({ store })).files.map(({ sanitized }) => sanitized?.get(0));
        expect(ranges).toHaveLength(6);
        expect(ranges).not.toContain(undefined);
        await commit(8);
        await expectSame(11);
      });

      test('deltalake appends beside us; our next commits and checkpoints hold its rows', async () => {
        await commit(2);
        expect(await python('append')).toEqual({ version: 3, protocol: [1, 2] });
        await commit(8);
        await expectSame(11);
        expect((await readTable({ store })).rowCount).toBe(10 * 8 + 1);
      });

      test('after an erasure they see the other rows, and no file holds anything of the erased', async () => {
        await commit(12);
        const sessions = new Set([pseudonym(1000), pseudonym(987)]);
        const before = await tableDigest(await readTable({ store }));
        const erasure = '0b9f1c52-6f1e-4f0e-9c3e-5a2f2f6d7a10';
        // One that nobody has committed, of which the log will hold that it is gone.
        const [first] = (await readTable({ store })).files;
        await store.put(
          'date=2026-11-01/part-dead.zstd.parquet',
          (await store.read(first?.path ?? '')) ?? new Uint8Array(),
        );
        const now = (): number => Date.UTC(2026, 10, 3);
        const erased = await eraseSessions({ store, sessions, erasure, now });
        expect(erased).toMatchObject({ rows: 8, sessions: 2, version: 13 });
        expect(await filesThatHold(store, sessions, await loadZstd())).toEqual([]);
        await expectSame(13);
        const after = await tableDigest(await readTable({ store }));
        expect(after.rows).toBe(before.rows - 8);
        expect(await python('read', MARK)).toMatchObject({ marks: { [MARK]: 23 } });
        await commit(2);
        await expectSame(15);
        expect(await python('checkpoint')).toEqual({ version: 15 });
        await expectSame(15);
        // Also by the commits alone: as they are now, they still say what the table has.
        for (const name of await store.list('_delta_log')) {
          if (name.includes('checkpoint')) await store.delete(`_delta_log/${name}`);
        }
        await expectSame(15);
        // A vacuum names what the log says is removed, and does not mind that it is gone.
        await python('clean');
        expect(await tableDigest(await readTable({ store }))).toMatchObject({ rows: after.rows + 16 });
      });

      test('a full vacuum deletes nothing that the table names, and what a sink left that died before its commit', async () => {
        await commit(2);
        expect(await python('vacuum')).toEqual({ would_delete: [] });
        await store.putIfAbsent('date=2026-11-01/part-orphan.zstd.parquet', new Uint8Array(8));
        expect(await python('vacuum')).toEqual({ would_delete: ['date=2026-11-01/part-orphan.zstd.parquet'] });
      });
    },
  );
}
