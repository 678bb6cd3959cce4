import { createHmac, hkdfSync, randomBytes as systemRandomBytes } from 'node:crypto';
import {
  KEY_PURPOSES,
  type EntryPurpose,
  type KeyPurpose,
  type KeyringEntry,
  type KeyringRecord,
  type WrappingChoice,
} from '../events/control.ts';
import { BoundedCache } from './bounded-cache.ts';
import { KEY_BYTES, KeyError } from './keys/key-error.ts';
import type { KeyWrapping } from './keys/wrapping.ts';

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
  readonly purpose: EntryPurpose;
  readonly epoch: string;
  readonly keyId: string;
  readonly state: 'active' | 'destroyed';
  /** ms since the epoch. */
  readonly createdAt: number;
  /** What wraps it, latest first; none once it is destroyed. */
  readonly masterKeyIds: readonly string[];
  /** The key in use for its purpose and epoch: of several active ones, the first on the topic. */
  readonly current: boolean;
  /** Its epoch is destroyed, yet wrapped bytes of it are still on the topic: destroy the epoch again. */
  readonly leftover: boolean;
}

export interface KeyringOptions {
  readonly wrapping: KeyWrapping;
  readonly randomBytes?: (size: number) => Uint8Array;
  /** Pseudonyms remembered per purpose and epoch. */
  readonly maxCached?: number;
}

/** Records to append to the keyring topic, in this order: what was appended first is safe without the rest. */
export interface KeyringChange {
  readonly entries: readonly KeyringRecord[];
  /** Record keys to append with a null value, after the entries. */
  readonly tombstones: readonly string[];
}

/**
 * The keyring as a table over the `keyring` topic, and the maker of new records for it. Keys are in memory only. Whoever has
 * read the same records agrees, whatever compaction has removed since and whoever wrote at the same time:
 *
 * - Of several keys made for one purpose and epoch, the one that came first is used, so that two workers that made one at the
 *   same moment agree. A worker appends, reads the topic up to its own entry, and only then uses the key. A key that is
 *   wrapped again keeps its place (`since`).
 * - Within an epoch a key is never replaced: that would split sessions. What rotates is what wraps it ({@link rewrap}).
 * - An epoch with any destroyed entry is destroyed for good, whatever follows.
 * - Once a wrapping key is chosen, what others wrap in later records does not count: a worker that missed the rotation
 *   can't leave a key that nobody opens. It finds its key missing, and makes another.
 */
export interface KeyringTable extends Keyring {
  /**
   * 32 bytes, not a copy: what closes and opens the records that say whose a session of this epoch is. Undefined when the
   * epoch's session key is missing or destroyed: then nobody can tell any more.
   *
   * @throws KeyError when the key is there but was not opened: call `openKeys` first.
   */
  ownerKey(epoch: string): Uint8Array | undefined;
  /** For the runtime's unsealing step, and for who makes and destroys such keys; processors get a {@link Keyring}. */
  readonly sealing: SealingKeyring;
  /** Takes in one record of the topic; in any order, any number of times. */
  apply(record: KeyringRecord, offset: number): void;
  /** Takes in that the record of this key was removed. */
  remove(recordKey: string, offset: number): void;
  /**
   * Opens the keys that {@link apply} brought. Call it whenever the table has caught up, and wait for it before processing; it
   * does nothing when nothing is new. Opening waits until then because a later record may have wrapped a key again or
   * destroyed it.
   *
   * @throws KeyError when a key in use does not open: the worker must not start; WrappingUnavailableError when it may later.
   */
  openKeys(): Promise<void>;
  /**
   * A new random key, to append when the state is `missing`.
   *
   * @throws KeyError when the epoch has a key already, or is destroyed; WrappingUnavailableError.
   */
  newEntry(purpose: KeyPurpose, epoch: string, now: number): Promise<KeyringEntry>;
  /**
   * What to append so that no key of the epoch is left, for all purposes; empty when nothing is. A purpose without a key gets
   * a destroyed entry too, so that none can be made later.
   *
   * @throws KeyError when nothing is known of the epoch.
   */
  destroyEntries(epoch: string, now: number): KeyringEntry[];
  /** What to append before {@link rewrap}, so that `masterKeyId` wraps from there on; empty when it does already. */
  choose(masterKeyId: string, now: number): KeyringRecord[];
  /**
   * What to append so that only what wraps by `masterKeyId` is left: pseudonyms stay what they are. Keys that were made at the
   * same moment as the one in use, and never used, are removed; so is what was left of destroyed epochs.
   *
   * @throws KeyError when a key in use does not open, or somebody else has chosen another key meanwhile;
   * WrappingUnavailableError.
   */
  rewrap(masterKeyId: string): Promise<KeyringChange>;
}

