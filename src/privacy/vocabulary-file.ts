/** Reads a vocabulary from its file, and writes one. */
import { open, readFile, stat, unlink } from 'node:fs/promises';
import { sha256 } from './policy/digest.ts';
import { formatVocabulary } from './vocabulary-changes.ts';
import {
  type EntryLine,
  type Vocabulary,
  VocabularyError,
  canonicalText,
  createVocabulary,
  parseVocabulary,
} from './vocabulary.ts';

export { VocabularyError } from './vocabulary.ts';

/** Largest vocabulary file that is read. */
export const MAX_VOCABULARY_BYTES = 16 * 1024 * 1024;

/**
 * @throws {VocabularyError} when the file cannot be read, is too large or holds a mistake; names the file and the line.
 */
export async function loadVocabulary(path: string): Promise<Vocabulary> {
  return vocabularyOf(await readText(path), path);
}

/** The vocabulary of a file's text; `file` is its name in errors. */
export function vocabularyOf(source: string, file: string): Vocabulary {
  const lines = parseVocabulary(source, file);
  return createVocabulary(lines, digestOf(lines));
}

/** A vocabulary file as it is reviewed. */
export interface VocabularyFile {
  readonly lines: readonly EntryLine[];
  readonly digest: string;
  /** The comments at its top, without `#`. */
  readonly comments: readonly string[];
}

/** @throws {VocabularyError} as {@link loadVocabulary}. */
export async function readVocabularyFile(path: string): Promise<VocabularyFile> {
  const source = await readText(path);
  const lines = parseVocabulary(source, path);
  const head = source.split(/\r?\n/u);
  const end = head.findIndex((line) => !line.startsWith('#'));
  const comments = head.slice(0, end === -1 ? head.length : end).map((line) => line.replace(/^# ?/u, ''));
  return { lines, digest: digestOf(lines), comments };
}

/** The digest of a vocabulary of these lines, in the order of a parsed file. */
export function digestOf(lines: readonly EntryLine[]): string {
  return sha256(canonicalText(lines));
}

/** @throws {VocabularyError} when there is something under that name already. */
export async function refuseTaken(path: string): Promise<void> {
  const taken = await stat(path).then(
    () => true,
    () => false,
  );
  if (taken) throw takenError(path);
}

/**
 * Writes a vocabulary into a new file, which only its owner may read until somebody has reviewed it. What is written is
 * what would be read: that is checked before.
 *
 * @throws {VocabularyError} when there is such a file already, it cannot be made, or it would be too large.
 */
export async function writeVocabulary(
  path: string,
  comments: readonly string[],
  lines: readonly EntryLine[],
): Promise<void> {
  const bytes = Buffer.from(formatVocabulary(comments, lines), 'utf8');
  if (bytes.length > MAX_VOCABULARY_BYTES) {
    throw new VocabularyError(`${path} would be larger than ${MAX_VOCABULARY_BYTES / 1024 ** 2} MiB: propose less`);
  }
  if (vocabularyOf(bytes.toString('utf8'), path).digest !== digestOf(lines)) {
    throw new VocabularyError(`${path} would not be read as it is written: nothing was written`);
  }
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw code === 'EEXIST'
      ? takenError(path)
      : new VocabularyError(`${path}: cannot be made (${code}): name a file in a folder that is there and yours`);
  });
  try {
    await file.writeFile(bytes);
    await file.sync();
  } catch (error) {
    await unlink(path).catch(() => undefined);
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new VocabularyError(`${path}: cannot be written (${code}): make room and run it again`);
  } finally {
    await file.close();
  }
}

const takenError = (path: string): VocabularyError =>
  new VocabularyError(`${path} is there already and may have been reviewed: give another name`);

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_VOCABULARY_BYTES)
      throw new VocabularyError(`${path}: larger than ${MAX_VOCABULARY_BYTES / 1024 ** 2} MiB`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof VocabularyError) throw error;
    if (error instanceof TypeError) throw new VocabularyError(`${path}: is not UTF-8 text: save it as UTF-8`);
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new VocabularyError(`${path}: cannot be read${code}: name a readable vocabulary file`);
  }
}
