import { Option, type Command } from 'commander';
import { once } from 'node:events';
import { packagePath } from '../package-path.ts';
import { loadPolicy } from '../privacy/policy.ts';
import { pagesIn, redirect, type Page } from '../producers/gateway/pages.ts';
import { serveGateway } from '../runtime/gateway.ts';
import { serveHealth } from '../runtime/health.ts';
import { RunError } from '../runtime/run-error.ts';
import { action, withWorkspace, type Io } from './io.ts';
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
              const gateway = await serveGateway({ workspace, policy, telemetry, pages: await workersPage(), ...view });
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

/** The recorded worker's page, at `/me`; `/` leads there. */
async function workersPage(): Promise<readonly Page[]> {
  try {
    return [redirect('/', 'me'), ...(await pagesIn(packagePath('dist/clients/page'), '/me'))];
  } catch (error) {
    throw new RunError("the worker's page is missing: run `npm run build`, or install the package again", {
      cause: error,
    });
  }
}
