import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PolicyError, explainPolicy, loadPolicy, parsePolicy } from '../../src/privacy/policy.ts';
import { canonicalJson } from '../../src/privacy/policy/digest.ts';
import { explainColumns } from '../../src/privacy/policy/explain.ts';
import { policyReference } from '../../src/privacy/policy/reference.ts';
import { vocabularyOf } from '../../src/privacy/vocabulary-file.ts';
import { createContextRule } from '../../src/privacy/contexts.ts';

const policyPath = (name: string): string => fileURLToPath(new URL(`../../policies/${name}.yaml`, import.meta.url));
const strict = await loadPolicy(policyPath('strict'));
const balanced = await loadPolicy(policyPath('balanced'));
const recognizers = await loadPolicy(policyPath('recognizers'));

const VOCABULARY = '[texts]\nSave\n';
const DIGEST = vocabularyOf(VOCABULARY, 'v').digest;
const SMALL = `name: small
description: A policy for tests.
vocabulary:
  file: v.txt
  digest: ${DIGEST}
consent:
  guardSeconds: 5
session:
  maxMinutes: 30
  maxActions: 25
  latenessMinutes: 5
contexts:
  unknown: keep
  private: exclude
  excludeApps: [Slack]
  excludeHosts: [paypal.com]
  excludeTitles: [payslip]
keystrokes:
  namedKeys: [Enter, Tab, Backspace]
  releasingKeys: [Enter, Tab]
  editingKeys: [Backspace]
  shortcuts: [Ctrl+S, Shift+Tab]
  modifierHoldSeconds: 10
gestures:
  clickMs: 500
  clickPx: 4
  dragPx: 6
  longPressMs: 1000
  doubleClickMs: 500
  doubleClickPx: 4
text:
  mode: vocabulary
  minScore: 0.4
  keepKinds: []
columns:
  subject: none
  app: vocabulary
  window: vocabulary
  url: vocabulary
  target: vocabulary
  target_role: known
  key: listed
  button: keep
  direction: keep
  cell: none
  pause: none
  length: bucket
  count: bucket
`;

