import type { CaptureEnvelope } from '../events/raw.ts';
import { KeyError } from '../privacy/keyring.ts';
import { NodeHkdf } from '../privacy/sealing/node-hkdf.ts';
import { createSealer, type Sealed, type Sealer } from '../privacy/sealing/seal.ts';
import type { SealingKeyTable } from './sealing-keys.ts';

/** Seals payloads to the sealing key of the time. */
export interface RawSealer {
  /** In the order given. @throws KeyError when there is no key to seal to: then nothing may be written. */
  seal(batches: readonly Unsealed[]): Promise<readonly Sealed[]>;
}

export interface Unsealed {
  readonly envelope: CaptureEnvelope;
  readonly packed: Uint8Array;
}

/** How long a producer may go on with the key that it knows: after a rotation, the old one may be sealed to for so long. */
export const SEALING_REFRESH_MS = 30_000;

/** How many payloads are sealed side by side. */
const AT_ONCE = 32;

/** A sealer that follows rotations. */
export function createRawSealer(options: {
  readonly keys: SealingKeyTable;
  /** Monotonic, ms. */
  readonly monotonic?: () => number;
}): RawSealer {
  const { keys, monotonic = () => performance.now() } = options;
  let sealer: Sealer | undefined;
  let lookedAt = -Infinity;

  async function currentSealer(): Promise<Sealer> {
    if (sealer === undefined || monotonic() - lookedAt >= SEALING_REFRESH_MS) {
      const asked = monotonic();
      await keys.catchUp();
      lookedAt = asked;
      const key = keys.current();
      if (key === undefined) throw new KeyError(NO_KEY);
      if (key.keyId !== sealer?.keyId) sealer = await createSealer(key.publicKey, new NodeHkdf());
    }
    return sealer;
  }

  return {
    async seal(batches) {
      const sealed: Sealed[] = [];
      for (let i = 0; i < batches.length; i += AT_ONCE) {
        const to = await currentSealer();
        const some = batches.slice(i, i + AT_ONCE);
        sealed.push(...(await Promise.all(some.map(({ envelope, packed }) => to.seal(envelope, packed)))));
      }
      return sealed;
    },
  };
}

const NO_KEY =
  'there is no key yet to seal payloads to: start `redactory sanitize` once, or run `redactory keys sealing rotate`';
