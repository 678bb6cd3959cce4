/** What separates a cluster from its plan, and which of it `topics apply` may mend. */
import { covers, denies, EVERYBODY, includes, overlap, type Acl, type Resource } from '../log/kafka/acls.ts';
import type { TopicState } from '../log/kafka/admin.ts';
import { aclOf, type AccessPlan, type Grant, type PlannedTopic } from './access.ts';
import { REPLAYS, TOPICS } from './topics.ts';

/** What a cluster has, as far as the plan is concerned. */
export interface ClusterState {
  /** Those of the plan's topics that exist. */
  readonly topics: readonly TopicState[];
  /** Null: the cluster has no authorizer, everybody may do everything. */
  readonly acls: readonly Acl[] | null;
}

/** Something that `topics apply` can do. `losesRecords`: the cluster will delete records because of it. */
export type Change =
  | { readonly kind: 'create-topic'; readonly topic: PlannedTopic }
  | {
      readonly kind: 'set';
      readonly topic: string;
      readonly setting: string;
      readonly from: string | null;
      readonly to: string;
      readonly losesRecords: boolean;
    }
  | { readonly kind: 'add-partitions'; readonly topic: string; readonly from: number; readonly to: number }
  | { readonly kind: 'add-acl'; readonly grant: Grant };

/** Something that is not as planned and that `topics apply` leaves as it is. */
export interface Problem {
  readonly kind: 'partitions' | 'replicas' | 'no-authorizer' | 'denied' | 'shared-user';
  readonly what: string;
  readonly todo: string;
}

/** An entry that allows more than the plan on something that is ours. */
export interface Extra {
  readonly acl: Acl;
  /** It opens what must stay closed; others (reading what is released) are a choice. */
  readonly isBreach: boolean;
}

export interface Difference {
  readonly changes: readonly Change[];
  readonly problems: readonly Problem[];
  readonly extras: readonly Extra[];
}

/** Compares; pure. Adding partitions to a topic with keys is a change only where `addPartitions` asks for it. */
export function difference(
  plan: AccessPlan,
  state: ClusterState,
  options: { readonly addPartitions: boolean } = { addPartitions: false },
): Difference {
  const changes: Change[] = [];
  const problems: Problem[] = [];
  for (const topic of plan.topics) {
    const found = state.topics.find(({ name }) => name === topic.name);
    if (found === undefined) {
      changes.push({ kind: 'create-topic', topic });
      continue;
    }
    changes.push(...settingChanges(topic, found));
    if (lacksReplicas(topic, found)) problems.push(tooFewReplicas(topic, found.replicas));
    if (found.partitions < topic.partitions && options.addPartitions) {
      changes.push({ kind: 'add-partitions', topic: topic.name, from: found.partitions, to: topic.partitions });
    } else if (found.partitions !== topic.partitions) {
      problems.push(wrongPartitions(topic, found.partitions));
    }
  }
  const { acls } = state;
  if (acls === null) {
    problems.push({
      kind: 'no-authorizer',
      what: 'the cluster has no authorizer: everybody may read raw and the keyring',
      todo: 'set authorizer.class.name and allow.everyone.if.no.acl.found=false on its brokers and controllers, then apply again',
    });
    return { changes, problems, extras: [] };
  }
  changes.push(...missingGrants(plan, acls).map((grant): Change => ({ kind: 'add-acl', grant })));
  problems.push(...denials(plan, acls));
  return { changes, problems, extras: extras(plan, acls) };
}

function settingChanges(topic: PlannedTopic, found: TopicState): Change[] {
  return Object.entries(topic.settings).flatMap(([setting, to]) => {
    const from = found.settings[setting]?.value ?? null;
    if (from === to) return [];
    // With fewer copies than it asks for, a topic takes no record any more.
    if (setting === 'min.insync.replicas' && lacksReplicas(topic, found)) return [];
    return [{ kind: 'set', topic: topic.name, setting, from, to, losesRecords: losesRecords(setting, from, to) }];
  });
}

const lacksReplicas = ({ replicationFactor }: PlannedTopic, { replicas }: TopicState): boolean =>
  replicationFactor !== null && replicas < replicationFactor;

const tooFewReplicas = ({ name, replicationFactor }: PlannedTopic, found: number): Problem => ({
  kind: 'replicas',
  what: `${name} keeps each record on ${found} brokers, the plan says ${replicationFactor ?? found}`,
  todo: `add replicas with kafka-reassign-partitions, then apply again; or set kafka.replicationFactor to ${found}`,
});

/** Shorter retention deletes what is older; another clean-up policy deletes by another rule. */
function losesRecords(setting: string, from: string | null, to: string): boolean {
  if (setting === 'cleanup.policy') return true;
  if (setting !== 'retention.ms' && setting !== 'retention.bytes') return false;
  const limit = (value: string | null): number => (value === null || Number(value) < 0 ? Infinity : Number(value));
  return limit(to) < limit(from);
}

