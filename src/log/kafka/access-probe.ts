/**
 * Tries on a cluster what an identity may do, without a trace. Each try is the real request, which brokers judge before
 * anything else, about something that cannot take effect: a partition, member or transaction that does not exist, or a check
 * without the change. So even where a read is wrongly allowed, nothing is read.
 */
import { CLUSTER, type Acl } from './acls.ts';
import {
  createAclsCall,
  createPartitionsCall,
  createTopicsCall,
  describeAclsCall,
  setTopicSettingsCall,
} from './admin-calls.ts';
import { call, type CoordinatorKind } from './calls.ts';
import { KafkaClient } from './client.ts';
import { LogAccessError, typeOf } from './errors.ts';
import { errorName, type ProtocolCall } from './internals.ts';
import type { KafkaOptions } from './options.ts';
import type { Reader } from './wire.ts';

/** What can be tried, by resource type; `delete` of a topic is tried as deleting records. */
export const PROBES = {
  topic: ['read', 'write', 'create', 'alter', 'alter_configs', 'delete'],
  group: ['read', 'describe'],
  transactional_id: ['write'],
  cluster: ['describe', 'alter'],
} as const;

type Tried = typeof PROBES;
export type Probe = {
  readonly [T in keyof Tried]: {
    readonly type: T;
    readonly operation: Tried[T][number];
    readonly name: string;
  };
}[keyof Tried];

/** What a broker made of it; `unclear` where no answer tells. `answer` is the protocol's name of it. */
export interface ProbeResult {
  readonly verdict: 'allowed' | 'denied' | 'unclear';
  readonly answer: string;
}

export interface AccessProbe {
  /** Never rejects. */
  try(probe: Probe): Promise<ProbeResult>;
  close(): void;
}

export function openAccessProbe(options: KafkaOptions): AccessProbe {
  const client = new KafkaClient(options);
  return {
    try: async (probe) => {
      try {
        return judge(await send(client, probe));
      } catch (error) {
        const answer = nameOf(error);
        return { verdict: error instanceof LogAccessError ? 'denied' : 'unclear', answer };
      }
    },
    close: () => client.close(),
  };
}

/**
 * Whether the cluster lets somebody in who signs in so, or not at all. Brokers turn away what they don't know by closing the
 * connection: that looks like a cluster that cannot be reached, so try what must work as well.
 */
export async function trySignIn(options: KafkaOptions): Promise<ProbeResult> {
  const client = new KafkaClient({ ...options, requestTimeoutMs: Math.min(options.requestTimeoutMs, SIGN_IN_MS) });
  try {
    await client.controller();
    return { verdict: 'allowed', answer: DONE };
  } catch (error) {
    return { verdict: 'denied', answer: nameOf(error) };
  } finally {
    client.close();
  }
}

/** The error code of a broker's answer. */
function send(client: KafkaClient, probe: Probe): Promise<number> {
  switch (probe.type) {
    case 'topic':
      return sendForTopic(client, probe.operation, probe.name);
    case 'group':
      return sendToCoordinator(client, 'group', probe.name, probe.operation === 'read' ? heartbeat : describeGroup);
    case 'transactional_id':
      return sendToCoordinator(client, 'transaction', probe.name, endTransaction);
    case 'cluster':
      return probe.operation === 'describe'
        ? toController(client, describeAclsCall(), ({ errorCode }) => errorCode)
        : toController(client, createAclsCall([NO_ACL]), firstCode);
  }
}

function sendForTopic(client: KafkaClient, operation: Tried['topic'][number], topic: string): Promise<number> {
  const check = { validateOnly: true, timeoutMs: client.options.requestTimeoutMs };
  switch (operation) {
    case 'read':
      return client.sendToAny('control', fetchNothing(topic));
    case 'write':
      return client.sendToAny('control', produceNothing(topic));
    case 'delete':
      return client.sendToAny('control', deleteNoRecords(topic));
    case 'create': {
      const request = createTopicsCall([{ name: topic, partitions: 1, replicationFactor: null, settings: {} }], check);
      return toController(client, request, firstCode);
    }
    case 'alter':
      return toController(client, createPartitionsCall(topic, 1, check), firstCode);
    case 'alter_configs':
      return toController(client, setTopicSettingsCall(topic, {}, check), firstCode);
  }
}

async function toController<T>(
  client: KafkaClient,
  request: ProtocolCall<T>,
  code: (answer: T) => number,
): Promise<number> {
  return code(await client.send(await client.controller(), 'control', request));
}

