/** What becomes of sealed batches: opened by the runtime, or in quarantine with a reason; never out, never an exception. */
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCodec, type Codec } from '../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import { loadContracts, schemaIds } from '../../src/events/schemas.ts';
import { loadZstd } from '../../src/events/zstd.ts';
import type { SealedBatch } from '../../src/events/raw.ts';
import type { Sealer } from '../../src/privacy/sealing/seal.ts';
import { createSealer } from '../../src/privacy/sealing/seal.ts';
import { newSealingKeyPair } from '../../src/privacy/sealing/key-pair.ts';
import type { RawRecord } from '../../src/processors/stages.ts';
import { createUnseal, type RawSealing, type Unseal } from '../../src/runtime/unseal.ts';
import { context, element, payloadOf, script, START } from '../helpers/recording.ts';
import { run, subjectKey, toolsWith, type Ran } from '../helpers/line.ts';
import { sealingKit, sealValue, type SealingKit } from '../helpers/sealing.ts';

const ENVELOPE = { session: 'session-1', sequence: 0, grantedAt: START, receivedAt: START + 5_000 };
const PAYLOAD = payloadOf(
  script()
    .in(context({ app: 'winword', title: 'Home' }), element({ role: 'button', name: 'Save' }))
    .focus()
    .click().events,
);
const KEY = subjectKey(PAYLOAD.subject);

let codec: Codec;
let plain: Uint8Array;
let kit: SealingKit;
let sealer: Sealer;
let sealed: Uint8Array;
beforeAll(async () => {
  codec = createCodec({ zstd: await loadZstd(), schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });
  plain = codec.encodeCapture(ENVELOPE, PAYLOAD);
  kit = sealingKit();
  sealer = await kit.addKey();
  sealed = await sealValue(codec, sealer, plain);
});

const unsealWith = (rule: RawSealing = 'required'): Unseal =>
  createUnseal({ codec, keyring: kit.keyring, sealed: rule });
const recordOf = (value: Uint8Array | null, offset = 0): RawRecord => ({ key: KEY, value, offset });

async function process(values: readonly (Uint8Array | null)[], unseal = unsealWith()): Promise<Ran> {
  return run(await unseal(values.map(recordOf)), toolsWith({ codec }));
}

async function reasonOf(value: Uint8Array | null, unseal = unsealWith()): Promise<string | null> {
  const { results, released } = await process([value], unseal);
  expect(released).toEqual([]);
  return results[0]?.kind === 'quarantine' ? results[0].reason : null;
}

function opened(value: Uint8Array): SealedBatch {
  const envelope = codec.openEnvelope(value);
  if (!envelope.ok) throw new Error(envelope.reason);
  return envelope.value;
}

const changed = (change: Partial<SealedBatch>): Uint8Array => codec.encodeEnvelope({ ...opened(sealed), ...change });

describe('a sealed batch', () => {
  it('releases what the same batch does that is not sealed', async () => {
    const { released } = await process([sealed]);
    expect(released[0]?.actions.length).toBeGreaterThan(0);
    expect(released).toEqual((await process([plain], unsealWith('accepted'))).released);
  });

  it('is 66 bytes longer, as the page says', () => {
    expect(sealed.length - plain.length).toBe(66);
  });

  it('is quarantined by the processors when the runtime has not opened it', () => {
    const { results } = run([recordOf(sealed)], toolsWith({ codec }));
    expect(results[0]).toMatchObject({ kind: 'quarantine', reason: 'unseal_failed', released: null });
  });

  it('is dropped as a duplicate when it comes again, and when it is sealed again', async () => {
    const again = await sealValue(codec, sealer, plain);
    const { results } = await process([sealed, sealed, again]);
    expect(results.map(({ kind, reason }) => reason ?? kind)).toEqual(['keep', 'duplicate', 'duplicate']);
  });

  it('stays in its place among others, whatever those are', async () => {
    const values = Array.from({ length: 100 }, (_, i) => (i % 7 === 3 ? null : i % 5 === 1 ? plain : sealed));
    const records = await unsealWith()(values.map(recordOf));
    expect(records.map(({ offset }) => offset)).toEqual(values.map((_, i) => i));
    expect(records.map(({ value }) => value)).toEqual(values);
    const what = (value: Uint8Array | null): string =>
      value === null ? 'nothing' : value === plain ? 'not_sealed' : 'opened';
    const made = records.map(({ unsealed }) =>
      unsealed === undefined ? 'nothing' : unsealed.ok ? 'opened' : unsealed.reason,
    );
    expect(made).toEqual(values.map(what));
  });
});

