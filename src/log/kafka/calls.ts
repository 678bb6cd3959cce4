/**
 * Requests of the Kafka protocol that kafkajs has not, has in old versions, or decodes wrongly, each as a typed call.
 *
 * Source: https://kafka.apache.org/protocol, key and version as named with each.
 */
import { checkCode } from './errors.ts';
import type { ApiVersions, ProtocolCall } from './internals.ts';
import { Reader, Writer } from './wire.ts';

export interface Api {
  readonly key: number;
  readonly version: number;
  readonly name: string;
  /** Versions that carry tagged fields in headers. */
  readonly flexible?: boolean;
}

/** One request and its answer. `decode` throws what the answer's error codes mean. */
export function call<T>(
  api: Api,
  encode: (w: Writer) => void,
  decode: (r: Reader) => T,
  options: { readonly timeoutMs?: number; readonly sizeHint?: number } = {},
): ProtocolCall<T> {
  const parse = (raw: Buffer): T => {
    const reader = new Reader(raw);
    if (api.flexible === true) reader.skipTags();
    return decode(reader);
  };
  return {
    request: {
      apiKey: api.key,
      apiVersion: api.version,
      apiName: api.name,
      encode: async () => {
        const writer = new Writer(options.sizeHint);
        if (api.flexible === true) writer.noTags();
        encode(writer);
        return { buf: writer.finish(), buffer: writer.finish() };
      },
    },
    response: {
      // kafkajs logs what `decode` returns in debug mode: it is only a box here.
      decode: async (raw) => ({ raw }),
      // Comes from `decode` above.
      parse: async (decoded) => parse((decoded as { raw: Buffer }).raw),
    },
    ...(options.timeoutMs === undefined ? {} : { requestTimeout: options.timeoutMs }),
  };
}

/** The versions that a broker speaks, by api key. */
export function apiVersionsCall(): ProtocolCall<ApiVersions> {
  return call(
    { key: 18, version: 2, name: 'ApiVersions' },
    () => undefined,
    (r) => {
      checkCode(r.int16());
      return Object.fromEntries(r.array(() => [r.int16(), { minVersion: r.int16(), maxVersion: r.int16() }] as const));
    },
  );
}

