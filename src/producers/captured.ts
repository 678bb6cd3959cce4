import type { CaptureEnvelope, CapturePayload } from '../events/raw.ts';

/** One message of the raw topic before it is encoded: what every producer makes. */
export interface Captured {
  /** The subject key: HMAC of the subject id under the ingest key; the record's key. */
  readonly key: string;
  readonly envelope: CaptureEnvelope;
  readonly payload: CapturePayload;
}
