import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import type { EventLog, LogRecord } from '../../src/log/event-log.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';
import { openTableStore, readTable, tableDigest } from '../../src/sinks/index.ts';
import { describeWithKafka, startKafka, type KafkaServer } from '../servers/kafka.ts';
import { buildCli, type Cli } from './cli.ts';

/**
 * The commands that a user of a cluster gives, in processes of their own, next to the same commands on the embedded log:
 * same seed, same keys, and so the same released batches, byte for byte.
 */
describeWithKafka('the line on a Kafka cluster', () => {
  let cli: Cli;
  let broker: KafkaServer;
  let dir: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    [cli, broker, dir] = await Promise.all([buildCli(), startKafka(), mkdtemp(join(tmpdir(), 'redactory-kafka-'))]);
    env = { REDACTORY_KAFKA_BROKERS: broker.brokers.join(',') };
  });
  afterAll(async () => {
    await Promise.all([cli.remove(), broker.close()]);
    await rm(dir, { recursive: true, force: true });
  });

  describe('with the seed and the keys of an embedded log', () => {
    const embedded = (): string => join(dir, 'embedded');
    const cluster = (): string => join(dir, 'cluster');
    // Not long ago: a broker deletes what is older than the topic keeps.
    const start = new Date(Date.now() - 3_600_000).toISOString();
    const simulate = ['simulate', '--people', '5', '--minutes', '20', '--seed', '5', '--start', start];

    beforeAll(async () => {
      await cli.run([...simulate, '--data', embedded()]);
      await cli.run(['run', '--until-end', '--data', embedded()]);
      await cp(join(embedded(), 'keys'), join(cluster(), 'keys'), { recursive: true, preserveTimestamps: true });
      await cli.run(['topics', 'apply', '--data', cluster()], env);
      await withBoth(async (from, to) => {
        for (const { key, value, timestamp } of await allOf(from.log, TOPICS.keyring)) {
          await to.log.append(TOPICS.keyring, [{ key, value, timestamp }]);
        }
      });
      // Private sealing keys came along with the keyring; their public parts stay behind.
      await cli.run(['keys', 'sealing', 'rotate', '--data', cluster()], env);
      await cli.run([...simulate, '--data', cluster()], env);
      await cli.run(['run', '--until-end', '--data', cluster()], env);
    }, 180_000);

    it('makes the same table', async () => {
      const digests = await Promise.all(
        [embedded(), cluster()].map(async (data) =>
          tableDigest(await readTable({ store: await openTableStore(join(data, 'table')) })),
        ),
      );
      expect(digests[0]?.rows).toBeGreaterThan(500);
      expect(digests[1]).toEqual(digests[0]);
    });

    it('releases the same batches, byte for byte, from the same places', async () => {
      await withBoth(async (from, to) => {
        const there = (await allOf(from.log, TOPICS.sanitized)).map(comparable).toSorted();
        const here = (await allOf(to.log, TOPICS.sanitized)).map(comparable).toSorted();
        expect(there.length).toBeGreaterThan(50);
        expect(here).toEqual(there);
      });
    });

    it('does nothing again when it runs again, and what comes later once', async () => {
      const again = JSON.parse(await cli.run(['run', '--until-end', '--data', cluster(), '--json'], env)) as {
        sanitized: { batches: number };
        sink: { batches: number };
      };
      expect([again.sanitized.batches, again.sink.batches]).toEqual([0, 0]);
    });

    /** Both logs; the cluster's as the operator. */
    async function withBoth(work: (from: Workspace, to: Workspace) => Promise<void>): Promise<void> {
      const from = await openWorkspace(await loadConfig({ env: {}, cwd: dir, data: embedded() }), {});
      const to = await openWorkspace(await loadConfig({ env, cwd: dir, data: cluster() }), env);
      try {
        await work(from, to);
      } finally {
        await from.close();
        await to.close();
      }
    }
  });

  it('is shared by several worker processes, each batch once; a lost ingest key is not made anew', async () => {
    await withBrokerOfItsOwn(async (address) => {
      // Each of the processes has a name of its own made of it.
      const own = { ...address, REDACTORY_KAFKA_INSTANCE: 'worker' };
      const data = join(dir, 'shared');
      const simulate = ['simulate', '--people', '6', '--minutes', '10', '--seed', '6', '--json', '--data'];
      await cli.run(['topics', 'apply', '--data', data], own);
      await expect(cli.run([...simulate, data], own)).rejects.toThrow('no key yet to seal payloads to');
      await cli.run(['keys', 'sealing', 'rotate', '--data', data], own);
      const { batches } = JSON.parse(await cli.run([...simulate, data], own)) as { batches: number };
      const { sanitized } = JSON.parse(
        await cli.run(['sanitize', '--workers', '3', '--until-end', '--data', data, '--json'], own),
      ) as { sanitized: { batches: number } };
      expect(sanitized.batches).toBe(batches);
      await expect(cli.run([...simulate, join(dir, 'elsewhere')], own)).rejects.toThrow(/ingest\.key.*restore it/su);
    });
  });

  it('says which topics are missing, and what makes them', async () => {
    await withBrokerOfItsOwn(async (own) => {
      const failed = cli.run(['sanitize', '--until-end', '--data', join(dir, 'none')], own);
      await expect(failed).rejects.toThrow(/interactions\.raw.*redactory topics apply/su);
    });
  });

  async function withBrokerOfItsOwn(work: (env: Record<string, string>) => Promise<void>): Promise<void> {
    const own = await startKafka();
    try {
      await work({ REDACTORY_KAFKA_BROKERS: own.brokers.join(',') });
    } finally {
      await own.close();
    }
  }
});

async function allOf(log: EventLog, topic: string): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (const [partition, end] of (await log.endOffsets(topic)).entries()) {
    let offset = (await log.beginOffsets(topic))[partition] ?? 0;
    while (offset < end) {
      const fetched = await log.read({ topic, partition, offset, maxRecords: 1_000, maxBytes: 1 << 22, waitMs: 100 });
      all.push(...fetched.records);
      offset = fetched.nextOffset;
    }
  }
  return all;
}

function comparable({ partition, key, value, timestamp, headers }: LogRecord): string {
  const bytes = value === null ? null : Buffer.from(value).toString('base64');
  return JSON.stringify([
    partition,
    key,
    timestamp,
    bytes,
    Object.entries(headers).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}
