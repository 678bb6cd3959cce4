/** Bytes of every topic's records, both ways. What anyone may have written decodes to a value or a reason, never a throw. */
import { avroRecord, CodecError } from './avro.ts';
import type { Read } from './avro.ts';
import { ColumnError, decodeEvents, encodeEvents, isTime } from './columns.ts';
import type { EventColumns } from './columns.ts';
import {
  AUDIT_STAGES,
  CONSENT_KINDS,
  DEVICE_TOKEN_ID,
  ENTRY_PURPOSES,
  ERASED_BY,
  KEY_STATES,
  REQUEST_ANSWERS,
  REQUEST_KINDS,
} from './control.ts';
import type {
  AuditRecord,
  ConsentDecision,
  DeviceToken,
  Erasure,
  KeyringEntry,
  KeyringRecord,
  PersonRequest,
  QuarantineRecord,
  SealingKey,
  SessionOwner,
} from './control.ts';
import { MAX_ID_LENGTH, type Limits } from './limits.ts';
import { QUARANTINE_REASONS } from './outcome.ts';
import type { QuarantineReason } from './outcome.ts';
import { SEAL_KEY_BYTES, SEAL_KEY_ID } from './raw.ts';
import type { CaptureEnvelope, CapturePayload, Context, Seal, SealedBatch, UiElement } from './raw.ts';
import { ACTIONS, AMOUNTS, CELLS, DIRECTIONS, PAUSES, RELEASED_BUTTONS } from './released.ts';
import type { ReleasedAction, ReleasedBatch, ReleasedFields } from './released.ts';
import type { SchemaIds } from './schemas.ts';
import { ZstdError } from './zstd.ts';
import type { Zstd } from './zstd.ts';

export { CodecError } from './avro.ts';

/** What decoding made of bytes that anyone may have written: a value, or the reason for quarantine. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: QuarantineReason };

export interface Codec {
  /** The whole record value, not sealed. @throws CodecError when the batch breaks a limit or an index is out of its table. */
  encodeCapture(envelope: CaptureEnvelope, payload: CapturePayload): Uint8Array;
  /** What is sealed, or goes into an envelope as it is. @throws CodecError as {@link Codec.encodeCapture}. */
  packPayload(payload: CapturePayload): Uint8Array;
  /** The record value around a payload that is packed, and sealed or not. @throws CodecError as above. */
  encodeEnvelope(batch: SealedBatch): Uint8Array;
  /** Never throws, but for what {@link SchemaIds.schemaOf} throws: then nothing was found out about the bytes. */
  openEnvelope(value: Uint8Array): Decoded<SealedBatch>;
  /** As {@link Codec.openEnvelope}. */
  openPayload(payload: Uint8Array): Decoded<CapturePayload>;
  /** @throws CodecError; so do all below, both ways. */
  encodeReleased(batch: ReleasedBatch): Uint8Array;
  decodeReleased(value: Uint8Array): ReleasedFields;
  encodeConsent(decision: ConsentDecision): Uint8Array;
  decodeConsent(value: Uint8Array): ConsentDecision;
  encodeKeyEntry(entry: KeyringRecord): Uint8Array;
  decodeKeyEntry(value: Uint8Array): KeyringRecord;
  encodeSealingKey(key: SealingKey): Uint8Array;
  decodeSealingKey(value: Uint8Array): SealingKey;
  encodeDevice(device: DeviceToken): Uint8Array;
  decodeDevice(value: Uint8Array): DeviceToken;
  encodeErasure(erasure: Erasure): Uint8Array;
  decodeErasure(value: Uint8Array): Erasure;
  encodeRequest(request: PersonRequest): Uint8Array;
  decodeRequest(value: Uint8Array): PersonRequest;
  encodeOwner(owner: SessionOwner): Uint8Array;
  decodeOwner(value: Uint8Array): SessionOwner;
  encodeAudit(record: AuditRecord): Uint8Array;
  decodeAudit(value: Uint8Array): AuditRecord;
  encodeQuarantine(record: QuarantineRecord): Uint8Array;
  decodeQuarantine(value: Uint8Array): QuarantineRecord;
}

