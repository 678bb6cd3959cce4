import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ContractError,
  FencedSinkError,
  openTrainingTable,
  readTable,
  SinkStorageError,
  tableDigest,
  TableFormatError,
  type TableCommit,
  type TableRow,
  type TableStore,
  type TrainingTable,
} from '../../src/sinks/index.ts';
import { renderCommit } from '../../src/sinks/training-table/actions.ts';
import { checkpointVersion, commitPath, LAST_CHECKPOINT } from '../../src/sinks/training-table/delta-log.ts';
import { openLocalStore } from '../../src/sinks/training-table/local-store.ts';
import type { StoreHooks } from '../helpers/memory-store.ts';
import { action, DAY, POLICY_DIGEST, pseudonym, record } from '../helpers/released.ts';
import { PLACES, withHooks, type Place } from '../helpers/table-places.ts';

const TOPIC = 'interactions.sanitized';
const now = (): number => Date.UTC(2026, 10, 2);

let connect: () => Promise<TableStore>;
/** The test's own way to the table's files. */
let files: TableStore;

const open = async (hooks: StoreHooks = {}, more: object = {}): Promise<TrainingTable> =>
  await openTrainingTable({ topic: TOPIC, now, store: withHooks(await connect(), hooks), ...more });

/** Opened, and ready for partition 0. */
const openAt0 = async (hooks: StoreHooks = {}, more: object = {}): Promise<TrainingTable> => {
  const sink = await open(hooks, more);
  await sink.resumeFrom(0);
  return sink;
};

const view = () => readTable({ store: files });

async function allRows(): Promise<TableRow[]> {
  const rows: TableRow[] = [];
  for await (const batch of (await view()).batches()) rows.push(...batch);
  return rows;
}

const text = async (path: string): Promise<string> => new TextDecoder().decode(await files.read(path));
const setText = (path: string, content: string): Promise<void> => files.put(path, new TextEncoder().encode(content));

async function names(...folders: string[]): Promise<string[]> {
  const found = await Promise.all(
    folders.map(async (folder) => (await files.list(folder)).map((name) => `${folder}/${name}`)),
  );
  return found.flat();
}

async function deleteCommits(from: number, to: number): Promise<void> {
  for (let version = from; version <= to; version++) await files.delete(commitPath(version));
}

/** One commit a record: steps say the offset. */
async function commitOffsets(sink: TrainingTable, partition: number, from: number, to: number): Promise<void> {
  for (let offset = from; offset < to; offset++) {
    const session = pseudonym(partition + 1);
    await sink.write([record(partition, offset, { session, actions: [action(offset)] })]);
    await sink.flush();
  }
}

