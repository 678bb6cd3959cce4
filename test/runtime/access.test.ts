import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ROLES, type Role } from '../../src/config-kafka.ts';
import { CLUSTER, OPERATIONS, type Operation, type Resource } from '../../src/log/kafka/acls.ts';
import { accessPlan, sharedPrincipals } from '../../src/runtime/access.ts';
import { replayNames, REPLAYS_TOPIC } from '../../src/runtime/replay/names.ts';
import { GROUPS, TOPICS } from '../../src/runtime/topics.ts';
import { kafkaSettings, lets, named, planOf } from './access-plans.ts';

const DAY = 86_400_000;
const plan = planOf();
const topic = (name: string): Resource => named('topic', name);
const whoMay = (operation: Operation, resource: Resource): Role[] =>
  ROLES.filter((role) => lets(plan, role, operation, resource));

describe('the planned topics', () => {
  const settingsOf = (name: string): Readonly<Record<string, string>> =>
    plan.topics.find((one) => one.name === name)?.settings ?? {};

  it('are those that anything flows on, with the partitions of the config where order allows more than one', () => {
    expect(Object.fromEntries(plan.topics.map(({ name, partitions }) => [name, partitions]))).toEqual({
      'interactions.raw': 6,
      'interactions.sanitized': 6,
      'interactions.quarantine': 1,
      consent: 1,
      keyring: 1,
      'sealing-keys': 1,
      devices: 1,
      erasures: 1,
      requests: 1,
      'session-owners': 6,
      audit: 1,
      replays: 1,
    });
  });

  it('are kept as long as the config says: raw 7 days, sanitised 90 and the two of its stamps, quarantine 30', () => {
    const kept = (name: string): unknown => ({
      cleanup: settingsOf(name)['cleanup.policy'],
      days: Number(settingsOf(name)['retention.ms']) / DAY,
    });
    expect(kept(TOPICS.raw)).toEqual({ cleanup: 'delete', days: 7 });
    expect(kept(TOPICS.sanitized)).toEqual({ cleanup: 'delete', days: 92 });
    expect(kept(TOPICS.quarantine)).toEqual({ cleanup: 'delete', days: 30 });
    const own = { partitions: 2, retentionDays: { raw: 3, sanitized: 20, quarantine: 1, audit: 1 } };
    const { topics } = accessPlan({ topics: own, kafka: kafkaSettings() });
    expect(topics.slice(0, 3).map(({ settings }) => Number(settings['retention.ms']) / DAY)).toEqual([3, 22, 1]);
  });

  it.each([
    TOPICS.consent,
    TOPICS.keyring,
    TOPICS.sealing,
    TOPICS.devices,
    TOPICS.erasures,
    TOPICS.requests,
    TOPICS.owners,
    REPLAYS_TOPIC,
  ])('%s keeps the last record of each key, for ever', (name) => {
    expect(settingsOf(name)).toMatchObject({ 'cleanup.policy': 'compact' });
    expect(settingsOf(name)).not.toHaveProperty('retention.ms');
  });

  it.each([
    [TOPICS.keyring, 60_000],
    [TOPICS.requests, 60_000],
    [TOPICS.owners, 3_600_000],
  ])('%s loses what was overwritten soon', (name, ms) => {
    expect(settingsOf(name)).toMatchObject({
      'segment.ms': String(ms),
      'max.compaction.lag.ms': String(ms),
      'min.cleanable.dirty.ratio': '0.01',
    });
  });

  it('take records of old recordings and of a megabyte', () => {
    for (const { settings } of plan.topics) {
      expect(settings).toMatchObject({
        'message.timestamp.type': 'CreateTime',
        'message.timestamp.before.max.ms': '9223372036854775807',
        'message.timestamp.after.max.ms': '9223372036854775807',
      });
      expect(Number(settings['max.message.bytes'])).toBeGreaterThan(2 ** 20);
    }
  });

  it('have the replicas of the config, and of three or more two that must be there', () => {
    const withReplicas = (replicationFactor: number): unknown[] =>
      planOf({ replicationFactor }).topics.map((one) => [
        one.replicationFactor,
        one.settings['min.insync.replicas'] ?? null,
      ]);
    expect(new Set(plan.topics.map((one) => one.replicationFactor))).toEqual(new Set([null]));
    expect(withReplicas(2)).toEqual(plan.topics.map(() => [2, null]));
    expect(withReplicas(3)).toEqual(plan.topics.map(() => [3, '2']));
  });
});

