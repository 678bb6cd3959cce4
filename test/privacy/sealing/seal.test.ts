import { CipherSuite, HkdfSha256 } from '@hpke/core';
import * as fc from 'fast-check';
import { createECDH } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SealedBatch } from '../../../src/events/raw.ts';
import { additionalData, sealingKeyId, sealingSuite } from '../../../src/privacy/sealing/format.ts';
import { newSealingKeyPair, publicKeyOf } from '../../../src/privacy/sealing/key-pair.ts';
import { NodeHkdf } from '../../../src/privacy/sealing/node-hkdf.ts';
import { createSealOpener } from '../../../src/privacy/sealing/open.ts';
import { createSealer } from '../../../src/privacy/sealing/seal.ts';

const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'hex'));
const asHex = (bytes: ArrayBuffer | Uint8Array): string => Buffer.from(new Uint8Array(bytes)).toString('hex');

/** RFC 9180, A.1.1: base mode of this suite. */
const VECTOR = {
  info: hex('4f6465206f6e2061204772656369616e2055726e'),
  skEm: hex('52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736'),
  pkEm: hex('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431'),
  skRm: hex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8'),
  pkRm: hex('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d'),
  pt: hex('4265617574792069732074727574682c20747275746820626561757479'),
  aad: hex('436f756e742d30'),
  ct: 'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
};

const as = { session: 's-1', sequence: 7, grantedAt: Date.UTC(2026, 0, 5) };
const payload = Uint8Array.from({ length: 300 }, (_, i) => i % 251);

async function sealedBatch(given: Partial<typeof as> = {}): Promise<{ batch: SealedBatch; privateKey: Uint8Array }> {
  const { publicKey, privateKey } = await newSealingKeyPair();
  const envelope = { ...as, ...given };
  const sealed = await (await createSealer(publicKey)).seal(envelope, payload);
  return { batch: { ...envelope, receivedAt: as.grantedAt + 1, ...sealed }, privateKey };
}

describe.each([
  ['WebCrypto', () => new HkdfSha256()],
  ['node:crypto', () => new NodeHkdf()],
])('the suite, with HKDF by %s', (_name, kdf) => {
  const suite = (): CipherSuite => sealingSuite(kdf());

  it('opens the vector of RFC 9180', async () => {
    const { kem } = suite();
    const recipientKey = {
      privateKey: await kem.deserializePrivateKey(VECTOR.skRm),
      publicKey: await kem.deserializePublicKey(VECTOR.pkRm),
    };
    const opened = await suite().open(
      { recipientKey, enc: VECTOR.pkEm, info: VECTOR.info },
      Uint8Array.from(Buffer.from(VECTOR.ct, 'hex')),
      VECTOR.aad,
    );
    expect(asHex(opened)).toBe(asHex(VECTOR.pt));
  });

  it('makes the vector of RFC 9180', async () => {
    const { kem } = suite();
    const ekm = {
      privateKey: await kem.deserializePrivateKey(VECTOR.skEm),
      publicKey: await kem.deserializePublicKey(VECTOR.pkEm),
    };
    const recipientPublicKey = await kem.deserializePublicKey(VECTOR.pkRm);
    const made = await suite().seal({ recipientPublicKey, info: VECTOR.info, ekm }, VECTOR.pt, VECTOR.aad);
    expect(asHex(made.enc)).toBe(asHex(VECTOR.pkEm));
    expect(asHex(made.ct)).toBe(VECTOR.ct);
  });
});

it('the vector’s public key is found from its private key', () => {
  expect(asHex(publicKeyOf(VECTOR.skRm))).toBe(asHex(VECTOR.pkRm));
});

it('a key id is the beginning of the public key’s SHA-256', async () => {
  // sha256sum of the 32 bytes of pkRm.
  expect(await sealingKeyId(VECTOR.pkRm)).toBe('8b228cd75ab70bad');
});

/** As docs/sealing.md shows it: what was once sealed so must open for ever. */
const KEPT = {
  privateKey: hex('0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20'),
  publicKey: '07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c',
  as: { session: 'é1', sequence: 258, grantedAt: 1_767_600_000_000 },
  keyId: 'aaa8fff703b50b22',
  encapsulated: '1c6bcc52788b182814fd77a5bd5b6a27f40dd80cf7dbaa6365316ef8c6556843',
  payload: 'd1a332b70bde92d39132582a5de16628c08d10f750db',
};

