import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { addSummaries, emptySummary, type SanitizerSummary } from '../runtime/sanitizer.ts';
import { StoppedError, UsageError, type CommandContext } from './io.ts';
import { RunError } from '../runtime/run-error.ts';

/**
 * In a worker's environment. Its input is then open for as long as it is to work: that ends with whoever started it, however
 * that ends, and comes beside the signals that a terminal or systemd sends to all processes.
 */
export const IS_WORKER = 'REDACTORY_IS_WORKER';

/**
 * Workers serve their metrics on the ports after the first; without one, or with 0 for any, there is nothing to check.
 *
 * @throws UsageError when there are not as many.
 */
export function checkPorts(first: number | null, workers: number): void {
  const last = (first ?? 0) + workers - 1;
  if (!first || last <= 65_535) return;
  throw new UsageError(
    `the metrics of ${workers} workers need the ports ${first} to ${last}, and 65535 is the last there is: choose a lower one`,
  );
}

/**
 * Runs `sanitize` in `count` processes of their own on the same data folder; the group shares the partitions out.
 *
 * @returns the sum of what they did.
 * @throws UsageError when there are not enough ports.
 */
export async function sanitizeInProcesses(
  context: CommandContext,
  count: number,
  options: readonly string[],
): Promise<SanitizerSummary> {
  const { port } = context.config.telemetry;
  checkPorts(port, count);
  const outputs = await inProcesses(
    context,
    count,
    () => ['sanitize', '--json', ...options],
    (index): Record<string, string> => (port ? { REDACTORY_METRICS_PORT: String(port + index) } : {}),
  );
  // The children are this program: what they print with --json is a summary. Without one, it was stopped before it began.
  const summaries = outputs
    .filter((output) => output !== '')
    .map((output) => (JSON.parse(output) as { sanitized: SanitizerSummary }).sanitized);
  return summaries.reduce(addSummaries, emptySummary());
}

/**
 * Runs this program `count` times, with the arguments and variables that each is to have. A stop is passed on to all. If one
 * fails or cannot be started, the others are stopped and the error names it; its own message is on the error output. All have
 * ended when this does.
 *
 * @returns what each printed on its standard output; nothing after a stop that came before.
 * @throws StoppedError when a stop has ended one in the middle of its work: by a second signal, or after five seconds.
 */
export async function inProcesses(
  context: Pick<CommandContext, 'config' | 'io' | 'signal'>,
  count: number,
  args: (index: number) => readonly string[],
  env: (index: number) => Readonly<Record<string, string>> = () => ({}),
): Promise<readonly string[]> {
  // A signal that has aborted calls no listener any more.
  if (context.signal.aborted) return [];
  const children: ChildProcess[] = [];
  const finished: Promise<Finished>[] = [];
  const failures: string[] = [];
  const stopAll = (): void => {
    for (const child of children) child.stdin?.end();
  };
  const onFailure = (failure: string): void => {
    failures.push(failure);
    stopAll();
  };
  context.signal.addEventListener('abort', stopAll, { once: true });
  try {
    for (let i = 0; i < count; i++) {
      const child = startWorker(context, i, args(i), env(i));
      children.push(child);
      finished.push(finish(child, i, context.signal, onFailure));
    }
  } catch (error) {
    stopAll();
    throw error;
  } finally {
    await Promise.all(finished);
    context.signal.removeEventListener('abort', stopAll);
  }
  // The first one: others may have ended because they were stopped.
  if (failures[0] !== undefined) throw new RunError(failures[0]);
  const all = await Promise.all(finished);
  if (all.some(({ isCutOff }) => isCutOff)) throw new StoppedError();
  return all.map(({ output }) => output);
}

function startWorker(
  { config, io }: Pick<CommandContext, 'config' | 'io'>,
  index: number,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcess {
  const script = process.argv[1];
  if (script === undefined) throw new RunError('--workers needs the redactory script: run it with node or npx');
  const instance = config.kafka?.instance;
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...io.env,
      ...env,
      [IS_WORKER]: '1',
      // One name is for one process: two of them would turn each other out of the group.
      ...(instance === undefined ? {} : { REDACTORY_KAFKA_INSTANCE: `${instance}-${index + 1}` }),
    },
  });
  // One that has ended before it is told to has no input any more.
  child.stdin?.on('error', () => undefined);
  return child;
}

interface Finished {
  /** What it printed. */
  readonly output: string;
  /** A stop has ended it in the middle of its work. */
  readonly isCutOff: boolean;
}

/** The code of what was stopped before its end; without an output it was ended in the middle of its work. */
const STOPPED = 130;

/** Rejects never, but tells of a failure. */
async function finish(
  child: ChildProcess,
  index: number,
  stop: AbortSignal,
  onFailure: (failure: string) => void,
): Promise<Finished> {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  // `close` comes when the output has been read to its end as well; `error`, which rejects, when it could not be started.
  const failure = await once(child, 'close').then(
    ([code, signal]: unknown[]) =>
      code === 0 || (stop.aborted && (code === STOPPED || isOfStop(signal)))
        ? null
        : `ended with code ${typeof code === 'number' ? code : 'none'}: its own message says why`,
    (error: unknown) => `could not be started (${codeOf(error)})`,
  );
  if (failure !== null) onFailure(`worker ${index + 1} ${failure}`);
  return { output, isCutOff: child.exitCode === STOPPED && output === '' };
}

/** It ends a process that does not listen to signals: one that has not begun with its work, or that has printed what it did. */
const isOfStop = (signal: unknown): boolean => signal === 'SIGINT' || signal === 'SIGTERM';

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
