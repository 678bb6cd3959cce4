import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  FencedError,
  OffsetOutOfRangeError,
  type EventLog,
  type LogRecord,
  type NewRecord,
} from '../../src/log/event-log.ts';
import { openKafkaLog } from '../../src/log/kafka.ts';
import {
  addOffsetsToTxnCall,
  addPartitionsToTxnCall,
  call,
  endTxnCall,
  initProducerIdCall,
  txnOffsetCommitCall,
} from '../../src/log/kafka/calls.ts';
import { KafkaClient } from '../../src/log/kafka/client.ts';
import { LogUnavailableError } from '../../src/log/kafka/errors.ts';
import type { ProtocolCall } from '../../src/log/kafka/internals.ts';
import { COMPRESSIONS, type KafkaOptions } from '../../src/log/kafka/options.ts';
import { SequencedProducer } from '../../src/log/kafka/producing.ts';
import { Packer } from '../../src/log/kafka/records.ts';
import { eventLogContract } from '../contract/event-log.ts';
import { describeWithKafka, sharedBrokers, startKafka, type KafkaServer } from '../servers/kafka.ts';
import { API } from '../servers/proxy.ts';

const FOR_EVER = { kind: 'delete', retentionMs: 1e15 } as const;
const NOW = { partition: 0, maxRecords: 10_000, maxBytes: 10_000_000, waitMs: 0 };

function optionsFor(brokers: readonly string[], more: Partial<KafkaOptions> = {}): KafkaOptions {
  return {
    brokers,
    clientId: 'test',
    compression: 'none',
    sessionTimeoutMs: 6_000,
    transactionTimeoutMs: 3_000,
    requestTimeoutMs: 30_000,
    ...more,
  };
}

const unique = (): string => `t-${randomUUID()}`;
const record = (value: string): NewRecord => ({ key: 'k', value: Buffer.from(value), timestamp: 1000 });
const text = ({ value }: LogRecord): string => Buffer.from(value ?? []).toString();

async function topicOf(log: EventLog): Promise<string> {
  const name = unique();
  await log.createTopics([{ name, partitions: 1, cleanup: FOR_EVER }]);
  return name;
}

async function valuesOf(log: EventLog, topic: string, maxBytes = NOW.maxBytes): Promise<string[]> {
  const all: string[] = [];
  for (let offset = 0; ;) {
    const { records, nextOffset, endOffset } = await log.read({ ...NOW, topic, offset, maxBytes });
    all.push(...records.map(text));
    if (nextOffset >= endOffset) return all;
    offset = nextOffset;
  }
}

