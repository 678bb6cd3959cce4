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
 * Runs this program `count` times, with the arguments that each is to have. A stop is passed on to all. If one fails, the others are stopped
 * and the error names it; its own message is on the error output.
 *
 * @returns what each printed on its standard output.
 */
export async function inProcesses(
  context: Pick<CommandContext, 'config' | 'io' | 'signal'>,
  count: number,
  args: (index: number) => readonly string[],
): Promise<readonly string[]> {
  const children = Array.from({ length: count }, (_, i) => startWorker(context, i, args(i)));
  const stopAll = (): void => {
    for (const child of children) child.kill('SIGTERM');
  };
  context.signal.addEventListener('abort', stopAll, { once: true });
  try {
    const results = await Promise.all(children.map((child, i) => finish(child, i, stopAll)));
    return results.map((result) => {
      if ('failure' in result) throw new RunError(result.failure);
      return result.output;
    });
  } finally {
    context.signal.removeEventListener('abort', stopAll);
  }
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

type Result = { readonly output: string } | { readonly failure: string };

async function finish(child: ChildProcess, index: number, stopAll: () => void): Promise<Result> {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  // `close` comes when the output has been read to its end as well.
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return { output };
  stopAll();
  return { failure: `worker ${index + 1} ended with code ${code ?? 'none'}: its own message says why` };
}
