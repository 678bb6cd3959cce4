/**
 * The audit trail on the log: one topic, one chain, any number of processes that write to it.
 *
 * A writer takes the trail's transactional id, which ends what its last holder had begun; reads on to the end of the topic; and
 * commits the next record. If another one has taken the id meanwhile, it was for nothing and is done again. Who still holds
 * the id knows that nobody else has written, and need not read.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { CodecError, type Codec } from '../../events/codec.ts';
import type { AuditRecord } from '../../events/control.ts';
import {
  FencedError,
  OffsetOutOfRangeError,
  UnknownTopicError,
  type EventLog,
  type LogRecord,
  type TransactionalProducer,
} from '../../log/event-log.ts';
import {
  accountName,
  MAX_REASON,
  newRun,
  UNDER_POLICY,
  type AuditedWork,
  type AuditEntry,
  type AuditTrail,
} from '../audit.ts';
import { RunError } from '../run-error.ts';
import { TOPICS } from '../topics.ts';
import { appendTo, headAfterCut, type Head, type Unchained } from './chain.ts';

export interface TrailOptions {
  /** Signed in as somebody who may read and write the topic `audit`: sanitizer, steward or operator. */
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'encodeAudit' | 'decodeAudit'>;
  readonly now: () => number;
  /** Who it is that does all this; the account of the process. */
  readonly account?: () => string;
}

export interface TopicTrail extends AuditTrail {
  close(): Promise<void>;
}

const IS_UNDER_POLICY: ReadonlySet<string> = new Set(UNDER_POLICY);
export const POLICY_CHANGE = 'policy change' satisfies AuditedWork;

/** Others that write at the same time get in between so often at most. */
const MAX_FENCED = 200;
/** Answers that were lost, or a cluster that is away: each try waits for it by itself. */
const MAX_UNAVAILABLE = 3;
const LONGEST_PAUSE_MS = 250;

/**
 * Opens the trail; nothing is read before the first record.
 *
 * `record` resolves when the record is durable. It throws RunError when the topic is missing, and what the log throws; then it
 * is not known to be there, and what it is about must not begin.
 */
export function createTrail(options: TrailOptions): TopicTrail {
  return new Trail(options);
}

class Trail implements TopicTrail {
  readonly #o: TrailOptions;
  readonly #tail: Tail;
  #producer: TransactionalProducer | undefined;
  /** One after another: a chain has one end. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: TrailOptions) {
    this.#o = options;
    this.#tail = new Tail(options);
  }

  record(entry: AuditEntry): Promise<void> {
    // What the caller changes later is not what was done.
    const unchained = this.#unchained(entry);
    const mine = this.#last.then(() => this.#append(unchained, entry));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#letGo();
  }

  #unchained({ run, what, stage, why, about }: AuditEntry): Unchained {
    const { now, account = accountName } = this.#o;
    return {
      at: Math.trunc(now()),
      run: run ?? newRun(),
      who: bounded(account()),
      what: bounded(what),
      stage,
      why: bounded(why),
      about: aboutText(about),
    };
  }

  async #append(unchained: Unchained, entry: AuditEntry): Promise<void> {
    let [fenced, unavailable] = [0, 0];
    const isOwn = ({ run, what, stage }: AuditRecord): boolean =>
      run === unchained.run && what === unchained.what && stage === unchained.stage;
    const seen = { own: false };
    for (;;) {
      try {
        if (this.#producer === undefined) {
          this.#producer = await this.#o.log.transactional(TOPICS.audit);
          await this.#tail.catchUp((record) => (seen.own ||= isOwn(record)));
        }
        // The answer to its commit was lost, and it is there.
        if (seen.own) return;
        await this.#commit(this.#producer, await this.#chained(unchained, entry));
        return;
      } catch (error) {
        await this.#letGo();
        const tries = error instanceof FencedError ? ++fenced / MAX_FENCED : ++unavailable / MAX_UNAVAILABLE;
        if (tries > 1 || !isPassing(error)) throw explained(error);
        // Apart from each other, or two writers would go on ending each other's turn.
        await pause(Math.random() * Math.min(LONGEST_PAUSE_MS, 2 ** (fenced + unavailable)));
      }
    }
  }

  /** The record, and before it the change of policy that it brings. */
  async #chained(unchained: Unchained, { what, stage, about }: AuditEntry): Promise<readonly AuditRecord[]> {
    const { policy } = about;
    let head = this.#tail.head;
    const records: AuditRecord[] = [];
    const add = (next: Unchained): void => {
      const record = appendTo(head, next);
      records.push(record);
      head = record;
    };
    if (IS_UNDER_POLICY.has(what) && stage === 'started' && typeof policy === 'string') {
      const before = await this.#tail.lastPolicy();
      const change = { ...unchained, what: POLICY_CHANGE, stage: 'done' as const };
      if (before !== undefined && before !== policy) add({ ...change, about: aboutText({ from: before, to: policy }) });
    }
    add(unchained);
    return records;
  }

  async #commit(producer: TransactionalProducer, records: readonly AuditRecord[]): Promise<void> {
    const transaction = await producer.begin();
    await transaction.append(
      TOPICS.audit,
      records.map((record) => ({
        key: String(record.sequence),
        value: this.#o.codec.encodeAudit(record),
        timestamp: record.at,
        partition: 0,
      })),
    );
    await transaction.commit();
    for (const record of records) this.#tail.take(record);
  }

  async #letGo(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.close();
  }
}