/** Private keys that open sealed payloads, by the id of their public key. A key has an epoch of its own, which is that id. */
export interface SealingKeyring {
  state(keyId: string): 'active' | 'destroyed' | 'missing';
  /**
   * 32 bytes, not a copy; undefined when the key is missing or destroyed.
   *
   * @throws KeyError when the key is there but was not opened: call `openKeys` first.
   */
  privateKey(keyId: string): Uint8Array | undefined;
  /** What to append before the public key is told to anyone. @throws KeyError when there is such a key. */
  newEntry(key: { readonly keyId: string; readonly privateKey: Uint8Array }, now: number): Promise<KeyringEntry>;
  /** What to append so that the key is gone; empty when it is. @throws KeyError when there is no such key. */
  destroyEntries(keyId: string, now: number): KeyringEntry[];
  entries(): readonly KeyListing[];
}

/** The key of a record on the keyring topic. A key that was wrapped again has a record for each of its wrappings. */
export function keyringRecordKey(
  record: Pick<KeyringEntry, 'purpose' | 'epoch' | 'keyId' | 'masterKeyId' | 'since'> | Choice,
): string {
  if ('choiceId' in record) return `wrapping/${record.masterKeyId}/${record.choiceId}`;
  const { purpose, epoch, keyId, masterKeyId, since } = record;
  return `${purpose}/${epoch}/${keyId}${since === null ? '' : `/${masterKeyId}`}`;
}

type Choice = Pick<WrappingChoice, 'masterKeyId' | 'choiceId'>;

