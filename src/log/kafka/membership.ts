import type { Membership, TopicPartition } from '../event-log.ts';
import { UnknownTopicError } from '../event-log.ts';
import { deadlineIn, Waits } from '../embedded/waits.ts';
import { assignPartitions } from './assignor.ts';
import type { KafkaClient } from './client.ts';
import { accessError, isTransient, isTransport, LogAccessError, LogUnavailableError, typeOf } from './errors.ts';
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
  type GenerationSeat,
  type Joined,
  type Seat,
  type Subscription,
} from './group-protocol.ts';
import type { ProtocolCall } from './internals.ts';
import { Shares } from './shares.ts';

export interface GroupOptions {
  readonly group: string;
  readonly topic: string;
  /** A member that is silent for so long loses its partitions, ms. */
  readonly sessionTimeoutMs: number;
  /** Static membership: `group.instance.id`, unique among running members of the group. */
  readonly instanceId?: string | undefined;
  /** A member whose work on what was taken away does not stop within this time loses its seat, ms; default the session timeout. */
  readonly rebalanceTimeoutMs?: number;
  /** Between heartbeats, by which a member also hears that others come and go, ms; default a tenth of the session, at most 3 s. */
  readonly heartbeatMs?: number;
  /** A monotonic clock, ms. */
  readonly now?: () => number;
  /** Called once, when the membership has ended. */
  readonly onEnd?: () => void;
}

export interface KafkaMembership extends Membership {
  /**
   * Ends it as the end of the process would, only in order. A static member keeps its seat: if it is back within the session
   * timeout, it gets its partitions again and nobody else notices. A dynamic member leaves, for it could not come back.
   */
  close(): Promise<void>;
}

/** Two members of a group run under one instance name; this one is the older. */
export class InstanceFencedError extends Error {
  override name = 'InstanceFencedError';
}

/** The group does not take this member; the message says why. */
export class GroupRefusedError extends Error {
  override name = 'GroupRefusedError';
}

/**
 * Joins a consumer group by the classic protocol, cooperatively (KIP-429), as a static member (KIP-345) if it has an instance
 * name. Rebalances and heartbeats run in the background; work on partitions that are kept goes on meanwhile.
 *
 * The member fails closed: when no heartbeat has been acknowledged for a session timeout, by its own monotonic clock,
 * `assignment()` is empty, whether or not the cluster can be reached. What was lost is not given back before
 * `changed()` was called again, which says that the work on it has stopped.
 *
 * `changed()` throws once the membership can't go on: {@link InstanceFencedError}, {@link GroupRefusedError},
 * LogAccessError, UnknownTopicError.
 *
 * @throws the same, when that is known within a second; otherwise joining goes on in the background.
 */
export async function joinKafkaGroup(client: KafkaClient, options: GroupOptions): Promise<KafkaMembership> {
  const member = new Member(client, options);
  await member.start();
  return member;
}

class Member implements KafkaMembership {
  readonly #client: KafkaClient;
  readonly #o: GroupOptions;
  readonly #now: () => number;
  readonly #waits = new Waits();
  readonly #shares: Shares;
  readonly #lanes: { readonly rebalance: string; readonly heartbeat: string };
  readonly #heartbeatMs: number;

  #memberId = '';
  /** Of the last join; heartbeats carry it. undefined without a seat. */
  #joined: number | undefined;
  /** In which the present share was given. */
  #generation = -1;
  /** When the last request was sent that the coordinator answered as to a live member. undefined without a seat. */
  #aliveAt: number | undefined;
  #rejoin = true;
  #isFirstShare = true;
  #rebalancing = false;
  #beating = false;
  #timer: NodeJS.Timeout | undefined;
  #reported = 0;
  #failure: unknown;
  #running: Promise<void> = Promise.resolve();
  #ended: Promise<void> | undefined;

