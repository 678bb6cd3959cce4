import { createHmac } from 'node:crypto';
import { BoundedCache } from './bounded-cache.ts';
import { checkKeyLength } from './keys/key-error.ts';

/** People whose keys are remembered: enough for a site, a few megabytes. */
const MAX_CACHED = 20_000;

/**
 * The function from a person, as the company knows them, to their subject key: 64 lower-case hex digits of
 * HMAC-SHA-256(ingest key, 'subject-key' NUL subject in Unicode form NFC).
 *
 * @throws KeyError when the ingest key is not 32 bytes.
 */
export function createSubjectKeys(ingestKey: Uint8Array): (subject: string) => string {
  checkKeyLength(ingestKey, 'ingest key');
  const key = Uint8Array.from(ingestKey);
  const cache = new BoundedCache<string>(MAX_CACHED);
  const make = (subject: string): string =>
    createHmac('sha256', key).update('subject-key\0').update(subject.normalize('NFC')).digest('hex');
  return (subject) => cache.get(subject, make);
}
