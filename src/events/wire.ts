/**
 * The Confluent wire format: a zero byte, the schema's id as a big-endian 32-bit integer, then Avro.
 * https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
 */

export const WIRE_HEADER_BYTES = 5;

/** Writes the header at the start of `buffer`. */
export function writeWireHeader(buffer: Buffer, schemaId: number): void {
  buffer[0] = 0;
  buffer.writeInt32BE(schemaId, 1);
}

/** The schema id, or undefined when the bytes are not in wire format. */
export function readWireHeader(buffer: Buffer): number | undefined {
  if (buffer.length < WIRE_HEADER_BYTES || buffer[0] !== 0) return undefined;
  return buffer.readInt32BE(1);
}
