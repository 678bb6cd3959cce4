import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { addSummaries, emptySummary, type SanitizerSummary } from '../runtime/sanitizer.ts';
import type { CommandContext } from './io.ts';
import { RunError } from '../runtime/run-error.ts';

/**
 * Runs `sanitize` in `count` processes of their own on the same data folder; the group shares the partitions out.
 *
 * @returns the sum of what they did.
 */
export async function sanitizeInProcesses(
  context: CommandContext,
  count: number,
  options: readonly string[],
): Promise<SanitizerSummary> {
  const outputs = await inProcesses(context, count, () => ['sanitize', '--json', ...options]);
  // The children are this program: what they print with --json is a summary.
  const summaries = outputs.map((output) => (JSON.parse(output) as { sanitized: SanitizerSummary }).sanitized);
  return summaries.reduce(addSummaries, emptySummary());
}

/**
 * Runs this program `count` times, with the arguments that each is to have. A stop is passed on to all. If one fails or cannot be
 * started, the others are stopped and the error names it; its own message is on the error output. All have ended when this does.
 *
 * @returns what each printed on its standard output; nothing after a stop that came before.
 */
export async function inProcesses(
  context: Pick<CommandContext, 'config' | 'io' | 'signal'>,
  count: number,
  args: (index: number) => readonly string[],
): Promise<readonly string[]> {
  // A signal that has aborted calls no listener any more.
  if (context.signal.aborted) return [];
  const children: ChildProcess[] = [];
  const finished: Promise<string>[] = [];
  const failures: string[] = [];
  const stopAll = (): void => {
    for (const child of children) child.kill('SIGTERM');
  };
  const onFailure = (failure: string): void => {
    failures.push(failure);
    stopAll();
  };
  context.signal.addEventListener('abort', stopAll, { once: true });
  try {
    for (let i = 0; i < count; i++) {
      const child = startWorker(context, i, args(i));
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
  return await Promise.all(finished);
}

function startWorker(
  { config, io }: Pick<CommandContext, 'config' | 'io'>,
  index: number,
  args: readonly string[],
): ChildProcess {
  const script = process.argv[1];
  if (script === undefined) throw new RunError('--workers needs the redactory script: run it with node or npx');
  const { port } = config.telemetry;
  const instance = config.kafka?.instance;
  return spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...io.env,
      // Each process serves its own metrics, on the ports after the first.
      ...(port === null || port === 0 ? {} : { REDACTORY_METRICS_PORT: String(port + index) }),
      // One name is for one process: two of them would turn each other out of the group.
      ...(instance === undefined ? {} : { REDACTORY_KAFKA_INSTANCE: `${instance}-${index + 1}` }),
    },
  });
}

/** The code of what was stopped before its end; without an output it was ended in the middle of its work. */
const STOPPED = 130;

/** What it printed; rejects never, but tells of a failure. */
async function finish(
  child: ChildProcess,
  index: number,
  stop: AbortSignal,
  onFailure: (failure: string) => void,
): Promise<string> {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  // `close` comes when the output has been read to its end as well; `error`, which rejects, when it could not be started.
  const failure = await once(child, 'close').then(
    ([code]: unknown[]) =>
      code === 0 || (code === STOPPED && stop.aborted && output !== '')
        ? null
        : `ended with code ${typeof code === 'number' ? code : 'none'}: its own message says why`,
    (error: unknown) => `could not be started (${codeOf(error)})`,
  );
  if (failure !== null) onFailure(`worker ${index + 1} ${failure}`);
  return output;
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
