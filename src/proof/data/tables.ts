import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

/** Data that an attack needs is not there. The message names what is missing and where it was looked for. */
export class MissingDataError extends Error {
  override name = 'MissingDataError';
}

/** @throws MissingDataError saying what the file is for, and how to name its folder. */
export async function requireFile(path: string, what: string): Promise<string> {
  try {
    await access(path);
    return path;
  } catch {
    throw new MissingDataError(`${what} is missing: ${path} cannot be read; name the folder with --biometrics FOLDER`);
  }
}

/** The folder that the data are looked for in. @throws MissingDataError when none is named. */
export function needFolder({ folder }: { readonly folder: string | undefined }): string {
  if (folder !== undefined) return folder;
  throw new MissingDataError('no folder of data is named: use --biometrics FOLDER, or set REDACTORY_DATA');
}

/** A table that is not what it should be; it names the line, and shows nothing of it. */
export class TableError extends Error {
  override name = 'TableError';
}

/** Rows of a gzipped table with tabs, without its heading, which must be `columns`. */
export async function* rowsOf(path: string, columns: readonly string[]): AsyncGenerator<readonly string[]> {
  const lines = createInterface({ input: createReadStream(path).pipe(createGunzip()), crlfDelay: Infinity });
  let number = 0;
  for await (const line of lines) {
    number += 1;
    const cells = line.split('\t');
    if (number === 1) {
      if (cells.join() === columns.join()) continue;
      throw new TableError(`${path}: its columns are not ${columns.join(', ')}; name the right file`);
    }
    if (line === '') continue;
    if (cells.length !== columns.length) throw new TableError(`${path}:${number}: it has not ${columns.length} cells`);
    yield cells;
  }
}

/** A whole number of a cell. */
export function wholeIn(path: string, cell: string | undefined): number {
  const value = Number(cell);
  if (cell === undefined || cell === '' || !Number.isSafeInteger(value)) {
    throw new TableError(`${path}: a cell that should hold a whole number does not`);
  }
  return value;
}
