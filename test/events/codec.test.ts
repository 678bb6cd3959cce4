import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCodec, CodecError } from '../../src/events/codec.ts';
import type { Codec } from '../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import type { Limits } from '../../src/events/limits.ts';
import type { CapturePayload, RawEvent } from '../../src/events/raw.ts';
import { loadContracts, schemaIds } from '../../src/events/schemas.ts';
import { loadZstd } from '../../src/events/zstd.ts';
import type { Zstd } from '../../src/events/zstd.ts';
import { envelope, FUZZ_CASES, payload } from './arbitraries.ts';
import {
  AUDIT,
  CONSENT,
  ENVELOPE,
  ERASURE,
  KEY_ENTRY,
  OWNER,
  PAYLOAD,
  QUARANTINE,
  RELEASED,
  REQUEST,
} from './samples.ts';

const schemas = schemaIds(loadContracts());
let zstd: Zstd;
let codec: Codec;
beforeAll(async () => {
  zstd = await loadZstd('wasm');
  codec = codecWith({});
});

function codecWith(limits: Partial<Limits>): Codec {
  return createCodec({ zstd, schemas, limits: { ...DEFAULT_LIMITS, ...limits } });
}

function sealed(value: Uint8Array) {
  const opened = codec.openEnvelope(value);
  if (!opened.ok) throw new Error(opened.reason);
  return opened.value;
}

describe('captures', () => {
  it('come back as they went in, of every kind', () => {
    const batch = sealed(codec.encodeCapture(ENVELOPE, PAYLOAD));
    const { payload: packed, ...outside } = batch;
    expect(outside).toStrictEqual({ ...ENVELOPE, seal: null });
    expect(codec.openPayload(packed)).toStrictEqual({ ok: true, value: PAYLOAD });
  });

  it('come back as they went in, whatever they hold', () => {
    fc.assert(
      fc.property(envelope, payload, (outside, inside) => {
        const batch = sealed(codec.encodeCapture(outside, inside));
        expect({ ...batch, payload: null }).toStrictEqual({ ...outside, payload: null, seal: null });
        expect(codec.openPayload(batch.payload)).toStrictEqual({ ok: true, value: inside });
      }),
      { numRuns: Math.min(FUZZ_CASES, 1_000) },
    );
  });

  it('do not depend on what was encoded before', () => {
    const empty = { ...PAYLOAD, events: [] };
    const first = codec.encodeCapture(ENVELOPE, empty);
    codec.encodeCapture(ENVELOPE, PAYLOAD);
    expect(codec.encodeCapture(ENVELOPE, empty)).toStrictEqual(first);
    expect(codec.openPayload(sealed(first).payload)).toStrictEqual({ ok: true, value: empty });
  });

  it('keep repeated keys and texts once', () => {
    const at = { at: ENVELOPE.receivedAt, context: -1, element: -1 };
    const press = (key: string, code: string): RawEvent => ({ kind: 'key_down', ...at, key, code });
    // Pairs whose parts run together to the same characters.
    const events = [press('1a', ''), press('a', '1'), press('', '1a'), press('1:', '1'), press('1a', '')];
    const packed = sealed(codec.encodeCapture(ENVELOPE, { ...PAYLOAD, events })).payload;
    const opened = codec.openPayload(packed);
    expect(opened).toStrictEqual({ ok: true, value: { ...PAYLOAD, events } });
    const many = Array.from({ length: 5_000 }, () => press('x'.repeat(50), 'KeyX'));
    expect(codec.encodeCapture(ENVELOPE, { ...PAYLOAD, events: many }).byteLength).toBeLessThan(600);
  });
});

