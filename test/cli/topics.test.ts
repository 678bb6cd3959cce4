import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { leftUndone } from '../../src/cli/topics-actions.ts';
import { kafkaSchema } from '../../src/config-kafka.ts';
import type { Acl } from '../../src/log/kafka/acls.ts';
import { openKafkaAdmin, type KafkaAdmin } from '../../src/log/kafka/admin.ts';
import { call } from '../../src/log/kafka/calls.ts';
import { KafkaClient } from '../../src/log/kafka/client.ts';
import type { KafkaOptions } from '../../src/log/kafka/options.ts';
import type { Change, Extra, Problem } from '../../src/runtime/access-difference.ts';
import { REPLAYS_TOPIC } from '../../src/runtime/replay/names.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { securedKafka, writeConfig } from '../helpers/cluster-config.ts';
import { kafkaState } from '../helpers/kafka-state.ts';
import { describeWithKafka, sharedBrokers, startKafka, type KafkaServer } from '../servers/kafka.ts';
import { createBench, type Bench, type Ran } from './harness.ts';

interface Planned {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: number;
    readonly replicationFactor: number | null;
    readonly settings: Readonly<Record<string, string>>;
  }[];
  readonly access:
    | readonly {
        readonly role: string;
        readonly principal: string;
        readonly operation: string;
        readonly resource: { readonly type: string; readonly name: string };
      }[]
    | null;
}

describe('topics plan', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await createBench();
  });
  afterEach(() => bench.remove());

  const SECTIONS = {
    topics: { partitions: 12, retentionDays: { raw: 7, sanitized: 90, quarantine: 30, audit: 3650 } },
    kafka: {
      brokers: ['nowhere.invalid:9092'],
      replicationFactor: 3,
      tls: {},
      sasl: { mechanism: 'scram-sha-512' },
      identities: {
        producer: { username: 'capture' },
        sanitizer: { username: 'clean', passwordFile: 'missing' },
        sink: { principal: 'User:CN=sink', username: 'sink' },
        operator: { username: 'ops' },
      },
    },
  };

  it('shows topics and rights without asking the cluster or reading a secret', async () => {
    await writeConfig(bench.dir, SECTIONS);
    const { code, stdout, stderr } = await bench.run('topics plan');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^ {2}interactions\.raw +12 +3 +7 days .*max\.message\.bytes=2097152 min\.insync\.replicas=2$/mu,
    );
    expect(stdout).toMatch(/^ {2}interactions\.sanitized +12 +3 +92 days /mu);
    expect(stdout).toMatch(/^ {2}interactions\.quarantine +1 +3 +30 days /mu);
    expect(stdout).toMatch(/^ {2}keyring +1 +3 +last of each key /mu);
    expect(stdout).toContain('Access; whatever is not listed is denied');
    expect(stdout).toMatch(/^ {2}sanitizer +User:clean +read +topic interactions\.raw +the only one that does$/mu);
    expect(stdout).toMatch(/^ {2}sink +User:CN=sink +write +transactional id replay-sink\/\* +replay$/mu);
    expect(stdout).toMatch(/^ {2}operator +User:ops +describe +the cluster /mu);
    expect(stdout.match(/ read +topic interactions\.raw /gu)).toHaveLength(1);
    expect(await bench.files()).toEqual(['redactory.yaml']);
  });

  it('as JSON is one document', async () => {
    await writeConfig(bench.dir, SECTIONS);
    const { topics, access } = await bench.json<Planned>('topics plan');
    expect(topics).toContainEqual(
      expect.objectContaining({
        name: 'interactions.raw',
        partitions: 12,
        replicationFactor: 3,
        settings: expect.objectContaining({ 'cleanup.policy': 'delete', 'retention.ms': '604800000' }) as unknown,
      }),
    );
    const readers = (access ?? []).filter(
      ({ operation, resource }) => operation === 'read' && resource.name === TOPICS.raw,
    );
    expect(readers.map(({ role, principal }) => [role, principal])).toEqual([['sanitizer', 'User:clean']]);
  });

  it('says when parts share a user', async () => {
    const { identities: _, ...kafka } = SECTIONS.kafka;
    await writeConfig(bench.dir, { kafka: { ...kafka, sasl: { ...kafka.sasl, username: 'all' } } });
    const { stdout } = await bench.run('topics plan');
    expect(stdout).toContain(
      'User:all acts as producer, gateway, sanitizer, sink, steward, operator, with the rights of each',
    );
  });

  it('of the embedded log says that there is no access control', async () => {
    expect((await bench.run('topics plan')).stdout).toContain('has no ACLs');
    expect(await bench.json<Planned>('topics plan')).toMatchObject({ access: null });
    for (const command of ['apply', 'verify']) {
      const { code, stdout } = await bench.run(`topics ${command}`);
      expect(code).toBe(0);
      expect(stdout).toContain('has no ACLs');
    }
  });
});

