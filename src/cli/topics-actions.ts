/** What `redactory topics` does. */
import { resolve } from 'node:path';
import { ROLES, type KafkaSettings, type Role } from '../config-kafka.ts';
import type { Config } from '../config.ts';
import { LogAccessError } from '../log/kafka/errors.ts';
import { openKafkaAdmin, type KafkaAdmin } from '../log/kafka/admin.ts';
import { accessPlan, sharedPrincipals, type AccessPlan } from '../runtime/access.ts';
import { applyChanges, needsConsent, readState } from '../runtime/access-apply.ts';
import { runTrials, trialsOf, type TrialResult } from '../runtime/access-check.ts';
import { difference, type Change, type Difference, type Problem } from '../runtime/access-difference.ts';
import { kafkaOptions } from '../runtime/kafka-options.ts';
import { RunError } from '../runtime/run-error.ts';
import { UsageError, withWorkspace, type CommandContext } from './io.ts';
import {
  describeChange,
  describeExtra,
  describeGrants,
  describeProblem,
  describeTopics,
  describeTrials,
  section,
} from './topics-text.ts';

export interface Apply {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly addPartitions?: boolean;
  readonly user?: string;
  readonly secretFile?: string;
}

export interface Verify {
  readonly only?: readonly Role[];
}

export function plan(context: CommandContext): void {
  const { config } = context;
  const planned = accessPlan(config);
  const access =
    config.kafka === null
      ? [NO_ACCESS_CONTROL]
      : [
          'Access; whatever is not listed is denied',
          describeGrants(planned),
          ...section('', sharedUsers(planned).map(describeProblem)),
        ];
  context.print(['Topics', describeTopics(planned), '', ...access].join('\n'), {
    topics: planned.topics,
    access: config.kafka === null ? null : planned.grants,
  });
}

export async function apply(context: CommandContext, own: Apply): Promise<void> {
  const { config } = context;
  if (config.kafka === null) return embedded(context);
  const planned = accessPlan(config);
  const found = await withAdmin(context, asUser(context, config.kafka, own), async (admin) => {
    const options = { addPartitions: own.addPartitions === true };
    const before = difference(planned, await readState(admin, planned), options);
    const now = own.dryRun === true ? [] : before.changes.filter((change) => own.yes === true || !needsConsent(change));
    // With --json stdout holds one document, at the end.
    if (context.options.json !== true) context.io.stdout.write(`${describeDifference(planned, before)}\n`);
    await applyChanges(admin, now);
    return { ...before, done: now };
  });
  const waiting = found.changes.filter((change) => !found.done.includes(change));
  const problems = [...sharedUsers(planned), ...found.problems];
  if (context.options.json === true) {
    const changes = found.changes.map((change) => ({ ...change, done: found.done.includes(change) }));
    context.print('', { changes, problems, extras: found.extras });
  } else if (found.changes.length > 0) {
    context.print(describeDone(found.done, waiting, own), null);
  }
  if (own.dryRun === true) return;
  const left = leftUndone(config.kafka, { changes: waiting, problems, extras: found.extras });
  if (left > 0) {
    throw new RunError(
      `the cluster is not as planned: ${left} of the lines above say what \`topics apply\` has left as it was`,
    );
  }
  for (const { kind, what } of problems) {
    if (kind === 'no-authorizer') context.io.stderr.write(`redactory: ${what}: it is for trying out only\n`);
  }
}

/**
 * How much is not as planned. Where the config says nothing of who is who, a cluster on which everybody may do everything is
 * one to try things out on.
 */
export function leftUndone({ sasl, tls }: KafkaSettings, { changes, problems, extras }: Difference): number {
  const isSecured = sasl !== undefined || tls?.certFile !== undefined;
  const wrong = problems.filter(({ kind }) => isSecured || kind !== 'no-authorizer');
  return changes.length + wrong.length + extras.filter(({ isBreach }) => isBreach).length;
}

function describeDifference(planned: AccessPlan, { changes, problems, extras }: Difference): string {
  const lines = [
    ...section('To do', changes.map(describeChange)),
    ...section('Left as it is', [...sharedUsers(planned), ...problems].map(describeProblem)),
    ...section('Given beyond the plan', extras.map(describeExtra)),
  ];
  return [...(changes.length === 0 ? ['nothing to do'] : []), ...lines].join('\n');
}

function describeDone(done: readonly Change[], waiting: readonly Change[], own: Apply): string {
  if (own.dryRun === true) return 'nothing was changed: --dry-run';
  const left = waiting.length === 0 ? '' : `; ${waiting.length} not: they delete records, add --yes to make them`;
  return `${done.length} ${done.length === 1 ? 'change' : 'changes'} made${left}`;
}

