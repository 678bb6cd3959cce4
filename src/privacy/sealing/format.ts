/**
 * What both sides of a sealed payload must agree on, as docs/sealing.md tells it. Browser-safe: a recorder seals with this.
 */
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import type { CaptureEnvelope } from '../../events/raw.ts';

/** What a seal is bound to, besides the key: a payload opens nowhere else. `receivedAt` is stamped when it is sealed already. */
export type SealedAs = Pick<CaptureEnvelope, 'session' | 'sequence' | 'grantedAt'>;

const utf8 = new TextEncoder();

/** HPKE's `info`: tells these seals from any others that are ever made to the same key. */
export const SEALING_INFO = utf8.encode('redactory sealed payload 1');

/**
 * HPKE (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-128-GCM: 0x0020, 0x0001, 0x0001.
 *
 * @param kdf another implementation of the same function; by default WebCrypto's.
 */
export function sealingSuite(kdf: HkdfSha256 = new HkdfSha256()): CipherSuite {
  return new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf, aead: new Aes128Gcm() });
}

/**
 * HPKE's additional data: length of the session's UTF-8 (32 bits), the session, `sequence` (32 bits) and `grantedAt` (ms, 64
 * bits), all big-endian. No two envelopes that differ in one of them have the same.
 */
export function additionalData({ session, sequence, grantedAt }: SealedAs): Uint8Array<ArrayBuffer> {
  const name = utf8.encode(session);
  const bytes = new Uint8Array(4 + name.length + 4 + 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, name.length);
  bytes.set(name, 4);
  view.setUint32(4 + name.length, sequence);
  view.setBigInt64(8 + name.length, BigInt(grantedAt));
  return bytes;
}

/** First 16 hex digits of the SHA-256 of a public key: an id that cannot be given to another key. */
export async function sealingKeyId(publicKey: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(publicKey));
  return [...new Uint8Array(digest, 0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
