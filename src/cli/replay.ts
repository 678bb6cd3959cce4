import { Option, type Command } from 'commander';
import { loadPolicy } from '../privacy/policy.ts';
import { audited, type AuditEntry } from '../runtime/audit.ts';
import { abandonReplay } from '../runtime/replay/abandon.ts';
import { compareReplay, NotComparableError, type Comparison } from '../runtime/replay/compare.ts';
import { estimateReplay } from '../runtime/replay/estimate.ts';
import { readCounts } from '../runtime/replay/ledger.ts';
import { readManifest, readManifests, type ReplayManifest } from '../runtime/replay/manifest.ts';
import { checkReplayName, replayTable } from '../runtime/replay/names.ts';
import { promote } from '../runtime/replay/promote.ts';
import {
  startReplay,
  workOnReplay,
  type ReplayLogs,
  type ReplayRequest,
  type ReplayTools,
} from '../runtime/replay/run.ts';
import type { Workspace } from '../runtime/workspace.ts';
import { readTable } from '../sinks/index.ts';
import { action, StoppedError, UsageError, wholeNumber, withWorkspace, type CommandContext, type Io } from './io.ts';
import { moment } from './moment.ts';
import { showProgress } from './progress.ts';
import {
  describeComparison,
  describeEstimate,
  describeManifest,
  describePromotion,
  describeReplayed,
  manifestJson,
} from './replay-text.ts';
import { whyOption, type Why } from './reason.ts';
import { MAX_RESTARTS, withHealth } from './run.ts';
import { openTable } from './table.ts';
import { together } from './together.ts';
import { checkPorts, inProcesses } from './workers.ts';

interface Own extends Why {
  readonly policy: string;
  readonly into: string;
  readonly from?: number;
  readonly to?: number;
  readonly dryRun?: boolean;
  readonly allowExpired?: boolean;
  readonly workers: number;
  readonly compare: boolean;
  readonly fetchBytes?: number;
  readonly metricsPort?: number;
}

export function replayCommand(program: Command, io: Io): void {
  const replay = program
    .command('replay')
    .description('a stretch of raw again under another policy, into a topic and a table of its own')
    .addHelpText('after', HELP);
  replay
    .command('run', { isDefault: true })
    .description('replay a stretch, or go on with one; `run` may be left out')
    .addOption(new Option('--policy <file>', 'policy file, or strict, balanced or recognizers').makeOptionMandatory())
    .addOption(new Option('--into <name>', 'name of the replay: a-z, 0-9 and -').makeOptionMandatory())
    .option(
      '--from <time>',
      'first moment of reception, a date or ISO 8601, UTC unless it says (default: the first kept)',
      moment,
    )
    .option('--to <time>', 'moment before which it ends (default: the end that raw has at the start)', moment)
    .option('--dry-run', 'only say how much it would be and how long it would take; write nothing')
    .option('--workers <n>', 'processes that share the work', wholeNumber(1, 64), 1)
    .option('--allow-expired', 'replay what is left although a part of the stretch has expired')
    .option('--no-compare', 'do not compare with the live output at the end')
    .option(
      '--fetch-bytes <n>',
      'bytes read at a time (default: fetch.maxBytes of the config)',
      wholeNumber(1_024, 1 << 28),
    )
    .addOption(whyOption())
    .option('--metrics-port <n>', 'serve metrics and health on this port while it runs', wholeNumber(0, 65_535))
    .addHelpText('after', HELP)
    .action(
      action<Own>(io, (context, own) => withWorkspace(context, 'sanitizer', (ws) => replayStretch(context, ws, own))),
    );
  promoteCommand(replay, io);
  abandonCommand(replay, io);
  listCommands(replay, io);
}

function promoteCommand(replay: Command, io: Io): void {
  replay
    .command('promote')
    .argument('<name>', 'name of a replay that is done')
    .description(
      "make a replay's rows those of the live table, in one step; older versions of the table stay as they are",
    )
    .addOption(whyOption())
    .addHelpText('after', '\nExample:\n  redactory replay promote trial')
    .action(
      action<Why>(io, (context, { why }, [name = '']) =>
        withWorkspace(context, 'sanitizer', async (workspace) => {
          const found = await readManifest(workspace.log, name);
          const about = { name, policy: found.policy };
          const { manifest, promotion } = await audited(
            workspace.audit,
            { what: 'replay promote', why, about },
            async () =>
              promote(found, {
                logs: { sanitizer: workspace.log, sink: await workspace.logAs('sink') },
                codec: workspace.codec,
                zstd: workspace.zstd,
                live: await openTable(context, 'write'),
                replay: await openTable({ ...context, config: { ...context.config, table: found.table } }, 'read'),
                now: workspace.now,
              }),
            (promoted) => ({ version: promoted.manifest.promoted?.version ?? null }),
          );
          context.print(describePromotion(name, promotion), { replay: manifestJson(manifest), promotion });
        }),
      ),
    );
}

