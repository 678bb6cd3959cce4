/**
 * Bytes of the Kafka protocol. Numbers are big-endian; 64-bit ones are read into doubles, which hold every offset, timestamp
 * (ms) and producer id that occurs exactly.
 *
 * Source: https://kafka.apache.org/protocol#protocol_types
 */

/** A request's body, growing as it is written. */
export class Writer {
  #bytes: Buffer;
  #length = 0;

  constructor(size = 256) {
    this.#bytes = Buffer.allocUnsafe(size);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written; valid until the next write. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  int8(value: number): this {
    const at = this.#room(1);
    this.#bytes.writeInt8(value, at);
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int16(value: number): this {
    const at = this.#room(2);
    this.#bytes.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeInt32BE(value, at);
    return this;
  }

  uint32(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeUInt32BE(value, at);
    return this;
  }

  int64(value: number): this {
    const at = this.#room(8);
    const high = Math.floor(value / TWO_32);
    this.#bytes.writeInt32BE(high, at);
    this.#bytes.writeUInt32BE(value - high * TWO_32, at + 4);
    return this;
  }

  /** Zigzag, 7 bits a byte; takes -2^52 to 2^52. */
  varint(value: number): this {
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest >= 0x80) {
      this.int8Unsigned((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.int8Unsigned(rest);
  }

  uvarint(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.int8Unsigned((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.int8Unsigned(rest);
  }

  int8Unsigned(value: number): this {
    const at = this.#room(1);
    this.#bytes[at] = value;
    return this;
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const length = Buffer.byteLength(value);
    this.int16(length);
    const at = this.#room(length);
    this.#bytes.write(value, at, 'utf8');
    return this;
  }

  /** Of flexible versions. */
  compactString(value: string): this {
    const length = Buffer.byteLength(value);
    this.uvarint(length + 1);
    const at = this.#room(length);
    this.#bytes.write(value, at, 'utf8');
    return this;
  }

  raw(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** Of flexible versions. */
  compactArray<T>(items: readonly T[], write: (item: T) => void): this {
    this.uvarint(items.length + 1);
    for (const item of items) write(item);
    return this;
  }

  /** No tagged fields, of flexible versions. */
  noTags(): this {
    return this.int8Unsigned(0);
  }

  /** Writes over what was written before. */
  patchUInt32(at: number, value: number): void {
    this.#bytes.writeUInt32BE(value, at);
  }

  /** Room for so many bytes; may put the bytes elsewhere, so it is asked for before they are named. */
  #room(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#length, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, at);
      this.#bytes = grown;
    }
    return at;
  }
}

/** A response's body. Reading past its end throws a RangeError. */
export class Reader {
  readonly bytes: Buffer;
  position: number;
  readonly end: number;

  constructor(bytes: Buffer, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get left(): number {
    return this.end - this.position;
  }

  int8(): number {
    return this.bytes.readInt8(this.skip(1));
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  int16(): number {
    return this.bytes.readInt16BE(this.skip(2));
  }

  int32(): number {
    return this.bytes.readInt32BE(this.skip(4));
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.skip(4));
  }

  int64(): number {
    const at = this.skip(8);
    return this.bytes.readInt32BE(at) * TWO_32 + this.bytes.readUInt32BE(at + 4);
  }

  varint(): number {
    const zigzag = this.uvarint();
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  uvarint(): number {
    let value = 0;
    for (let factor = 1; factor < MAX_VARINT; factor *= 0x80) {
      const byte = this.bytes[this.skip(1)] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RangeError('A variable-length number does not end.');
  }

  /** null for the protocol's null. */
  string(): string | null {
    return this.#text(this.int16());
  }

  compactString(): string | null {
    return this.#text(this.uvarint() - 1);
  }

  array<T>(read: () => T): T[] {
    return this.#items(this.int32(), read);
  }

  compactArray<T>(read: () => T): T[] {
    return this.#items(this.uvarint() - 1, read);
  }

  /** Tagged fields of flexible versions; none is known here. */
  skipTags(): void {
    for (let count = this.uvarint(); count > 0; count -= 1) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }

  /** Moves on; returns where it was. */
  skip(size: number): number {
    const at = this.position;
    if (size < 0 || size > this.end - at) throw new RangeError('The bytes end too early.');
    this.position = at + size;
    return at;
  }

  #text(length: number): string | null {
    if (length < 0) return null;
    const at = this.skip(length);
    return this.bytes.toString('utf8', at, at + length);
  }

  #items<T>(count: number, read: () => T): T[] {
    // A count that no bytes stand behind ends at the first item that is not there.
    const items: T[] = [];
    for (let i = 0; i < count; i += 1) items.push(read());
    return items;
  }
}

const TWO_32 = 2 ** 32;
const MAX_VARINT = 0x80 ** 9;
