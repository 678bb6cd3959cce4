/** Reads a vocabulary from its file. */
import { readFile, stat } from 'node:fs/promises';
import { sha256 } from './policy/digest.ts';
import { type Vocabulary, VocabularyError, canonicalText, createVocabulary, parseVocabulary } from './vocabulary.ts';

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
  return createVocabulary(lines, sha256(canonicalText(lines)));
}

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
