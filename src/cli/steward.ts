import { Option, type Command } from 'commander';
import { loadPolicy } from '../privacy/policy.ts';
import { eraseMeanwhile, eraseOnce, openSteward, serveSteward, type Steward } from '../runtime/steward/steward.ts';
import { RunError } from '../runtime/run-error.ts';
import type { Workspace } from '../runtime/workspace.ts';
import { action, wholeNumber, withWorkspace, type CommandContext, type Io } from './io.ts';
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
            const left = await eraseOnce(steward, { ...erasing(context), waitMs: own.waitMinutes * 60_000 });
            if (left > 0)
              throw new RunError(
                `${left} erasures have to wait until sanitizer and sink have done what came in before`,
              );
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
