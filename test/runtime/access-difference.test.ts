import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLUSTER, EVERYBODY, OPERATIONS, type Acl, type Operation, type Resource } from '../../src/log/kafka/acls.ts';
import type { TopicState } from '../../src/log/kafka/admin.ts';
import { aclOf, type PlannedTopic } from '../../src/runtime/access.ts';
import {
  describeAcl,
  difference,
  type Change,
  type ClusterState,
  type Difference,
} from '../../src/runtime/access-difference.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { named, planOf } from './access-plans.ts';

const plan = planOf();
const NOTHING: Difference = { changes: [], problems: [], extras: [] };

const stateOf = ({ name, partitions, settings }: PlannedTopic): TopicState => ({
  name,
  partitions,
  replicas: 3,
  settings: Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, { value, isOwn: true }])),
});
/** A cluster as it is planned. */
const asPlanned: ClusterState = { topics: plan.topics.map(stateOf), acls: plan.grants.map(aclOf) };

const withTopic = (name: string, change: (topic: TopicState) => TopicState | undefined): ClusterState => ({
  ...asPlanned,
  topics: asPlanned.topics.flatMap((topic) => (topic.name === name ? (change(topic) ?? []) : [topic])),
});
const withSetting = (name: string, setting: string, value: string | null): ClusterState =>
  withTopic(name, (topic) => ({ ...topic, settings: { ...topic.settings, [setting]: { value, isOwn: true } } }));
const withAcls = (change: (acls: readonly Acl[]) => readonly Acl[]): ClusterState => ({
  ...asPlanned,
  acls: change(asPlanned.acls ?? []),
});
const topic = (name: string): Resource => named('topic', name);
const allow = (principal: string, operation: Operation, resource: Resource, host = '*'): Acl => ({
  principal,
  host,
  permission: 'allow',
  operation,
  resource,
});
const STRANGER = 'User:stranger';

describe('what separates a cluster from its plan', () => {
  it('is nothing when it is as planned, and everything when it is empty', () => {
    expect(difference(plan, asPlanned)).toEqual(NOTHING);
    const { changes, problems, extras } = difference(plan, { topics: [], acls: [] });
    expect([problems, extras]).toEqual([[], []]);
    expect(changes.filter(({ kind }) => kind === 'create-topic')).toHaveLength(plan.topics.length);
    const added = changes.flatMap((change) => (change.kind === 'add-acl' ? [aclOf(change.grant)] : []));
    expect(new Set(added.map(describeAcl))).toEqual(new Set(plan.grants.map(aclOf).map(describeAcl)));
    expect(added).toHaveLength(new Set(added.map(describeAcl)).size);
  });

  it('is gone after the changes, whatever part of it was there', () => {
    fc.assert(
      fc.property(
        fc.subarray([...plan.topics]),
        fc.subarray(plan.grants.map(aclOf)),
        fc.dictionary(
          fc.constantFrom('cleanup.policy', 'retention.ms', 'max.message.bytes'),
          fc.constantFrom('delete', '-1', '1000'),
        ),
        (topics, acls, values) => {
          const own = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value, isOwn: true }]));
          const before: ClusterState = {
            topics: topics.map(stateOf).map((state) => ({ ...state, settings: { ...state.settings, ...own } })),
            acls,
          };
          const { changes, problems, extras } = difference(plan, before);
          expect([problems, extras]).toEqual([[], []]);
          expect(difference(plan, after(before, changes))).toEqual(NOTHING);
        },
      ),
    );
  });

  it('counts a right that comes with a wider entry, and none that is bound to a host or to everybody', () => {
    const isRawRead = ({ operation, resource }: Acl): boolean => operation === 'read' && resource.name === TOPICS.raw;
    const rawRead = plan.grants.map(aclOf).find(isRawRead) ?? fail();
    const without = (acls: readonly Acl[]): readonly Acl[] =>
      acls.filter((acl) => describeAcl(acl) !== describeAcl(rawRead));
    const missing = (more: readonly Acl[]): number =>
      difference(
        plan,
        withAcls((acls) => [...without(acls), ...more]),
      ).changes.length;
    expect(missing([])).toBe(1);
    expect(missing([{ ...rawRead, operation: 'all' }])).toBe(0);
    expect(
      missing([{ ...rawRead, resource: { ...rawRead.resource, name: 'interactions.', pattern: 'prefixed' } }]),
    ).toBe(0);
    expect(missing([{ ...rawRead, host: '10.0.0.7' }])).toBe(1);
    expect(missing([{ ...rawRead, principal: EVERYBODY }])).toBe(1);
    expect(missing([{ ...rawRead, permission: 'deny' }])).toBe(1);
  });
});