async function sendToCoordinator(
  client: KafkaClient,
  kind: CoordinatorKind,
  id: string,
  request: (id: string) => ProtocolCall<number>,
): Promise<number> {
  return client.send(await client.coordinator(kind, id), 'control', request(id));
}

function judge(code: number): ProbeResult {
  const answer = code === 0 ? DONE : errorName(code);
  if (answer.endsWith('_AUTHORIZATION_FAILED')) return { verdict: 'denied', answer };
  return { verdict: code === 0 || AFTER_AUTHORIZATION.has(answer) ? 'allowed' : 'unclear', answer };
}

const nameOf = (error: unknown): string => typeOf(error) ?? (error instanceof Error ? error.name : 'unknown');

const firstCode = (results: readonly { readonly errorCode: number }[]): number => results[0]?.errorCode ?? 0;

/** Reads a partition that does not exist. */
function fetchNothing(topic: string): ProtocolCall<number> {
  return call(
    { key: 1, version: 4, name: 'Fetch' },
    (w) => {
      w.int32(-1).int32(0).int32(0).int32(1).int8(1);
      w.array([topic], (name) => w.string(name).array([NO_PARTITION], (p) => w.int32(p).int64(0).int32(1)));
    },
    (r) => {
      r.int32();
      return topicCode(r);
    },
  );
}

/** Writes nothing into a partition that does not exist. */
function produceNothing(topic: string): ProtocolCall<number> {
  return call(
    { key: 0, version: 3, name: 'Produce' },
    (w) => {
      w.string(null).int16(-1).int32(1_000);
      // -1 is null: no records.
      w.array([topic], (name) => w.string(name).array([NO_PARTITION], (p) => w.int32(p).int32(-1)));
    },
    topicCode,
  );
}

/** Deletes records of a partition that does not exist. */
function deleteNoRecords(topic: string): ProtocolCall<number> {
  return call(
    { key: 21, version: 1, name: 'DeleteRecords' },
    (w) => {
      w.array([topic], (name) => w.string(name).array([NO_PARTITION], (p) => w.int32(p).int64(0))).int32(1_000);
    },
    (r) => {
      r.int32();
      // Topics, of each the partitions: the first one's index and low watermark stand before its code.
      r.int32();
      r.string();
      r.int32();
      r.int32();
      r.int64();
      return r.int16();
    },
  );
}

/** The code of the first partition of the first topic; what follows it is left unread. */
function topicCode(r: Reader): number {
  r.int32();
  r.string();
  r.int32();
  r.int32();
  return r.int16();
}

/** A sign of life of a member that does not exist. */
function heartbeat(group: string): ProtocolCall<number> {
  return call(
    { key: 12, version: 1, name: 'Heartbeat' },
    (w) => w.string(group).int32(0).string('redactory-verify'),
    (r) => {
      r.int32();
      return r.int16();
    },
  );
}

function describeGroup(group: string): ProtocolCall<number> {
  return call(
    { key: 15, version: 1, name: 'DescribeGroups' },
    (w) => w.array([group], (name) => w.string(name)),
    (r) => {
      r.int32();
      r.int32();
      return r.int16();
    },
  );
}

/** Aborts a transaction that does not exist. */
function endTransaction(id: string): ProtocolCall<number> {
  return call(
    { key: 26, version: 1, name: 'EndTxn' },
    (w) => w.string(id).int64(NO_PRODUCER).int16(0).boolean(false),
    (r) => {
      r.int32();
      return r.int16();
    },
  );
}

/** Brokers refuse it once they have found that the identity may add ACLs: the cluster has another name. */
const NO_ACL: Acl = {
  principal: 'User:nobody',
  host: '*',
  permission: 'allow',
  operation: 'describe',
  resource: { ...CLUSTER, name: 'redactory-verify' },
};

const DONE = 'NONE';
const NO_PARTITION = 2_000_000_000;
const NO_PRODUCER = 2 ** 52;
const SIGN_IN_MS = 5_000;

/** Answers of requests that were let through and then found nothing to do. */
const AFTER_AUTHORIZATION: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_LEADER_FOR_PARTITION',
  'UNKNOWN_MEMBER_ID',
  'GROUP_ID_NOT_FOUND',
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
  'INVALID_PRODUCER_ID_MAPPING',
  'TRANSACTIONAL_ID_NOT_FOUND',
  'TOPIC_ALREADY_EXISTS',
  'INVALID_PARTITIONS',
  'INVALID_REQUEST',
  // No authorizer: everybody may.
  'SECURITY_DISABLED',
]);
