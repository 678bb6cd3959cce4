/**
 * Changes of the keyring that an operator asks for. Each may be ended at any step and run again, beside workers that make keys
 * meanwhile: what is appended is safe without what was to follow.
 */
import type { Codec } from '../events/codec.ts';
import type { EventLog } from '../log/event-log.ts';
import { openGlobalTable } from '../log/global-table.ts';
import { createKeyring, KeyError, type KeyringTable } from '../privacy/keyring.ts';
import type { KeyWrapping } from '../privacy/keys/wrapping.ts';
import { appendKeyring } from './control-tables.ts';
import { endSegments } from './segments.ts';
import { COMPACTED_WITHIN_MS, TOPICS } from './topics.ts';

export interface KeyringAccess {
  readonly log: EventLog;
  readonly codec: Codec;
  readonly now: () => number;
}

/** The keyring, and a way to read on to the topic's end. Keys are not opened. */
export interface OpenedKeyring {
  readonly keyring: KeyringTable;
  readonly catchUp: () => Promise<void>;
}

export async function openKeyring(access: KeyringAccess, wrapping: KeyWrapping): Promise<OpenedKeyring> {
  const { log, codec } = access;
  const keyring = createKeyring({ wrapping });
  const table = await openGlobalTable({
    log,
    topic: TOPICS.keyring,
    apply: ({ key, value, offset }) =>
      value === null ? keyring.remove(key, offset) : keyring.apply(codec.decodeKeyEntry(value), offset),
  });
  return { keyring, catchUp: async () => table.caughtUpTo(await log.endOffsets(TOPICS.keyring)) };
}

/** How often keys are looked for that workers have made meanwhile. */
const ROUNDS = 20;

/**
 * Chooses what `wrapping` wraps by now, wraps all keys by it and removes them as they were wrapped before. Afterwards it alone
 * opens the keyring: what it replaces may be thrown away.
 *
 * @returns how many keys were wrapped again; those that were already are left as they are.
 * @throws KeyError when a key in use does not open, or somebody else changes what wraps; WrappingUnavailableError.
 */
export async function wrapAgain(access: KeyringAccess, wrapping: KeyWrapping): Promise<number> {
  const { keyring, catchUp } = await openKeyring(access, wrapping);
  const id = await wrapping.currentId();
  await appendKeyring(access, keyring.choose(id, access.now()));
  await catchUp();
  const wrapped = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const { entries, tombstones } = await keyring.rewrap(id);
    if (entries.length === 0 && tombstones.length === 0) return wrapped.size;
    await appendKeyring(access, entries, tombstones);
    for (const entry of entries) if (entry.state === 'active') wrapped.add(`${entry.purpose}/${entry.epoch}`);
    await catchUp();
  }
  throw new KeyError('others go on changing the keyring: stop them, and run this again');
}

/** What {@link wrapAgain} would wrap again, without doing it. */
export async function wouldWrapAgain(access: KeyringAccess, wrapping: KeyWrapping, id: string): Promise<number> {
  const { keyring } = await openKeyring(access, wrapping);
  const keys = [...keyring.entries(), ...keyring.sealing.entries()];
  return keys.filter(({ current, masterKeyIds }) => current && !masterKeyIds.includes(id)).length;
}

/** The master key as a place where it can be replaced: a key file, or a service that makes versions. */
export interface Rotation {
  /** What wraps keys from now on, and opens what wrapped them until now. Begun again after a crash, it goes on. */
  begin(): Promise<KeyWrapping>;
  /** What wrapped keys until now is gone. */
  finish(): Promise<void>;
}

/**
 * A new wrapping key for all keys; pseudonyms stay what they are. Ended at any step, the keyring opens with what there is, and
 * run again it goes on.
 *
 * @returns how many keys were wrapped again.
 * @throws as {@link wrapAgain} does, and what `rotation` throws.
 */
export async function rotateWrapping(access: KeyringAccess, rotation: Rotation): Promise<number> {
  const wrapping = await rotation.begin();
  const wrapped = await wrapAgain(access, wrapping);
  await rotation.finish();
  return wrapped;
}

/**
 * Destroys the keys of an epoch, for all purposes.
 *
 * @returns how many keys it had.
 * @throws KeyError when nothing is known of the epoch.
 */
export async function destroyEpoch(access: KeyringAccess, wrapping: KeyWrapping, epoch: string): Promise<number> {
  const { keyring, catchUp } = await openKeyring(access, wrapping);
  const keys = livingKeys(keyring, epoch);
  for (let round = 0; round < ROUNDS; round++) {
    const entries = keyring.destroyEntries(epoch, access.now());
    if (entries.length === 0) return keys;
    await appendKeyring(access, entries);
    // A worker or a rotation may have written a key of the epoch before it could know.
    await catchUp();
  }
  throw new KeyError(`others go on writing keys of ${epoch}: stop them, and run this again`);
}

export const livingKeys = (keyring: KeyringTable, epoch: string): number =>
  keyring.entries().filter((key) => key.epoch === epoch && key.state === 'active').length;

/** Removes what was overwritten from the keyring's topic: at once from the embedded log. */
export async function expelOverwritten({ log, now }: KeyringAccess): Promise<void> {
  await endSegments({ log, now }, TOPICS.keyring, COMPACTED_WITHIN_MS);
  await log.clean(now());
}
