/** Seals payloads as docs/sealing.md says: HPKE (RFC 9180) in base mode, by WebCrypto alone. */
import { bigEndian, concat, utf8, type Bytes, type Part } from './bytes.ts';

/** What a seal is bound to: it opens nowhere else. */
export interface SealedAs {
  readonly session: string;
  readonly sequence: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly grantedAt: number;
}

/** Makes the body of a sealed batch: key id, HPKE's `enc`, ciphertext with its tag. */
export type Seal = (as: SealedAs, payload: Bytes) => Promise<Bytes>;

/** A grant that names another is refused. */
const SUITE = 'DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM';
/** After HPKE's version: KEM 0x0020, KDF 0x0001, AEAD 0x0001. */
const KEM = concat(utf8('HPKE-v1KEM'), [0, 32]);
const HPKE = concat(utf8('HPKE-v1HPKE'), [0, 32, 0, 1, 0, 1]);

/**
 * @throws when it is another suite or the key is none; and where WebCrypto has no X25519 (before Chrome 133, Firefox 130, Safari
 *   17) or the context is not secure.
 */
export async function createSeal({
  keyId,
  publicKey,
  suite,
}: {
  readonly keyId: string;
  readonly publicKey: string;
  readonly suite: string;
}): Promise<Seal> {
  const { subtle } = crypto;
  const key = Uint8Array.from(atob(publicKey), (char) => char.charCodeAt(0));
  const id = (keyId.match(/../gu) ?? []).map((hex) => parseInt(hex, 16));
  if (suite !== SUITE) throw new RangeError();
  const importKey = (raw: Bytes, as: string | HmacImportParams, ...uses: KeyUsage[]): Promise<CryptoKey> =>
    subtle.importKey('raw', raw, as, false, uses);
  const recipient = await importKey(key, 'X25519');

  async function hmac(secret: Bytes, ...parts: readonly Part[]): Promise<Bytes> {
    const imported = await importKey(secret, { name: 'HMAC', hash: 'SHA-256' }, 'sign');
    return concat(await subtle.sign('HMAC', imported, concat(...parts)));
  }
  /** Without salt: zeros of a hash's length are the same to HMAC. */
  const extract = (suiteId: Bytes, label: string, input: Part, salt = new Uint8Array(32)): Promise<Bytes> =>
    hmac(salt, suiteId, utf8(label), input);
  /** Of HKDF-Expand the first block: nothing here is longer than a hash. */
  const expand = async (suiteId: Bytes, secret: Bytes, label: string, info: Bytes, length = 32): Promise<Bytes> =>
    (await hmac(secret, [0, length], suiteId, utf8(label), info, [1])).slice(0, length);

  return async ({ session, sequence, grantedAt }, payload) => {
    const name = utf8(session);
    // Length of the session's UTF-8, the session, `sequence`, `grantedAt`; big-endian, in 32, 32 and 64 bits.
    const additionalData = concat(bigEndian(name.length, 4), name, bigEndian(sequence, 4), bigEndian(grantedAt, 8));
    const pair = await subtle.generateKey('X25519', false, ['deriveBits']);
    const enc = concat(await subtle.exportKey('raw', pair.publicKey));
    const shared = await subtle.deriveBits({ name: 'X25519', public: recipient }, pair.privateKey, 256);
    const secret = await expand(KEM, await extract(KEM, 'eae_prk', shared), 'shared_secret', concat(enc, key));
    const info = await extract(HPKE, 'info_hash', utf8('redactory sealed payload 1'));
    const context = concat([0], await extract(HPKE, 'psk_id_hash', []), info);
    const schedule = await extract(HPKE, 'secret', [], secret);
    const aes = await expand(HPKE, schedule, 'key', context, 16);
    const iv = await expand(HPKE, schedule, 'base_nonce', context, 12);
    const cipher = await importKey(aes, 'AES-GCM', 'encrypt');
    const sealed = await subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, cipher, payload);
    return concat(id, enc, sealed);
  };
}
