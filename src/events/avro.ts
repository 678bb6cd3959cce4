/**
 * Avro records in Confluent wire format, of the current schema to write and of any registered version to read.
 *
 * Bytes to read are walked first by {@link compileGuard}: avsc trusts counts and lengths (a few bytes can make it loop for
 * minutes, or take gigabytes), so nothing reaches it that has not been bounded.
 */
import avro from 'avsc';
import type { Schema, Type } from 'avsc';
import { compileGuard } from './avro-guard.ts';
import type { Guard } from './avro-guard.ts';
import type { Limits } from './limits.ts';
import type { SchemaIds } from './schemas.ts';
import { readWireHeader, WIRE_HEADER_BYTES, writeWireHeader } from './wire.ts';

/** A record of one of our own topics does not decode, or a value does not fit its schema; the message never holds it. */
export class CodecError extends Error {
  override name = 'CodecError';
}

/** Why bytes are not a record: as in QuarantineReason, but for `bad_record`, to which the caller gives its own name. */
export type RecordFault = 'bad_wire_format' | 'unknown_schema' | 'bad_record' | 'limit_exceeded';

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: RecordFault };

export interface AvroRecord<T> {
  /** @throws CodecError when the value does not fit the schema or a limit; it names the field, never the value. */
  encode(value: T): Uint8Array;
  /** Never throws, but for what {@link SchemaIds.schemaOf} throws. */
  decode(bytes: Uint8Array): Read<T>;
}

/**
 * @typeParam T what a record of this name holds; it mirrors the file in schemas/, which avsc enforces both ways.
 */
export function avroRecord<T>(name: string, schemas: SchemaIds, limits: Limits): AvroRecord<T> {
  const id = schemas.idOf(name);
  const schema = schemas.schemaOf(id);
  if (schema === undefined) throw new CodecError(`The schema registry has no schema for ${name}.`);
  const type = typeOf(schema);
  const guard = compileGuard(type, limits);
  const readers = new Map<number, Reader<T>>([[id, { guard, read: (body) => type.fromBuffer(body) }]]);

  /** A registered version that the current one cannot be read from counts as unknown. */
  function readerOf(writerId: number): Reader<T> | undefined {
    const known = readers.get(writerId);
    if (known !== undefined) return known;
    const writerSchema = schemas.schemaOf(writerId);
    if (writerSchema === undefined) return undefined;
    const reader = resolvingReader<T>(type, writerSchema, limits);
    if (reader !== undefined) readers.set(writerId, reader);
    return reader;
  }

  return {
    encode(value) {
      const bytes = write(type, id, value, name);
      const fault = guard(bytes, WIRE_HEADER_BYTES);
      if (fault !== undefined) throw new CodecError(`${name}: ${fault === 'limit_exceeded' ? 'over a limit' : fault}.`);
      return bytes;
    },
    decode(bytes) {
      const buffer = asBuffer(bytes);
      const writerId = readWireHeader(buffer);
      if (writerId === undefined) return { ok: false, fault: 'bad_wire_format' };
      const reader = readerOf(writerId);
      if (reader === undefined) return { ok: false, fault: 'unknown_schema' };
      const fault = reader.guard(buffer, WIRE_HEADER_BYTES);
      if (fault !== undefined) return { ok: false, fault };
      try {
        return { ok: true, value: reader.read(buffer.subarray(WIRE_HEADER_BYTES)) };
      } catch {
        // avsc's message may show a value.
        return { ok: false, fault: 'bad_record' };
      }
    },
  };
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Reader<T> {
  readonly guard: Guard;
  read(body: Buffer): T;
}

function typeOf(schema: Schema): Type {
  return avro.Type.forSchema(schema, { omitRecordMethods: true });
}

/** Avro schema resolution: https://avro.apache.org/docs/1.11.1/specification/#schema-resolution */
function resolvingReader<T>(type: Type, writerSchema: Schema, limits: Limits): Reader<T> | undefined {
  try {
    const writer = typeOf(writerSchema);
    // First, since it bounds the schema's size too.
    const guard = compileGuard(writer, limits);
    const resolver = type.createResolver(writer);
    return { guard, read: (body) => type.fromBuffer(body, resolver) };
  } catch {
    return undefined;
  }
}

/** Shared by all writes, which are synchronous; it grows to the largest record written. */
let scratch = Buffer.allocUnsafe(65_536);

function write(type: Type, id: number, value: unknown, name: string): Buffer {
  try {
    let end = type.encode(value, scratch, WIRE_HEADER_BYTES);
    if (end < 0) {
      // Then it is the number of bytes missing, below zero.
      scratch = Buffer.allocUnsafe(scratch.length * 2 - end);
      end = type.encode(value, scratch, WIRE_HEADER_BYTES);
    }
    writeWireHeader(scratch, id);
    return Buffer.from(scratch.subarray(0, end));
  } catch {
    // avsc's message shows the value.
    throw new CodecError(`${name}: field ${misfit(type, value)} does not fit schemas/; nothing was written.`);
  }
}

/** Path of the first field that does not fit, such as `elements.3.bounds.x`. */
function misfit(type: Type, value: unknown): string {
  let first = '(whole)';
  type.isValid(value, {
    errorHook: (path: string[]) => {
      if (first === '(whole)') first = path.join('.');
    },
  });
  return first;
}
