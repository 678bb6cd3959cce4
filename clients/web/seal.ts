/** Seals payloads as docs/sealing.md says: HPKE (RFC 9180) in base mode, by WebCrypto alone. */

/** The only suite there is; a grant that names another is refused. */
export const SUITE = 'DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM';

/** What a seal is bound to: it opens nowhere else. */
export interface SealedAs {
  readonly session: string;
  readonly sequence: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly grantedAt: number;
}

export interface Sealer {
  /** The body of a sealed batch: key id, HPKE's `enc`, ciphertext with its tag. */
  seal(as: SealedAs, payload: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const ascii = (text: string): Bytes => encoder.encode(text);
const NONE = new Uint8Array(0);
const INFO = ascii('redactory sealed payload 1');
const VERSION = ascii('HPKE-v1');
/** KEM 0x0020, KDF 0x0001, AEAD 0x0001. */
const KEM = concat(ascii('KEM'), Uint8Array.of(0, 0x20));
const HPKE = concat(ascii('HPKE'), Uint8Array.of(0, 0x20, 0, 1, 0, 1));

/** Whether WebCrypto has what sealing needs: X25519 (Chrome 133, Firefox 130, Safari 17), in a secure context. */
export async function canSeal(subtle: SubtleCrypto | undefined): Promise<boolean> {
  try {
    return (await subtle?.generateKey('X25519', false, ['deriveBits'])) !== undefined;
  } catch {
    return false;
  }
}

/**
 * A sealer to an X25519 public key, in base64, that has this id.
 *
 * @throws when it is not one, or is another key's id.
 */
export async function createSealer(subtle: SubtleCrypto, publicKey: string, keyId: string): Promise<Sealer> {
  const key = Uint8Array.from(atob(publicKey), (char) => char.charCodeAt(0));
  const id = new Uint8Array(await subtle.digest('SHA-256', key), 0, 8);
  if ([...id].map((byte) => byte.toString(16).padStart(2, '0')).join('') !== keyId) throw new RangeError('key id');
  const recipient = await subtle.importKey('raw', key, 'X25519', false, []);

  async function hmac(secret: Bytes, ...parts: readonly Bytes[]): Promise<Bytes> {
    // No implementation takes an empty key; zeros are the same to HMAC.
    const raw = secret.length === 0 ? new Uint8Array(32) : secret;
    const imported = await subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    return new Uint8Array(await subtle.sign('HMAC', imported, concat(...parts)));
  }
  const extract = (suite: Bytes, salt: Bytes, label: string, input: Bytes): Promise<Bytes> =>
    hmac(salt, VERSION, suite, ascii(label), input);
  /** Of HKDF-Expand only the first block: nothing here is longer than a hash. */
  const expand = async (suite: Bytes, secret: Bytes, label: string, info: Bytes, length: number): Promise<Bytes> =>
    (await hmac(secret, Uint8Array.of(0, length), VERSION, suite, ascii(label), info, Uint8Array.of(1))).slice(
      0,
      length,
    );

  return {
    async seal(as, payload) {
      const pair = await subtle.generateKey('X25519', false, ['deriveBits']);
      const enc = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
      const shared = await subtle.deriveBits({ name: 'X25519', public: recipient }, pair.privateKey, 256);
      const prk = await extract(KEM, NONE, 'eae_prk', new Uint8Array(shared));
      const secret = await expand(KEM, prk, 'shared_secret', concat(enc, key), 32);
      const context = concat(
        Uint8Array.of(0),
        await extract(HPKE, NONE, 'psk_id_hash', NONE),
        await extract(HPKE, NONE, 'info_hash', INFO),
      );
      const schedule = await extract(HPKE, secret, 'secret', NONE);
      const aes = await expand(HPKE, schedule, 'key', context, 16);
      const iv = await expand(HPKE, schedule, 'base_nonce', context, 12);
      const cipher = await subtle.importKey('raw', aes, 'AES-GCM', false, ['encrypt']);
      const sealed = await subtle.encrypt({ name: 'AES-GCM', iv, additionalData: boundTo(as) }, cipher, payload);
      return concat(id, enc, new Uint8Array(sealed));
    },
  };
}

/** Length of the session's UTF-8, the session, `sequence`, `grantedAt`; big-endian, in 32, 32 and 64 bits. */
function boundTo({ session, sequence, grantedAt }: SealedAs): Bytes {
  const name = ascii(session);
  const numbers = new DataView(new ArrayBuffer(16));
  numbers.setUint32(0, name.length);
  numbers.setUint32(4, sequence);
  numbers.setBigInt64(8, BigInt(grantedAt));
  const all = new Uint8Array(numbers.buffer);
  return concat(all.subarray(0, 4), name, all.subarray(4));
}

export function concat(...parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
