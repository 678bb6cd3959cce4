import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openKafkaLog } from '../../src/log/kafka.ts';
import { LogAccessError } from '../../src/log/kafka/errors.ts';
import type { KafkaOptions } from '../../src/log/kafka/options.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { describeWithKafka, startKafka, type KafkaServer, type User } from '../servers/kafka.ts';

const NOW = { partition: 0, offset: 0, maxRecords: 10, maxBytes: 1e6, waitMs: 0 };

describeWithKafka('the log on a Kafka cluster that denies by default', () => {
  let kafka: KafkaServer;
  let admin: EventLog;
  let sink: EventLog;
  const topic = `t-${randomUUID()}`;
  const told: string[] = [];

  const options = (user: User, password: () => Promise<string>): KafkaOptions => ({
    brokers: kafka.brokers,
    clientId: 'test',
    compression: 'none',
    sessionTimeoutMs: 6_000,
    transactionTimeoutMs: 3_000,
    requestTimeoutMs: 15_000,
    tls: { caFile: kafka.access?.caFile ?? '' },
    sasl: { mechanism: 'scram-sha-256', username: user, password },
    onLog: (level, message, detail) => void told.push(`${level} ${message} ${detail}`),
  });
  const signedIn = (user: User): Promise<EventLog> => {
    const file = kafka.access?.passwordFiles[user] ?? '';
    return openKafkaLog(options(user, () => readFile(file, 'utf8')));
  };

  beforeAll(async () => {
    kafka = await startKafka({ security: 'scram' });
    admin = await signedIn('admin');
    await admin.createTopics([{ name: topic, partitions: 1, cleanup: { kind: 'compact' } }]);
    await admin.append(topic, [{ key: 'k', value: Buffer.from('v'), timestamp: 1 }]);
    sink = await signedIn('sink');
  });
  afterAll(async () => {
    await Promise.all([admin?.close(), sink?.close()]);
    await kafka?.close();
  });

  it('signs in over TLS and works', async () => {
    expect((await admin.read({ ...NOW, topic })).records).toHaveLength(1);
    const tx = await (await admin.transactional('id')).begin();
    await tx.append(topic, [{ key: 'k', value: null, timestamp: 2 }]);
    await tx.commitOffset('g', { topic, partition: 0 }, { offset: 1, metadata: '' });
    await tx.commit();
    expect(await admin.committed('g', { topic, partition: 0 })).toEqual({ offset: 1, metadata: '' });
  });

  it.each<[string, (log: EventLog) => Promise<unknown>, string]>([
    ['reading', (log) => log.read({ ...NOW, topic }), `topic '${topic}'`],
    ['appending', (log) => log.append(topic, [{ key: 'k', value: null, timestamp: 1 }]), `topic '${topic}'`],
    ['asking for ends', (log) => log.endOffsets(topic), `topic '${topic}'`],
    ['creating', (log) => log.createTopics([{ name: 'new', partitions: 1, cleanup: { kind: 'compact' } }]), 'topic'],
    ['taking over an id', (log) => log.transactional('some-id'), "transactional id 'some-id'"],
  ])('says what is missing for %s', async (_what, act, names) => {
    const acting = act(sink);
    await expect(acting).rejects.toThrow(LogAccessError);
    await expect(acting).rejects.toThrow(names);
  });

  it('says at once that a password is wrong, and never shows it', async () => {
    const password = `wrong-${randomUUID()}`;
    const opening = openKafkaLog(options('sink', async () => password));
    await expect(opening).rejects.toThrow(LogAccessError);
    await expect(opening).rejects.not.toThrow(password);
    expect(told.join('\n')).not.toContain(password);
  });

  it('says at once that the certificate is not trusted', async () => {
    const { tls: _, ...without } = options('sink', async () => 'x');
    await expect(openKafkaLog({ ...without, tls: {} })).rejects.toThrow(LogAccessError);
  });
});
