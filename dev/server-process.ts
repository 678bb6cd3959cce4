/** A server in a child process that does not outlive this one. */
import { spawn, type ChildProcess } from 'node:child_process';

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** It serves once it has printed this. */
  readonly readyText: string;
  /** Name for messages. */
  readonly name: string;
  /** What it prints, as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface ServerProcess {
  readonly pid: number;
  /** Resolves with the last lines that it printed, when it has ended. */
  readonly ended: Promise<string>;
  /** Ends it; one that does not heed SIGTERM is killed after half a minute. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** A server that was to run does not; the message holds what it printed last. */
export class ServerProcessError extends Error {
  override name = 'ServerProcessError';
}

const START_LIMIT_MS = 60_000;
const END_LIMIT_MS = 30_000;
const LINES_KEPT = 40;

/** Starts a server; resolves when it serves. Throws `ServerProcessError` if it does not come up. */
export async function startServer(server: ServerCommand): Promise<ServerProcess> {
  const child = spawnApart(server);
  const output = lastLines(child, server.onOutput);
  const release = killWithUs(child);
  const exit = exitOf(child, server.name).finally(release);
  const limit = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS);
  const started = await Promise.race([says(child, server.readyText).then(() => true), exit.then(() => false)]);
  clearTimeout(limit);
  if (!started || child.pid === undefined) {
    throw new ServerProcessError(`${server.name} did not start; its last lines:\n${output()}`);
  }
  const ended = exit.then(output);
  return {
    pid: child.pid,
    ended,
    async end(signal) {
      child.kill(signal);
      const late = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS);
      await ended;
      clearTimeout(late);
    },
  };
}

/** Runs a command to its end. Throws `ServerProcessError` with its last lines if it fails. */
export async function runToEnd(tool: Omit<ServerCommand, 'readyText'>): Promise<void> {
  const child = spawnApart(tool);
  const output = lastLines(child, tool.onOutput);
  const release = killWithUs(child);
  const code = await exitOf(child, tool.name).finally(release);
  if (code !== 0) throw new ServerProcessError(`${tool.name} failed; its last lines:\n${output()}`);
}

/** Starts it in a process group of its own: Ctrl+C reaches only us, and we end it in order. */
function spawnApart({ command, args, env }: Omit<ServerCommand, 'readyText'>): ChildProcess {
  return spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
}

/** Kills the child when this process ends, however it ends. Returns how to call that off. */
function killWithUs(child: ChildProcess): () => void {
  if (child.pid === undefined) return () => {};
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  // A shell that waits for the end of a pipe which only we hold open: it also acts when we are killed.
  const shell = spawn('sh', ['-c', 'read _; kill -9 "$0" 2>/dev/null', String(child.pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  return () => {
    process.off('exit', kill);
    shell.kill('SIGKILL');
  };
}

function exitOf(child: ChildProcess, name: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', (error) => reject(new ServerProcessError(`${name} cannot be run: ${error.message}`)));
  });
}

/** Resolves when the child has printed this text. */
function says(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve) => {
    let tail = '';
    const look = (chunk: Buffer): void => {
      tail = (tail + chunk.toString()).slice(-4_096);
      if (!tail.includes(text)) return;
      child.stdout?.off('data', look);
      child.stderr?.off('data', look);
      resolve();
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
  });
}

/** Keeps what the child prints last. */
function lastLines(child: ChildProcess, onOutput?: (text: string) => void): () => string {
  let lines: string[] = [];
  const take = (chunk: Buffer): void => {
    const text = chunk.toString();
    onOutput?.(text);
    lines = [...lines, ...text.split('\n').filter((line) => line !== '')].slice(-LINES_KEPT);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return () => lines.join('\n');
}
