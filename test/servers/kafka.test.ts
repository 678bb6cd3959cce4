import { readFile, stat } from 'node:fs/promises';
import { Kafka, logLevel, type KafkaConfig } from 'kafkajs';
import { afterEach, expect, test } from 'vitest';
import { describeWithKafka, sharedBrokers, startKafka, type KafkaServer, type User } from './kafka.ts';
import { API } from './proxy.ts';

let server: KafkaServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

function client(server: Pick<KafkaServer, 'brokers'>, more: Partial<KafkaConfig> = {}): Kafka {
  return new Kafka({ brokers: [...server.brokers], logLevel: logLevel.NOTHING, retry: { retries: 3 }, ...more });
}

async function topicsOf(kafka: Kafka): Promise<string[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

async function createTopic(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true });
  await admin.disconnect();
}

describeWithKafka('a broker for tests', () => {
  test('keeps its address and data over a stop and over a kill', async () => {
    server = await startKafka();
    const { brokers } = server;
    await createTopic(client(server), 'one');
    await server.stop();
    await expect(topicsOf(client(server, { retry: { retries: 0 } }))).rejects.toThrow('ECONNREFUSED');
    await server.start();
    expect(await topicsOf(client(server))).toEqual(['one']);
    await server.kill();
    await server.start();
    expect(server.brokers).toEqual(brokers);
    expect(await topicsOf(client(server))).toEqual(['one']);
  });

  test('with scram: signs in by password over TLS, and denies what no rule allows', async () => {
    server = await startKafka({ security: 'scram' });
    const access = server.access;
    if (access === undefined) throw new Error('no access');
    const as = async (username: User, password?: string): Promise<Kafka> =>
      client(server as KafkaServer, {
        ssl: { ca: await readFile(access.caFile, 'utf8') },
        sasl: {
          mechanism: access.mechanism,
          username,
          password: password ?? (await readFile(access.passwordFiles[username], 'utf8')),
        },
      });
    await createTopic(await as('admin'), 'one');
    expect(await topicsOf(await as('admin'))).toEqual(['one']);
    expect(await topicsOf(await as('sink'))).toEqual([]);
    await expect(topicsOf(await as('sink', 'wrong'))).rejects.toThrow('SASL SCRAM SHA256 authentication failed');
    await expect(createTopic(await as('producer'), 'two')).rejects.toThrow('Topic creation errors');
    expect((await stat(access.passwordFiles.sink)).mode & 0o777).toBe(0o600);
  });

  test('one is shared by all files of a run', async () => {
    const brokers = await sharedBrokers();
    expect(await sharedBrokers()).toEqual(brokers);
    expect(await topicsOf(client({ brokers }))).toBeInstanceOf(Array);
  });

  test('behind a proxy: clients find their way only through it, and those who may go past it see no faults', async () => {
    server = await startKafka({ proxied: true });
    const { proxy, direct } = server;
    if (proxy === undefined) throw new Error('no proxy');
    await createTopic(client(server), 'one');
    expect(proxy.counts.requests.get(API.createTopics)).toBe(1);
    proxy.cut();
    await expect(topicsOf(client(server, { retry: { retries: 0 } }))).rejects.toThrow('ECONNRESET');
    expect(await topicsOf(client({ brokers: direct }))).toEqual(['one']);
    proxy.restore();
    expect(await topicsOf(client(server))).toEqual(['one']);
  });

  test('the answer to a request is lost after the broker has carried it out', async () => {
    server = await startKafka({ proxied: true });
    const { proxy } = server;
    if (proxy === undefined) throw new Error('no proxy');
    const happened = proxy.cutAfterRequest(API.createTopics);
    await expect(createTopic(client(server), 'one')).rejects.toThrow('ECONNRESET');
    await happened;
    expect(await topicsOf(client(server))).toEqual(['one']);
    expect(proxy.counts).toMatchObject({ cut: 1, droppedAnswers: 1 });
  });

  test('the answer to a request never comes', async () => {
    server = await startKafka({ proxied: true });
    const { proxy } = server;
    if (proxy === undefined) throw new Error('no proxy');
    const answer = proxy.dropAnswersOf(API.createTopics);
    const once = client(server, { requestTimeout: 300, enforceRequestTimeout: true, retry: { retries: 0 } });
    await expect(createTopic(once, 'one')).rejects.toThrow('timed out');
    answer();
    expect(await topicsOf(client(server))).toEqual(['one']);
    expect(proxy.counts).toMatchObject({ cut: 0, droppedAnswers: 1 });
  });

  test('one that does not start says what it printed last', async () => {
    await expect(startKafka({ properties: { 'authorizer.class.name': 'no.such.Authorizer' } })).rejects.toThrow(
      /last lines:[^]*no.such.Authorizer/u,
    );
  });
});
