/**
 * The cluster as the adapter sees it: which brokers there are, who leads a partition, who coordinates a group or a transactional
 * id, and requests to them. What is known is kept until it proves wrong.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogClosedError, UnknownTopicError, type TopicPartition } from '../event-log.ts';
import { deadlineIn } from '../embedded/waits.ts';
import {
  findCoordinatorCall,
  metadataCall,
  type BrokerAddress,
  type ClusterMetadata,
  type CoordinatorKind,
} from './calls.ts';
import {
  accessError,
  BrokerError,
  checkCode,
  isTransient,
  isTransport,
  LogUnavailableError,
  systemCode,
  typeOf,
  UnknownBrokerError,
  type Subject,
} from './errors.ts';
import { createLogger, errorName, type LogEntry, type Logger, type ProtocolCall } from './internals.ts';
import { Link, type Address } from './link.ts';
import type { KafkaOptions } from './options.ts';

/** A topic's partitions by number; the value is the leader's broker id, -1 while there is none. */
export type Leaders = readonly number[];

export interface Attempts extends Subject {
  /** What is done, for messages: `reading topic 'a' partition 0`. */
  readonly doing: string;
  /** The right that an access error names. */
  readonly right: string;
  /** How long to try; default the request timeout. */
  readonly patienceMs?: number;
  /** Pause before the second attempt; later ones are longer. Default 5. */
  readonly pauseMs?: number;
  /** Longest pause; default 500. */
  readonly longestPauseMs?: number;
  /** Tells whether an error may be met by trying again; default transport and transient errors. */
  readonly retry?: (error: unknown) => boolean;
  readonly signal?: AbortSignal;
}

export class KafkaClient {
  readonly options: KafkaOptions;
  readonly #logger: Logger;
  readonly #links = new Map<string, Link>();
  #brokers = new Map<number, Address>();
  #controller = -1;
  #nextSeed = 0;
  readonly #topics = new Map<string, { readonly leaders: Leaders; readonly until: number }>();
  readonly #looking = new Map<string, Promise<Leaders>>();
  readonly #coordinators = new Map<string, Promise<number>>();
  readonly #closing = new AbortController();

