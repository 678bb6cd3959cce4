import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TOPICS } from '../../src/runtime/topics.ts';
import { createBench, type Bench } from './harness.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench.remove());

const SIMULATE = 'simulate --people 1 --minutes 2';

describe('the truth of a simulation', () => {
  it('is private, also in a file that others could read', async () => {
    const path = join(bench.dir, 'truth.jsonl');
    await writeFile(path, 'what was there before', { mode: 0o644 });
    await bench.json(`${SIMULATE} --truth truth.jsonl`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const lines = (await readFile(path, 'utf8')).trim().split('\n');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(JSON.parse(line)).toBeTypeOf('object');
  });

  it('that cannot be opened is wrong usage, before anything is on raw', async () => {
    const { code, stdout, stderr } = await bench.run(`${SIMULATE} --truth no/folder/truth.jsonl`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      `redactory: --truth: ${join(bench.dir, 'no/folder/truth.jsonl')} cannot be written (ENOENT): choose another file\n`,
    );
    await expect(bench.withWorkspace(({ log }) => log.endOffsets(TOPICS.raw))).resolves.toEqual([0, 0, 0, 0]);
  });

  it.skipIf(process.platform !== 'linux')('on a full disk says so', async () => {
    const { code, stderr } = await bench.run(`${SIMULATE} --truth /dev/full`);
    expect(code).toBe(1);
    expect(stderr).toBe('redactory: the truth cannot be written to /dev/full (ENOSPC): check the disk\n');
  });
});

it.each([
  ['2026-01-05T08:00', '2026-01-05T08:00:00.000Z'],
  ['2026-01-05T08:00+01:00', '2026-01-05T07:00:00.000Z'],
])('--start %s is %s, wherever this machine is', async (given, start) => {
  expect(await bench.json(`${SIMULATE} --start ${given}`)).toMatchObject({ start, minutes: 2, minutesDone: 2 });
});
