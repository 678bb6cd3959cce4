import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ContractError, openJsonlSink, SinkStorageError } from '../../src/sinks/index.ts';
import { action, pseudonym, record } from '../helpers/released.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jsonl-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** A stream that keeps what it is given. */
function collector(): { out: PassThrough; lines: () => unknown[] } {
  const out = new PassThrough({ highWaterMark: 1 << 24 });
  const lines = (): unknown[] =>
    String(out.read() ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): unknown => JSON.parse(line));
  return { out, lines };
}

test('a line is a session with its steps in order, without the columns that say nothing', async () => {
  const { out, lines } = collector();
  const sink = await openJsonlSink({ out });
  const leak = { ...action(1), secret: 'a field that no column is declared for' };
  await sink.write([
    record(0, 0, { session: pseudonym(2), actions: [action(4, { app: 'Excel' })] }),
    record(1, 0, { session: pseudonym(1), subject: pseudonym(7) }),
    record(0, 1, { session: pseudonym(2), actions: [leak] }),
  ]);
  expect(lines()).toEqual([]);
  await sink.close();
  const head = { date: '2026-11-01', policy: `sha256:${'ab'.repeat(32)}`, schema: 1 };
  expect(lines()).toEqual([
    { ...head, session: pseudonym(1), subject: pseudonym(7), steps: [{ step: 0, action: 'click' }] },
    {
      ...head,
      session: pseudonym(2),
      subject: null,
      steps: [
        { step: 1, action: 'click' },
        { step: 4, action: 'click', app: 'Excel' },
      ],
    },
  ]);
  expect(out.writableEnded).toBe(false);
});

test('a session that goes on after a flush has another line', async () => {
  const { out, lines } = collector();
  const sink = await openJsonlSink({ out, flushRows: 2 });
  await sink.write([0, 1, 2].map((step) => record(0, step, { actions: [action(step)] })));
  expect(lines()).toHaveLength(1);
  await sink.flush();
  expect(lines()).toMatchObject([{ session: pseudonym(1), steps: [{ step: 2 }] }]);
});

test('a record read twice is printed once; where to begin is the caller’s to know', async () => {
  const { out, lines } = collector();
  const sink = await openJsonlSink({ out, resumeFrom: (partition) => Promise.resolve(partition * 10) });
  expect(await sink.resumeFrom(3)).toBe(30);
  expect(await (await openJsonlSink({ out })).resumeFrom(3)).toBe(0);
  await sink.write([record(0, 5)]);
  await sink.write([record(0, 5)]);
  expect(await sink.resumeFrom(0)).toBe(6);
  await sink.close();
  expect(lines()).toMatchObject([{ steps: [{ step: 0 }] }]);
});

test('a row that breaks the contract is not printed', async () => {
  const { out, lines } = collector();
  const sink = await openJsonlSink({ out });
  await expect(sink.write([record(0, 0, { session: 'a name' })])).rejects.toThrow(ContractError);
  await sink.close();
  expect(lines()).toEqual([]);
});

test.each(['new', 'there'])('a file is for its owner only: %s', async (name) => {
  const path = join(dir, name);
  await writeFile(join(dir, 'there'), 'before', { mode: 0o644 });
  const sink = await openJsonlSink({ out: path });
  await sink.write([record(0, 0)]);
  await sink.close();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ session: pseudonym(1) });
  await expect(openJsonlSink({ out: join(dir, 'no', 'folder') })).rejects.toThrow(SinkStorageError);
});

const failing = (code: string): Writable =>
  new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, callback) {
      callback(Object.assign(new Error(code), { code }));
    },
  });

test('a reader that has gone ends the sink quietly', async () => {
  const sink = await openJsonlSink({ out: failing('EPIPE') });
  expect(sink.ended).toBe(false);
  await sink.write([record(0, 0)]);
  await sink.flush();
  expect(sink.ended).toBe(true);
  await sink.write([record(0, 1, { actions: [action(1)] })]);
  await sink.close();
});

test('any other failure of the stream is an error', async () => {
  const sink = await openJsonlSink({ out: failing('ENOSPC') });
  await sink.write([record(0, 0)]);
  await expect(sink.flush()).rejects.toThrow(SinkStorageError);
});

test('a slow reader is waited for', async () => {
  const got: string[] = [];
  const out = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, callback) {
      got.push(String(chunk));
      setImmediate(callback);
    },
  });
  const sink = await openJsonlSink({ out });
  for (let i = 0; i < 30; i++) await sink.write([record(0, i, { session: pseudonym(i) })]);
  await sink.flush();
  expect(got).toHaveLength(30);
  expect(out.writableLength).toBe(0);
  expect(out.listenerCount('drain') + out.listenerCount('close')).toBeLessThanOrEqual(1);
});
