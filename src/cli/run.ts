import { Option, type Command } from 'commander';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import type { EventLog } from '../log/event-log.ts';
import { loadPolicy } from '../privacy/policy.ts';
import { audited, type UnderPolicy } from '../runtime/audit.ts';
import { cleanMeanwhile } from '../runtime/cleaning.ts';
import { serveHealth } from '../runtime/health.ts';
import { runSanitizer, type SanitizerSummary } from '../runtime/sanitizer.ts';
import { ensureSealingKey } from '../runtime/sealing-keys.ts';
import { refuseIfLost, rewindSink, runSink, type SinkSummary } from '../runtime/sink-runner.ts';
import { TOPICS } from '../runtime/topics.ts';
import type { Workspace } from '../runtime/workspace.ts';
import { openJsonlSink, openTrainingTable, type Sink } from '../sinks/index.ts';
import { action, refuseStopped, UsageError, wholeNumber, withWorkspace, type CommandContext, type Io } from './io.ts';
import { showProgress } from './progress.ts';
import { whyOption, type Why } from './reason.ts';
import { describeCounts } from './summary.ts';
import { openTable } from './table.ts';
import { together } from './together.ts';
import { sanitizeInProcesses } from './workers.ts';

interface UntilEnd {
  readonly untilEnd?: boolean;
}

interface Sanitize extends UntilEnd {
  readonly workers: number;
}

interface SinkOptions extends Why {
  readonly to: 'table' | 'jsonl';
  readonly out?: string;
  readonly refill?: boolean;
}

type SinkChoice =
  | { readonly to: 'table'; readonly refill?: Why }
  | { readonly to: 'jsonl'; readonly out: Writable | string };

export function sanitizeCommand(program: Command, io: Io): void {
  program
    .command('sanitize')
    .description('run the processors: from the raw topic to the sanitised topic')
    .addOption(untilEndOption())
    .addOption(policyOption())
    .option('--workers <n>', 'processes that share the work', wholeNumber(1, 64), 1)
    .addHelpText(
      'after',
      '\nExamples:\n  redactory sanitize\n  redactory sanitize --until-end --policy balanced\n  redactory sanitize --workers 2',
    )
    .action(
      action<Sanitize>(io, async (context, own) => {
        const sanitized =
          own.workers > 1
            ? await sanitizeInProcesses(context, own.workers, workerOptions(context, own))
            : await withWorkspace(context, 'sanitizer', (workspace) =>
                withHealth(context, (ready) =>
                  cleaned(context, workspace, false, () => sanitize(context, workspace, own, ready, 'sanitize')),
                ),
              );
        context.print(describeCounts(sanitized), { sanitized });
        if (own.untilEnd === true) refuseStopped(context);
      }),
    );
}

export function sinkCommand(program: Command, io: Io): void {
  program
    .command('sink')
    .description('move released batches from the sanitised topic into the training table')
    .addOption(untilEndOption())
    .addOption(new Option('--to <sink>', 'where rows go').choices(['table', 'jsonl']).default('table'))
    .option('--out <file>', 'jsonl: the file to write, or - for stdout (default: -)')
    .option(
      '--refill',
      'fill a table that was lost with all that the topic still has, also the rows of people who were erased since',
    )
    .addOption(whyOption())
    .addHelpText('after', '\nExamples:\n  redactory sink\n  redactory sink --until-end --to jsonl | head')
    .action(
      action<UntilEnd & SinkOptions>(io, (context, own) =>
        withWorkspace(context, 'sink', async (workspace) => {
          const choice = chooseSink(context, own);
          const written = await withHealth(context, (ready) =>
            cleaned(context, workspace, false, () => sink(context, workspace, own, choice, ready)),
          );
          if (choice.to === 'table' || typeof choice.out === 'string')
            context.print(describeSink(written, own.to), { sink: written });
          if (own.untilEnd === true) refuseStopped(context);
        }),
      ),
    );
}

