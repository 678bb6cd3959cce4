import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openKafkaLog } from '../../../src/log/kafka.ts';
import { KafkaClient } from '../../../src/log/kafka/client.ts';
import {
  decodeAssignment,
  encodeSubscription,
  joinGroupCall,
  syncGroupCall,
} from '../../../src/log/kafka/group-protocol.ts';
import {
  GroupRefusedError,
  InstanceFencedError,
  joinKafkaGroup,
  type GroupOptions,
  type KafkaMembership,
} from '../../../src/log/kafka/membership.ts';
import type { KafkaOptions } from '../../../src/log/kafka/options.ts';
import { describeWithKafka, kafkaJars, sharedBrokers } from '../../servers/kafka.ts';

const PARTITIONS = 4;
const ALL = [0, 1, 2, 3];
/** Longer than any test takes: who waits for the end of such a session fails by the test's own limit. */
const LONG_MS = 600_000;
const NO_TOPIC = 'nobody.made.it';
const PATIENCE = { timeout: 30_000, interval: 20 };

/** A member, and what it has told. */
interface Member {
  readonly membership: KafkaMembership;
  readonly client: KafkaClient;
  readonly told: string[];
  /** Partition numbers that it may work on now. */
  readonly has: () => readonly number[];
  /** In which it was given its share last. */
  readonly generation: () => number;
  /** Its user notices changes and stops at once, until `rest`; all shares that it has seen from then on. */
  work(): { readonly seen: readonly (readonly number[])[]; readonly rest: () => Promise<void> };
}

