import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { allLocales } from '@faker-js/faker';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseSegment, splitSegments, tokens } from '../../src/privacy/text.ts';
import { loadVocabulary, vocabularyOf } from '../../src/privacy/vocabulary-file.ts';
import { VocabularyError } from '../../src/privacy/vocabulary.ts';

const BASE = fileURLToPath(new URL('../../policies/vocabulary.txt', import.meta.url));
const source = readFileSync(BASE, 'utf8');
const base = vocabularyOf(source, 'vocabulary.txt');

describe('the base vocabulary', () => {
  it('is large enough to be useful', () => {
    expect(base.counts.text).toBeGreaterThanOrEqual(1800);
    expect(base.size).toBe(Object.values(base.counts).reduce((a, b) => a + b));
  });

  it('is sorted within its sections', () => {
    for (const section of source.split(/^\[[a-z]+\]$/mu).slice(1)) {
      const lines = section.split('\n').filter((line) => line !== '');
      expect(lines).toEqual(lines.toSorted((a, b) => (a < b ? -1 : 1)));
    }
  });

  it.each([
    ['Action Centre, No new notifications (Off)', 'Action Centre, No new notifications (Off)'],
    ['Night light', 'Night light'],
    ['150%', '{n}%'],
    ['100% (Recommended)', '{n}% (Recommended)'],
    ['SUBMIT', 'Submit'],
    ['Add another response.', 'Add another response'],
    ['Save As…', 'Save as'],
    ['* Email:', 'Email'],
    ['文件(F)', '文件'],
    ['Sheet7', 'Sheet{n}'],
    ['Microsoft\u200b Edge', 'Microsoft Edge'],
  ])('keeps %j as %j', (text, expected) => {
    expect(base.find(normaliseSegment(text))?.text).toBe(expected);
  });

  it.each(['John Smith', 'Q3 layoffs.xlsx', 'Acme GmbH', 'jane@example.com', '', '(f)', 'constructor', '__proto__'])(
    'does not keep %j',
    (text) => {
      expect(base.find(normaliseSegment(text))).toBeUndefined();
    },
  );

  it('is made of single segments, so that every text can be found', () => {
    const split = base.entries.filter(({ kind, text }) => kind === 'text' && splitSegments(text).length !== 1);
    expect(split).toEqual([]);
    const lost = base.entries.filter(
      ({ kind, text, id }) => kind === 'text' && base.find(normaliseSegment(text))?.id !== id,
    );
    expect(lost).toEqual([]);
  });

  it('names no person, country, city, state or month, in any language that we have lists of', () => {
    const named = base.entries.filter(
      ({ kind, text }) => kind !== 'role' && kind !== 'host' && personalWords.has(text.toLowerCase()),
    );
    expect(named.map(({ kind, text }) => `${kind} ${text}`).filter((entry) => !REVIEWED.has(entry))).toEqual([]);
  });
});

