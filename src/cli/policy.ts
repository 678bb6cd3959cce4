import type { Command } from 'commander';
import { resolve } from 'node:path';
import { shippedPolicy } from '../package-path.ts';
import { explainPolicy, loadPolicy } from '../privacy/policy.ts';
import { action, type CommandContext, type Io } from './io.ts';

export function policyCommand(program: Command, io: Io): void {
  const policy = program.command('policy').description('what a policy says');
  policy
    .command('check')
    .argument('[file]', 'policy file, or strict, balanced or recognizers (default: the configured policy)')
    .description('check a policy file and the vocabulary that it pins')
    .addHelpText('after', '\nExample:\n  redactory policy check policies/strict.yaml')
    .action(
      action(io, async (context, _own, args) => {
        const path = policyPath(context, args[0]);
        const { policy, vocabulary } = await loadPolicy(path);
        context.print(`${policy.name} is right; digest ${policy.digest}, vocabulary of ${vocabulary.size} entries`, {
          name: policy.name,
          digest: policy.digest,
          vocabulary: { digest: vocabulary.digest, entries: vocabulary.size },
        });
      }),
    );
  policy
    .command('explain')
    .argument('[file]', 'policy file, or strict, balanced or recognizers (default: the configured policy)')
    .description('the policy in plain sentences, and what it does to each column of the table')
    .addHelpText('after', '\nExample:\n  redactory policy explain balanced')
    .action(
      action(io, async (context, _own, args) => {
        const { policy } = await loadPolicy(policyPath(context, args[0]));
        context.print(explainPolicy(policy), { name: policy.name, digest: policy.digest, text: explainPolicy(policy) });
      }),
    );
}

/** The file of a policy as a command line names it: by default the configured one. */
export function policyPath(context: CommandContext, given: string | undefined): string {
  if (given === undefined) return context.config.policy;
  return shippedPolicy(given) ?? resolve(context.io.cwd, given);
}