it('what was sealed by the first version opens', async () => {
  expect(asHex(publicKeyOf(KEPT.privateKey))).toBe(KEPT.publicKey);
  expect(await sealingKeyId(hex(KEPT.publicKey))).toBe(KEPT.keyId);
  const seal = { keyId: KEPT.keyId, encapsulated: hex(KEPT.encapsulated) };
  const batch = { ...KEPT.as, receivedAt: 0, payload: hex(KEPT.payload), seal };
  const opened = await (await createSealOpener(KEPT.privateKey)).open(batch);
  expect(new TextDecoder().decode(opened)).toBe('sealed');
  const page = readFileSync(new URL('../../../docs/sealing.md', import.meta.url), 'utf8');
  const { keyId, publicKey, encapsulated, payload: sealed } = KEPT;
  for (const shown of [asHex(KEPT.privateKey), keyId, publicKey, encapsulated, sealed]) expect(page).toContain(shown);
});

describe('a sealed payload', () => {
  it('opens to what it was, and shows nothing of it', async () => {
    const { batch, privateKey } = await sealedBatch();
    expect(await (await createSealOpener(privateKey)).open(batch)).toStrictEqual(payload);
    expect(batch.payload).toHaveLength(payload.length + 16);
    expect(Buffer.from(batch.payload).includes(Buffer.from(payload.subarray(0, 4)))).toBe(false);
  });

  it('is another each time', async () => {
    const { publicKey } = await newSealingKeyPair();
    const sealer = await createSealer(publicKey);
    const [one, two] = [await sealer.seal(as, payload), await sealer.seal(as, payload)];
    expect(asHex(one.payload)).not.toBe(asHex(two.payload));
    expect(asHex(one.seal.encapsulated)).not.toBe(asHex(two.seal.encapsulated));
  });

  it('does not open with another key', async () => {
    const { batch } = await sealedBatch();
    const { privateKey } = await newSealingKeyPair();
    expect(await (await createSealOpener(privateKey)).open(batch)).toBeUndefined();
  });

  it.each([
    ['session', { session: 's-2' }],
    ['sequence', { sequence: 8 }],
    ['grant', { grantedAt: as.grantedAt + 1 }],
  ])('does not open as another %s', async (_what, moved) => {
    const { batch, privateKey } = await sealedBatch();
    expect(await (await createSealOpener(privateKey)).open({ ...batch, ...moved })).toBeUndefined();
  });

  it('opens whenever it was received: that is stamped when it is sealed already', async () => {
    const { batch, privateKey } = await sealedBatch();
    const later = { ...batch, receivedAt: batch.receivedAt + 1e6 };
    expect(await (await createSealOpener(privateKey)).open(later)).toStrictEqual(payload);
  });

  it('does not open with an encapsulated key that is no point or of small order, and does not throw', async () => {
    const { batch, privateKey } = await sealedBatch();
    const opener = await createSealOpener(privateKey);
    const p256 = createECDH('prime256v1');
    for (const encapsulated of [
      new Uint8Array(32),
      hex(`01${'00'.repeat(31)}`),
      new Uint8Array(0),
      p256.generateKeys(),
    ]) {
      expect(await opener.open({ ...batch, seal: { keyId: batch.seal?.keyId ?? '', encapsulated } })).toBeUndefined();
    }
  });

  it('is refused by a key that is not 32 bytes', async () => {
    await expect(createSealer(new Uint8Array(31))).rejects.toThrow(RangeError);
    await expect(createSealOpener(new Uint8Array(31))).rejects.toThrow('must be 32 bytes');
  });
});

describe('additional data', () => {
  const place = fc.record({
    session: fc.string({ unit: 'binary' }),
    sequence: fc.nat(),
    grantedAt: fc.maxSafeNat(),
  });

  it('is as the page says', () => {
    expect(asHex(additionalData({ session: 'é1', sequence: 258, grantedAt: 1_767_600_000_000 }))).toBe(
      '00000003 c3a931 00000102 0000019b8d2b8c00'.replaceAll(' ', ''),
    );
  });

  it('differs for what differs', () => {
    fc.assert(
      fc.property(place, place, (one, other) => {
        // Lone surrogates are no text: Avro's bytes of them, and these, are those of U+FFFD.
        const wellFormed = (text: string): string => Buffer.from(text).toString();
        const same =
          wellFormed(one.session) === wellFormed(other.session) &&
          one.sequence === other.sequence &&
          one.grantedAt === other.grantedAt;
        expect(asHex(additionalData(one)) === asHex(additionalData(other))).toBe(same);
      }),
    );
  });
});
