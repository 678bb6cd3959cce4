import { createHmac, randomBytes as systemRandomBytes } from 'node:crypto';
import { KEY_PURPOSES, type KeyPurpose, type KeyringEntry } from '../events/control.ts';
import { BoundedCache } from './bounded-cache.ts';
import { KEY_BYTES, KeyError } from './keys/key-error.ts';
import { createWrapper, type Wrapper } from './keys/wrap.ts';

export { epochOf } from './epoch.ts';
export { KeyError } from './keys/key-error.ts';

/** What a processor may do with keys. */
export interface Keyring {
  /**
   * 32 lower-case hex digits: HMAC-SHA-256 under the key of purpose and epoch, cut to 128 bits; undefined when that key is
   * missing or destroyed.
   *
   * @throws KeyError when the key is there but was not opened: call `openKeys` first.
   */
  pseudonym(purpose: KeyPurpose, epoch: string, value: string): string | undefined;
  state(purpose: KeyPurpose, epoch: string): 'active' | 'destroyed' | 'missing';
  entries(): readonly KeyListing[];
}

/** One key, without its bytes. */
export interface KeyListing {
  readonly purpose: KeyPurpose;
  readonly epoch: string;
  readonly keyId: string;
  readonly state: 'active' | 'destroyed';
  /** ms since the epoch. */
  readonly createdAt: number;
  /** Which master key wrapped it. */
  readonly masterKeyId: string;
  /** The key in use for its purpose and epoch: of several active ones, the first on the topic. */
  readonly current: boolean;
}

export interface KeyringOptions {
  /** 32 bytes; wraps new entries and opens old ones. */
  readonly masterKey: Uint8Array;
  /** Further master keys that only open: during a rotation. */
  readonly alsoOpens?: readonly Uint8Array[];
  readonly randomBytes?: (size: number) => Uint8Array;
  /** Pseudonyms remembered per purpose and epoch. */
  readonly maxCached?: number;
}

/** Records to append to the keyring topic, in one transaction. */
export interface KeyringChange {
  readonly entries: readonly KeyringEntry[];
  /** Record keys to append with a null value, before the entries. */
  readonly tombstones: readonly string[];
}

/**
 * The keyring as a table over the `keyring` topic, and the maker of new entries for it. Keys are in memory only.
 *
 * - Of several keys made for one purpose and epoch, the one with the lowest offset is used, so that two workers that made
 *   one at the same moment agree. A worker appends, reads the topic up to its own entry, and only then uses the key.
 * - Within an epoch a key is never replaced: that would split sessions. What rotates is the master key ({@link rewrap}).
 * - An epoch with any destroyed entry is destroyed for good, whatever follows.
 */
export interface KeyringTable extends Keyring {
  readonly masterKeyId: string;
  /** Takes in one record of the topic; in any order, any number of times. */
  apply(entry: KeyringEntry, offset: number): void;
  /**
   * Opens the keys that {@link apply} brought. Call it whenever the table has caught up, before processing; it does nothing
   * when nothing is new. Opening waits until then because a later record may have wrapped a key again or destroyed it.
   *
   * @throws KeyError when a key in use does not open with the master keys: the worker must not start.
   */
  openKeys(): void;
  /**
   * A new random key, to append when the state is `missing`.
   *
   * @throws KeyError when the epoch has a key already, or is destroyed.
   */
  newEntry(purpose: KeyPurpose, epoch: string, now: number): KeyringEntry;
  /**
   * What to append so that no key of the epoch is left, for all purposes; empty when it is destroyed already. A purpose
   * without a key gets a destroyed entry too, so that none can be made later.
   *
   * @throws KeyError when nothing is known of the epoch.
   */
  destroyEntries(epoch: string, now: number): KeyringEntry[];
  /**
   * What to append so that only this table's master key opens the keys in use: pseudonyms stay what they are. Keys that
   * were made at the same moment as the one in use, and never used, are removed. Restart other workers afterwards.
   *
   * @throws KeyError when a key in use does not open.
   */
  rewrap(): KeyringChange;
}

/** The key of an entry's record on the keyring topic. */
export function keyringRecordKey(entry: Pick<KeyringEntry, 'purpose' | 'epoch' | 'keyId'>): string {
  return `${entry.purpose}/${entry.epoch}/${entry.keyId}`;
}