describeWithKafka('membership in a group on Kafka', () => {
  let options: KafkaOptions;
  let topic: string;
  let group: string;
  beforeAll(async () => {
    options = {
      brokers: await sharedBrokers(),
      clientId: 'test',
      compression: 'none',
      sessionTimeoutMs: LONG_MS,
      transactionTimeoutMs: 3_000,
      requestTimeoutMs: 30_000,
    };
    topic = `t-${randomUUID()}`;
    const log = await openKafkaLog(options);
    await log.createTopics([{ name: topic, partitions: PARTITIONS, cleanup: { kind: 'delete', retentionMs: 1e12 } }]);
    await log.close();
  });
  beforeEach(() => {
    group = `g-${randomUUID()}`;
  });

  async function clientOf(told: string[] = []): Promise<KafkaClient> {
    const client = new KafkaClient({
      ...options,
      onLog: (_level, message, detail) => void told.push(`${message} ${detail}`),
    });
    await client.connect();
    onTestFinished(() => client.close());
    return client;
  }

  async function joinAs(more: Partial<GroupOptions> = {}): Promise<Member> {
    const told: string[] = [];
    const client = await clientOf(told);
    const membership = await joinKafkaGroup(client, {
      group,
      topic,
      sessionTimeoutMs: LONG_MS,
      heartbeatMs: 100,
      ...more,
    });
    onTestFinished(() => membership.leave());
    const has = (): readonly number[] => membership.assignment().map(({ partition }) => partition);
    return {
      membership,
      client,
      told,
      has,
      generation: () => Number(/in generation (\d+)/u.exec(told.findLast((line) => line.includes(' has ')) ?? '')?.[1]),
      work() {
        const seen: (readonly number[])[] = [has()];
        const stop = new AbortController();
        const watching = (async (): Promise<void> => {
          while (!stop.signal.aborted) {
            await membership.changed(LONG_MS, stop.signal);
            seen.push(has());
          }
        })();
        const rest = async (): Promise<void> => {
          stop.abort();
          await watching;
        };
        onTestFinished(rest);
        return { seen, rest };
      },
    };
  }

  /** Waits until the member has all of these and nothing else. */
  const until = (member: Member, partitions: readonly number[]): Promise<void> =>
    expect.poll(member.has, PATIENCE).toEqual(partitions);
  const untilCount = (member: Member, count: number): Promise<void> =>
    expect.poll(() => member.has().length, PATIENCE).toBe(count);
  const lost = (member: Member): string[] => member.told.filter((line) => line.includes('has lost its'));

  describe('that is joined cooperatively', () => {
    it('leaves what is kept working, and gives what moves to nobody before the work on it has stopped', async () => {
      const first = await joinAs();
      await until(first, ALL);
      const second = await joinAs();
      // It is in the group, with nothing: the first has not said yet that it stopped.
      await expect.poll(() => second.told.join(), PATIENCE).toMatch(/has 0 partitions/u);
      await first.membership.changed(LONG_MS);
      const kept = first.has();
      expect(kept).toHaveLength(2);
      // Nor does it when others come meanwhile: it claims what it has not stopped.
      const third = await joinAs();
      await expect.poll(() => third.told.join(), PATIENCE).toMatch(/has 0 partitions/u);
      expect([first.has(), second.has()]).toEqual([kept, []]);
      const working = [second.work(), third.work()];
      await first.membership.changed(0);
      await untilCount(second, 1);
      await untilCount(third, 1);
      expect([...kept, ...second.has(), ...third.has()].toSorted((a, b) => a - b)).toEqual(ALL);
      expect(first.has()).toEqual(kept);
      expect(lost(first)).toEqual([]);
      for (const { seen, rest } of working) {
        await rest();
        // Nothing of what the first has was ever seen by another.
        expect(seen.flat().filter((partition) => kept.includes(partition))).toEqual([]);
      }
    });

    it('gives a leaving member’s share to the others at once, and takes nothing from them', async () => {
      const [first, second] = [await joinAs(), await joinAs()];
      const [one, other] = [first.work(), second.work()];
      await untilCount(second, 2);
      await untilCount(first, 2);
      const kept = first.has();
      await other.rest();
      await second.membership.leave();
      expect(second.has()).toEqual([]);
      await until(first, ALL);
      await one.rest();
      const afterwards = one.seen.slice(one.seen.findIndex((share) => share.length === 2));
      for (const share of afterwards) expect(share).toEqual(expect.arrayContaining([...kept]));
    });

    it('shows its shares to Kafka’s own tools', async () => {
      const [first, second] = [await joinAs(), await joinAs()];
      first.work();
      second.work();
      await untilCount(second, 2);
      await untilCount(first, 2);
      const tool = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
      const args = [
        '--bootstrap-server',
        options.brokers.join(),
        '--describe',
        '--members',
        '--verbose',
        '--group',
        group,
      ];
      const { stdout } = await promisify(execFile)('java', ['-cp', join(kafkaJars() ?? '', '*'), tool, ...args]);
      const shown = [...stdout.matchAll(new RegExp(`${topic}[:(]([\\d,]+)`, 'gu'))].map(([, share]) => share);
      expect(new Set(shown)).toEqual(new Set([first.has().join(), second.has().join()]));
    });

    it('goes on when another member wants a topic that there is not', async () => {
      const member = await joinAs();
      member.work();
      await until(member, ALL);
      const before = member.generation();
      const stranger = strangerIn(await clientOf());
      await expect.poll(member.generation, PATIENCE).toBeGreaterThan(before);
      expect(decodeAssignment(await stranger, NO_TOPIC)).toEqual([]);
      expect(member.has()).toEqual(ALL);
      expect(lost(member)).toEqual([]);
    });

    /** Joins, claiming what is not there; what it is given. */
    async function strangerIn(client: KafkaClient): Promise<Buffer> {
      const broker = await client.coordinator('group', group);
      const subscription = encodeSubscription({ topic: NO_TOPIC, owned: ALL, generation: 99 });
      const o = { sessionTimeoutMs: LONG_MS, rebalanceTimeoutMs: LONG_MS, subscription };
      const seat = { group, memberId: '', instanceId: null };
      const { memberId } = await client.send(broker, 'join', joinGroupCall(seat, o));
      const { generation } = await client.send(broker, 'join', joinGroupCall({ ...seat, memberId }, o));
      return client.send(broker, 'join', syncGroupCall({ ...seat, memberId, generation }, [], LONG_MS));
    }
  });

  describe('with an instance name', () => {
    it.each([
      ['leads the group', 0],
      ['does not lead it', 1],
    ])('keeps its seat while it is away, and nobody else notices, when it %s', async (_what, index) => {
      const members = [await joinAs({ instanceId: 'a' }), await joinAs({ instanceId: 'b' })];
      const working = members.map((member) => member.work());
      for (const member of members) await untilCount(member, 2);
      const away = members[index];
      const stays = members[1 - index];
      if (away === undefined || stays === undefined) throw new Error('there are two');
      const [share, told, generation] = [away.has(), stays.told.length, away.generation()];
      await working[index]?.rest();
      await away.membership.close();
      expect(away.has()).toEqual([]);

      const back = await joinAs({ instanceId: index === 0 ? 'a' : 'b' });
      await until(back, share);
      expect(back.generation()).toBe(generation);
      expect(stays.told.slice(told)).toEqual([]);
      expect(working[1 - index]?.seen.at(-1)).toEqual(ALL.filter((partition) => !share.includes(partition)));
    });

    it('ends with an error when another takes the name, and the other goes on', async () => {
      const older = await joinAs({ instanceId: 'the-same', sessionTimeoutMs: 6_000 });
      await until(older, ALL);
      const newer = await joinAs({ instanceId: 'the-same', sessionTimeoutMs: 6_000 });
      const ending = older.membership.changed(LONG_MS).then(() => older.membership.changed(LONG_MS));
      await expect(ending).rejects.toThrow(InstanceFencedError);
      await expect(older.membership.changed(0)).rejects.toThrow(/'the-same'.*kafka\.instance/u);
      expect(older.has()).toEqual([]);
      await until(newer, ALL);
      // Its good-bye must not take the seat from the one that has it now.
      await older.membership.leave();
      await newer.membership.changed(0);
      await expect.poll(() => describedMembers(), PATIENCE).toBe(1);
      expect(newer.has()).toEqual(ALL);
    });

    async function describedMembers(): Promise<number> {
      const admin = new Kafka({ brokers: [...options.brokers], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      try {
        return (await admin.describeGroups([group])).groups[0]?.members.length ?? 0;
      } finally {
        await admin.disconnect();
      }
    }

    it('takes up what one of its name had given up when it was killed, so that others get it', async () => {
      const killed = await joinAs({ instanceId: 'a' });
      await until(killed, ALL);
      const waiting = await joinAs({ instanceId: 'b' });
      waiting.work();
      await killed.membership.changed(LONG_MS);
      // It knows what it is to stop; that it has stopped is what it does not live to say.
      expect(killed.has()).toHaveLength(2);
      expect(waiting.has()).toEqual([]);
      await killed.membership.close();

      const back = await joinAs({ instanceId: 'a' });
      back.work();
      await untilCount(waiting, 2);
      await untilCount(back, 2);
      expect([...back.has(), ...waiting.has()].toSorted((a, b) => a - b)).toEqual(ALL);
    });

    it('gives its seat up when it leaves', async () => {
      const [first, second] = [await joinAs({ instanceId: 'a' }), await joinAs({ instanceId: 'b' })];
      first.work();
      const other = second.work();
      await untilCount(second, 2);
      await other.rest();
      await second.membership.leave();
      await until(first, ALL);
      expect(second.has()).toEqual([]);
    });
  });

  it('without an instance name leaves when it is closed: it could not come back to its seat', async () => {
    const [first, second] = [await joinAs(), await joinAs()];
    first.work();
    const other = second.work();
    await untilCount(second, 2);
    await other.rest();
    await second.membership.close();
    await until(first, ALL);
    expect(second.has()).toEqual([]);
  });

  describe('by its own clock', () => {
    it('has nothing from the moment on at which its session ended, and all again once its work has stopped', async () => {
      let skew = 0;
      const member = await joinAs({ now: () => performance.now() + skew });
      await until(member, ALL);
      await member.membership.changed(0);
      skew = LONG_MS - 60_000;
      expect(member.has()).toEqual(ALL);
      skew = LONG_MS + 1;
      // Nobody was asked, and the cluster could be.
      expect(member.has()).toEqual([]);
      expect(lost(member)).toEqual([expect.stringContaining('no heartbeat was acknowledged for a session timeout')]);
      await member.membership.changed(LONG_MS);
      expect(member.has()).toEqual([]);
      const working = member.work();
      await until(member, ALL);
      await working.rest();
    });

    it('has nothing when its connections are cut for as long as a session lasts', async () => {
      let skew = 0;
      const member = await joinAs({ now: () => performance.now() + skew });
      await until(member, ALL);
      member.client.close();
      skew = LONG_MS + 1;
      expect(member.has()).toEqual([]);
    });

    it('does not ask for its seat again while its work goes on, and others get it', async () => {
      let skew = 0;
      const stuck = await joinAs({ sessionTimeoutMs: 3_000, now: () => performance.now() + skew });
      await until(stuck, ALL);
      skew = 4_000;
      expect(stuck.has()).toEqual([]);
      const heir = await joinAs();
      heir.work();
      await until(heir, ALL);
      expect(stuck.has()).toEqual([]);
      // The first call tells of the loss; the second says that the work has stopped.
      await stuck.membership.changed(LONG_MS);
      expect(heir.has()).toEqual(ALL);
      await stuck.membership.changed(LONG_MS);
      await untilCount(stuck, 2);
      expect(lost(stuck)).toHaveLength(1);
    });
  });

  it('is lost by who does not stop work on what was taken away', async () => {
    const stubborn = await joinAs({ sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 3_000 });
    await until(stubborn, ALL);
    const other = await joinAs({ rebalanceTimeoutMs: 3_000 });
    other.work();
    await stubborn.membership.changed(LONG_MS);
    expect(stubborn.has()).toHaveLength(2);
    await until(other, ALL);
    expect(stubborn.has()).toEqual([]);
    expect(lost(stubborn)).toEqual([expect.stringContaining('work on what was taken away did not stop in time')]);
    // It is let in again when it has stopped.
    stubborn.work();
    await untilCount(stubborn, 2);
  });

  describe('is refused', () => {
    it.each([
      [
        'with a session timeout that the cluster does not allow',
        { sessionTimeoutMs: 999 },
        /999 ms.*kafka\.sessionTimeoutMs/u,
      ],
      ['in a group without a name', { group: '' }, /no group of the name ''/u],
    ])('%s', async (_what, more, message) => {
      const joining = joinAs(more);
      await expect(joining).rejects.toThrow(GroupRefusedError);
      await expect(joining).rejects.toThrow(message);
    });

    it('in a group of consumers that share by other rules', async () => {
      const kafka = new Kafka({ brokers: [...options.brokers], logLevel: logLevel.NOTHING });
      const consumer = kafka.consumer({ groupId: group });
      onTestFinished(() => consumer.disconnect());
      await consumer.connect();
      await consumer.subscribe({ topic });
      const joined = new Promise((resolve) => {
        consumer.on(consumer.events.GROUP_JOIN, resolve);
      });
      await consumer.run({ eachMessage: async () => {} });
      await joined;
      const joining = joinAs();
      await expect(joining).rejects.toThrow(GroupRefusedError);
      await expect(joining).rejects.toThrow(/members that are not of this program/u);
    });
  });

  describe('that has ended', () => {
    it('tells so once, wakes who waits, and may be ended again', async () => {
      let ends = 0;
      const member = await joinAs({ onEnd: () => (ends += 1) });
      await until(member, ALL);
      await member.membership.changed(0);
      const waiting = member.membership.changed(LONG_MS);
      await member.membership.leave();
      await waiting;
      await Promise.all([member.membership.leave(), member.membership.close()]);
      expect([member.has(), ends]).toEqual([[], 1]);
    });

    it('ends with its client', async () => {
      let ends = 0;
      const member = await joinAs({ onEnd: () => (ends += 1) });
      await until(member, ALL);
      member.client.close();
      await member.membership.leave();
      expect([member.has(), ends]).toEqual([[], 1]);
    });
  });
});
