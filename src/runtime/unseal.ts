import type { Codec, Decoded } from '../events/codec.ts';
import type { QuarantineReason } from '../events/outcome.ts';
import type { SealedBatch } from '../events/raw.ts';
import type { KeyringTable } from '../privacy/keyring.ts';
import { createSealOpener, type SealOpener } from '../privacy/sealing/open.ts';
import type { RawRecord } from '../processors/stages.ts';

/** Whether raw batches must be sealed: where it is `required`, others go to quarantine. */
export type RawSealing = 'required' | 'accepted';

/**
 * Makes raw records ready for `openBatch`, in their order: each sealed payload is opened, or has the reason why it goes to
 * quarantine. Call it after the keyring has caught up with what was its end after the fetch: then a key that is not there
 * never was, since a private key is on the keyring before its public key is told to any producer.
 *
 * @throws KeyError, and what {@link Codec.openEnvelope} throws; nothing that a record holds makes it throw.
 */
export type Unseal = <R extends RawRecord>(records: readonly R[]) => Promise<readonly R[]>;

/** How many payloads are opened side by side. */
const AT_ONCE = 32;

/** The one place where sealed payloads are opened; workers, replays and whoever else reads raw share it. */
export function createUnseal(tools: {
  readonly codec: Pick<Codec, 'openEnvelope'>;
  readonly keyring: Pick<KeyringTable, 'sealing'>;
  readonly sealed: RawSealing;
}): Unseal {
  const openers = new Map<string, Promise<SealOpener>>();

  async function openerOf(keyId: string): Promise<SealOpener | 'missing' | 'destroyed'> {
    const { sealing } = tools.keyring;
    const privateKey = sealing.privateKey(keyId);
    if (privateKey === undefined) {
      // A key that was destroyed meanwhile opens nothing any more.
      openers.delete(keyId);
      return sealing.state(keyId) === 'destroyed' ? 'destroyed' : 'missing';
    }
    const opener = openers.get(keyId) ?? createSealOpener(privateKey);
    openers.set(keyId, opener);
    return await opener;
  }

  async function unsealed(batch: SealedBatch): Promise<Unsealed | undefined> {
    if (batch.seal === null) return tools.sealed === 'required' ? refused('not_sealed') : undefined;
    const opener = await openerOf(batch.seal.keyId);
    if (opener === 'missing') return refused('unknown_sealing_key');
    if (opener === 'destroyed') return refused('sealing_key_destroyed');
    const value = await opener.open(batch);
    return value === undefined ? refused('unseal_failed') : { ok: true, value };
  }

  async function unsealOne<R extends RawRecord>(record: R): Promise<R> {
    const envelope = record.value === null ? undefined : tools.codec.openEnvelope(record.value);
    // What has no envelope is refused by `openBatch`, with the reason.
    const payload = envelope?.ok === true ? await unsealed(envelope.value) : undefined;
    return payload === undefined ? record : { ...record, unsealed: payload };
  }

  return async (records) => {
    const ready: (typeof records)[number][] = [];
    for (let i = 0; i < records.length; i += AT_ONCE) {
      ready.push(...(await Promise.all(records.slice(i, i + AT_ONCE).map(unsealOne))));
    }
    return ready;
  };
}

type Unsealed = Decoded<Uint8Array>;

function refused(reason: QuarantineReason): Unsealed {
  return { ok: false, reason };
}