describe('goes to quarantine', () => {
  it('what is not sealed, where it must be; where it need not, it is processed', async () => {
    expect(await reasonOf(plain)).toBe('not_sealed');
    expect((await process([plain], unsealWith('accepted'))).released).toHaveLength(1);
  });

  it('what is sealed to a key that nobody has', async () => {
    const { publicKey } = await newSealingKeyPair();
    const stranger = await createSealer(publicKey);
    expect(await reasonOf(await sealValue(codec, stranger, plain))).toBe('unknown_sealing_key');
    // Under the id of a key that there is.
    const { payload, seal } = await stranger.seal(ENVELOPE, opened(plain).payload);
    expect(await reasonOf(changed({ payload, seal: { ...seal, keyId: sealer.keyId } }))).toBe('unseal_failed');
  });

  it('what is sealed to a destroyed key, also by an unsealer that has opened with it before', async () => {
    const own = sealingKit();
    const unseal = createUnseal({ codec, keyring: own.keyring, sealed: 'required' });
    const [old, current] = [await own.addKey(), await own.addKey()];
    const [first, second] = [await sealValue(codec, old, plain), await sealValue(codec, current, plain)];
    expect((await process([first], unseal)).released).toHaveLength(1);
    await own.destroy(old.keyId);
    expect(await reasonOf(first, unseal)).toBe('sealing_key_destroyed');
    expect((await process([second], unseal)).released).toHaveLength(1);
  });

  it('what is moved to another session, sequence or grant', async () => {
    expect(await reasonOf(changed({ session: 'session-2' }))).toBe('unseal_failed');
    expect(await reasonOf(changed({ sequence: 1 }))).toBe('unseal_failed');
    expect(await reasonOf(changed({ grantedAt: START + 1 }))).toBe('unseal_failed');
  });

  it('what is moved to another person', async () => {
    const [record] = await unsealWith()([{ ...recordOf(sealed), key: subjectKey('somebody else') }]);
    const { results } = run(record === undefined ? [] : [record], toolsWith({ codec }));
    expect(results[0]).toMatchObject({ kind: 'quarantine', reason: 'subject_mismatch' });
  });

  it('what is sealed twice', async () => {
    const twice = await sealer.seal(ENVELOPE, opened(sealed).payload);
    expect(await reasonOf(changed(twice))).toBe('bad_compression');
    const envelopeInside = await sealer.seal(ENVELOPE, sealed);
    expect(await reasonOf(changed(envelopeInside))).toBe('bad_compression');
  });

  it('what has a payload of one batch and the seal of another, both good', async () => {
    const other = opened(await sealValue(codec, sealer, plain));
    expect(await reasonOf(changed({ seal: other.seal }))).toBe('unseal_failed');
    expect(await reasonOf(changed({ payload: other.payload }))).toBe('unseal_failed');
  });

  it('what has lost its seal, or says one that it does not have', async () => {
    expect(await reasonOf(changed({ seal: null }))).toBe('not_sealed');
    expect(await reasonOf(changed({ seal: null }), unsealWith('accepted'))).toBe('bad_compression');
    const made = codec.encodeEnvelope({ ...opened(plain), seal: opened(sealed).seal });
    expect(await reasonOf(made)).toBe('unseal_failed');
    expect(await reasonOf(made, unsealWith('accepted'))).toBe('unseal_failed');
  });

  it('whatever is sealed and no capture', async () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(1), new Uint8Array(1000)]) {
      expect(await reasonOf(changed(await sealer.seal(ENVELOPE, bytes)))).toBe('bad_compression');
    }
  });
});

