import type { KeyPurpose, KeyringEntry } from '../events/control.ts';

export type KeyState = 'active' | 'destroyed' | 'missing';

/** What a processor may do with keys. */
export interface Keyring {
  /** 32 lower-case hex digits, or undefined when the epoch's key is missing or destroyed. */
  pseudonym(purpose: KeyPurpose, epoch: string, value: string): string | undefined;
  state(purpose: KeyPurpose, epoch: string): KeyState;
  entries(): readonly KeyListing[];
}

/** One key, without its bytes. */
export interface KeyListing {
  readonly purpose: KeyPurpose;
  readonly epoch: string;
  readonly keyId: string;
  readonly state: 'active' | 'destroyed';
  readonly createdAt: number;
  /** Which master key wrapped it. */
  readonly masterKeyId: string;
  /** The key in use for its purpose and epoch (of several, the first on the topic). */
  readonly current: boolean;
}

export interface KeyringOptions {
  readonly masterKey: Uint8Array;
  readonly randomBytes?: (size: number) => Uint8Array;
  readonly maxCached?: number;
}

/** The keyring as a table over the `keyring` topic, and the maker of new entries for it. */
export interface KeyringTable extends Keyring {
  readonly masterKeyId: string;
  /** Throws KeyError when the entry does not open with the master key. `offset`: its offset on the topic. */
  apply(entry: KeyringEntry, offset: number): void;
  newEntry(purpose: KeyPurpose, epoch: string, now: number): KeyringEntry;
  /** What to append so that every key of the epoch is gone. */
  destroyEntries(epoch: string): KeyringEntry[];
}

/** The key epoch of a session: the UTC month `YYYY-MM` of its `grantedAt` (ms). */
export declare function epochOf(grantedAt: number): string;
export declare function createKeyring(options: KeyringOptions): KeyringTable;
