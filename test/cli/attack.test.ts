import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBench, type Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench.remove());

describe('attack', () => {
  it('without a name says which there are', async () => {
    const { code, stderr } = await bench.run('attack');
    expect(code).toBe(2);
    expect(stderr).toContain('rhythm, pointer, sentence');
  });

  it.each([
    ['an attack', 'attack telepathy'],
    ['a policy to compare with', 'attack canaries --quick --policies strict+pause'],
    ['a value of a column', 'attack canaries --quick --policies strict+pause=exact'],
  ])('refuses %s that it does not know', async (_what, line) => {
    expect((await bench.run(line)).code).toBe(2);
  });

  it('plants canaries, finds them in raw data only, and passes', async () => {
    const { code, stdout, stderr } = await bench.run('attack canaries --quick --seed 3 --policies balanced');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^policy strict, seed 3, quick/u);
    expect(stdout).toMatch(/^canaries +all released bytes +found +0\.000 .* 1\.000 +0\.000 +pass$/mu);
    expect(stdout).toMatch(/^balanced +0\.000$/mu);
    expect(stderr).toContain('attack: canaries');
  });

  it.each([
    ['no folder is named', [], '--biometrics'],
    ['the folder has none', ['--biometrics', 'empty'], 'typing of 300 people is missing'],
  ])('says aloud that data is missing where %s, and fails', async (_what, options, message) => {
    await mkdir(join(bench.dir, 'empty'), { recursive: true });
    const { code, stdout, stderr } = await bench.run(['attack', 'rhythm', '--quick', '--json', ...options]);
    expect(code).toBe(1);
    expect(stderr).toContain('this release is not proven: rhythm (not run)');
    const { attacks } = JSON.parse(stdout) as { attacks: { verdict: string; reasons: string[] }[] };
    expect(attacks[0]?.verdict).toBe('not run');
    expect(attacks[0]?.reasons.join()).toContain(message);
  });
});