describeWithKafka('the log on Kafka', () => {
  eventLogContract('kafka', { cleans: false, settleMs: 20_000 }, async () => {
    const options = optionsFor(await sharedBrokers());
    const [log, other] = [await openKafkaLog(options), await openKafkaLog(options)];
    return { log, other, close: async () => void (await Promise.all([log.close(), other.close()])) };
  });

  describe('on a broker that stays', () => {
    let log: EventLog;
    let options: KafkaOptions;
    beforeAll(async () => {
      options = optionsFor(await sharedBrokers());
      log = await openKafkaLog(options);
    });
    afterAll(() => log?.close());

    it('shows no record of an aborted transaction among those of others, nor of one whose producer is gone', async () => {
      const topic = await topicOf(log);
      const client = await clientOf({ ...options, transactionTimeoutMs: 60_000 });
      const open = (timeoutMs = 60_000): Promise<OpenTransaction> =>
        openTransaction(client, topic, { id: unique(), timeoutMs });
      const [one, two, three, gone] = [await open(), await open(), await open(), await open(1_000)];
      await one.write('1 aborted');
      await two.write('2 aborted');
      await gone.write('gone');
      await log.append(topic, [record('plain')]);
      await three.write('3 kept');
      await one.write('1 aborted again');
      await one.end('abort');
      await two.write('2 aborted again');
      await three.write('3 kept again');
      const kept = await open();
      await kept.write('kept');
      await two.end('abort');
      await kept.end('commit');
      await three.end('commit');
      expect(await valuesOf(log, topic)).toEqual([]);
      // The broker ends what is left open after its time.
      const last = await log.append(topic, [record('last')]);
      await expect.poll(() => log.endOffsets(topic), { timeout: 20_000 }).not.toEqual([0]);
      await expect
        .poll(async () => (await log.endOffsets(topic))[0], { timeout: 20_000 })
        .toBeGreaterThan(last[0] ?? 0);
      expect(await valuesOf(log, topic)).toEqual(['plain', '3 kept', '3 kept again', 'kept', 'last']);
      // The same, batch by batch.
      expect(await valuesOf(log, topic, 1)).toEqual(['plain', '3 kept', '3 kept again', 'kept', 'last']);
      client.close();
    });

    it('waits for the transaction of a former owner that is being ended before it hands its id out', async () => {
      const topic = await topicOf(log);
      const client = await clientOf(options);
      const id = unique();
      const left = await openTransaction(client, topic, { id, timeoutMs: 60_000 });
      await left.write('left open');
      const owner = await log.transactional(id);
      expect(await log.endOffsets(topic)).toEqual([2]);
      expect(await valuesOf(log, topic)).toEqual([]);
      await expect(left.write('late')).rejects.toMatchObject({
        type: expect.stringMatching(/EPOCH|FENCED/u) as unknown,
      });
      await owner.close();
      client.close();
    });

    it('tells by high watermarks what readers do not see yet: a transaction has not ended on that partition', async () => {
      const topic = await topicOf(log);
      const client = await clientOf(options);
      await log.append(topic, [record('plain')]);
      const open = await openTransaction(client, topic, { id: unique(), timeoutMs: 60_000 });
      await open.write('open');
      expect([await log.endOffsets(topic), await log.highWatermarks(topic)]).toEqual([[1], [2]]);
      await open.end('commit');
      await expect.poll(() => log.endOffsets(topic), { timeout: 20_000 }).toEqual([3]);
      expect(await log.highWatermarks(topic)).toEqual([3]);
      client.close();
    });

    it('waits for a position that a transaction is about to commit', async () => {
      const topic = await topicOf(log);
      const client = await clientOf(options);
      const group = unique();
      const tx = await openTransaction(client, topic, { id: unique(), timeoutMs: 60_000 });
      await tx.write('a');
      await tx.position(group, 7);
      let told = false;
      const asked = log.committed(group, { topic, partition: 0 }).finally(() => (told = true));
      // As long as other questions take, and more.
      await log.committed(unique(), { topic, partition: 0 });
      await log.endOffsets(topic);
      expect(told).toBe(false);
      await tx.end('commit');
      expect(await asked).toEqual({ offset: 7, metadata: '' });
      client.close();
    });

    it('refuses to read what retention has taken, and names what is there', async () => {
      const topic = await topicOf(log);
      await log.append(topic, ['a', 'b', 'c'].map(record));
      const client = await clientOf(options);
      await client.send(await client.leaderOf({ topic, partition: 0 }), 'test', deleteRecordsCall(topic, 2));
      client.close();
      const reading = log.read({ ...NOW, topic, offset: 1 });
      await expect(reading).rejects.toThrow(OffsetOutOfRangeError);
      await expect(reading).rejects.toThrow(/Offset 1 .*2\.\.3/su);
      expect(await log.beginOffsets(topic)).toEqual([2]);
    });

    it.each(COMPRESSIONS)('reads what was compressed by %s', async (compression) => {
      const topic = await topicOf(log);
      const writer = await openKafkaLog({ ...options, compression });
      const values = Array.from({ length: 50 }, (_, i) => `${i}`.repeat(100));
      await writer.append(topic, values.map(record));
      const producer = await writer.transactional(unique());
      const tx = await producer.begin();
      await tx.append(topic, [record('transactional')]);
      await tx.commit();
      expect(await valuesOf(log, topic)).toEqual([...values, 'transactional']);
      await writer.close();
    });

    it('takes records of a megabyte, many of them in one call, and reads them by small fetches', async () => {
      const topic = await topicOf(log);
      const sizes = [1_048_576, 10, 1_000_000, 1_048_576, 20];
      const big = sizes.map((size, i) => record(`${i}`.repeat(size)));
      const offsets = await log.append(topic, big);
      expect(offsets).toEqual([0, 1, 2, 3, 4]);
      expect((await valuesOf(log, topic, 1_000)).map((value) => value.length)).toEqual(sizes);
    });

    it('says that a record is too large for its topic, and goes on', async () => {
      const topic = await topicOf(log);
      const tooLarge = log.append(topic, [record('x'.repeat(3_000_000))]);
      await expect(tooLarge).rejects.toThrow(RangeError);
      await expect(tooLarge).rejects.toThrow(new RegExp(`${topic}.*max\\.message\\.bytes`, 'u'));
      await log.append(topic, [record('small')]);
      expect(await valuesOf(log, topic)).toEqual(['small']);
    });

    it('does not unpack what would be far more than a topic may hold, and reads on', async () => {
      const topic = await topicOf(log);
      const foreign = await openKafkaLog({ ...options, compression: 'zstd' });
      await foreign.append(topic, [{ key: 'k', value: new Uint8Array(40 * 2 ** 20), timestamp: 1, partition: 0 }]);
      await foreign.close();
      await log.append(topic, [{ ...record('after'), partition: 0 }]);
      const request = { topic, partition: 0, offset: 0, maxRecords: 10, maxBytes: 1e6, waitMs: 0 };
      await expect(log.read(request)).rejects.toThrow(/unpacks to more than/u);
      const { records, nextOffset } = await log.read({ ...request, standIns: true });
      expect(records).toMatchObject([{ offset: 0, value: null, refused: 'limit_exceeded' }, { offset: 1 }]);
      expect(nextOffset).toBe(2);
    });

    it('reads partitions side by side, large ones among them', async () => {
      const topic = unique();
      await log.createTopics([{ name: topic, partitions: 5, cleanup: FOR_EVER }]);
      for (let partition = 0; partition < 5; partition += 1) {
        await log.append(topic, [{ ...record(`${partition}`.repeat(200_000)), partition }]);
      }
      const read = (partition: number): Promise<unknown> =>
        log.read({ ...NOW, topic, partition, offset: 0, maxBytes: 1_000 });
      const all = await Promise.all([0, 1, 2, 3, 4].map(read));
      expect(all).toMatchObject([0, 1, 2, 3, 4].map((partition) => ({ records: [{ partition }], nextOffset: 1 })));
    });

    it('appends of many callers at once keep their order and get their own offsets', async () => {
      const topic = await topicOf(log);
      const calls = Array.from({ length: 50 }, (_, i) => ['a', 'b', 'c'].map((part) => `${i}${part}`));
      const offsets = await Promise.all(calls.map((values) => log.append(topic, values.map(record))));
      const values = await valuesOf(log, topic);
      expect(values).toEqual(calls.flat());
      offsets.forEach((own, i) => expect(own.map((offset) => values[offset])).toEqual(calls[i]));
    });

    it("copies the caller's buffers also when it has yet to look for the topic", async () => {
      const topics = [await topicOf(log), await topicOf(log)];
      const fresh = await openKafkaLog(options);
      const tx = await (await fresh.transactional(unique())).begin();
      const value = Buffer.from('before');
      const writing = [
        fresh.append(topics[0] ?? '', [{ ...record(''), value }]),
        tx.append(topics[1] ?? '', [{ ...record(''), value }]),
      ];
      value.fill(0);
      await Promise.all(writing);
      await tx.commit();
      for (const topic of topics) expect(await valuesOf(log, topic)).toEqual(['before']);
      await fresh.close();
    });

    it('leaves no topic behind that was only asked for', async () => {
      const topic = unique();
      await expect(log.endOffsets(topic)).rejects.toThrow(topic);
      await expect(log.append(topic, [record('a')])).rejects.toThrow(topic);
      await expect(log.partitions(topic)).rejects.toThrow(topic);
    });

    it('a failed producer is not used again', async () => {
      const topic = await topicOf(log);
      const id = unique();
      const producer = await log.transactional(id);
      await log.transactional(id);
      const tx = await producer.begin();
      await tx.append(topic, [record('a')]);
      await expect(tx.commit()).rejects.toThrow(FencedError);
      await expect(producer.begin()).rejects.toThrow(LogUnavailableError);
    });
  });

  describe('on a broker that fails', () => {
    let kafka: KafkaServer;
    let log: EventLog;
    let topic: string;
    beforeAll(async () => {
      kafka = await startKafka({ proxied: true });
      log = await openKafkaLog(optionsFor(kafka.brokers, { transactionTimeoutMs: 10_000 }));
      topic = await topicOf(log);
    });
    afterAll(async () => {
      await log?.close();
      await kafka?.close();
    });
    const proxy = (): NonNullable<KafkaServer['proxy']> => {
      if (kafka.proxy === undefined) throw new Error('It was asked for.');
      return kafka.proxy;
    };
    const end = async (): Promise<number> => (await log.endOffsets(topic))[0] ?? -1;

    it('asks together what is asked for together', async () => {
      const topics = await Promise.all([topicOf(log), topicOf(log), topicOf(log)]);
      const asking = async (api: number, ask: (topic: string) => Promise<unknown>): Promise<number> => {
        const { requests } = proxy().counts;
        const before = requests.get(api) ?? 0;
        await Promise.all(topics.map(ask));
        return (requests.get(api) ?? 0) - before;
      };
      expect(await asking(API_LIST_OFFSETS, (name) => log.endOffsets(name))).toBe(1);
      expect(await asking(API.fetch, (name) => log.read({ ...NOW, topic: name, offset: 0 }))).toBe(1);
      // A request may name a partition only once.
      expect(await asking(API.fetch, () => log.read({ ...NOW, topic, offset: 0 }))).toBe(3);
    });

    it('appends once although the answer is lost', async () => {
      const cut = proxy().cutAfterRequest(API.produce);
      const [offset = -1] = await log.append(topic, [record('appended')]);
      await cut;
      const { records } = await log.read({ ...NOW, topic, offset });
      expect(records.map(text)).toEqual(['appended']);
      expect((await valuesOf(log, topic)).filter((value) => value === 'appended')).toHaveLength(1);
    });

    it('reads although the answer is lost', async () => {
      const offset = await end();
      await log.append(topic, [record('read')]);
      const cut = proxy().cutAfterRequest(API.fetch);
      expect((await log.read({ ...NOW, topic, offset })).records.map(text)).toEqual(['read']);
      await cut;
    });

    it('does not know whether a commit took place whose answer is lost; the next owner of the id does', async () => {
      const id = unique();
      const producer = await log.transactional(id);
      const tx = await producer.begin();
      await tx.append(topic, [record('committed once')]);
      await tx.commitOffset('g', { topic, partition: 0 }, { offset: 5, metadata: 'm' });
      const cut = proxy().cutAfterRequest(API.endTxn);
      await expect(tx.commit()).rejects.toThrow(LogUnavailableError);
      await cut;
      await expect(producer.begin()).rejects.toThrow(LogUnavailableError);
      await log.transactional(id);
      expect(await log.committed('g', { topic, partition: 0 })).toEqual({ offset: 5, metadata: 'm' });
      expect((await valuesOf(log, topic)).filter((value) => value === 'committed once')).toHaveLength(1);
    });

    it.each([API.addPartitionsToTxn, API.addOffsetsToTxn, API.txnOffsetCommit])(
      'writes nothing of a transaction in which the answer to request %i is lost',
      async (request) => {
        const id = unique();
        const group = unique();
        const tx = await (await log.transactional(id)).begin();
        await tx.append(topic, [record('lost')]);
        await tx.commitOffset(group, { topic, partition: 0 }, { offset: 5, metadata: '' });
        const cut = proxy().cutAfterRequest(request);
        await expect(tx.commit()).rejects.toThrow(LogUnavailableError);
        await cut;
        await log.transactional(id);
        expect(await log.committed(group, { topic, partition: 0 })).toBeUndefined();
        expect(await valuesOf(log, topic)).not.toContain('lost');
      },
    );

    it('commits over connections that were closed while nothing was sent', async () => {
      const producer = await log.transactional(unique());
      for (const value of ['before', 'after']) {
        const tx = await producer.begin();
        await tx.append(topic, [record(`${value} the cut`)]);
        await tx.commit();
        proxy().cut();
        proxy().restore();
        await log.read({ ...NOW, topic, offset: 0 });
      }
      expect(await valuesOf(log, topic)).toEqual(expect.arrayContaining(['before the cut', 'after the cut']));
    });

    it('goes on with a read, an append and a wait when the broker is back', async () => {
      const offset = await end();
      await kafka.stop();
      const read = log.read({ ...NOW, topic, offset, waitMs: 60_000 });
      const appended = log.append(topic, [record('after the stop')]);
      await kafka.start();
      await appended;
      expect((await read).records.map(text)).toEqual(['after the stop']);
    });

    it('gives up when the cluster stays away, says so, and recovers later', async () => {
      const told: string[] = [];
      const impatient = await openKafkaLog(
        optionsFor(kafka.brokers, {
          requestTimeoutMs: 1_000,
          onLog: (level, message, detail) => void told.push(`${level} ${message} ${detail}`),
        }),
      );
      await impatient.partitions(topic);
      proxy().cut();
      const doing = [
        impatient.read({ ...NOW, topic, offset: 0 }),
        impatient.append(topic, [record('in vain')]),
        impatient.endOffsets(topic),
        impatient.transactional(unique()),
      ];
      for (const one of await Promise.allSettled(doing)) {
        expect(one).toMatchObject({ status: 'rejected', reason: expect.any(LogUnavailableError) as unknown });
      }
      await expect(openKafkaLog(optionsFor(kafka.brokers, { requestTimeoutMs: 500 }))).rejects.toThrow(
        LogUnavailableError,
      );
      proxy().restore();
      await impatient.append(topic, [record('back')]);
      expect(await valuesOf(impatient, topic)).toContain('back');
      expect(await valuesOf(impatient, topic)).not.toContain('in vain');
      expect(told).not.toEqual([]);
      // An outage is not told with every attempt, and what was being written never is.
      expect(told).toEqual([...new Set(told)]);
      expect(told.join()).not.toContain('in vain');
      await impatient.close();
    });
  });
});