interface Applied {
  readonly changes: readonly { readonly kind: string; readonly setting?: string; readonly done: boolean }[];
  readonly problems: readonly { readonly kind: string }[];
}

interface Verified {
  readonly ok: boolean;
  readonly trials: readonly {
    readonly as: string;
    readonly probe: 'sign in' | { readonly type: string; readonly operation: string; readonly name: string };
    readonly expected: string;
    readonly got: { readonly verdict: string };
    readonly ok: boolean;
  }[];
  readonly changes: readonly unknown[];
  readonly extras: readonly { readonly isBreach: boolean }[];
}

describeWithKafka('topics on a cluster with TLS, SCRAM and ACLs', () => {
  let kafka: KafkaServer;
  let bench: Bench;
  let admin: KafkaAdmin;
  let cluster: KafkaClient;
  let asAdmin: string;

  beforeAll(async () => {
    [kafka, bench] = await Promise.all([startKafka({ security: 'scram' }), createBench()]);
    await writeConfig(bench.dir, { kafka: securedKafka(kafka) });
    const { caFile, passwordFiles } = kafka.access ?? {};
    const file = passwordFiles?.admin ?? '';
    const options: KafkaOptions = {
      brokers: kafka.brokers,
      clientId: 'test',
      compression: 'none',
      sessionTimeoutMs: 6_000,
      transactionTimeoutMs: 3_000,
      requestTimeoutMs: 15_000,
      tls: { caFile },
      sasl: { mechanism: 'scram-sha-256', username: 'admin', password: () => readFile(file, 'utf8') },
    };
    admin = openKafkaAdmin(options);
    cluster = new KafkaClient(options);
    await cluster.connect();
    asAdmin = ` --user admin --secret-file ${file}`;
  });
  afterAll(async () => {
    admin?.close();
    cluster?.close();
    await Promise.all([kafka?.close(), bench?.remove()]);
  });

  const setConfig = (more: Readonly<Record<string, unknown>> = {}): Promise<void> =>
    writeConfig(bench.dir, { kafka: securedKafka(kafka), ...more });
  const allow = (user: string, operation: Acl['operation'], name: string, type: 'topic' | 'group' = 'topic'): Acl => ({
    principal: `User:${user}`,
    host: '*',
    permission: 'allow',
    operation,
    resource: { type, name, pattern: 'literal' },
  });
  /** As an administrator would by hand; brokers know it a moment later. */
  async function change(how: 'add' | 'delete', acl: Acl): Promise<void> {
    if (how === 'add') await admin.addAcls([acl]);
    else await deleteAcl(cluster, acl);
    await expect.poll(async () => (await admin.acls())?.some((one) => sameAcl(one, acl))).toBe(how === 'add');
  }
  const notOk = ({ stdout }: Ran): string[] =>
    [...stdout.matchAll(/^ {2}NOT OK +(.+)$/gmu)].map(([, line = '']) => line.trim().replaceAll(/ {2,}/gu, ' | '));

  // The tests go through the life of one cluster, from empty.

  it('apply by somebody without rights says who may, and changes nothing', async () => {
    const { code, stderr } = await bench.run('topics apply');
    expect(code).toBe(1);
    expect(stderr).toContain('topics apply --user');
    expect(await admin.topics(Object.values(TOPICS))).toEqual([]);
    expect(await admin.acls()).toEqual([]);
  });

  it('apply --dry-run shows all there is to do, and changes nothing', async () => {
    const { code, stdout } = await bench.run(`topics apply --dry-run${asAdmin}`);
    expect(code).toBe(0);
    expect(stdout).toContain('create topic interactions.raw with 4 partitions, kept: 7 days');
    expect(stdout).toContain('create topic keyring with 1 partition, kept: last of each key');
    expect(stdout).toContain('let User:sanitizer read topic interactions.raw');
    expect(stdout).toContain('nothing was changed: --dry-run');
    expect(await admin.topics(Object.values(TOPICS))).toEqual([]);
    expect(await admin.acls()).toEqual([]);
  });

  it('verify of a cluster without the topics and rights fails, and names what is missing', async () => {
    const ran = await bench.run('topics verify --only sanitizer sink');
    expect(ran.code).toBe(1);
    expect(notOk(ran)).toContain(
      'sink | read topic interactions.sanitized | allowed | denied | TOPIC_AUTHORIZATION_FAILED',
    );
    expect(notOk(ran).every((line) => line.includes('| allowed | denied |'))).toBe(true);
  });

  it('apply makes topics and ACLs, shows them first, and has nothing left to do', async () => {
    const { code, stdout } = await bench.run(`topics apply${asAdmin}`);
    expect(code).toBe(0);
    const made = stdout.match(/^ {2}(?:create|let) /gmu)?.length ?? 0;
    expect(made).toBeGreaterThan(60);
    expect(stdout).toContain(`${made} changes made`);
    expect(stdout.indexOf('create topic interactions.raw')).toBeLessThan(stdout.indexOf('changes made'));
    // A broker tells of topics and takes in ACLs in some time after it has said that they are made.
    const partitionsByTopic = async (): Promise<unknown> => {
      const topics = await admin.topics([...Object.values(TOPICS), REPLAYS_TOPIC]);
      return Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions]));
    };
    await expect.poll(partitionsByTopic, SPREADING).toEqual({
      'interactions.raw': 4,
      'interactions.sanitized': 4,
      'interactions.quarantine': 1,
      consent: 1,
      keyring: 1,
      'sealing-keys': 1,
      devices: 1,
      erasures: 1,
      requests: 1,
      'session-owners': 4,
      audit: 1,
      [REPLAYS_TOPIC]: 1,
    });
    // As the operator: now it may look.
    await expect.poll(async () => (await bench.run('topics apply')).stdout, SPREADING).toBe('nothing to do\n');
    await expect.poll(async () => (await bench.run('topics verify')).code, SPREADING).toBe(0);
  });

  it('verify tries every part with everything: what is planned works and nothing else', async () => {
    const before = await wholeState();
    const { ok, trials, changes, extras } = await bench.json<Verified>('topics verify');
    expect([ok, changes, extras]).toEqual([true, [], []]);
    const verdicts = (as: string): Set<string> =>
      new Set(
        trials.flatMap(({ as: who, probe, got }) =>
          who !== as || probe === 'sign in' || got.verdict !== 'allowed' ? [] : [`${probe.operation} ${probe.name}`],
        ),
      );
    expect(verdicts('producer')).toEqual(new Set(['write interactions.raw', 'read sealing-keys']));
    expect(verdicts('sink')).toEqual(
      new Set([
        'read interactions.sanitized',
        'read interactions.sanitized.redactory-verify',
        ...['read', 'describe'].flatMap((what) => [`${what} sink`, `${what} replay-sink/redactory-verify`]),
        'write sink/redactory-verify',
        'write replay-sink/redactory-verify',
      ]),
    );
    for (const as of ['producer', 'sink', 'operator']) expect(verdicts(as)).not.toContain('read interactions.raw');
    expect(verdicts('sanitizer')).toContain('read interactions.raw');
    expect(trials.filter(({ probe }) => probe === 'sign in').map(({ as, got }) => [as, got.verdict])).toEqual([
      ['nobody', 'denied'],
      ['wrong secret', 'denied'],
    ]);
    // All that was tried has left nothing behind.
    expect(await wholeState()).toEqual(before);
  });

  it.each<[string, Acl, string]>([
    [
      'the sanitizer may not read raw',
      allow('sanitizer', 'read', TOPICS.raw),
      'sanitizer | read topic interactions.raw | allowed | denied | TOPIC_AUTHORIZATION_FAILED',
    ],
    [
      'the sink may not join its group',
      allow('sink', 'read', 'sink', 'group'),
      'sink | read group sink | allowed | denied | LogAccessError',
    ],
    [
      'the operator may not write consent',
      allow('operator', 'write', TOPICS.consent),
      'operator | write topic consent | allowed | denied | TOPIC_AUTHORIZATION_FAILED',
    ],
  ])('verify fails when %s, and apply mends it', async (_what, acl, line) => {
    await change('delete', acl);
    const ran = await bench.run('topics verify');
    expect(ran.code).toBe(1);
    expect(notOk(ran)).toContain(line);
    expect(ran.stdout).toContain('Not as planned (redactory topics apply)');
    expect(ran.stderr).toContain('the cluster is not as planned');
    expect((await bench.run(`topics apply${asAdmin}`)).stdout).toContain('1 change made');
    await expect.poll(async () => (await bench.run('topics verify')).code).toBe(0);
  });

  it.each<[string, Acl, string]>([
    [
      'the sink may read raw',
      allow('sink', 'read', TOPICS.raw),
      'sink | read topic interactions.raw | denied | allowed | UNKNOWN_TOPIC_OR_PARTITION',
    ],
    [
      'the sink may read the keyring',
      allow('sink', 'read', TOPICS.keyring),
      'sink | read topic keyring | denied | allowed | UNKNOWN_TOPIC_OR_PARTITION',
    ],
    [
      'everybody may write raw',
      allow('*', 'write', TOPICS.raw),
      'operator | write topic interactions.raw | denied | allowed | UNKNOWN_TOPIC_OR_PARTITION',
    ],
    [
      'the producer may delete raw',
      allow('producer', 'delete', TOPICS.raw),
      'producer | delete topic interactions.raw | denied | allowed | UNKNOWN_TOPIC_OR_PARTITION',
    ],
  ])('verify fails when %s, and apply does not take it away', async (_what, acl, line) => {
    await change('add', acl);
    const ran = await bench.run('topics verify');
    expect(ran.code).toBe(1);
    expect(notOk(ran)).toContain(line);
    expect(ran.stdout).toContain('it opens what must stay closed');
    // The part alone finds it out as well, without reading ACLs.
    const part = line.slice(0, line.indexOf(' '));
    expect(notOk(await bench.run(`topics verify --only ${part}`))).toContain(line);
    const applied = await bench.run(`topics apply${asAdmin}`);
    expect(applied.code).toBe(1);
    expect(applied.stderr).toContain('the cluster is not as planned: 1 of the lines above');
    expect(applied.stdout).toContain('nothing to do');
    expect(applied.stdout).toContain('Given beyond the plan');
    expect((await admin.acls())?.some((one) => sameAcl(one, acl))).toBe(true);
    await change('delete', acl);
    await expect.poll(async () => (await bench.run('topics verify')).code).toBe(0);
  });

  it('verify fails when somebody who is no part may read raw, and passes when they read what is released', async () => {
    const breach = allow('reader', 'read', TOPICS.raw);
    await change('add', breach);
    const ran = await bench.run('topics verify');
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain(
      'User:reader may read topic interactions.raw, beyond the plan: it opens what must stay closed',
    );
    await change('delete', breach);
    const reader = allow('reader', 'read', TOPICS.sanitized);
    await change('add', reader);
    const told = await bench.run('topics verify');
    expect(told.code).toBe(0);
    expect(told.stdout).toContain('User:reader may read topic interactions.sanitized, beyond the plan\n');
    await change('delete', reader);
  });

  it('verify --only works where the other parts have no secret', async () => {
    const { identities, ...secured } = securedKafka(kafka);
    const { sink } = identities as Readonly<Record<string, unknown>>;
    await setConfig({ kafka: { ...secured, identities: { sink } } });
    const { code, stdout, stderr } = await bench.run('topics verify --only sink');
    await setConfig();
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/all \d+ tries went as planned/u);
  });

  it('apply repairs settings, and what deletes records only with --yes', async () => {
    await admin.set(TOPICS.raw, { 'retention.ms': '99999999999', 'max.message.bytes': '1000' });
    await expect.poll(settingOf(TOPICS.raw, 'retention.ms')).toBe('99999999999');
    expect((await bench.run('topics verify --only operator')).code).toBe(1);
    const first = await bench.run('topics apply');
    expect(first.code).toBe(1);
    expect(first.stdout).toContain(
      'set interactions.raw retention.ms: 99999999999 -> 604800000 (the cluster will DELETE records because of it)',
    );
    expect(first.stdout).toContain('1 change made; 1 not: they delete records, add --yes to make them');
    await expect.poll(settingOf(TOPICS.raw, 'max.message.bytes')).toBe('2097152');
    expect(await settingOf(TOPICS.raw, 'retention.ms')()).toBe('99999999999');
    const { changes } = await bench.json<Applied>('topics apply --yes');
    expect(changes).toMatchObject([{ kind: 'set', setting: 'retention.ms', done: true }]);
    await expect.poll(settingOf(TOPICS.raw, 'retention.ms')).toBe('604800000');
  });

  it('apply adds partitions only when asked, and never takes any away', async () => {
    const partitions = async (): Promise<number | undefined> => (await admin.topics([TOPICS.raw]))[0]?.partitions;
    await setConfig({ topics: { partitions: 6 } });
    expect((await bench.run('topics apply')).stdout).toContain('interactions.raw has 4 partitions, the plan says 6');
    expect(await partitions()).toBe(4);
    expect((await bench.run('topics apply --add-partitions')).stdout).toContain(
      'add partitions to interactions.raw: 4 -> 6',
    );
    await expect.poll(partitions).toBe(6);
    await setConfig({ topics: { partitions: 2 } });
    for (const args of ['topics apply', 'topics apply --add-partitions --yes']) {
      const { code, stdout } = await bench.run(args);
      expect(code).toBe(1);
      expect(stdout).toContain('partitions are never taken away');
    }
    expect((await bench.run('topics verify --only operator')).code).toBe(1);
    expect(await partitions()).toBe(6);
    await setConfig();
  });

  const settingOf = (topic: string, setting: string) => async (): Promise<string | null | undefined> =>
    (await admin.topics([topic]))[0]?.settings[setting]?.value;

  /** What can be seen of the cluster: all its topics with their ends, groups and ACLs. */
  async function wholeState(): Promise<unknown> {
    return { ...(await kafkaState(kafka)), acls: (await admin.acls())?.map((acl) => JSON.stringify(acl)).toSorted() };
  }
});

