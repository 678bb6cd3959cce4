import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoppedError, UsageError, type Io } from '../../src/cli/io.ts';
import { together } from '../../src/cli/together.ts';
import { checkPorts, inProcesses, IS_WORKER } from '../../src/cli/workers.ts';
import { loadConfig, type Config } from '../../src/config.ts';

const started = vi.hoisted(() => ({ children: [] as ChildProcess[] }));
vi.mock('node:child_process', async (importOriginal) => {
  const own = await importOriginal<typeof import('node:child_process')>();
  const spawn = (command: string, args: readonly string[], options: object): ChildProcess => {
    const child = own.spawn(command, args, options);
    started.children.push(child);
    return child;
  };
  return { ...own, spawn };
});

const [script, program] = [process.argv[1], process.execPath];
let dir: string;
let config: Config;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-workers-'));
  config = await loadConfig({ env: {}, cwd: dir });
  started.children = [];
  process.argv[1] = join(dir, 'worker.mjs');
  // Waits until it is let go, unless it is told how to end.
  await writeFile(
    process.argv[1],
    `const [how] = process.argv.slice(2);
     if (how === undefined) process.stdin.resume();
     else if (how === 'deaf') setInterval(() => {}, 1_000);
     else if (how === 'cut off') process.stdin.resume().on('end', () => process.exit(130));
     else if (how === 'told') process.stdout.write(String(process.env['${IS_WORKER}']) + process.env.MORE);
     else { process.stdout.write('ended'); process.exitCode = Number(how); }`,
  );
});
afterEach(async () => {
  Object.assign(process.argv, { 1: script });
  process.execPath = program;
  // What a failed test has left.
  for (const child of started.children) child.kill('SIGKILL');
  await rm(dir, { recursive: true });
});

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
const io = (): Io => ({ stdout: nowhere, stderr: nowhere, env: {}, cwd: dir, now: () => 0 });
const run = (
  count: number,
  args: (index: number) => readonly string[],
  signal = new AbortController().signal,
  env?: (index: number) => Readonly<Record<string, string>>,
): Promise<readonly string[]> => inProcesses({ config, io: io(), signal }, count, args, env);
const areRunning = (): boolean =>
  started.children.some((child) => child.pid !== undefined && child.exitCode === null && child.signalCode === null);

describe('worker processes', () => {
  it('give what they printed', async () => {
    expect(await run(2, () => ['0'])).toEqual(['ended', 'ended']);
  });

  it('are told that they are workers, and what is for each of them', async () => {
    const { signal } = new AbortController();
    expect(
      await run(
        2,
        () => ['told'],
        signal,
        (i) => ({ MORE: `-${i}` }),
      ),
    ).toEqual(['1-0', '1-1']);
  });

  it('end with their input, which a stop ends', async () => {
    const controller = new AbortController();
    const ended = run(2, () => [], controller.signal);
    controller.abort();
    expect(await ended).toEqual(['', '']);
    expect(started.children.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  });

  it("may be ended by the terminal's own signal before they listen to it", async () => {
    const controller = new AbortController();
    const ended = run(2, () => ['deaf'], controller.signal);
    controller.abort();
    for (const [i, child] of started.children.entries()) child.kill(i === 0 ? 'SIGINT' : 'SIGTERM');
    expect(await ended).toEqual(['', '']);
  });

  it('that a stop ends in the middle of their work make it a stop, and no failure', async () => {
    const controller = new AbortController();
    const ended = run(2, (i) => (i === 0 ? ['cut off'] : []), controller.signal);
    controller.abort();
    await expect(ended).rejects.toThrow(StoppedError);
  });

  it.each([
    [65_535, 1],
    [65_532, 4],
    [0, 64],
    [null, 64],
  ])('have ports for their metrics, from %j on for %i', (first, workers) => {
    expect(() => checkPorts(first, workers)).not.toThrow();
  });

  it('that have not as many are not begun with', () => {
    expect(() => checkPorts(65_533, 4)).toThrow(
      new UsageError(
        'the metrics of 4 workers need the ports 65533 to 65536, and 65535 is the last there is: choose a lower one',
      ),
    );
  });

  it('are not started after a stop', async () => {
    const controller = new AbortController();
    controller.abort();
    expect(await run(2, () => [], controller.signal)).toEqual([]);
    expect(started.children).toEqual([]);
  });

  it('are all stopped when one fails, which the error names', async () => {
    await expect(run(3, (i) => (i === 1 ? ['3'] : []))).rejects.toThrow('worker 2 ended with code 3');
    expect(started.children).toHaveLength(3);
    expect(areRunning()).toBe(false);
  });

  it.each([
    ['is not there', (): readonly string[] => ((process.execPath = join(dir, 'gone')), []), 'worker 3 could not be'],
    ['does not take its arguments', (): readonly string[] => ['\0'], 'null bytes'],
  ])('are all stopped when one cannot be started: the program %s', async (_, last, message) => {
    await expect(run(3, (i) => (i === 2 ? last() : []))).rejects.toThrow(message);
    expect(started.children.filter(({ pid }) => pid !== undefined)).toHaveLength(2);
    expect(areRunning()).toBe(false);
  });
});

describe('two things at once', () => {
  const never = new AbortController().signal;
  const aborted = (signal: AbortSignal): Promise<unknown> =>
    new Promise((resolve) => signal.addEventListener('abort', resolve));

  it('give what both do', async () => {
    await expect(
      together(
        never,
        async () => 1,
        async () => 'a',
      ),
    ).resolves.toEqual([1, 'a']);
  });

  it.each([0, 1])('stop when one fails (%i), whose error is thrown when the other has ended', async (failing) => {
    let hasEnded = false;
    const fails = async (): Promise<never> => Promise.reject(new Error('first'));
    const goesOn = async (signal: AbortSignal): Promise<void> => {
      await aborted(signal);
      // Later than whoever only waits for the first failure.
      await new Promise((resolve) => setImmediate(resolve));
      hasEnded = true;
      throw new Error('second');
    };
    const [one, other] = failing === 0 ? [fails, goesOn] : [goesOn, fails];
    await expect(together<void, void>(never, one, other)).rejects.toThrow('first');
    expect(hasEnded).toBe(true);
  });

  it('stop when they are told to', async () => {
    const controller = new AbortController();
    const both = together(controller.signal, aborted, aborted);
    controller.abort();
    await expect(both).resolves.toHaveLength(2);
  });
});
