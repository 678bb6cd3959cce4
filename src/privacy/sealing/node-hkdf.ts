import { HkdfSha256 } from '@hpke/core';
import { createHmac } from 'node:crypto';

type Bytes = ArrayBufferLike | ArrayBufferView;

/**
 * HKDF-SHA-256 (RFC 5869) for HPKE by `node:crypto`. What WebCrypto does here is a microsecond's work that costs tens on the
 * way to its threads and back, several times a payload: this halves the cost of opening one. The labels are the library's.
 */
export class NodeHkdf extends HkdfSha256 {
  override async extract(salt: Bytes, ikm: Bytes): Promise<ArrayBuffer> {
    return hmac(salt.byteLength === 0 ? NO_SALT : viewOf(salt), viewOf(ikm));
  }

  override async expand(prk: Bytes, info: Bytes, length: number): Promise<ArrayBuffer> {
    if (length > HASH_BYTES) throw new RangeError(`HPKE with SHA-256 derives at most ${HASH_BYTES} bytes`);
    return hmac(viewOf(prk), viewOf(info), FIRST_BLOCK).slice(0, length);
  }

  override async extractAndExpand(salt: Bytes, ikm: Bytes, info: Bytes, length: number): Promise<ArrayBuffer> {
    return this.expand(await this.extract(salt, ikm), info, length);
  }
}

const HASH_BYTES = 32;
const NO_SALT = new Uint8Array(HASH_BYTES);
const FIRST_BLOCK = Uint8Array.of(1);

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): ArrayBuffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  // A copy: the digest may lie in a pool that holds other things too.
  return Uint8Array.from(mac.digest()).buffer;
}

function viewOf(bytes: Bytes): Uint8Array {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}