describe('what topics apply leaves', () => {
  const nothing = { changes: [], problems: [], extras: [] };
  const kafka = kafkaSchema.parse({ brokers: ['a:1'] });
  const secured = [
    { ...kafka, sasl: { mechanism: 'plain' as const } },
    { ...kafka, tls: { certFile: 'c', keyFile: 'k' } },
  ];
  const problem = (kind: Problem['kind']): Problem => ({ kind, what: 'w', todo: 't' });
  const extra = (isBreach: boolean): Extra => ({
    acl: {
      principal: 'User:a',
      host: '*',
      permission: 'allow',
      operation: 'read',
      resource: { type: 'topic', name: 'x', pattern: 'literal' },
    },
    isBreach,
  });
  const change: Change = { kind: 'add-partitions', topic: 'x', from: 1, to: 2 };

  it('counts changes that were not made, problems and breaches', () => {
    for (const given of [kafka, ...secured]) {
      expect(leftUndone(given, nothing)).toBe(0);
      expect(leftUndone(given, { ...nothing, extras: [extra(false)] })).toBe(0);
      expect(leftUndone(given, { ...nothing, extras: [extra(true)] })).toBe(1);
      expect(leftUndone(given, { ...nothing, changes: [change] })).toBe(1);
      for (const kind of ['partitions', 'replicas', 'denied', 'shared-user'] as const) {
        expect(leftUndone(given, { ...nothing, problems: [problem(kind)] })).toBe(1);
      }
    }
  });

  it('is a missing authorizer where the config says who is who', () => {
    const given = { ...nothing, problems: [problem('no-authorizer')] };
    expect(leftUndone(kafka, given)).toBe(0);
    expect(leftUndone({ ...kafka, tls: {} }, given)).toBe(0);
    for (const one of secured) expect(leftUndone(one, given)).toBe(1);
  });
});

