import type { HkdfSha256 } from '@hpke/core';
import { SEAL_KEY_BYTES, type Seal } from '../../events/raw.ts';
import { additionalData, SEALING_INFO, sealingKeyId, sealingSuite, type SealedAs } from './format.ts';

export interface Sealed {
  readonly payload: Uint8Array;
  readonly seal: Seal;
}

/** Closes payloads so that only who has the private key of `keyId` can open them: whoever seals cannot. */
export interface Sealer {
  readonly keyId: string;
  /** Bound to `as`; randomised, so that no two seals are alike. */
  seal(as: SealedAs, payload: Uint8Array): Promise<Sealed>;
}

/**
 * A sealer to an X25519 public key (32 bytes).
 *
 * @throws RangeError when it is not one.
 */
export async function createSealer(publicKey: Uint8Array, kdf?: HkdfSha256): Promise<Sealer> {
  if (publicKey.length !== SEAL_KEY_BYTES) throw new RangeError(`a sealing key has ${SEAL_KEY_BYTES} bytes`);
  const suite = sealingSuite(kdf);
  const keyId = await sealingKeyId(publicKey);
  const recipientPublicKey = await suite.kem.deserializePublicKey(publicKey);
  return {
    keyId,
    async seal(as, payload) {
      const { ct, enc } = await suite.seal({ recipientPublicKey, info: SEALING_INFO }, payload, additionalData(as));
      return { payload: new Uint8Array(ct), seal: { keyId, encapsulated: new Uint8Array(enc) } };
    },
  };
}