export interface BrokerAddress {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export interface PartitionMetadata {
  readonly errorCode: number;
  readonly partition: number;
  /** Broker id, -1 while there is none. */
  readonly leader: number;
  /** How many brokers keep it. */
  readonly replicas: number;
}

export interface TopicMetadata {
  readonly errorCode: number;
  readonly topic: string;
  /** In partition order. */
  readonly partitions: readonly PartitionMetadata[];
}

export interface ClusterMetadata {
  readonly brokers: readonly BrokerAddress[];
  readonly controller: number;
  readonly topics: readonly TopicMetadata[];
}

/** Never creates a topic. Without topics: the brokers only. */
export function metadataCall(topics: readonly string[]): ProtocolCall<ClusterMetadata> {
  return call(
    { key: 3, version: 5, name: 'Metadata' },
    (w) => w.array(topics, (topic) => w.string(topic)).boolean(false),
    (r) => {
      r.int32();
      const brokers = r.array(() => {
        const broker = { id: r.int32(), host: r.string() ?? '', port: r.int32() };
        r.string();
        return broker;
      });
      r.string();
      const controller = r.int32();
      const found = r.array(() => {
        const [errorCode, topic] = [r.int16(), r.string() ?? ''];
        r.int8();
        const partitions = r.array(() => {
          const partition = { errorCode: r.int16(), partition: r.int32(), leader: r.int32() };
          const replicas = r.array(() => r.int32()).length;
          // Those in sync, and those that are away.
          for (let lists = 0; lists < 2; lists += 1) r.array(() => r.int32());
          return { ...partition, replicas };
        });
        return { errorCode, topic, partitions: partitions.toSorted((a, b) => a.partition - b.partition) };
      });
      return { brokers, controller, topics: found };
    },
  );
}

export type CoordinatorKind = 'group' | 'transaction';

export function findCoordinatorCall(kind: CoordinatorKind, key: string): ProtocolCall<CoordinatorFound> {
  return call(
    { key: 10, version: 1, name: 'FindCoordinator' },
    (w) => w.string(key).int8(kind === 'group' ? 0 : 1),
    (r) => {
      r.int32();
      const errorCode = r.int16();
      r.string();
      return { errorCode, broker: { id: r.int32(), host: r.string() ?? '', port: r.int32() } };
    },
  );
}

export interface CoordinatorFound {
  readonly errorCode: number;
  readonly broker: BrokerAddress;
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  /** -1 for the cluster's default. */
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface TopicCreated {
  readonly topic: string;
  readonly errorCode: number;
  readonly message: string | null;
}

export function createTopicsCall(
  topics: readonly NewTopic[],
  timeoutMs: number,
): ProtocolCall<readonly TopicCreated[]> {
  return call(
    { key: 19, version: 3, name: 'CreateTopics' },
    (w) =>
      w
        .array(topics, (topic) => {
          w.string(topic.name).int32(topic.partitions).int16(topic.replicationFactor).int32(0);
          w.array(Object.entries(topic.config), ([name, value]) => w.string(name).string(value));
        })
        .int32(timeoutMs)
        .boolean(false),
    (r) => {
      r.int32();
      return r.array(() => ({ topic: r.string() ?? '', errorCode: r.int16(), message: r.string() }));
    },
    { timeoutMs: timeoutMs + GRACE_MS },
  );
}

/** ListOffsets takes these for a timestamp. */
export const LATEST = -1;
export const EARLIEST = -2;

export interface OffsetWanted {
  readonly topic: string;
  readonly partition: number;
  /** Milliseconds, {@link LATEST} or {@link EARLIEST}. */
  readonly timestamp: number;
}

export interface OffsetFound {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** -1 when no record is so late. */
  readonly offset: number;
}

/** For what {@link LATEST} stands: the last stable offset, or with records of open transactions the high watermark. */
export type Sees = 'committed' | 'all';

/** A request may name a partition only once. */
export function listOffsetsCall(wanted: readonly OffsetWanted[], sees: Sees): ProtocolCall<readonly OffsetFound[]> {
  return call(
    { key: 2, version: 2, name: 'ListOffsets' },
    (w) => {
      w.int32(NO_REPLICA).int8(sees === 'all' ? READ_UNCOMMITTED : READ_COMMITTED);
      w.array(byTopic(wanted), ([topic, partitions]) => {
        w.string(topic).array(partitions, (p) => w.int32(p.partition).int64(p.timestamp));
      });
    },
    (r) => {
      r.int32();
      return r
        .array(() => {
          const topic = r.string() ?? '';
          return r.array(() => {
            const [partition, errorCode] = [r.int32(), r.int16()];
            r.int64();
            return { topic, partition, errorCode, offset: r.int64() };
          });
        })
        .flat();
    },
  );
}

export interface Committed {
  readonly errorCode: number;
  /** -1 when there is none. */
  readonly offset: number;
  readonly metadata: string;
}

/** Offsets of transactions that are not settled yet answer UNSTABLE_OFFSET_COMMIT. */
export function offsetFetchCall(group: string, topic: string, partition: number): ProtocolCall<Committed> {
  return call(
    { key: 9, version: 7, name: 'OffsetFetch', flexible: true },
    (w) => {
      w.compactString(group);
      w.compactArray([topic], (name) => {
        w.compactString(name)
          .compactArray([partition], (p) => w.int32(p))
          .noTags();
      });
      w.boolean(true).noTags();
    },
    (r) => {
      r.int32();
      const found = r.compactArray(() => {
        r.compactString();
        const partitions = r.compactArray(() => {
          r.int32();
          const offset = r.int64();
          r.int32();
          const metadata = r.compactString() ?? '';
          const errorCode = r.int16();
          r.skipTags();
          return { errorCode, offset, metadata };
        });
        r.skipTags();
        return partitions;
      });
      const errorCode = r.int16();
      const committed = found[0]?.[0] ?? { errorCode, offset: -1, metadata: '' };
      return errorCode === 0 ? committed : { ...committed, errorCode };
    },
  );
}

/** Groups in the order of first appearance, so that a request names a topic once. */
function byTopic<T extends { readonly topic: string }>(items: readonly T[]): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.topic);
    if (group === undefined) groups.set(item.topic, [item]);
    else group.push(item);
  }
  return [...groups];
}