/** An empty keyring. */
export function createKeyring(options: KeyringOptions): KeyringTable {
  const { wrapping } = options;
  const randomBytes = options.randomBytes ?? systemRandomBytes;
  const maxCached = options.maxCached ?? DEFAULT_MAX_CACHED;
  const slots = new Map<string, Slot>();
  const unopened = new Set<Slot>();
  const choices = new Choices();

  const slotOf = (purpose: EntryPurpose, epoch: string): Slot | undefined => slots.get(slotName(purpose, epoch));

  function changed(slot: Slot): void {
    slot.found = undefined;
    unopened.add(slot);
  }

  async function openSlot(slot: Slot): Promise<void> {
    for (;;) {
      const current = currentOf(slot, choices);
      if (current === undefined || current.plain !== undefined) break;
      current.changed = false;
      const plain = await openKey(current, choices, wrapping);
      // Meanwhile it may have been destroyed, or wrapped again so that what was tried does not open any more.
      const isStill = currentOf(slot, choices) === current;
      if (plain !== undefined && isStill) {
        current.plain = plain;
        current.pseudonyms = new BoundedCache(maxCached);
      } else {
        plain?.fill(0);
        if (isStill && !current.changed) throw notOpened(current, choices, wrapping);
      }
    }
    unopened.delete(slot);
  }

  let opening: Promise<void> = Promise.resolve();
  function openKeys(): Promise<void> {
    const turn = opening.catch(() => undefined).then(openUnopened);
    opening = turn;
    return turn;
  }
  async function openUnopened(): Promise<void> {
    const waiting = [...unopened];
    for (let at = 0; at < waiting.length; at += OPENED_AT_ONCE) {
      await Promise.all(waiting.slice(at, at + OPENED_AT_ONCE).map(openSlot));
    }
  }

  function stateOf(purpose: EntryPurpose, epoch: string): 'active' | 'destroyed' | 'missing' {
    const slot = slotOf(purpose, epoch);
    if (slot?.destroyed === true) return 'destroyed';
    return slot === undefined || currentOf(slot, choices) === undefined ? 'missing' : 'active';
  }

  const listings = (): KeyListing[] =>
    [...slots.values()].flatMap((slot) => listingsOf(slot, choices)).sort(byEpochThenPurpose);

  async function wrapped(
    name: Pick<KeyringEntry, 'purpose' | 'epoch' | 'keyId'>,
    key: Uint8Array,
    now: number,
  ): Promise<KeyringEntry> {
    const wrap = await wrapping.wrap(key, name, choices.latest());
    return { ...name, createdAt: now, state: 'active', since: null, ...wrap };
  }

  /** What to append so that nothing is left of one purpose and epoch, and nothing can come. */
  function endOf(purpose: EntryPurpose, epoch: string, now: number): KeyringEntry[] {
    const slot = slotOf(purpose, epoch);
    const wraps = slot === undefined ? [] : allWrapsOf(slot).map(({ entry }) => destroyed(entry));
    if (slot?.destroyed === true) return wraps;
    // With a record key of its own: no record of a key can ever take its place.
    const keyId = hex(randomBytes(KEY_ID_BYTES));
    return [destroyed({ purpose, epoch, keyId, createdAt: now, masterKeyId: '', since: null }), ...wraps];
  }

  const sealing: SealingKeyring = {
    state: (keyId) => stateOf('sealing', keyId),
    privateKey(keyId) {
      const slot = slotOf('sealing', keyId);
      const current = slot === undefined ? undefined : currentOf(slot, choices);
      if (current !== undefined && current.plain === undefined)
        throw new KeyError(`the sealing key ${keyId} is not open: open keys after catching up`);
      return current?.plain;
    },
    async newEntry({ keyId, privateKey }, now) {
      if (slotOf('sealing', keyId) !== undefined) throw new KeyError(`there is a sealing key ${keyId} already`);
      return wrapped({ purpose: 'sealing', epoch: keyId, keyId }, privateKey, now);
    },
    destroyEntries(keyId, now) {
      if (slotOf('sealing', keyId) === undefined)
        throw new KeyError(`there is no sealing key ${keyId}: list them with \`redactory keys sealing list\``);
      return endOf('sealing', keyId, now);
    },
    entries: () => listings().filter(({ purpose }) => purpose === 'sealing'),
  };

  return {
    sealing,
    pseudonym(purpose, epoch, value) {
      const slot = slotOf(purpose, epoch);
      const current = slot === undefined ? undefined : currentOf(slot, choices);
      if (current === undefined) return undefined;
      const { plain, pseudonyms } = current;
      if (plain === undefined || pseudonyms === undefined)
        throw new KeyError(`the ${purpose} key of ${epoch} is not open: open keys after catching up`);
      return pseudonyms.get(value, () => pseudonymUnder(plain, purpose, value));
    },
    ownerKey(epoch) {
      const slot = slotOf('session', epoch);
      const current = slot === undefined ? undefined : currentOf(slot, choices);
      if (current === undefined) return undefined;
      if (current.plain === undefined)
        throw new KeyError(`the session key of ${epoch} is not open: open keys after catching up`);
      return (current.ownerKey ??= new Uint8Array(hkdfSync('sha256', current.plain, '', OWNERS, KEY_BYTES)));
    },
    state: stateOf,
    entries: () => listings().filter(({ purpose }) => purpose !== 'sealing'),
    apply(record, offset) {
      if (record.state === 'chosen') {
        choices.add(record.masterKeyId, offset);
        // If records come in another order than the topic's, another key may be the one in use now.
        for (const slot of slots.values()) changed(slot);
        return;
      }
      const name = slotName(record.purpose, record.epoch);
      const slot = slots.get(name) ?? { destroyed: false, found: undefined, keys: new Map<string, Known>() };
      slots.set(name, slot);
      place(slot, record, offset);
      changed(slot);
    },
    remove(recordKey, offset) {
      const [purpose = '', epoch = '', keyId = ''] = recordKey.split('/');
      const slot = slots.get(slotName(purpose, epoch));
      const known = slot?.keys.get(keyId);
      if (slot === undefined || known === undefined) return;
      end(known, recordKey, offset);
      known.changed = true;
      changed(slot);
    },
    openKeys,
    async newEntry(purpose, epoch, now) {
      checkEpoch(epoch);
      const slot = slotOf(purpose, epoch);
      if (slot?.destroyed === true)
        throw new KeyError(`the ${purpose} key of ${epoch} was destroyed: none can follow it`);
      if (slot !== undefined && currentOf(slot, choices) !== undefined)
        throw new KeyError(`there is a ${purpose} key of ${epoch} already: use that one`);
      const name = { purpose, epoch, keyId: hex(randomBytes(KEY_ID_BYTES)) };
      const key = randomBytes(KEY_BYTES);
      try {
        return await wrapped(name, key, now);
      } finally {
        key.fill(0);
      }
    },
    destroyEntries(epoch, now) {
      checkEpoch(epoch);
      if (KEY_PURPOSES.every((purpose) => slotOf(purpose, epoch) === undefined)) {
        throw new KeyError(`there is no key of ${epoch}: list the epochs with \`redactory keys list\``);
      }
      return KEY_PURPOSES.flatMap((purpose) => endOf(purpose, epoch, now));
    },
    choose: (masterKeyId, now) =>
      choices.latest() === masterKeyId
        ? []
        : [{ state: 'chosen', masterKeyId, chosenAt: now, choiceId: hex(randomBytes(KEY_ID_BYTES)) }],
    async rewrap(masterKeyId) {
      // Whoever chose last goes on alone: two that remove each other's records would lose keys.
      if (choices.latest() !== masterKeyId) throw new KeyError(MOVED);
      await openKeys();
      const entries: KeyringEntry[] = [];
      const tombstones: string[] = [];
      for (const slot of slots.values()) {
        const current = currentOf(slot, choices);
        // What is left of a destroyed epoch, by somebody who did not know yet.
        if (slot.destroyed) entries.push(...allWrapsOf(slot).map(({ entry }) => destroyed(entry)));
        else tombstones.push(...superfluous(slot, choices, masterKeyId).map(keyringRecordKey));
        if (current?.plain === undefined) continue;
        if (countingWraps(current, choices).some(({ entry }) => entry.masterKeyId === masterKeyId)) continue;
        const { purpose, epoch, keyId, createdAt } = current;
        const again = await wrapping.wrap(current.plain, { purpose, epoch, keyId }, masterKeyId);
        if (again.masterKeyId !== masterKeyId) throw new KeyError(MOVED);
        const since = placeOf(current, choices) ?? null;
        if (!slot.destroyed) entries.push({ purpose, epoch, keyId, createdAt, state: 'active', since, ...again });
      }
      return { entries, tombstones };
    },
  };
}

