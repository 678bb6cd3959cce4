import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { addSummaries, emptySummary, type SanitizerSummary } from '../runtime/sanitizer.ts';
import type { CommandContext } from './io.ts';
import { RunError } from '../runtime/run-error.ts';

/**
 * Runs `sanitize` in `count` processes of their own on the same data folder; the group shares the partitions out. A stop is
 * passed on to all. If one fails, the others are stopped and the error names it; its own message is on the error output.
 *
 * @returns the sum of what they did.
 */
export async function sanitizeInProcesses(
  context: CommandContext,
  count: number,
  options: readonly string[],
): Promise<SanitizerSummary> {
  const children = Array.from({ length: count }, (_, i) => startWorker(context, i, options));
  const stopAll = (): void => {
    for (const child of children) child.kill('SIGTERM');
  };
  context.signal.addEventListener('abort', stopAll, { once: true });
  try {
    const results = await Promise.all(children.map((child, i) => finish(child, i, stopAll)));
    const failed = results.find((result) => 'failure' in result);
    if (failed !== undefined && 'failure' in failed) throw new RunError(failed.failure);
    return results.reduce<SanitizerSummary>(
      (sum, result) => ('summary' in result ? addSummaries(sum, result.summary) : sum),
      emptySummary(),
    );
  } finally {
    context.signal.removeEventListener('abort', stopAll);
  }
}

function startWorker({ config, io }: CommandContext, index: number, options: readonly string[]): ChildProcess {
  const script = process.argv[1];
  if (script === undefined) throw new RunError('--workers needs the redactory script: run it with node or npx');
  const { port } = config.telemetry;
  return spawn(process.execPath, [script, 'sanitize', '--json', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...io.env,
      // Each process serves its own metrics, on the ports after the first.
      ...(port === null || port === 0 ? {} : { REDACTORY_METRICS_PORT: String(port + index) }),
    },
  });
}

type Result = { readonly summary: SanitizerSummary } | { readonly failure: string };

async function finish(child: ChildProcess, index: number, stopAll: () => void): Promise<Result> {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  // `close` comes when the output has been read to its end as well.
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) {
    // The child is this program: what it prints with --json is a summary.
    const { sanitized } = JSON.parse(output) as { sanitized: SanitizerSummary };
    return { summary: sanitized };
  }
  stopAll();
  return { failure: `worker ${index + 1} ended with code ${code ?? 'none'}: its own message says why` };
}