interface Abandon extends Why {
  readonly tableLost?: boolean;
}

function abandonCommand(replay: Command, io: Io): void {
  replay
    .command('abandon')
    .argument('<name>', 'name of the replay')
    .description('end a replay for good: nothing more is written by it, and no erasure waits for it')
    .option('--table-lost', 'its table was deleted and no copy is left: erasures need not look for it')
    .addOption(whyOption())
    .addHelpText('after', '\nExample:\n  redactory replay abandon trial')
    .action(
      action<Abandon>(io, (context, { why, tableLost }, [name = '']) =>
        withWorkspace(context, 'sanitizer', async (workspace) => {
          const isTableLost = tableLost === true;
          const manifest = await audited(
            workspace.audit,
            { what: 'replay abandon', why, about: { name, tableLost: isTableLost } },
            async () =>
              abandonReplay(name, {
                logs: { sanitizer: workspace.log, sink: await workspace.logAs('sink') },
                zstd: workspace.zstd,
                now: workspace.now,
                openStore: (location) => openTable(context, 'write', location),
                isTableLost,
              }),
            ({ state }) => ({ state }),
          );
          context.print(describeManifest(manifest), { replay: manifestJson(manifest) });
        }),
      ),
    );
}

const HELP = `
Killed or stopped, the same command goes on where it was; so does it on another machine at the same time.

Examples:
  redactory replay --policy balanced --into trial --from 2026-11-01 --to 2026-11-02
  redactory replay run --policy balanced --into trial --from 2026-11-01T08:00 --dry-run
  redactory replay show trial`;

function listCommands(replay: Command, io: Io): void {
  replay
    .command('list')
    .description('all replays and how far they are')
    .addHelpText('after', '\nExample:\n  redactory replay list --json')
    .action(
      action(io, (context) =>
        withWorkspace(context, 'sanitizer', async ({ log }) => {
          const all = [...(await readManifests(log)).values()].toSorted((a, b) => a.startedAt - b.startedAt);
          context.print(all.length === 0 ? 'no replays yet' : all.map(describeManifest).join('\n'), {
            replays: all.map(manifestJson),
          });
        }),
      ),
    );
  replay
    .command('show')
    .argument('<name>', 'name of the replay')
    .description('what a replay is about, what it has done, and where its table is')
    .addHelpText('after', '\nExample:\n  redactory replay show trial --json')
    .action(
      action(io, (context, _own, [name = '']) =>
        withWorkspace(context, 'sanitizer', async ({ log }) => {
          const manifest = await readManifest(log, name);
          const counts = await readCounts(log, manifest);
          context.print(`${describeManifest(manifest)}\n${describeReplayed(counts, manifest.expired)}`, {
            replay: manifestJson(manifest),
            counts,
          });
        }),
      ),
    );
}

async function replayStretch(context: CommandContext, workspace: Workspace, own: Own): Promise<void> {
  checkName(own.into);
  if (own.from !== undefined && own.to !== undefined && own.from >= own.to) {
    throw new UsageError('--from must be before --to');
  }
  checkPorts(own.metricsPort ?? null, own.workers);
  const { policy, vocabulary } = await loadPolicy(context.config.policy);
  const request: ReplayRequest = {
    name: own.into,
    asked: { from: own.from ?? null, to: own.to ?? null },
    policy,
    vocabulary,
    table: replayTable(context.config.table, own.into),
    allowExpired: own.allowExpired === true,
  };
  const about = {
    name: request.name,
    policy: policy.digest,
    vocabulary: vocabulary.digest,
    from: request.asked.from === null ? null : new Date(request.asked.from).toISOString(),
    to: request.asked.to === null ? null : new Date(request.asked.to).toISOString(),
  };
  const what = own.dryRun === true ? 'replay dry run' : 'replay';
  const done = await audited(
    workspace.audit,
    { what, why: own.why, about },
    () => replayRequest(context, workspace, request, own),
    (told) => told,
  );
  if (done['state'] === 'stopped') throw new StoppedError();
}

/** @returns how much it was. */
async function replayRequest(
  context: CommandContext,
  workspace: Workspace,
  request: ReplayRequest,
  own: Own,
): Promise<AuditEntry['about']> {
  const progress = showProgress(context.io, own.dryRun === true ? 'reading' : 'replaying', 'batches');
  try {
    const tools = await toolsOf(context, workspace, request, own, (done, total) => progress.update(done, total));
    if (own.dryRun === true) {
      const estimate = await estimateReplay(request, tools);
      progress.stop();
      context.print(describeEstimate(own.into, estimate), { dryRun: { name: own.into, ...estimate } });
      return {};
    }
    return await replayAndReport(context, workspace, request, tools, own, () => progress.stop());
  } finally {
    progress.stop();
  }
}

