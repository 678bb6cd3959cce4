import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  heartbeatCall,
  isPendingAssignment,
  joinGroupCall,
  leaveGroupCall,
  syncGroupCall,
} from '../../../src/log/kafka/group-protocol.ts';
import type { ProtocolCall } from '../../../src/log/kafka/internals.ts';
import { Writer } from '../../../src/log/kafka/wire.ts';

/**
 * What ConsumerProtocol of kafka-clients 4.1.0 makes of a subscription to interactions.raw that owns partitions 0 and 3 since
 * generation 7, of the assignment of these partitions, and the like.
 */
const KAFKAS = {
  subscription: [
    '0000000000010010696e746572616374696f6e732e7261770000000400000007',
    '0001000000010010696e746572616374696f6e732e7261770000000400000007000000010010696e746572616374696f6e732e726177000000020000000000000003',
    '0002000000010010696e746572616374696f6e732e7261770000000400000007000000010010696e746572616374696f6e732e72617700000002000000000000000300000007',
    '0003000000010010696e746572616374696f6e732e7261770000000400000007000000010010696e746572616374696f6e732e7261770000000200000000000000030000000700047261636b',
  ],
  newcomer: '0001000000010010696e746572616374696f6e732e72617700000004ffffffff00000000',
  withoutUserData: '0001000000010010696e746572616374696f6e732e726177ffffffff00000000',
  assignment: [
    '0000000000010010696e746572616374696f6e732e726177000000020000000000000003ffffffff',
    '0001000000010010696e746572616374696f6e732e726177000000020000000000000003ffffffff',
  ],
  empty: '000100000000ffffffff',
  twoTopics: '00010000000200056f7468657200000001000000090010696e746572616374696f6e732e7261770000000100000001ffffffff',
} as const;
const RAW = 'interactions.raw';
const OWNER = { topic: RAW, owned: [0, 3], generation: 7 };
const hex = (bytes: Buffer): string => bytes.toString('hex');
const bytes = (text: string): Buffer => Buffer.from(text, 'hex');

const topics = fc.stringMatching(/^[a-zA-Z0-9._-]{1,249}$/u);
const partitions = fc.uniqueArray(fc.nat(10_000), { maxLength: 50 });
const subscriptions = fc.record({
  topic: topics,
  owned: partitions,
  generation: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
});

describe("a member's subscription", () => {
  it('is byte for byte what a consumer of Kafka writes', () => {
    expect(hex(encodeSubscription(OWNER))).toBe(KAFKAS.subscription[1]);
    expect(hex(encodeSubscription({ topic: RAW, owned: [], generation: -1 }))).toBe(KAFKAS.newcomer);
  });

  it('is read in every version that there is', () => {
    const [first, ...later] = KAFKAS.subscription;
    // The first version does not tell what is owned.
    expect(decodeSubscription(bytes(first))).toEqual({ ...OWNER, owned: [] });
    for (const one of later) expect(decodeSubscription(bytes(one))).toEqual(OWNER);
    const newcomer = { topic: RAW, owned: [], generation: -1 };
    expect(decodeSubscription(bytes(KAFKAS.newcomer))).toEqual(newcomer);
    expect(decodeSubscription(bytes(KAFKAS.withoutUserData))).toEqual(newcomer);
  });

  it('says what was put in', () => {
    fc.assert(
      fc.property(subscriptions, (subscription) => {
        expect(decodeSubscription(encodeSubscription(subscription))).toEqual(subscription);
      }),
    );
  });
});

describe("a member's assignment", () => {
  it('is byte for byte what an assignor of Kafka writes', () => {
    expect(hex(encodeAssignment(RAW, [0, 3]))).toBe(KAFKAS.assignment[1]);
    expect(hex(encodeAssignment(RAW, []))).toBe(KAFKAS.empty);
  });

  it('is read in every version, and without one there is none', () => {
    for (const one of KAFKAS.assignment) expect(decodeAssignment(bytes(one), RAW)).toEqual([0, 3]);
    expect(decodeAssignment(bytes(KAFKAS.empty), RAW)).toEqual([]);
    expect(decodeAssignment(Buffer.alloc(0), RAW)).toEqual([]);
  });

  it('is that of the topic and of no other', () => {
    expect(decodeAssignment(bytes(KAFKAS.twoTopics), RAW)).toEqual([1]);
    expect(decodeAssignment(bytes(KAFKAS.twoTopics), 'other')).toEqual([9]);
    expect(decodeAssignment(bytes(KAFKAS.twoTopics), 'third')).toEqual([]);
  });

  it('says what was put in', () => {
    fc.assert(
      fc.property(topics, partitions, fc.boolean(), (topic, share, isPending) => {
        const assignment = encodeAssignment(topic, share, isPending);
        expect(decodeAssignment(assignment, topic)).toEqual(share);
        expect(isPendingAssignment(assignment)).toBe(isPending);
      }),
    );
  });

  it('of another assignor, or none, says nothing of what is pending', () => {
    for (const one of [...KAFKAS.assignment, KAFKAS.empty, KAFKAS.twoTopics, ''])
      expect(isPendingAssignment(bytes(one))).toBe(false);
  });
});

