import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { loadPolicy, parsePolicy, PolicyError, type Policy } from '../privacy/policy.ts';
import type { Vocabulary } from '../privacy/vocabulary.ts';

/** A policy that attacks are run against, by the name that reports give it. */
export interface PolicyUnderTest {
  readonly name: string;
  readonly policy: Policy;
  readonly vocabulary: Vocabulary;
}

/**
 * Loads a policy, and the same with some of its columns changed: `strict`, `strict+pause=coarse`,
 * `strict+cell=3x3+subject=pseudonym`. `resolve` finds the file of a name. Changed policies are checked as files are, and have
 * digests of their own.
 *
 * @throws PolicyError
 */
export async function loadPolicyUnderTest(spec: string, resolve: (name: string) => string): Promise<PolicyUnderTest> {
  const [base = '', ...changes] = spec.split('+');
  const path = resolve(base);
  const { policy, vocabulary } = await loadPolicy(path);
  if (changes.length === 0) return { name: policy.name, policy, vocabulary };
  const document = parseDocument(await readFile(path, 'utf8'));
  for (const change of changes) {
    const [column = '', value] = change.split('=');
    if (value === undefined || !document.hasIn(['columns', column])) {
      const message = `${change} changes no column: write a column of the policy and its value, such as strict+pause=coarse`;
      throw new PolicyError(path, [{ line: 1, column: 1, message }]);
    }
    document.setIn(['columns', column], value);
  }
  return { name: [policy.name, ...changes].join(' + '), policy: parsePolicy(document.toString(), path), vocabulary };
}

/** The options whose price the privacy model lists: each alone, on top of strict. */
export const OPTIONS = [
  'strict',
  'balanced',
  'strict+cell=3x3',
  'strict+subject=pseudonym',
  'strict+pause=coarse',
  'strict+length=none',
  'strict+count=none',
  'strict+key=none',
  'strict+app=none+window=none+url=none+target=none',
] as const;
