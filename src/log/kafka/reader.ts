/**
 * Reading partitions at explicit offsets. A broker answers one request of a connection after the other, so reads that find
 * something at once and reads that wait have connections of their own; reads that are asked for together go out together.
 */
import { deadlineIn } from '../embedded/waits.ts';
import { OffsetOutOfRangeError, type Fetched, type LogRecord, type ReadRequest } from '../event-log.ts';
import { fetchCall, type FetchedPartition, type FetchWanted } from './calls.ts';
import type { KafkaClient } from './client.ts';
import { BrokerError, checkCode, isStale } from './errors.ts';
import { errorName } from './internals.ts';
import type { Offsets } from './offsets.ts';
import { decodeBatches, type Codecs } from './records.ts';

export class PartitionReader {
  readonly #client: KafkaClient;
  readonly #offsets: Offsets;
  readonly #codecs: Codecs;
  readonly #lanes = new Map<string, FetchLane>();
  /** Where the cluster wants a partition to be read from, if not at its leader. */
  readonly #replicas = new Map<string, number>();
  /** Mean size of a partition's last records, in bytes: what is fetched beyond `maxRecords` would be fetched again. */
  readonly #recordBytes = new Map<string, number>();

  constructor(client: KafkaClient, offsets: Offsets, codecs: Codecs) {
    this.#client = client;
    this.#offsets = offsets;
    this.#codecs = codecs;
  }