/** @throws CodecError or SchemaRegistryError when a schema is missing. */
export function createCodec(options: { zstd: Zstd; schemas: SchemaIds; limits: Limits }): Codec {
  const { schemas, limits } = options;
  const consent = checkedRecord<ConsentDecision>('ConsentDecision', schemas, limits, toConsent);
  const keyEntry = keyringRecords(schemas, limits);
  const sealingKey = checkedRecord<SealingKey>('SealingKey', schemas, limits, toSealingKey);
  const device = checkedRecord<DeviceToken>('DeviceToken', schemas, limits, toDevice);
  const erasure = checkedRecord<Erasure>('Erasure', schemas, limits, toErasure);
  const request = checkedRecord<PersonRequest>('PersonRequest', schemas, limits, toRequest);
  const owner = checkedRecord<SessionOwner>('SessionOwner', schemas, limits, toOwner);
  const audit = checkedRecord<AuditRecord>('AuditRecord', schemas, limits, toAudit);
  const quarantined = checkedRecord<QuarantineRecord>('QuarantineRecord', schemas, limits, toQuarantine);
  const released = checkedRecord<ReleasedFields>('ReleasedBatch', schemas, limits, toReleased);
  return {
    ...captureCodec(options),
    encodeReleased: released.encode,
    decodeReleased: released.decode,
    encodeConsent: consent.encode,
    decodeConsent: consent.decode,
    encodeKeyEntry: keyEntry.encode,
    decodeKeyEntry: keyEntry.decode,
    encodeSealingKey: sealingKey.encode,
    decodeSealingKey: sealingKey.decode,
    encodeDevice: device.encode,
    decodeDevice: device.decode,
    encodeErasure: erasure.encode,
    decodeErasure: erasure.decode,
    encodeRequest: request.encode,
    decodeRequest: request.decode,
    encodeOwner: owner.encode,
    decodeOwner: owner.decode,
    encodeAudit: audit.encode,
    decodeAudit: audit.decode,
    encodeQuarantine: quarantined.encode,
    decodeQuarantine: quarantined.decode,
  };
}

// --- the raw topic ---

/** A payload as schemas/capture-payload.avsc has it. */
interface PayloadRecord extends EventColumns {
  readonly subject: string;
  readonly device: string;
  readonly contexts: readonly Context[];
  readonly elements: readonly UiElement[];
}

interface EnvelopeRecord extends CaptureEnvelope {
  readonly payload: Buffer;
  readonly seal: { readonly keyId: string; readonly encapsulated: Buffer } | null;
}

