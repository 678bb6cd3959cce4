import { utimesSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TOPICS } from '../../src/runtime/topics.ts';
import { createBench, type Bench } from './harness.ts';

const stop = vi.hoisted(() => ({ controller: new AbortController() }));
vi.mock('../../src/runtime/shutdown.ts', () => ({
  listenForShutdown: () => ({ signal: stop.controller.signal, dispose: () => undefined }),
}));

const START = Date.UTC(2026, 10, 10, 9);
/** Of a batch each, in a file that is read in two pieces of about 700: the first 512 are appended before the second is read. */
const SESSIONS = 1_200;
const TITLE = 'Word '.repeat(40);
/** The clock is asked once a batch in the second reading, and a few times before it. */
const IN_FIRST_PIECE = 300;
const IN_SECOND_PIECE = 900;

let bench: Bench;
let file: string;
beforeEach(async () => {
  stop.controller = new AbortController();
  bench = await createBench();
  file = join(bench.dir, 'a.jsonl');
  const session = (i: number): string =>
    [
      { at: START, kind: 'focus', context: { app: 'Word', title: TITLE } },
      { at: START + 1, kind: 'session_end' },
    ]
      .map((line) => `${JSON.stringify({ subject: 'ana', session: String(i), ...line })}\n`)
      .join('');
  await writeFile(file, Array.from({ length: SESSIONS }, (_, i) => session(i)).join(''));
});
afterEach(() => bench.remove());

/** A clock that does something when it is asked for the nth time. */
function clockThat(n: number, act: () => void): () => number {
  let asked = 0;
  return () => {
    if (++asked === n) act();
    return START;
  };
}

const ends = (): Promise<number> =>
  bench.withWorkspace(async ({ log }) => (await log.endOffsets(TOPICS.raw)).reduce((sum, end) => sum + end));

const importing = (n: number, act: () => void): ReturnType<Bench['run']> =>
  bench.run('import a.jsonl --format capture-jsonl', { now: clockThat(n, act) });

it('that is stopped while the recording is checked leaves nothing', async () => {
  const { code, stdout, stderr } = await importing(1, () => stop.controller.abort());
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe('redactory: stopped while it was checked: nothing is imported\n');
  expect(await ends()).toBe(0);
});

it('that is stopped while it appends is finished', async () => {
  const { code, stderr } = await importing(IN_SECOND_PIECE, () => stop.controller.abort());
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(await ends()).toBe(SESSIONS);
});

it('that fails while it appends says how much is there', async () => {
  const { code, stdout, stderr } = await importing(IN_FIRST_PIECE, () => utimesSync(file, 1, 1));
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  const [broken, why, none] = stderr.split('\n');
  expect(broken).toContain('broken off: 512 batches of the recording are on the raw topic');
  expect(await ends()).toBe(512);
  expect(why).toContain('a.jsonl: changed while it was imported');
  expect(none).toBe('');
});

it('whose process ends while it appends says how much is there, and nothing when it is done', async () => {
  const before = process.listeners('exit');
  const { code, stderr } = await importing(IN_SECOND_PIECE, () => {
    for (const added of process.listeners('exit').filter((listener) => !before.includes(listener))) added(130);
  });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^redactory: the import was broken off: 512 batches of the recording are on the raw topic/u);
  expect(process.listeners('exit')).toEqual(before);
});
