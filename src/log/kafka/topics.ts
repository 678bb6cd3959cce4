/** Topics of a cluster: what they are set to, and creating them. */
import { UnknownTopicError, type TopicSpec } from '../event-log.ts';
import { createTopicsCall, type NewTopic } from './calls.ts';
import { TOPIC_NAME, type KafkaClient, type Leaders } from './client.ts';
import { BrokerError, checkCode } from './errors.ts';
import { errorName } from './internals.ts';
import type { Offsets } from './offsets.ts';

/**
 * The largest record batch that topics of this adapter take, bytes: a record of 1 MiB and what surrounds it fit, compressed or
 * not.
 */
export const MAX_MESSAGE_BYTES = 2 * 2 ** 20;

/**
 * A topic's settings by Kafka's names (from Kafka 3.6). Timestamps are the records' own, also far from the broker's clock:
 * recordings are imported late, and simulated time may run ahead.
 */
export function topicConfig(spec: TopicSpec, replicationFactor?: number): Record<string, string> {
  const { cleanup } = spec;
  return {
    ...(cleanup.kind === 'compact'
      ? { 'cleanup.policy': 'compact', ...compactedWithin(cleanup.withinMs) }
      : { 'cleanup.policy': 'delete', 'retention.ms': String(cleanup.retentionMs) }),
    'message.timestamp.type': 'CreateTime',
    'message.timestamp.after.max.ms': MAX_LONG,
    'message.timestamp.before.max.ms': MAX_LONG,
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    // One broker may be away without writers standing still, and no acknowledged record is on one disk only.
    ...(replicationFactor !== undefined && replicationFactor >= 3 ? { 'min.insync.replicas': '2' } : {}),
  };
}

/**
 * Segments end after `withinMs` (an append must come to end one: an idle topic keeps its last segment), and what is in ended
 * ones is compacted no later than that again, however little there is to gain.
 */
function compactedWithin(withinMs: number | undefined): Record<string, string> {
  if (withinMs === undefined) return {};
  const within = String(withinMs);
  return { 'segment.ms': within, 'max.compaction.lag.ms': within, 'min.cleanable.dirty.ratio': '0.01' };
}

/**
 * Creates what is missing; all is checked before the first is made. Returns when every topic has leaders.
 * @throws RangeError for a bad name or count, Error for an existing topic with another partition count, LogAccessError, LogUnavailableError
 */
export async function createTopics(client: KafkaClient, offsets: Offsets, specs: readonly TopicSpec[]): Promise<void> {
  specs.forEach(checkSpec);
  const missing: TopicSpec[] = [];
  for (const spec of specs) {
    const leaders = await existing(client, spec.name);
    if (leaders === undefined) missing.push(spec);
    else checkPartitions(spec, leaders);
  }
  if (missing.length === 0) return;
  const { replicationFactor } = client.options;
  const topics = missing.map((spec) => ({
    name: spec.name,
    partitions: spec.partitions,
    // -1 is the cluster's default.
    replicationFactor: replicationFactor ?? -1,
    config: topicConfig(spec, replicationFactor),
  }));
  await create(client, topics);
  for (const spec of missing) {
    await untilThere(client, spec);
    // Leaders learn last that they lead: one that tells offsets also takes records.
    const all = Array.from({ length: spec.partitions }, (_, partition) => ({ topic: spec.name, partition }));
    await Promise.all(all.map((at) => offsets.begin(at)));
  }
}

/** The topic's leaders, or undefined when there is no such topic. */
async function existing(client: KafkaClient, topic: string): Promise<Leaders | undefined> {
  try {
    client.forgetLeaders(topic);
    return await client.leaders(topic);
  } catch (error) {
    if (error instanceof UnknownTopicError) return undefined;
    throw error;
  }
}

async function create(client: KafkaClient, topics: readonly NewTopic[]): Promise<void> {
  const names = topics.map(({ name }) => `'${name}'`).join(', ');
  const attempts = { doing: `creating topics ${names}`, right: 'CREATE' };
  await client.trying(attempts, async () => {
    const controller = await client.controller();
    const call = createTopicsCall(topics, client.options.requestTimeoutMs);
    for (const { topic, errorCode, message } of await client.send(controller, 'topics', call)) {
      // Somebody else was faster; untilThere looks at what they made.
      if (errorCode === 0 || errorName(errorCode) === 'TOPIC_ALREADY_EXISTS') continue;
      if (REFUSALS.has(errorName(errorCode))) {
        throw new Error(
          `The cluster refuses to create topic '${topic}': ${message ?? errorName(errorCode)} Change the topic's settings, or create it by hand.`,
        );
      }
      checkCode(errorCode);
    }
  });
}

/** Metadata reaches brokers one after another: until then a topic that was just created seems to be missing. */
async function untilThere(client: KafkaClient, spec: TopicSpec): Promise<void> {
  const attempts = { doing: `waiting for new topic '${spec.name}'`, right: 'DESCRIBE', topic: spec.name };
  await client.trying(attempts, async () => {
    const leaders = await existing(client, spec.name);
    if (leaders === undefined || leaders.includes(-1)) throw new BrokerError('LEADER_NOT_AVAILABLE');
    checkPartitions(spec, leaders);
  });
}

function checkPartitions(spec: TopicSpec, leaders: Leaders): void {
  if (leaders.length === spec.partitions) return;
  throw new Error(
    `Topic '${spec.name}' has ${leaders.length} partitions, not ${spec.partitions}. Keys would land elsewhere: keep the number, or use a new topic.`,
  );
}

function checkSpec(spec: TopicSpec): void {
  if (!TOPIC_NAME.test(spec.name)) {
    throw new RangeError(`Topic name '${spec.name}' is not allowed: use 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'.`);
  }
  if (!Number.isInteger(spec.partitions) || spec.partitions < 1) {
    throw new RangeError(`Topic '${spec.name}' needs at least one partition, not ${spec.partitions}.`);
  }
}

const REFUSALS: ReadonlySet<string> = new Set([
  'INVALID_CONFIG',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_PARTITIONS',
  'INVALID_REQUEST',
  'INVALID_TOPIC_EXCEPTION',
  'POLICY_VIOLATION',
]);
const MAX_LONG = '9223372036854775807';
