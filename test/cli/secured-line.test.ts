import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROLES, type Role } from '../../src/config-kafka.ts';
import { loadConfig } from '../../src/config.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { LogAccessError } from '../../src/log/kafka/errors.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { accessPlan } from '../../src/runtime/access.ts';
import { REPLAYS_TOPIC } from '../../src/runtime/replay/names.ts';
import { serveGateway } from '../../src/runtime/gateway.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace } from '../../src/runtime/workspace.ts';
import { securedKafka, writeConfig } from '../helpers/cluster-config.ts';
import { kafkaState } from '../helpers/kafka-state.ts';
import { lets, named } from '../runtime/access-plans.ts';
import { describeWithKafka, startKafka, type KafkaServer } from '../servers/kafka.ts';
import { createBench, type Bench } from './harness.ts';

/** The rights that `topics plan` names are enough for every command, and the cluster holds each part to its own. */
describeWithKafka('the line on a cluster where each part has a user of its own', () => {
  let kafka: KafkaServer;
  let bench: Bench;
  beforeAll(async () => {
    [kafka, bench] = await Promise.all([startKafka({ security: 'scram' }), createBench()]);
    await writeConfig(bench.dir, { kafka: securedKafka(kafka) });
    const file = kafka.access?.passwordFiles.admin ?? '';
    await bench.json(`topics apply --user admin --secret-file ${file}`);
  });
  afterAll(() => Promise.all([kafka?.close(), bench?.remove()]));

  // Not long ago: a broker deletes what is older than the topic keeps.
  const start = new Date(Date.now() - 3_600_000).toISOString();

  // In this order: each goes on where the one before ended.
  it.each([
    'keys sealing rotate',
    `simulate --people 4 --minutes 5 --seed 5 --start ${start}`,
    'sanitize --until-end',
    'sink --until-end',
    'run --until-end',
    'inspect raw',
    'inspect sanitized',
    'inspect quarantine',
    'inspect table',
    'consent enrol --subject ana@corp.example',
    'consent pause --subject ana@corp.example --minutes 5',
    'consent show --subject ana@corp.example',
    'devices issue --subject ana@corp.example',
    'devices list',
    'keys list',
    'keys rotate',
    'keys sealing rotate',
    'keys sealing list',
    'keys sealing destroy --expired --yes',
    'replay --policy balanced --into trial --dry-run',
    'replay --policy balanced --into trial',
    'replay list',
    'replay show trial',
    'replay promote trial',
    'topics verify',
    'audit show',
    'audit verify',
  ])('%s', async (args) => {
    const { code, stderr } = await bench.run(args);
    expect(stderr).not.toMatch(/"level":[45]0|^redactory:/mu);
    expect(code).toBe(0);
  });

  it('was a replay with released batches, in topics and groups whose names the plan covers', async () => {
    const { rows } = await bench.json<{ rows: number }>('replay --policy balanced --into trial');
    expect(rows).toBeGreaterThan(50);
    const { ends, groups } = await kafkaState(kafka);
    expect(Object.keys(ends)).toEqual(
      expect.arrayContaining(['interactions.sanitized.trial', 'interactions.quarantine.trial', REPLAYS_TOPIC]),
    );
    expect(new Set(groups)).toEqual(new Set(['sanitize', 'sink', 'replay/trial', 'replay-sink/trial']));
  });

  it.each([
    'replay --policy balanced --into left',
    'replay abandon left',
    'replay abandon trial --table-lost',
    'erase --subject ana@corp.example',
    'steward --once',
    'sink --until-end --refill',
  ])('%s', async (args) => {
    const { code, stderr } = await bench.run(args);
    expect(stderr).not.toMatch(/"level":[45]0|^redactory:/mu);
    expect(code).toBe(0);
  });

  it('takes batches through a gateway that has no more rights than its own', async () => {
    const subject = 'ben@corp.example';
    await bench.json(`consent enrol --subject ${subject}`);
    const { token } = await bench.json<{ token: string }>(`devices issue --subject ${subject}`);
    const config = await loadConfig({ env: {}, cwd: bench.dir });
    const own = { ...config, gateway: { ...config.gateway, port: 0 } };
    const workspace = await openWorkspace(own, {}, { role: 'gateway' });
    const { policy } = await loadPolicy(config.policy);
    const gateway = await serveGateway({ workspace, policy, telemetry: createTelemetry(silentLogger) });
    const ask = async (method: string, path: string, json: unknown): Promise<[number, { session?: string }]> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const answer = await fetch(gateway.address + path, { method, headers, body: JSON.stringify(json) });
      return [answer.status, (await answer.json()) as { session?: string }];
    };
    try {
      const [status, { session = '' }] = await ask('POST', '/v1/sessions', { device: 'laptop' });
      expect(status).toBe(201);
      const before = await endOfRaw();
      const batch = { subject, device: 'laptop', events: [{ kind: 'focus', at: Date.now() }] };
      const batches = `/v1/sessions/${session}/batches`;
      expect((await ask('PUT', `${batches}/0`, batch))[0]).toBe(200);
      expect((await endOfRaw()) - before).toBe(1);
      expect((await ask('POST', '/v1/me/pause', { minutes: 5 }))[0]).toBe(200);
      expect((await ask('PUT', `${batches}/1`, batch))[0]).toBe(410);
    } finally {
      await gateway.close();
      await workspace.close();
    }
  });

  async function endOfRaw(): Promise<number> {
    const { ends } = await kafkaState(kafka);
    const partitions = ends[TOPICS.raw] as readonly { readonly offset: string }[]; // as the client's admin gives them
    return partitions.reduce((sum, { offset }) => sum + Number(offset), 0);
  }

  it.each(ROLES)('lets the %s read what the plan says and refuses it everything else', async (role) => {
    const config = await loadConfig({ env: {}, cwd: bench.dir });
    const plan = accessPlan(config);
    const workspace = await openWorkspace(config, {}, { role });
    try {
      const names = [
        ...Object.values(TOPICS),
        REPLAYS_TOPIC,
        `${TOPICS.sanitized}.trial`,
        `${TOPICS.quarantine}.trial`,
      ];
      const got = await Promise.all(names.map(async (name) => [name, await canRead(workspace.log, name)]));
      expect(got).toEqual(names.map((name) => [name, lets(plan, role, 'read', named('topic', name))]));
    } finally {
      await workspace.close();
    }
  });

  it.each<[Role, string]>([
    ['sink', TOPICS.raw],
    ['sink', TOPICS.sanitized],
    ['operator', TOPICS.raw],
    ['producer', TOPICS.consent],
    ['sanitizer', TOPICS.consent],
    ['gateway', TOPICS.devices],
    ['gateway', TOPICS.keyring],
  ])('refuses the %s to write %s', async (role, topic) => {
    const workspace = await openWorkspace(await loadConfig({ env: {}, cwd: bench.dir }), {}, { role });
    const record = { key: 'k', value: Buffer.from('v'), timestamp: 1 };
    await expect(workspace.log.append(topic, [record])).rejects.toThrow(LogAccessError);
    await workspace.close();
  });
});

async function canRead(log: EventLog, topic: string): Promise<boolean> {
  try {
    await log.read({ topic, partition: 0, offset: 0, maxRecords: 1, maxBytes: 1_000, waitMs: 0 });
    return true;
  } catch (error) {
    if (error instanceof LogAccessError) return false;
    throw error;
  }
}
