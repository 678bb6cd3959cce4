/** What a destroyed key leaves on a cluster, and for how long. */
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
import { TOPICS, topicSpecs } from '../../src/runtime/topics.ts';
import { describeWithKafka, startKafka, type KafkaServer } from '../servers/kafka.ts';

describeWithKafka('a destroyed key on a Kafka cluster', () => {
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

  async function records(): Promise<readonly LogRecord[]> {
    const all = { topic: TOPICS.keyring, partition: 0, maxRecords: 1_000, maxBytes: 1 << 20, waitMs: 0 };
    const [offset = 0] = await log.beginOffsets(TOPICS.keyring);
    return (await log.read({ ...all, offset })).records;
  }

  it('is compacted away although nothing is appended any more', async () => {
    const retentionDays = { raw: 1, sanitized: 1, quarantine: 1, audit: 1 };
    const specs = topicSpecs({ partitions: 1, retentionDays });
    await log.createTopics(specs.filter(({ name }) => name === TOPICS.keyring));
    const codec = createCodec({ zstd: await loadZstd(), schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });
    const access = { log, codec, now: Date.now };
    const wrapping = fixedWrapping({ masterKey: new Uint8Array(32).fill(1), alsoOpens: [] });
    const entry = await createKeyring({ wrapping }).newEntry('subject', '2026-01', Date.now());
    await appendKeyring(access, [entry]);
    const { wrapped } = entry;
    const isLeft = async (): Promise<boolean> =>
      (await records()).some(({ value }) => value !== null && Buffer.from(value).includes(Buffer.from(wrapped ?? [])));
    expect(await isLeft()).toBe(true);

    await destroyEpoch(access, wrapping, '2026-01');
    await expelOverwritten(access);
    await expect.poll(isLeft, { timeout: 60_000, interval: 200 }).toBe(false);
    const left = (await records()).flatMap(({ value }) => (value === null ? [] : [codec.decodeKeyEntry(value)]));
    expect(left.map(({ state }) => state)).toEqual(['destroyed', 'destroyed', 'destroyed']);
  });
});
