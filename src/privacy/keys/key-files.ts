import { randomBytes as systemRandomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KEY_BYTES, KeyError } from './key-error.ts';

export { KeyError } from './key-error.ts';

/**
 * The key in a private file (32 bytes in base64); made from the system's randomness when the file is missing, file mode
 * 0600 in a folder of mode 0700. Processes that do this at the same moment end up with the same key.
 *
 * @throws KeyError when the file, or its folder, is open to others, is a link, or does not hold a key.
 */
export async function readOrCreateKeyFile(path: string): Promise<Uint8Array> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  if ((await readKeyFileIfAny(path)) === undefined) await createKeyFile(path);
  return readKeyFile(path);
}

/**
 * The key in a private file that must be there.
 *
 * @throws KeyError as {@link readOrCreateKeyFile} does, and when there is no such file.
 */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  const key = await readKeyFileIfAny(path);
  if (key === undefined) throw new KeyError(`key file ${path} does not exist: restore it, or check the path`);
  return key;
}

/**
 * A key from base64 text, as an environment variable holds it; `variable` is the name for messages.
 *
 * @throws KeyError when the text is not the base64 of 32 bytes.
 */
export function parseKey(text: string, variable: string): Uint8Array {
  const key = keyFromBase64(text);
  if (key !== undefined) return key;
  throw new KeyError(
    `${variable} does not hold a key: it must be ${KEY_BYTES} bytes in base64, as \`openssl rand -base64 ${KEY_BYTES}\` prints`,
  );
}

/** Master keys as a command or worker needs them. */
export interface MasterKeys {
  /** Wraps new entries. */
  readonly masterKey: Uint8Array;
  /** Open entries as well: during a rotation, the keys on their way out. */
  readonly alsoOpens: readonly Uint8Array[];
}

/**
 * The master key of a file, made when missing. While a rotation is under way the next key wraps, and the present one only
 * opens.
 *
 * @throws KeyError as {@link readOrCreateKeyFile} does.
 */
export async function readMasterKeys(path: string): Promise<MasterKeys> {
  return readStill({
    present: () => readOrCreateKeyFile(path),
    next: () => readKeyFileIfAny(nextPath(path)),
  });
}

/** Both keys as they were at one moment: between two reads a rotation may end, and another begin. */
export async function readStill(files: {
  readonly present: () => Promise<Uint8Array>;
  readonly next: () => Promise<Uint8Array | undefined>;
}): Promise<MasterKeys> {
  let present = await files.present();
  for (;;) {
    const next = await files.next();
    const again = await files.present();
    if (Buffer.from(present).equals(again)) {
      return next === undefined ? { masterKey: present, alsoOpens: [] } : { masterKey: next, alsoOpens: [present] };
    }
    present = again;
  }
}

/** Whether a rotation was begun and not finished. @throws KeyError */
export async function isRotating(path: string): Promise<boolean> {
  return (await readKeyFileIfAny(nextPath(path))) !== undefined;
}

/**
 * Begins a rotation of the master key: the next key, in a file beside the present one. Begun again after a crash, it
 * gives the same key. Then wrap all keys by it, and {@link finishRotation}.
 *
 * @throws KeyError as {@link readOrCreateKeyFile} does.
 */
export async function beginRotation(path: string): Promise<Uint8Array> {
  await readKeyFile(path);
  return readOrCreateKeyFile(nextPath(path));
}

/**
 * Puts the next master key in the present one's place, if that was not done already; the old key is gone.
 *
 * @throws KeyError when `next` is not the next key any more: somebody else has finished, and may have begun again.
 */
export async function finishRotation(path: string, next: Uint8Array): Promise<void> {
  const found = await readKeyFileIfAny(nextPath(path));
  const isDone = Buffer.from(await readKeyFile(path)).equals(next);
  if (isDone) return;
  if (found === undefined || !Buffer.from(found).equals(next)) {
    throw new KeyError(`another rotation of ${path} was under way: list the keys, and rotate again if need be`);
  }
  await rename(nextPath(path), path);
  await syncFolder(path);
}

/** What was renamed stays renamed when the machine fails. */
async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders; its file system keeps the order of such changes by itself.
  if (process.platform === 'win32') return;
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const nextPath = (path: string): string => `${path}.next`;

async function createKeyFile(path: string): Promise<void> {
  const draft = `${path}.${systemRandomBytes(8).toString('hex')}.draft`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${systemRandomBytes(KEY_BYTES).toString('base64')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    // A link appears with its whole content or not at all, and never in another's place: the first process wins.
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw unusable(path, error);
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

async function readKeyFileIfAny(path: string): Promise<Uint8Array | undefined> {
  try {
    // Not every system has O_NOFOLLOW, so links are looked for by hand as well. O_NONBLOCK: a pipe must not hang us.
    if ((await lstat(path)).isSymbolicLink()) throw linked(path);
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    try {
      const found = await file.stat();
      if (!found.isFile()) throw new KeyError(`${path} is not a file: name a key file`);
      if (isOpenToOthers(found.mode, 0o077)) {
        throw new KeyError(`key file ${path} is open to other users: run \`chmod 600 ${path}\``);
      }
      await checkFolder(path);
      return keyOf(path, found.size > MAX_FILE_BYTES ? '' : await file.readFile('utf8'));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) === 'ELOOP') throw linked(path);
    throw unusable(path, error);
  }
}

/** A key's base64 has 44 characters; more than this is another file. */
const MAX_FILE_BYTES = 256;

async function checkFolder(path: string): Promise<void> {
  const folder = dirname(path);
  // Who may write to the folder may put another key in this one's place.
  if (isOpenToOthers((await stat(folder)).mode, 0o022)) {
    throw new KeyError(`other users may write to ${folder}, which holds a key: run \`chmod 700 ${folder}\``);
  }
}

function isOpenToOthers(mode: number, bits: number): boolean {
  // Windows has no such mode bits; there the user's profile folder keeps others out.
  return process.platform !== 'win32' && (mode & bits) !== 0;
}

function keyOf(path: string, content: string): Uint8Array {
  const key = keyFromBase64(content);
  if (key !== undefined) return key;
  throw new KeyError(
    `key file ${path} does not hold a key (${KEY_BYTES} bytes in base64): restore it from a backup; ` +
      'if none of its data is needed, delete it, and a new key is made',
  );
}

function keyFromBase64(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  const bytes = Buffer.from(trimmed, 'base64');
  // Node skips what is not base64, so the text must be what the bytes would be written as.
  return bytes.length === KEY_BYTES && bytes.toString('base64') === trimmed ? Uint8Array.from(bytes) : undefined;
}

const linked = (path: string): KeyError =>
  new KeyError(`key file ${path} is a symbolic link: name the file itself, or give the key in the environment`);

function unusable(path: string, error: unknown): KeyError {
  if (error instanceof KeyError) return error;
  const code = codeOf(error) ?? 'unknown error';
  return new KeyError(`key file ${path} can't be used (${code}): check the file's owner and its folder's permissions`);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
