/** What a grant leaves out: the recorder and the processors read its lists in the same way. */
import { describe, expect, it } from 'vitest';
import { createRules } from '../../../clients/web/rules.ts';
import { createContextRule } from '../../../src/privacy/contexts.ts';
import { loadPolicy, type Policy } from '../../../src/privacy/policy.ts';

/** Titles that hold the name or phrase, and some that hold a longer word or a part of it. */
const around = (text: string): string[] => [
  text,
  `${text} - Vault`,
  `Inbox | ${text}`,
  `Inbox — ${text} — Browser`,
  `Team » ${text}`,
  `A page of ${text} and more`,
  `我的${text}记录`,
  `マイ${text}の 一覧`,
  `ของ${text}ฉัน`,
  `${text} 8 - Vault`,
  `${text} v7.1.2 - Vault`,
  `${text} (2) - Vault`,
  `team – ${text}.exe`,
  `team – ${text.toUpperCase()}.app`,
  `x${text}x`,
  `${text}s - Orders 2024`,
  // Of an app that is listed with its version the recorder leaves out all.
  text.replace(/\P{N}$/u, ''),
  text.slice(1),
];

const disagree = (policy: Pick<Policy, 'contexts'>, titles: readonly string[]): string[] => {
  const isRecorded = createRules({ ...policy.contexts, kinds: [] });
  const isExcluded = createContextRule(policy);
  const context = { app: 'Web', url: 'https://app.example/', private: false };
  return titles.filter((title) => isRecorded({ ...context, title }) === isExcluded({ ...context, title }));
};

describe.each(['strict', 'balanced'])('the places of the policy %s', (name) => {
  it('are left out by the recorder where the processors leave them out, and not for a word that is near', async () => {
    const { policy } = await loadPolicy(`policies/${name}.yaml`);
    const { excludeApps, excludeTitles } = policy.contexts;
    expect(excludeTitles.filter((title) => /\p{Script=Han}/u.test(title)).length).toBeGreaterThan(10);
    expect(disagree(policy, [...excludeApps, ...excludeTitles].flatMap(around))).toEqual([]);
    const host = policy.contexts.excludeHosts[0] ?? '';
    const isRecorded = createRules({ ...policy.contexts, kinds: [] });
    const urls = [
      `https://${host}/`,
      `https://my.${host}./x`,
      `https://x${host}/`,
      `https://${host}.example/`,
      'file:///x',
    ];
    expect(urls.map((url) => isRecorded({ app: 'Web', title: '', url }))).toEqual([false, false, true, true, false]);
  });
});
