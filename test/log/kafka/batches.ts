import type { NewRecord } from '../../../src/log/event-log.ts';
import { crc32c } from '../../../src/log/kafka/crc32c.ts';
import { encodeBatch, Packer, type Codecs } from '../../../src/log/kafka/records.ts';
import { Writer } from '../../../src/log/kafka/wire.ts';

export interface BatchSpec {
  readonly baseOffset: number;
  readonly records: readonly NewRecord[];
  readonly producerId?: number;
  readonly transactional?: boolean;
  readonly compression?: number;
  /** Offsets that the batch spans; compaction leaves it when it takes records away. Default: as many as records. */
  readonly span?: number;
}

/** A batch as it lies in a partition. */
export async function batch(spec: BatchSpec, codecs: Codecs = new Map()): Promise<Buffer> {
  const { records, baseOffset, span, producerId = 1, transactional = false, compression = 0 } = spec;
  const packer = new Packer();
  const [first = { key: '', value: null, timestamp: 0 }] = records;
  for (const record of records.length === 0 ? [first] : records) packer.add(record);
  const [packed] = packer.finish();
  if (packed === undefined) throw new Error('There is one.');
  const kept = records.length === 0 ? { ...packed, bytes: Buffer.alloc(0), count: 0 } : packed;
  const options = { producer: { id: producerId, epoch: 0 }, sequence: 0, transactional, compression };
  const bytes = await encodeBatch(kept, options, codecs);
  return sealed(bytes, { baseOffset, lastOffsetDelta: (span ?? records.length) - 1 });
}

/** A transaction marker. */
export async function marker(baseOffset: number, producerId: number, kind: 'abort' | 'commit'): Promise<Buffer> {
  const record: NewRecord = { key: '', value: new Uint8Array(6), timestamp: 0 };
  const bytes = await batch({ baseOffset, records: [record], producerId, transactional: true });
  // The marker's record: its key is a version and a type.
  const w = new Writer().raw(bytes.subarray(0, HEADER_BYTES));
  const body = new Writer().int8(0).varint(0).varint(0).varint(4).int16(0);
  body
    .int16(kind === 'abort' ? 0 : 1)
    .varint(6)
    .raw(new Uint8Array(6))
    .varint(0);
  w.varint(body.length).raw(body.finish());
  const marked = Buffer.from(w.finish());
  marked.writeInt32BE(marked.length - LENGTH_END, 8);
  marked.writeInt16BE(marked.readInt16BE(ATTRIBUTES_AT) | CONTROL, ATTRIBUTES_AT);
  return sealed(marked, { baseOffset, lastOffsetDelta: 0 });
}

function sealed(bytes: Buffer, at: { readonly baseOffset: number; readonly lastOffsetDelta: number }): Buffer {
  bytes.writeBigInt64BE(BigInt(at.baseOffset), 0);
  bytes.writeInt32BE(at.lastOffsetDelta, ATTRIBUTES_AT + 2);
  bytes.writeUInt32BE(crc32c(bytes.subarray(ATTRIBUTES_AT)), CRC_AT);
  return bytes;
}

const HEADER_BYTES = 61;
const LENGTH_END = 12;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const CONTROL = 0x20;