function wrongPartitions(topic: PlannedTopic, found: number): Problem {
  const what = `${topic.name} has ${found} partitions, the plan says ${topic.partitions}`;
  if (topic.cleanup.kind === 'compact' && topic.partitions === 1) {
    return { kind: 'partitions', what, todo: 'its order needs one partition: copy it into a new topic with one' };
  }
  if (found > topic.partitions) {
    return { kind: 'partitions', what, todo: `partitions are never taken away: set topics.partitions to ${found}` };
  }
  return {
    kind: 'partitions',
    what,
    todo: 'new partitions move keys, which breaks sessions that are open: stop producers, let workers finish, then apply with --add-partitions; or set topics.partitions to what there is',
  };
}

/** What no entry allows yet, once each. */
function missingGrants({ grants }: AccessPlan, acls: readonly Acl[]): Grant[] {
  const seen = new Set<string>();
  return grants.filter((grant) => {
    const key = JSON.stringify(aclOf(grant));
    if (seen.has(key) || acls.some((acl) => gives(acl, grant))) return false;
    seen.add(key);
    return true;
  });
}

/** Only an entry for this very user counts: what everybody may do today somebody will take away. */
function gives(acl: Acl, { principal, operation, resource }: Grant): boolean {
  return (
    acl.permission === 'allow' &&
    acl.host === '*' &&
    acl.principal === principal &&
    includes(acl.operation, operation) &&
    covers(acl.resource, resource)
  );
}

function denials({ grants }: AccessPlan, acls: readonly Acl[]): Problem[] {
  const denying = acls.filter(
    (acl) =>
      acl.permission === 'deny' &&
      grants.some((grant) => (acl.principal === grant.principal || acl.principal === EVERYBODY) && denies(acl, grant)),
  );
  return denying.map((acl) => ({
    kind: 'denied',
    what: `an ACL denies what the plan needs: ${describeAcl(acl)}`,
    todo: 'take it away with kafka-acls, if nobody needs it',
  }));
}

function extras(plan: AccessPlan, acls: readonly Acl[]): Extra[] {
  return acls
    .filter((acl) => acl.permission === 'allow' && isOurs(plan, acl) && !isPlanned(plan, acl))
    .map((acl) => ({ acl, isBreach: !isHarmless(acl) }));
}

/** On a topic, group or id of ours, for whomever; or for one of our users on the cluster itself. */
function isOurs({ grants, principals }: AccessPlan, { principal, resource }: Acl): boolean {
  if (resource.type === 'cluster') return [...Object.values(principals), EVERYBODY].includes(principal);
  return grants.some((grant) => overlap(grant.resource, resource));
}

/** Every right that the entry gives on what is ours, the plan gives as well. */
function isPlanned({ grants }: AccessPlan, acl: Acl): boolean {
  return grants.some(
    (grant) =>
      grant.principal === acl.principal &&
      includes(grant.operation, acl.operation) &&
      covers(grant.resource, acl.resource),
  );
}

/**
 * Released batches may be read by whom a company lets. Names, sizes and lag are no secret among users of one cluster, and who
 * may join our groups can hold work up, not see it.
 */
function isHarmless({ operation, resource }: Acl): boolean {
  // IdempotentWrite was needed beside Write before Kafka 3.0, and opens no topic by itself.
  if (['describe', 'describe_configs', 'idempotent_write'].includes(operation)) return true;
  if (resource.type !== 'topic') return resource.type !== 'cluster';
  return operation === 'read' && !CLOSED_TOPICS.some((topic) => overlap(topic, resource));
}

const CLOSED_TOPICS: readonly Resource[] = [
  ...Object.values(TOPICS)
    // Public keys are for whoever seals; who may write them is another matter.
    .filter((name) => name !== TOPICS.sanitized && name !== TOPICS.sealing)
    .map((name): Resource => ({ type: 'topic', name, pattern: 'literal' })),
  { type: 'topic', name: REPLAYS.quarantine, pattern: 'prefixed' },
];

/** One line; what the cluster says of itself, nothing of what flows on it. */
export function describeAcl({ principal, host, permission, operation, resource }: Acl): string {
  const from = host === '*' ? '' : ` from ${host}`;
  return `${principal} ${permission === 'allow' ? 'may' : 'may not'} ${operation} ${describeResource(resource)}${from}`;
}

export function describeResource({ type, name, pattern }: Resource): string {
  if (type === 'cluster') return 'the cluster';
  return `${type.replace('_', ' ')} ${name}${pattern === 'prefixed' ? '*' : ''}`;
}