/**
 * An empty keyring.
 *
 * @throws KeyError when a master key is not 32 bytes.
 */
export function createKeyring(options: KeyringOptions): KeyringTable {
  const randomBytes = options.randomBytes ?? systemRandomBytes;
  const maxCached = options.maxCached ?? DEFAULT_MAX_CACHED;
  const own = createWrapper(options.masterKey, randomBytes);
  const wrappers = [own, ...(options.alsoOpens ?? []).map((key) => createWrapper(key, randomBytes))];
  const slots = new Map<string, Slot>();
  const unopened = new Set<Slot>();

  const slotOf = (purpose: KeyPurpose, epoch: string): Slot | undefined => slots.get(slotName(purpose, epoch));

  function openKeys(): void {
    for (const slot of unopened) {
      const current = currentOf(slot);
      if (current !== undefined && current.plain === undefined) current.plain = openEntry(current.entry, wrappers);
      slot.pseudonyms = new BoundedCache(maxCached);
      unopened.delete(slot);
    }
  }

  return {
    masterKeyId: own.masterKeyId,
    pseudonym(purpose, epoch, value) {
      const slot = slotOf(purpose, epoch);
      const current = slot === undefined ? undefined : currentOf(slot);
      if (slot === undefined || current === undefined) return undefined;
      const { plain } = current;
      if (plain === undefined)
        throw new KeyError(`the ${purpose} key of ${epoch} is not open: open keys after catching up`);
      return slot.pseudonyms.get(value, () => pseudonymUnder(plain, purpose, value));
    },
    state(purpose, epoch) {
      const slot = slotOf(purpose, epoch);
      if (slot === undefined) return 'missing';
      return slot.destroyed ? 'destroyed' : 'active';
    },
    entries: () => [...slots.values()].flatMap(listingsOf).sort(byEpochThenPurpose),
    apply(entry, offset) {
      const name = slotName(entry.purpose, entry.epoch);
      let slot = slots.get(name);
      if (slot === undefined) {
        slot = { destroyed: false, keys: new Map(), pseudonyms: new BoundedCache(maxCached) };
        slots.set(name, slot);
      }
      place(slot, entry, offset);
      unopened.add(slot);
    },
    openKeys,
    newEntry(purpose, epoch, now) {
      checkEpoch(epoch);
      const slot = slotOf(purpose, epoch);
      if (slot?.destroyed) throw new KeyError(`the ${purpose} key of ${epoch} was destroyed: none can follow it`);
      if (slot !== undefined) throw new KeyError(`there is a ${purpose} key of ${epoch} already: use that one`);
      const name = { purpose, epoch, keyId: hex(randomBytes(KEY_ID_BYTES)) };
      const key = randomBytes(KEY_BYTES);
      const wrapped = own.wrap(key, name);
      key.fill(0);
      return { ...name, createdAt: now, state: 'active', wrapped, masterKeyId: own.masterKeyId };
    },
    destroyEntries(epoch, now) {
      checkEpoch(epoch);
      const known = KEY_PURPOSES.map((purpose) => slotOf(purpose, epoch));
      if (known.every((slot) => slot === undefined)) {
        throw new KeyError(`there is no key of ${epoch}: list the epochs with \`redactory keys list\``);
      }
      return KEY_PURPOSES.flatMap((purpose, i) => {
        const slot = known[i];
        if (slot !== undefined) return activeKeys(slot).map(({ entry }) => destroyed(entry));
        const keyId = hex(randomBytes(KEY_ID_BYTES));
        return [destroyed({ purpose, epoch, keyId, createdAt: now, masterKeyId: own.masterKeyId })];
      });
    },
    rewrap() {
      openKeys();
      const entries: KeyringEntry[] = [];
      const tombstones: string[] = [];
      for (const slot of slots.values()) {
        const current = currentOf(slot);
        for (const { entry, plain } of slot.destroyed ? [] : activeKeys(slot)) {
          if (entry !== current?.entry || plain === undefined) tombstones.push(keyringRecordKey(entry));
          else if (entry.masterKeyId !== own.masterKeyId) {
            entries.push({ ...entry, wrapped: own.wrap(plain, entry), masterKeyId: own.masterKeyId });
          }
        }
      }
      return { entries, tombstones };
    },
  };
}

