/** Command lines in this process, with everything that they write caught. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { runProgram } from '../../src/cli/program.ts';
import { loadConfig } from '../../src/config.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly tty?: boolean;
  readonly now?: () => number;
  /** What comes in, in pieces. */
  readonly stdin?: Iterable<string | Uint8Array>;
  /** Aborted: nobody reads what it writes. */
  readonly outputEnded?: AbortSignal;
}

export interface Bench {
  /** A folder of its own: the commands' working folder, with their data in `.redactory`. */
  readonly dir: string;
  readonly data: string;
  run(args: string | readonly string[], given?: Given): Promise<Ran>;
  /** Runs with --json; the one document on stdout. @throws Error when it fails or writes anything else there. */
  json<T>(args: string | readonly string[], given?: Given): Promise<T>;
  /** The data folder's log and codec, for the time of `work`. */
  withWorkspace<T>(work: (workspace: Workspace) => Promise<T>): Promise<T>;
  /** Paths of everything in {@link dir}. */
  files(): Promise<readonly string[]>;
  remove(): Promise<void>;
}

export async function createBench(): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), 'redactory-cli-'));
  const run: Bench['run'] = async (args, given = {}) => {
    const [stdout, stderr] = [caught(given.tty), caught(given.tty)];
    const code = await runProgram(typeof args === 'string' ? args.split(' ') : args, {
      stdin: () => Readable.from(given.stdin ?? [], { objectMode: false }),
      stdout: stdout.stream,
      stderr: stderr.stream,
      env: given.env ?? {},
      cwd: dir,
      now: given.now ?? Date.now,
      ...(given.outputEnded === undefined ? {} : { outputEnded: given.outputEnded }),
    });
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  };
  return {
    dir,
    data: join(dir, '.redactory'),
    run,
    async json<T>(args: string | readonly string[], given?: Given) {
      const { code, stdout, stderr } = await run(
        [...(typeof args === 'string' ? args.split(' ') : args), '--json'],
        given,
      );
      if (code !== 0) throw new Error(`it ended with ${code}: ${stderr}`);
      return JSON.parse(stdout) as T;
    },
    async withWorkspace(work) {
      const workspace = await openWorkspace(await loadConfig({ env: {}, cwd: dir }), {});
      try {
        return await work(workspace);
      } finally {
        await workspace.close();
      }
    },
    files: async () => (await readdir(dir, { recursive: true })).sort(),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

function caught(isTTY = false): {
  readonly stream: Writable & { readonly isTTY: boolean };
  readonly text: () => string;
} {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY }), text: () => Buffer.concat(chunks).toString('utf8') };
}
