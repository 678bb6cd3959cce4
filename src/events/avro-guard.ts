/** A walk over Avro bytes that takes no memory: every count, length and index is bounded before a decoder trusts it. */
import avro from 'avsc';
import type { Type } from 'avsc';
import type { Limits } from './limits.ts';

/** `undefined` when the bytes from `start` to their end are exactly one value within the limits. */
export type Guard = (bytes: Buffer, start: number) => 'bad_record' | 'limit_exceeded' | undefined;

/**
 * @param type the writer's schema, of any version.
 * @throws Error for a schema that nests itself, is too large, or uses a type that no contract uses: fail closed.
 */
export function compileGuard(type: Type, limits: Limits): Guard {
  const walk = compile(type, limits, limits.maxEvents, { above: [], size: { left: MAX_SCHEMA_SIZE } });
  const cursor: Cursor = { bytes: Buffer.alloc(0), at: 0 };
  return (bytes, start) => {
    cursor.bytes = bytes;
    cursor.at = start;
    try {
      walk(cursor);
      return cursor.at === bytes.length ? undefined : 'bad_record';
    } catch (error) {
      if (error instanceof Refused) return error.fault;
      throw error;
    }
  };
}

/** Types of a schema, each as often as it is used: names used twice in a row of types would double with each of them. */
const MAX_SCHEMA_SIZE = 1_024;

class Refused extends Error {
  readonly fault: 'bad_record' | 'limit_exceeded';
  constructor(fault: 'bad_record' | 'limit_exceeded') {
    super(fault);
    this.fault = fault;
  }
}

interface Cursor {
  bytes: Buffer;
  at: number;
}
type Walk = (cursor: Cursor) => void;

/** Where in the schema a type stands, and how much more of the schema there may be. */
interface Place {
  readonly above: readonly Type[];
  readonly size: { left: number };
}

function compile(type: Type, limits: Limits, maxItems: number, { above, size }: Place): Walk {
  if (above.includes(type)) throw new Error(`schema ${type.name ?? ''} nests itself`);
  if (--size.left < 0) throw new Error(`schema is larger than ${MAX_SCHEMA_SIZE} types`);
  const path = { above: [...above, type], size };
  if (type instanceof avro.types.RecordType) {
    const fields = type.fields.map((field) => compile(field.type, limits, maxItemsOf(field.name, limits), path));
    return (cursor) => {
      for (const field of fields) field(cursor);
    };
  }
  if (type instanceof avro.types.ArrayType) return arrayWalk(compile(type.itemsType, limits, 0, path), maxItems);
  if (type instanceof avro.types.UnwrappedUnionType) {
    return unionWalk(type.types.map((branch) => compile(branch, limits, maxItems, path)));
  }
  return compileSimple(type, limits);
}

function compileSimple(type: Type, limits: Limits): Walk {
  switch (type.typeName) {
    case 'null':
      return () => {};
    case 'boolean':
      return (cursor) => {
        if (byteAt(cursor) > 1) throw new Refused('bad_record');
      };
    case 'int':
      return (cursor) => {
        const value = readLong(cursor);
        if (value < -0x80000000 || value > 0x7fffffff) throw new Refused('bad_record');
      };
    case 'long':
      return (cursor) => void readLong(cursor);
    case 'bytes':
      return (cursor) => skip(cursor, limits.maxPayloadBytes);
    case 'string':
      return (cursor) => skip(cursor, limits.maxTextLength);
    default:
      throw new Error(`no contract may use Avro's ${type.typeName}`);
  }
}

function maxItemsOf(field: string, limits: Limits): number {
  switch (field) {
    case 'contexts':
      return limits.maxContexts;
    case 'elements':
      return limits.maxElements;
    case 'keys':
      return limits.maxKeys;
    case 'texts':
      return limits.maxTexts;
    default:
      return limits.maxEvents;
  }
}

/** Blocks of items, each after its count, up to a count of 0; a negative count is followed by the block's bytes. */
function arrayWalk(item: Walk, maxItems: number): Walk {
  return (cursor) => {
    let total = 0;
    for (let count = readLong(cursor); count !== 0; count = readLong(cursor)) {
      if (count < 0) {
        count = -count;
        if (readLong(cursor) < 0) throw new Refused('bad_record');
      }
      total += count;
      if (total > maxItems) throw new Refused('limit_exceeded');
      for (let i = 0; i < count; i++) item(cursor);
    }
  };
}

function unionWalk(branches: readonly Walk[]): Walk {
  return (cursor) => {
    const branch = branches[readLong(cursor)];
    if (branch === undefined) throw new Refused('bad_record');
    branch(cursor);
  };
}

function skip(cursor: Cursor, max: number): void {
  const length = readLong(cursor);
  if (length < 0 || length > cursor.bytes.length - cursor.at) throw new Refused('bad_record');
  if (length > max) throw new Refused('limit_exceeded');
  cursor.at += length;
}

function byteAt(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at];
  if (byte === undefined) throw new Refused('bad_record');
  cursor.at += 1;
  return byte;
}

/** A zigzag varint of at most 8 bytes: 56 bits, the doubles' 53 among them. */
function readLong(cursor: Cursor): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 8; i++) {
    const byte = byteAt(cursor);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) throw new Refused('bad_record');
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    scale *= 128;
  }
  throw new Refused('bad_record');
}
