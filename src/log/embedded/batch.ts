/**
 * Records as they lie in LMDB: a run of records of one partition is one value, so that a read costs one lookup and one
 * copy for many records (the idea of Kafka's record batch).
 *
 * A batch, little endian:
 *   0 u32 format (1)   4 u32 records   8 f64 base offset   16 f64 greatest timestamp
 *   24 f64 when compaction may drop its tombstones (ms), 0 = compaction has not met them yet   32 the records
 * A record:
 *   u32 offset - base   f64 timestamp   u32 key bytes   u32 header bytes   i32 value bytes (-1: null)   key, headers (JSON), value
 */
import type { Headers, LogRecord, NewRecord } from '../event-log.ts';

/** Packs records of one partition into batches; copies, so that the caller may reuse its buffers at once. */
export class Packer {
  #full: PackedBatch[] = [];
  #buffer = Buffer.alloc(0);
  #length = 0;
  #count = 0;
  #latest = 0;

  add(record: NewRecord): void {
    const headers = record.headers === undefined ? '' : packHeaders(record.headers);
    const keyBytes = Buffer.byteLength(record.key);
    const headerBytes = Buffer.byteLength(headers);
    const valueBytes = record.value?.length ?? 0;
    const size = RECORD_HEADER + keyBytes + headerBytes + valueBytes;
    if (this.#count > 0 && this.#length + size > BATCH_BYTES) this.#close();
    this.#reserve(size);
    const buffer = this.#buffer;
    let at = this.#length;
    buffer.writeUInt32LE(this.#count, at);
    buffer.writeDoubleLE(record.timestamp, at + 4);
    buffer.writeUInt32LE(keyBytes, at + 12);
    buffer.writeUInt32LE(headerBytes, at + 16);
    buffer.writeInt32LE(record.value === null ? -1 : valueBytes, at + 20);
    at += RECORD_HEADER;
    at += buffer.write(record.key, at, keyBytes, 'utf8');
    if (headerBytes > 0) at += buffer.write(headers, at, headerBytes, 'utf8');
    if (record.value !== null) buffer.set(record.value, at);
    this.#length += size;
    this.#count += 1;
    this.#latest = Math.max(this.#latest, record.timestamp);
  }

  /** Everything added, in order; the packer is empty afterwards. */
  finish(): PackedBatch[] {
    this.#close();
    const packed = this.#full;
    this.#full = [];
    return packed;
  }

  #close(): void {
    if (this.#count === 0) return;
    const bytes = this.#buffer.subarray(0, this.#length);
    bytes.writeUInt32LE(FORMAT, 0);
    bytes.writeUInt32LE(this.#count, 4);
    bytes.writeDoubleLE(this.#latest, 16);
    this.#full.push({ bytes, count: this.#count, latest: this.#latest });
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
    this.#count = 0;
    this.#latest = 0;
  }

  #reserve(size: number): void {
    if (this.#count === 0) this.#length = BATCH_HEADER;
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.alloc(Math.max(needed, Math.min(this.#buffer.length * 4, BATCH_BYTES)));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** A batch that has no offsets yet. */
export interface PackedBatch {
  readonly bytes: Buffer;
  readonly count: number;
  /** Greatest timestamp in it, ms. */
  readonly latest: number;
}

/** Gives a batch its place in the partition. */
export function placeAt(batch: PackedBatch, baseOffset: number): void {
  batch.bytes.writeDoubleLE(baseOffset, 8);
}

/** A batch's own fields and a cursor over its records that decodes only what is asked for. */
export class BatchReader {
  readonly #bytes: Buffer;
  readonly #count: number;
  readonly #base: number;
  #next = BATCH_HEADER;
  #index = 0;
  #at = 0;
  #keyBytes = 0;
  #headerBytes = 0;
  #valueBytes = 0;
  offset = 0;
  timestamp = 0;

  /** @throws DamagedBatchError */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length < BATCH_HEADER || this.#bytes.readUInt32LE(0) !== FORMAT) throw new DamagedBatchError();
    this.#count = this.#bytes.readUInt32LE(4);
    this.#base = this.#bytes.readDoubleLE(8);
  }

  get latest(): number {
    return this.#bytes.readDoubleLE(16);
  }

  /** When compaction may drop the tombstones of this batch (ms), 0 when it has not met them yet. */
  get tombstonesUntil(): number {
    return this.#bytes.readDoubleLE(24);
  }

  /** Moves to the next record; false after the last. */
  next(): boolean {
    if (this.#index === this.#count) return false;
    const bytes = this.#bytes;
    const at = this.#next;
    if (at + RECORD_HEADER > bytes.length) throw new DamagedBatchError();
    this.offset = this.#base + bytes.readUInt32LE(at);
    this.timestamp = bytes.readDoubleLE(at + 4);
    this.#keyBytes = bytes.readUInt32LE(at + 12);
    this.#headerBytes = bytes.readUInt32LE(at + 16);
    this.#valueBytes = bytes.readInt32LE(at + 20);
    this.#at = at;
    this.#next = at + RECORD_HEADER + this.#keyBytes + this.#headerBytes + Math.max(0, this.#valueBytes);
    if (this.#next > bytes.length) throw new DamagedBatchError();
    this.#index += 1;
    return true;
  }

  get key(): string {
    return this.#bytes.toString('utf8', this.#at + RECORD_HEADER, this.#at + RECORD_HEADER + this.#keyBytes);
  }

  get isTombstone(): boolean {
    return this.#valueBytes < 0;
  }

  get valueBytes(): number {
    return Math.max(0, this.#valueBytes);
  }

  /** The current record; its value is a view into the batch, not a copy. */
  record(topic: string, partition: number): LogRecord {
    const headersAt = this.#at + RECORD_HEADER + this.#keyBytes;
    const valueAt = headersAt + this.#headerBytes;
    const bytes = this.#bytes;
    return {
      topic,
      partition,
      offset: this.offset,
      key: this.key,
      value: this.isTombstone ? null : new Uint8Array(bytes.buffer, bytes.byteOffset + valueAt, this.#valueBytes),
      timestamp: this.timestamp,
      headers: this.#headerBytes === 0 ? NO_HEADERS : unpackHeaders(bytes.toString('utf8', headersAt, valueAt)),
    };
  }

  /** The current record's bytes as they lie in the batch. */
  raw(): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#next);
  }
}

/**
 * The batch without the records that `keep` refuses, or undefined when none is left. Offsets stay, so holes appear.
 * `tombstonesUntil` replaces the batch's own.
 */
export function rewrite(
  bytes: Uint8Array,
  tombstonesUntil: number,
  keep: (record: BatchReader) => boolean,
): Buffer | undefined {
  const reader = new BatchReader(bytes);
  const kept: Uint8Array[] = [];
  let latest = 0;
  while (reader.next()) {
    if (!keep(reader)) continue;
    kept.push(reader.raw());
    latest = Math.max(latest, reader.timestamp);
  }
  if (kept.length === 0) return undefined;
  const header = Buffer.from(bytes.subarray(0, BATCH_HEADER));
  header.writeUInt32LE(kept.length, 4);
  header.writeDoubleLE(latest, 16);
  header.writeDoubleLE(tombstonesUntil, 24);
  return Buffer.concat([header, ...kept]);
}

/** Stored bytes are not a batch. */
export class DamagedBatchError extends Error {
  override name = 'DamagedBatchError';
}

function packHeaders(headers: Headers): string {
  const names = Object.keys(headers);
  return names.length === 0 ? '' : JSON.stringify(headers);
}

function unpackHeaders(text: string): Headers {
  // Written by packHeaders from a Headers value.
  return JSON.parse(text) as Headers;
}

const NO_HEADERS: Headers = Object.freeze({});
const FORMAT = 1;
const BATCH_HEADER = 32;
const RECORD_HEADER = 24;
/** Sixteen pages less LMDB's page header: a batch fills its overflow pages. */
const BATCH_BYTES = 16 * 4096 - 64;