describe('the planned access', () => {
  it.each<[Operation, string, Role[]]>([
    ['read', TOPICS.raw, ['sanitizer']],
    ['write', TOPICS.raw, ['producer', 'gateway']],
    ['read', TOPICS.keyring, ['sanitizer', 'steward', 'operator']],
    ['write', TOPICS.keyring, ['sanitizer', 'operator']],
    // Public keys: producers seal to them, and have no way to what opens it.
    ['read', TOPICS.sealing, ['producer', 'gateway', 'sanitizer', 'operator']],
    ['write', TOPICS.sealing, ['sanitizer', 'operator']],
    ['describe', TOPICS.keyring, ['sanitizer', 'steward', 'operator']],
    // What people decide for themselves comes through the gateway.
    ['read', TOPICS.consent, ['gateway', 'sanitizer', 'steward', 'operator']],
    ['write', TOPICS.consent, ['gateway', 'operator']],
    ['read', TOPICS.devices, ['gateway', 'steward', 'operator']],
    ['write', TOPICS.devices, ['operator']],
    ['read', TOPICS.erasures, ['gateway', 'sanitizer', 'steward', 'operator']],
    // People ask through the gateway, the steward says that it is done.
    ['write', TOPICS.erasures, ['gateway', 'steward', 'operator']],
    ['read', TOPICS.requests, ['gateway', 'steward', 'operator']],
    ['write', TOPICS.requests, ['gateway', 'steward', 'operator']],
    ['read', TOPICS.owners, ['steward']],
    ['write', TOPICS.owners, ['sanitizer', 'steward']],
    ['read', TOPICS.audit, ['sanitizer', 'steward', 'operator']],
    ['write', TOPICS.audit, ['sanitizer', 'steward', 'operator']],
    ['read', TOPICS.sanitized, ['sink']],
    ['write', TOPICS.sanitized, ['sanitizer']],
    ['read', TOPICS.quarantine, ['operator']],
    ['write', TOPICS.quarantine, ['sanitizer']],
    ['read', REPLAYS_TOPIC, ['sanitizer', 'steward']],
    ['write', REPLAYS_TOPIC, ['sanitizer']],
  ])('lets %s %s: %o and nobody else', (operation, name, roles) => {
    expect(whoMay(operation, topic(name))).toEqual(roles);
  });

  it('lets the sink have nothing to do with raw and the keyring, not even see that they are there', () => {
    for (const operation of Object.keys(OPERATIONS) as Operation[]) {
      for (const name of [TOPICS.raw, TOPICS.keyring]) {
        expect(lets(plan, 'sink', operation, topic(name)), `${operation} ${name}`).toBe(false);
      }
    }
  });

  it('lets nobody delete, nobody change ACLs, and only the operator change topics', () => {
    const resources = [...plan.topics.map(({ name }) => topic(name)), CLUSTER];
    for (const resource of resources) {
      expect(whoMay('delete', resource)).toEqual([]);
      expect(whoMay('cluster_action', resource)).toEqual([]);
      const changed = resource === CLUSTER ? [] : ['operator'];
      for (const operation of ['create', 'alter', 'alter_configs'] as const) {
        expect(whoMay(operation, resource)).toEqual(changed);
      }
    }
  });

  it("gives a group's position and its transactional ids to who works there, and to nobody else", () => {
    const idOf = (group: string): Resource => named('transactional_id', `${group}/${TOPICS.raw}/0`);
    expect(whoMay('read', named('group', GROUPS.sanitize))).toEqual(['sanitizer']);
    expect(whoMay('write', idOf(GROUPS.sanitize))).toEqual(['sanitizer']);
    expect(whoMay('read', named('group', GROUPS.sink))).toEqual(['sink']);
    expect(whoMay('write', idOf(GROUPS.sink))).toEqual(['sink']);
    expect(whoMay('describe', named('group', GROUPS.sink))).toEqual(['sink', 'steward', 'operator']);
  });

  it('lets a replay of any name work, each part on what is its own, and neither on what is live', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,40}$/u), (name) => {
        const { sanitizer, sink, manifestId } = replayNames(name);
        const idOf = (group: string, from: string): Resource => named('transactional_id', `${group}/${from}/3`);
        for (const made of [sanitizer.sanitized, sanitizer.quarantine]) {
          expect(whoMay('create', topic(made))).toEqual(['operator']);
          expect(whoMay('write', topic(made))).toEqual(['sanitizer']);
          expect(lets(plan, 'operator', 'describe', topic(made))).toBe(true);
        }
        expect(whoMay('read', topic(sanitizer.sanitized))).toEqual(['sink']);
        expect(whoMay('read', named('group', sanitizer.group))).toEqual(['sanitizer']);
        expect(whoMay('write', idOf(sanitizer.group, sanitizer.raw))).toEqual(['sanitizer']);
        expect(whoMay('write', named('transactional_id', manifestId))).toEqual(['sanitizer']);
        expect(whoMay('read', named('group', sink.group))).toEqual(['sink']);
        expect(whoMay('write', idOf(sink.group, sink.sanitized))).toEqual(['sink']);
      }),
    );
  });

  it('is for what is named and no other topic, group or id', () => {
    const others = ['other', 'interactions', 'interactions.rawer', 'consent2', 'sanitizer', 'sinks/0', 'replay'];
    for (const name of others) {
      for (const type of ['topic', 'group', 'transactional_id'] as const) {
        for (const operation of Object.keys(OPERATIONS) as Operation[]) {
          expect(whoMay(operation, named(type, name)), `${operation} ${type} ${name}`).toEqual([]);
        }
      }
    }
  });

  it('says of each right what it is for', () => {
    for (const { why } of plan.grants) expect(why).not.toBe('');
  });
});

