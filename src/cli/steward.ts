import { Option, type Command } from 'commander';
import { loadPolicy } from '../privacy/policy.ts';
import { eraseMeanwhile, eraseOnce, openSteward, serveSteward, type Steward } from '../runtime/steward/steward.ts';
import type { WaitingFor } from '../runtime/steward/erase.ts';
import { RunError } from '../runtime/run-error.ts';
import type { Workspace } from '../runtime/workspace.ts';
import { action, refuseStopped, wholeNumber, withWorkspace, type CommandContext, type Io } from './io.ts';
import { withHealth } from './run.ts';
import { openTable } from './table.ts';

interface Own {
  readonly once?: boolean;
  readonly waitMinutes: number;
}

export function stewardCommand(program: Command, io: Io): void {
  program
    .command('steward')
    .description('tell people what was kept of them, and erase who asked for it, until it is stopped')
    .option('--once', 'erase who is due, serve nobody, and end; exit code 1 when an erasure has to wait for longer')
    .addOption(
      new Option('--wait-minutes <n>', 'with --once, how long to wait for what is on its way to the table')
        .argParser(wholeNumber(0, 1_440))
        .default(10),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  redactory steward\n  redactory steward --once\n  redactory steward --once --wait-minutes 0',
    )
    .action(
      action<Own>(io, (context, own) =>
        withWorkspace(context, 'steward', async (workspace) => {
          const steward = await stewardOf(context, workspace);
          if (own.once === true) {
            const left = await eraseOrStop(context, steward, own.waitMinutes * 60_000);
            if (left > 0) throw new RunError(describeLeft(left, steward.waitsFor()));
            return context.print('no erasure is left to do', { left });
          }
          await withHealth(context, async (ready) => {
            const server = await serveSteward(steward, { workspace, telemetry: context.telemetry });
            context.telemetry.log.info('serving the gateway', { address: server.address });
            ready();
            try {
              await eraseMeanwhile(steward, erasing(context));
            } finally {
              await server.close();
            }
          });
        }),
      ),
    );
}

/** @returns how many are left after all that waiting. @throws StoppedError */
async function eraseOrStop(context: CommandContext, steward: Steward, waitMs: number): Promise<number> {
  try {
    const left = await eraseOnce(steward, { ...erasing(context), waitMs });
    if (left > 0) refuseStopped(context);
    return left;
  } catch (error) {
    // A failure of another kind is told, also after a stop.
    if (error instanceof Error && error.name === 'AbortError') refuseStopped(context);
    throw error;
  }
}

const AWAITED: Readonly<Record<WaitingFor, string>> = {
  sanitizer: 'the sanitizer, which has to work on raw that came in before',
  sink: 'the sink, which has to commit released batches that came in before',
  replay:
    'a replay (`redactory replay list`), which has to be run to its end by the command that began it, or be ended by ' +
    '`redactory replay abandon NAME`',
};

/** Each with what has to be done about it. */
function describeLeft(left: number, waitsFor: readonly WaitingFor[]): string {
  const these = left === 1 ? '1 erasure' : `${left} erasures`;
  const on = waitsFor.map((one) => AWAITED[one]).join('; and for ');
  if (on !== '') return `${these} ${left === 1 ? 'has' : 'have'} to wait for ${on}`;
  return `${these} ${left === 1 ? 'is' : 'are'} left, asked for while it ran: run it again`;
}

/** On the audit trail from the start: it opens the keys that tell whose a session is. */
async function stewardOf(context: CommandContext, workspace: Workspace): Promise<Steward> {
  const { policy } = await loadPolicy(context.config.policy);
  await workspace.audit.record({ what: 'steward', stage: 'started', why: '', about: {} });
  return openSteward({
    workspace,
    telemetry: context.telemetry,
    openStore: (location, access) => openTable(context, access, location),
    guardMs: policy.consent.guardSeconds * 1_000,
  });
}

/** Runs `work` with a steward in this process, which erases meanwhile; where another one is to be asked, without. */
export async function withOwnSteward<T>(
  context: CommandContext,
  work: (steward: Steward | undefined) => Promise<T>,
): Promise<T> {
  // One user does it all on one machine; on a cluster who takes batches has no business with keys.
  if (context.config.kafka !== null || context.config.steward.url !== undefined) return work(undefined);
  return withWorkspace(context, 'steward', async (workspace) => {
    const steward = await stewardOf(context, workspace);
    const stop = new AbortController();
    const { signal, ...rest } = erasing(context);
    const ended = eraseMeanwhile(steward, { ...rest, signal: AbortSignal.any([signal, stop.signal]) });
    try {
      return await work(steward);
    } finally {
      stop.abort();
      await ended;
    }
  });
}

const erasing = ({ config, signal, telemetry }: CommandContext): Parameters<typeof eraseMeanwhile>[1] => ({
  everyMs: config.steward.pollSeconds * 1_000,
  signal,
  telemetry,
});
