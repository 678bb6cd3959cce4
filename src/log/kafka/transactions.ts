/**
 * Transactions. Records and positions are held until the commit, which then takes as few round trips as the protocol allows:
 * the partitions and the group join the transaction, records and positions are written side by side, the transaction ends.
 *
 * Source: KIP-98; docs/decisions/0012 says what happens when an answer is lost.
 */
import {
  FencedError,
  type NewRecord,
  type Position,
  type TopicPartition,
  type Transaction,
  type TransactionalProducer,
} from '../event-log.ts';
import {
  addOffsetsToTxnCall,
  addPartitionsToTxnCall,
  endTxnCall,
  initProducerIdCall,
  txnOffsetCommitCall,
  type PlacedPosition,
  type ProducerId,
} from './calls.ts';
import { leaderAmong, unavailable, type KafkaClient } from './client.ts';
import { isFenced, isStale, isTransient, isTransport, LogUnavailableError, typeOf } from './errors.ts';
import type { ProtocolCall } from './internals.ts';
import { copied, Outbox } from './outbox.ts';
import { SequencedProducer } from './producing.ts';
import type { Codecs } from './records.ts';

/**
 * Takes over a transactional id: when this resolves, its last owner can't commit any more, and the transaction that it left open
 * has ended, with all it did visible or undone.
 * @throws LogAccessError, LogUnavailableError
 */
export async function takeOver(client: KafkaClient, codecs: Codecs, id: string): Promise<TransactionalProducer> {
  const coordinator = new Coordinator(client, id);
  const producer = await coordinator.send(
    'taking over',
    initProducerIdCall(id, client.options.transactionTimeoutMs),
    // Asking twice fences twice, which does no harm.
    (error) => isTransport(error) || isTransient(error),
  );
  return new KafkaProducer(client, codecs, coordinator, producer);
}

/** Requests about one transactional id, to the broker that has it. */
class Coordinator {
  readonly client: KafkaClient;
  readonly id: string;
  readonly lane: string;

  constructor(client: KafkaClient, id: string) {
    this.client = client;
    this.id = id;
    // Some connections for all: producers seldom wait for each other, and connections stay few.
    this.lane = `transaction${nextLane++ % LANES}`;
  }

  /** Tries again for errors that `retry` says, and finds the coordinator anew where it has moved. */
  send<T>(doing: string, call: ProtocolCall<T>, retry: (error: unknown) => boolean): Promise<T> {
    const attempts = {
      doing: `${doing} transactional id '${this.id}'`,
      right: 'WRITE',
      transactionalId: this.id,
      // Mostly a transaction is waited for that is about to end.
      pauseMs: 1,
      longestPauseMs: 20,
      retry,
    };
    return this.client.trying(attempts, async () => {
      const broker = await this.client.coordinator('transaction', this.id);
      try {
        return await this.client.send(broker, this.lane, call);
      } catch (error) {
        if (isStale(error)) this.client.forgetCoordinator('transaction', this.id);
        throw error;
      }
    });
  }
}

class KafkaProducer implements TransactionalProducer {
  readonly transactionalId: string;
  readonly #client: KafkaClient;
  readonly #commits: Commits;
  #open: KafkaTransaction | undefined;
  #closed = false;

  constructor(client: KafkaClient, codecs: Codecs, coordinator: Coordinator, producer: ProducerId) {
    this.transactionalId = coordinator.id;
    this.#client = client;
    this.#commits = new Commits(client, codecs, coordinator, producer);
  }

  async begin(): Promise<Transaction> {
    this.#client.checkOpen();
    if (this.#closed) throw new Error(`The producer '${this.transactionalId}' is closed. Take a new one from the log.`);
    if (this.#open?.isOpen === true) {
      throw new Error(`The producer '${this.transactionalId}' has an open transaction. Commit or abort it first.`);
    }
    this.#commits.checkUsable();
    this.#open = new KafkaTransaction(this.#client, this.#commits);
    return this.#open;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#open?.abort();
  }
}

class KafkaTransaction implements Transaction {
  readonly #client: KafkaClient;
  readonly #commits: Commits;
  readonly #outbox = new Outbox();
  readonly #positions = new Map<string, Map<string, PlacedPosition>>();
  #state: 'open' | 'committed' | 'aborted' | 'failed' = 'open';

