/**
 * Records that say whose a session of the table is, so that a person can be shown what was kept and have it erased. Only
 * who holds the epoch's session key can open one; when that key is destroyed, nobody can.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import * as z from 'zod';
import { DROP_REASONS } from '../events/outcome.ts';

const count = z.int().min(0);

const content = z.strictObject({
  subjectKey: z.string().min(1).max(128),
  /** UTC day of the session's grant, days since 1970-01-01. */
  day: z.int(),
  /** When the session was granted, ms. Records of versions before have only the day. */
  grantedAt: z.int().optional(),
  /** Rows of the table. */
  rows: count,
  /** Raw events behind them. */
  events: count,
  /** Raw events that were dropped, by reason. */
  dropped: z.partialRecord(z.enum(DROP_REASONS), count),
});
export type OwnerContent = z.output<typeof content>;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Lengths tell nothing finer: the text is filled up to a multiple of it. */
const BLOCK = 128;

/**
 * AES-256-GCM under the epoch's owner key, bound to the record's key. The nonce is a keyed digest of all that is closed, so
 * that the same content gives the same bytes, and no nonce serves two contents.
 */
export function closeOwner(key: Uint8Array, recordKey: string, owner: OwnerContent): Uint8Array {
  const text = JSON.stringify(owner);
  const plain = Buffer.from(text.padEnd(Math.ceil(text.length / BLOCK) * BLOCK));
  const nonce = createHmac('sha256', key)
    .update(`nonce\0${recordKey}\0`)
    .update(plain)
    .digest()
    .subarray(0, NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(recordKey));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined when it does not open under this key and for this record, or does not hold what it should. */
export function openOwner(key: Uint8Array, recordKey: string, closed: Uint8Array): OwnerContent | undefined {
  if (closed.length <= NONCE_BYTES + TAG_BYTES) return undefined;
  const cipher = createDecipheriv('aes-256-gcm', key, closed.subarray(0, NONCE_BYTES));
  cipher.setAAD(Buffer.from(recordKey));
  cipher.setAuthTag(closed.subarray(closed.length - TAG_BYTES));
  try {
    const body = closed.subarray(NONCE_BYTES, closed.length - TAG_BYTES);
    const text = Buffer.concat([cipher.update(body), cipher.final()]).toString('utf8');
    return content.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
