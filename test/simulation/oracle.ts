/** What should have come out: one pass of the processors over the raw log, without a runtime around them. */
import type { ConsentDecision, Erasure } from '../../src/events/control.ts';
import type { Codec } from '../../src/events/codec.ts';
import type { CaptureBatch, RawEvent } from '../../src/events/raw.ts';
import type { ReleasedFields } from '../../src/events/released.ts';
import type { EventLog, LogRecord } from '../../src/log/event-log.ts';
import { partitionOf } from '../../src/log/partitioner.ts';
import type { Policy } from '../../src/privacy/policy.ts';
import type { Vocabulary } from '../../src/privacy/vocabulary.ts';
import { createPipeline, preparePolicy, type EventCounts, type Processed } from '../../src/processors/pipeline.ts';
import type { RawRecord } from '../../src/processors/stages.ts';
import type { ControlTables } from '../../src/runtime/control-tables.ts';
import type { TableRow } from '../../src/sinks/index.ts';
import { isForbidden, isPausedAt } from './consent-rule.ts';

export interface OracleTools {
  readonly codec: Codec;
  readonly policy: Policy;
  readonly vocabulary: Vocabulary;
  readonly tables: ControlTables;
  readonly subjectKey: (subject: string) => string;
}

/** A record of the sanitised topic in a form that compares byte for byte, and says where it differs. */
export interface Released {
  /** Sanitised partition. */
  readonly partition: number;
  readonly source: string;
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
}

export interface Pass {
  readonly released: readonly Released[];
  readonly quarantined: readonly string[];
  readonly counts: Counts;
  /** Events that sessions still hold back at the end. */
  readonly pending: number;
  readonly rows: readonly TableRow[];
}

/** Raw events by what became of them. */
export type Counts = Record<string, number>;

const DAY_MS = 86_400_000;

export function singlePass(tools: OracleTools, raw: readonly LogRecord[], partitions: number): Pass {
  const prepared = preparePolicy(tools.policy, tools.vocabulary);
  const released: Released[] = [];
  const quarantined: string[] = [];
  const counts: Counts = {};
  const rows: TableRow[] = [];
  let pending = 0;
  for (const records of byPartition(raw)) {
    const { consent, keyring } = tools.tables;
    const pipeline = createPipeline({ ...tools, consent, keyring }, prepared);
    for (const record of records) {
      const result = pipeline.process(record);
      addCounts(counts, result.counts);
      if (result.kind === 'quarantine') quarantined.push(`${placeOf(record)} ${result.reason}`);
      if (result.released === null) continue;
      released.push(expectedRecord(tools.codec, record, result.released, partitions));
      rows.push(...rowsOf(result.released));
    }
    pending += pipeline.pending();
  }
  return { released: sorted(released), quarantined: quarantined.sort(), counts, pending, rows: sortedRows(rows) };
}

function expectedRecord(
  codec: Codec,
  record: LogRecord,
  batch: NonNullable<Processed['released']>,
  partitions: number,
): Released {
  return {
    partition: partitionOf(batch.session, partitions),
    source: placeOf(record),
    key: batch.session,
    value: hex(codec.encodeReleased(batch)),
    timestamp: batch.day * DAY_MS,
  };
}

/** The sanitised topic as it is, after checking what must hold of its order. */
export function actual(records: readonly LogRecord[]): Released[] {
  const last = new Map<string, number>();
  const all = records.map((record): Released => {
    const { 'source-topic': topic, 'source-partition': partition, 'source-offset': offset } = record.headers;
    const stream = `${record.partition} from ${partition}`;
    const before = last.get(stream) ?? -1;
    if (Number(offset) <= before) throw new Error(`sanitised partition ${stream}: ${offset} comes after ${before}`);
    last.set(stream, Number(offset));
    if (Object.keys(record.headers).length !== 3) throw new Error('a sanitised record has other headers');
    return {
      partition: record.partition,
      source: `${topic}/${partition}/${offset}`,
      key: record.key,
      value: hex(record.value ?? new Uint8Array()),
      timestamp: record.timestamp,
    };
  });
  return sorted(all);
}

