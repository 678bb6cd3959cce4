import type { SealedBatch } from '../../events/raw.ts';
import { additionalData, SEALING_INFO, sealingSuite } from './format.ts';
import { publicKeyOf } from './key-pair.ts';
import { NodeHkdf } from './node-hkdf.ts';

/** Opens what was sealed to one key. */
export interface SealOpener {
  /**
   * The payload, or undefined when it was not sealed to this key, as this batch's session, sequence and grant, exactly as it
   * is here. Never throws.
   */
  open(batch: SealedBatch): Promise<Uint8Array | undefined>;
}

/**
 * An opener with an X25519 private key. Only the runtime's unsealing step may make one (test/layering.test.ts).
 *
 * @throws KeyError when the key is not 32 bytes.
 */
export async function createSealOpener(privateKey: Uint8Array): Promise<SealOpener> {
  const suite = sealingSuite(new NodeHkdf());
  // The public key goes into every derivation: found once here, and not from the private one at each opening.
  const recipientKey = {
    publicKey: await suite.kem.deserializePublicKey(publicKeyOf(privateKey)),
    privateKey: await suite.kem.deserializePrivateKey(privateKey),
  };
  return {
    async open({ seal, payload, session, sequence, grantedAt }) {
      if (seal === null) return undefined;
      const params = { recipientKey, enc: seal.encapsulated, info: SEALING_INFO };
      try {
        return new Uint8Array(await suite.open(params, payload, additionalData({ session, sequence, grantedAt })));
      } catch {
        return undefined;
      }
    },
  };
}