export function runCommand(program: Command, io: Io): void {
  program
    .command('run')
    .description('sanitize and sink in one process')
    .addOption(untilEndOption())
    .addOption(policyOption())
    .addHelpText('after', '\nExamples:\n  redactory run\n  redactory run --until-end --data D --json')
    .action(
      action<UntilEnd>(io, (context, own) =>
        withWorkspace(context, 'sanitizer', async (workspace) => {
          const result = await withHealth(context, (ready) =>
            cleaned(context, workspace, true, () => runBoth(context, workspace, own, ready)),
          );
          context.print(`${describeCounts(result.sanitized)}\n${describeSink(result.sink)}`, {
            ...result,
            table: context.config.table,
          });
          if (own.untilEnd === true) refuseStopped(context);
        }),
      ),
    );
}

type RunContext = Pick<CommandContext, 'config' | 'telemetry' | 'signal' | 'io'>;

export interface RunResult {
  readonly sanitized: SanitizerSummary;
  readonly sink: SinkSummary;
}

/**
 * Runs processors and sink side by side; if one fails, both stop. With `untilEnd` the sink goes on to what the processors
 * have released at their end.
 */
export async function runBoth(
  context: RunContext,
  workspace: Workspace,
  own: UntilEnd,
  ready: () => void = () => {},
  what: UnderPolicy = 'run',
): Promise<RunResult> {
  if (own.untilEnd === true) {
    const sanitized = await sanitize(context, workspace, own, ready, what);
    return { sanitized, sink: await sink(context, workspace, own, { to: 'table' }, ready) };
  }
  const [sanitized, written] = await together(
    context.signal,
    (signal) => sanitize({ ...context, signal }, workspace, own, ready, what),
    (signal) => sink({ ...context, signal }, workspace, own, { to: 'table' }, () => {}),
  );
  return { sanitized, sink: written };
}

/** `what`: the command, for the audit trail. */
async function sanitize(
  context: RunContext,
  workspace: Workspace,
  own: UntilEnd,
  ready: () => void,
  what: UnderPolicy,
): Promise<SanitizerSummary> {
  const loaded = await loadPolicy(context.config.policy);
  const about = {
    policy: loaded.policy.digest,
    vocabulary: loaded.vocabulary.digest,
    sealed: context.config.raw.sealed,
    until: own.untilEnd === true ? 'end' : 'stopped',
  };
  // Before the keys are opened: that is to be told as well.
  return audited(
    workspace.audit,
    { what, why: '', about },
    () => sanitizeBy(loaded, context, workspace, own, ready),
    ({ batches, read, released, quarantined, rawBytes }) => ({
      batches,
      events: read,
      released,
      quarantined,
      rawBytes,
    }),
  );
}

async function sanitizeBy(
  { policy, vocabulary }: Awaited<ReturnType<typeof loadPolicy>>,
  context: RunContext,
  workspace: Workspace,
  own: UntilEnd,
  ready: () => void,
): Promise<SanitizerSummary> {
  const tables = await workspace.controlTables(policy.consent.guardSeconds * 1000);
  await tables.catchUp();
  const { log, codec } = workspace;
  await ensureSealingKey({ log, codec, tables, now: await workspace.trustedNow() });
  ready();
  const progress = own.untilEnd === true ? showProgress(context.io, 'sanitizing', 'batches') : undefined;
  try {
    return await runSanitizer(
      {
        log,
        codec,
        policy,
        vocabulary,
        subjectKey: await workspace.subjectKeys(),
        tables,
        sealed: context.config.raw.sealed,
        telemetry: context.telemetry,
        traces: await workspace.traces(),
        fetch: context.config.fetch,
        keepsSeat: context.config.kafka?.instance !== undefined,
        now: workspace.now,
        ...(progress === undefined ? {} : { onProgress: (done, total) => progress.update(done, total) }),
      },
      untilOf(context, own),
    );
  } finally {
    progress?.stop();
  }
}

async function sink(
  context: RunContext,
  workspace: Workspace,
  own: UntilEnd,
  choice: SinkChoice,
  ready: () => void,
): Promise<SinkSummary> {
  const log = await workspace.logAs('sink');
  const target = await openSink(context, workspace, log, choice);
  try {
    if (choice.to === 'table' && choice.refill !== undefined) await refill(workspace, log, target, choice.refill.why);
    ready();
    return await runSink(
      {
        // Lines are for a look: from the beginning, and without taking partitions from the table's sink.
        alone: choice.to === 'jsonl',
        log,
        codec: workspace.codec,
        sink: target,
        telemetry: context.telemetry,
        fetch: context.config.fetch,
        keepsSeat: context.config.kafka?.instance !== undefined,
        flushSeconds: context.config.sink.flushSeconds,
        now: workspace.now,
      },
      untilOf(context, own),
    );
  } finally {
    await target.close();
  }
}

