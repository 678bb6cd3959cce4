/**
 * The classic group protocol: requests to a group's coordinator, and what members and their leader tell each other through it
 * in the form that Kafka's own consumers and tools know.
 *
 * Source: https://kafka.apache.org/protocol (keys 11 to 14); ConsumerProtocolSubscription.json and
 * ConsumerProtocolAssignment.json, version 1, of Apache Kafka.
 */
import { call } from './calls.ts';
import { checkCode } from './errors.ts';
import type { ProtocolCall } from './internals.ts';
import { Reader, Writer } from './wire.ts';

/** Who asks. */
export interface Seat {
  readonly group: string;
  /** Empty until the coordinator has given one. */
  readonly memberId: string;
  /** `group.instance.id` of a static member. */
  readonly instanceId: string | null;
}

/** A member's seat in one generation of the group. */
export interface GenerationSeat extends Seat {
  readonly generation: number;
}

export interface Joined {
  /** The coordinator gave a member id to ask again with; there is no generation yet. */
  readonly mustAskAgain: boolean;
  readonly memberId: string;
  readonly generation: number;
  readonly leaderId: string;
  /** All members, for the leader; else none. */
  readonly members: readonly { readonly memberId: string; readonly subscription: Buffer }[];
}

/** Answered when all members have joined, or after the rebalance timeout. @throws BrokerError (from the call) */
export function joinGroupCall(
  seat: Seat,
  o: { readonly sessionTimeoutMs: number; readonly rebalanceTimeoutMs: number; readonly subscription: Buffer },
): ProtocolCall<Joined> {
  return call(
    { key: 11, version: 5, name: 'JoinGroup' },
    (w) => {
      w.string(seat.group).int32(o.sessionTimeoutMs).int32(o.rebalanceTimeoutMs);
      w.string(seat.memberId).string(seat.instanceId).string('consumer');
      w.array([PROTOCOL], (name) => bytes(w.string(name), o.subscription));
    },
    (r) => {
      r.int32();
      const code = r.int16();
      if (code !== MEMBER_ID_REQUIRED) checkCode(code);
      const [generation, , leaderId, memberId] = [r.int32(), r.string(), r.string() ?? '', r.string() ?? ''];
      const members = r.array(() => {
        const id = r.string() ?? '';
        r.string();
        return { memberId: id, subscription: readBytes(r) };
      });
      return { mustAskAgain: code === MEMBER_ID_REQUIRED, memberId, generation, leaderId, members };
    },
    { timeoutMs: o.rebalanceTimeoutMs + NETWORK_MS },
  );
}

/** Shares by member id from the leader, none from others. The answer is this member's. @throws BrokerError (from the call) */
export function syncGroupCall(
  seat: GenerationSeat,
  shares: readonly (readonly [string, Buffer])[],
  rebalanceTimeoutMs: number,
): ProtocolCall<Buffer> {
  return call(
    { key: 14, version: 3, name: 'SyncGroup' },
    (w) => {
      w.string(seat.group).int32(seat.generation).string(seat.memberId).string(seat.instanceId);
      w.array(shares, ([memberId, share]) => bytes(w.string(memberId), share));
    },
    (r) => {
      r.int32();
      checkCode(r.int16());
      return readBytes(r);
    },
    { timeoutMs: rebalanceTimeoutMs + NETWORK_MS },
  );
}

/** @throws BrokerError (from the call) */
export function heartbeatCall(seat: GenerationSeat): ProtocolCall<void> {
  return call(
    { key: 12, version: 3, name: 'Heartbeat' },
    (w) => w.string(seat.group).int32(seat.generation).string(seat.memberId).string(seat.instanceId),
    (r) => {
      r.int32();
      checkCode(r.int16());
    },
  );
}

/** @throws BrokerError (from the call) */
export function leaveGroupCall(seat: Seat): ProtocolCall<void> {
  return call(
    { key: 13, version: 3, name: 'LeaveGroup' },
    (w) => w.string(seat.group).array([seat], ({ memberId, instanceId }) => w.string(memberId).string(instanceId)),
    (r) => {
      r.int32();
      checkCode(r.int16());
      r.array(() => {
        r.string();
        r.string();
        checkCode(r.int16());
      });
    },
  );
}

/** What a member tells the leader. */
export interface Subscription {
  readonly topic: string;
  readonly owned: readonly number[];
  /** In which it was given what it owns; -1 for none. */
  readonly generation: number;
}

export function encodeSubscription({ topic, owned, generation }: Subscription): Buffer {
  const w = new Writer().int16(CONSUMER_PROTOCOL_VERSION);
  w.array([topic], (name) => w.string(name));
  // As Kafka's cooperative sticky assignor has it in its user data.
  bytes(w, new Writer().int32(generation).finish());
  writePartitions(w, topic, owned);
  return w.finish();
}

/** @throws RangeError when it is not one */
export function decodeSubscription(subscription: Buffer): Subscription {
  const r = new Reader(subscription);
  const version = r.int16();
  const [topic = ''] = r.array(() => r.string() ?? '');
  const userData = readBytes(r);
  const owned = version >= 1 ? readPartitions(r, topic) : [];
  return { topic, owned, generation: userData.length >= 4 ? userData.readInt32BE(0) : -1 };
}

export function encodeAssignment(topic: string, partitions: readonly number[], isPending = false): Buffer {
  const w = new Writer().int16(CONSUMER_PROTOCOL_VERSION);
  writePartitions(w, topic, partitions);
  // User data: none (null), or nothing (no bytes), which stands for what is pending.
  return w.int32(isPending ? 0 : -1).finish();
}

/** Whether the leader said with an assignment that there are partitions which nobody has in this generation. */
export function isPendingAssignment(assignment: Buffer): boolean {
  return assignment.length > 0 && assignment.readInt32BE(assignment.length - 4) === 0;
}

/** The partitions of the topic; none when there is no assignment at all. @throws RangeError when it is not one */
export function decodeAssignment(assignment: Buffer, topic: string): readonly number[] {
  if (assignment.length === 0) return [];
  const r = new Reader(assignment);
  r.int16();
  return readPartitions(r, topic);
}

function writePartitions(w: Writer, topic: string, partitions: readonly number[]): void {
  w.array(partitions.length === 0 ? [] : [topic], (name) =>
    w.string(name).array(partitions, (partition) => w.int32(partition)),
  );
}

function readPartitions(r: Reader, topic: string): readonly number[] {
  const all = r.array(() => ({ topic: r.string(), partitions: r.array(() => r.int32()) }));
  return all.filter((one) => one.topic === topic).flatMap(({ partitions }) => partitions);
}

function bytes(w: Writer, value: Uint8Array): Writer {
  return w.int32(value.length).raw(value);
}

/** A copy: what it was read from is reused. null counts as empty. */
function readBytes(r: Reader): Buffer {
  const length = Math.max(0, r.int32());
  const at = r.skip(length);
  return Buffer.from(r.bytes.subarray(at, at + length));
}

/** Its wire format is Kafka's, so that kafka-consumer-groups.sh shows who holds what; the assignor is ours. */
const PROTOCOL = 'cooperative-sticky';
const CONSUMER_PROTOCOL_VERSION = 1;
const MEMBER_ID_REQUIRED = 79;
/** What an answer may take beyond the wait that was asked for. */
const NETWORK_MS = 5_000;
