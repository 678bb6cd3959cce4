/**
 * Records of two sanitised topics that came of the same raw record, side by side. Both topics hold each raw partition's
 * records in the order of raw, but mix the raw partitions in ways of their own, so one side may have to wait for the other.
 * What waits is bounded: raw partitions that would need more are left for another pass, at worst one pass each.
 */
import type { EventLog, LogRecord } from '../../log/event-log.ts';

/** What came of one raw record, on each side; null where nothing did. */
export interface Pair {
  readonly rawPartition: number;
  readonly live: LogRecord | null;
  readonly replay: LogRecord | null;
}

type Side = 'live' | 'replay';
const SIDES = ['live', 'replay'] as const;

export interface JoinOptions {
  readonly log: EventLog;
  /** Partition of both topics: a session's records are on the same one. */
  readonly partition: number;
  readonly topics: Readonly<Record<Side, string>>;
  /** Where to begin and to end reading, by side. */
  readonly ranges: Readonly<Record<Side, { readonly from: number; readonly end: number }>>;
  readonly rawTopic: string;
  /** Raw offsets wanted, by raw partition. */
  readonly wanted: ReadonlyMap<number, { readonly from: number; readonly end: number }>;
  /** Bytes of records that may wait for the other side. */
  readonly maxBytes: number;
}

/** What is told of a pass; what was told of a raw partition that is put off is void, and told again in a later pass. */
export interface JoinVisitor {
  pair(pair: Pair): void;
  putOff(rawPartition: number): void;
}

export async function joinBySource(options: JoinOptions, visitor: JoinVisitor): Promise<void> {
  let open = new Set(options.wanted.keys());
  while (open.size > 0) open = await new Pass(options, visitor, open).run();
}

class Pass {
  readonly #options: JoinOptions;
  readonly #visitor: JoinVisitor;
  readonly #open: Set<number>;
  readonly #later = new Set<number>();
  readonly #waiting = new Map<number, Record<Side, Queue>>();
  readonly #bytes: Record<Side, number> = { live: 0, replay: 0 };
  readonly #streams: Record<Side, Stream>;

  constructor(options: JoinOptions, visitor: JoinVisitor, open: ReadonlySet<number>) {
    this.#options = options;
    this.#visitor = visitor;
    this.#open = new Set(open);
    this.#streams = { live: new Stream(options, 'live'), replay: new Stream(options, 'replay') };
    for (const raw of open) this.#waiting.set(raw, { live: new Queue(), replay: new Queue() });
  }

  /** @returns the raw partitions that were put off. */
  async run(): Promise<Set<number>> {
    const { live, replay } = this.#streams;
    while (!live.ended || !replay.ended) {
      const liveWaits = this.#bytes.live > this.#bytes.replay;
      await this.#readFrom(replay.ended || (!live.ended && !liveWaits) ? 'live' : 'replay');
      while (this.#open.size > 1 && this.#bytes.live + this.#bytes.replay > this.#options.maxBytes)
        this.#putOffLargest();
    }
    for (const raw of this.#open) this.#match(raw);
    return this.#later;
  }

  async #readFrom(side: Side): Promise<void> {
    const touched = new Set<number>();
    for (const found of await this.#streams[side].next()) {
      if (!this.#open.has(found.raw)) continue;
      this.#waiting.get(found.raw)?.[side].push(found);
      this.#bytes[side] += found.bytes;
      touched.add(found.raw);
    }
    // At a side's end, what the other holds back has nothing to wait for any more.
    for (const raw of this.#streams[side].ended ? this.#open : touched) this.#match(raw);
  }

  #match(raw: number): void {
    const queues = this.#waiting.get(raw);
    if (queues === undefined) return;
    for (;;) {
      const [live, replay] = [queues.live.first(), queues.replay.first()];
      if (live === undefined && replay === undefined) return;
      if (live === undefined && !this.#streams.live.ended) return;
      if (replay === undefined && !this.#streams.replay.ended) return;
      const next = Math.min(live?.source ?? Infinity, replay?.source ?? Infinity);
      this.#visitor.pair({
        rawPartition: raw,
        live: live?.source === next ? this.#take(queues, 'live') : null,
        replay: replay?.source === next ? this.#take(queues, 'replay') : null,
      });
    }
  }

  #take(queues: Record<Side, Queue>, side: Side): LogRecord | null {
    const taken = queues[side].shift();
    this.#bytes[side] -= taken?.bytes ?? 0;
    return taken?.record ?? null;
  }

  #putOffLargest(): void {
    let largest: { readonly raw: number; readonly bytes: number } | undefined;
    for (const raw of this.#open) {
      const queues = this.#waiting.get(raw);
      const bytes = (queues?.live.bytes ?? 0) + (queues?.replay.bytes ?? 0);
      if (largest === undefined || bytes > largest.bytes) largest = { raw, bytes };
    }
    if (largest === undefined) return;
    const queues = this.#waiting.get(largest.raw);
    for (const side of SIDES) this.#bytes[side] -= queues?.[side].bytes ?? 0;
    this.#waiting.delete(largest.raw);
    this.#open.delete(largest.raw);
    this.#later.add(largest.raw);
    this.#visitor.putOff(largest.raw);
  }
}

