import { execFile, fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** The child program as JavaScript, for plain Node: compiled once, next to the packages that it imports. */
export interface ChildProgram {
  start(task: string, dir: string): ChildProcess;
  /** The same under a limit on the size of any file, in KiB: a write beyond it fails as on a full disk. */
  startWithFileLimit(task: string, dir: string, kib: number): ChildProcess;
  remove(): Promise<void>;
}

export async function compileChild(): Promise<ChildProgram> {
  const out = await mkdtemp(resolve('node_modules/.redactory-child-'));
  await writeFile(join(out, 'package.json'), '{"type":"module"}');
  const compiler = resolve('node_modules/typescript/bin/tsc');
  const source = resolve('test/log/support/child.ts');
  const options =
    '--ignoreConfig --rootDir . --module nodenext --target es2023 --types node --skipLibCheck --rewriteRelativeImportExtensions';
  await promisify(execFile)(process.execPath, [compiler, source, '--outDir', out, ...options.split(' ')]);
  const script = join(out, 'test/log/support/child.js');
  return {
    start: (task, dir) => fork(script, [task, dir], { execArgv: [] }),
    startWithFileLimit: (task, dir, kib) =>
      spawn('bash', ['-c', `ulimit -f ${kib}; exec "$0" "$@"`, process.execPath, script, task, dir], {
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      }),
    remove: () => rm(out, { recursive: true }),
  };
}

/** The child's next message, or an error when it ends without one. */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const exit = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`The child ended with ${String(code)} before it sent a message.`);
  });
  try {
    const [message]: unknown[] = await Promise.race([once(child, 'message', { signal: ended.signal }), exit]);
    return message;
  } finally {
    ended.abort();
    exit.catch(() => undefined);
  }
}

export async function killAndWait(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