describe('who the parts are', () => {
  const principalsOf = (given: Parameters<typeof planOf>[0]): unknown => planOf(given).principals;
  const user = (username: string): unknown => ({ username });

  it('is told by their user names, or by the principal that the cluster makes of them', () => {
    expect(
      principalsOf({
        sasl: { mechanism: 'scram-sha-256' },
        tls: {},
        identities: { producer: user('p'), sanitizer: { principal: 'User:CN=sanitizer' }, sink: user('s') },
      }),
    ).toEqual({
      producer: 'User:p',
      gateway: 'User:redactory-gateway',
      sanitizer: 'User:CN=sanitizer',
      sink: 'User:s',
      steward: 'User:redactory-steward',
      operator: 'User:redactory-operator',
    });
  });

  it('without identities is the one of sasl for all; without that, a name for each', () => {
    const one = planOf({ sasl: { mechanism: 'scram-sha-256', username: 'one' }, identities: { sink: user('s') } });
    expect(one.principals).toEqual({
      producer: 'User:one',
      gateway: 'User:one',
      sanitizer: 'User:one',
      sink: 'User:s',
      steward: 'User:one',
      operator: 'User:one',
    });
    expect(sharedPrincipals(one)).toEqual([
      { principal: 'User:one', roles: ['producer', 'gateway', 'sanitizer', 'steward', 'operator'] },
    ]);
    expect(sharedPrincipals(plan)).toEqual([]);
    expect(plan.principals.sink).toBe('User:redactory-sink');
  });
});
