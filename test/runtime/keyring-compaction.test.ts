/** What is destroyed, answered or erased leaves on a cluster, and for how long. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCodec } from '../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import { loadContracts, schemaIds } from '../../src/events/schemas.ts';
import { loadZstd } from '../../src/events/zstd.ts';
import type { EventLog, LogRecord } from '../../src/log/event-log.ts';
import { openKafkaLog } from '../../src/log/kafka.ts';
import { createKeyring } from '../../src/privacy/keyring.ts';
import { fixedWrapping } from '../../src/privacy/keys/wrapping.ts';
import { appendKeyring } from '../../src/runtime/control-tables.ts';
import { destroyEpoch, expelOverwritten } from '../../src/runtime/keyring-changes.ts';
import { endSegments } from '../../src/runtime/segments.ts';
import { COMPACTED_WITHIN_MS, OWNERS_WITHIN_MS, TOPICS, topicSpecs } from '../../src/runtime/topics.ts';
import { describeWithKafka, startKafka, type KafkaServer } from '../servers/kafka.ts';

describeWithKafka('what was overwritten on a Kafka cluster', () => {
  let kafka: KafkaServer;
  let dir: string;
  let log: EventLog;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-compaction-'));
    // In earnest 15 seconds.
    kafka = await startKafka({ properties: { 'log.cleaner.backoff.ms': '200' } });
    log = await openKafkaLog({
      brokers: kafka.brokers,
      clientId: 'test',
      compression: 'none',
      sessionTimeoutMs: 6_000,
      transactionTimeoutMs: 3_000,
      requestTimeoutMs: 30_000,
    });
  });
  afterAll(async () => {
    await log.close();
    await kafka.close();
    await rm(dir, { recursive: true });
  });

  async function records(topic: string): Promise<readonly LogRecord[]> {
    const all = { topic, partition: 0, maxRecords: 1_000, maxBytes: 1 << 20, waitMs: 0 };
    const [offset = 0] = await log.beginOffsets(topic);
    return (await log.read({ ...all, offset })).records;
  }

  async function create(topic: string): Promise<void> {
    const retentionDays = { raw: 1, sanitized: 1, quarantine: 1, audit: 1 };
    const specs = topicSpecs({ partitions: 1, retentionDays });
    await log.createTopics(specs.filter(({ name }) => name === topic));
  }

  it.each([
    [TOPICS.requests, COMPACTED_WITHIN_MS, Date.now()],
    // Whose a session is has the time of its day.
    [TOPICS.owners, OWNERS_WITHIN_MS, Math.floor(Date.now() / 86_400_000) * 86_400_000],
  ])('is gone from %s although nothing is appended any more', async (topic, withinMs, timestamp) => {
    await create(topic);
    await log.append(topic, [{ key: 'theirs', value: Buffer.from('what they said'), timestamp }]);
    await log.append(topic, [{ key: 'theirs', value: null, timestamp: Date.now() }]);
    await endSegments({ log, now: Date.now }, topic, withinMs);
    const isLeft = async (): Promise<boolean> => (await records(topic)).some(({ value }) => value !== null);
    expect(await isLeft()).toBe(true);
    await expect.poll(isLeft, { timeout: 60_000, interval: 200 }).toBe(false);
  });

  it('is gone from the keyring when a key is destroyed', async () => {
    await create(TOPICS.keyring);
    const codec = createCodec({ zstd: await loadZstd(), schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });
    const access = { log, codec, now: Date.now };
    const wrapping = fixedWrapping({ masterKey: new Uint8Array(32).fill(1), alsoOpens: [] });
    const entry = await createKeyring({ wrapping }).newEntry('subject', '2026-01', Date.now());
    await appendKeyring(access, [entry]);
    const { wrapped } = entry;
    const isLeft = async (): Promise<boolean> =>
      (await records(TOPICS.keyring)).some(
        ({ value }) => value !== null && Buffer.from(value).includes(Buffer.from(wrapped ?? [])),
      );
    expect(await isLeft()).toBe(true);

    await destroyEpoch(access, wrapping, '2026-01');
    await expelOverwritten(access);
    await expect.poll(isLeft, { timeout: 60_000, interval: 200 }).toBe(false);
    const left = (await records(TOPICS.keyring)).flatMap(({ value }) =>
      value === null ? [] : [codec.decodeKeyEntry(value)],
    );
    expect(left.map(({ state }) => state)).toEqual(['destroyed', 'destroyed', 'destroyed']);
  });
});
