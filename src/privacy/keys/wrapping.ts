import { randomBytes as systemRandomBytes } from 'node:crypto';
import type { MasterKeys } from './key-files.ts';
import { createWrapper, type KeyName, type Wrapper } from './wrap.ts';

/** A key as it may be kept, and what wraps it. */
export interface WrappedKey {
  readonly wrapped: Uint8Array;
  readonly masterKeyId: string;
}

/**
 * The port to what wraps keys: a master key of ours, or a service that never lets its key go. Asynchronous, as a service is
 * asked over a network.
 */
export interface KeyWrapping {
  /**
   * Wraps by the key of this id (or a later version of it), if it is here, else by the newest key there is now. The caller
   * wipes `key`.
   *
   * @throws KeyError when that can't be without a change of settings; WrappingUnavailableError when it may later.
   */
  wrap(key: Uint8Array, name: KeyName, masterKeyId?: string): Promise<WrappedKey>;
  /**
   * The key, or undefined when none of the keys here wrapped it under this name, or it is damaged.
   *
   * @throws as {@link wrap} does.
   */
  unwrap(wrapped: WrappedKey, name: KeyName): Promise<Uint8Array | undefined>;
  /** The id of the newest key, which {@link wrap} gives when it is not told another. @throws as {@link wrap} does. */
  currentId(): Promise<string>;
  /** For messages: what opens keys here, such as `this master key (id 1a2b3c4d)`. */
  readonly name: string;
  /** Whether what this id wrapped should open here. */
  opens(masterKeyId: string): boolean;
  close(): void;
}

/** What wraps keys cannot be asked just now: the same may work later. Nothing was opened, and nothing may be processed. */
export class WrappingUnavailableError extends Error {
  override name = 'WrappingUnavailableError';
}

/** Wraps by master keys that are read anew for each new key, and when a key does not open: they may have been rotated. */
export function masterKeyWrapping(
  load: () => Promise<MasterKeys>,
  randomBytes: (size: number) => Uint8Array = systemRandomBytes,
): KeyWrapping {
  let wrappers: readonly Wrapper[] = [];

  async function reload(): Promise<Wrapper> {
    const { masterKey, alsoOpens } = await load();
    const first = createWrapper(masterKey, randomBytes);
    wrappers = [first, ...alsoOpens.map((key) => createWrapper(key, randomBytes))];
    return first;
  }
  function openWith({ wrapped }: WrappedKey, name: KeyName): Uint8Array | undefined {
    for (const wrapper of wrappers) {
      const key = wrapper.unwrap(wrapped, name);
      if (key !== undefined) return key;
    }
    return undefined;
  }

  return {
    get name() {
      return `this master key (id ${wrappers.map(({ masterKeyId }) => masterKeyId).join(', ')})`;
    },
    opens: (masterKeyId) => wrappers.some((wrapper) => wrapper.masterKeyId === masterKeyId),
    async wrap(key, name, masterKeyId) {
      const newest = await reload();
      const wrapper = wrappers.find((one) => one.masterKeyId === masterKeyId) ?? newest;
      return { wrapped: wrapper.wrap(key, name), masterKeyId: wrapper.masterKeyId };
    },
    async unwrap(wrapped, name) {
      const key = openWith(wrapped, name);
      if (key !== undefined) return key;
      await reload();
      return openWith(wrapped, name);
    },
    currentId: async () => (await reload()).masterKeyId,
    close: () => undefined,
  };
}

/** Master keys that stay what they are: given in the environment, or in tests. */
export function fixedWrapping(keys: MasterKeys, randomBytes?: (size: number) => Uint8Array): KeyWrapping {
  for (const key of [keys.masterKey, ...keys.alsoOpens]) createWrapper(key, systemRandomBytes);
  return masterKeyWrapping(() => Promise.resolve(keys), randomBytes);
}

/**
 * `first` wraps, unless one of the `others` was chosen to; what it does not open, they are asked for: while keys move from one to
 * the other.
 */
export function withOthers(first: KeyWrapping, others: readonly KeyWrapping[]): KeyWrapping {
  const all = [first, ...others];
  return {
    name: all.map(({ name }) => name).join(' and '),
    opens: (masterKeyId) => all.some((one) => one.opens(masterKeyId)),
    async wrap(key, name, masterKeyId) {
      if (masterKeyId === undefined || first.opens(masterKeyId)) return first.wrap(key, name, masterKeyId);
      for (const one of others) {
        // Which keys it has is read anew.
        await one.currentId();
        if (one.opens(masterKeyId)) return one.wrap(key, name, masterKeyId);
      }
      return first.wrap(key, name, masterKeyId);
    },
    async unwrap(wrapped, name) {
      for (const one of all) {
        const key = await one.unwrap(wrapped, name);
        if (key !== undefined) return key;
      }
      return undefined;
    },
    currentId: () => first.currentId(),
    close: () => all.forEach((one) => one.close()),
  };
}