/** Everything that is said about the small policy with one replacement. */
function faultOf(find: string | RegExp, replacement: string): string {
  const source = SMALL.replace(find, replacement);
  expect(source).not.toBe(SMALL);
  try {
    parsePolicy(source, 'p.yaml');
  } catch (error) {
    if (error instanceof PolicyError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('the shipped policies', () => {
  it('load, with the vocabulary that they pin', () => {
    expect(strict.vocabulary.digest).toBe(strict.policy.vocabulary.digest);
    expect(strict.policy.digest).toMatch(/^sha256:[0-9a-f]{64}$/u);
    expect(balanced.policy.digest).not.toBe(strict.policy.digest);
  });

  it('strict links no sessions and releases no place and no time', () => {
    expect(strict.policy.columns).toMatchObject({ subject: 'none', cell: 'none', pause: 'none' });
  });

  it('balanced differs in the subject and the cell, and nowhere in what is excluded', () => {
    const { name: _n, description: _d, digest: _g, columns, ...rest } = balanced.policy;
    expect(strict.policy).toMatchObject(rest);
    expect(columns).toEqual({ ...strict.policy.columns, subject: 'pseudonym', cell: '3x3' });
  });

  it('recognizers differs in the texts, says so, and nowhere in what is excluded', () => {
    const { name: _n, description, digest: _g, columns, text, ...rest } = recognizers.policy;
    expect(strict.policy).toMatchObject(rest);
    expect(columns).toEqual({
      ...strict.policy.columns,
      app: 'recognizers',
      window: 'recognizers',
      target: 'recognizers',
    });
    expect(text).toEqual({ ...strict.policy.text, mode: 'recognizers' });
    expect(description).toMatch(/gives up/u);
  });

  it('strict and balanced keep no text that nobody reviewed', () => {
    for (const { policy } of [strict, balanced]) {
      expect(policy.text).toEqual({ mode: 'vocabulary', minScore: 0.4, keepKinds: [] });
      expect(Object.values(policy.columns)).not.toContain('recognizers');
    }
  });

  it('exclude no host that the vocabulary wants to keep', () => {
    const excluded = createContextRule(strict.policy);
    const hosts = strict.vocabulary.entries.filter(({ kind }) => kind === 'host').map(({ text }) => text);
    expect(hosts.filter((host) => excluded({ app: '', title: '', url: `https://${host}/`, private: false }))).toEqual(
      [],
    );
  });

  it('exclude the places that people expect', () => {
    const excluded = createContextRule(strict.policy);
    const place = { app: 'Google Chrome', title: '', url: '', private: false };
    for (const host of [
      'www.nhs.uk',
      'acme.slack.com',
      'www.paypal.com',
      'mitgliedschaft.verdi.de',
      'acme.bamboohr.com',
      'banking.dkb.de',
      'my.1password.com',
    ]) {
      expect([host, excluded({ ...place, url: `https://${host}/x?y` })]).toEqual([host, true]);
    }
    for (const app of ['KeePassXC', '1Password 8', 'Slack.exe', 'Microsoft Teams', 'zoom.us']) {
      expect([app, excluded({ ...place, app })]).toEqual([app, true]);
    }
    for (const title of [
      'New Tab - Google Chrome (Incognito)',
      'Gehaltsabrechnung.pdf',
      'Arrêt maladie - Word',
      'Payslip 2024-05',
    ]) {
      expect([title, excluded({ ...place, title })]).toEqual([title, true]);
    }
    for (const title of [
      'Report.xlsx - Excel',
      'Inbox - Outlook',
      'Meeting 2024-11-05 12:36',
      'Settings',
      'Home Depot - Google Search',
    ]) {
      expect([title, excluded({ ...place, title })]).toEqual([title, false]);
    }
  });

  it('are frozen all through', () => {
    expect(Object.isFrozen(strict.policy)).toBe(true);
    expect(Object.isFrozen(strict.policy.contexts.excludeHosts)).toBe(true);
  });
});

describe('a mistake in a policy is named with its place', () => {
  it('accepts the policy that the cases start from', () => {
    expect(parsePolicy(SMALL, 'p.yaml').name).toBe('small');
  });

  it.each<[string, string | RegExp, string, string]>([
    [
      'unknown key',
      '  guardSeconds: 5',
      '  guardSeconds: 5\n  gardSeconds: 5',
      'p.yaml:8:3: unknown key "gardSeconds" in consent; did you mean guardSeconds?',
    ],
    ['unknown key at the top', 'text:\n', 'pauses: 1\ntext:\n', 'p.yaml:31:1: unknown key "pauses"'],
    ['misspelled key', 'maxMinutes', 'maxMinute', 'unknown key "maxMinute" in session; did you mean maxMinutes?'],
    ['missing rule', '  guardSeconds: 5', '  {}', 'p.yaml:6:1: missing rule consent.guardSeconds'],
    ['missing section', /gestures:\n(?: {2}.*\n)+/u, '', 'p.yaml:1:1: missing rule gestures'],
    [
      'wrong type',
      'guardSeconds: 5',
      'guardSeconds: five',
      'p.yaml:7:17: consent.guardSeconds must be a number, not a text',
    ],
    ['fraction', 'guardSeconds: 5', 'guardSeconds: 5.5', 'p.yaml:7:17: consent.guardSeconds must be a whole number'],
    ['empty section', 'consent:\n  guardSeconds: 5', 'consent:', 'consent must be a section of keys, not empty'],
    [
      'unknown value',
      'unknown: keep',
      'unknown: kep',
      'p.yaml:13:12: contexts.unknown must be one of keep, drop, not "kep"; did you mean keep?',
    ],
    ['guard too long', 'guardSeconds: 5', 'guardSeconds: 61', 'consent.guardSeconds must be at most 60'],
    ['guard negative', 'guardSeconds: 5', 'guardSeconds: -1', 'consent.guardSeconds must be at least 0'],
    ['session too long', 'maxMinutes: 30', 'maxMinutes: 31', 'session.maxMinutes must be at most 30'],
    ['session of nothing', 'maxMinutes: 30', 'maxMinutes: 0', 'session.maxMinutes must be at least 1'],
    [
      'private windows recorded',
      'private: exclude',
      'private: keep',
      'p.yaml:14:12: contexts.private must be exclude, not "keep"',
    ],
    ['private rule missing', '  private: exclude\n', '', 'missing rule contexts.private'],
    [
      'other text mode',
      'mode: vocabulary',
      'mode: any',
      'p.yaml:32:9: text.mode must be one of vocabulary, recognizers, not "any"',
    ],
    [
      'text mode of no column',
      'mode: vocabulary',
      'mode: recognizers',
      'p.yaml:32:9: text.mode ("recognizers") is used by no column',
    ],
    [
      'free texts without their mode',
      'window: vocabulary',
      'window: recognizers',
      'columns.window ("recognizers") keeps texts that nobody reviewed: state it with text.mode: recognizers',
    ],
    ['free addresses', 'url: vocabulary', 'url: recognizers', 'columns.url must be one of vocabulary, none'],
    ['a score that nothing reaches', 'minScore: 0.4', 'minScore: 1', 'text.minScore must be at most 0.9'],
    ['a kind that is none', 'keepKinds: []', 'keepKinds: [emial]', 'text.keepKinds[0] must be one of'],
    ['a kind listed twice', 'keepKinds: []', 'keepKinds: [ip, ip]', 'text.keepKinds[1] ("ip") is listed twice'],
    ['click above drag', 'dragPx: 6', 'dragPx: 3', 'gestures.dragPx'],
    [
      'a letter as named key',
      '[Enter, Tab, Backspace]',
      '[Enter, Tab, Backspace, e]',
      'p.yaml:19:38: keystrokes.namedKeys[3] ("e") is a character',
    ],
    ['a digit as named key', '[Enter, Tab, Backspace]', '[Enter, Tab, Backspace, "1"]', 'is a character'],
    ['space as named key', '[Enter, Tab, Backspace]', '[Enter, Tab, Backspace, " "]', 'is a character'],
    ['space bar as named key', '[Enter, Tab, Backspace]', '[Enter, Tab, Backspace, Space]', 'is a character'],
    ['an emoji as named key', '[Enter, Tab, Backspace]', '[Enter, Tab, Backspace, "\u{1f600}"]', 'is a character'],
    ['dead key as named key', '[Enter, Tab, Backspace]', '[Enter, Tab, Backspace, Dead]', 'is not a named key'],
    ['misspelled named key', '[Enter, Tab, Backspace]', '[Enter, Tab, Backspace, Escpe]', 'did you mean Escape?'],
    [
      'letter as editing key',
      'editingKeys: [Backspace]',
      'editingKeys: [Backspace, x]',
      'keystrokes.editingKeys[1] ("x") is a character',
    ],
    ['letter as releasing key', '[Enter, Tab]', '[Enter, Tab, x]', 'keystrokes.releasingKeys[2] ("x") is a character'],
    [
      'releasing key not named',
      '[Enter, Tab]',
      '[Enter, Tab, Escape]',
      'keystrokes.releasingKeys[2] ("Escape") is not in namedKeys',
    ],
    [
      'editing key not named',
      'editingKeys: [Backspace]',
      'editingKeys: [Delete]',
      'keystrokes.editingKeys[0] ("Delete") is not in namedKeys',
    ],
    ['key both ways', 'editingKeys: [Backspace]', 'editingKeys: [Tab]', 'is in releasingKeys as well'],
    ['shortcut without modifier', '[Ctrl+S,', '[S,', 'needs Ctrl, Alt or Meta'],
    [
      'shortcut of Shift and a letter',
      '[Ctrl+S,',
      '[Shift+A,',
      'keystrokes.shortcuts[0] ("Shift+A") needs Ctrl, Alt or Meta',
    ],
    ['shortcut of Shift and space', '[Ctrl+S,', '[Shift+Space,', 'needs Ctrl, Alt or Meta'],
    ['shortcut of a plain named key', '[Ctrl+S,', '[Enter,', 'needs Ctrl, Alt or Meta'],
    ['AltGr character', '[Ctrl+S,', '[Ctrl+Alt+E,', 'is Ctrl+Alt with a character'],
    ['AltGr with Shift', '[Ctrl+S,', '[Ctrl+Alt+Shift+E,', 'is Ctrl+Alt with a character'],
    ['AltGr space', '[Ctrl+S,', '[Ctrl+Alt+Space,', 'is Ctrl+Alt with a character'],
    ['shortcut in another order', '[Ctrl+S,', '[Shift+Ctrl+S,', 'write Ctrl+Shift+S'],
    ['shortcut in lower case', '[Ctrl+S,', '[ctrl+s,', 'write Ctrl+S'],
    ['shortcut with Cmd', '[Ctrl+S,', '[Cmd+S,', 'write Meta+S'],
    ['shortcut of unknown key', '[Ctrl+S,', '[Ctrl+Entr,', 'did you mean Enter?'],
    ['shortcut of dead key', '[Ctrl+S,', '[Ctrl+Dead,', 'ends in no known key'],
    [
      'shortcut listed twice',
      '[Ctrl+S,',
      '[Ctrl+S, Ctrl+S,',
      'p.yaml:22:23: keystrokes.shortcuts[1] ("Ctrl+S") is listed twice',
    ],
    ['host with scheme', '[paypal.com]', '["https://paypal.com"]', 'is not a host name'],
    ['host in upper case', '[paypal.com]', '[PayPal.com]', 'is not a host name'],
    ['title without a word', '[payslip]', '["--"]', 'holds no word'],
    ['app of nothing', '[Slack]', '["  "]', 'contexts.excludeApps[0]'],
    ['app listed twice', '[Slack]', '[Slack, slack]', 'is listed twice'],
    ['bad digest', DIGEST, 'sha256:abc', 'vocabulary.digest ("sha256:abc") is not a digest'],
    [
      'duplicate key',
      '  guardSeconds: 5',
      '  guardSeconds: 5\n  guardSeconds: 60',
      'p.yaml:8:3: this key is here twice',
    ],
    ['alias', '[Slack]', '&a [Slack]\n  x: *a', 'p.yaml:16:6: is an alias'],
    ['broken YAML', '[Slack]', '[Slack', 'is not valid YAML'],
    ['two documents', 'text:\n', '---\ntext:\n', 'is not valid YAML'],
    ['unknown tag', '[Slack]', '!!js/function [Slack]', 'is not valid YAML'],
    ['column that is not ours', '  cell: none', '  cell: none\n  text: keep', 'unknown key "text" in columns'],
    ['proto key', '  cell: none', '  cell: none\n  __proto__: {}', 'unknown key "__proto__" in columns'],
    [
      'policy name with spaces',
      'name: small',
      'name: Our Policy',
      'p.yaml:1:7: name ("Our Policy") is not a policy name',
    ],
  ])('%s', (_what, find, replacement, message) => {
    expect(faultOf(find, replacement)).toContain(message);
  });

  it('names all of them, in the order of the file', () => {
    const source = SMALL.replace('guardSeconds: 5', 'guardSeconds: 99').replace('maxMinutes: 30', 'maxMinutes: 99');
    expect(() => parsePolicy(source, 'p.yaml')).toThrow(/^p\.yaml:7:17: .*\np\.yaml:9:15: .*$/u);
  });

  it.each([
    ['an empty file', ''],
    ['a list', '- a\n'],
    ['brackets nested without end', '['.repeat(100_000)],
    ['a map nested without end', '{a: '.repeat(50_000)],
    ['an alias bomb', 'a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n'],
  ])('refuses %s quickly', (_what, source) => {
    expect(() => parsePolicy(source, 'p.yaml')).toThrow(PolicyError);
  });

  it('requires every single rule', () => {
    const lines = SMALL.split('\n');
    for (const [index, line] of lines.entries()) {
      // A section that holds one rule only: without it it is empty, which is another message.
      if (!/^ {2}\w+: ./u.test(line) || /guardSeconds/u.test(line)) continue;
      const without = lines.filter((_, other) => other !== index).join('\n');
      expect(() => parsePolicy(without, 'p.yaml')).toThrow(
        `.${line.trim().split(':')[0] ?? ''}: every rule must be stated`,
      );
    }
  });

  it('is never anything but a PolicyError, whatever the file holds', () => {
    const lines = SMALL.split('\n');
    const edit = fc.record({
      at: fc.nat(lines.length - 1),
      text: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('x:', '- y', '? z', '{', '<<: *a', '\t')),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const changed = [...lines];
        for (const { at, text } of edits) changed[at] = text;
        let thrown: unknown;
        try {
          parsePolicy(changed.join('\n'), 'p.yaml');
        } catch (error) {
          thrown = error;
        }
        expect(thrown === undefined || thrown instanceof PolicyError).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('loadPolicy', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redactory-policy-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });
  const write = async (policy: string | Uint8Array, vocabulary: string): Promise<string> => {
    await writeFile(join(folder, 'v.txt'), vocabulary);
    await writeFile(join(folder, 'p.yaml'), policy);
    return join(folder, 'p.yaml');
  };

  it('finds the vocabulary beside the policy', async () => {
    const { policy, vocabulary } = await loadPolicy(await write(SMALL, VOCABULARY));
    expect(policy.name).toBe('small');
    expect(vocabulary.find('save')?.text).toBe('Save');
  });

  it('refuses another vocabulary than the pinned one, and names both digests', async () => {
    const other = '[texts]\nSave\nJane\n';
    const loading = loadPolicy(await write(SMALL, other));
    await expect(loading).rejects.toThrow(PolicyError);
    await expect(loading).rejects.toThrow(/p\.yaml:5:11: .*review what changed/u);
    await expect(loading).rejects.toThrow(DIGEST);
    await expect(loading).rejects.toThrow(vocabularyOf(other, 'v').digest);
  });

  it('says where a vocabulary that cannot be read is named', async () => {
    await expect(loadPolicy(await write(SMALL.replace('v.txt', 'w.txt'), VOCABULARY))).rejects.toThrow(
      /p\.yaml:4:9: vocabulary\.file: .*w\.txt: cannot be read \(ENOENT\)/u,
    );
    await expect(loadPolicy(await write(SMALL, '[texts]\nRoom 1\n'))).rejects.toThrow(
      /p\.yaml:4:9: .*v\.txt:2: holds digits/u,
    );
  });

  it('refuses files that are missing, too large, or not text', async () => {
    await expect(loadPolicy(join(folder, 'none.yaml'))).rejects.toThrow(/none\.yaml:1:1: cannot be read \(ENOENT\)/u);
    await expect(loadPolicy(await write(SMALL + '#'.repeat(256 * 1024), VOCABULARY))).rejects.toThrow(
      'larger than 256 KiB',
    );
    await expect(loadPolicy(await write(new Uint8Array([0x6e, 0xff, 0xfe]), VOCABULARY))).rejects.toThrow('not UTF-8');
    await expect(loadPolicy(folder)).rejects.toThrow(PolicyError);
  });
});

describe('the digest', () => {
  it('is taken of one text for equal values', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: 'x' })).toBe('{"a":"x","b":[{"c":2,"d":1}]}');
  });

  const digest = (source: string): string => parsePolicy(source, 'p').digest;

  it('is that of the rules, not of comments, order of keys or layout', () => {
    const moved = SMALL.replace('name: small\n', '# a comment\n')
      .concat('name: small\n')
      .replace('[Enter, Tab]', '\n    - Enter\n    - Tab');
    expect(digest(moved)).toBe(digest(SMALL));
  });

  it('changes with every rule', () => {
    const changes: [string, string][] = [
      ['guardSeconds: 5', 'guardSeconds: 6'],
      ['unknown: keep', 'unknown: drop'],
      ['[Slack]', '[]'],
      ['subject: none', 'subject: pseudonym'],
      [DIGEST, `sha256:${'0'.repeat(64)}`],
    ];
    const digests = changes.map(([find, replacement]) => digest(SMALL.replace(find, replacement)));
    expect(new Set([...digests, digest(SMALL)]).size).toBe(changes.length + 1);
  });
});

describe('explainPolicy', () => {
  it('says what the policy does to every column of the table', () => {
    const text = explainPolicy(strict.policy);
    const columns = explainColumns(strict.policy).map(([name]) => name);
    expect(columns).toEqual(
      'date session subject step action app window url target_role target key button direction cell pause length count policy schema'.split(
        ' ',
      ),
    );
    for (const name of columns) expect(text).toMatch(new RegExp(`^  ${name} +\\S`, 'mu'));
    expect(text).toMatch(/^ {2}subject +empty/mu);
    expect(text).toMatch(/^ {2}cell +empty/mu);
    expect(explainPolicy(balanced.policy)).toMatch(/^ {2}subject +the person's pseudonym/mu);
  });

  it('says aloud where texts are kept that nobody reviewed, and what is kept of what is found', () => {
    expect(explainPolicy(recognizers.policy)).toMatch(/DETECTION ONLY in the columns app, window, target/u);
    expect(explainPolicy(recognizers.policy)).toMatch(/^ {2}window +ANY text/mu);
    expect(explainPolicy(strict.policy)).not.toMatch(/DETECTION|ANY/u);
    const lax = { ...strict.policy, text: { ...strict.policy.text, minScore: 0.7, keepKinds: ['ip'] as const } };
    expect(explainPolicy(lax)).toMatch(/from 0\.7 on is cut, but for these kinds: ip\./u);
  });

  it.each(Object.keys(strict.policy.columns))('tells column %s apart when a policy turns it off', (column) => {
    const off = { ...balanced.policy, columns: { ...balanced.policy.columns, [column]: 'none' } };
    expect(Object.fromEntries(explainColumns(off))[column]).toMatch(/^empty/u);
  });
});

describe('docs/policy.md', () => {
  it('is what the schema says', async () => {
    const file = fileURLToPath(new URL('../../docs/policy.md', import.meta.url));
    await expect(policyReference()).toMatchFileSnapshot(file);
    const text = await readFile(file, 'utf8');
    const keys = Object.entries(strict.policy).flatMap(([section, rules]) =>
      typeof rules === 'object' ? Object.keys(rules).map((key) => `\`${section}.${key}\``) : [],
    );
    expect(keys.filter((key) => !text.includes(key))).toEqual([]);
  });
});
