/**
 * Record batches (magic 2): packing records into them, and reading what a read-committed fetch returned.
 *
 * Source: https://kafka.apache.org/documentation/#recordbatch; which batches of aborted transactions are left out:
 * org.apache.kafka.clients.consumer.internals.CompletedFetch.
 */
import type { Headers, LogRecord, NewRecord } from '../event-log.ts';
import type { AbortedTransaction, ProducerId } from './calls.ts';
import { CompressionError, type Codec } from './compression.ts';
import { crc32c } from './crc32c.ts';
import { Reader, Writer } from './wire.ts';

/** By number: 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
export type Codecs = ReadonlyMap<number, Codec>;

/** Records of one partition, encoded; nothing of the caller's is held. */
export interface PackedRecords {
  readonly bytes: Buffer;
  readonly count: number;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
}

/** Packs records of one partition into as few batches as their sizes allow. */
export class Packer {
  readonly #done: PackedRecords[] = [];
  #writer = new Writer(1024);
  #count = 0;
  #firstTimestamp = 0;
  #maxTimestamp = 0;

  add(record: NewRecord): void {
    const { timestamp } = record;
    if (this.#count > 0 && this.#writer.length + sizeOf(record) > BATCH_BYTES) this.#next();
    if (this.#count === 0) this.#firstTimestamp = this.#maxTimestamp = timestamp;
    this.#maxTimestamp = Math.max(this.#maxTimestamp, timestamp);
    encodeRecord(this.#writer, record, this.#count, timestamp - this.#firstTimestamp);
    this.#count += 1;
  }

  finish(): PackedRecords[] {
    this.#next();
    return this.#done;
  }

  #next(): void {
    if (this.#count === 0) return;
    this.#done.push({
      bytes: this.#writer.finish(),
      count: this.#count,
      firstTimestamp: this.#firstTimestamp,
      maxTimestamp: this.#maxTimestamp,
    });
    this.#writer = new Writer(1024);
    this.#count = 0;
  }
}

export interface BatchOptions {
  readonly producer: ProducerId;
  /** Of the batch's first record, counted per partition. */
  readonly sequence: number;
  readonly transactional: boolean;
  /** 0 for none, else a number of {@link Codecs}. */
  readonly compression: number;
}

export async function encodeBatch(packed: PackedRecords, options: BatchOptions, codecs: Codecs): Promise<Buffer> {
  const { compression, producer } = options;
  const records = compression === 0 ? packed.bytes : await codecOf(codecs, compression).compress(packed.bytes);
  const w = new Writer(HEADER_BYTES + records.length);
  w.int64(0)
    .int32(HEADER_BYTES - LENGTH_END + records.length)
    .int32(-1)
    .int8(MAGIC);
  w.uint32(0);
  w.int16(compression | (options.transactional ? TRANSACTIONAL : 0)).int32(packed.count - 1);
  w.int64(packed.firstTimestamp).int64(packed.maxTimestamp);
  w.int64(producer.id).int16(producer.epoch).int32(options.sequence);
  w.int32(packed.count).raw(records);
  w.patchUInt32(CRC_AT, crc32c(w.finish().subarray(CRC_AT + 4)));
  return w.finish();
}

export interface Stretch {
  readonly topic: string;
  readonly partition: number;
  /** The first offset wanted; batches may begin before it. */
  readonly offset: number;
  readonly maxRecords: number;
  /** Soft bound on the values' bytes. */
  readonly maxBytes: number;
  /** As in ReadRequest. */
  readonly standIns?: boolean;
}

export interface Decoded {
  readonly records: readonly LogRecord[];
  /** Past what was read and left out; the wanted offset when there was no whole batch. */
  readonly nextOffset: number;
}

/**
 * The committed records of a fetched stretch. Leaves out transaction markers, aborted records, what lies below the wanted
 * offset, and a last batch that was cut off.
 * @param aborted the aborted transactions that the broker named for this stretch
 * @throws CorruptBatchError, CompressionError
 */
export async function decodeBatches(
  bytes: Buffer,
  aborted: readonly AbortedTransaction[],
  wanted: Stretch,
  codecs: Codecs,
): Promise<Decoded> {
  const filter = new AbortedFilter(aborted);
  const taken = new Taken(wanted);
  for (let at = 0; ;) {
    const batch = readHeader(bytes, at, wanted);
    if (batch === undefined) break;
    at = batch.end;
    if (batch.lastOffset < wanted.offset) continue;
    if (filter.skips(batch)) {
      taken.pass(batch.lastOffset + 1);
      continue;
    }
    const records = await recordsOf(batch, codecs, wanted);
    if (!(records === 'too_large' ? taken.takeStandIn(batch) : taken.takeAll(batch, records))) break;
    taken.pass(batch.lastOffset + 1);
  }
  return taken;
}

/** Decides by batch what a read-committed reader may see. Batches are shown to it in offset order. */
export class AbortedFilter {
  readonly #coming: AbortedTransaction[];
  readonly #aborting = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#coming = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  skips(batch: Pick<Batch, 'control' | 'transactional' | 'producerId' | 'lastOffset' | 'isAbortMarker'>): boolean {
    while ((this.#coming[0]?.firstOffset ?? Infinity) <= batch.lastOffset) {
      this.#aborting.add(this.#coming.shift()?.producerId ?? -1);
    }
    if (!batch.control) return batch.transactional && this.#aborting.has(batch.producerId);
    if (batch.isAbortMarker()) this.#aborting.delete(batch.producerId);
    return true;
  }
}

export class CorruptBatchError extends Error {
  override name = 'CorruptBatchError';
}

interface Batch {
  readonly end: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly compression: number;
  readonly transactional: boolean;
  /** Holds a transaction marker, no records. */
  readonly control: boolean;
  readonly producerId: number;
  readonly firstTimestamp: number;
  /** Of all records, where the topic says when they were appended; else undefined. */
  readonly appendTime: number | undefined;
  readonly count: number;
  readonly body: Buffer;
  isAbortMarker(): boolean;
  readonly where: string;
}

/** The records taken so far, within the bounds of the request. */
class Taken implements Decoded {
  readonly records: LogRecord[] = [];
  nextOffset: number;
  readonly #wanted: Stretch;
  #bytes = 0;