  /** @throws UnknownTopicError, OffsetOutOfRangeError, LogUnavailableError, LogAccessError, CorruptBatchError */
  async read(request: ReadRequest): Promise<Fetched> {
    this.#client.checkOpen();
    const deadline = deadlineIn(request.waitMs);
    const { signal, offset } = request;
    // What an ended wait returns when nothing is known yet.
    let fetched: Fetched = { records: [], nextOffset: offset, endOffset: offset };
    for (let waitMs = 0; ; waitMs = Math.min(Math.ceil(deadline.left()), LONGEST_WAIT_MS)) {
      try {
        // The first look is not cut short by the signal: it returns what there is.
        fetched = await this.#unlessEnded(this.#fetch(request, waitMs), waitMs === 0 ? undefined : signal, fetched);
      } catch (error) {
        if (!this.#ended(signal) || request.waitMs === 0) throw error;
      }
      if (fetched.nextOffset > offset || deadline.left() === 0 || this.#ended(signal)) break;
    }
    if (request.waitMs === 0) this.#client.checkOpen();
    return fetched;
  }

  #ended(signal: AbortSignal | undefined): boolean {
    return signal?.aborted === true || this.#client.closing.aborted;
  }

  /** What is waited for; `before` as soon as the wait is to end. */
  #unlessEnded(waiting: Promise<Fetched>, signal: AbortSignal | undefined, before: Fetched): Promise<Fetched> {
    return new Promise((resolve, reject) => {
      const { closing } = this.#client;
      const end = (): void => settle(() => resolve(before));
      const settle = (how: () => void): void => {
        signal?.removeEventListener('abort', end);
        closing.removeEventListener('abort', end);
        how();
      };
      signal?.addEventListener('abort', end, { once: true });
      closing.addEventListener('abort', end, { once: true });
      waiting.then(
        (fetched) => settle(() => resolve(fetched)),
        (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error('The read failed.'))),
      );
    });
  }

  #fetch(request: ReadRequest, waitMs: number): Promise<Fetched> {
    const { topic, partition, signal } = request;
    const attempts = {
      doing: `reading topic '${topic}' partition ${partition}`,
      right: 'READ',
      topic,
      ...(signal === undefined ? {} : { signal }),
    };
    return this.#client.trying(attempts, async () => {
      try {
        return await this.#fetchOnce(request, waitMs);
      } catch (error) {
        if (isStale(error)) this.#forget(request);
        throw error;
      }
    });
  }

  async #fetchOnce(request: ReadRequest, waitMs: number): Promise<Fetched> {
    const { topic, partition, offset } = request;
    const leader = await this.#client.leaderOf(request);
    if (!Number.isSafeInteger(offset) || offset < 0) throw await this.#outOfRange(request);
    const broker = this.#replicas.get(idOf(request)) ?? leader;
    const wanted = { topic, partition, offset, maxBytes: this.#bytesFor(request) };
    const { part, alone } = await this.#lane(broker, waitMs).ask(wanted, waitMs);
    if (part.preferredReplica >= 0 && part.preferredReplica !== broker) {
      this.#replicas.set(idOf(request), part.preferredReplica);
      return this.#fetchOnce(request, waitMs);
    }
    await this.#check(part, request, broker === leader);
    const decoded = await decodeBatches(part.batches, part.aborted, request, this.#codecs);
    this.#learn(request, decoded.records);
    const crowdedOut = decoded.nextOffset === offset && part.lastStableOffset > offset && !alone;
    // A broker gives a batch that is larger than its bound only to the first partition of a request.
    return crowdedOut ? this.#fetchAlone(request, wanted, broker, broker === leader) : bounds(decoded, part);
  }

  #bytesFor(request: ReadRequest): number {
    const recordBytes = this.#recordBytes.get(idOf(request)) ?? Infinity;
    const enough = Math.max(MIN_FETCH_BYTES, request.maxRecords * recordBytes * 1.25);
    return Math.ceil(Math.min(Math.max(1, request.maxBytes), enough, MAX_FETCH_BYTES));
  }

  #learn(request: ReadRequest, records: readonly LogRecord[]): void {
    if (records.length === 0) return;
    const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES, 0);
    this.#recordBytes.set(idOf(request), bytes / records.length);
  }

  async #fetchAlone(request: ReadRequest, wanted: FetchWanted, broker: number, atLeader: boolean): Promise<Fetched> {
    const [part] = await this.#send(broker, 'fetch0', [wanted], 0);
    if (part === undefined) throw new BrokerError('REQUEST_TIMED_OUT');
    await this.#check(part, request, atLeader);
    return bounds(await decodeBatches(part.batches, part.aborted, request, this.#codecs), part);
  }

  async #check(part: FetchedPartition, request: ReadRequest, atLeader: boolean): Promise<void> {
    if (errorName(part.errorCode) === 'OFFSET_OUT_OF_RANGE') {
      // A follower may not have got so far: the leader decides.
      if (!atLeader) throw new BrokerError('OFFSET_NOT_AVAILABLE');
      throw await this.#outOfRange(request);
    }
    checkCode(part.errorCode);
  }

  async #outOfRange(request: ReadRequest): Promise<Error> {
    const { topic, partition, offset } = request;
    const [begin, end] = await Promise.all([this.#offsets.begin(request), this.#offsets.end(request)]);
    const what =
      offset < begin
        ? 'those records are gone (retention). Start from the begin offset if that loss is acceptable, or restore the log.'
        : 'it is not there yet. The position belongs to another log or this one was replaced: reset the position on purpose.';
    return new OffsetOutOfRangeError(
      `Offset ${offset} of topic '${topic}' partition ${partition} is out of range ${begin}..${end}: ${what}`,
    );
  }

  #forget(request: ReadRequest): void {
    this.#client.forgetLeaders(request.topic);
    this.#replicas.delete(idOf(request));
  }

  #lane(broker: number, waitMs: number): FetchLane {
    const kind = waitMs === 0 ? 'fetch' : 'wait';
    const key = `${broker}/${kind}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new FetchLane(waitMs === 0 ? 1 : WAITING_LANES, (i, wanted, wait) =>
        this.#send(broker, `${kind}${i}`, wanted, wait),
      );
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  #send(
    broker: number,
    lane: string,
    wanted: readonly FetchWanted[],
    maxWaitMs: number,
  ): Promise<readonly FetchedPartition[]> {
    const maxBytes = Math.min(
      MAX_FETCH_BYTES,
      wanted.reduce((sum, { maxBytes: bytes }) => sum + bytes, 0),
    );
    const { rack } = this.#client.options;
    return this.#client.send(broker, lane, fetchCall(wanted, { maxWaitMs, maxBytes, rack }));
  }
}

interface Asked {
  readonly wanted: FetchWanted;
  readonly waitMs: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

interface Answer {
  readonly part: FetchedPartition;
  /** It was the only partition of its request. */
  readonly alone: boolean;
}

/** Some connections to one broker: what is asked while all are busy goes out together when one is free. */
class FetchLane {
  readonly #send: (
    lane: number,
    wanted: readonly FetchWanted[],
    waitMs: number,
  ) => Promise<readonly FetchedPartition[]>;
  readonly #free: number[];
  #asked: Asked[] = [];
  #scheduled = false;

  constructor(
    width: number,
    send: (lane: number, wanted: readonly FetchWanted[], waitMs: number) => Promise<readonly FetchedPartition[]>,
  ) {
    this.#send = send;
    this.#free = Array.from({ length: width }, (_, i) => i);
  }

  ask(wanted: FetchWanted, waitMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ wanted, waitMs, resolve, reject });
      this.#schedule();
    });
  }

  /** After all that can run now has run, so that it asks together. */
  #schedule(): void {
    if (this.#scheduled || this.#free.length === 0 || this.#asked.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const lane = this.#free.pop();
      if (lane !== undefined) void this.#round(lane);
    });
  }

  async #round(lane: number): Promise<void> {
    const round = this.#take();
    this.#schedule();
    try {
      const wanted = round.map((asked) => asked.wanted);
      const parts = await this.#send(lane, wanted, Math.min(...round.map(({ waitMs }) => waitMs)));
      const byId = new Map(parts.map((part) => [idOf(part), part]));
      for (const asked of round) {
        const part = byId.get(idOf(asked.wanted));
        // A broker that throttles this client leaves partitions out.
        if (part === undefined) asked.reject(new BrokerError('THROTTLING_QUOTA_EXCEEDED'));
        else asked.resolve({ part, alone: round.length === 1 });
      }
    } catch (error) {
      for (const asked of round) asked.reject(error);
    } finally {
      this.#free.push(lane);
      this.#schedule();
    }
  }

  /** A request may name a partition once: a second read of it waits for the next one. */
  #take(): Asked[] {
    const round = new Map<string, Asked>();
    const later: Asked[] = [];
    for (const asked of this.#asked) {
      const id = idOf(asked.wanted);
      if (round.has(id)) later.push(asked);
      else round.set(id, asked);
    }
    this.#asked = later;
    return [...round.values()];
  }
}

function bounds(decoded: Pick<Fetched, 'records' | 'nextOffset'>, part: FetchedPartition): Fetched {
  const { records, nextOffset } = decoded;
  return { records, nextOffset, endOffset: Math.max(part.lastStableOffset, nextOffset) };
}

function idOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}

/** Readers that begin to wait while all connections wait join them after at most this long, ms. */
const LONGEST_WAIT_MS = 100;
const WAITING_LANES = 3;
const MIN_FETCH_BYTES = 64 * 2 ** 10;
/** Key, headers and lengths of a record, about. */
const RECORD_OVERHEAD_BYTES = 100;
const MAX_FETCH_BYTES = 64 * 2 ** 20;