function captureCodec(options: {
  zstd: Zstd;
  schemas: SchemaIds;
  limits: Limits;
}): Pick<Codec, 'encodeCapture' | 'packPayload' | 'encodeEnvelope' | 'openEnvelope' | 'openPayload'> {
  const { zstd, schemas, limits } = options;
  const envelopes = avroRecord<EnvelopeRecord>('CaptureBatch', schemas, limits);
  const payloads = avroRecord<PayloadRecord>('CapturePayload', schemas, limits);

  function packPayload(payload: CapturePayload): Uint8Array {
    const body = payloads.encode(toPayloadRecord(payload, limits));
    if (body.byteLength > limits.maxPayloadBytes) throw new CodecError('CapturePayload: over maxPayloadBytes.');
    return zstd.compress(body);
  }

  function encodeEnvelope({ session, sequence, grantedAt, receivedAt, payload, seal }: SealedBatch): Uint8Array {
    const envelope = { session, sequence, grantedAt, receivedAt };
    if (!isEnvelope(envelope)) throw new CodecError('CaptureBatch: its sequence or a stamp is out of range.');
    if (seal !== null && !isSeal(seal)) throw new CodecError('CaptureBatch: its seal is not one.');
    const value = envelopes.encode({
      ...envelope,
      payload: asBufferCopy(payload),
      seal: seal === null ? null : { keyId: seal.keyId, encapsulated: asBufferCopy(seal.encapsulated) },
    });
    if (value.byteLength > limits.maxRecordBytes) throw new CodecError('CaptureBatch: over maxRecordBytes.');
    return value;
  }

  return {
    encodeCapture: (envelope, payload) => encodeEnvelope({ ...envelope, payload: packPayload(payload), seal: null }),
    packPayload,
    encodeEnvelope,

    openEnvelope(value) {
      if (value.byteLength > limits.maxRecordBytes) return failed('oversized');
      const read = envelopes.decode(value);
      if (!read.ok) return failed(read.fault === 'bad_record' ? 'bad_envelope' : read.fault);
      const { session, sequence, grantedAt, receivedAt, payload, seal } = read.value;
      if (session.length > MAX_ID_LENGTH) return failed('limit_exceeded');
      if (!isEnvelope(read.value) || (seal !== null && !isSeal(seal))) return failed('bad_envelope');
      const plain = seal === null ? null : { keyId: seal.keyId, encapsulated: seal.encapsulated };
      return { ok: true, value: { session, sequence, grantedAt, receivedAt, payload, seal: plain } };
    },

    openPayload(payload) {
      let body: Uint8Array;
      try {
        body = zstd.decompress(payload, limits.maxPayloadBytes);
      } catch (error) {
        return failed(error instanceof ZstdError && error.tooLarge ? 'limit_exceeded' : 'bad_compression');
      }
      const read = payloads.decode(body);
      // Inside of the payload there is no wire format to find fault with: it is the payload that is bad.
      if (!read.ok) return failed(isOwnFault(read.fault) ? 'bad_payload' : read.fault);
      return fromPayloadRecord(read.value, limits);
    },
  };
}

function isOwnFault(fault: 'bad_wire_format' | 'unknown_schema' | 'bad_record' | 'limit_exceeded') {
  return fault === 'bad_record' || fault === 'bad_wire_format';
}

function failed(reason: QuarantineReason): { readonly ok: false; readonly reason: QuarantineReason } {
  return { ok: false, reason };
}

function isEnvelope({ sequence, grantedAt, receivedAt }: CaptureEnvelope): boolean {
  return Number.isInteger(sequence) && sequence >= 0 && isTime(grantedAt) && isTime(receivedAt);
}

function isSeal({ keyId, encapsulated }: Seal): boolean {
  return SEAL_KEY_ID.test(keyId) && encapsulated.byteLength === SEAL_KEY_BYTES;
}

function toPayloadRecord(payload: CapturePayload, limits: Limits): PayloadRecord {
  const { subject, device, contexts, elements, events } = payload;
  try {
    const columns = encodeEvents(events, { contexts: contexts.length, elements: elements.length }, limits);
    return { subject, device, contexts, elements, ...columns };
  } catch (error) {
    if (error instanceof ColumnError) throw new CodecError(`CapturePayload: ${error.message}.`);
    throw error;
  }
}

function fromPayloadRecord(record: PayloadRecord, limits: Limits): Decoded<CapturePayload> {
  const { subject, device } = record;
  if (subject.length > MAX_ID_LENGTH || device.length > MAX_ID_LENGTH) return failed('limit_exceeded');
  try {
    const contexts = record.contexts.map((context) => plainContext(context));
    const elements = record.elements.map((element) => plainElement(element));
    const events = decodeEvents(record, { contexts: contexts.length, elements: elements.length }, limits);
    return { ok: true, value: { subject, device, contexts, elements, events } };
  } catch (error) {
    return failed(error instanceof ColumnError && error.overLimit ? 'limit_exceeded' : 'bad_payload');
  }
}

// avsc makes instances of classes of its own; what flows on is plain.
function plainContext({ app, title, url, private: isPrivate }: Context): Context {
  return { app, title, url, private: isPrivate };
}

function plainElement({ role, name, value, secure, bounds }: UiElement): UiElement {
  return {
    role,
    name,
    value,
    secure,
    bounds: bounds === null ? null : { x: bounds.x, y: bounds.y, width: bounds.width, height: bounds.height },
  };
}

