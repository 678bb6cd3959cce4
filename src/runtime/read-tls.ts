import { readFile } from 'node:fs/promises';
import { RunError } from './run-error.ts';

/** What a server's section of the config names. @throws RunError */
export async function readTls(
  section: string,
  files: {
    readonly certFile: string;
    readonly keyFile: string;
  },
): Promise<{ readonly cert: string; readonly key: string }> {
  try {
    return { cert: await readFile(files.certFile, 'utf8'), key: await readFile(files.keyFile, 'utf8') };
  } catch (error) {
    throw new RunError(`${section}: a file cannot be read; check its path and who may read it`, { cause: error });
  }
}
