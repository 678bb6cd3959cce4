import { Option, type Command } from 'commander';
import { ROLES } from '../config-kafka.ts';
import { action, type Io } from './io.ts';
import type { Apply, Verify } from './topics-actions.ts';

export function topicsCommand(program: Command, io: Io): void {
  const topics = program.command('topics').description('topics and access on a Kafka cluster');
  topics
    .command('plan')
    .description('what must exist: topics with their settings, and what each part of the line may do')
    .addHelpText('after', '\nAsks no cluster.\n\nExample:\n  redactory topics plan --json')
    .action(action(io, async (context) => (await load()).plan(context)));
  topics
    .command('apply')
    .description('create and repair topics and ACLs; shows the difference first, never deletes a topic or an ACL')
    .option('--dry-run', 'only show the difference')
    .option('--yes', 'also make changes after which the cluster deletes records, such as a shorter retention')
    .option('--add-partitions', 'also add partitions: keys move, so first let workers finish what there is')
    .option('--user <name>', 'sign in as this user, who may set ACLs (default: the operator)')
    .option('--secret-file <file>', "file of that user's password (oauthbearer: token)")
    .addHelpText(
      'after',
      '\nThe operator may create and set topics. ACLs are set by an administrator of the cluster: the first time, and when the' +
        '\nplan has changed, name one with --user.' +
        '\n\nExit code 1 if anything is left that is not as planned; a cluster without an authorizer counts where the config' +
        '\nhas SASL or client certificates.' +
        '\n\nExamples:\n  redactory topics apply --dry-run\n  redactory topics apply --user admin --secret-file admin.password',
    )
    .action(action<Apply>(io, async (context, own) => (await load()).apply(context, own)));
  topics
    .command('verify')
    .description('try on the cluster what each part may do and what it must not; leaves no trace')
    .addOption(
      new Option(
        '--only <parts...>',
        'try these parts only; without the operator, settings and ACLs are not compared',
      ).choices(ROLES),
    )
    .addHelpText(
      'after',
      '\nExit code 1 if anything is not as planned.' +
        '\n\nExamples:\n  redactory topics verify\n  redactory topics verify --only sink --json',
    )
    .action(action<Verify>(io, async (context, own) => (await load()).verify(context, own)));
}

/** With the Kafka client, which most commands do without. */
const load = (): Promise<typeof import('./topics-actions.ts')> => import('./topics-actions.ts');