describe('what may not be encoded', () => {
  const at = { at: ENVELOPE.receivedAt, context: 0, element: 0 };
  const secret = 'hunter2-correct-horse';
  const cases: readonly (readonly [string, RawEvent])[] = [
    ['a context outside of the table', { kind: 'focus', ...at, context: 2 }],
    ['an element outside of the table', { kind: 'focus', ...at, element: -2 }],
    ['a time that is none', { kind: 'composition', ...at, at: Number.NaN, text: secret }],
    ['a time before 1990', { kind: 'focus', ...at, at: 631_151_999_999 }],
    ['a time after 2199', { kind: 'focus', ...at, at: 7_258_118_400_000 }],
    ['part of a pixel', { kind: 'pointer_move', ...at, x: 0.5, y: 0 }],
    ['more than 32 bits of a pixel', { kind: 'pointer_move', ...at, x: 0, y: 2 ** 31 }],
    ['part of a notch', { kind: 'wheel', ...at, dx: 0, dy: 0.5 }],
    ['an unknown kind with the code of a known one', { kind: 'unknown', ...at, code: 11 }],
    ['an unknown kind over a byte', { kind: 'unknown', ...at, code: 256 }],
  ];
  it.each(cases)('%s', (_name, event) => {
    expect(() => codec.encodeCapture(ENVELOPE, { ...PAYLOAD, events: [event] })).toThrow(CodecError);
  });

  it('an envelope with a negative sequence or an absurd stamp', () => {
    for (const wrong of [
      { sequence: -1 },
      { sequence: 0.5 },
      { grantedAt: 5 },
      { receivedAt: Number.MAX_SAFE_INTEGER },
    ]) {
      expect(() => codec.encodeCapture({ ...ENVELOPE, ...wrong }, PAYLOAD)).toThrow(CodecError);
    }
  });

  it('a field of the wrong type; the error names the field and shows no value', () => {
    const contexts = [{ app: 'Excel', title: secret, url: secret, private: secret }];
    // What a JavaScript caller could pass.
    const wrong = { ...PAYLOAD, contexts, events: [] } as unknown as CapturePayload;
    const attempt = () => codec.encodeCapture(ENVELOPE, wrong);
    expect(attempt).toThrow('contexts.0.private');
    expect(attempt).not.toThrow(secret);
  });

  it.each([
    ['maxEvents', { maxEvents: 14 }],
    ['maxContexts', { maxContexts: 1 }],
    ['maxElements', { maxElements: 1 }],
    ['maxKeys', { maxKeys: 1 }],
    ['maxTexts', { maxTexts: 1 }],
    ['maxTextLength', { maxTextLength: 5 }],
    ['maxPayloadBytes', { maxPayloadBytes: 100 }],
    ['maxRecordBytes', { maxRecordBytes: 100 }],
  ])('more than %s, which decoding refuses as well', (name, limits) => {
    const strict = codecWith(limits);
    expect(() => strict.encodeCapture(ENVELOPE, PAYLOAD)).toThrow(CodecError);
    const value = codec.encodeCapture(ENVELOPE, PAYLOAD);
    const opened = strict.openEnvelope(value);
    const refusal = opened.ok ? strict.openPayload(opened.value.payload) : opened;
    expect(refusal).toStrictEqual({ ok: false, reason: name === 'maxRecordBytes' ? 'oversized' : 'limit_exceeded' });
  });

  it('as much as the limits allow, it may', () => {
    const exact = codecWith({
      maxEvents: 15,
      maxContexts: 2,
      maxElements: 2,
      maxKeys: 2,
      maxTexts: 2,
      maxTextLength: 25,
    });
    const value = exact.encodeCapture(ENVELOPE, PAYLOAD);
    expect(exact.openPayload(sealed(value).payload)).toStrictEqual({ ok: true, value: PAYLOAD });
  });
});

describe('what does not open', () => {
  const value = () => Buffer.from(codec.encodeCapture(ENVELOPE, PAYLOAD));

  it('an id that is longer than any', () => {
    const [longest, longer] = ['x'.repeat(1_024), 'x'.repeat(1_025)];
    const refused = { ok: false, reason: 'limit_exceeded' };
    const ofSession = (session: string) => codec.openEnvelope(codec.encodeCapture({ ...ENVELOPE, session }, PAYLOAD));
    expect([ofSession(longest).ok, ofSession(longer)]).toEqual([true, refused]);
    for (const field of ['subject', 'device']) {
      const of = (id: string) => codec.openPayload(codec.packPayload({ ...PAYLOAD, [field]: id }));
      expect([of(longest).ok, of(longer)]).toEqual([true, refused]);
    }
  });

  it('another magic byte, or nothing', () => {
    const wrong = value();
    wrong[0] = 1;
    expect(codec.openEnvelope(wrong)).toStrictEqual({ ok: false, reason: 'bad_wire_format' });
    expect(codec.openEnvelope(new Uint8Array(0))).toStrictEqual({ ok: false, reason: 'bad_wire_format' });
    expect(codec.openEnvelope(new Uint8Array(4))).toStrictEqual({ ok: false, reason: 'bad_wire_format' });
  });

  it('an unknown schema id, or one of another record', () => {
    const wrong = value();
    wrong.writeInt32BE(1, 1);
    expect(codec.openEnvelope(wrong)).toStrictEqual({ ok: false, reason: 'unknown_schema' });
    wrong.writeInt32BE(schemas.idOf('Erasure'), 1);
    expect(codec.openEnvelope(wrong)).toStrictEqual({ ok: false, reason: 'unknown_schema' });
  });

  it('a truncated envelope, or one with something behind it', () => {
    const whole = value();
    for (let length = 5; length < whole.length; length++) {
      expect(codec.openEnvelope(whole.subarray(0, length))).toStrictEqual({ ok: false, reason: 'bad_envelope' });
    }
    expect(codec.openEnvelope(Buffer.concat([whole, Buffer.alloc(1)]))).toStrictEqual({
      ok: false,
      reason: 'bad_envelope',
    });
  });

  it('an envelope with a negative sequence or an absurd time', () => {
    const id = Buffer.alloc(5);
    id.writeInt32BE(schemas.idOf('CaptureBatch'), 1);
    const time = varint(ENVELOPE.grantedAt * 2);
    const tail = Buffer.from([2, 0, 0]);
    const good = Buffer.concat([id, Buffer.from([0, 0]), time, time, tail]);
    expect(codec.openEnvelope(good).ok).toBe(true);
    const negative = Buffer.concat([id, Buffer.from([0, 1]), time, time, tail]);
    expect(codec.openEnvelope(negative)).toStrictEqual({ ok: false, reason: 'bad_envelope' });
    const never = Buffer.concat([id, Buffer.from([0, 0]), time, varint(2), tail]);
    expect(codec.openEnvelope(never)).toStrictEqual({ ok: false, reason: 'bad_envelope' });
  });

  it('a payload that is not zstd, or not ours', () => {
    expect(codec.openPayload(Buffer.from('no'))).toStrictEqual({ ok: false, reason: 'bad_compression' });
    expect(codec.openPayload(zstd.compress(Buffer.from('no')))).toStrictEqual({ ok: false, reason: 'bad_payload' });
    const unknown = Buffer.from([0, 0, 0, 0, 1, 0, 0]);
    expect(codec.openPayload(zstd.compress(unknown))).toStrictEqual({ ok: false, reason: 'unknown_schema' });
  });

  it('a payload that claims billions of contexts, in no time', () => {
    const id = Buffer.alloc(5);
    id.writeInt32BE(schemas.idOf('CapturePayload'), 1);
    const start = Buffer.concat([id, Buffer.from([0, 0]), varint(ENVELOPE.grantedAt * 2)]);
    for (const count of [2 ** 32, 2 ** 32 - 1, 2 ** 52, 2 ** 33 + 1]) {
      const body = Buffer.concat([start, varint(count), Buffer.alloc(64)]);
      expect(codec.openPayload(zstd.compress(body))).toStrictEqual({ ok: false, reason: 'limit_exceeded' });
    }
    const length = Buffer.concat([id, varint(2 ** 33), Buffer.alloc(64)]);
    expect(codec.openPayload(zstd.compress(length))).toStrictEqual({ ok: false, reason: 'bad_payload' });
  });
});

