import { Option, type Command } from 'commander';
import { once } from 'node:events';
import { loadPolicy } from '../privacy/policy.ts';
import { serveGateway } from '../runtime/gateway.ts';
import { serveHealth } from '../runtime/health.ts';
import { action, withWorkspace, type Io } from './io.ts';
import { withOwnSteward } from './steward.ts';

export function gatewayCommand(program: Command, io: Io): void {
  program
    .command('gateway')
    .description('take batches from recorders over HTTP, until it is stopped')
    .addOption(
      new Option(
        '--policy <file>',
        'policy file, or one that comes with the package: strict, balanced, recognizers (default: strict)',
      ),
    )
    .addHelpText('after', '\nExample:\n  redactory gateway --policy balanced')
    .action(
      action(io, (context) =>
        withWorkspace(context, 'gateway', async (workspace) => {
          const { config, telemetry, signal } = context;
          const { policy } = await loadPolicy(config.policy);
          const { host, port } = config.telemetry;
          let isReady = false;
          const health = port === null ? null : await serveHealth({ host, port, telemetry, isReady: () => isReady });
          if (health !== null) telemetry.log.info('serving metrics', { address: health.address });
          try {
            await withOwnSteward(context, async (steward) => {
              const view = steward === undefined ? {} : { view: steward.view };
              const gateway = await serveGateway({ workspace, policy, telemetry, ...view });
              telemetry.log.info('serving recorders', { address: gateway.address });
              isReady = true;
              if (!signal.aborted) await once(signal, 'abort');
              isReady = false;
              await gateway.close();
            });
          } finally {
            await health?.close();
          }
        }),
      ),
    );
}
