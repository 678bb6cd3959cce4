/**
 * Kafka's default partitioner for keyed records, so that a key lands on the same partition whichever adapter writes it.
 *
 * Source: org.apache.kafka.common.utils.Utils.murmur2 and toPositive, org.apache.kafka.clients.producer.internals.BuiltInPartitioner.
 */

/** The partition (0..partitions-1) of a record key: positive murmur2 of the key's UTF-8 bytes, modulo `partitions`. */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitions;
}

/** Murmur2 as Kafka has it (seed 0x9747b28c); a signed 32-bit number. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  const words = length >>> 2;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  let hash = SEED ^ length;
  for (let word = 0; word < words; word += 1) {
    let k = Math.imul(view.getInt32(word * 4, true), M);
    k = Math.imul(k ^ (k >>> R), M);
    hash = Math.imul(hash, M) ^ k;
  }
  const rest = length & 3;
  if (rest > 0) {
    for (let i = rest - 1; i >= 0; i -= 1) hash ^= view.getUint8(words * 4 + i) << (8 * i);
    hash = Math.imul(hash, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;