/** The end of the topic as far as it is known. Records that cannot be read are left out: whoever verifies finds them. */
class Tail {
  readonly #o: Pick<TrailOptions, 'log' | 'codec'>;
  /** All from here on has been read, up to {@link #next}; undefined: nothing yet. */
  #low: number | undefined;
  #next = 0;
  #policy: string | undefined;
  head: Head | null = null;

  constructor(options: Pick<TrailOptions, 'log' | 'codec'>) {
    this.#o = options;
  }

  take(record: AuditRecord): void {
    this.head = { sequence: record.sequence, hash: record.hash };
    this.#policy = policyOf(record) ?? this.#policy;
  }

  /** Reads on to the end, as of now. `onRecord` gets what was not known before. */
  async catchUp(onRecord: (record: AuditRecord) => void): Promise<void> {
    const [begin, end] = await this.#bounds();
    if (this.#low === undefined || this.#next < begin) {
      [this.#low, this.#next, this.head] = [end, end, null];
      for (let count = 16; this.head === null && this.#low > begin; count *= 4)
        await this.#readBack(begin, count, onRecord);
      if (begin > 0) this.head ??= headAfterCut(end);
      return;
    }
    for (const record of await this.#read(this.#next, end)) {
      this.take(record);
      onRecord(record);
    }
    this.#next = end;
  }

  /** The digest of the policy that was last worked under; undefined: there is no record of it. */
  async lastPolicy(): Promise<string | undefined> {
    const [begin] = await this.#bounds();
    while (this.#policy === undefined && (this.#low ?? begin) > begin) await this.#readBack(begin, 1_000);
    return this.#policy;
  }

  async #readBack(begin: number, count: number, onRecord: (record: AuditRecord) => void = () => {}): Promise<void> {
    const to = this.#low ?? begin;
    const from = Math.max(begin, to - count);
    const records = await this.#read(from, to);
    const last = records.at(-1);
    if (last !== undefined) this.head ??= { sequence: last.sequence, hash: last.hash };
    this.#policy ??= records.map(policyOf).findLast((policy) => policy !== undefined);
    for (const record of records) onRecord(record);
    this.#low = from;
  }

  async #read(from: number, to: number): Promise<readonly AuditRecord[]> {
    const records: AuditRecord[] = [];
    for await (const { value } of readAudit(this.#o.log, from, to)) {
      const record = decoded(this.#o.codec, value);
      if (record !== null) records.push(record);
    }
    return records;
  }

  #bounds(): Promise<readonly [begin: number, end: number]> {
    return auditBounds(this.#o.log);
  }
}

/** The first offset that the topic still has, and one past its last. @throws UnknownTopicError */
export async function auditBounds(log: EventLog): Promise<readonly [begin: number, end: number]> {
  const [end = 0] = await log.endOffsets(TOPICS.audit);
  const [begin = 0] = await log.beginOffsets(TOPICS.audit);
  return [Math.min(begin, end), end];
}

/** What the topic holds from one offset to before another. */
export async function* readAudit(log: EventLog, from: number, to: number): AsyncGenerator<LogRecord> {
  let offset = from;
  while (offset < to) {
    const at = { topic: TOPICS.audit, partition: 0, offset };
    const fetched = await log.read({ ...at, maxRecords: 1_000, maxBytes: 4 << 20, waitMs: 200 });
    for (const record of fetched.records) if (record.offset < to) yield record;
    offset = fetched.nextOffset;
  }
}

/** Null for what is no record of the trail. */
export function decoded(codec: Pick<Codec, 'decodeAudit'>, value: Uint8Array | null): AuditRecord | null {
  try {
    const record = value === null ? null : codec.decodeAudit(value);
    return record !== null && record.sequence >= 0 ? record : null;
  } catch (error) {
    // Other errors say nothing of the record.
    if (error instanceof CodecError) return null;
    throw error;
  }
}

function policyOf({ what, stage, about }: AuditRecord): string | undefined {
  if (!IS_UNDER_POLICY.has(what) || stage !== 'started') return undefined;
  const policy = parseAbout(about)['policy'];
  return typeof policy === 'string' ? policy : undefined;
}

/** What a record is about; empty where that is not the object that was written. */
export function parseAbout(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : {};
  } catch {
    return {};
  }
}

const MAX_ABOUT = 32;

/** As JSON, the keys in order: the same things are the same text. */
function aboutText(about: AuditEntry['about']): string {
  const entries = Object.entries(about)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MAX_ABOUT);
  return JSON.stringify(
    Object.fromEntries(entries.map(([key, value]) => [key, typeof value === 'string' ? bounded(value) : value])),
  );
}

/** What has no form in UTF-8 would come back as something else, and have another hash. */
function bounded(text: string): string {
  return Buffer.from(text.slice(0, MAX_REASON), 'utf8').toString('utf8');
}

/** Errors after which the id can be taken again; others stay what they are. */
function isPassing(error: unknown): boolean {
  if (error instanceof FencedError || error instanceof OffsetOutOfRangeError) return true;
  return error instanceof Error && (error.name === 'LogUnavailableError' || error.name === 'BrokerError');
}

function explained(error: unknown): unknown {
  if (!(error instanceof UnknownTopicError)) return error;
  return new RunError(
    `what is done here is recorded on the topic ${TOPICS.audit}, which is missing: make it with \`redactory topics apply\``,
  );
}