describe('a setting that differs', () => {
  it('is set, and says whether records go by it', () => {
    const changed = (name: string, setting: string, value: string | null): unknown =>
      difference(plan, withSetting(name, setting, value)).changes;
    const planned = String(7 * 86_400_000);
    const set = { kind: 'set', topic: TOPICS.raw, setting: 'retention.ms', to: planned };
    expect(changed(TOPICS.raw, 'retention.ms', '1000')).toEqual([{ ...set, from: '1000', losesRecords: false }]);
    expect(changed(TOPICS.raw, 'retention.ms', '999999999999')).toEqual([
      { ...set, from: '999999999999', losesRecords: true },
    ]);
    expect(changed(TOPICS.raw, 'retention.ms', '-1')).toEqual([{ ...set, from: '-1', losesRecords: true }]);
    expect(changed(TOPICS.raw, 'retention.ms', null)).toEqual([{ ...set, from: null, losesRecords: true }]);
    expect(changed(TOPICS.keyring, 'cleanup.policy', 'delete')).toMatchObject([{ losesRecords: true }]);
    expect(changed(TOPICS.raw, 'max.message.bytes', '1')).toMatchObject([{ losesRecords: false }]);
  });

  it('is left alone where the plan says nothing of it', () => {
    expect(difference(plan, withSetting(TOPICS.raw, 'segment.bytes', '1'))).toEqual(NOTHING);
  });
});

describe('partitions that differ', () => {
  const partitions = (name: string, count: number, addPartitions = false): Difference =>
    difference(
      plan,
      withTopic(name, (one) => ({ ...one, partitions: count })),
      { addPartitions },
    );

  it('are added only where that is asked for', () => {
    expect(partitions(TOPICS.raw, 4)).toMatchObject({ changes: [], problems: [{ kind: 'partitions' }] });
    expect(partitions(TOPICS.raw, 4).problems[0]?.todo).toContain('--add-partitions');
    expect(partitions(TOPICS.raw, 4, true)).toEqual({
      ...NOTHING,
      changes: [{ kind: 'add-partitions', topic: TOPICS.raw, from: 4, to: 6 }],
    });
  });

  it.each([false, true])('are never taken away (--add-partitions: %s)', (add) => {
    expect(partitions(TOPICS.raw, 9, add)).toMatchObject({ changes: [], problems: [{ kind: 'partitions' }] });
    expect(partitions(TOPICS.raw, 9, add).problems[0]?.todo).toContain('topics.partitions to 9');
    expect(partitions(TOPICS.owners, 9, add).problems[0]?.todo).toContain('topics.partitions to 9');
    expect(partitions(TOPICS.consent, 2, add).problems[0]?.todo).toContain('its order needs one partition');
  });
});

describe('a topic on fewer brokers than planned', () => {
  const wanted = planOf({ replicationFactor: 3 });
  const state = (replicas: number): ClusterState => ({
    topics: wanted.topics.map((one) => {
      const { 'min.insync.replicas': _, ...settings } = stateOf(one).settings;
      return { ...stateOf(one), replicas, settings };
    }),
    acls: wanted.grants.map(aclOf),
  });

  it('is told, and not made to ask for replicas that it has not', () => {
    const { changes, problems } = difference(wanted, state(1));
    expect(changes).toEqual([]);
    expect(problems).toHaveLength(wanted.topics.length);
    expect(problems[0]).toMatchObject({ kind: 'replicas' });
    expect(problems[0]?.what).toContain('interactions.raw keeps each record on 1 brokers, the plan says 3');
  });

  it('asks for two of three once they are there', () => {
    const { changes, problems } = difference(wanted, state(3));
    expect(problems).toEqual([]);
    expect(new Set(changes.map((one) => one.kind === 'set' && `${one.setting}=${one.to}`))).toEqual(
      new Set(['min.insync.replicas=2']),
    );
  });
});