const MOVED = 'what wraps keys was changed by somebody else meanwhile: list the keys, and run this again if need be';
/** Says what a key derived from a session key is for. */
const OWNERS = 'redactory session owners 1';
const DEFAULT_MAX_CACHED = 20_000;
const KEY_ID_BYTES = 8;
/** A service is asked for so many keys at a time. */
const OPENED_AT_ONCE = 8;

/** All that is known of one purpose and epoch. */
interface Slot {
  destroyed: boolean;
  /** What was found last; undefined after any change. */
  found: { readonly current: Known | undefined } | undefined;
  readonly keys: Map<string, Known>;
}

interface Known extends Pick<KeyringEntry, 'purpose' | 'epoch' | 'keyId' | 'createdAt'> {
  /** The records that hold it wrapped, by their keys. */
  readonly wraps: Map<string, Wrap>;
  /** Up to which offset each record is overwritten, by a destroyed entry or a tombstone. */
  readonly ended: Map<string, number>;
  /** Says only that its epoch is destroyed. */
  readonly isMarker: boolean;
  plain: Uint8Array | undefined;
  pseudonyms: BoundedCache<string> | undefined;
  /** Derived from it when it is first asked for. */
  ownerKey: Uint8Array | undefined;
  /** A record of it came since it was last tried to open. */
  changed: boolean;
}