/** avsc takes Buffers only. */
function asBufferCopy(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// --- records of our own topics ---

/** A decoded record whose strings have not been compared with their closed sets yet. */
type Loose<T> = {
  readonly [K in keyof T]: T[K] extends string ? string : T[K] extends string | null ? string | null : T[K];
};

interface CheckedRecord<T> {
  readonly encode: (value: Loose<T>) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T;
}

/** Checks both ways: what this version writes it also reads. */
function checkedRecord<T>(
  name: string,
  schemas: SchemaIds,
  limits: Limits,
  check: (record: Loose<T>) => T & Loose<T>,
): CheckedRecord<T> {
  const avro = avroRecord<Loose<T>>(name, schemas, limits);
  return {
    encode: (value) => avro.encode(check(value)),
    decode: (bytes) => check(valueOf(avro.decode(bytes), name)),
  };
}

function valueOf<T>(read: Read<T>, name: string): T {
  if (read.ok) return read.value;
  throw new CodecError(`${name}: the record does not decode (${read.fault}).`);
}

function toConsent(record: Loose<ConsentDecision>): ConsentDecision {
  const { subjectKey, decisionId, kind, decidedAt, until } = record;
  return { subjectKey, decisionId, kind: oneOf(CONSENT_KINDS, kind, 'ConsentDecision.kind'), decidedAt, until };
}

/** A keyring record as schemas/keyring-entry.avsc has it. */
interface KeyringFields {
  readonly purpose: string;
  readonly epoch: string;
  readonly keyId: string;
  readonly createdAt: number;
  readonly state: string;
  readonly wrapped: Buffer | null;
  readonly masterKeyId: string;
  readonly since: number | null;
}

/** The purpose of records that choose what wraps keys. */
const WRAPPING = 'wrapping';

function keyringRecords(
  schemas: SchemaIds,
  limits: Limits,
): { readonly encode: (value: KeyringRecord) => Uint8Array; readonly decode: (bytes: Uint8Array) => KeyringRecord } {
  const avro = avroRecord<KeyringFields>('KeyringEntry', schemas, limits);
  return {
    encode: (value) => avro.encode(fromKeyringRecord(value)),
    decode: (bytes) => toKeyringRecord(valueOf(avro.decode(bytes), 'KeyringEntry')),
  };
}

function fromKeyringRecord(record: KeyringRecord): KeyringFields {
  if (record.state === 'chosen') {
    const { state, masterKeyId, chosenAt, choiceId } = record;
    const unused = { purpose: WRAPPING, epoch: '', wrapped: null, since: null };
    return { ...unused, keyId: choiceId, createdAt: chosenAt, state, masterKeyId };
  }
  const { wrapped, ...rest } = toKeyEntry(record);
  return { ...rest, wrapped: wrapped === null ? null : asBufferCopy(wrapped) };
}

function toKeyringRecord(record: KeyringFields): KeyringRecord {
  const { purpose, keyId, createdAt, state, masterKeyId } = record;
  if (purpose !== WRAPPING) return toKeyEntry(record);
  if (state !== 'chosen') throw new CodecError('KeyringEntry.state is not one of the known ones.');
  return { state, masterKeyId, chosenAt: createdAt, choiceId: keyId };
}

function toKeyEntry(record: Loose<KeyringEntry>): KeyringEntry {
  const { purpose, epoch, keyId, createdAt, state, wrapped, masterKeyId, since } = record;
  return {
    purpose: oneOf(ENTRY_PURPOSES, purpose, 'KeyringEntry.purpose'),
    epoch,
    keyId,
    createdAt,
    state: oneOf(KEY_STATES, state, 'KeyringEntry.state'),
    wrapped: wrapped === null ? null : asBufferCopy(wrapped),
    masterKeyId,
    since,
  };
}

function toSealingKey({ keyId, publicKey, createdAt, state }: Loose<SealingKey>): SealingKey {
  if (!SEAL_KEY_ID.test(keyId) || publicKey.byteLength !== SEAL_KEY_BYTES) {
    throw new CodecError('SealingKey: its id or its public key is not one.');
  }
  return { keyId, publicKey: asBufferCopy(publicKey), createdAt, state: oneOf(KEY_STATES, state, 'SealingKey.state') };
}

function toDevice(record: Loose<DeviceToken>): DeviceToken {
  const { tokenId, subjectKey, device, hash, issuedAt, expiresAt, revokedAt } = record;
  if (!DEVICE_TOKEN_ID.test(tokenId) || hash.byteLength !== 32) {
    throw new CodecError('DeviceToken: its id or its hash is not one.');
  }
  return { tokenId, subjectKey, device, hash: asBufferCopy(hash), issuedAt, expiresAt, revokedAt };
}

function toErasure(record: Loose<Erasure>): Erasure {
  const { subjectKey, requestedAt, erasureId, by, doneAt, rows, sessions } = record;
  return { subjectKey, requestedAt, erasureId, by: oneOf(ERASED_BY, by, 'Erasure.by'), doneAt, rows, sessions };
}

function toRequest(record: Loose<PersonRequest>): PersonRequest {
  const { subjectKey, requestId, kind, reason, askedAt, answer, answeredAt, comment } = record;
  return {
    subjectKey,
    requestId,
    kind: oneOf(REQUEST_KINDS, kind, 'PersonRequest.kind'),
    reason,
    askedAt,
    answer: answer === null ? null : oneOf(REQUEST_ANSWERS, answer, 'PersonRequest.answer'),
    answeredAt,
    comment,
  };
}

function toOwner({ epoch, closed }: Loose<SessionOwner>): SessionOwner {
  return { epoch, closed: asBufferCopy(closed) };
}

function toAudit(record: Loose<AuditRecord>): AuditRecord {
  const { sequence, previous, at, run, who, what, stage, why, about, hash } = record;
  const known = oneOf(AUDIT_STAGES, stage, 'AuditRecord.stage');
  return { sequence, previous, at, run, who, what, stage: known, why, about, hash };
}

function toQuarantine(record: Loose<QuarantineRecord>): QuarantineRecord {
  const { topic, partition, offset, reason, bytes, quarantinedAt } = record;
  const known = oneOf(QUARANTINE_REASONS, reason, 'QuarantineRecord.reason');
  return { topic, partition, offset, reason: known, bytes, quarantinedAt };
}

function toReleased(record: Loose<ReleasedFields>): ReleasedFields {
  const { session, subject, day, policy, schema } = record;
  return { session, subject, day, policy, schema, actions: record.actions.map((action) => toAction(action)) };
}

function toAction(action: Loose<ReleasedAction>): ReleasedAction {
  const { step, app, window, url, target_role, target, key } = action;
  return {
    step,
    action: oneOf(ACTIONS, action.action, 'ReleasedAction.action'),
    app,
    window,
    url,
    target_role,
    target,
    key,
    button: oneOfOrNull(RELEASED_BUTTONS, action.button, 'ReleasedAction.button'),
    direction: oneOfOrNull(DIRECTIONS, action.direction, 'ReleasedAction.direction'),
    cell: oneOfOrNull(CELLS, action.cell, 'ReleasedAction.cell'),
    pause: oneOfOrNull(PAUSES, action.pause, 'ReleasedAction.pause'),
    length: oneOfOrNull(AMOUNTS, action.length, 'ReleasedAction.length'),
    count: oneOfOrNull(AMOUNTS, action.count, 'ReleasedAction.count'),
  };
}

function oneOf<T extends string>(choices: readonly T[], value: string, field: string): T {
  for (const choice of choices) if (choice === value) return choice;
  throw new CodecError(`${field} is not one of the known ones.`);
}

function oneOfOrNull<T extends string>(choices: readonly T[], value: string | null, field: string): T | null {
  return value === null ? null : oneOf(choices, value, field);
}
