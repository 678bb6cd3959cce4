import type { Command } from 'commander';
import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { simulate, type PlantedString, type SimulatedRecord } from '../producers/simulator/index.ts';
import { createIngest, type Ingest } from '../runtime/ingest.ts';
import type { Workspace } from '../runtime/workspace.ts';
import { action, decimal, UsageError, wholeNumber, withWorkspace, type CommandContext, type Io } from './io.ts';
import { showProgress } from './progress.ts';

interface Own {
  readonly people: number;
  readonly minutes: number;
  readonly seed: number;
  readonly start?: string;
  readonly pace?: number;
  readonly faults: boolean;
  readonly truth?: string;
}

export function simulateCommand(program: Command, io: Io): void {
  program
    .command('simulate')
    .description('put raw events of made-up office people onto the raw topic, with their consent')
    .requiredOption('--people <n>', 'how many people', wholeNumber(1, 1_000_000))
    .requiredOption('--minutes <n>', 'how long each of them works', wholeNumber(1, 100_000))
    .option('--seed <n>', 'same seed, same people and events', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--start <time>', 'when it begins, such as 2026-01-05T08:00Z (default: now)')
    .option('--pace <factor>', 'as fast as real time times this (default: as fast as possible)', decimal(0.1, 10_000))
    .option('--no-faults', 'nothing is late, repeated, missing or unknown')
    .option('--truth <file>', 'write every personal string that was planted, one JSON object a line; keep it private')
    .addHelpText(
      'after',
      '\nExamples:\n  redactory simulate --people 20 --minutes 30\n' +
        '  redactory simulate --people 3 --minutes 60 --pace 1    # as if it happened now',
    )
    .action(
      action<Own>(io, (context, own) =>
        withWorkspace(context, 'producer', async (workspace) => {
          const start = await startOf(own, workspace);
          const truth = own.truth === undefined ? null : openTruth(resolve(io.cwd, own.truth));
          const stream = simulate({
            people: own.people,
            minutes: own.minutes,
            seed: own.seed,
            start,
            ...(own.faults ? {} : { faults: 'none' }),
            subjectKey: await workspace.subjectKeys(),
            ...(truth === null ? {} : { truth: truth.write }),
          });
          const logs = { log: workspace.log, consentLog: await workspace.logAs('operator') };
          const ingest = createIngest({ ...logs, codec: workspace.codec, sealer: await workspace.sealer() });
          await ingestAll(context, own, stream, ingest, start, truth);
          await truth?.close();
          const { events, batches, bytes } = ingest;
          context.print(
            `simulated ${own.people} people for ${own.minutes} minutes: ${events.toLocaleString('en')} events in ` +
              `${batches.toLocaleString('en')} batches, ${bytes.toLocaleString('en')} bytes`,
            {
              people: own.people,
              minutes: own.minutes,
              seed: own.seed,
              start: new Date(start).toISOString(),
              events,
              batches,
              bytes,
            },
          );
        }),
      ),
    );
}

async function startOf(own: Own, workspace: Workspace): Promise<number> {
  if (own.start === undefined) return workspace.trustedNow();
  const start = Date.parse(own.start);
  if (Number.isFinite(start)) return start;
  throw new UsageError('--start must be a time such as 2026-01-05T08:00Z');
}

async function ingestAll(
  context: CommandContext,
  own: Own,
  stream: Iterable<SimulatedRecord>,
  ingest: Ingest,
  start: number,
  truth: Truth | null,
): Promise<void> {
  const progress = showProgress(context.io, 'simulating', 'seconds');
  const startedAt = context.io.now();
  for (const simulated of stream) {
    if (context.signal.aborted) break;
    if (own.pace !== undefined) {
      const due = startedAt + (simulated.at - start) / own.pace;
      const wait = due - context.io.now();
      if (wait > 0) {
        await ingest.flush();
        await delay(wait, undefined, { signal: context.signal }).catch(() => undefined);
        if (context.signal.aborted) break;
      }
    }
    if (simulated.kind === 'consent') await ingest.decide(simulated.decision);
    else await ingest.capture(simulated.record);
    await truth?.drained();
    progress.update(Math.round((simulated.at - start) / 1000), own.minutes * 60);
  }
  await ingest.flush();
  progress.stop();
}

interface Truth {
  readonly write: (planted: PlantedString) => void;
  drained(): Promise<void>;
  close(): Promise<void>;
}

/** The truth holds every planted secret, so the file is private. */
function openTruth(path: string): Truth {
  const file = createWriteStream(path, { mode: 0o600 });
  return {
    write: (planted) => void file.write(`${JSON.stringify(planted)}\n`),
    async drained() {
      // Asked of the stream itself: it may have drained while something else was waited for.
      if (file.writableNeedDrain) await once(file, 'drain');
    },
    async close() {
      file.end();
      await once(file, 'finish');
    },
  };
}
