/** What must exist on a cluster before the line runs there: topics with their settings, and what each part may do. */
import { ROLES, type KafkaSettings, type Role } from '../config-kafka.ts';
import type { Config } from '../config.ts';
import type { TopicSpec } from '../log/event-log.ts';
import { CLUSTER, type Acl, type Operation, type Resource, type ResourceType } from '../log/kafka/acls.ts';
import { topicConfig } from '../log/kafka/topics.ts';
import { REPLAYS_SPEC, REPLAYS_TOPIC } from './replay/names.ts';
import { GROUPS, REPLAYS, TOPICS, topicSpecs } from './topics.ts';

export interface AccessPlan {
  readonly topics: readonly PlannedTopic[];
  /** Who acts as each part, as ACLs name it. Two parts of one name have each other's rights. */
  readonly principals: Readonly<Record<Role, string>>;
  /** All that is allowed; everything else is denied by default. */
  readonly grants: readonly Grant[];
}

export interface PlannedTopic extends TopicSpec {
  /** Null: the cluster's default. */
  readonly replicationFactor: number | null;
  /** Settings of the topic, by Kafka's names. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface Grant {
  readonly role: Role;
  readonly principal: string;
  readonly operation: Operation;
  readonly resource: Resource;
  readonly why: string;
}

/** The plan of a config; pure, no cluster is asked. */
export function accessPlan(config: Pick<Config, 'topics' | 'kafka'>): AccessPlan {
  const principals = principalsOf(config.kafka);
  const replicationFactor = config.kafka?.replicationFactor ?? null;
  return {
    topics: [...topicSpecs(config.topics), REPLAYS_SPEC].map((spec) => ({
      ...spec,
      replicationFactor,
      settings: topicConfig(spec, config.kafka?.replicationFactor),
    })),
    principals,
    grants: ROLES.flatMap((role) => RIGHTS[role].map((right) => ({ role, principal: principals[role], ...right }))),
  };
}

/** A grant as the cluster keeps it. */
export function aclOf({ principal, operation, resource }: Grant): Acl {
  return { principal, host: '*', permission: 'allow', operation, resource };
}

/** Parts that sign in as the same user although each should have its own. */
export function sharedPrincipals({ principals }: AccessPlan): readonly { principal: string; roles: readonly Role[] }[] {
  const names = [...new Set(Object.values(principals))];
  return names
    .map((principal) => ({ principal, roles: ROLES.filter((role) => principals[role] === principal) }))
    .filter(({ roles }) => roles.length > 1);
}

function principalsOf(kafka: KafkaSettings | null): Readonly<Record<Role, string>> {
  const principal = (role: Role): string => {
    const own = kafka?.identities?.[role];
    if (own?.principal !== undefined) return own.principal;
    // Who has no identity of its own signs in as `kafka.sasl` says.
    const username = own === undefined ? kafka?.sasl?.username : own.username;
    return `User:${username ?? `redactory-${role}`}`;
  };
  return {
    producer: principal('producer'),
    gateway: principal('gateway'),
    sanitizer: principal('sanitizer'),
    sink: principal('sink'),
    steward: principal('steward'),
    operator: principal('operator'),
  };
}

type Right = Pick<Grant, 'operation' | 'resource' | 'why'>;

const named = (type: ResourceType, name: string): Resource => ({ type, name, pattern: 'literal' });
const below = (type: ResourceType, prefix: string): Resource => ({ type, name: prefix, pattern: 'prefixed' });
const right = (operation: Operation, resource: Resource, why: string): Right => ({ operation, resource, why });
const topic = (operation: Operation, name: string, why: string): Right => right(operation, named('topic', name), why);
/** What replays write; nothing else's name begins so. */
const REPLAYED = [REPLAYS.sanitized, REPLAYS.quarantine] as const;
const CONTROL = [TOPICS.consent, TOPICS.keyring, TOPICS.erasures] as const;
/** For a record on the audit trail one has to know the record before it. */
const AUDITED: readonly Right[] = [
  topic('read', TOPICS.audit, 'finds the last record, to chain the next to it'),
  topic('write', TOPICS.audit, 'says what it does'),
  right('write', named('transactional_id', TOPICS.audit), 'one record after the other'),
];

/**
 * What each part needs, and no more. Describe comes with Read, Write and Alter, DescribeConfigs with AlterConfigs, and
 * IdempotentWrite with Write (Kafka 3.0 and later).
 */
const RIGHTS: Readonly<Record<Role, readonly Right[]>> = {
  producer: [
    topic('write', TOPICS.raw, 'appends capture batches'),
    topic('read', TOPICS.sealing, 'public keys to seal them to; private ones are in the keyring, which it cannot read'),
  ],

  gateway: [
    topic('write', TOPICS.raw, 'appends what recorders send'),
    topic('read', TOPICS.sealing, 'public keys to seal to, and to tell recorders'),
    topic('read', TOPICS.devices, 'who signs in'),
    topic('read', TOPICS.consent, 'whom it may take batches from'),
    topic('write', TOPICS.consent, 'people pause, resume and withdraw there'),
    topic('read', TOPICS.erasures, 'whom it may take batches from'),
    topic('write', TOPICS.erasures, 'people ask there to be erased'),
    topic('read', TOPICS.requests, 'shows people what became of theirs'),
    topic('write', TOPICS.requests, 'people ask there to be exempt'),
  ],

  sanitizer: [
    topic('read', TOPICS.raw, 'the only one that does'),
    ...CONTROL.map((name) => topic('read', name, 'keeps up with it before each batch')),
    topic('write', TOPICS.keyring, "makes a month's keys when they are first needed"),
    topic('read', TOPICS.sealing, 'sees whether there is a sealing key'),
    topic('write', TOPICS.sealing, 'makes the first sealing key'),
    topic('write', TOPICS.sanitized, 'releases batches'),
    topic('write', TOPICS.quarantine, 'coordinates of what cannot be processed'),
    topic('write', TOPICS.owners, 'says whose a session is, closed'),
    ...AUDITED,
    right('read', named('group', GROUPS.sanitize), 'shares partitions, commits offsets'),
    right('write', below('transactional_id', `${GROUPS.sanitize}/`), 'one a partition of raw'),
    topic('read', REPLAYS_TOPIC, 'replay: how far it is'),
    topic('write', REPLAYS_TOPIC, 'replay'),
    ...REPLAYED.map((prefix) => right('write', below('topic', prefix), 'replay: its own topics')),
    right('read', below('group', REPLAYS.sanitize), 'replay'),
    right('write', below('transactional_id', REPLAYS.sanitize), 'replay'),
  ],

  sink: [
    topic('read', TOPICS.sanitized, 'takes released batches'),
    right('read', named('group', GROUPS.sink), 'shares partitions, commits offsets'),
    right('write', below('transactional_id', `${GROUPS.sink}/`), 'one a partition of the sanitised topic'),
    right('read', below('topic', REPLAYS.sanitized), 'replay: what it releases'),
    right('read', below('group', REPLAYS.sink), 'replay'),
    right('write', below('transactional_id', REPLAYS.sink), 'replay'),
  ],

  steward: [
    ...CONTROL.map((name) => topic('read', name, 'keeps up with it before each answer')),
    topic('write', TOPICS.erasures, 'says that an erasure is done'),
    topic('read', TOPICS.devices, 'who asks'),
    topic('read', TOPICS.owners, 'whose a session is'),
    topic('write', TOPICS.owners, 'removes what was erased'),
    topic('describe', TOPICS.sanitized, 'sees how far it is written; what is in it is in the table'),
    topic('describe', TOPICS.raw, 'sees how far it is written; never what'),
    topic('read', TOPICS.requests, 'finds those of who is erased'),
    topic('write', TOPICS.requests, 'removes them'),
    right('describe', named('group', GROUPS.sanitize), 'sees how far raw is processed'),
    right('describe', named('group', GROUPS.sink), 'sees how far the table is'),
    topic('read', REPLAYS_TOPIC, 'which tables there are'),
    ...AUDITED,
  ],

  operator: [
    ...[...Object.values(TOPICS), REPLAYS_TOPIC].flatMap((name) => [
      topic('create', name, 'topics apply'),
      topic('alter', name, 'topics apply --add-partitions'),
      topic('alter_configs', name, 'topics apply'),
    ]),
    ...REPLAYED.flatMap((prefix) => [
      right('create', below('topic', prefix), "makes a replay's topics"),
      right('describe', below('topic', prefix), 'waits until they are there'),
    ]),
    ...CONTROL.flatMap((name) => [
      topic('read', name, 'consent show, keys'),
      topic('write', name, name === TOPICS.keyring ? 'keys rotate, rewrap and destroy' : 'decides'),
    ]),
    topic('read', TOPICS.sealing, 'keys sealing'),
    topic('write', TOPICS.sealing, 'keys sealing rotate and destroy'),
    topic('read', TOPICS.devices, 'devices list'),
    topic('write', TOPICS.devices, 'devices issue and revoke'),
    topic('read', TOPICS.requests, 'requests list'),
    topic('write', TOPICS.requests, 'requests answer'),
    topic('read', TOPICS.quarantine, 'inspect quarantine'),
    ...AUDITED,
    ...Object.values(GROUPS).map((name) => right('describe', named('group', name), 'sees how far workers are')),
    right('describe', CLUSTER, 'compares ACLs with this plan'),
  ],
};