  constructor(options: KafkaOptions) {
    this.options = options;
    this.#logger = createLogger(teller(options));
    // One for each read that waits.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Aborts when the client closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Finds out that the cluster answers. @throws LogUnavailableError, LogAccessError */
  async connect(): Promise<void> {
    const doing = `connecting to ${this.options.brokers.join(', ')}`;
    await this.trying({ doing, right: 'DESCRIBE' }, () => this.controller());
  }

  checkOpen(): void {
    if (this.closing.aborted) throw new LogClosedError();
  }

  /**
   * Sends one request to a broker. Requests of one lane are answered in order, each after the one before; lanes are connections
   * of their own. Not retried.
   * @throws KafkaJSConnectionError and its kind when no answer came (errors.ts: isTransport), what the call's decoder throws, LogClosedError
   */
  async send<T>(broker: number, lane: string, call: ProtocolCall<T>): Promise<T> {
    const address = this.#brokers.get(broker);
    if (address === undefined) throw new UnknownBrokerError(broker);
    return this.#sendTo(address, lane, call);
  }

  /** Ends a lane's connections: requests that wait there fail as when the connection breaks. The next one opens another. */
  closeLane(lane: string): void {
    for (const [key, link] of this.#links) {
      if (!key.endsWith(`/${lane}`)) continue;
      this.#links.delete(key);
      const error = new Error('The connection was given up.');
      error.name = 'KafkaJSConnectionClosedError';
      link.close(error);
    }
  }

  /** Sends to any broker that answers: those known, then the ones in the options. */
  async sendToAny<T>(lane: string, call: ProtocolCall<T>): Promise<T> {
    const seeds = this.options.brokers.map(addressOf);
    const candidates = [...this.#brokers.values(), ...rotated(seeds, this.#nextSeed++)];
    let failure: unknown;
    for (const address of candidates) {
      try {
        return await this.#sendTo(address, lane, call);
      } catch (error) {
        this.checkOpen();
        failure = error;
        // One broker may have another certificate or be half set up: the others are asked as well.
        if (!isTransport(error) && systemCode(error) === undefined) throw error;
      }
    }
    throw failure;
  }

  /** @throws UnknownTopicError, LogAccessError, LogUnavailableError */
  async leaders(topic: string): Promise<Leaders> {
    this.checkOpen();
    return this.knownLeaders(topic) ?? this.#lookUp(topic);
  }

  /** What {@link leaders} would return, if that is known already. */
  knownLeaders(topic: string): Leaders | undefined {
    const known = this.#topics.get(topic);
    return known === undefined || performance.now() > known.until ? undefined : known.leaders;
  }

  /** @throws UnknownTopicError when there is no such topic or partition; LEADER_NOT_AVAILABLE when it has no leader now */
  async leaderOf(at: TopicPartition): Promise<number> {
    const leaders = await this.leaders(at.topic);
    const leader = leaderAmong(leaders, at);
    if (leader < 0) throw new BrokerError('LEADER_NOT_AVAILABLE');
    return leader;
  }

  /** What is known of these topics' leaders is out of date. */
  forgetLeaders(topic: string): void {
    this.#topics.delete(topic);
  }

  async coordinator(kind: CoordinatorKind, id: string): Promise<number> {
    this.checkOpen();
    const key = `${kind}/${id}`;
    let found = this.#coordinators.get(key);
    if (found === undefined) {
      found = this.#findCoordinator(kind, id);
      this.#coordinators.set(key, found);
      found.catch(() => this.#coordinators.delete(key));
    }
    return found;
  }

  forgetCoordinator(kind: CoordinatorKind, id: string): void {
    this.#coordinators.delete(`${kind}/${id}`);
  }

  async controller(): Promise<number> {
    this.#keep(await this.sendToAny('control', metadataCall([])));
    return this.#controller;
  }

  /**
   * Tries until it works, with back-off, for as long as one request may take.
   * @throws LogUnavailableError when the time is up, LogAccessError, LogClosedError, and what can't be met by trying again
   */
  async trying<T>(attempts: Attempts, attempt: () => Promise<T>): Promise<T> {
    const deadline = deadlineIn(attempts.patienceMs ?? this.options.requestTimeoutMs);
    const retry = attempts.retry ?? ((error): boolean => isTransport(error) || isTransient(error));
    const longest = attempts.longestPauseMs ?? LAST_PAUSE_MS;
    for (let pause = attempts.pauseMs ?? FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, longest)) {
      try {
        this.checkOpen();
        return await attempt();
      } catch (error) {
        this.checkOpen();
        if (!retry(error)) throw explained(error, attempts);
        if (deadline.left() === 0 || attempts.signal?.aborted === true) throw unavailable(attempts.doing, error);
        await this.pause(Math.min(pause, deadline.left()), attempts.signal);
      }
    }
  }

  /** Waits; ends early without an error when the client closes or the signal aborts. */
  async pause(ms: number, signal?: AbortSignal): Promise<void> {
    const either = signal === undefined ? this.closing : AbortSignal.any([signal, this.closing]);
    await sleep(ms, undefined, { signal: either }).catch(() => undefined);
  }

  close(): void {
    if (this.closing.aborted) return;
    this.#closing.abort();
    for (const link of this.#links.values()) link.close(new LogClosedError());
    this.#links.clear();
  }

  async #sendTo<T>(address: Address, lane: string, call: ProtocolCall<T>): Promise<T> {
    this.checkOpen();
    const key = `${address.host}:${address.port}/${lane}`;
    let link = this.#links.get(key);
    if (link === undefined) this.#links.set(key, (link = new Link(address, this.options, this.#logger)));
    return link.send(call);
  }

  #lookUp(topic: string): Promise<Leaders> {
    let looking = this.#looking.get(topic);
    if (looking === undefined) {
      const attempts = { doing: `looking for topic '${topic}'`, right: 'DESCRIBE', topic };
      looking = this.trying(attempts, () => this.#askForTopic(topic)).finally(() => this.#looking.delete(topic));
      this.#looking.set(topic, looking);
    }
    return looking;
  }

  async #askForTopic(topic: string): Promise<Leaders> {
    if (!TOPIC_NAME.test(topic)) throw unknownTopic(topic);
    const metadata = await this.sendToAny('control', metadataCall([topic]));
    this.#keep(metadata);
    const found = metadata.topics.find((t) => t.topic === topic);
    if (found === undefined || errorName(found.errorCode) === 'UNKNOWN_TOPIC_OR_PARTITION') throw unknownTopic(topic);
    // A partition without a leader is still a partition; whoever needs its leader tries again.
    if (found.partitions.length === 0) checkCode(found.errorCode);
    const leaders = found.partitions.map(({ leader }) => leader);
    if (!leaders.includes(-1)) this.#topics.set(topic, { leaders, until: performance.now() + METADATA_MS });
    return leaders;
  }

  #keep({ brokers, controller }: ClusterMetadata): void {
    this.#controller = controller;
    if (brokers.length > 0) this.#brokers = new Map(brokers.map((broker) => [broker.id, broker]));
  }

