/** What another client sees of a broker. */
import { readFile } from 'node:fs/promises';
import { Kafka, logLevel } from 'kafkajs';
import type { KafkaServer } from '../servers/kafka.ts';

export interface KafkaState {
  /** Of each topic's partitions, by the topic's name. */
  readonly ends: Readonly<Record<string, unknown>>;
  /** Names of groups. */
  readonly groups: readonly string[];
}

/** All topics but those of the cluster itself, and all groups. */
export async function kafkaState({ brokers, access }: KafkaServer): Promise<KafkaState> {
  if (access === undefined) throw new Error('the broker lets everybody in');
  const kafka = new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    ssl: { ca: await readFile(access.caFile, 'utf8') },
    sasl: {
      mechanism: access.mechanism,
      username: 'admin',
      password: await readFile(access.passwordFiles.admin, 'utf8'),
    },
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const names = (await admin.listTopics()).filter((name) => !name.startsWith('__')).toSorted();
    const ends = await Promise.all(names.map(async (name) => [name, await admin.fetchTopicOffsets(name)] as const));
    const { groups } = await admin.listGroups();
    return { ends: Object.fromEntries(ends), groups: groups.map(({ groupId }) => groupId).toSorted() };
  } finally {
    await admin.disconnect();
  }
}
