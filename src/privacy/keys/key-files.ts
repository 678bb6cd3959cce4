export class KeyError extends Error {
  override name = 'KeyError';
}
/** 32 bytes from a private file, which is made when missing. Throws {@link KeyError}. */
export declare function readOrCreateKeyFile(path: string): Promise<Uint8Array>;
/** 32 bytes from base64 text in the environment variable `variable`. Throws {@link KeyError}. */
export declare function parseKey(text: string, variable: string): Uint8Array;
