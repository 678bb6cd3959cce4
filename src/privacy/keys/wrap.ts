import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { KEY_BYTES, KeyError, checkKeyLength } from './key-error.ts';

/** What an entry is bound to: it opens only as the key that it was made to be. */
export interface KeyName {
  readonly purpose: string;
  readonly epoch: string;
  readonly keyId: string;
}

/** A master key that wraps and opens keys. */
export interface Wrapper {
  /** 8 hex digits that tell master keys apart and nothing about their bytes. */
  readonly masterKeyId: string;
  /** @throws KeyError when the key is empty or longer than {@link MAX_WRAPPED_KEY_BYTES}. */
  wrap(key: Uint8Array, name: KeyName): Uint8Array;
  /** The key, or undefined when this master key did not wrap it under this name, or it is damaged. */
  unwrap(wrapped: Uint8Array, name: KeyName): Uint8Array | undefined;
}

const FORMAT = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const AROUND_BYTES = 1 + IV_BYTES + TAG_BYTES;
/** The largest key that is wrapped: private keys of any kind that this project has fit. */
export const MAX_WRAPPED_KEY_BYTES = 4_096;

/**
 * AES-256-GCM (NIST SP 800-38D) under a key derived from the master key by HKDF (RFC 5869), so that the master key serves
 * nothing else. A wrapped key is: format byte 1, IV (12 bytes), ciphertext (as long as the key), tag (16); its name is authenticated.
 *
 * @throws KeyError when the master key is not 32 bytes.
 */
export function createWrapper(masterKey: Uint8Array, randomBytes: (size: number) => Uint8Array): Wrapper {
  checkKeyLength(masterKey, 'master key');
  const wrappingKey = new Uint8Array(hkdfSync('sha256', masterKey, '', 'redactory keyring wrap 1', KEY_BYTES));
  return {
    masterKeyId: createHmac('sha256', masterKey).update('redactory master key id').digest('hex').slice(0, 8),
    wrap(key, name) {
      if (key.length === 0 || key.length > MAX_WRAPPED_KEY_BYTES) {
        throw new KeyError(`a key to wrap has 1 to ${MAX_WRAPPED_KEY_BYTES} bytes, this one has ${key.length}`);
      }
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', wrappingKey, iv, { authTagLength: TAG_BYTES }).setAAD(bound(name));
      const sealed = cipher.update(key);
      cipher.final();
      return Uint8Array.from([FORMAT, ...iv, ...sealed, ...cipher.getAuthTag()]);
    },
    unwrap(wrapped, name) {
      const keyBytes = wrapped.length - AROUND_BYTES;
      if (keyBytes < 1 || keyBytes > MAX_WRAPPED_KEY_BYTES || wrapped[0] !== FORMAT) return undefined;
      const iv = wrapped.subarray(1, 1 + IV_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', wrappingKey, iv, { authTagLength: TAG_BYTES });
      decipher.setAAD(bound(name)).setAuthTag(wrapped.subarray(-TAG_BYTES));
      const key = decipher.update(wrapped.subarray(1 + IV_BYTES, -TAG_BYTES));
      try {
        decipher.final();
      } catch {
        key.fill(0);
        return undefined;
      }
      const copy = Uint8Array.from(key);
      key.fill(0);
      return copy;
    },
  };
}

function bound({ purpose, epoch, keyId }: KeyName): Buffer {
  return Buffer.from(JSON.stringify(['redactory keyring entry', purpose, epoch, keyId]));
}
