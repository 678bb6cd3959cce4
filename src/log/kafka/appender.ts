/** Appends outside transactions: what is asked for while a request is on its way goes out together with the next. */
import type { NewRecord } from '../event-log.ts';
import { initProducerIdCall } from './calls.ts';
import type { KafkaClient } from './client.ts';
import { LogUnavailableError, typeOf } from './errors.ts';
import { copied, Outbox, type Placed } from './outbox.ts';
import { SequencedProducer, type Outcome, type Outgoing } from './producing.ts';
import type { Codecs } from './records.ts';

interface Waiting {
  readonly outgoing: readonly Outgoing[];
  readonly placed: readonly Placed[];
  readonly resolve: (offsets: readonly number[]) => void;
  readonly reject: (error: unknown) => void;
}

export class Appender {
  readonly #client: KafkaClient;
  readonly #codecs: Codecs;
  #producer: SequencedProducer | undefined;
  #waiting: Waiting[] = [];
  #working = false;

  constructor(client: KafkaClient, codecs: Codecs) {
    this.#client = client;
    this.#codecs = codecs;
  }

  /**
   * Durable when it resolves; returns each record's offset. Not atomic: a call that fails may have written some of its records.
   * @throws UnknownTopicError, RangeError, LogAccessError, LogUnavailableError
   */
  async append(topic: string, records: readonly NewRecord[]): Promise<readonly number[]> {
    this.#client.checkOpen();
    const known = this.#client.knownLeaders(topic);
    // Encoding copies the values; if that has to wait for the topic's partitions, they are copied now.
    const own = known === undefined ? copied(records) : records;
    const outbox = new Outbox();
    const placed = outbox.add(topic, known ?? (await this.#client.leaders(topic)), own);
    if (placed.length === 0) return [];
    return new Promise((resolve, reject) => {
      this.#waiting.push({ outgoing: outbox.finish(), placed, resolve, reject });
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      for (let some = this.#take(); some.length > 0; some = this.#take()) await this.#write(some);
    } finally {
      this.#working = false;
    }
  }

  #take(): Waiting[] {
    const some: Waiting[] = [];
    let bytes = 0;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      bytes += sizeOf(next);
      if (some.length > 0 && bytes > ROUND_BYTES) break;
      some.push(next);
      this.#waiting.shift();
    }
    return some;
  }

  async #write(some: readonly Waiting[]): Promise<void> {
    const together = new Map<string, Outgoing>();
    const starts = some.map(({ outgoing }) => join(together, outgoing));
    const all = [...together.values()];
    try {
      const outcomes = await this.#produce(all);
      const byId = new Map(all.map((one, i) => [idOf(one), outcomes[i]]));
      some.forEach((waiting, i) => settle(waiting, starts[i] ?? new Map(), byId));
    } catch (error) {
      for (const waiting of some) waiting.reject(error);
    }
  }

  async #produce(outgoing: readonly Outgoing[]): Promise<Outcome[]> {
    this.#producer ??= await this.#newProducer();
    const outcomes = await this.#producer.produce(outgoing);
    // Its numbering may no longer be the broker's.
    if (outcomes.some((outcome) => outcome.kind === 'failed')) this.#producer = undefined;
    return outcomes;
  }

  async #newProducer(): Promise<SequencedProducer> {
    const attempts = { doing: 'getting a producer id', right: 'IDEMPOTENT_WRITE' };
    const producer = await this.#client.trying(attempts, () =>
      this.#client.sendToAny('control', initProducerIdCall(null, this.#client.options.transactionTimeoutMs)),
    );
    return new SequencedProducer({
      client: this.#client,
      codecs: this.#codecs,
      producer,
      transactionalId: null,
      lane: 'append',
    });
  }
}

/** Puts records behind those that are there; returns at which piece they begin, by partition. */
function join(together: Map<string, Outgoing>, outgoing: readonly Outgoing[]): Map<string, number> {
  const starts = new Map<string, number>();
  for (const one of outgoing) {
    const id = idOf(one);
    const before = together.get(id)?.packed ?? [];
    starts.set(id, before.length);
    together.set(id, { ...one, packed: [...before, ...one.packed] });
  }
  return starts;
}

function settle(
  { placed, outgoing, resolve, reject }: Waiting,
  starts: ReadonlyMap<string, number>,
  outcomes: ReadonlyMap<string, Outcome | undefined>,
): void {
  const offsets = new Map<string, number[]>();
  for (const one of outgoing) {
    const outcome = outcomes.get(idOf(one));
    const start = starts.get(idOf(one)) ?? 0;
    if (outcome?.kind !== 'written') {
      reject(explained(one, outcome));
      return;
    }
    offsets.set(
      idOf(one),
      one.packed.flatMap((piece, i) => {
        const base = outcome.bases[start + i] ?? 0;
        return Array.from({ length: piece.count }, (_, k) => base + k);
      }),
    );
  }
  resolve(placed.map(({ id, index }) => offsets.get(id)?.[index] ?? -1));
}

function explained({ topic, partition }: Outgoing, outcome: Outcome | undefined): unknown {
  const error = outcome?.kind === 'failed' ? outcome.error : undefined;
  if (error instanceof Error && typeOf(error) === undefined) return error;
  return new LogUnavailableError(
    `Appending to topic '${topic}' partition ${partition} failed (${typeOf(error) ?? 'no answer'}); whether the records are there is unknown. Read the topic's end before trying again.`,
  );
}

function sizeOf({ outgoing }: Waiting): number {
  return outgoing.reduce((sum, { packed }) => sum + packed.reduce((bytes, piece) => bytes + piece.bytes.length, 0), 0);
}

function idOf({ topic, partition }: Outgoing): string {
  return `${topic}/${partition}`;
}

/** What goes out together at most, unless one call has more. */
const ROUND_BYTES = 16 * 2 ** 20;
