import { describe, expect, it } from 'vitest';
import { freePort } from '../../dev/broker.ts';
import { ROLES, type Role } from '../../src/config-kafka.ts';
import type { KafkaOptions } from '../../src/log/kafka/options.ts';
import { runTrials, trialsOf, type Trial } from '../../src/runtime/access-check.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { lets, planOf } from './access-plans.ts';

const plan = planOf();
const describeTrial = ({ as, probe, expected }: Trial): string =>
  probe === 'sign in'
    ? `${as} signs in: ${expected}`
    : `${as} ${probe.operation} ${probe.type} ${probe.name}: ${expected}`;

describe('the trials', () => {
  const trials = trialsOf(plan);

  it('try every part with everything that any part is granted', () => {
    for (const { operation, resource } of plan.grants) {
      const probes = trials.flatMap(({ as, probe }) => {
        if (probe === 'sign in' || probe.type !== resource.type || probe.operation !== operation) return [];
        const isMeant =
          resource.pattern === 'prefixed' ? probe.name.startsWith(resource.name) : probe.name === resource.name;
        return isMeant ? [as] : [];
      });
      // Describing topics comes with every other right on them.
      if (resource.type === 'topic' && operation === 'describe') continue;
      expect(new Set(probes), `${operation} ${resource.type} ${resource.name}`).toEqual(new Set(ROLES));
    }
  });

  it('expect what the plan lets each part do and nothing else', () => {
    for (const { as, probe, expected } of trials) {
      if (probe === 'sign in') throw new Error('parts do more than sign in');
      const { type, operation, name } = probe;
      expect(expected).toBe(
        lets(plan, as as Role, operation, { type, name, pattern: 'literal' }) ? 'allowed' : 'denied',
      );
    }
  });

  it('have the sink refused at raw and at the keyring, and everybody at deleting and at the ACLs', () => {
    const told = trials.map(describeTrial);
    for (const name of [TOPICS.raw, TOPICS.keyring]) {
      for (const operation of ['read', 'write', 'create', 'alter', 'alter_configs', 'delete']) {
        expect(told).toContain(`sink ${operation} topic ${name}: denied`);
      }
    }
    for (const role of ROLES) {
      expect(told).toContain(`${role} alter cluster kafka-cluster: denied`);
      expect(told).toContain(`${role} delete topic ${TOPICS.raw}: denied`);
      expect(told).toContain(`${role} read topic ${TOPICS.raw}: ${role === 'sanitizer' ? 'allowed' : 'denied'}`);
    }
  });

  it('expect of parts with one user the rights of each', () => {
    const shared = trialsOf(planOf({ sasl: { mechanism: 'scram-sha-256', username: 'one' } })).map(describeTrial);
    expect(shared).toContain(`sink read topic ${TOPICS.raw}: allowed`);
  });
});

describe('running trials', () => {
  const sinks = trialsOf(plan).filter(({ as }) => as === 'sink');
  const away = async (): Promise<KafkaOptions> => ({
    brokers: [`127.0.0.1:${await freePort()}`],
    clientId: 'test',
    compression: 'none',
    sessionTimeoutMs: 6_000,
    transactionTimeoutMs: 3_000,
    requestTimeoutMs: 50,
  });

  it('asks for the secrets of those parts only that are tried', async () => {
    const options: KafkaOptions = {
      ...(await away()),
      tls: {},
      sasl: { mechanism: 'scram-sha-256', username: 'u', password: async () => 'p' },
    };
    const asked: Role[] = [];
    const optionsOf = (role: Role): KafkaOptions => {
      asked.push(role);
      return options;
    };
    await runTrials(sinks.slice(0, 1), optionsOf, new AbortController().signal);
    expect(new Set(asked)).toEqual(new Set(['sink']));
  });

  it('takes no answer for neither yes nor no', async () => {
    const options = await away();
    const allowed = sinks.find(({ expected }) => expected === 'allowed');
    const denied = sinks.find(({ expected }) => expected === 'denied');
    const tried = [allowed, denied].flatMap((trial) => trial ?? []);
    const results = await runTrials(tried, () => options, new AbortController().signal);
    expect(results.map(({ got, ok }) => [got.verdict, ok])).toEqual([
      ['unclear', false],
      ['unclear', false],
    ]);
  });

  it('ends when it is stopped', async () => {
    const options = await away();
    expect(await runTrials(sinks, () => options, AbortSignal.abort())).toEqual([]);
  });
});
