import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { commandsReference } from '../../src/cli/reference.ts';
import { createBench, type Bench } from './harness.ts';

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
const program = createProgram({ stdout: nowhere, stderr: nowhere, env: {}, cwd: '/', now: () => 0 });

/** Every command that does something, as words. */
const leaves = (command: Command, path: readonly string[] = []): string[][] =>
  command.commands.length === 0
    ? [[...path]]
    : command.commands.flatMap((child) => leaves(child, [...path, child.name()]));
const COMMANDS = leaves(program);

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench.remove());

describe('help', () => {
  it.each(COMMANDS.map((words) => words.join(' ')))('of %s has an example of it, and ends with 0', async (words) => {
    const { code, stdout, stderr } = await bench.run(`${words} --help`);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(new RegExp(`Examples?:\\n(?:  .*\\n)*  redactory ${words}\\b`, 'u'));
  });

  it.each(COMMANDS.map((words) => words.join(' ')))(
    'of %s shows examples that the command line understands',
    async (words) => {
      const { stdout } = await bench.run(`${words} --help`);
      for (const example of stdout.split('Example')[1]?.matchAll(/^ {2}redactory ([^|#\n]*)/gmu) ?? []) {
        await expect(parses((example[1] ?? '').trim().split(/\s+/u))).resolves.toBe(true);
      }
    },
  );

  it('of the program and of groups of commands ends with 0, their bare names with 2', async () => {
    expect((await bench.run('--help')).code).toBe(0);
    expect((await bench.run('help run')).code).toBe(0);
    expect((await bench.run('consent --help')).code).toBe(0);
    expect((await bench.run('consent')).code).toBe(2);
    expect((await bench.run([])).code).toBe(2);
  });

  it('says the version', async () => {
    expect((await bench.run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/u);
  });

  it('is docs/commands.md as well', async () => {
    const page = commandsReference(program);
    await expect(page).toMatchFileSnapshot(resolve('docs/commands.md'));
    for (const words of COMMANDS) expect(page).toContain(`### redactory ${words.join(' ')}\n`);
  });
});

/** Whether commander takes these words; the command itself does not run. */
async function parses(words: readonly string[]): Promise<boolean> {
  let reached = false;
  const fresh = createProgram({ stdout: nowhere, stderr: nowhere, env: {}, cwd: '/', now: () => 0 });
  const replace = (command: Command): void => {
    command.commands.forEach(replace);
    if (command.commands.length === 0) command.action(() => void (reached = true));
  };
  replace(fresh);
  await fresh.parseAsync(words, { from: 'user' });
  return reached;
}

describe('wrong usage ends with 2, says what is wrong, prints nothing and makes nothing', () => {
  it.each([
    ['nope', "unknown command 'nope'"],
    ['rnu', 'Did you mean run?'],
    ['run --until-ned', "unknown option '--until-ned'"],
    ['run --until-end extra', 'too many arguments'],
    ['simulate --people 1', "required option '--minutes <n>' not specified"],
    ['simulate --people 0 --minutes 1', 'whole number from 1 to'],
    ['simulate --people 1.5 --minutes 1', 'whole number'],
    ['simulate --people 1 --minutes 1 --seed -1', 'whole number from 0'],
    ['simulate --people 1 --minutes 1 --pace 0', 'number from 0.1'],
    ['simulate --people 1 --minutes 1 --start yesterday', 'It must be a date such as'],
    ['simulate --people 1 --minutes 1 --start 5', 'It must be a date such as'],
    ['import x.csv', "required option '--format <format>' not specified"],
    ['import x.csv --format excel', 'Allowed choices are'],
    ['import --format rpa-csv', "missing required argument 'path'"],
    ['consent pause --subject ana', "required option '--minutes <n>' not specified"],
    ['consent pause --subject ana --minutes 31', 'number from 1 to 30'],
    ['consent pause --subject ana --minutes 0.5', 'number from 1 to 30'],
    ['consent enrol', "required option '--subject <id>' not specified"],
    ['consent enrol --subject ana --minutes 3', "unknown option '--minutes'"],
    ['consent agree --subject ana', "unknown command 'agree'"],
    ['keys destroy', "missing required argument 'epoch'"],
    ['inspect raw --limit many', 'whole number'],
    ['inspect log', "unknown command 'log'"],
    ['sink --to csv', 'Allowed choices are table, jsonl'],
    ['run --config', "option '--config <file>' argument missing"],
  ])('%s', async (args, message) => {
    const { code, stdout, stderr } = await bench.run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(await bench.files()).toEqual([]);
  });

  it.each<[string, string, Record<string, string>?]>([
    ['sink --until-end --out rows.jsonl', '--out goes with --to jsonl'],
    ['sink --until-end --to jsonl --json', 'give a file with --out'],
    ['sink --until-end --to jsonl --refill', '--refill is of the table'],
    ['sanitize --until-end --workers 3', 'need the ports 65534 to 65536', { REDACTORY_METRICS_PORT: '65534' }],
    ['replay --policy strict --into x --workers 2 --metrics-port 65535', 'need the ports 65535 to 65536'],
  ])('%s, which shows only once it has begun', async (args, message, env = {}) => {
    const { code, stdout, stderr } = await bench.run(args, { env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    await expect(bench.withWorkspace(({ log }) => log.endOffsets('interactions.raw'))).resolves.toEqual([0, 0, 0, 0]);
  });
});

describe('a wrong config ends with 2 before anything is made', () => {
  it.each(['run --until-end', 'sink --until-end', 'keys list', 'consent show --subject ana', 'inspect table', 'demo'])(
    '%s',
    async (args) => {
      await writeFile(join(bench.dir, 'redactory.yaml'), 'data: d\ntopics:\n  partitons: 8\n');
      const { code, stdout, stderr } = await bench.run(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toBe(
        `redactory: ${join(bench.dir, 'redactory.yaml')}:3:3: unknown key "partitons" in topics; did you mean partitions?\n`,
      );
      expect(await bench.files()).toEqual(['redactory.yaml']);
    },
  );

  it('also when the file that --config names is not there', async () => {
    const { code, stderr } = await bench.run('run --until-end --config gone.yaml');
    expect(code).toBe(2);
    expect(stderr).toContain(`${join(bench.dir, 'gone.yaml')} cannot be read (ENOENT)`);
    expect(await bench.files()).toEqual([]);
  });
});

it('a failure of another kind says where it was and not what it was about', async () => {
  const now = (): never => {
    throw new TypeError('ana@example.org\n    at typed (hunter2)');
  };
  const { code, stdout, stderr } = await bench.run('keys list', { now });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^redactory: failed with TypeError; .*\n(?: {4}at .*\n)+$/u);
  expect(stderr).toContain('usage.test.ts');
  expect(stderr).not.toMatch(/ana|hunter2/u);
});

describe('--json', () => {
  it('prints one document and nothing else, whichever command', async () => {
    const run = (args: string): Promise<object> => bench.json(args);
    expect(await run('simulate --people 3 --minutes 2')).toMatchObject({ people: 3 });
    expect(await run('sanitize --until-end')).toHaveProperty('sanitized.read');
    expect(await run('sink --until-end')).toHaveProperty('sink.rows');
    expect(await run('run --until-end')).toHaveProperty('table', join(bench.data, 'table'));
    expect(await run('sink --until-end --to jsonl --out rows.jsonl')).toHaveProperty('sink.batches');
    expect(await run('consent enrol --subject ana')).toHaveProperty('kind', 'enrol');
    expect(await run('consent pause --subject ana --minutes 2')).toHaveProperty('until');
    expect(await run('consent resume --subject ana')).toHaveProperty('decidedAt');
    expect(await run('consent exempt --subject ana')).toHaveProperty('decisionId');
    expect(await run('consent withdraw --subject ana')).toHaveProperty('kind', 'withdraw');
    expect(await run('consent show --subject ana')).toHaveProperty('status');
    expect(await run('keys list')).toHaveProperty('keys');
    expect(await run('keys rotate')).toHaveProperty('rewrapped', 3);
    expect(await run(`keys destroy ${new Date().toISOString().slice(0, 7)}`)).toHaveProperty('wouldDestroy', 2);
    expect(await run('keys sealing list')).toHaveProperty('keys');
    expect(await run('keys sealing rotate')).toHaveProperty('keyId');
    expect(await run('keys sealing destroy --expired')).toHaveProperty('wouldDestroy');
    expect(await run('policy check')).toHaveProperty('digest');
    expect(await run('policy explain balanced')).toHaveProperty('text');
    expect(await run('vocabulary show')).toHaveProperty('entries');
    for (const what of ['raw', 'sanitized']) expect(await run(`inspect ${what}`)).toHaveProperty('ends');
    expect(await run('inspect quarantine')).toHaveProperty('entries');
    expect(await run('inspect table')).toHaveProperty('rows');
    expect(await run('demo --people 2 --minutes 1 --data demo')).toHaveProperty('sink');
  });

  it('leaves stdout empty when the command fails', async () => {
    const { code, stdout, stderr } = await bench.run('inspect table --json');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`redactory: There is no table in ${join(bench.data, 'table')} yet: run the sink first.\n`);
  });
});