async function clientOf(options: KafkaOptions): Promise<KafkaClient> {
  const client = new KafkaClient(options);
  await client.connect();
  return client;
}

/** Takes what lies below an offset away, as retention does. */
function deleteRecordsCall(topic: string, offset: number): ProtocolCall<number> {
  return call(
    { key: 21, version: 1, name: 'DeleteRecords' },
    (w) => w.int32(1).string(topic).int32(1).int32(0).int64(offset).int32(5_000),
    (r) => r.int32(),
  );
}

const API_LIST_OFFSETS = 2;

interface OpenTransaction {
  write(value: string): Promise<void>;
  position(group: string, offset: number): Promise<void>;
  end(how: 'commit' | 'abort'): Promise<void>;
}

/** A transaction that writes at once, unlike the port's, so that several can lie among each other. */
async function openTransaction(
  client: KafkaClient,
  topic: string,
  { id, timeoutMs }: { readonly id: string; readonly timeoutMs: number },
): Promise<OpenTransaction> {
  const attempts = { doing: 'testing', right: 'WRITE' };
  const send = <T>(call: Parameters<typeof client.send<T>>[2]): Promise<T> =>
    client.trying(attempts, async () => client.send(await client.coordinator('transaction', id), 'test', call));
  const producer = await send(initProducerIdCall(id, timeoutMs));
  const sequenced = new SequencedProducer({ client, codecs: new Map(), producer, transactionalId: id, lane: 'test' });
  await send(addPartitionsToTxnCall(id, producer, [{ topic, partition: 0 }]));
  return {
    async write(value) {
      const packer = new Packer();
      packer.add(record(value));
      const [outcome] = await sequenced.produce([{ topic, partition: 0, packed: packer.finish() }]);
      if (outcome?.kind === 'failed') throw outcome.error;
    },
    async position(group, offset) {
      await send(addOffsetsToTxnCall(id, producer, group));
      const positions = [{ topic, partition: 0, offset, metadata: '' }];
      const coordinator = (): Promise<number> => client.coordinator('group', group);
      await client.trying(attempts, async () =>
        client.send(await coordinator(), 'test', txnOffsetCommitCall(id, producer, group, positions)),
      );
    },
    end: (how) => send(endTxnCall(id, producer, how === 'commit')),
  };
}