/** On the audit trail: rows that were erased come back. */
async function refill(workspace: Workspace, log: EventLog, target: Sink, why: string): Promise<void> {
  const about = { table: workspace.config.table };
  await audited(
    workspace.audit,
    { what: 'sink refill', why, about },
    () => rewindSink({ log, sink: target }),
    (partitions) => ({ partitions }),
  );
}

function chooseSink({ io, options }: CommandContext, own: SinkOptions): SinkChoice {
  if (own.to === 'jsonl' && own.refill === true) throw new UsageError('--refill is of the table: leave --to out');
  if (own.to === 'table') {
    if (own.out === undefined) return { to: 'table', ...(own.refill === true ? { refill: { why: own.why } } : {}) };
    throw new UsageError('--out goes with --to jsonl: the table is in the data folder');
  }
  const out = own.out ?? '-';
  if (out !== '-') return { to: 'jsonl', out: resolve(io.cwd, out) };
  if (options.json !== true) return { to: 'jsonl', out: io.stdout };
  throw new UsageError('--json prints a summary on stdout, where the lines go: give a file with --out');
}

/** A run that has an end gives up at last; a service goes on trying, and its metrics say so. */
export const MAX_RESTARTS = 20;

function untilOf({ signal }: RunContext, { untilEnd }: UntilEnd): Parameters<typeof runSanitizer>[1] {
  return untilEnd === true ? { end: true, signal, maxRestarts: MAX_RESTARTS } : { end: false, signal };
}

async function openSink(context: RunContext, workspace: Workspace, log: EventLog, choice: SinkChoice): Promise<Sink> {
  if (choice.to === 'jsonl') return await openJsonlSink({ out: choice.out });
  const traces = await workspace.traces();
  const store = await openTable(context, 'write');
  if (choice.refill === undefined) await refuseIfLost({ log, store });
  return await openTrainingTable({
    store,
    topic: TOPICS.sanitized,
    flushRows: context.config.sink.flushRows,
    now: workspace.now,
    zstd: workspace.zstd,
    onCommit({ rows, bytes, seconds }) {
      context.telemetry.tableCommitted(rows, bytes);
      traces.start('sink.commit', { secondsAgo: seconds }).end({ outcome: 'done', rows, bytes });
    },
  });
}

/** Only `run` cleans at its end as well: after it nobody is left who has still to read what expires. */
function cleaned<T>(
  context: CommandContext,
  { log, now }: Workspace,
  atEnd: boolean,
  work: () => Promise<T>,
): Promise<T> {
  return cleanMeanwhile({ log, now, logger: context.telemetry.log, atEnd }, work);
}

/** The options of this command that its worker processes must be given as well. */
function workerOptions({ options }: CommandContext, own: Sanitize): string[] {
  const given = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [name, value]);
  return [
    ...given('--config', options.config),
    ...given('--data', options.data),
    ...given('--policy', options.policy),
    ...given('--table', options.table),
    ...(own.untilEnd === true ? ['--until-end'] : []),
  ];
}

/** Serves metrics and health while `work` runs, if the config names a port. */
export async function withHealth<T>(context: CommandContext, work: (ready: () => void) => Promise<T>): Promise<T> {
  const { host, port } = context.config.telemetry;
  let isReady = false;
  const ready = (): void => {
    isReady = true;
  };
  if (port === null) return work(ready);
  const server = await serveHealth({ host, port, telemetry: context.telemetry, isReady: () => isReady });
  context.telemetry.log.info('serving /metrics, /livez and /readyz', { address: server.address });
  try {
    return await work(ready);
  } finally {
    await server.close();
  }
}

function describeSink({ batches, rows }: SinkSummary, to: SinkChoice['to'] = 'table'): string {
  return `${to}: ${rows.toLocaleString('en')} rows of ${batches.toLocaleString('en')} released batches`;
}

const untilEndOption = (): Option => new Option('--until-end', 'stop at the end that the topic has at the start');
export const policyOption = (): Option =>
  new Option('--policy <file>', 'policy file, or strict, balanced or recognizers (default: strict)');
