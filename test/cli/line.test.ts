import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TOPICS } from '../../src/runtime/topics.ts';
import { createBench, type Bench } from './harness.ts';

const START = Date.UTC(2026, 10, 10, 9);
const SUBJECT = 'ana.secret@example.org';
const TYPED = 'hunter2';

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench.remove());

const line = (fields: object): string => JSON.stringify({ subject: SUBJECT, session: 's', ...fields });
const RECORDING = [
  line({ at: START, kind: 'focus', context: { app: 'Word', title: `Letter to ${TYPED} - Word` } }),
  ...Array.from(TYPED, (key, i) =>
    line({ at: START + 100 * i, kind: 'key_down', key, element: { role: 'textbox', name: 'Name' } }),
  ),
  line({ at: START + 2000, kind: 'clipboard', op: 'copy', text: TYPED }),
  line({
    at: START + 3000,
    kind: 'pointer_down',
    x: 1,
    y: 1,
    button: 'left',
    element: { role: 'button', name: 'Save' },
  }),
  line({ at: START + 3100, kind: 'pointer_up', x: 1, y: 1, button: 'left' }),
  line({ at: START + 4000, kind: 'session_end' }),
];

async function recording(lines: readonly string[] = RECORDING): Promise<void> {
  await writeFile(join(bench.dir, 'a.jsonl'), lines.join('\n'));
}
const ends = (topic: string): Promise<number> =>
  bench.withWorkspace(async ({ log }) => (await log.endOffsets(topic)).reduce((sum, end) => sum + end));

describe('import, run, inspect', () => {
  it('show what was released, of raw only coordinates and sizes, and nothing personal anywhere', async () => {
    await recording();
    const outputs: string[] = [];
    const run = async (args: string): Promise<string> => {
      const { code, stdout, stderr } = await bench.run(args);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      outputs.push(stdout);
      return stdout;
    };
    expect(await run('import a.jsonl --format capture-jsonl --enrol')).toMatch(
      /^imported 12 events of 1 people in 1 sessions/u,
    );
    const summary = await run('run --until-end');
    expect(summary).toMatch(/^raw events read: 12 in \d+ batches/u);
    expect(summary).toMatch(/sum +12 +adds up\n/u);
    expect(summary).toContain('table: ');

    const raw = await run('inspect raw');
    expect(raw).toMatch(/^records by partition: /u);
    expect(raw).toMatch(/\{"partition":\d,"offset":\d,"bytes":\d+,"sequence":0,"receivedAt":"[^"]+"\}/u);
    expect(await run('inspect sanitized')).toContain('"action":"type"');
    expect(await run('inspect quarantine')).toBe('nothing in quarantine\n');
    const table = await run('inspect table --limit 20');
    expect(table).toMatch(/^version 1: \d+ rows under 1 session pseudonyms in 1 files/u);
    expect(table).toContain('"target":"Save"');
    const lines = await run('sink --until-end --to jsonl');
    expect(JSON.parse(lines)).toMatchObject({ date: expect.any(String), steps: expect.any(Array) });
    await run('inspect raw --json');
    await run('inspect sanitized --json');
    for (const output of outputs)
      for (const personal of ['secret', TYPED, 'Letter']) expect(output).not.toContain(personal);
  });

  it('count rows as the table has them, and show as many as asked for', async () => {
    await bench.json('simulate --people 3 --minutes 3 --seed 5');
    const { sink } = await bench.json<{ sink: { rows: number } }>('run --until-end');
    const table = await bench.json<{ rows: number; actions: Record<string, number>; sample: unknown[] }>(
      'inspect table --limit 7',
    );
    expect(table.rows).toBe(sink.rows);
    expect(Object.values(table.actions).reduce((sum, n) => sum + n)).toBe(sink.rows);
    expect(table.sample).toHaveLength(7);
    const { records } = await bench.json<{ records: unknown[] }>('inspect raw --limit 3');
    expect(records).toHaveLength(3);
    expect(await bench.json('inspect raw --limit 0')).toHaveProperty('records', []);
  });

  it('have nothing more to do the second time', async () => {
    await bench.json('simulate --people 2 --minutes 2');
    await bench.json('run --until-end');
    expect(await bench.json('run --until-end')).toMatchObject({ sanitized: { read: 0 }, sink: { rows: 0 } });
  });

  it('--policy balanced releases more columns than strict', async () => {
    await bench.json('simulate --people 2 --minutes 2 --seed 3');
    await bench.json('run --until-end --policy balanced');
    const { sample } = await bench.json<{ sample: { subject: string | null; cell: string | null }[] }>(
      'inspect table --limit 1000',
    );
    expect(sample.some((row) => row.subject !== null)).toBe(true);
    expect(sample.some((row) => row.cell !== null)).toBe(true);
  });
});

describe('jsonl', () => {
  beforeEach(async () => {
    await bench.json('simulate --people 3 --minutes 3 --seed 5');
    await bench.json('sanitize --until-end');
  });
  const rowsOf = (lines: string): number =>
    lines
      .trim()
      .split('\n')
      .reduce((sum, text) => sum + (JSON.parse(text) as { steps: unknown[] }).steps.length, 0);

  it('shows everything each time, and takes nothing from the table', async () => {
    const first = await bench.run('sink --until-end --to jsonl');
    const { sink } = await bench.json<{ sink: { rows: number } }>('sink --until-end');
    expect(rowsOf(first.stdout)).toBe(sink.rows);
    const again = await bench.run('sink --until-end --to jsonl --out -');
    expect(again.stdout).toBe(first.stdout);
  });

  it('writes a private file, relative to the working folder', async () => {
    const { sink } = await bench.json<{ sink: { rows: number } }>('sink --until-end --to jsonl --out rows.jsonl');
    const path = join(bench.dir, 'rows.jsonl');
    expect(rowsOf(await readFile(path, 'utf8'))).toBe(sink.rows);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await bench.run('sink --until-end --to jsonl --out rows.jsonl')).stdout).toMatch(/^jsonl: [\d,]+ rows of/u);
  });

  it('says what to do when the file cannot be made', async () => {
    const { code, stderr } = await bench.run('sink --until-end --to jsonl --out no/such/folder.jsonl');
    expect(code).toBe(1);
    expect(stderr).toContain('cannot be written: choose another file');
  });
});

