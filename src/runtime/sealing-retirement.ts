/** The end of sealing keys: never while raw that only they open may still be there, unless that is what is wanted. */
import type { Codec } from '../events/codec.ts';
import type { EventLog } from '../log/event-log.ts';
import type { KeyringTable } from '../privacy/keyring.ts';
import { appendKeyring } from './control-tables.ts';
import type { SealingKeyTable } from './sealing-keys.ts';
import { TOPICS } from './topics.ts';

/**
 * How long after a rotation a batch may still come that was sealed to the old key: producers look for a new one every
 * half-minute, what they hold back is small, and clocks of trusted machines differ by less than this.
 */
export const SEALED_LATE_MS = 3_600_000;

/** What of the raw topic only a key opens. */
export interface StillSealed {
  readonly batches: number;
  /** False: there are at most so many, by their times; who may not read raw cannot count them. */
  readonly counted: boolean;
}

/** Counts the batches by reading raw: for the embedded log, where whoever destroys keys may read it. */
export async function countSealed(
  log: EventLog,
  codec: Pick<Codec, 'openEnvelope'>,
): Promise<(keyId: string) => StillSealed> {
  const counts = new Map<string, number>();
  const begins = await log.beginOffsets(TOPICS.raw);
  for (const [partition, end] of (await log.endOffsets(TOPICS.raw)).entries()) {
    let offset = begins[partition] ?? 0;
    while (offset < end) {
      const at = { topic: TOPICS.raw, partition, offset };
      const fetched = await log.read({ ...at, maxRecords: 1_000, maxBytes: 4 << 20, waitMs: 0 });
      if (fetched.nextOffset === offset) break;
      for (const { value } of fetched.records) {
        const envelope = value === null ? undefined : codec.openEnvelope(value);
        const keyId = envelope?.ok === true ? envelope.value.seal?.keyId : undefined;
        if (keyId !== undefined) counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
      }
      offset = fetched.nextOffset;
    }
  }
  return (keyId) => ({ batches: counts.get(keyId) ?? 0, counted: true });
}

/** Bounds them by what is kept from before the key's retirement, without reading raw: for a cluster. */
export async function boundSealed(log: EventLog, retiredAt: number): Promise<StillSealed> {
  const begins = await log.beginOffsets(TOPICS.raw);
  let batches = 0;
  for (const [partition, begin] of begins.entries()) {
    const first = await log.offsetForTime({ topic: TOPICS.raw, partition }, retiredAt + SEALED_LATE_MS);
    batches += Math.max(0, first - begin);
  }
  return { batches, counted: false };
}

/**
 * Destroys a key: the public record first, then the private key. Done again after a crash, it does what was left undone.
 *
 * @returns whether there was anything left to destroy.
 */
export async function destroySealingKey(options: {
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'encodeKeyEntry' | 'encodeSealingKey'>;
  readonly keys: SealingKeyTable;
  readonly keyring: Pick<KeyringTable, 'sealing'>;
  readonly keyId: string;
  readonly now: number;
}): Promise<boolean> {
  const { log, codec, keys, keyring, keyId, now: timestamp } = options;
  const told = keys.all().find((key) => key.keyId === keyId && key.state === 'active');
  if (told !== undefined) {
    const value = codec.encodeSealingKey({ ...told, state: 'destroyed' });
    await log.append(TOPICS.sealing, [{ key: keyId, value, timestamp }]);
  }
  const entries = keyring.sealing.state(keyId) === 'missing' ? [] : keyring.sealing.destroyEntries(keyId, timestamp);
  await appendKeyring({ log, codec, now: () => timestamp }, entries);
  return told !== undefined || entries.length > 0;
}