export interface FetchWanted {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly maxBytes: number;
}

/** A producer's transaction that was aborted, and the first offset it has in the fetched stretch or before. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Broker id to fetch from instead, -1 for none. */
  readonly preferredReplica: number;
  /** Record batches, the last one perhaps cut off. */
  readonly batches: Buffer;
}

/**
 * Read-committed, without a fetch session. The broker answers after `maxWaitMs` or when there is a byte. A batch that is
 * larger than its bound comes whole, if it is the first of the answer.
 */
export function fetchCall(
  wanted: readonly FetchWanted[],
  options: { readonly maxWaitMs: number; readonly maxBytes: number; readonly rack?: string | undefined },
): ProtocolCall<readonly FetchedPartition[]> {
  return call(
    { key: 1, version: 11, name: 'Fetch' },
    (w) => {
      w.int32(NO_REPLICA).int32(options.maxWaitMs).int32(1).int32(options.maxBytes).int8(READ_COMMITTED);
      w.int32(0).int32(-1);
      w.array(byTopic(wanted), ([topic, partitions]) => {
        w.string(topic).array(partitions, (p) => {
          w.int32(p.partition).int32(-1).int64(p.offset).int64(-1).int32(p.maxBytes);
        });
      });
      w.int32(0).string(options.rack ?? '');
    },
    (r) => {
      r.int32();
      checkCode(r.int16());
      r.int32();
      return r
        .array(() => {
          const topic = r.string() ?? '';
          return r.array(() => fetchedPartition(r, topic));
        })
        .flat();
    },
    { timeoutMs: options.maxWaitMs + GRACE_MS },
  );
}

function fetchedPartition(r: Reader, topic: string): FetchedPartition {
  const [partition, errorCode] = [r.int32(), r.int16()];
  // The high watermark: past the last stable offset it is of no use here.
  r.int64();
  const [lastStableOffset, logStartOffset] = [r.int64(), r.int64()];
  const aborted = r.array(() => ({ producerId: r.int64(), firstOffset: r.int64() }));
  const preferredReplica = r.int32();
  const size = Math.max(0, r.int32());
  const at = r.skip(size);
  const batches = r.bytes.subarray(at, at + size);
  return { topic, partition, errorCode, lastStableOffset, logStartOffset, aborted, preferredReplica, batches };
}

export interface ProducerId {
  readonly id: number;
  readonly epoch: number;
}

/** With a transactional id: fences its last owner and ends that owner's transaction. */
export function initProducerIdCall(
  transactionalId: string | null,
  transactionTimeoutMs: number,
): ProtocolCall<ProducerId> {
  return call(
    { key: 22, version: 1, name: 'InitProducerId' },
    (w) => w.string(transactionalId).int32(transactionTimeoutMs),
    (r) => {
      r.int32();
      checkCode(r.int16());
      return { id: r.int64(), epoch: r.int16() };
    },
  );
}

export interface Place {
  readonly topic: string;
  readonly partition: number;
}

