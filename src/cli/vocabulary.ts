import type { Command } from 'commander';
import { loadPolicy } from '../privacy/policy.ts';
import { action, type Io } from './io.ts';

export function vocabularyCommand(program: Command, io: Io): void {
  program
    .command('vocabulary')
    .description('the list of texts that may be kept')
    .command('show')
    .description('how many texts the configured policy’s vocabulary holds of each kind, and its digest')
    .addHelpText('after', '\nExample:\n  redactory vocabulary show --json')
    .action(
      action(io, async (context) => {
        const { vocabulary } = await loadPolicy(context.config.policy);
        const { digest, size, counts } = vocabulary;
        const kinds = Object.entries(counts).map(([kind, n]) => `  ${kind.padEnd(6)} ${n}`);
        context.print(`${size} entries, digest ${digest}\n${kinds.join('\n')}`, { digest, entries: size, counts });
      }),
    );
}
