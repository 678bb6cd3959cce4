import { readFile } from 'node:fs/promises';
import { readSecretFile } from '../privacy/keys/secret-file.ts';
import { RunError } from './run-error.ts';

/**
 * What a server's section of the config names; the private key must not be open to all users.
 *
 * @throws RunError, KeyError naming the file and what is wrong with it, never what is in it.
 */
export async function readTls(
  section: string,
  files: {
    readonly certFile: string;
    readonly keyFile: string;
  },
): Promise<{ readonly cert: string; readonly key: string }> {
  const cert = await readFile(files.certFile, 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new RunError(`${section}.certFile ${files.certFile} cannot be read (${code}): check the path and its owner`);
  });
  return { cert, key: await readSecretFile(files.keyFile) };
}