describe('access that differs', () => {
  const extrasOf = (acl: Acl): unknown =>
    difference(
      plan,
      withAcls((acls) => [...acls, acl]),
    ).extras.map(({ isBreach }) => isBreach);
  const BREACH = [true];
  const TOLD = [false];

  it('does not count without an authorizer: everybody may do everything', () => {
    const { problems } = difference(plan, { ...asPlanned, acls: null });
    expect(problems).toMatchObject([{ kind: 'no-authorizer' }]);
    expect(problems[0]?.todo).toContain('allow.everyone.if.no.acl.found=false');
  });

  it('names an entry that denies what is needed', () => {
    const deny: Acl = { ...allow(EVERYBODY, 'all', topic('*')), permission: 'deny' };
    const { problems } = difference(
      plan,
      withAcls((acls) => [...acls, deny]),
    );
    expect(problems).toMatchObject([{ kind: 'denied' }]);
    expect(problems[0]?.what).toContain('User:* may not all topic *');
    const elsewhere: Acl = { ...deny, principal: STRANGER };
    expect(
      difference(
        plan,
        withAcls((acls) => [...acls, elsewhere]),
      ),
    ).toEqual(NOTHING);
  });

  it.each([
    TOPICS.raw,
    TOPICS.keyring,
    TOPICS.consent,
    TOPICS.erasures,
    TOPICS.quarantine,
    `${TOPICS.quarantine}.trial`,
  ])('is a breach when somebody beyond the plan may read %s', (name) => {
    expect(extrasOf(allow(STRANGER, 'read', topic(name)))).toEqual(BREACH);
    expect(extrasOf(allow(STRANGER, 'all', topic(name)))).toEqual(BREACH);
    expect(extrasOf(allow(STRANGER, 'read', topic(name), '10.0.0.7'))).toEqual(BREACH);
    expect(extrasOf(allow(plan.principals.sink, 'read', topic(name)))).toEqual(BREACH);
    expect(extrasOf(allow(EVERYBODY, 'read', topic('*')))).toEqual(BREACH);
    expect(extrasOf(allow(STRANGER, 'read', { ...topic(name.slice(0, 3)), pattern: 'prefixed' }))).toEqual(BREACH);
    expect(extrasOf(allow(STRANGER, 'describe', topic(name)))).toEqual(TOLD);
  });

  it('is a breach when somebody beyond the plan may write or change anything of ours', () => {
    for (const operation of Object.keys(OPERATIONS) as Operation[]) {
      const isHarmless = ['read', 'describe', 'describe_configs', 'idempotent_write'].includes(operation);
      expect(extrasOf(allow(STRANGER, operation, topic(TOPICS.sanitized)))).toEqual([!isHarmless]);
    }
    expect(extrasOf(allow(STRANGER, 'other', topic(TOPICS.sanitized)))).toEqual(BREACH);
  });

  it('is a breach when one of the parts, or everybody, has rights on the cluster beyond its own', () => {
    expect(extrasOf(allow(plan.principals.sink, 'alter', CLUSTER))).toEqual(BREACH);
    expect(extrasOf(allow(EVERYBODY, 'create', CLUSTER))).toEqual(BREACH);
    expect(extrasOf(allow(plan.principals.producer, 'idempotent_write', CLUSTER))).toEqual(TOLD);
    expect(extrasOf(allow('User:administrator', 'alter', CLUSTER))).toEqual([]);
  });

  it('is told when released batches are read by others, and not when it is about what is not ours', () => {
    expect(extrasOf(allow(STRANGER, 'read', topic(TOPICS.sanitized)))).toEqual(TOLD);
    expect(extrasOf(allow(STRANGER, 'read', named('group', 'sink')))).toEqual(TOLD);
    expect(extrasOf(allow(STRANGER, 'all', topic('orders')))).toEqual([]);
    expect(extrasOf(allow(STRANGER, 'all', named('group', 'orders')))).toEqual([]);
  });
});

/** The cluster once these changes are made. */
function after({ topics, acls }: ClusterState, changes: readonly Change[]): ClusterState {
  const created = changes.flatMap((change) => (change.kind === 'create-topic' ? [stateOf(change.topic)] : []));
  const granted = changes.flatMap((change) => (change.kind === 'add-acl' ? [aclOf(change.grant)] : []));
  const set = ({ name }: TopicState): TopicState['settings'] =>
    Object.fromEntries(
      changes.flatMap((change) =>
        change.kind === 'set' && change.topic === name ? [[change.setting, { value: change.to, isOwn: true }]] : [],
      ),
    );
  return {
    topics: [...topics, ...created].map((topic) => ({ ...topic, settings: { ...topic.settings, ...set(topic) } })),
    acls: [...(acls ?? []), ...granted],
  };
}

function fail(): never {
  throw new Error('the plan lacks it');
}