describe('any alteration goes to quarantine, and nothing is released', () => {
  const without = (from: number): fc.Arbitrary<number> => fc.nat().map((n) => from + n);

  it('of any field', async () => {
    const other = <T>(value: T, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> =>
      arbitrary.filter((one) => one !== value);
    const hex = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex'));
    const { payload, seal } = opened(sealed);
    if (seal === null) throw new Error('not sealed');
    const flipped = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
      fc.nat({ max: bytes.length * 8 - 1 }).map((bit) => flip(bytes, bit));
    const change: fc.Arbitrary<Partial<SealedBatch>> = fc.oneof(
      fc.record({ session: other(ENVELOPE.session, fc.string()) }),
      fc.record({ sequence: without(1).map((n) => n % 0x7fffffff || 1) }),
      fc.record({ grantedAt: other(ENVELOPE.grantedAt, fc.integer({ min: 1e12, max: 4e12 })) }),
      fc.record({
        payload: fc.oneof(
          flipped(payload),
          fc.nat({ max: payload.length - 1 }).map((n) => payload.slice(0, n)),
        ),
      }),
      fc.uint8Array({ minLength: 1, maxLength: 40 }).map((more) => ({ payload: Buffer.concat([payload, more]) })),
      fc.record({ seal: other(seal.keyId, hex).map((keyId) => ({ ...seal, keyId })) }),
      fc.record({ seal: flipped(seal.encapsulated).map((encapsulated) => ({ ...seal, encapsulated })) }),
      fc.record({
        seal: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((encapsulated) => ({ ...seal, encapsulated })),
      }),
    );
    await fc.assert(
      fc.asyncProperty(change, async (altered) => {
        const [field] = Object.keys(altered);
        const reason = await reasonOf(changed(altered));
        const keyChanged = altered.seal !== undefined && altered.seal?.keyId !== seal.keyId;
        // A grant that is later than the reception is seen before anything is opened.
        const isImpossible = (altered.grantedAt ?? 0) - ENVELOPE.receivedAt > 60_000;
        const due = isImpossible ? 'bad_envelope' : keyChanged ? 'unknown_sealing_key' : 'unseal_failed';
        expect([field, reason]).toEqual([field, due]);
      }),
      { numRuns: 500 },
    );
  });

  it('of any bit but those of the stamp of reception, which the trusted side puts on afterwards', async () => {
    const stamp = stampPlace();
    const bits = fc
      .nat({ max: sealed.length * 8 - 1 })
      .filter((bit) => !(bit >> 3 >= stamp.from && bit >> 3 < stamp.to));
    await fc.assert(
      fc.asyncProperty(bits, async (bit) => {
        expect(await reasonOf(flip(sealed, bit))).not.toBeNull();
        // Nor does it help that batches need not be sealed.
        expect(await reasonOf(flip(sealed, bit), unsealWith('accepted'))).not.toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('of its length', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: sealed.length - 1 }), fc.uint8Array({ minLength: 1 }), async (length, more) => {
        expect(await reasonOf(sealed.slice(0, length))).not.toBeNull();
        expect(await reasonOf(Buffer.concat([sealed, more]))).not.toBeNull();
      }),
      { numRuns: 100 },
    );
  });

  it('whatever the bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect(await reasonOf(bytes)).not.toBeNull();
        const header = sealed.slice(0, 5);
        expect(await reasonOf(Buffer.concat([header, bytes]))).not.toBeNull();
      }),
      { numRuns: 200 },
    );
  });
});

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** Where `receivedAt` stands in the record's bytes. */
function stampPlace(): { readonly from: number; readonly to: number } {
  const later = changed({ receivedAt: ENVELOPE.receivedAt + 1 });
  const from = sealed.findIndex((byte, i) => byte !== later[i]);
  // A varint's bytes have their first bit set but for the last; the lowest digits come first.
  const length = sealed.subarray(from).findIndex((byte) => byte < 0x80) + 1;
  return { from, to: from + length };
}
