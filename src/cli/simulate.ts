import type { Command } from 'commander';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openPrivateFile } from '../private-file.ts';
import { simulate, type PlantedString, type SimulatedRecord } from '../producers/simulator/index.ts';
import { createIngest, type Ingest } from '../runtime/ingest.ts';
import { RunError } from '../runtime/run-error.ts';
import {
  action,
  decimal,
  refuseStopped,
  UsageError,
  wholeNumber,
  withWorkspace,
  type CommandContext,
  type Io,
} from './io.ts';
import { moment } from './moment.ts';
import { showProgress } from './progress.ts';

interface Own {
  readonly people: number;
  readonly minutes: number;
  readonly seed: number;
  readonly start?: number;
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
    .option('--start <time>', 'when it begins, a date or ISO 8601, UTC unless it says (default: now)', moment)
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
          const truth = own.truth === undefined ? null : await openTruth(resolve(io.cwd, own.truth));
          const start = own.start ?? (await workspace.trustedNow());
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
          let done: Done;
          try {
            done = await ingestAll(context, own, stream, ingest, start, truth);
          } finally {
            // What is on raw by then is to be in the truth, whatever comes.
            await truth?.close();
          }
          const { events, batches, bytes } = ingest;
          const minutes = done.isStopped ? `${done.minutes} of ${own.minutes}` : own.minutes;
          context.print(
            `simulated ${own.people} people for ${minutes} minutes: ${events.toLocaleString('en')} events in ` +
              `${batches.toLocaleString('en')} batches, ${bytes.toLocaleString('en')} bytes`,
            {
              people: own.people,
              minutes: own.minutes,
              minutesDone: done.minutes,
              seed: own.seed,
              start: new Date(start).toISOString(),
              events,
              batches,
              bytes,
            },
          );
          if (done.isStopped) refuseStopped(context, STOPPED);
        }),
      ),
    );
}

const STOPPED = 'stopped before the end; what is on the raw topic stays there, and the same command begins anew';

interface Done {
  readonly isStopped: boolean;
  /** Whole ones, of simulated time. */
  readonly minutes: number;
}

async function ingestAll(
  context: CommandContext,
  own: Own,
  stream: Iterable<SimulatedRecord>,
  ingest: Ingest,
  start: number,
  truth: Truth | null,
): Promise<Done> {
  const progress = showProgress(context.io, 'simulating', 'seconds');
  const startedAt = context.io.now();
  let stoppedAt: number | undefined;
  for (const simulated of stream) {
    const wait = own.pace === undefined ? 0 : startedAt + (simulated.at - start) / own.pace - context.io.now();
    if (wait > 0 && !context.signal.aborted) {
      await ingest.flush();
      await delay(wait, undefined, { signal: context.signal }).catch(() => undefined);
    }
    if (context.signal.aborted) {
      stoppedAt = simulated.at;
      break;
    }
    if (simulated.kind === 'consent') await ingest.decide(simulated.decision);
    else await ingest.capture(simulated.record);
    await truth?.drained();
    progress.update(Math.round((simulated.at - start) / 1000), own.minutes * 60);
  }
  await ingest.flush();
  progress.stop();
  if (stoppedAt === undefined) return { isStopped: false, minutes: own.minutes };
  const minutes = Math.floor((stoppedAt - start) / 60_000);
  return { isStopped: true, minutes: Math.min(Math.max(minutes, 0), own.minutes) };
}

interface Truth {
  readonly write: (planted: PlantedString) => void;
  /** @throws RunError */
  drained(): Promise<void>;
  /** @throws RunError */
  close(): Promise<void>;
}

/** Written together, in characters: one line at a time would be slow. */
const TRUTH_BUFFER = 1 << 16;

/**
 * The truth holds every planted secret, so the file is private.
 *
 * @throws UsageError when it cannot be opened: nothing is on raw by then.
 */
async function openTruth(path: string): Promise<Truth> {
  const file = await openPrivateFile(path).catch((error: unknown) => {
    throw new UsageError(`--truth: ${path} cannot be written (${codeOf(error)}): choose another file`);
  });
  let text = '';
  const writeOut = async (): Promise<void> => {
    const some = text;
    text = '';
    await file.writeFile(some).catch((error: unknown) => {
      throw new RunError(`the truth cannot be written to ${path} (${codeOf(error)}): check the disk`);
    });
  };
  return {
    write: (planted) => void (text += `${JSON.stringify(planted)}\n`),
    drained: async () => {
      if (text.length >= TRUTH_BUFFER) await writeOut();
    },
    close: async () => {
      try {
        await writeOut();
      } finally {
        await file.close();
      }
    },
  };
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