  constructor(client: KafkaClient, commits: Commits) {
    this.#client = client;
    this.#commits = commits;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<void> {
    this.#mustBeOpen();
    const known = this.#client.knownLeaders(topic);
    const own = known === undefined ? copied(records) : records;
    const leaders = known ?? (await this.#client.leaders(topic));
    this.#mustBeOpen();
    this.#outbox.add(topic, leaders, own);
  }

  async commitOffset(group: string, at: TopicPartition, position: Position): Promise<void> {
    this.#mustBeOpen();
    checkName('group', group);
    checkPosition(position);
    const { topic, partition } = at;
    leaderAmong(await this.#client.leaders(topic), at);
    this.#mustBeOpen();
    const ofGroup = this.#positions.get(group) ?? new Map<string, PlacedPosition>();
    this.#positions.set(group, ofGroup);
    ofGroup.set(`${topic}/${partition}`, { topic, partition, ...position });
  }

  async commit(): Promise<void> {
    this.#mustBeOpen();
    this.#state = 'failed';
    const positions = new Map([...this.#positions].map(([group, all]) => [group, [...all.values()]]));
    await this.#commits.commit(this.#outbox, positions);
    this.#state = 'committed';
  }

  /** Nothing of it has left this process. */
  async abort(): Promise<void> {
    if (this.isOpen) this.#state = 'aborted';
  }

  #mustBeOpen(): void {
    this.#client.checkOpen();
    if (!this.isOpen) throw new Error(`The transaction has ended (${this.#state}). Begin a new one.`);
  }
}

/** Carries out the transactions of one producer id, one after another. After a failure it does nothing more. */
class Commits {
  readonly #client: KafkaClient;
  readonly #coordinator: Coordinator;
  readonly #producer: ProducerId;
  readonly #sequenced: SequencedProducer;
  #failed = false;
  /** Another producer was found to have taken the id after a transaction had been committed. */
  #fenced = false;

  constructor(client: KafkaClient, codecs: Codecs, coordinator: Coordinator, producer: ProducerId) {
    this.#client = client;
    this.#coordinator = coordinator;
    this.#producer = producer;
    const { id: transactionalId, lane } = coordinator;
    this.#sequenced = new SequencedProducer({ client, codecs, producer, transactionalId, lane });
  }

  checkUsable(): void {
    if (!this.#failed) return;
    if (this.#fenced) throw fencedBy(this.#coordinator.id);
    throw new LogUnavailableError(
      `A transaction of '${this.#coordinator.id}' failed, so its producer can't go on. Take the transactional id again from the log.`,
    );
  }

  async commit(outbox: Outbox, positions: ReadonlyMap<string, readonly PlacedPosition[]>): Promise<void> {
    this.checkUsable();
    if (outbox.isEmpty && positions.size === 0) return;
    // Until it is known to have ended well.
    this.#failed = true;
    try {
      await this.#write(outbox, positions);
    } catch (error) {
      await this.#undo(error);
      throw this.#explain(error, true);
    }
    await this.#end();
    this.#failed = !(await this.#isSettled());
  }

  async #write(outbox: Outbox, positions: ReadonlyMap<string, readonly PlacedPosition[]>): Promise<void> {
    const outgoing = outbox.finish();
    const groups = [...positions.keys()];
    // In one go: the broker takes them one after the other from the same connection.
    await settled([
      ...(outgoing.length === 0
        ? []
        : [this.#join(addPartitionsToTxnCall(this.#coordinator.id, this.#producer, outgoing))]),
      ...groups.map((group) => this.#join(addOffsetsToTxnCall(this.#coordinator.id, this.#producer, group))),
    ]);
    await settled([
      this.#produce(outgoing),
      ...[...positions].map(([group, all]) => this.#commitPositions(group, all)),
    ]);
  }

  #join(call: ProtocolCall<void>): Promise<void> {
    return this.#coordinator.send('beginning a transaction of', call, isTransient);
  }

  async #produce(outgoing: Parameters<SequencedProducer['produce']>[0]): Promise<void> {
    for (const outcome of await this.#sequenced.produce(outgoing)) {
      if (outcome.kind === 'failed') throw outcome.error;
    }
  }

  #commitPositions(group: string, positions: readonly PlacedPosition[]): Promise<void> {
    const attempts = {
      doing: `committing the position of group '${group}'`,
      right: 'READ',
      group,
      pauseMs: 1,
      retry: isTransient,
    };
    const call = txnOffsetCommitCall(this.#coordinator.id, this.#producer, group, positions);
    return this.#client.trying(attempts, async () => {
      const broker = await this.#client.coordinator('group', group);
      try {
        await this.#client.send(broker, this.#coordinator.lane, call);
      } catch (error) {
        if (isStale(error)) this.#client.forgetCoordinator('group', group);
        throw error;
      }
    });
  }

  /**
   * The moment of commit. Like all requests of a transaction but records, which are numbered, it is not sent again when its
   * answer is lost: the first one might still be on its way and end the next transaction early. Whoever takes the id over
   * settles what became of this one, and makes requests from before void.
   */
  async #end(): Promise<void> {
    let asked = 0;
    const call = counted(endTxnCall(this.#coordinator.id, this.#producer, true), () => (asked += 1));
    try {
      await this.#coordinator.send('committing a transaction of', call, isTransient);
    } catch (error) {
      throw this.#explain(error, asked <= 1 && !isTransport(error) && !(error instanceof LogUnavailableError));
    }
  }

  /**
   * The broker answers a commit before readers see it; once it takes the same request again, they do. False when that can't
   * be found out: the transaction is committed, but the producer must not go on, for the request might still be on its way.
   */
  async #isSettled(): Promise<boolean> {
    const call = endTxnCall(this.#coordinator.id, this.#producer, true);
    try {
      await this.#coordinator.send('waiting for a transaction of', call, isTransient);
      return true;
    } catch (error) {
      this.#fenced = isFenced(error);
      return false;
    }
  }

  /**
   * Lets readers behind the transaction go on soon. When the cluster is out of reach, or that fails, the next owner of the id ends
   * it, or the broker after its time.
   */
  async #undo(error: unknown): Promise<void> {
    const outOfReach = isTransport(error) || error instanceof LogUnavailableError;
    if (outOfReach || isFenced(error) || this.#client.closing.aborted) return;
    try {
      const broker = await this.#client.coordinator('transaction', this.#coordinator.id);
      const call = endTxnCall(this.#coordinator.id, this.#producer, false);
      await this.#client.send(broker, this.#coordinator.lane, call);
    } catch {
      // As said above.
    }
  }

  /** @param undone nothing of the transaction can be visible */
  #explain(error: unknown, undone: boolean): unknown {
    if (isFenced(error) && undone) return fencedBy(this.#coordinator.id);
    if (undone && error instanceof Error && typeOf(error) === undefined && !isTransport(error)) return error;
    if (undone) return unavailable(`a transaction of '${this.#coordinator.id}', of which nothing was written`, error);
    return new LogUnavailableError(
      `The answer to a commit of '${this.#coordinator.id}' was lost: whether it took place is unknown. Take the transactional id again and go on from the committed position.`,
    );
  }
}

const fencedBy = (transactionalId: string): FencedError =>
  new FencedError(
    `Another producer has taken the transactional id '${transactionalId}'; nothing was written. Stop, and start again from the committed position.`,
  );

/** The call, and how often it went out. */
function counted<T>(call: ProtocolCall<T>, count: () => void): ProtocolCall<T> {
  const { request } = call;
  return { ...call, request: { ...request, encode: () => (count(), request.encode()) } };
}

/** Waits for all, then throws the first failure: nothing is on its way any more. */
async function settled(all: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(all)) if (result.status === 'rejected') throw result.reason;
}

function checkName(what: string, name: string): void {
  if (NAME.test(name)) return;
  throw new RangeError(`A ${what} is 1 to 249 printable ASCII characters; '${name}' is not.`);
}

function checkPosition(position: Position): void {
  const bytes = Buffer.byteLength(position.metadata);
  if (bytes > MAX_METADATA_BYTES) {
    throw new RangeError(`The metadata of a committed offset has ${bytes} bytes, at most ${MAX_METADATA_BYTES} fit.`);
  }
  if (!Number.isSafeInteger(position.offset) || position.offset < 0) {
    throw new RangeError(`A committed offset is a whole number, not negative; ${position.offset} is not.`);
  }
}

let nextLane = 0;
const LANES = 4;
const MAX_METADATA_BYTES = 4096;
const NAME = /^[\x20-\x7e]{1,249}$/u;