  constructor(wanted: Stretch) {
    this.#wanted = wanted;
    this.nextOffset = wanted.offset;
  }

  pass(nextOffset: number): void {
    this.nextOffset = Math.max(this.nextOffset, nextOffset);
  }

  /** One for the whole batch. False when there is no room for it. */
  takeStandIn({ baseOffset, firstTimestamp, appendTime }: Batch): boolean {
    const { topic, partition, maxRecords } = this.#wanted;
    const offset = Math.max(baseOffset, this.#wanted.offset);
    const [key, value, headers, timestamp] = ['', null, {}, appendTime ?? firstTimestamp];
    if (this.records.length > 0 && this.records.length >= maxRecords) {
      this.pass(offset);
      return false;
    }
    this.records.push({ topic, partition, offset, key, value, timestamp, headers, refused: 'limit_exceeded' });
    return true;
  }

  /** False when the bounds are reached before the batch's end. */
  takeAll(batch: Batch, reader: Reader): boolean {
    const { topic, partition, offset: from, maxRecords, maxBytes } = this.#wanted;
    for (let i = 0; i < batch.count; i += 1) {
      const size = reader.varint();
      const end = reader.position + size;
      if (size < 0 || end > reader.end) throw corrupt(batch.where, 'a record ends outside of it');
      reader.skip(1);
      const timestamp = batch.appendTime ?? batch.firstTimestamp + reader.varint();
      if (batch.appendTime !== undefined) reader.varint();
      const offset = batch.baseOffset + reader.varint();
      if (offset >= from) {
        const key = textOf(reader);
        const value = bytesOf(reader);
        const full = this.records.length >= maxRecords || this.#bytes + (value?.length ?? 0) > maxBytes;
        if (full && this.records.length > 0) {
          this.pass(offset);
          return false;
        }
        this.#bytes += value?.length ?? 0;
        this.records.push({ topic, partition, offset, key, value, timestamp, headers: headersOf(reader) });
      }
      reader.position = end;
    }
    return true;
  }
}

/** The batch at `at`; undefined at the end or where it was cut off. */
function readHeader(bytes: Buffer, at: number, wanted: Stretch): Batch | undefined {
  if (bytes.length - at < HEADER_BYTES) return undefined;
  const r = new Reader(bytes, at);
  const baseOffset = r.int64();
  const end = at + LENGTH_END + r.int32();
  if (end > bytes.length) return undefined;
  const where = `topic '${wanted.topic}' partition ${wanted.partition} offset ${baseOffset}`;
  r.int32();
  const magic = r.int8();
  if (magic !== MAGIC) throw corrupt(where, `its format is ${magic}, not ${MAGIC}`);
  if (end - at < HEADER_BYTES) throw corrupt(where, 'it is shorter than its header');
  if (r.uint32() !== crc32c(bytes.subarray(at + CRC_AT + 4, end))) throw corrupt(where, 'its checksum is wrong');
  const attributes = r.int16();
  const lastOffset = baseOffset + r.int32();
  const [firstTimestamp, maxTimestamp] = [r.int64(), r.int64()];
  const producerId = r.int64();
  r.skip(6);
  const count = r.int32();
  const body = bytes.subarray(r.position, end);
  return {
    end,
    baseOffset,
    lastOffset,
    compression: attributes & COMPRESSION,
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: (attributes & CONTROL) !== 0,
    producerId,
    firstTimestamp,
    appendTime: (attributes & APPEND_TIME) === 0 ? undefined : maxTimestamp,
    count,
    body,
    isAbortMarker: () => count > 0 && isAbortMarker(new Reader(body)),
    where,
  };
}

async function recordsOf(batch: Batch, codecs: Codecs, { standIns }: Stretch): Promise<Reader | 'too_large'> {
  if (batch.compression === 0 || batch.count === 0) return new Reader(batch.body);
  try {
    return new Reader(await codecOf(codecs, batch.compression).decompress(batch.body));
  } catch (error) {
    if (standIns === true && error instanceof CompressionError && error.tooLarge) return 'too_large';
    throw error;
  }
}

function codecOf(codecs: Codecs, compression: number): Codec {
  const codec = codecs.get(compression);
  if (codec === undefined) throw new RangeError(`There is no codec for the compression type ${compression}.`);
  return codec;
}

/** The key of a control record is a version and a type, 0 for abort. */
function isAbortMarker(reader: Reader): boolean {
  reader.varint();
  reader.skip(1);
  reader.varint();
  reader.varint();
  if (reader.varint() < 4) return false;
  reader.int16();
  return reader.int16() === 0;
}

function encodeRecord(w: Writer, record: NewRecord, offsetDelta: number, timestampDelta: number): void {
  const body = new Writer(sizeOf(record));
  body.int8(0).varint(timestampDelta).varint(offsetDelta);
  varBytes(body, Buffer.from(record.key, 'utf8'));
  if (record.value === null) body.varint(-1);
  else varBytes(body, record.value);
  const headers = Object.entries(record.headers ?? {});
  body.varint(headers.length);
  for (const [name, value] of headers) {
    varBytes(body, Buffer.from(name, 'utf8'));
    varBytes(body, Buffer.from(value, 'utf8'));
  }
  w.varint(body.length).raw(body.finish());
}

function varBytes(w: Writer, bytes: Uint8Array): void {
  w.varint(bytes.length).raw(bytes);
}

/** At most so many bytes, encoded. */
function sizeOf(record: NewRecord): number {
  let size = RECORD_OVERHEAD + record.key.length * 3 + (record.value?.length ?? 0);
  for (const [name, value] of Object.entries(record.headers ?? {})) size += 10 + (name.length + value.length) * 3;
  return size;
}

function bytesOf(reader: Reader): Uint8Array | null {
  const length = reader.varint();
  if (length < 0) return null;
  const at = reader.skip(length);
  return new Uint8Array(reader.bytes.buffer, reader.bytes.byteOffset + at, length);
}

/** A record of another writer may have no key: that is the empty one here. */
function textOf(reader: Reader): string {
  const length = reader.varint();
  if (length < 0) return '';
  const at = reader.skip(length);
  return reader.bytes.toString('utf8', at, at + length);
}

function headersOf(reader: Reader): Headers {
  const headers: Record<string, string> = {};
  for (let left = reader.varint(); left > 0; left -= 1) {
    const name = textOf(reader);
    headers[name] = textOf(reader);
  }
  return headers;
}

function corrupt(where: string, what: string): Error {
  return new CorruptBatchError(
    `The record batch at ${where} is damaged: ${what}. Read another replica of the partition, or restore it.`,
  );
}

const HEADER_BYTES = 61;
/** What the length field counts begins here. */
const LENGTH_END = 12;
const CRC_AT = 17;
const MAGIC = 2;
const COMPRESSION = 0x07;
const APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const RECORD_OVERHEAD = 40;
/** Batches of several records stay below the smallest usual limit of a topic (1 MB) also if nothing can be compressed. */
const BATCH_BYTES = 800_000;