for (const kind of PLACES) {
  describe.skipIf(kind.isLacking)(`a training table ${kind.title}`, () => {
    let place: Place;
    beforeAll(async () => {
      place = await kind.open();
    });
    afterAll(async () => {
      await place?.close();
    });

    const another = async () => {
      const table = await place.table();
      return { connect: () => table.connect(), files: await table.connect() };
    };
    beforeEach(async () => {
      ({ connect, files } = await another());
    });

    describe('a table', () => {
      test('holds every column as it was released', async () => {
        const full = action(1, {
          action: 'shortcut',
          app: 'Excel',
          window: 'Über {n} - Excel 😀',
          url: 'https://example.com/{n}',
          target_role: 'cell',
          target: 'Total',
          key: 'Ctrl+S',
          button: 'left',
          direction: 'up',
          cell: 'top-left',
          pause: '<1s',
          count: '<4',
        });
        const typed = action(2, { action: 'type', length: '<16' });
        const sink = await openAt0();
        await sink.write([record(0, 0, { subject: pseudonym(9), actions: [full, typed] })]);
        await sink.close();
        const head = {
          date: '2026-11-01',
          session: pseudonym(1),
          subject: pseudonym(9),
          schema: 1,
          policy: POLICY_DIGEST,
        };
        expect(await allRows()).toEqual([
          { ...full, ...head },
          { ...typed, ...head },
        ]);
      });

      test('has one file a day in a commit, its rows in order of session and step, and statistics', async () => {
        const sink = await openAt0();
        await sink.write([
          record(0, 0, { session: pseudonym(5), actions: [action(0), action(1)] }),
          record(0, 1, { session: pseudonym(3), day: DAY + 1 }),
          record(0, 2, { session: pseudonym(4), actions: [action(2, { target: 'x'.repeat(65) })] }),
          record(0, 3, { session: pseudonym(5), actions: [action(2, { target: 'a' })] }),
        ]);
        await sink.close();
        const table = await view();
        expect(table.files.map((f) => [f.date, f.rows])).toEqual([
          ['2026-11-01', 4],
          ['2026-11-02', 1],
        ]);
        for (const { path, date } of table.files) {
          expect(path).toMatch(
            new RegExp(
              `^date=${date}/part-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\\.zstd\\.parquet$`,
              'u',
            ),
          );
        }
        expect((await allRows()).map((r) => [r.session.at(-1), r.step])).toEqual([
          ['4', 2],
          ['5', 0],
          ['5', 1],
          ['5', 2],
          ['3', 0],
        ]);
        const commit = await text(commitPath(1));
        const add = commit.split('\n').find((line) => line.includes('"date":"2026-11-01"'));
        const { stats } = JSON.parse(add ?? '').add;
        expect(JSON.parse(stats)).toMatchObject({
          numRecords: 4,
          minValues: { session: pseudonym(4), step: 0, action: 'click' },
          maxValues: { session: pseudonym(5), step: 2, action: 'click' },
          nullCount: { app: 4, target: 2, step: 0 },
        });
        expect(stats).not.toContain('"target":"');
      });

      test('says of each file which records its rows come from, also in a checkpoint', async () => {
        const sink = await openAt0();
        await sink.resumeFrom(12);
        await sink.write([
          record(0, 3),
          record(0, 4, { day: DAY + 1, actions: [action(1)] }),
          record(12, 7, { session: pseudonym(2) }),
          record(0, 9, { actions: [action(2)] }),
        ]);
        await sink.flush();
        const first = [{ 0: [3, 9], 12: [7, 7] }, { 0: [4, 4] }].map(
          (file) => new Map(Object.entries(file).map(([partition, range]) => [Number(partition), range])),
        );
        expect((await view()).files.map((file) => file.sanitized)).toEqual(first);
        expect(await text(commitPath(1))).toContain(
          String.raw`"tags":{"redactory.sanitized":"{\"0\":[3,9],\"12\":[7,7]}"}`,
        );
        await commitOffsets(sink, 0, 10, 19);
        await deleteCommits(0, 10);
        const afterwards = (await view()).files.map((file) => JSON.stringify([...(file.sanitized ?? [])]));
        expect(afterwards).toEqual(expect.arrayContaining(['[[0,[3,9]],[12,[7,7]]]', '[[0,[4,4]]]', '[[0,[18,18]]]']));
      });

      test('a file of another writer says nothing of records, and a damaged tag is refused', async () => {
        await commitOffsets(await openAt0(), 0, 0, 1);
        const commit = await text(commitPath(1));
        const withTag = async (tag: string): Promise<void> => {
          await setText(commitPath(1), commit.replace(/"tags":\{.*?\}"\}/u, tag));
        };
        await withTag('"tags":null');
        expect((await view()).files[0]?.sanitized).toBeUndefined();
        await withTag(String.raw`"tags":{"redactory.sanitized":"{\"0\":[0]}"}`);
        await expect(view()).rejects.toThrow(/tag redactory\.sanitized/u);
      });

      test('commits by itself when enough rows wait, and never splits a batch', async () => {
        const commits: TableCommit[] = [];
        const sink = await openAt0({}, { flushRows: 5, onCommit: (commit: TableCommit) => commits.push(commit) });
        const three = [action(0), action(1), action(2)];
        await sink.write(
          [0, 1, 2, 3, 4].map((offset) => record(0, offset, { session: pseudonym(offset), actions: three })),
        );
        expect(commits.map((c) => [c.version, c.rows, c.records])).toEqual([
          [1, 6, 2],
          [2, 6, 2],
        ]);
        expect(sink.pending).toMatchObject({ rows: 3, records: 1 });
        await sink.close();
        expect((await view()).rowCount).toBe(15);
        expect(sink.counts).toMatchObject({ commits: 3, rows: 15, records: 5, files: 3, doubles: 0 });
      });

      test('commits by itself when the waiting rows take too much memory', async () => {
        const sink = await openAt0({}, { flushBytes: 1000 });
        await sink.write([record(0, 0, { actions: [action(0, { window: 'w'.repeat(600) })] })]);
        expect(sink.version).toBe(1);
      });

      test('has one digest, however it was written', async () => {
        const actions = Array.from({ length: 40 }, (_, i) => action(i, { app: `app ${i % 7}` }));
        const sink = await openAt0();
        await sink.write([record(0, 0, { actions })]);
        await sink.close();
        const whole = await tableDigest(await view());
        ({ connect, files } = await another());
        const other = await openAt0();
        for (let i = 0; i < 40; i += 10) {
          await other.write([record(0, i, { actions: actions.slice(i, i + 10) })]);
          await other.flush();
        }
        expect(await tableDigest(await view())).toEqual(whole);
        expect(whole.rows).toBe(40);
        await other.write([record(0, 40, { session: pseudonym(2) })]);
        await other.flush();
        expect((await tableDigest(await view())).digest).not.toBe(whole.digest);
      });
    });

    describe('progress', () => {
      test('lies in the table: another sink goes on where the commits end', async () => {
        const first = await openAt0();
        await first.resumeFrom(1);
        await first.write([record(0, 41), record(1, 7, { session: pseudonym(2) })]);
        await first.flush();
        await first.write([record(0, 42, { actions: [action(1)] })]);
        const second = await open();
        expect([await second.resumeFrom(0), await second.resumeFrom(1), await second.resumeFrom(2)]).toEqual([
          42, 8, 0,
        ]);
        expect((await view()).marks.get(`training/${TOPIC}/0`)).toBe(41);
        expect((await view()).marks.get(`training/${TOPIC}/0<-interactions.raw/0`)).toBe(41);
      });

      test('a record read twice is taken once, before and after the commit', async () => {
        const sink = await openAt0();
        await sink.write([record(0, 0), record(0, 1, { actions: [action(1)] }), record(0, 0)]);
        await sink.flush();
        await sink.write([record(0, 1, { actions: [action(1)] }), record(0, 2, { actions: [action(2)] })]);
        await sink.close();
        expect((await allRows()).map((r) => r.step).sort((a, b) => a - b)).toEqual([0, 1, 2]);
        expect(sink.counts.doubles).toBe(2);
      });

      test('an offset that was passed is not taken, whatever it is said to come from', async () => {
        const sink = await openAt0();
        const foreign = { topic: 'interactions.other', partition: 0, offset: 0 };
        await sink.write([record(0, 5), record(0, 5, {}, foreign), record(0, 4, {}, foreign)]);
        expect([sink.pending.records, sink.counts.doubles]).toEqual([1, 2]);
      });

      test('a source record taken once is not taken again at another offset, also by another sink', async () => {
        const source = { topic: 'interactions.raw', partition: 3, offset: 10 };
        const sink = await openAt0();
        await sink.write([record(0, 0, {}, source), record(0, 1, {}, source)]);
        await sink.flush();
        await sink.write([record(0, 2, {}, { ...source, offset: 9 })]);
        await sink.close();
        const other = await open();
        expect(await other.resumeFrom(0)).toBe(3);
        await other.write([
          record(0, 3, {}, source),
          record(0, 4, { actions: [action(1)] }, { ...source, offset: 11 }),
        ]);
        // The same raw offset of another raw partition, and on another sanitised partition, is another record.
        await other.write([record(0, 5, { actions: [action(2)] }, { ...source, partition: 4 })]);
        await other.resumeFrom(1);
        await other.write([record(1, 0, { session: pseudonym(2) }, source)]);
        await other.close();
        const rows = (await allRows()).map((r) => `${r.session.at(-1)} ${r.step}`);
        expect(rows.sort()).toEqual(['1 0', '1 1', '1 2', '2 0']);
        expect([sink.counts.doubles, other.counts.doubles]).toEqual([2, 1]);
      });

      test('a flush of nothing commits nothing', async () => {
        const sink = await openAt0();
        await sink.flush();
        expect(sink.version).toBe(0);
      });

      test('records of a partition are not taken before its position was asked for', async () => {
        const sink = await open();
        await expect(sink.write([record(0, 0)])).rejects.toThrow(/resumeFrom/u);
        await sink.resumeFrom(0);
        await sink.write([record(0, 0)]);
      });
    });

    describe('a row that breaks the contract', () => {
      test('stops the sink; what came before it may still be committed', async () => {
        const sink = await openAt0();
        const bad = record(0, 1, { actions: [action(1, { window: 'a\nb' })] });
        await expect(sink.write([record(0, 0), bad, record(0, 2)])).rejects.toThrow(ContractError);
        await expect(sink.write([record(0, 2)])).rejects.toThrow(ContractError);
        await sink.close();
        expect((await allRows()).map((r) => r.step)).toEqual([0]);
        expect(await (await open()).resumeFrom(0)).toBe(1);
      });
    });

    describe('two writers', () => {
      test('of different partitions both get through', async () => {
        const [a, b] = [await open(), await open()];
        await a.resumeFrom(0);
        await b.resumeFrom(1);
        await commitOffsets(a, 0, 0, 2);
        await commitOffsets(b, 1, 0, 3);
        await commitOffsets(a, 0, 2, 4);
        expect(b.counts.conflicts).toBeGreaterThan(0);
        expect((await view()).rowCount).toBe(7);
        expect([await a.resumeFrom(1), await b.resumeFrom(0)]).toEqual([3, 4]);
      });

      test('of one partition: the second is refused, leaves no file behind, and goes on from the first', async () => {
        const [a, b] = [await openAt0(), await openAt0()];
        const records = [0, 1, 2].map((step) => record(0, step, { actions: [action(step)] }));
        await a.write(records.slice(0, 2));
        await b.write(records);
        await a.flush();
        await expect(b.flush()).rejects.toThrow(FencedSinkError);
        expect(b.pending).toMatchObject({ records: 0, rows: 0 });
        expect(await names('date=2026-11-01')).toHaveLength(1);
        await expect(b.write(records)).rejects.toThrow(/resumeFrom/u);
        expect(await b.resumeFrom(0)).toBe(2);
        await b.write(records);
        await b.flush();
        expect((await allRows()).map((r) => r.step).sort((a, b) => a - b)).toEqual([0, 1, 2]);
      });

      test('one that has seen the other go on while it held records is refused before it writes', async () => {
        const [a, b] = [await openAt0(), await openAt0()];
        await b.write([record(0, 0)]);
        await commitOffsets(a, 0, 0, 2);
        expect(await b.resumeFrom(0)).toBe(2);
        await expect(b.flush()).rejects.toMatchObject({ name: 'FencedSinkError', partitions: [0] });
      });

      test('one that held nothing of it goes on behind the other without being refused', async () => {
        const [a, b] = [await openAt0(), await openAt0()];
        await b.resumeFrom(1);
        await commitOffsets(a, 0, 0, 2);
        await commitOffsets(b, 1, 0, 1);
        await commitOffsets(b, 0, 0, 3);
        expect(b.counts.doubles).toBe(2);
        expect((await view()).rowCount).toBe(4);
      });

      test('making the same table at once make one', async () => {
        await Promise.all([open(), open(), open()]);
        expect(await names('_delta_log')).toEqual([commitPath(0)]);
      });
    });

    describe('a failing store', () => {
      test('a commit that was made but reported as failed counts as made', async () => {
        let lost = 0;
        const sink = await openAt0({
          after(operation, path) {
            if (operation === 'putIfAbsent' && path === commitPath(1) && lost++ === 0)
              throw new Error('connection reset');
          },
        });
        await commitOffsets(sink, 0, 0, 2);
        expect([lost, sink.version, (await view()).rowCount]).toEqual([1, 2, 2]);
      });

      test('a commit that fails for a moment is tried again', async () => {
        let failures = 2;
        const sink = await openAt0({
          before(operation, path) {
            if (operation === 'putIfAbsent' && path === commitPath(1) && failures-- > 0) throw new Error('try later');
          },
        });
        await commitOffsets(sink, 0, 0, 1);
        expect((await view()).rowCount).toBe(1);
      });

      test('one that stays broken ends the sink; the next one starts where the table stands', async () => {
        const sink = await openAt0({
          before(operation, path) {
            if (operation === 'putIfAbsent' && path === commitPath(2)) throw new SinkStorageError('the disk is full');
          },
        });
        await expect(commitOffsets(sink, 0, 0, 3)).rejects.toThrow('the disk is full');
        await expect(sink.write([record(0, 5)])).rejects.toThrow('the disk is full');
        await expect(sink.resumeFrom(0)).rejects.toThrow('the disk is full');
        await sink.close();
        expect(await (await open()).resumeFrom(0)).toBe(1);
        expect((await view()).rowCount).toBe(1);
      });

      test('a checkpoint that fails costs no commit', async () => {
        const sink = await openAt0({
          before(operation, path) {
            if (operation !== 'read' && path.includes('checkpoint')) throw new Error('no');
          },
        });
        await commitOffsets(sink, 0, 0, 21);
        expect(sink.counts.failedCheckpoints).toBe(2);
        expect((await view()).rowCount).toBe(21);
      });
    });

    describe('checkpoints', () => {
      test('come every ten commits, and stand for the commits before them', async () => {
        const sink = await openAt0();
        await commitOffsets(sink, 0, 0, 25);
        const checkpoints = (await names('_delta_log')).filter((path) => path.includes('checkpoint'));
        expect(checkpoints).toEqual([
          '_delta_log/00000000000000000010.checkpoint.parquet',
          '_delta_log/00000000000000000020.checkpoint.parquet',
          LAST_CHECKPOINT,
        ]);
        const before = { ...(await view()), batches: undefined };
        const digest = await tableDigest(await view());
        await deleteCommits(0, 20);
        expect({ ...(await view()), batches: undefined }).toEqual(before);
        expect(await tableDigest(await view())).toEqual(digest);
        expect(await (await open()).resumeFrom(0)).toBe(25);

        await files.delete(LAST_CHECKPOINT);
        expect(await (await open()).resumeFrom(0)).toBe(25);
        await setText(LAST_CHECKPOINT, '{"version":30}');
        expect(await (await open()).resumeFrom(0)).toBe(25);
      });

      const checkpointsThere = async (): Promise<number[]> =>
        (await files.list('_delta_log')).flatMap((name) => checkpointVersion(name) ?? []);

      test('stay while they are the newest five; commits all stay', async () => {
        const sink = await openAt0();
        await commitOffsets(sink, 0, 0, 65);
        expect(await checkpointsThere()).toEqual([20, 30, 40, 50, 60]);
        await commitOffsets(sink, 0, 65, 75);
        expect(await checkpointsThere()).toEqual([30, 40, 50, 60, 70]);
        expect((await names('_delta_log')).filter((name) => name.endsWith('.json'))).toHaveLength(76);
        expect((await view()).rowCount).toBe(75);
        expect(sink.counts.failedCheckpoints).toBe(0);
      });

      test('that a killed sink did not delete go with the next', async () => {
        const killed = await openAt0({
          before(operation, path) {
            if (operation === 'delete' && path.includes('checkpoint')) throw new Error('killed');
          },
        });
        await commitOffsets(killed, 0, 0, 75);
        expect(killed.counts.failedCheckpoints).toBe(2);
        expect(await checkpointsThere()).toEqual([10, 20, 30, 40, 50, 60, 70]);
        const next = await open();
        await next.resumeFrom(0);
        await commitOffsets(next, 0, 75, 81);
        expect(await checkpointsThere()).toEqual([40, 50, 60, 70, 80]);
      });

      test('stay if they are the one that is pointed to, or another tool shortens the log', async () => {
        const sink = await openAt0({
          async before(operation, path) {
            if (operation === 'delete' && path.includes('checkpoint')) throw new Error('killed');
          },
          async after(operation, path) {
            // As by a writer that was asleep between its checkpoint and this.
            if (operation === 'put' && path === LAST_CHECKPOINT) await setText(LAST_CHECKPOINT, '{"version":10}');
          },
        });
        await commitOffsets(sink, 0, 0, 65);
        expect(sink.counts.failedCheckpoints).toBe(0);
        expect(await checkpointsThere()).toEqual([10, 20, 30, 40, 50, 60]);
        await deleteCommits(0, 10);
        const next = await open();
        await next.resumeFrom(0);
        await commitOffsets(next, 0, 65, 75);
        expect(await checkpointsThere()).toEqual([10, 20, 30, 40, 50, 60, 70]);
      });

      test('carry removed files of the last week and forget older ones', async () => {
        const sink = await openAt0();
        await commitOffsets(sink, 0, 0, 2);
        const removed = (path: string, age: number) => ({
          remove: { path, deletionTimestamp: now() - age, dataChange: true, partitionValues: { date: '2026-11-01' } },
        });
        const week = 7 * 86_400_000;
        const [gone] = (await view()).files;
        await files.put(
          commitPath(3),
          renderCommit([removed(gone?.path ?? '', week - 1), removed('date=2026-11-01/old', week + 1)]),
        );
        await sink.resumeFrom(0);
        await commitOffsets(sink, 0, 2, 9);
        await deleteCommits(0, 10);
        expect((await view()).rowCount).toBe(8);
        const checkpoint = (await files.read('_delta_log/00000000000000000010.checkpoint.parquet')) ?? new Uint8Array();
        const { readCheckpoint } = await import('../../src/sinks/training-table/checkpoint.ts');
        const { loadZstd } = await import('../../src/events/zstd.ts');
        const actions = await readCheckpoint(checkpoint, await loadZstd(), 'checkpoint');
        expect(actions.flatMap((a) => (a.remove ? [a.remove.path] : []))).toEqual([gone?.path]);
      });

      test('a file that was removed and is back is a file, and no tombstone', async () => {
        const sink = await openAt0();
        await commitOffsets(sink, 0, 0, 1);
        const add = (await text(commitPath(1))).split('\n').find((line) => line.startsWith('{"add"'));
        const [file] = (await view()).files;
        await files.put(
          commitPath(2),
          renderCommit([{ remove: { path: file?.path, deletionTimestamp: now(), dataChange: true } }]),
        );
        await setText(commitPath(3), `${add}\n`);
        await sink.resumeFrom(0);
        await commitOffsets(sink, 0, 1, 8);
        await deleteCommits(0, 10);
        expect((await view()).rowCount).toBe(8);
      });

      test('a sink that others have left behind finds its way when old commits are cleaned away', async () => {
        const [a, b] = [await openAt0(), await open()];
        await commitOffsets(a, 0, 0, 25);
        await deleteCommits(0, 20);
        expect(await b.resumeFrom(0)).toBe(25);
        await commitOffsets(b, 0, 25, 26);
        expect(b.version).toBe(26);
      });

      test('a damaged one says which file it is', async () => {
        const sink = await openAt0();
        await commitOffsets(sink, 0, 0, 10);
        await files.put('_delta_log/00000000000000000010.checkpoint.parquet', new Uint8Array(100));
        await expect(open()).rejects.toThrow(/Checkpoint _delta_log\/0+10\.checkpoint\.parquet cannot be read/u);
      });
    });

    describe('a table that is not ours to write', () => {
      const replaceFirst = async (from: string, to: string): Promise<void> => {
        const first = await text(commitPath(0));
        expect(first).toContain(from);
        await setText(commitPath(0), first.replace(from, to));
      };

      test.each([
        [
          'a newer reader',
          '"minReaderVersion":1',
          '"minReaderVersion":3,"readerFeatures":["deletionVectors"]',
          /reader version 3 \(deletionVectors\)/u,
        ],
        [
          'a newer writer',
          '"minWriterVersion":2',
          '"minWriterVersion":7,"writerFeatures":["rowTracking"]',
          /writer version 7 \(rowTracking\)/u,
        ],
        ['other columns', 'target_role', 'target_kind', /other columns/u],
        ['another name', '"name":"training"', '"name":"replayed"', /is named "replayed", not "training"/u],
        ['other partitions', '"partitionColumns":["date"]', '"partitionColumns":[]', /other columns, partitions/u],
        ['no metadata', '"metaData"', '"metaDatum"', /does not begin with protocol and metadata/u],
        ['no JSON', '{"protocol"', '{"protocol', /line 2 is not JSON/u],
        [
          'a protocol of another shape',
          '"minReaderVersion":1',
          '"minReaderVersion":"one"',
          /"protocol.minReaderVersion" is not as/u,
        ],
      ])('%s is refused', async (_, from, to, message) => {
        await open();
        await replaceFirst(from, to);
        await expect(open()).rejects.toThrow(TableFormatError);
        await expect(open()).rejects.toThrow(message);
      });

      test('a hole in the log is refused', async () => {
        await commitOffsets(await openAt0(), 0, 0, 4);
        await files.delete(commitPath(2));
        await expect(open()).rejects.toThrow(/commit 2 is missing/u);
      });

      test('a change of metadata by another tool stops the sink before it commits', async () => {
        const sink = await openAt0();
        await sink.write([record(0, 0)]);
        const first = (await text(commitPath(0))).split('\n');
        const metaData = first.find((line) => line.startsWith('{"metaData"')) ?? '';
        await setText(commitPath(1), metaData.replace('"configuration":{}', '"configuration":{"a":"b"}'));
        await expect(sink.flush()).rejects.toThrow(/changed protocol or metadata/u);
        expect((await view()).rowCount).toBe(0);
      });

      test('names that would run into each other are refused', async () => {
        await expect(open({}, { name: 'a/b' })).rejects.toThrow(TableFormatError);
        await expect(open({}, { topic: 'a<-b' })).rejects.toThrow(TableFormatError);
      });

      test('reading where there is no table says so', async () => {
        await expect(view()).rejects.toThrow(/There is no table in .+ yet: run the sink first/u);
      });
    });
  });
}

describe('on a disk', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'training-table-'));
  });
  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  test('it works the same and leaves no temporary files', async () => {
    const sink = await openTrainingTable({
      store: await openLocalStore(join(dir, 'table'), 'write'),
      name: 'mine',
      topic: TOPIC,
      now,
    });
    await sink.resumeFrom(0);
    await commitOffsets(sink, 0, 0, 12);
    await sink.close();
    const table = await readTable({ store: await openLocalStore(join(dir, 'table'), 'read') });
    expect([table.version, table.rowCount, table.name]).toEqual([12, 12, 'mine']);
    expect((await readdir(join(dir, 'table'))).sort()).toEqual(['_delta_log', 'date=2026-11-01']);
    await expect(sink.write([])).rejects.toThrow(/is closed/u);
  });
});
