import { open } from 'node:fs/promises';
import { KeyError } from './key-error.ts';

/** Passwords and tokens are short; more than this is another file. */
const MAX_SECRET_BYTES = 16_384;

/**
 * The text of a file that holds a password or a token, without white space at its end. Unlike key files it may be a link
 * and readable by the file's group, as orchestrators mount secrets.
 *
 * @throws KeyError when the file is missing, empty, too large, or open to all users; the message never holds its content.
 */
export async function readSecretFile(path: string): Promise<string> {
  const file = await open(path, 'r').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new KeyError(`secret file ${path} cannot be read (${code}): check the path and the file's owner`);
  });
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new KeyError(`${path} is not a file: name a file that holds the secret`);
    if (process.platform !== 'win32' && (found.mode & 0o007) !== 0) {
      throw new KeyError(`secret file ${path} is open to all users: run \`chmod o= ${path}\``);
    }
    if (found.size > MAX_SECRET_BYTES) throw new KeyError(`secret file ${path} is larger than 16 KiB: name another`);
    const secret = (await file.readFile('utf8')).trimEnd();
    if (secret === '') throw new KeyError(`secret file ${path} is empty: write the secret into it`);
    return secret;
  } finally {
    await file.close();
  }
}
