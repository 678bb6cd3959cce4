/**
 * CRC-32C (Castagnoli), the checksum of record batches; node:zlib's crc32 has another polynomial. Eight bytes a step by eight
 * tables.
 *
 * Source: RFC 3720, appendix B.4; Kounavis and Berry, A Systematic Approach to Building High Performance Software-based CRC
 * Generators (2005).
 */
export function crc32c(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fast = bytes.length - (bytes.length % 8);
  let crc = -1;
  let at = 0;
  for (; at < fast; at += 8) {
    const low = crc ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    crc =
      t(7, low & 0xff) ^
      t(6, (low >>> 8) & 0xff) ^
      t(5, (low >>> 16) & 0xff) ^
      t(4, low >>> 24) ^
      t(3, high & 0xff) ^
      t(2, (high >>> 8) & 0xff) ^
      t(1, (high >>> 16) & 0xff) ^
      t(0, high >>> 24);
  }
  for (; at < bytes.length; at += 1) crc = t(0, (crc ^ view.getUint8(at)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

const POLYNOMIAL = 0x82f63b78;
const TABLES = makeTables();

function t(table: number, byte: number): number {
  return TABLES[table * 256 + byte] ?? 0;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i += 1) {
    const before = tables[i - 256] ?? 0;
    tables[i] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
  }
  return tables;
}