interface Found {
  readonly raw: number;
  readonly source: number;
  readonly record: LogRecord;
  readonly bytes: number;
}

/** An object and its strings, roughly. */
const RECORD_OVERHEAD = 300;

/** One topic's records of the stretch, in their order, without doubles. */
class Stream {
  readonly #options: JoinOptions;
  readonly #side: Side;
  readonly #last = new Map<number, number>();
  #offset: number;

  constructor(options: JoinOptions, side: Side) {
    this.#options = options;
    this.#side = side;
    this.#offset = options.ranges[side].from;
  }

  get ended(): boolean {
    return this.#offset >= this.#options.ranges[this.#side].end;
  }

  async next(): Promise<Found[]> {
    const { log, topics, partition, ranges } = this.#options;
    const side = this.#side;
    // A read brings a part of what may wait, so that waiting records are seen to be too many before they are.
    const maxBytes = Math.max(1, Math.min(2 << 20, Math.floor(this.#options.maxBytes / 8)));
    const maxRecords = Math.max(1, Math.min(2_000, Math.floor(maxBytes / RECORD_OVERHEAD)));
    const request = { topic: topics[side], partition, offset: this.#offset, maxRecords, maxBytes };
    const fetched = await log.read({ ...request, waitMs: 200 });
    this.#offset = fetched.nextOffset;
    return fetched.records.flatMap((record) => {
      if (record.offset >= ranges[side].end) return [];
      const found = this.#wanted(record);
      return found === undefined ? [] : [found];
    });
  }

  #wanted(record: LogRecord): Found | undefined {
    const source = sourceOf(record);
    if (source?.topic !== this.#options.rawTopic) return undefined;
    const wanted = this.#options.wanted.get(source.partition);
    if (wanted === undefined || source.offset < wanted.from || source.offset >= wanted.end) return undefined;
    // As the sink does: what is not above the last one has been there before.
    if (source.offset <= (this.#last.get(source.partition) ?? -1)) return undefined;
    this.#last.set(source.partition, source.offset);
    const bytes = (record.value?.length ?? 0) + RECORD_OVERHEAD;
    return { raw: source.partition, source: source.offset, record, bytes };
  }
}

/** The raw record that a sanitised one came of; undefined when its headers do not say. */
export function sourceOf({ headers }: LogRecord): { topic: string; partition: number; offset: number } | undefined {
  const [topic, partition, offset] = ['topic', 'partition', 'offset'].map((name) => headers[`source-${name}`] ?? '');
  if (topic === undefined || !isNumber(partition) || !isNumber(offset)) return undefined;
  return { topic, partition: Number(partition), offset: Number(offset) };
}

const isNumber = (text: string | undefined): boolean => text !== undefined && /^\d{1,15}$/u.test(text);

class Queue {
  #items: (Found | undefined)[] = [];
  #head = 0;
  bytes = 0;

  push(item: Found): void {
    this.#items.push(item);
    this.bytes += item.bytes;
  }

  first(): Found | undefined {
    return this.#items[this.#head];
  }

  shift(): Found | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    this.bytes -= item.bytes;
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