describe('lookups', () => {
  const small = vocabularyOf(
    `# reviewed
[texts]
Night light
Inbox
{n} items
[roles]
button
[apps]
Google Chrome = chrome, google-chrome
Excel
[hosts]
slack.com
docs.example.com
[paths]
search
v{n}
`,
    'small.txt',
  );

  it('find apps by any alias, with or without .exe or .app, and release their canonical name', () => {
    expect(['chrome', 'CHROME.EXE', 'Google Chrome.app', 'google-chrome'].map((name) => small.app(name))).toEqual(
      Array(4).fill('Google Chrome'),
    );
    expect(small.app('chrome helper')).toBeUndefined();
  });

  it('find hosts exactly or with www., never a subdomain, which may name a tenant', () => {
    expect(['slack.com', 'www.slack.com', 'SLACK.com', 'slack.com.'].map((host) => small.hasHost(host))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(
      ['acme.slack.com', 'slack.com.evil.example', 'notslack.com', 'example.com', 'www.acme.slack.com', ''].map(
        (host) => small.hasHost(host),
      ),
    ).toEqual(Array(6).fill(false));
  });

  it('find path segments and roles', () => {
    expect(small.pathSegment('Search')).toBe('search');
    expect(small.pathSegment('v12')).toBe('v{n}');
    expect(small.pathSegment('acme')).toBeUndefined();
    expect(small.hasRole('button')).toBe(true);
    expect(small.hasRole('BUTTON')).toBe(false);
    expect(small.hasRole('john')).toBe(false);
  });

  it('find entries as runs of whole words, of all kinds but roles', () => {
    const found = (text: string): string[] =>
      small.occurrences(tokens(text)).map((id) => small.entries[id]?.text ?? '');
    expect(found('please turn on Night-Light now')).toEqual(['Night light']);
    expect(found('night lights inboxes')).toEqual([]);
    expect(found('my 12 items in excel on docs.example.com search button')).toEqual([
      'Excel',
      'docs.example.com',
      'search',
      '{n} items',
    ]);
    expect(found('inbox inbox')).toEqual(['Inbox']);
    expect(found('chrome')).toEqual(['Google Chrome']);
    expect(found('a google-chrome')).toEqual(['Google Chrome']);
    // A letter and a number say nothing.
    expect(found('v12')).toEqual([]);
    expect(found('')).toEqual([]);
  });

  it('say the same as a search by hand, for any words', () => {
    const words = fc.array(fc.constantFrom('night', 'light', 'inbox', 'v', '{n}', 'items', 'google', 'chrome', 'x'), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(words, (list) => {
        const text = ` ${list.join(' ')} `;
        const stands = (name: string): boolean => text.includes(` ${tokens(name).join(' ')} `);
        const byHand = small.entries.filter(
          ({ kind, text: name }) =>
            kind !== 'role' && name !== 'v{n}' && [name, ...(name === 'Google Chrome' ? ['chrome'] : [])].some(stands),
        );
        expect(small.occurrences(list)).toEqual(byHand.map(({ id }) => id));
      }),
      { numRuns: 1000 },
    );
  });

  it('release only the reviewed spelling, whatever is looked up', () => {
    const spellings = new Set(base.entries.map(({ text }) => text));
    const texts = new Map(base.entries.map((entry) => [entry.id, entry.text]));
    const near = fc
      .tuple(
        fc.constantFrom(...base.entries.map(({ text }) => text)),
        fc.constantFrom('', ' ', '\u200b', ':', '…', 'X', '1'),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          near,
          near.map((text) => text.toUpperCase()),
        ),
        (text) => {
          const entry = base.find(normaliseSegment(text));
          expect(entry === undefined || (entry.kind === 'text' && texts.get(entry.id) === entry.text)).toBe(true);
          const others = [base.app(text), base.pathSegment(text)].filter((released) => released !== undefined);
          expect(others.filter((released) => !spellings.has(released))).toEqual([]);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a vocabulary file', () => {
  it.each([
    ['[texts]\nSave\n# x\nSAVE:\n', 'v.txt:4: means the same as line 2'],
    ['[texts]\nRoom 12\n', 'v.txt:2: holds digits'],
    ['Save\n', 'v.txt:1: an entry before the first section'],
    ['[text]\n', 'v.txt:1: unknown section [text]'],
    ['[texts]\n+++\n', 'v.txt:2: holds no word'],
    ['[texts]\nSa\u200bve\n', 'v.txt:2: holds an invisible character'],
    ['[hosts]\nwww.example.com\n', 'v.txt:2: is not a host'],
    ['[hosts]\nexample.com/x\n', 'v.txt:2: is not a host'],
    ['[paths]\na/b\n', 'v.txt:2: is not one path segment'],
    ['[roles]\nButton\n', 'v.txt:2: is not a role'],
    ['[apps]\nA One = two\nTwo\n', 'v.txt:3: means the same as line 2'],
    [`[texts]\n${'long '.repeat(50)}\n`, 'v.txt:2: longer than'],
  ])('%j is refused', (text, message) => {
    expect(() => vocabularyOf(text, 'v.txt')).toThrow(VocabularyError);
    expect(() => vocabularyOf(text, 'v.txt')).toThrow(message);
  });

  it('does not quote an entry in an error: it may be what must not be there', () => {
    expect(() => vocabularyOf('[texts]\nJane Doe 12\n', 'v.txt')).toThrow(/^(?!.*Jane)/u);
  });

  it('has a digest of its entries alone, and ids by sorted order', () => {
    const one = vocabularyOf('[texts]\nB\nA\n[apps]\nX = z, y\n', 'a');
    const same = vocabularyOf('# other\r\n[apps]\r\nX = y, z\r\n[texts]\r\nA\r\nB\r\n', 'b');
    expect(one.digest).toMatch(/^sha256:[0-9a-f]{64}$/u);
    expect(same.digest).toBe(one.digest);
    expect(same.entries).toEqual(one.entries);
    expect(vocabularyOf('[texts]\nB\nA\n[apps]\nX = z\n', 'c').digest).not.toBe(one.digest);
    expect(vocabularyOf('[texts]\nB\n[paths]\nA\n[apps]\nX = z, y\n', 'c').digest).not.toBe(one.digest);
  });

  it('that cannot be read is an error that names it', async () => {
    await expect(loadVocabulary('/nonexistent/v.txt')).rejects.toThrow('/nonexistent/v.txt: cannot be read (ENOENT)');
  });
});

/** Names of people, countries, cities, states and months in every language of the generator of made-up people. */
const personalWords = new Set(
  Object.values(allLocales).flatMap((locale) => {
    const { person, location, date } = locale;
    const lists: unknown[] = [
      ...Object.values(person?.first_name ?? {}),
      ...Object.values(person?.last_name ?? {}),
      location?.country,
      location?.city_name,
      location?.state,
      date?.month?.wide,
    ];
    return lists.flatMap((list) =>
      Array.isArray(list) ? list.filter((word) => typeof word === 'string').map((word) => word.toLowerCase()) : [],
    );
  }),
);

/** Words that are someone's name in some language, looked at one by one: as labels they are everywhere. */
const REVIEWED = new Set([
  'app Claude',
  'app Dock',
  'app Miro',
  'path campus',
  'path cart',
  'path de',
  'path general',
  'path gui',
  'path ko',
  'path menu',
  'path mobile',
  'path post',
  'path server',
  'path top',
  'text Block',
  'text Cart',
  'text Centre',
  'text Dock',
  'text Enterprise',
  'text General',
  'text Kalender',
  'text Menu',
  'text Mobile',
  'text Name',
  'text Normal',
  'text Pen',
  'text Post',
  'text Price',
  'text Server',
  'text Split',
  'text Ville',
  'text 예',
]);