interface Wrap {
  readonly entry: KeyringEntry;
  readonly first: number;
  readonly latest: number;
}

/** What was chosen to wrap, from which offset on. */
class Choices {
  readonly #all: { readonly masterKeyId: string; readonly offset: number }[] = [];

  add(masterKeyId: string, offset: number): void {
    if (this.#all.some((choice) => choice.offset === offset)) return;
    this.#all.push({ masterKeyId, offset });
    this.#all.sort((a, b) => b.offset - a.offset);
  }

  latest(): string | undefined {
    return this.#all[0]?.masterKeyId;
  }

  /** Whether a record at `offset` may be wrapped by this. */
  allow(masterKeyId: string, offset: number): boolean {
    const choice = this.#all.find((one) => one.offset < offset);
    return choice === undefined || isSameOrLater(masterKeyId, choice.masterKeyId);
  }
}

/** Services make new versions of a key by themselves: `transit/redactory:v4` goes where `transit/redactory:v3` was chosen. */
function isSameOrLater(id: string, chosen: string): boolean {
  const [own, other] = [id, chosen].map((one) => /^(.+):v(\d{1,9})$/u.exec(one));
  if (own === null || own === undefined || other === null || other === undefined) return id === chosen;
  return own[1] === other[1] && Number(own[2]) >= Number(other[2]);
}

function place(slot: Slot, entry: KeyringEntry, offset: number): void {
  const { purpose, epoch, keyId, createdAt, state } = entry;
  const unopened = { plain: undefined, pseudonyms: undefined, ownerKey: undefined };
  const nothing = { ...unopened, changed: false, wraps: new Map(), ended: new Map() };
  const known = slot.keys.get(keyId) ?? {
    purpose,
    epoch,
    keyId,
    createdAt,
    isMarker: state === 'destroyed' && entry.masterKeyId === '',
    ...nothing,
  };
  slot.keys.set(keyId, known);
  known.changed = true;
  const recordKey = keyringRecordKey(entry);
  if (state === 'active') {
    const { first = offset, latest = offset } = known.wraps.get(recordKey) ?? {};
    known.wraps.set(recordKey, { entry, first: Math.min(first, offset), latest: Math.max(latest, offset) });
  } else {
    end(known, recordKey, offset);
    destroySlot(slot);
  }
}

function end(known: Known, recordKey: string, offset: number): void {
  known.ended.set(recordKey, Math.max(offset, known.ended.get(recordKey) ?? 0));
}

function destroySlot(slot: Slot): void {
  slot.destroyed = true;
  for (const known of slot.keys.values()) {
    known.plain?.fill(0);
    known.ownerKey?.fill(0);
    known.plain = undefined;
    known.pseudonyms = undefined;
    known.ownerKey = undefined;
  }
}

/** Records whose bytes are on the topic. */
function wrapsOf(known: Known): Wrap[] {
  return [...known.wraps].filter(([key, { latest }]) => latest > (known.ended.get(key) ?? -1)).map(([, wrap]) => wrap);
}

/** Those that count, the latest first. */
function countingWraps(known: Known, choices: Choices): Wrap[] {
  return wrapsOf(known)
    .filter(({ entry, first }) => choices.allow(entry.masterKeyId, first))
    .sort((a, b) => b.latest - a.latest);
}

const allWrapsOf = (slot: Slot): Wrap[] => [...slot.keys.values()].flatMap(wrapsOf);

/** Where the key came first; undefined when none of its records counts. */
function placeOf(known: Known, choices: Choices): number | undefined {
  const places = countingWraps(known, choices).map(({ entry, first }) => entry.since ?? first);
  return places.length === 0 ? undefined : Math.min(...places);
}

/** Of its keys the one that came first. */
function currentOf(slot: Slot, choices: Choices): Known | undefined {
  if (slot.destroyed) return undefined;
  slot.found ??= { current: findCurrent(slot, choices) };
  return slot.found.current;
}

function findCurrent(slot: Slot, choices: Choices): Known | undefined {
  let current: Known | undefined;
  let place = Infinity;
  for (const known of slot.keys.values()) {
    const own = placeOf(known, choices) ?? Infinity;
    if (own < place) [current, place] = [known, own];
  }
  return current;
}

/** Records of a living epoch that nobody needs once its key is wrapped by `masterKeyId`. */
function superfluous(slot: Slot, choices: Choices, masterKeyId: string): KeyringEntry[] {
  const current = currentOf(slot, choices);
  const needed = current === undefined ? [] : countingWraps(current, choices);
  return allWrapsOf(slot)
    .filter((wrap) => wrap.entry.masterKeyId !== masterKeyId || !needed.includes(wrap))
    .map(({ entry }) => entry);
}

async function openKey(known: Known, choices: Choices, wrapping: KeyWrapping): Promise<Uint8Array | undefined> {
  const { purpose, epoch, keyId } = known;
  for (const { entry } of countingWraps(known, choices)) {
    const { wrapped, masterKeyId } = entry;
    if (wrapped === null) continue;
    const key = await wrapping.unwrap({ wrapped, masterKeyId }, { purpose, epoch, keyId });
    if (key?.length === KEY_BYTES) return key;
    key?.fill(0);
  }
  return undefined;
}

function notOpened(known: Known, choices: Choices, wrapping: KeyWrapping): KeyError {
  const ids = countingWraps(known, choices).map(({ entry }) => entry.masterKeyId);
  const which =
    known.purpose === 'sealing'
      ? `the sealing key ${known.keyId}`
      : `the ${known.purpose} key of ${known.epoch} (${known.keyId})`;
  const own = ids.find((id) => wrapping.opens(id));
  return new KeyError(
    own === undefined
      ? `${which} does not open with ${wrapping.name}, it was wrapped by ${ids.join(', ')}: ` +
          'give that one, or the data folder that belongs to this one'
      : `${which} is damaged: it does not open with what wrapped it (id ${own}); restore the keyring`,
  );
}

function pseudonymUnder(key: Uint8Array, purpose: KeyPurpose, value: string): string {
  const mac = createHmac('sha256', key).update(`pseudonym\0${purpose}\0`).update(value.normalize('NFC'));
  return mac.digest('hex').slice(0, 32);
}

function destroyed(key: Omit<KeyringEntry, 'state' | 'wrapped'>): KeyringEntry {
  return { ...key, state: 'destroyed', wrapped: null };
}

function listingsOf(slot: Slot, choices: Choices): KeyListing[] {
  const current = currentOf(slot, choices);
  const known = [...slot.keys.values()];
  const listed = known.filter((key) =>
    slot.destroyed ? !key.isMarker || known.every(({ isMarker }) => isMarker) : placeOf(key, choices) !== undefined,
  );
  return listed.map((key) => {
    const { purpose, epoch, keyId, createdAt } = key;
    const wraps = slot.destroyed ? wrapsOf(key) : countingWraps(key, choices);
    return {
      purpose,
      epoch,
      keyId,
      createdAt,
      state: slot.destroyed ? 'destroyed' : 'active',
      masterKeyIds: slot.destroyed ? [] : [...new Set(wraps.map(({ entry }) => entry.masterKeyId))],
      current: key === current,
      leftover: slot.destroyed && wraps.length > 0,
    };
  });
}

function byEpochThenPurpose(a: KeyListing, b: KeyListing): number {
  const [one, other] = [a, b].map(({ epoch, purpose, keyId }) => `${epoch}/${purpose}/${keyId}`);
  return one === other ? 0 : (one ?? '') < (other ?? '') ? -1 : 1;
}

function checkEpoch(epoch: string): void {
  if (!/^\d{4}-(?:0[1-9]|1[0-2])$/u.test(epoch)) throw new KeyError('an epoch is a month such as 2025-03');
}

const slotName = (purpose: string, epoch: string): string => `${purpose}/${epoch}`;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
