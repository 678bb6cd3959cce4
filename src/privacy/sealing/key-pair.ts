import { createPrivateKey, createPublicKey, randomBytes as systemRandomBytes } from 'node:crypto';
import { KEY_BYTES, checkKeyLength } from '../keys/key-error.ts';
import { sealingKeyId } from './format.ts';

export interface SealingKeyPair {
  readonly keyId: string;
  /** X25519 (RFC 7748), 32 bytes; so is the other. */
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** A new pair; any 32 random bytes are a private key of X25519. */
export async function newSealingKeyPair(
  randomBytes: (size: number) => Uint8Array = systemRandomBytes,
): Promise<SealingKeyPair> {
  const privateKey = Uint8Array.from(randomBytes(KEY_BYTES));
  const publicKey = publicKeyOf(privateKey);
  return { keyId: await sealingKeyId(publicKey), publicKey, privateKey };
}

/** @throws KeyError when the private key is not 32 bytes. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  checkKeyLength(privateKey, 'private sealing key');
  const key = Buffer.concat([PKCS8_X25519, privateKey]);
  const spki = createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' })).export({
    format: 'der',
    type: 'spki',
  });
  key.fill(0);
  // The key is the last field (RFC 8410).
  return Uint8Array.from(spki.subarray(-KEY_BYTES));
}

/** What stands before the 32 bytes of an X25519 private key in PKCS #8 (RFC 8410). */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');