export function addPartitionsToTxnCall(
  transactionalId: string,
  producer: ProducerId,
  places: readonly Place[],
): ProtocolCall<void> {
  return call(
    { key: 24, version: 1, name: 'AddPartitionsToTxn' },
    (w) => {
      w.string(transactionalId).int64(producer.id).int16(producer.epoch);
      w.array(byTopic(places), ([topic, partitions]) => {
        w.string(topic).array(partitions, (p) => w.int32(p.partition));
      });
    },
    (r) => {
      r.int32();
      checkPartitions(r);
    },
  );
}

export function addOffsetsToTxnCall(transactionalId: string, producer: ProducerId, group: string): ProtocolCall<void> {
  return call(
    { key: 25, version: 1, name: 'AddOffsetsToTxn' },
    (w) => w.string(transactionalId).int64(producer.id).int16(producer.epoch).string(group),
    (r) => {
      r.int32();
      checkCode(r.int16());
    },
  );
}

export interface PlacedPosition extends Place {
  readonly offset: number;
  readonly metadata: string;
}

export function txnOffsetCommitCall(
  transactionalId: string,
  producer: ProducerId,
  group: string,
  positions: readonly PlacedPosition[],
): ProtocolCall<void> {
  return call(
    { key: 28, version: 1, name: 'TxnOffsetCommit' },
    (w) => {
      w.string(transactionalId).string(group).int64(producer.id).int16(producer.epoch);
      w.array(byTopic(positions), ([topic, partitions]) => {
        w.string(topic).array(partitions, (p) => w.int32(p.partition).int64(p.offset).string(p.metadata));
      });
    },
    (r) => {
      r.int32();
      checkPartitions(r);
    },
  );
}

export function endTxnCall(transactionalId: string, producer: ProducerId, commit: boolean): ProtocolCall<void> {
  return call(
    { key: 26, version: 1, name: 'EndTxn' },
    (w) => w.string(transactionalId).int64(producer.id).int16(producer.epoch).boolean(commit),
    (r) => {
      r.int32();
      checkCode(r.int16());
    },
  );
}

/** One record batch for one partition; a request may hold one for each. */
export interface Produced extends Place {
  readonly batch: Buffer;
}

export interface ProduceResult extends Place {
  readonly errorCode: number;
  readonly baseOffset: number;
}

export function produceCall(
  transactionalId: string | null,
  batches: readonly Produced[],
  timeoutMs: number,
): ProtocolCall<readonly ProduceResult[]> {
  return call(
    { key: 0, version: 7, name: 'Produce' },
    (w) => {
      w.string(transactionalId).int16(ALL_REPLICAS).int32(timeoutMs);
      w.array(byTopic(batches), ([topic, partitions]) => {
        w.string(topic).array(partitions, ({ partition, batch }) => w.int32(partition).int32(batch.length).raw(batch));
      });
    },
    (r) =>
      r
        .array(() => {
          const topic = r.string() ?? '';
          return r.array(() => {
            const result = { topic, partition: r.int32(), errorCode: r.int16(), baseOffset: r.int64() };
            r.int64();
            r.int64();
            return result;
          });
        })
        .flat(),
    {
      timeoutMs: timeoutMs + GRACE_MS,
      sizeHint: 1024 + batches.reduce((sum, { batch, topic }) => sum + batch.length + topic.length + 16, 0),
    },
  );
}

/** Reads the code of each partition of each topic. */
function checkPartitions(r: Reader): void {
  const codes = r.array(() => {
    r.string();
    return r.array(() => [r.int32(), r.int16()][1] ?? 0);
  });
  // OPERATION_NOT_ATTEMPTED only says that another partition of the request was refused: that one's code is the reason.
  const failed = codes.flat().filter((code) => code !== 0);
  const reason = failed.find((code) => code !== OPERATION_NOT_ATTEMPTED) ?? failed[0];
  if (reason !== undefined) checkCode(reason);
}

const OPERATION_NOT_ATTEMPTED = 55;
const NO_REPLICA = -1;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
const ALL_REPLICAS = -1;
/** A broker may answer a little after the time that it was given. */
const GRACE_MS = 1_000;