function checkName(name: string): void {
  try {
    checkReplayName(name);
  } catch (error) {
    throw new UsageError(error instanceof Error ? `--into: ${error.message}` : '--into');
  }
}

async function toolsOf(
  context: CommandContext,
  workspace: Workspace,
  { policy, table }: ReplayRequest,
  own: Own,
  onProgress: (done: number, total: number) => void,
): Promise<ReplayTools> {
  const { config, telemetry } = context;
  return {
    logs: await logsOf(workspace),
    codec: workspace.codec,
    zstd: workspace.zstd,
    subjectKey: await workspace.subjectKeys(),
    tables: await workspace.controlTables(policy.consent.guardSeconds * 1000),
    sealed: config.raw.sealed,
    telemetry,
    fetch: own.fetchBytes === undefined ? config.fetch : { ...config.fetch, maxBytes: own.fetchBytes },
    sink: config.sink,
    topics: config.topics,
    now: workspace.now,
    openStore: () => openTable({ ...context, config: { ...config, table } }, 'write'),
    onProgress,
  };
}

async function logsOf(workspace: Workspace): Promise<ReplayLogs> {
  return {
    operator: await workspace.logAs('operator'),
    sanitizer: await workspace.logAs('sanitizer'),
    sink: await workspace.logAs('sink'),
  };
}

async function replayAndReport(
  context: CommandContext,
  workspace: Workspace,
  request: ReplayRequest,
  tools: ReplayTools,
  own: Own,
  onWorked: () => void,
): Promise<AuditEntry['about']> {
  const manifest = await startReplay(request, tools);
  const done = await workTogether(context, request, manifest, tools, own);
  onWorked();
  const isDone = done.manifest.state !== 'running';
  const table = isDone ? await readRows(context, workspace, manifest) : null;
  const compared = isDone && own.compare ? await compare(workspace, tools, manifest) : null;
  const comparison = typeof compared === 'string' ? null : compared;
  context.print(
    [
      describeManifest(done.manifest),
      describeReplayed(done.counts, manifest.expired),
      isDone ? `table: ${(table ?? 0).toLocaleString('en')} rows` : 'stopped: the same command goes on from here',
      ...(compared === null ? [] : [typeof compared === 'string' ? compared : describeComparison(compared)]),
    ].join('\n'),
    { replay: manifestJson(done.manifest), counts: done.counts, rows: table, comparison },
  );
  const { batches, read, released } = done.counts;
  return { state: isDone ? 'done' : 'stopped', batches, events: read, released };
}

/** The comparison, or why there is none: what was replayed is there all the same. */
async function compare(
  { log: rawLog, codec }: Workspace,
  { logs }: ReplayTools,
  manifest: ReplayManifest,
): Promise<Comparison | string> {
  try {
    return await compareReplay({ log: logs.sink, rawLog, codec, manifest });
  } catch (error) {
    if (error instanceof NotComparableError) return error.message;
    throw error;
  }
}

/** This process, and as many others as were asked for. */
async function workTogether(
  context: CommandContext,
  request: ReplayRequest,
  manifest: ReplayManifest,
  tools: ReplayTools,
  own: Own,
): ReturnType<typeof workOnReplay> {
  const { config } = context;
  const served = { ...config, telemetry: { ...config.telemetry, port: own.metricsPort ?? null } };
  const [worked] = await together(
    context.signal,
    (signal) =>
      withHealth({ ...context, config: served }, (ready) => {
        ready();
        return workOnReplay(request, manifest, tools, { signal, maxRestarts: MAX_RESTARTS });
      }),
    (signal) => inProcesses({ ...context, signal }, own.workers - 1, (i) => argsOf(context, own, i)),
  );
  return worked;
}

/** The same command for another process, which comes after `index` others; this one compares. */
function argsOf({ options }: CommandContext, own: Own, index: number): string[] {
  const given = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [name, value]);
  const time = (ms: number | undefined): string | undefined =>
    ms === undefined ? undefined : new Date(ms).toISOString();
  return [
    'replay',
    'run',
    '--json',
    '--no-compare',
    '--policy',
    own.policy,
    '--into',
    own.into,
    ...given('--config', options.config),
    ...given('--data', options.data),
    ...given('--table', options.table),
    ...given('--why', own.why === '' ? undefined : own.why),
    ...given('--from', time(own.from)),
    ...given('--to', time(own.to)),
    ...given('--fetch-bytes', own.fetchBytes?.toString()),
    ...given('--metrics-port', own.metricsPort ? String(own.metricsPort + 1 + index) : undefined),
    ...(own.allowExpired === true ? ['--allow-expired'] : []),
  ];
}

async function readRows(context: CommandContext, { zstd }: Workspace, { table }: ReplayManifest): Promise<number> {
  const store = await openTable({ ...context, config: { ...context.config, table } }, 'read');
  return (await readTable({ store, zstd })).rowCount;
}
