import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SUM = resolve(import.meta.dirname, '../../.ci/sum.js');
type Tests = Readonly<Record<string, 'failed' | 'passed' | 'pending' | 'skipped'>>;

describe('the sum of several runs', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-sum-'));
  });
  afterEach(async () => {
    await rm(dir, { recursive: true });
  });

  async function sumOf(...runs: readonly Tests[]): Promise<{ last: string; code: number | null }> {
    const paths = runs.map((_, at) => join(dir, `${at}.json`));
    for (const [at, tests] of runs.entries()) {
      const assertionResults = Object.entries(tests).map(([fullName, status]) => ({ fullName, status }));
      const report = { testResults: [{ name: '/somewhere/test/a.test.ts', status: 'passed', assertionResults }] };
      await writeFile(paths[at] ?? '', JSON.stringify(report));
    }
    const { stdout, status } = spawnSync(process.execPath, [SUM, ...paths], { encoding: 'utf8' });
    return { last: stdout.trimEnd().split('\n').at(-1) ?? '', code: status };
  }

  it('counts a test once that passed in each', async () => {
    expect(await sumOf({ one: 'passed' }, { one: 'passed' })).toEqual({
      last: '1 passed, 0 failed, 0 skipped',
      code: 0,
    });
  });

  it('takes for run what one of them ran, whatever its title says of why another did not', async () => {
    const titled = { 'the page (skipped: set PROGRAM (Debian: program)) opens': 'pending' } as const;
    expect(await sumOf({ 'the page opens': 'passed' }, titled)).toEqual({
      last: '1 passed, 0 failed, 0 skipped',
      code: 0,
    });
  });

  it('fails when no run ran a test', async () => {
    expect(await sumOf({ one: 'passed', two: 'skipped' }, { two: 'pending' })).toEqual({
      last: '1 passed, 0 failed, 1 skipped',
      code: 1,
    });
  });

  it('fails when a test failed in one of them', async () => {
    expect(await sumOf({ one: 'failed' }, { one: 'passed' })).toEqual({
      last: '0 passed, 1 failed, 0 skipped',
      code: 1,
    });
  });

  it('fails when there were no tests, or no report of a run', async () => {
    expect((await sumOf({})).code).toBe(1);
    const { status } = spawnSync(process.execPath, [SUM, join(dir, 'absent.json')]);
    expect(status).toBe(1);
  });
});