describe('bytes that are none', () => {
  const decoders = [decodeSubscription, (one: Buffer): unknown => decodeAssignment(one, RAW)] as const;

  it('cut short are an error', () => {
    fc.assert(
      fc.property(subscriptions, fc.nat(), (subscription, at) => {
        const whole = encodeSubscription(subscription);
        expect(() => decodeSubscription(whole.subarray(0, at % whole.length))).toThrow(RangeError);
      }),
    );
    const share = encodeAssignment(RAW, [0, 3]);
    // Behind the partitions stands only what is not read.
    for (let end = 1; end < share.length - 4; end += 1) {
      expect(() => decodeAssignment(share.subarray(0, end), RAW)).toThrow(RangeError);
    }
  });

  it('are an error or something, whatever they are, and never more than they could hold', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (garbage) => {
        for (const decode of decoders) {
          const got = outcomeOf(() => decode(Buffer.from(garbage)));
          expect(got === RangeError || JSON.stringify(got).length < 1_000).toBe(true);
        }
      }),
    );
  });

  it('that claim billions of items end where the bytes do', () => {
    const many = new Writer()
      .int16(1)
      .int32(2 ** 31 - 1)
      .finish();
    for (const decode of decoders) expect(() => decode(many)).toThrow(RangeError);
  });
});

describe('requests to the coordinator', () => {
  const seat = { group: 'g', memberId: 'm', instanceId: 'i' };
  const own = { ...seat, generation: 9 };

  it('join with the times and the subscription that are given, as a consumer', async () => {
    const o = { sessionTimeoutMs: 10, rebalanceTimeoutMs: 20, subscription: Buffer.from([1, 2]) };
    const expected = new Writer().string('g').int32(10).int32(20).string('m').string('i').string('consumer');
    expected
      .int32(1)
      .string('cooperative-sticky')
      .int32(2)
      .raw(Buffer.from([1, 2]));
    expect(await sent(joinGroupCall(seat, o))).toBe(hex(expected.finish()));
    // A join is answered when all have joined.
    expect(joinGroupCall(seat, o).requestTimeout).toBeGreaterThan(20);
  });

  it('name the member, its generation and its instance, or that it has none', async () => {
    const named = new Writer().string('g').int32(9).string('m').string('i').finish();
    expect(await sent(heartbeatCall(own))).toBe(hex(named));
    const dynamic = new Writer().string('g').int32(9).string('m').string(null).finish();
    expect(await sent(heartbeatCall({ ...own, instanceId: null }))).toBe(hex(dynamic));
    const share = new Writer()
      .raw(named)
      .int32(1)
      .string('m')
      .int32(1)
      .raw(Buffer.from([5]))
      .finish();
    expect(await sent(syncGroupCall(own, [['m', Buffer.from([5])]], 20))).toBe(hex(share));
    const leaves = new Writer().string('g').int32(1).string('m').string('i').finish();
    expect(await sent(leaveGroupCall(seat))).toBe(hex(leaves));
  });

  it('tell a member that has to ask again with its new id', async () => {
    const answer = joined(79, 'given').finish();
    expect(await received(join, answer)).toMatchObject({ mustAskAgain: true, memberId: 'given', members: [] });
  });

  it('tell the leader all members with copies of what they say', async () => {
    const answer = joined(0, 'm', [
      ['m', null, Buffer.from([1])],
      ['n', 'i', Buffer.from([2, 3])],
    ]).finish();
    const result = await received(join, answer);
    answer.fill(0);
    expect(result).toEqual({
      mustAskAgain: false,
      memberId: 'm',
      generation: 4,
      leaderId: 'leader',
      members: [
        { memberId: 'm', subscription: Buffer.from([1]) },
        { memberId: 'n', subscription: Buffer.from([2, 3]) },
      ],
    });
  });

  const join = joinGroupCall(seat, { sessionTimeoutMs: 1, rebalanceTimeoutMs: 1, subscription: Buffer.alloc(0) });
  const code = (error: number): Buffer => new Writer().int32(0).int16(error).finish();
  it.each<[string, ProtocolCall<unknown>, Buffer]>([
    ['JoinGroup', join, joined(25, '').finish()],
    ['SyncGroup', syncGroupCall(own, [], 1), code(25)],
    ['Heartbeat', heartbeatCall(own), code(25)],
    ['LeaveGroup', leaveGroupCall(seat), code(25)],
    ['LeaveGroup of one member', leaveGroupCall(seat), memberLeft(25)],
  ])('throw what the answer to %s says', async (_name, request, answer) => {
    await expect(received(request, answer)).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' });
  });
});

/** What it returns, or RangeError when it throws one. */
function outcomeOf(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RangeError) return RangeError;
    throw error;
  }
}

async function sent(request: ProtocolCall<unknown>): Promise<string> {
  return hex((await request.request.encode()).buf);
}

async function received<T>(request: ProtocolCall<T>, answer: Buffer): Promise<T> {
  return request.response.parse(await request.response.decode(answer));
}

function joined(
  code: number,
  memberId: string,
  members: readonly (readonly [string, string | null, Buffer])[] = [],
): Writer {
  const w = new Writer().int32(0).int16(code).int32(4).string('cooperative-sticky').string('leader').string(memberId);
  return w.array(members, ([id, instance, subscription]) =>
    w.string(id).string(instance).int32(subscription.length).raw(subscription),
  );
}

function memberLeft(code: number): Buffer {
  return new Writer().int32(0).int16(0).int32(1).string('m').string('i').int16(code).finish();
}