export async function verify(context: CommandContext, { only = ROLES }: Verify): Promise<void> {
  const { config } = context;
  if (config.kafka === null) return embedded(context);
  const planned = accessPlan(config);
  refuseOneCertificate(config.kafka, planned, only);
  const problems: Problem[] = only.length > 1 ? [...sharedUsers(planned)] : [];
  let found: Difference | undefined;
  if (only.includes('operator')) {
    found = await withAdmin(context, config, async (admin) => difference(planned, await readState(admin, planned)));
    problems.push(...found.problems);
  }
  // Without an authorizer there is nothing to find out: everybody may do everything.
  const hasAccessControl = problems.every(({ kind }) => kind !== 'no-authorizer');
  const trials = hasAccessControl
    ? await runTrials(
        trialsOf(planned).filter(({ as }) => only.some((role) => role === as)),
        (role) => kafkaOptions(config, context.io.env, role),
        context.signal,
      )
    : [];
  if (context.signal.aborted) throw new RunError('stopped before everything was tried');
  report(context, { trials, problems, changes: found?.changes ?? [], extras: found?.extras ?? [] });
}

function report(
  context: CommandContext,
  { trials, problems, changes, extras }: Difference & { readonly trials: readonly TrialResult[] },
): void {
  const breaches = extras.filter(({ isBreach }) => isBreach);
  const failed = trials.filter(({ ok }) => !ok).length;
  const wrong = failed + problems.length + changes.length + breaches.length;
  const lines = [
    ...(trials.length === 0 ? [] : [describeTrials(trials)]),
    ...section('Not as planned (redactory topics apply)', changes.map(describeChange)),
    ...section('Not as planned', problems.map(describeProblem)),
    ...section('Given beyond the plan', extras.map(describeExtra)),
    wrong === 0
      ? `all ${trials.length} tries went as planned`
      : `${wrong} ${wrong === 1 ? 'thing is' : 'things are'} not as planned`,
  ];
  context.print(lines.join('\n'), { ok: wrong === 0, trials, changes, problems, extras });
  if (wrong > 0) throw new RunError(`the cluster is not as planned: ${wrong} of the lines above say where`);
}

/** Opens the cluster's administration for the time of `work`. */
async function withAdmin<T>(
  context: CommandContext,
  config: Config,
  work: (admin: KafkaAdmin) => Promise<T>,
): Promise<T> {
  const admin = openKafkaAdmin(kafkaOptions(config, context.io.env, 'operator', context.telemetry.log));
  try {
    return await work(admin);
  } catch (error) {
    if (!(error instanceof LogAccessError)) throw error;
    throw new RunError(
      `${error.message} The operator gets its rights, and all ACLs are set, by \`redactory topics apply --user\` with an administrator of the cluster.`,
    );
  } finally {
    admin.close();
  }
}

/** The config with another user in the operator's place. */
function asUser(context: CommandContext, kafka: KafkaSettings, { user, secretFile }: Apply): Config {
  if (user === undefined && secretFile === undefined) return context.config;
  const { sasl, identities: _, ...rest } = kafka;
  if (sasl === undefined) throw new UsageError('--user signs in by the mechanism of kafka.sasl: the config has none');
  const file = secretFile === undefined ? undefined : resolve(context.io.cwd, secretFile);
  const secret =
    file === undefined ? {} : sasl.mechanism === 'oauthbearer' ? { tokenFile: file } : { passwordFile: file };
  const username = user === undefined ? {} : { username: user };
  return { ...context.config, kafka: { ...rest, sasl: { mechanism: sasl.mechanism, ...username, ...secret } } };
}

function sharedUsers(planned: AccessPlan): Problem[] {
  return sharedPrincipals(planned).map(({ principal, roles }) => ({
    kind: 'shared-user',
    what: `${principal} acts as ${roles.join(', ')}, with the rights of each`,
    todo: 'give each part a user of its own in kafka.identities',
  }));
}

/** A client certificate is one for the whole config: with it only one part can be tried. */
function refuseOneCertificate({ sasl, tls }: KafkaSettings, planned: AccessPlan, only: readonly Role[]): void {
  if (sasl !== undefined || tls?.certFile === undefined || only.length === 1) return;
  if (new Set(Object.values(planned.principals)).size === 1) return;
  throw new UsageError('this config signs in with one certificate: name the part that it is for with --only');
}

function embedded(context: CommandContext): Promise<void> {
  // Opening it makes the topics.
  return withWorkspace(context, 'operator', async () =>
    context.print(`the topics are there; ${NO_ACCESS_CONTROL}`, { changes: [], problems: [], extras: [], trials: [] }),
  );
}

const NO_ACCESS_CONTROL =
  'the embedded log makes its topics itself and has no ACLs: who may read the data folder may read it all';