describe('records of the other topics', () => {
  it('come back as they went in', () => {
    expect(codec.decodeReleased(codec.encodeReleased(RELEASED))).toStrictEqual(RELEASED);
    expect(codec.decodeConsent(codec.encodeConsent(CONSENT))).toStrictEqual(CONSENT);
    expect(codec.decodeConsent(codec.encodeConsent({ ...CONSENT, until: null })).until).toBeNull();
    expect(codec.decodeKeyEntry(codec.encodeKeyEntry(KEY_ENTRY))).toStrictEqual(KEY_ENTRY);
    expect(codec.decodeKeyEntry(codec.encodeKeyEntry({ ...KEY_ENTRY, wrapped: new Uint8Array([1]) }))).toEqual({
      ...KEY_ENTRY,
      wrapped: Buffer.from([1]),
    });
    const destroyed = { ...KEY_ENTRY, state: 'destroyed', wrapped: null, since: 7 } as const;
    expect(codec.decodeKeyEntry(codec.encodeKeyEntry(destroyed))).toStrictEqual(destroyed);
    const choice = { state: 'chosen', masterKeyId: 'transit/k:v2', chosenAt: 5, choiceId: 'c-1' } as const;
    expect(codec.decodeKeyEntry(codec.encodeKeyEntry(choice))).toStrictEqual(choice);
    expect(codec.decodeErasure(codec.encodeErasure(ERASURE))).toStrictEqual(ERASURE);
    const erased = { ...ERASURE, by: 'person', doneAt: 7, rows: 40, sessions: 2 } as const;
    expect(codec.decodeErasure(codec.encodeErasure(erased))).toStrictEqual(erased);
    expect(codec.decodeRequest(codec.encodeRequest(REQUEST))).toStrictEqual(REQUEST);
    expect(codec.decodeOwner(codec.encodeOwner(OWNER))).toStrictEqual(OWNER);
    expect(codec.decodeAudit(codec.encodeAudit(AUDIT))).toStrictEqual(AUDIT);
    expect(codec.decodeQuarantine(codec.encodeQuarantine(QUARANTINE))).toStrictEqual(QUARANTINE);
  });

  it('do not decode with a value outside of its set, and do not show it', () => {
    const value = Buffer.from(codec.encodeReleased(RELEASED));
    const at = value.indexOf('away');
    value.write('Ada!', at);
    expect(() => codec.decodeReleased(value)).toThrow(CodecError);
    expect(() => codec.decodeReleased(value)).not.toThrow('Ada!');
    const cell = Buffer.from(codec.encodeReleased(RELEASED));
    cell.write('top-Lina', cell.indexOf('top-left'));
    expect(() => codec.decodeReleased(cell)).toThrow('ReleasedAction.cell');
  });

  it('do not decode when damaged', () => {
    const value = codec.encodeConsent(CONSENT);
    expect(() => codec.decodeConsent(value.subarray(0, -1))).toThrow('bad_record');
    expect(() => codec.decodeConsent(Buffer.concat([value, value]))).toThrow('bad_record');
    expect(() => codec.decodeErasure(value)).toThrow('unknown_schema');
    expect(() => codec.decodeErasure(new Uint8Array(3))).toThrow('bad_wire_format');
  });
});

/** An unsigned varint of any double that is a whole number. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}
