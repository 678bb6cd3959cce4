import type { ConsentDecision, Erasure, KeyringEntry, QuarantineRecord } from './control.ts';
import type { Limits } from './limits.ts';
import type { QuarantineReason } from './outcome.ts';
import type { CaptureEnvelope, CapturePayload, SealedBatch } from './raw.ts';
import type { ReleasedBatch, ReleasedFields } from './released.ts';
import type { SchemaIds } from './schemas.ts';
import type { Zstd } from './zstd.ts';

/** What decoding made of bytes that anyone may have written: a value, or the reason for quarantine. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: QuarantineReason };

/** A record of one of our own topics does not decode, or a value does not fit its schema; the message never holds it. */
export class CodecError extends Error {
  override name = 'CodecError';
}

/** Bytes of every topic's records, both ways. */
export interface Codec {
  /** The whole record value. @throws CodecError when the batch breaks a limit or an index is out of its table. */
  encodeCapture(envelope: CaptureEnvelope, payload: CapturePayload): Uint8Array;
  /** Never throws. */
  openEnvelope(value: Uint8Array): Decoded<SealedBatch>;
  /** Never throws. */
  openPayload(payload: Uint8Array): Decoded<CapturePayload>;
  encodeReleased(batch: ReleasedBatch): Uint8Array;
  /** @throws CodecError; so do all below. */
  decodeReleased(value: Uint8Array): ReleasedFields;
  encodeConsent(decision: ConsentDecision): Uint8Array;
  decodeConsent(value: Uint8Array): ConsentDecision;
  encodeKeyEntry(entry: KeyringEntry): Uint8Array;
  decodeKeyEntry(value: Uint8Array): KeyringEntry;
  encodeErasure(erasure: Erasure): Uint8Array;
  decodeErasure(value: Uint8Array): Erasure;
  encodeQuarantine(record: QuarantineRecord): Uint8Array;
  decodeQuarantine(value: Uint8Array): QuarantineRecord;
}

export function createCodec(_options: { zstd: Zstd; schemas: SchemaIds; limits: Limits }): Codec {
  throw new CodecError('not built yet');
}