  constructor(client: KafkaClient, options: GroupOptions) {
    this.#client = client;
    this.#o = options;
    this.#now = options.now ?? ((): number => performance.now());
    this.#shares = new Shares(this.#now, () => this.#waits.wake());
    this.#heartbeatMs = options.heartbeatMs ?? Math.min(options.sessionTimeoutMs / 10, MAX_HEARTBEAT_MS);
    const lane = `group-${(lanes += 1)}`;
    // A broker answers nothing on a connection on which a join waits: heartbeats have their own.
    this.#lanes = { rebalance: `${lane}-rebalance`, heartbeat: `${lane}-heartbeat` };
  }

  async start(): Promise<void> {
    this.#client.closing.addEventListener('abort', this.#onClientClosed, { once: true });
    this.#beatLater();
    this.#running = this.#run();
    const deadline = deadlineIn(JOIN_WAIT_MS);
    while (this.#joined === undefined && this.#failure === undefined && deadline.left() > 0 && !this.#hasEnded) {
      await this.#waits.wait(deadline.left());
    }
    this.#reported = this.#shares.version;
    if (this.#failure !== undefined) throw this.#failure;
  }

  assignment(): readonly TopicPartition[] {
    // A process that was stopped for a while asks here before it learns anything else.
    this.#checkAlive();
    return this.#shares.visible.map((partition) => ({ topic: this.#o.topic, partition }));
  }

  async changed(waitMs: number, signal?: AbortSignal): Promise<void> {
    const deadline = deadlineIn(waitMs);
    if (this.#shares.version === this.#reported) this.#workHasStopped();
    while (this.#shares.version === this.#reported) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#hasEnded || signal?.aborted === true || deadline.left() === 0) return;
      await this.#waits.wait(deadline.left(), signal);
      this.#checkAlive();
    }
    this.#reported = this.#shares.version;
    if (this.#failure !== undefined) throw this.#failure;
  }

  leave(): Promise<void> {
    this.#ended ??= this.#end(true);
    return this.#ended;
  }

  close(): Promise<void> {
    this.#ended ??= this.#end(this.#o.instanceId === undefined);
    return this.#ended;
  }

  get #hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Joins, and joins again whenever there is a reason to, until the end. Never rejects. */
  async #run(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#hasEnded && this.#failure === undefined) {
      try {
        await this.#untilDue();
        if (this.#hasEnded) return;
        this.#rejoin = false;
        this.#rebalancing = true;
        await this.#rebalance();
        pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        this.#rejoin = true;
        if (this.#mayRetryAfter(error)) {
          await this.#waits.wait(pauseMs);
          pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
        }
      } finally {
        this.#rebalancing = false;
      }
    }
  }

  /** Until there is a reason to join, and, when all was lost, until the work on it has stopped. */
  async #untilDue(): Promise<void> {
    const isDue = (): boolean => this.#rejoin && (this.#joined !== undefined || !this.#shares.hasUnstopped);
    while (!isDue() && !this.#hasEnded) await this.#waits.wait(LONG_MS);
  }

  async #rebalance(): Promise<void> {
    const { topic, sessionTimeoutMs } = this.#o;
    const subscription = encodeSubscription({ topic, owned: this.#shares.claimed, generation: this.#generation });
    const joined = await this.#join(subscription);
    this.#memberId = joined.memberId;
    this.#joined = joined.generation;
    const seat = { ...this.#seat, generation: joined.generation };
    const shares = joined.leaderId === joined.memberId ? await this.#assign(joined) : [];
    const sentAt = this.#now();
    const call = syncGroupCall(seat, shares, this.#rebalanceTimeoutMs);
    const assignment = await this.#send(this.#lanes.rebalance, call);
    const share = decodeAssignment(assignment, topic);
    // Meanwhile it may have been lost, or this process may have been stopped for too long.
    if (this.#joined !== seat.generation || this.#now() - sentAt > sessionTimeoutMs) throw new SeatLost();
    this.#aliveAt = Math.max(sentAt, this.#aliveAt ?? sentAt);
    this.#generation = seat.generation;
    this.#shares.give(share);
    this.#takeUpWhatIsPending(assignment);
    this.#waits.wake();
    this.#tell('info', `has ${share.length} partitions in generation ${seat.generation}`, share.join(', '));
  }

  /**
   * Whoever gives partitions up joins again, so that others get them. If it was killed before that, a process of its name
   * gets its seat back without a new generation, and nobody else would ask for one: once, it does.
   */
  #takeUpWhatIsPending(assignment: Buffer): void {
    const isFirst = this.#isFirstShare;
    this.#isFirstShare = false;
    if (isFirst && this.#o.instanceId !== undefined && isPendingAssignment(assignment)) this.#joinAgain();
  }

  async #join(subscription: Buffer): Promise<Joined> {
    const { sessionTimeoutMs } = this.#o;
    const o = { sessionTimeoutMs, rebalanceTimeoutMs: this.#rebalanceTimeoutMs, subscription };
    const joined = await this.#send(this.#lanes.rebalance, joinGroupCall(this.#seat, o));
    if (!joined.mustAskAgain) return joined;
    this.#memberId = joined.memberId;
    return this.#send(this.#lanes.rebalance, joinGroupCall(this.#seat, o));
  }

  /** As the group's leader: everybody's shares. */
  async #assign({ members }: Joined): Promise<readonly (readonly [string, Buffer])[]> {
    const claims = members.map(({ memberId, subscription }) => ({ id: memberId, ...readSubscription(subscription) }));
    const shares: (readonly [string, Buffer])[] = [];
    for (const topic of new Set(claims.map((claim) => claim.topic))) {
      const partitions = await this.#partitionsOf(topic);
      const assigned = assignPartitions(
        partitions,
        claims.filter((claim) => claim.topic === topic),
      );
      const given = [...assigned.values()].reduce((sum, share) => sum + share.length, 0);
      for (const [id, share] of assigned) shares.push([id, encodeAssignment(topic, share, given < partitions)]);
    }
    return shares;
  }

  /** Members of the group that read another topic get their share as well, as far as this identity may see that topic. */
  async #partitionsOf(topic: string): Promise<number> {
    this.#client.forgetLeaders(topic);
    const leaders = this.#client.leaders(topic);
    return (topic === this.#o.topic ? await leaders : await leaders.catch(() => [])).length;
  }

  #beatLater(): void {
    this.#timer = setTimeout(() => {
      this.#beatLater();
      this.#checkAlive();
      this.#checkStopping();
      void this.#beat();
    }, this.#heartbeatMs).unref();
  }

  /** Never rejects. */
  async #beat(): Promise<void> {
    const generation = this.#joined;
    if (generation === undefined || this.#beating || this.#hasEnded) return;
    const seat = { ...this.#seat, generation };
    const sentAt = this.#now();
    this.#beating = true;
    const late = setTimeout(() => this.#client.closeLane(this.#lanes.heartbeat), this.#o.sessionTimeoutMs / 3).unref();
    try {
      await this.#send(this.#lanes.heartbeat, heartbeatCall(seat));
      this.#isAlive(seat, sentAt);
    } catch (error) {
      this.#onHeartbeatError(error, seat, sentAt);
    } finally {
      clearTimeout(late);
      this.#beating = false;
    }
  }

  #onHeartbeatError(error: unknown, seat: GenerationSeat, sentAt: number): void {
    // Of a seat that is not the present one any more.
    if (seat.memberId !== this.#memberId || this.#joined === undefined) return;
    const type = typeOf(error);
    if (type === 'REBALANCE_IN_PROGRESS') {
      this.#isAlive(seat, sentAt);
      if (!this.#rebalancing) this.#joinAgain();
    } else if (type === 'ILLEGAL_GENERATION') {
      // While a join is answered, the group is in the next generation and this member does not know it yet.
      if (!this.#rebalancing && seat.generation === this.#joined) this.#lose('the group went on without it');
    } else {
      this.#mayRetryAfter(error);
    }
  }

  /** Decides what an error means for the membership; false when there is nothing to wait for before the next try. */
  #mayRetryAfter(error: unknown): boolean {
    if (this.#hasEnded || this.#client.closing.aborted) return false;
    switch (typeOf(error)) {
      case 'REBALANCE_IN_PROGRESS':
        return false;
      case 'UNKNOWN_MEMBER_ID':
        this.#memberId = '';
        this.#lose('the group does not know it any more');
        return false;
      case 'ILLEGAL_GENERATION':
        this.#lose('the group went on without it');
        return false;
      case undefined:
      default:
    }
    if (error instanceof SeatLost) {
      this.#lose('it was stopped for too long');
      return false;
    }
    const shown = accessError(error, 'READ', { group: this.#o.group, topic: this.#o.topic });
    const fatal = this.#refusal(typeOf(error)) ?? (isFatal(shown) ? shown : undefined);
    if (fatal !== undefined) this.#fail(fatal);
    else if (!isExpected(error)) this.#tell('warn', 'has trouble and tries again', typeOf(error) ?? nameOf(error));
    return fatal === undefined;
  }

  #refusal(type: string | undefined): Error | undefined {
    const { group, instanceId, sessionTimeoutMs } = this.#o;
    switch (type) {
      case 'FENCED_INSTANCE_ID':
        return new InstanceFencedError(
          `Another process has joined group '${group}' as instance '${instanceId ?? ''}', so this one ends. Give each running process a name of its own (kafka.instance).`,
        );
      case 'INVALID_SESSION_TIMEOUT':
        return new GroupRefusedError(
          `The cluster allows no session timeout of ${sessionTimeoutMs} ms. Set kafka.sessionTimeoutMs between the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms.`,
        );
      case 'INCONSISTENT_GROUP_PROTOCOL':
        return new GroupRefusedError(
          `Group '${group}' has members that are not of this program. Stop them: what they read would be missing here.`,
        );
      case 'GROUP_MAX_SIZE_REACHED':
        return new GroupRefusedError(
          `Group '${group}' has as many members as the cluster allows. Run fewer workers, or raise the brokers' group.max.size.`,
        );
      case 'INVALID_GROUP_ID':
        return new GroupRefusedError(`The cluster takes no group of the name '${group}'. Choose another.`);
      case undefined:
      default:
        return undefined;
    }
  }

  #isAlive(seat: GenerationSeat, sentAt: number): void {
    if (this.#joined === undefined || seat.memberId !== this.#memberId) return;
    // An answer that comes after the session's end does not bring it back: others may have had the partitions.
    this.#checkAlive();
    if (this.#aliveAt !== undefined) this.#aliveAt = Math.max(this.#aliveAt, sentAt);
  }

  /** Fails closed by the own clock: the coordinator counts from later, so it gives nothing away before this. */
  #checkAlive(): void {
    if (this.#aliveAt === undefined || this.#now() - this.#aliveAt <= this.#o.sessionTimeoutMs) return;
    this.#lose('no heartbeat was acknowledged for a session timeout');
  }

  /** Work that does not stop must not keep partitions from everybody. */
  #checkStopping(): void {
    if (this.#joined === undefined || this.#shares.waitingMs <= this.#rebalanceTimeoutMs) return;
    const seat = this.#seat;
    this.#lose('work on what was taken away did not stop in time');
    void this.#sendLeave(seat);
  }

  #lose(why: string): void {
    const had = this.#shares.visible.length;
    const hadSeat = this.#joined !== undefined;
    this.#joined = undefined;
    this.#aliveAt = undefined;
    this.#generation = -1;
    this.#closeLanes();
    this.#shares.lose();
    this.#joinAgain();
    // A member that comes back learns that the group has forgotten it: it has lost nothing by that.
    if (!hadSeat) return;
    this.#tell('warn', `has lost its ${had} partitions: ${why}`, 'it joins again when its work has stopped');
  }

  #joinAgain(): void {
    this.#rejoin = true;
    this.#waits.wake();
  }

  #workHasStopped(): void {
    if (!this.#shares.hasUnstopped) return;
    const released = this.#shares.stopped();
    // In the next generation they are free.
    if (released.length > 0) this.#joinAgain();
    this.#waits.wake();
  }

  #fail(error: unknown): void {
    this.#failure = error;
    this.#joined = undefined;
    this.#aliveAt = undefined;
    clearTimeout(this.#timer);
    this.#shares.lose();
    this.#closeLanes();
    this.#waits.wake();
  }

  readonly #onClientClosed = (): void => {
    this.#ended ??= this.#end(false);
  };

  async #end(leaveGroup: boolean): Promise<void> {
    const seat = this.#seat;
    clearTimeout(this.#timer);
    this.#client.closing.removeEventListener('abort', this.#onClientClosed);
    this.#joined = undefined;
    this.#aliveAt = undefined;
    this.#shares.lose();
    this.#closeLanes();
    this.#waits.close();
    if (leaveGroup && this.#failure === undefined) await this.#sendLeave(seat);
    await this.#running;
    this.#closeLanes();
    this.#o.onEnd?.();
  }

  /** Never rejects: who can't leave is missed after the session timeout. */
  async #sendLeave(seat: Seat): Promise<void> {
    if ((seat.memberId === '' && seat.instanceId === null) || this.#client.closing.aborted) return;
    const late = setTimeout(() => this.#client.closeLane(this.#lanes.heartbeat), LEAVE_MS).unref();
    await this.#send(this.#lanes.heartbeat, leaveGroupCall(seat)).catch(() => undefined);
    clearTimeout(late);
  }

  async #send<T>(lane: string, call: ProtocolCall<T>): Promise<T> {
    const { group } = this.#o;
    try {
      return await this.#client.send(await this.#client.coordinator('group', group), lane, call);
    } catch (error) {
      const hasMoved = isTransport(error) || typeOf(error) === undefined || MOVED.has(typeOf(error) ?? '');
      if (hasMoved) this.#client.forgetCoordinator('group', group);
      throw error;
    }
  }

  get #seat(): Seat {
    return { group: this.#o.group, memberId: this.#memberId, instanceId: this.#o.instanceId ?? null };
  }

  get #rebalanceTimeoutMs(): number {
    return this.#o.rebalanceTimeoutMs ?? this.#o.sessionTimeoutMs;
  }

  #closeLanes(): void {
    this.#client.closeLane(this.#lanes.rebalance);
    this.#client.closeLane(this.#lanes.heartbeat);
  }

  #tell(level: 'info' | 'warn', what: string, detail: string): void {
    this.#client.options.onLog?.(
      level,
      `The member of group '${this.#o.group}' on '${this.#o.topic}' ${what}.`,
      detail,
    );
  }
}

/** What it had was lost while it was to be given more. */
class SeatLost extends Error {}

/** A member that can't be understood claims nothing. */
function readSubscription(subscription: Buffer): Subscription {
  try {
    return decodeSubscription(subscription);
  } catch {
    return { topic: '', owned: [], generation: -1 };
  }
}

function isFatal(error: unknown): boolean {
  return (
    error instanceof LogAccessError ||
    error instanceof UnknownTopicError ||
    (error instanceof Error && error.name === 'KafkaSecurityError')
  );
}

function isExpected(error: unknown): boolean {
  return isTransport(error) || isTransient(error) || error instanceof LogUnavailableError;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown error');

const MOVED: ReadonlySet<string> = new Set(['NOT_COORDINATOR_FOR_GROUP', 'GROUP_COORDINATOR_NOT_AVAILABLE']);

/** Tells the lanes of this process's members apart. */
let lanes = 0;

const MAX_HEARTBEAT_MS = 3_000;
/** `join` waits so long for a first answer. */
const JOIN_WAIT_MS = 1_000;
const LEAVE_MS = 3_000;
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 1_000;
/** Waits end by being woken. */
const LONG_MS = 3_600_000;
