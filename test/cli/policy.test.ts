import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packagePath } from '../../src/package-path.ts';
import { createBench, type Bench } from './harness.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
  await cp(packagePath('policies'), join(bench.dir, 'policies'), { recursive: true });
});
afterEach(() => bench.remove());

async function change(file: string, from: string | RegExp, to: string): Promise<void> {
  const path = join(bench.dir, 'policies', file);
  const text = await readFile(path, 'utf8');
  expect(text).toMatch(from);
  await writeFile(path, text.replace(from, to));
}

describe('policy check', () => {
  it.each(['strict', 'balanced'])('%s is right', async (name) => {
    const { code, stdout } = await bench.run(`policy check ${name}`);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${name} is right; digest sha256:[0-9a-f]{64}, vocabulary of \\d+ entries\\n$`));
  });

  it('takes a path, which is relative to the working folder, else the policy of the config', async () => {
    const { digest } = await bench.json<{ digest: string }>('policy check policies/balanced.yaml');
    expect(await bench.json('policy check balanced')).toHaveProperty('digest', digest);
    await writeFile(join(bench.dir, 'redactory.yaml'), 'policy: policies/balanced.yaml\n');
    expect(await bench.json('policy check')).toHaveProperty('digest', digest);
    const given = { env: { REDACTORY_POLICY: 'strict' } };
    expect(await bench.json('policy check', given)).toHaveProperty('name', 'strict');
  });
});

describe('policy explain', () => {
  it('tells strict from balanced, column by column', async () => {
    const strict = (await bench.run('policy explain strict')).stdout;
    const balanced = (await bench.run('policy explain balanced')).stdout;
    expect(strict).not.toBe(balanced);
    for (const column of ['subject', 'window', 'target', 'key', 'length', 'cell']) expect(strict).toContain(column);
  });
});

describe('vocabulary show', () => {
  it('counts entries by kind', async () => {
    const { entries, counts } = await bench.json<{ entries: number; counts: Record<string, number> }>(
      'vocabulary show',
    );
    expect(entries).toBeGreaterThan(1500);
    expect(Object.keys(counts)).toContain('text');
    expect((await bench.run('vocabulary show')).stdout).toContain(`${entries} entries, digest sha256:`);
  });
});

describe('run and policy commands with a policy that cannot be used end with 2, say why, and release nothing', () => {
  const COMMANDS = ['policy check', 'policy explain', 'vocabulary show', 'run --until-end', 'sanitize --until-end'];
  const refusals = async (): Promise<readonly string[]> => {
    const messages: string[] = [];
    for (const command of COMMANDS) {
      const { code, stdout, stderr } = await bench.run(command, { env: { REDACTORY_POLICY: 'policies/strict.yaml' } });
      expect({ command, code, stdout }).toEqual({ command, code: 2, stdout: '' });
      messages.push(stderr);
    }
    expect(new Set(messages).size).toBe(1);
    const ends = await bench.withWorkspace(({ log }) => log.endOffsets('interactions.sanitized'));
    expect(ends).toEqual([0, 0, 0, 0]);
    return messages;
  };
  beforeEach(() => bench.json('simulate --people 2 --minutes 1'));

  it('an unknown key', async () => {
    await change('strict.yaml', 'guardSeconds:', 'gardSeconds:');
    expect((await refusals())[0]).toMatch(
      /strict\.yaml:\d+:3: unknown key "gardSeconds" in consent; did you mean guardSeconds\?/u,
    );
  });

  it('a rule that is missing', async () => {
    await change('strict.yaml', /^ *latenessMinutes:.*\n/mu, '');
    expect((await refusals())[0]).toContain('missing rule session.latenessMinutes');
  });

  it('another vocabulary than the one that it pins', async () => {
    await writeFile(join(bench.dir, 'policies/vocabulary.txt'), '[texts]\nMy salary\n', { flag: 'a' });
    const [message = ''] = await refusals();
    expect(message).toMatch(/strict\.yaml:\d+:\d+: vocabulary\./u);
    expect(message).not.toContain('salary');
  });

  it('a vocabulary that is not there', async () => {
    await change('strict.yaml', /file: .*vocabulary.*/u, 'file: gone.txt');
    expect((await refusals())[0]).toContain('gone.txt');
  });

  it('no YAML', async () => {
    await writeFile(join(bench.dir, 'policies/strict.yaml'), 'name: [');
    expect((await refusals())[0]).toContain('is not valid YAML');
  });
});

it('a policy that is not there is named with its path', async () => {
  const { code, stderr } = await bench.run('run --until-end --policy gone.yaml');
  expect(code).toBe(2);
  expect(stderr).toContain(join(bench.dir, 'gone.yaml'));
});