  async #findCoordinator(kind: CoordinatorKind, id: string): Promise<number> {
    const attempts =
      kind === 'group'
        ? { doing: `looking for the coordinator of group '${id}'`, right: 'DESCRIBE', group: id }
        : {
            doing: `looking for the coordinator of transactional id '${id}'`,
            right: 'DESCRIBE',
            transactionalId: id,
          };
    return this.trying(attempts, async () => {
      const { errorCode, broker } = await this.sendToAny('control', findCoordinatorCall(kind, id));
      checkCode(errorCode);
      this.#know(broker);
      return broker.id;
    });
  }

  #know(broker: BrokerAddress): void {
    this.#brokers.set(broker.id, broker);
  }
}

/** What the cluster refuses, with what it was about. */
function explained(error: unknown, attempts: Attempts): unknown {
  const access = accessError(error, attempts.right, attempts);
  return access instanceof BrokerError ? new BrokerError(access.type, attempts.doing) : access;
}

/** The leader of one partition. @throws UnknownTopicError when there is no such partition */
export function leaderAmong(leaders: Leaders, { topic, partition }: TopicPartition): number {
  const leader = leaders[partition];
  if (leader === undefined) {
    throw new UnknownTopicError(
      `Topic '${topic}' has no partition ${partition}, only 0 to ${leaders.length - 1}. Check the partition number.`,
    );
  }
  return leader;
}

function unknownTopic(topic: string): Error {
  return new UnknownTopicError(`There is no topic '${topic}'. Create it with createTopics first.`);
}

export function unavailable(doing: string, error: unknown): Error {
  const why = typeOf(error) ?? systemCode(error) ?? (isTransport(error) ? 'no answer' : 'no leader');
  return new LogUnavailableError(
    `The Kafka cluster was not available for ${doing} (${why}). Check that its brokers run and can be reached, then try again.`,
  );
}

function addressOf(broker: string): Address {
  const colon = broker.lastIndexOf(':');
  return { host: broker.slice(0, colon).replace(/^\[|\]$/gu, ''), port: Number(broker.slice(colon + 1)) };
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = by % Math.max(1, items.length);
  return [...items.slice(at), ...items.slice(0, at)];
}

/**
 * kafkajs' entries may hold whole requests and errors: only the message and the broker's address are passed on, and the same one
 * only now and then, for an outage would repeat it with every attempt.
 */
function teller({ onLog }: KafkaOptions): (entry: LogEntry) => void {
  const told = new Map<string, number>();
  return ({ level, namespace, log }) => {
    const name = LEVELS[level];
    if (name === undefined || onLog === undefined) return;
    const detail = typeof log['broker'] === 'string' ? `broker ${log['broker']}` : '';
    const message = `Kafka client, ${namespace}: ${String(log['message'])}`;
    const now = performance.now();
    if (now < (told.get(`${message} ${detail}`) ?? -Infinity) + QUIET_MS) return;
    if (told.size >= MOST_TOLD) told.clear();
    told.set(`${message} ${detail}`, now);
    onLog(name, message, detail);
  };
}

const LEVELS: Readonly<Record<number, 'error' | 'warn' | 'info'>> = { 1: 'error', 2: 'warn', 4: 'info' };
const QUIET_MS = 30_000;
const MOST_TOLD = 1_000;
/** Partitions may be added to a topic: all clients look again after so long, as Kafka's own do. */
const METADATA_MS = 300_000;
const FIRST_PAUSE_MS = 5;
const LAST_PAUSE_MS = 500;
/** Kafka's rule for topic names. */
export const TOPIC_NAME = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/u;