describe('an import that cannot be', () => {
  it.each([
    ['an unknown kind', line({ at: START + 9000, kind: 'scream', text: TYPED }), 13],
    ['an unknown field', line({ at: START + 9000, kind: 'focus', mood: TYPED }), 13],
    ['no JSON', `{"subject":"${SUBJECT}`, 13],
  ])('%s in its last line is an error with file and line, and appends nothing', async (_, broken, number) => {
    await recording([...RECORDING, broken]);
    const { code, stdout, stderr } = await bench.run('import a.jsonl --format capture-jsonl --enrol');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`a.jsonl:${number}`);
    expect(stderr).not.toContain('secret');
    expect(stderr).not.toContain(TYPED);
    expect(await ends(TOPICS.raw)).toBe(0);
    expect(await ends(TOPICS.consent)).toBe(0);
  });

  it('names a file that is missing, and a format that needs a subject', async () => {
    expect((await bench.run('import gone.jsonl --format capture-jsonl')).stderr).toContain(
      'gone.jsonl: no such file; check the path',
    );
    await mkdir(join(bench.dir, 'task'));
    const { code, stderr } = await bench.run('import task --format agentnet');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^redactory: .+\n$/u);
  });

  it('without --enrol says that people who are not enrolled are dropped', async () => {
    await recording();
    expect((await bench.run('import a.jsonl --format capture-jsonl')).stdout).toContain('not enrolled will be dropped');
    expect(await ends(TOPICS.consent)).toBe(0);
  });
});

it('a table that is lost is not filled again unless that is asked for, which is on the audit trail', async () => {
  await recording();
  await bench.json('import a.jsonl --format capture-jsonl --enrol');
  const { sink } = await bench.json<{ sink: { rows: number } }>('run --until-end');
  const table = join(bench.data, 'table');
  await rm(table, { recursive: true });
  for (const command of ['sink --until-end', 'run --until-end', 'sink', 'run']) {
    const { code, stderr } = await bench.run(command);
    expect(code).toBe(1);
    expect(stderr).toContain('the table lacks records of interactions.sanitized/');
  }
  expect(await readdir(table)).toEqual([]);
  const args = ['sink', '--refill', '--until-end', '--why', 'the disk is broken'];
  expect(await bench.json(args)).toMatchObject({ sink: { rows: sink.rows } });
  const trail = await bench.json<{ records: { what: string; why: string; stage: string }[] }>('audit show');
  expect(trail.records.filter(({ what }) => what === 'sink refill')).toMatchObject([
    { stage: 'started', why: 'the disk is broken' },
    { stage: 'done', why: 'the disk is broken' },
  ]);
  expect(await bench.json('run --until-end')).toMatchObject({ sink: { rows: 0 } });
});

it('the data folder is private: 0700, files 0600', async () => {
  await bench.json('simulate --people 1 --minutes 1');
  await bench.json('run --until-end');
  const open: string[] = [];
  for (const entry of await readdir(bench.data, { recursive: true, withFileTypes: true })) {
    const mode = (await stat(join(entry.parentPath, entry.name))).mode & 0o777;
    if ((mode & 0o077) !== 0) open.push(`${entry.name} ${mode.toString(8)}`);
  }
  expect(open).toEqual([]);
  expect((await stat(bench.data)).mode & 0o777).toBe(0o700);
});
