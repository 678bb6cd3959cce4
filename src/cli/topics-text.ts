/** How `redactory topics` shows plans, differences and trials. */
import type { AccessPlan, Grant, PlannedTopic } from '../runtime/access.ts';
import type { TrialResult } from '../runtime/access-check.ts';
import { describeAcl, describeResource, type Change, type Extra, type Problem } from '../runtime/access-difference.ts';

/** Rows under a head, in columns as wide as they must be. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join('\n');
}

export function describeTopics({ topics }: AccessPlan): string {
  return table(['topic', 'partitions', 'replicas', 'kept', 'other settings'], topics.map(topicRow));
}

function topicRow(topic: PlannedTopic): readonly string[] {
  const { name, partitions, replicationFactor, settings } = topic;
  const others = Object.entries(settings).filter(([setting]) => !SHOWN.has(setting));
  return [
    name,
    String(partitions),
    replicationFactor === null ? 'default' : String(replicationFactor),
    keptOf(topic),
    others.map(([setting, value]) => `${setting}=${value}`).join(' '),
  ];
}

const keptOf = ({ cleanup }: PlannedTopic): string =>
  cleanup.kind === 'compact' ? 'last of each key' : `${cleanup.retentionMs / DAY_MS} days`;

const DAY_MS = 86_400_000;
const SHOWN: ReadonlySet<string> = new Set(['cleanup.policy', 'retention.ms']);

export function describeGrants({ grants }: AccessPlan): string {
  return table(['part', 'principal', 'may', 'on', 'why'], grants.map(grantRow));
}

function grantRow({ role, principal, operation, resource, why }: Grant): readonly string[] {
  return [role, principal, operation, describeResource(resource), why];
}

export function describeChange(change: Change): string {
  switch (change.kind) {
    case 'create-topic':
      return `create topic ${change.topic.name} with ${change.topic.partitions} partition${change.topic.partitions === 1 ? '' : 's'}, kept: ${keptOf(change.topic)}`;
    case 'add-partitions':
      return `add partitions to ${change.topic}: ${change.from} -> ${change.to}; keys move, open sessions lose their order`;
    case 'set': {
      const loses = change.losesRecords ? ' (the cluster will DELETE records because of it)' : '';
      return `set ${change.topic} ${change.setting}: ${change.from ?? 'nothing'} -> ${change.to}${loses}`;
    }
    case 'add-acl':
      return `let ${change.grant.principal} ${change.grant.operation} ${describeResource(change.grant.resource)}`;
  }
}

export const describeProblem = ({ what, todo }: Problem): string => `${what}: ${todo}`;

export function describeExtra({ acl, isBreach }: Extra): string {
  return `${describeAcl(acl)}, beyond the plan${isBreach ? ': it opens what must stay closed' : ''}`;
}

export function describeTrials(trials: readonly TrialResult[]): string {
  return table(
    ['', 'as', 'does', 'expected', 'got', 'answer'],
    trials.map((trial) => [
      trial.ok ? 'ok' : 'NOT OK',
      trial.as,
      describeProbe(trial.probe),
      trial.expected,
      trial.got.verdict,
      trial.got.answer,
    ]),
  );
}

function describeProbe(probe: TrialResult['probe']): string {
  if (probe === 'sign in') return probe;
  return `${probe.operation} ${describeResource({ type: probe.type, name: probe.name, pattern: 'literal' })}`;
}

/** Lines under a title, or nothing when there are none. */
export function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}