const DEFAULT_MAX_CACHED = 20_000;
const KEY_ID_BYTES = 8;

/** All that is known of one purpose and epoch. */
interface Slot {
  destroyed: boolean;
  readonly keys: Map<string, Known>;
  pseudonyms: BoundedCache<string>;
}

interface Known {
  /** The latest record of this key. */
  entry: KeyringEntry;
  latestOffset: number;
  /** Where the key was first seen: who came first stays first when it is wrapped again. */
  firstOffset: number;
  plain: Uint8Array | undefined;
}

function place(slot: Slot, entry: KeyringEntry, offset: number): void {
  const known = slot.keys.get(entry.keyId);
  if (known === undefined) {
    slot.keys.set(entry.keyId, { entry, latestOffset: offset, firstOffset: offset, plain: undefined });
  } else {
    known.firstOffset = Math.min(known.firstOffset, offset);
    // Destroyed outranks any offset: records may be seen again, and a destroyed key must not come back.
    const replaces = entry.state === 'destroyed' || (offset >= known.latestOffset && known.entry.state === 'active');
    if (replaces) [known.entry, known.latestOffset] = [entry, offset];
  }
  if (entry.state === 'destroyed') destroySlot(slot);
}

function destroySlot(slot: Slot): void {
  slot.destroyed = true;
  slot.pseudonyms = new BoundedCache(1);
  for (const known of slot.keys.values()) {
    known.plain?.fill(0);
    known.plain = undefined;
  }
}

function currentOf(slot: Slot): Known | undefined {
  if (slot.destroyed) return undefined;
  let first: Known | undefined;
  for (const known of slot.keys.values()) {
    if (first === undefined || known.firstOffset < first.firstOffset) first = known;
  }
  return first;
}

const activeKeys = (slot: Slot): Known[] => [...slot.keys.values()].filter(({ entry }) => entry.state === 'active');

function openEntry(entry: KeyringEntry, wrappers: readonly Wrapper[]): Uint8Array {
  for (const wrapper of entry.wrapped === null ? [] : wrappers) {
    const key = entry.wrapped === null ? undefined : wrapper.unwrap(entry.wrapped, entry);
    if (key !== undefined) return key;
  }
  const ids = wrappers.map(({ masterKeyId }) => masterKeyId).join(', ');
  const which = `the ${entry.purpose} key of ${entry.epoch} (${entry.keyId})`;
  throw new KeyError(
    wrappers.some(({ masterKeyId }) => masterKeyId === entry.masterKeyId)
      ? `${which} is damaged: it does not open with the master key that wrapped it (id ${entry.masterKeyId}); restore the keyring`
      : `${which} does not open with this master key (id ${ids}), it was wrapped by ${entry.masterKeyId}: ` +
          'give that master key, or the data folder that belongs to this one',
  );
}

function pseudonymUnder(key: Uint8Array, purpose: KeyPurpose, value: string): string {
  const mac = createHmac('sha256', key).update(`pseudonym\0${purpose}\0`).update(value.normalize('NFC'));
  return mac.digest('hex').slice(0, 32);
}

function destroyed(key: Omit<KeyringEntry, 'state' | 'wrapped'>): KeyringEntry {
  return { ...key, state: 'destroyed', wrapped: null };
}

function listingsOf(slot: Slot): KeyListing[] {
  const current = currentOf(slot);
  return [...slot.keys.values()].map((known) => {
    const { purpose, epoch, keyId, state, createdAt, masterKeyId } = known.entry;
    return { purpose, epoch, keyId, state, createdAt, masterKeyId, current: known === current };
  });
}

function byEpochThenPurpose(a: KeyListing, b: KeyListing): number {
  const [one, other] = [a, b].map(({ epoch, purpose, keyId }) => `${epoch}/${purpose}/${keyId}`);
  return one === other ? 0 : (one ?? '') < (other ?? '') ? -1 : 1;
}

function checkEpoch(epoch: string): void {
  if (!/^\d{4}-(?:0[1-9]|1[0-2])$/u.test(epoch)) throw new KeyError('an epoch is a month such as 2025-03');
}

const slotName = (purpose: KeyPurpose, epoch: string): string => `${purpose}/${epoch}`;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
