/** A key that is missing, unsafe or wrong. The message says what to do; it never holds key bytes. */
export class KeyError extends Error {
  override name = 'KeyError';
}

/** Bytes in every key of this project. */
export const KEY_BYTES = 32;

/** @throws KeyError when `key` is not {@link KEY_BYTES} long; `name` says which key. */
export function checkKeyLength(key: Uint8Array, name: string): void {
  if (key.length === KEY_BYTES) return;
  throw new KeyError(`the ${name} must be ${KEY_BYTES} bytes, this one has ${key.length}`);
}
