/**
 * Bytes once written must be readable for ever. fixtures/ holds one file for each version of the schemas: the schemas of
 * that day, and the bytes that they made of the values in samples.ts. Add a file when a schema changes; change none.
 */
import * as fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCodec } from '../../src/events/codec.ts';
import type { Codec } from '../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import { loadContracts, schemaIds } from '../../src/events/schemas.ts';
import type { Seal } from '../../src/events/raw.ts';
import type { RecordSchema } from '../../src/events/schemas.ts';
import { loadZstd } from '../../src/events/zstd.ts';
import type { Zstd } from '../../src/events/zstd.ts';
import {
  AUDIT,
  CONSENT,
  DEVICE,
  ENVELOPE,
  ERASURE,
  KEY_ENTRY,
  OWNER,
  PAYLOAD,
  QUARANTINE,
  RELEASED,
  REQUEST,
  SEALED,
  SEALING_KEY,
} from './samples.ts';

interface Fixture {
  readonly schemas: readonly RecordSchema[];
  /**
   * Base64 of each record, by its name; CapturePayload is inside of CaptureBatch. From version 2 on there are a CaptureBatch
   * that is sealed, as `Sealed`, and a SealingKey; from version 3 on a DeviceToken; from version 4 on a PersonRequest, a
   * SessionOwner and an AuditRecord.
   */
  readonly bytes: Readonly<Record<string, string>>;
}

const FOLDER = path.join(import.meta.dirname, 'fixtures');
const fixtures = fs.readdirSync(FOLDER).map((name) => {
  const fixture: Fixture = JSON.parse(fs.readFileSync(path.join(FOLDER, name), 'utf8'));
  return { name, fixture };
});

let zstd: Zstd;
beforeAll(async () => {
  zstd = await loadZstd();
});

/** Every record with one more field, at its start, so that no byte stays where it was. */
function later(schemas: readonly RecordSchema[]): readonly RecordSchema[] {
  const added = { name: 'added', type: 'string', default: 'unset' };
  return schemas.map((schema) => ({ ...schema, fields: [added, ...schema.fields] }));
}

function codecOf(current: readonly RecordSchema[], older: readonly RecordSchema[]): Codec {
  return createCodec({ zstd, schemas: schemaIds(current, older), limits: DEFAULT_LIMITS });
}

const SAMPLES = {
  // What was written before there were seals has none.
  envelope: { ...ENVELOPE, seal: null as Seal | null },
  sealed: SEALED,
  payload: PAYLOAD,
  released: RELEASED,
  consent: CONSENT,
  keyEntry: KEY_ENTRY,
  sealingKey: SEALING_KEY,
  device: DEVICE,
  erasure: ERASURE,
  request: REQUEST,
  owner: OWNER,
  audit: AUDIT,
  quarantine: QUARANTINE,
};

function read(codec: Codec, bytes: Fixture['bytes']): typeof SAMPLES {
  const of = (record: string) => Buffer.from(bytes[record] ?? '', 'base64');
  const opened = codec.openEnvelope(of('CaptureBatch'));
  if (!opened.ok) throw new Error(opened.reason);
  const { payload: packed, ...envelope } = opened.value;
  const sealed = 'Sealed' in bytes ? codec.openEnvelope(of('Sealed')) : { ok: true as const, value: SEALED };
  if (!sealed.ok) throw new Error(sealed.reason);
  const payload = codec.openPayload(packed);
  if (!payload.ok) throw new Error(payload.reason);
  return {
    envelope,
    sealed: sealed.value,
    payload: payload.value,
    // Decoding does not mint the brand of what `release` has checked; its fields are compared.
    released: codec.decodeReleased(of('ReleasedBatch')) as typeof RELEASED,
    consent: codec.decodeConsent(of('ConsentDecision')),
    // A choice of what wraps keys came later, and is in no fixture.
    keyEntry: codec.decodeKeyEntry(of('KeyringEntry')) as typeof KEY_ENTRY,
    sealingKey: 'SealingKey' in bytes ? codec.decodeSealingKey(of('SealingKey')) : SEALING_KEY,
    device: 'DeviceToken' in bytes ? codec.decodeDevice(of('DeviceToken')) : DEVICE,
    erasure: codec.decodeErasure(of('Erasure')),
    request: 'PersonRequest' in bytes ? codec.decodeRequest(of('PersonRequest')) : REQUEST,
    owner: 'SessionOwner' in bytes ? codec.decodeOwner(of('SessionOwner')) : OWNER,
    audit: 'AuditRecord' in bytes ? codec.decodeAudit(of('AuditRecord')) : AUDIT,
    quarantine: codec.decodeQuarantine(of('QuarantineRecord')),
  };
}

describe.each(fixtures)('bytes of $name', ({ fixture }) => {
  it('decode with the schemas of today', () => {
    expect(read(codecOf(loadContracts(), fixture.schemas), fixture.bytes)).toStrictEqual(SAMPLES);
  });

  it('decode with a version to come', () => {
    expect(read(codecOf(later(loadContracts()), fixture.schemas), fixture.bytes)).toStrictEqual(SAMPLES);
  });

  it('do not decode when their schema was never registered', () => {
    const codec = codecOf(later(loadContracts()), []);
    const opened = codec.openEnvelope(Buffer.from(fixture.bytes['CaptureBatch'] ?? '', 'base64'));
    expect(opened).toStrictEqual({ ok: false, reason: 'unknown_schema' });
  });
});

it('the schemas of today have their fixture', () => {
  const kept = schemaIds(
    [],
    fixtures.flatMap(({ fixture }) => fixture.schemas),
  );
  const today = schemaIds(loadContracts());
  const missing = loadContracts().filter(({ name }) => kept.schemaOf(today.idOf(name)) === undefined);
  expect(missing.map(({ name }) => name)).toStrictEqual([]);
});