describeWithKafka('topics on a cluster without an authorizer', () => {
  it('are applied, and it says that it is for trying out', async () => {
    const [kafka, bench] = await Promise.all([startKafka(), createBench()]);
    const env = { REDACTORY_KAFKA_BROKERS: kafka.brokers.join(',') };
    const { code, stderr } = await bench.run('topics apply', { env });
    await Promise.all([kafka.close(), bench.remove()]);
    expect(stderr).toBe(
      'redactory: the cluster has no authorizer: everybody may read raw and the keyring: it is for trying out only\n',
    );
    expect(code).toBe(0);
  });
});

describeWithKafka('topics verify on a cluster without an authorizer', () => {
  it('fails, tries nothing, and says what to set', async () => {
    const bench = await createBench();
    const env = { REDACTORY_KAFKA_BROKERS: (await sharedBrokers()).join(',') };
    const { code, stdout } = await bench.run('topics verify', { env });
    const parts = await bench.run('topics verify --only sink', { env });
    await bench.remove();
    expect(code).toBe(1);
    expect(stdout).toContain('the cluster has no authorizer: everybody may read raw and the keyring');
    expect(stdout).toContain('authorizer.class.name');
    expect(stdout).not.toContain('NOT OK');
    // Who does not look at ACLs finds out by trying.
    expect(parts.code).toBe(1);
    expect(parts.stdout).toMatch(/NOT OK +sink +read topic interactions\.raw +denied +allowed/u);
  });
});

/** How long to ask again while ACLs spread. */
const SPREADING = { timeout: 30_000 };

const sameAcl = (one: Acl, other: Acl): boolean => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
const sorted = ({ principal, host, permission, operation, resource }: Acl): unknown => [
  principal,
  host,
  permission,
  operation,
  resource.type,
  resource.name,
  resource.pattern,
];

/** What the product never asks of a cluster. */
async function deleteAcl(client: KafkaClient, acl: Acl): Promise<void> {
  const [topic, group] = [2, 3];
  const codes: Readonly<Record<string, number>> = { read: 3, write: 4, delete: 6 };
  const request = call(
    { key: 31, version: 1, name: 'DeleteAcls' },
    (w) =>
      w.array([acl], ({ resource, principal, host, operation }) =>
        w
          .int8(resource.type === 'topic' ? topic : group)
          .string(resource.name)
          .int8(3)
          .string(principal)
          .string(host)
          .int8(codes[operation] ?? 0)
          .int8(3),
      ),
    (r) => {
      r.int32();
      r.int32();
      return r.int16();
    },
  );
  expect(await client.send(await client.controller(), 'control', request)).toBe(0);
}
