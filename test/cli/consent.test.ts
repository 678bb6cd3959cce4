import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBench, type Bench } from './harness.ts';

const SUBJECT = 'ana.secret@example.org';
const START = Date.UTC(2026, 10, 10, 9);
const MINUTE = 60_000;

let bench: Bench;
let now: number;
beforeEach(async () => {
  bench = await createBench();
  now = START;
});
afterEach(() => bench.remove());

const clock = (): number => now;
const decide = async (words: string): Promise<Record<string, unknown>> =>
  bench.json(`consent ${words} --subject ${SUBJECT}`, { now: clock });
const status = (): Promise<Record<string, unknown>> => decide('show');

describe('consent', () => {
  it('is what was decided last', async () => {
    expect(await status()).toEqual({ status: 'not_enrolled', until: null });
    await decide('enrol');
    expect(await status()).toEqual({ status: 'enrolled', until: null });
    now += MINUTE;
    await decide('withdraw');
    expect(await status()).toEqual({ status: 'withdrawn', until: null });
    now += MINUTE;
    await decide('enrol');
    now += MINUTE;
    await decide('exempt');
    expect(await status()).toEqual({ status: 'exempt', until: null });
  });

  it('is paused until the pause ends, by itself or by resume', async () => {
    await decide('enrol');
    now += MINUTE;
    const until = new Date(now + 10 * MINUTE).toISOString();
    expect(await decide('pause --minutes 10')).toMatchObject({ kind: 'pause', until });
    expect(await status()).toEqual({ status: 'paused', until });
    now += 10 * MINUTE + 1;
    expect(await status()).toEqual({ status: 'enrolled', until: null });
    await decide('pause --minutes 30');
    now += MINUTE;
    expect((await status())['status']).toBe('paused');
    await decide('resume');
    now += 1;
    expect((await status())['status']).toBe('enrolled');
  });

  it('is of one person: another has decided nothing', async () => {
    await decide('enrol');
    expect(await bench.json('consent show --subject ben', { now: clock })).toHaveProperty('status', 'not_enrolled');
  });

  const WRONG = ['', ' ', ' ana', 'ana ', 'ana\n', 'ana\u00a0', '--why', 'a'.repeat(1_025)];
  it.each([
    ...['enrol', 'pause --minutes 5', 'resume', 'withdraw', 'exempt', 'show'].map((words) => `consent ${words}`),
    'erase',
    'devices issue',
    'devices list',
    'import a.jsonl --format capture-jsonl',
  ])('%s takes no id that is empty, too long or has white space around it, and does not repeat it', async (words) => {
    for (const subject of WRONG) {
      const { code, stdout, stderr } = await bench.run([...words.split(' '), '--subject', subject]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^redactory: --subject must have 1 to 1024 characters[^\n]*\n$/u);
      expect(stderr).not.toContain('ana');
    }
    expect(await bench.files()).toEqual([]);
  });

  it.each(['pause --minutes 5', 'withdraw', 'exempt'])(
    '%s of somebody who has never decided anything is recorded, and says so once',
    async (words) => {
      const note: unknown = expect.stringContaining('nobody of this id has ever decided anything');
      await bench.json('consent enrol --subject ben', { now: clock });
      expect(await decide(words)).toMatchObject({ kind: words.split(' ')[0], note });
      now += MINUTE;
      expect(await decide(words)).not.toHaveProperty('note');
      const shown = await bench.run(`consent ${words} --subject anna`, { now: clock });
      expect(shown.stdout.split('\n')).toEqual([expect.stringContaining('recorded: '), note, '']);
    },
  );

  it('begins with an enrolment without a note', async () => {
    expect(await decide('enrol')).not.toHaveProperty('note');
  });

  it('is stamped no earlier than what the log holds already, so that a slow clock cannot date a pause back', async () => {
    await bench.json('simulate --people 1 --minutes 1 --start 2026-11-10T09:30Z', { now: clock });
    const { decidedAt } = await decide('pause --minutes 5');
    expect(Date.parse(String(decidedAt))).toBeGreaterThanOrEqual(START + 30 * MINUTE);
  });

  it.each(['enrol', 'pause --minutes 5', 'resume', 'withdraw', 'exempt', 'show'])(
    '%s names the person nowhere in what it prints, nor in the data folder',
    async (words) => {
      for (const extra of [[], ['--json']]) {
        const args = ['consent', ...words.split(' '), '--subject', SUBJECT, ...extra];
        const { code, stdout, stderr } = await bench.run(args, { now: clock });
        expect(code).toBe(0);
        expect(stdout + stderr).not.toContain('secret');
        expect(stdout + stderr).not.toMatch(/[0-9a-f]{64}/u);
      }
      for (const path of await bench.files()) expect(path).not.toContain('secret');
      const log = await readFile(join(bench.data, 'log', 'data.mdb')).catch(() => readFile(join(bench.data, 'log')));
      expect(log.includes('secret')).toBe(false);
    },
  );

  it('is judged by the pause of the policy in use: a person who is paused is not released', async () => {
    const lines = (from: number): string =>
      [
        { at: from, kind: 'focus', context: { app: 'Word', title: 'Word' } },
        {
          at: from + 1000,
          kind: 'pointer_down',
          x: 1,
          y: 1,
          button: 'left',
          element: { role: 'button', name: 'Save' },
        },
        { at: from + 1100, kind: 'pointer_up', x: 1, y: 1, button: 'left' },
        { at: from + 2000, kind: 'session_end' },
      ]
        .map((line) => JSON.stringify({ subject: SUBJECT, session: 's', ...line }))
        .join('\n');
    await writeFile(join(bench.dir, 'a.jsonl'), lines(START));
    const released = async (): Promise<unknown> => {
      await bench.json('import a.jsonl --format capture-jsonl', { now: clock });
      const { sanitized } = await bench.json<{ sanitized: { read: number; released: number; dropped: object } }>(
        'run --until-end',
        { now: clock },
      );
      return { released: sanitized.released > 0, dropped: sanitized.dropped };
    };
    expect(await released()).toEqual({ released: false, dropped: { not_enrolled: 4 } });
    await decide('enrol');
    now += MINUTE;
    expect(await released()).toMatchObject({ released: true });
    await decide('pause --minutes 10');
    now += MINUTE;
    expect(await released()).toEqual({ released: false, dropped: { paused: 4 } });
    await decide('withdraw');
    now += MINUTE;
    expect(await released()).toEqual({ released: false, dropped: { withdrawn: 4 } });
  });
});
