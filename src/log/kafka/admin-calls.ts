/**
 * Requests that create, describe and change topics and access control lists, each as a typed call, in the newest version
 * without tagged fields, which brokers from 2.4 to 4.x serve.
 *
 * Source: https://kafka.apache.org/protocol, key and version as named with each.
 */
import { OPERATIONS, RESOURCE_TYPES, type Acl, type Operation, type Resource, type ResourceType } from './acls.ts';
import { call } from './calls.ts';
import type { ProtocolCall } from './internals.ts';
import type { Reader, Writer } from './wire.ts';

/** What came of one item of a request: error code 0 is done; the broker's message says more, if it has one. */
export interface ItemResult {
  readonly name: string;
  readonly errorCode: number;
  readonly message: string | null;
}

export interface TopicToCreate {
  readonly name: string;
  readonly partitions: number;
  /** Null: the cluster's default. */
  readonly replicationFactor: number | null;
  readonly settings: Readonly<Record<string, string>>;
}

export function createTopicsCall(
  topics: readonly TopicToCreate[],
  options: { readonly validateOnly: boolean; readonly timeoutMs: number },
): ProtocolCall<readonly ItemResult[]> {
  return call(
    { key: 19, version: 4, name: 'CreateTopics' },
    (w) => {
      w.array(topics, ({ name, partitions, replicationFactor, settings }) => {
        w.string(name).int32(partitions);
        w.int16(replicationFactor ?? -1).array([], () => {});
        w.array(Object.entries(settings), ([key, value]) => w.string(key).string(value));
      });
      w.int32(options.timeoutMs).boolean(options.validateOnly);
    },
    namedResults,
  );
}

/** `count` is how many there are afterwards. */
export function createPartitionsCall(
  topic: string,
  count: number,
  options: { readonly validateOnly: boolean; readonly timeoutMs: number },
): ProtocolCall<readonly ItemResult[]> {
  return call(
    { key: 37, version: 1, name: 'CreatePartitions' },
    (w) => {
      // -1 is null: the cluster places them.
      w.array([topic], (name) => w.string(name).int32(count).int32(-1));
      w.int32(options.timeoutMs).boolean(options.validateOnly);
    },
    namedResults,
  );
}

export interface DescribedTopic {
  readonly name: string;
  readonly errorCode: number;
  readonly settings: Readonly<Record<string, Setting>>;
}

export interface Setting {
  readonly value: string | null;
  /** Set on the topic itself; else it is a default. */
  readonly isOwn: boolean;
}

export function describeTopicSettingsCall(topics: readonly string[]): ProtocolCall<readonly DescribedTopic[]> {
  return call(
    { key: 32, version: 1, name: 'DescribeConfigs' },
    (w) => w.array(topics, (name) => w.int8(RESOURCE_TYPES.topic).string(name).int32(-1)).boolean(false),
    (r) => {
      r.int32();
      return r.array(() => {
        const errorCode = r.int16();
        r.string();
        r.int8();
        const name = r.string() ?? '';
        return { name, errorCode, settings: Object.fromEntries(r.array(() => readSetting(r))) };
      });
    },
  );
}

function readSetting(r: Reader): [string, Setting] {
  const [name, value] = [r.string() ?? '', r.string()];
  r.boolean();
  const source = r.int8();
  r.boolean();
  r.array(() => [r.string(), r.string(), r.int8()]);
  return [name, { value, isOwn: source === TOPIC_SOURCE }];
}

/** Sets these and leaves all others as they are, unlike the older AlterConfigs, which resets what it is not given. */
export function setTopicSettingsCall(
  topic: string,
  settings: Readonly<Record<string, string>>,
  options: { readonly validateOnly: boolean },
): ProtocolCall<readonly ItemResult[]> {
  return call(
    { key: 44, version: 0, name: 'IncrementalAlterConfigs' },
    (w) => {
      w.array([topic], (name) => {
        w.int8(RESOURCE_TYPES.topic).string(name);
        w.array(Object.entries(settings), ([key, value]) => w.string(key).int8(SET).string(value));
      });
      w.boolean(options.validateOnly);
    },
    (r) => {
      r.int32();
      return r.array(() => {
        const [errorCode, message] = [r.int16(), r.string()];
        r.int8();
        return { name: r.string() ?? '', errorCode, message };
      });
    },
  );
}

/** All there are. An error code of its own tells that there is no authorizer. */
export function describeAclsCall(): ProtocolCall<{ readonly errorCode: number; readonly acls: readonly Acl[] }> {
  return call(
    { key: 29, version: 1, name: 'DescribeAcls' },
    (w) => w.int8(ANY).string(null).int8(ANY).string(null).string(null).int8(ANY).int8(ANY),
    (r) => {
      r.int32();
      const errorCode = r.int16();
      r.string();
      return { errorCode, acls: r.array(() => readAcls(r)).flat() };
    },
  );
}

function readAcls(r: Reader): Acl[] {
  const type = nameOf(RESOURCE_TYPES, r.int8());
  const name = r.string() ?? '';
  const resource: Resource = { type, name, pattern: r.int8() === PREFIXED ? 'prefixed' : 'literal' };
  return r.array(() => ({
    principal: r.string() ?? '',
    host: r.string() ?? '',
    operation: nameOf(OPERATIONS, r.int8()),
    permission: r.int8() === ALLOW ? 'allow' : 'deny',
    resource,
  }));
}

/** In the order of `acls`; names are empty. */
export function createAclsCall(acls: readonly Acl[]): ProtocolCall<readonly ItemResult[]> {
  return call(
    { key: 30, version: 1, name: 'CreateAcls' },
    (w) => w.array(acls, (acl) => writeAcl(w, acl)),
    (r) => {
      r.int32();
      return r.array(() => ({ name: '', errorCode: r.int16(), message: r.string() }));
    },
  );
}

function writeAcl(w: Writer, { resource, principal, host, operation, permission }: Acl): void {
  w.int8(codeOf(RESOURCE_TYPES, resource.type)).string(resource.name);
  w.int8(resource.pattern === 'prefixed' ? PREFIXED : LITERAL).string(principal);
  w.string(host).int8(codeOf(OPERATIONS, operation));
  w.int8(permission === 'allow' ? ALLOW : DENY);
}

function namedResults(r: Reader): readonly ItemResult[] {
  r.int32();
  return r.array(() => ({ name: r.string() ?? '', errorCode: r.int16(), message: r.string() }));
}

function nameOf<K extends string>(codes: Readonly<Record<K, number>>, code: number): K | 'other' {
  // The keys of a record of K are K.
  return (Object.keys(codes) as K[]).find((name) => codes[name] === code) ?? 'other';
}

function codeOf<K extends Operation | ResourceType>(codes: Partial<Readonly<Record<K, number>>>, name: K): number {
  const code = codes[name];
  if (code === undefined) throw new RangeError(`'${name}' has no code in the protocol.`);
  return code;
}

/** Codes of resource types, patterns, operations and permissions. */
const ANY = 1;
const DENY = 2;
const ALLOW = 3;
const LITERAL = 3;
const PREFIXED = 4;
/** Of IncrementalAlterConfigs. */
const SET = 0;
/** ConfigSource.TOPIC_CONFIG */
const TOPIC_SOURCE = 1;