export function rowsOf({ actions, day, session, subject, policy, schema }: ReleasedFields): TableRow[] {
  const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
  return actions.map((action) => ({ date, session, subject, policy, schema, ...action }));
}

/** By session and step, then all else. */
export function sortedRows(rows: readonly TableRow[]): TableRow[] {
  const keyed = rows.map((row) => {
    const text = JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
    return [`${row.session}/${String(row.step).padStart(9, '0')}/${text}`, row] as const;
  });
  return keyed.sort(([a], [b]) => (a < b ? -1 : Number(a > b))).map(([, row]) => row);
}

export interface Decided {
  readonly decisions: readonly ConsentDecision[];
  readonly erasures: readonly Erasure[];
}

/** What is in a raw record that opens; one that was sealed must have been unsealed. */
export function openRaw(codec: Codec, record: LogRecord & Pick<RawRecord, 'unsealed'>): CaptureBatch | undefined {
  if (record.value === null) return undefined;
  const envelope = codec.openEnvelope(record.value);
  if (!envelope.ok) return undefined;
  const packed = record.unsealed ?? { ok: true, value: envelope.value.payload };
  const payload = packed.ok ? codec.openPayload(packed.value) : packed;
  return payload.ok ? { ...envelope.value, ...payload.value } : undefined;
}

export const decidedBy = (key: string, { decisions, erasures }: Decided): Decided => ({
  decisions: decisions.filter(({ subjectKey }) => subjectKey === key),
  erasures: erasures.filter(({ subjectKey }) => subjectKey === key),
});

/** The raw log with nothing left of what nobody may use: pointer positions stand where it was. Offsets stay. */
export function withoutForbidden(tools: OracleTools, raw: readonly LogRecord[], decided: Decided): LogRecord[] {
  return raw.map((record) => {
    const batch = openRaw(tools.codec, record);
    if (batch === undefined || tools.subjectKey(batch.subject) !== record.key) return record;
    const own = decidedBy(record.key, decided);
    const all = isForbidden(batch, own.decisions, own.erasures);
    const isBlank = (event: RawEvent): boolean => all || isPausedAt(event.at, own.decisions);
    if (!batch.events.some(isBlank)) return record;
    const events = batch.events.map((event) => (isBlank(event) ? blank(event) : event));
    return { ...record, value: tools.codec.encodeCapture(batch, { ...batch, events }) };
  });
}

function blank(event: RawEvent): RawEvent {
  if (event.kind === 'session_end' || event.kind === 'unknown') return event;
  return { kind: 'pointer_move', at: event.at, context: -1, element: -1, x: 0, y: 0 };
}

export async function readTopic(log: EventLog, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (const [partition, end] of (await log.endOffsets(topic)).entries()) {
    let offset = 0;
    while (offset < end) {
      const request = { topic, partition, offset, maxRecords: 100_000, maxBytes: 2 ** 30, waitMs: 0 };
      const fetched = await log.read(request);
      records.push(...fetched.records);
      offset = fetched.nextOffset;
    }
  }
  return records;
}

export function addCounts(counts: Counts, { read, released, dropped, quarantined }: EventCounts): void {
  const all = { read, released, quarantined, ...dropped };
  for (const [name, n] of Object.entries(all)) counts[name] = (counts[name] ?? 0) + n;
}

export const placeOf = ({ topic, partition, offset }: Pick<LogRecord, 'topic' | 'partition' | 'offset'>): string =>
  `${topic}/${partition}/${offset}`;

function byPartition(records: readonly LogRecord[]): LogRecord[][] {
  const groups = new Map<number, LogRecord[]>();
  for (const record of records) {
    const group = groups.get(record.partition);
    if (group === undefined) groups.set(record.partition, [record]);
    else group.push(record);
  }
  return [...groups.values()].map((group) => group.sort((a, b) => a.offset - b.offset));
}

/** Sanitised partitions hold the records of several raw ones, in any mixture: the order within each is checked apart. */
const sorted = (released: readonly Released[]): Released[] =>
  [...released].sort((a, b) => (a.source < b.source ? -1 : Number(a.source > b.source)));

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
