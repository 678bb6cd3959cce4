/** What exists on a cluster, and changes to it: topics, their settings, access control lists. */
import type { Acl } from './acls.ts';
import {
  createAclsCall,
  createPartitionsCall,
  createTopicsCall,
  describeAclsCall,
  describeTopicSettingsCall,
  setTopicSettingsCall,
  type ItemResult,
  type Setting,
  type TopicToCreate,
} from './admin-calls.ts';
import { metadataCall } from './calls.ts';
import { KafkaClient, type Attempts } from './client.ts';
import { accessError, BrokerError, checkCode, isTransient } from './errors.ts';
import { errorName, type ProtocolCall } from './internals.ts';
import type { KafkaOptions } from './options.ts';

export type { Setting, TopicToCreate } from './admin-calls.ts';

export interface TopicState {
  readonly name: string;
  readonly partitions: number;
  /** Copies of each record: of the partition that has the fewest. */
  readonly replicas: number;
  /** All settings in force, by Kafka's names. */
  readonly settings: Readonly<Record<string, Setting>>;
}

/** @throws in every method LogAccessError, LogUnavailableError, LogClosedError; where it changes something, KafkaAdminError */
export interface KafkaAdmin {
  /** Those of the topics that exist. */
  topics(names: readonly string[]): Promise<readonly TopicState[]>;
  createTopic(topic: TopicToCreate): Promise<void>;
  /** `count` is how many there are afterwards. */
  addPartitions(topic: string, count: number): Promise<void>;
  /** Sets these and leaves all other settings as they are. */
  set(topic: string, settings: Readonly<Record<string, string>>): Promise<void>;
  /** All access control lists, or null: there is no authorizer. */
  acls(): Promise<readonly Acl[] | null>;
  addAcls(acls: readonly Acl[]): Promise<void>;
  close(): void;
}

/** The cluster understood a change and will not make it. */
export class KafkaAdminError extends Error {
  override name = 'KafkaAdminError';
}

export function openKafkaAdmin(options: KafkaOptions): KafkaAdmin {
  const client = new KafkaClient(options);
  const timing = { validateOnly: false, timeoutMs: options.requestTimeoutMs };

  /** To the controller: before KRaft only it makes changes. */
  async function ask<T>(attempts: Attempts, call: ProtocolCall<T>): Promise<T> {
    return client.trying(attempts, async () => client.send(await client.controller(), 'control', call));
  }

  async function change(attempts: Attempts, call: ProtocolCall<readonly ItemResult[]>): Promise<void> {
    await client.trying(attempts, async () => {
      for (const result of await client.send(await client.controller(), 'control', call)) check(attempts, result);
    });
  }

  return {
    async topics(names) {
      const doing = { doing: 'looking at topics', right: 'DESCRIBE' };
      const metadata = await client.trying(doing, () => client.sendToAny('control', metadataCall(names)));
      const found = metadata.topics.filter(({ topic, errorCode }) => {
        const type = errorName(errorCode);
        if (type === 'TOPIC_AUTHORIZATION_FAILED') throw accessError(new BrokerError(type), 'DESCRIBE', { topic });
        return type !== 'UNKNOWN_TOPIC_OR_PARTITION';
      });
      if (found.length === 0) return [];
      const described = await ask(
        { doing: 'reading settings of topics', right: 'DESCRIBE_CONFIGS' },
        describeTopicSettingsCall(found.map(({ topic }) => topic)),
      );
      return found.map(({ topic, partitions }) => {
        const entry = described.find(({ name }) => name === topic);
        checkCode(entry?.errorCode ?? 0);
        const replicas = Math.min(...partitions.map((partition) => partition.replicas));
        return { name: topic, partitions: partitions.length, replicas, settings: entry?.settings ?? {} };
      });
    },
    createTopic: (topic) =>
      change(
        { doing: `creating topic '${topic.name}'`, right: 'CREATE', topic: topic.name },
        createTopicsCall([topic], timing),
      ),
    addPartitions: (topic, count) =>
      change(
        { doing: `adding partitions to topic '${topic}'`, right: 'ALTER', topic },
        createPartitionsCall(topic, count, timing),
      ),
    set: (topic, settings) =>
      change(
        { doing: `setting topic '${topic}'`, right: 'ALTER_CONFIGS', topic },
        setTopicSettingsCall(topic, settings, timing),
      ),
    async acls() {
      return client.trying({ doing: 'reading ACLs', right: 'DESCRIBE' }, async () => {
        const { errorCode, acls } = await client.send(await client.controller(), 'control', describeAclsCall());
        if (errorName(errorCode) === 'SECURITY_DISABLED') return null;
        checkCode(errorCode);
        return acls;
      });
    },
    addAcls: (acls) => change({ doing: 'adding ACLs', right: 'ALTER' }, createAclsCall(acls)),
    close: () => client.close(),
  };
}

/** Throws so that {@link KafkaClient.trying} knows what to do with it: try again, name the missing right, or give up. */
function check({ doing }: Attempts, { errorCode, message }: ItemResult): void {
  if (errorCode === 0) return;
  const error = new BrokerError(errorName(errorCode));
  // Of another process, or of the try before whose answer got lost; what it looks like is compared the next time.
  if (error.type === 'TOPIC_ALREADY_EXISTS') return;
  if (isTransient(error) || error.type.endsWith('_AUTHORIZATION_FAILED')) throw error;
  throw new KafkaAdminError(`${doing} failed with ${error.type}${message === null ? '' : `: ${message}`}`);
}
