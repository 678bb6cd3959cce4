/** The built command line in processes of its own: what signals and kill -9 do can be seen in no other way. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { askDesk } from '../servers/desk.ts';

export interface Cli {
  /** Where it lies; whatever is put there goes with it. */
  readonly folder: string;
  /** Starts `redactory` with these arguments. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>, how?: How): CliProcess;
  /** Runs it to its end. @throws Error with what it wrote when the exit code is not 0. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  remove(): Promise<void>;
}

export interface How {
  /** It leads a process group, as a terminal would give it one: `process.kill(-pid, …)` is for all of its processes. */
  readonly ownGroup?: boolean;
  /** A file to which it writes in place of the pipe. */
  readonly stdout?: number;
}

export interface CliProcess {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  /** The first match of `pattern` in what it writes to stderr. @throws Error when it ends without one. */
  waitForLog(pattern: RegExp): Promise<RegExpExecArray>;
}

/** A copy of the run's one build, in a temporary folder. */
export async function buildCli(): Promise<Cli> {
  // As `shared-cli.ts` answers.
  const built = (await askDesk(inject('cliBuild'))) as string;
  const folder = await mkdtemp(join(tmpdir(), 'redactory-cli-'));
  await cp(built, folder, { recursive: true });
  return cliAt(folder);
}

function cliAt(folder: string): Cli {
  const script = join(folder, 'bin/redactory.js');
  const alive = new Set<ChildProcess>();
  const start: Cli['start'] = (args, env = {}, { ownGroup = false, stdout = 'pipe' as const } = {}) => {
    const options = { cwd: folder, env: { ...withoutSettings(process.env), ...env } };
    const child = spawn(process.execPath, [script, ...args], {
      ...options,
      stdio: ['ignore', stdout, 'pipe'],
      detached: ownGroup,
    });
    alive.add(child);
    child.once('exit', () => alive.delete(child));
    return watch(child);
  };
  return {
    folder,
    start,
    async run(args, env) {
      const running = start(args, env);
      const code = await running.ended;
      if (code !== 0) throw new Error(`redactory ${args.join(' ')} ended with ${code}: ${running.stderr()}`);
      return running.stdout();
    },
    async remove() {
      // A test that failed may have left one.
      for (const child of alive) child.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Settings of whoever runs the tests are not the tests'. */
function withoutSettings(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || name.startsWith('REDACTORY_') || name === 'NODE_OPTIONS' ? [] : [[name, value]],
    ),
  );
}

function watch(child: ChildProcess): CliProcess {
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    tell();
  });
  let end: number | string | undefined;
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => {
    end = typeof code === 'number' ? code : String(signal);
    tell();
    return end;
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    waitForLog: (pattern) =>
      new Promise((found, failed) => {
        const look = (): void => {
          const match = pattern.exec(stderr);
          if (match !== null) found(match);
          else if (end !== undefined) failed(new Error(`it ended with ${end} before it wrote ${pattern}: ${stderr}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
  };
}
