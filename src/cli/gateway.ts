import { Option, type Command } from 'commander';
import { loadPolicy } from '../privacy/policy.ts';
import { serveHealth } from '../runtime/health.ts';
import { action, withWorkspace, type Io } from './io.ts';
import { serveUntilStopped } from './serving.ts';
import { withOwnSteward } from './steward.ts';

export function gatewayCommand(program: Command, io: Io): void {
  program
    .command('gateway')
    .description('take batches from recorders over HTTP, and show people their own page, until it is stopped')
    .addOption(
      new Option(
        '--policy <file>',
        'policy file, or one that comes with the package: strict, balanced, recognizers (default: strict)',
      ),
    )
    .addHelpText('after', '\nExample:\n  redactory gateway --policy balanced')
    .action(
      action(io, (context) =>
        // The playground has processors as well; it is on one machine, where one user does it all.
        withWorkspace(context, context.config.gateway.playground ? 'operator' : 'gateway', async (workspace) => {
          const { config, telemetry, signal } = context;
          const { policy } = await loadPolicy(config.policy);
          const { host, port } = config.telemetry;
          let isReady = false;
          const health = port === null ? null : await serveHealth({ host, port, telemetry, isReady: () => isReady });
          if (health !== null) telemetry.log.info('serving metrics', { address: health.address });
          try {
            await withOwnSteward(context, (steward) =>
              serveUntilStopped({
                ...(steward === undefined ? {} : { view: steward.view }),
                workspace,
                policy,
                telemetry,
                signal,
                onServed({ address, playground }) {
                  telemetry.log.info('serving recorders', { address });
                  // Not into the log: whoever has it is the playground's person.
                  if (playground !== null) context.print(`playground: ${playground}`, { playground });
                  isReady = true;
                },
              }),
            );
            isReady = false;
          } finally {
            await health?.close();
          }
        }),
      ),
    );
}
