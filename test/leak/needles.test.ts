import { expect, it } from 'vitest';
import { packagePath } from '../../src/package-path.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { needlesOf, search, textHaystack } from './needles.ts';

it('words that are a part of public ones are not looked for, others are', async () => {
  const { vocabulary } = await loadPolicy(packagePath('policies/strict.yaml'));
  const needles = needlesOf([{ kind: 'password', text: 'Thread-Solution362@Zqxwv' }], vocabulary);
  expect(search([textHaystack('public', 'Display resolution')], needles)).toEqual([]);
  expect(search([textHaystack('whole', 'a thread-solution362@zqxwv b')], needles)).not.toEqual([]);
  expect(search([textHaystack('a word', 'zqxwv')], needles)).toHaveLength(1);
});
