/** The policy: the reviewed file that says what may be kept. */
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { loadVocabulary, VocabularyError } from './vocabulary-file.ts';
import type { Vocabulary } from './vocabulary.ts';
import { type CheckedPolicy, checkPolicy } from './policy/check.ts';
import { canonicalJson, sha256 } from './policy/digest.ts';
import { PolicyError } from './policy/error.ts';
import type { Policy } from './policy/schema.ts';

export { PolicyError, type PolicyIssue } from './policy/error.ts';
export { explainPolicy } from './policy/explain.ts';
export type { Policy } from './policy/schema.ts';

/** Largest policy file that is read. */
export const MAX_POLICY_BYTES = 256 * 1024;

/**
 * Reads a policy file and the vocabulary that it pins (found relative to the policy file).
 *
 * @throws {PolicyError} when either cannot be read, holds a mistake, or the vocabulary is not the pinned one.
 */
export async function loadPolicy(path: string): Promise<{ policy: Policy; vocabulary: Vocabulary }> {
  const checked = checkPolicy(await readPolicy(path), path);
  const vocabulary = await loadPinned(path, checked);
  return { policy: finishPolicy(checked), vocabulary };
}

/** The policy of a text without reading its vocabulary; for tests and for tools that bring their own. */
export function parsePolicy(source: string, file: string): Policy {
  return finishPolicy(checkPolicy(source, file));
}

function finishPolicy({ rules }: CheckedPolicy): Policy {
  return deepFreeze({ ...rules, digest: sha256(canonicalJson(rules)) });
}

async function readPolicy(path: string): Promise<string> {
  const bytes = await readAtMost(path, MAX_POLICY_BYTES + 1);
  if (bytes.length > MAX_POLICY_BYTES) {
    throw fileError(path, `is larger than ${MAX_POLICY_BYTES / 1024} KiB: a policy is read by people, shorten it`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fileError(path, 'is not UTF-8 text: save it as UTF-8');
  }
}

/** Never more than `limit` bytes, so that a wrong path (a log, a device) cannot fill the memory. */
async function readAtMost(path: string, limit: number): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = new Uint8Array(limit);
      let length = 0;
      while (length < limit) {
        const { bytesRead } = await file.read(buffer, length, limit - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return buffer.subarray(0, length);
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw fileError(path, `cannot be read${code}: name a readable policy file`);
  }
}

async function loadPinned(path: string, checked: CheckedPolicy): Promise<Vocabulary> {
  const { file, digest } = checked.rules.vocabulary;
  let vocabulary: Vocabulary;
  try {
    vocabulary = await loadVocabulary(resolve(dirname(path), file));
  } catch (error) {
    if (!(error instanceof VocabularyError)) throw error;
    throw new PolicyError(path, [
      { ...checked.place(['vocabulary', 'file']), message: `vocabulary.file: ${error.message}` },
    ]);
  }
  if (vocabulary.digest !== digest) {
    const message =
      `vocabulary.digest pins ${digest}, but ${file} now has ${vocabulary.digest}: ` +
      'review what changed in the vocabulary, then pin the new digest here';
    throw new PolicyError(path, [{ ...checked.place(['vocabulary', 'digest']), message }]);
  }
  return vocabulary;
}

const fileError = (path: string, message: string): PolicyError =>
  new PolicyError(path, [{ line: 1, column: 1, message }]);

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
