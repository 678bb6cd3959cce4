import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPublicText, PLACEHOLDERS, type Part } from '../../src/privacy/public-text.ts';
import { recognize } from '../../src/privacy/recognizers/index.ts';
import { vocabularyOf } from '../../src/privacy/vocabulary-file.ts';

const VOCABULARY = vocabularyOf(
  `[apps]\nWord = winword\n[hosts]\ndocs.example.com\n[paths]\nedit\nsettings
[texts]\nHome\nSave\nFind - Replace\nPage {n} of {n}\nmail ann.lee@corp.example now\n`,
  'test',
);
const publicText = createPublicText(VOCABULARY);

const shown = (part: Part): string => ('placeholder' in part ? part.placeholder : part.entry.text);
const text = (raw: string): string => publicText.parts(raw).map(shown).join(' - ');
const address = (raw: string): string | null => {
  const known = publicText.url(raw);
  return known === null ? null : `${known.scheme}://${[known.host, ...known.path].map(shown).join('/')}`;
};

describe('titles and labels', () => {
  it.each([
    ['', ''],
    ['HOME', 'Home'],
    ['  home  ', 'Home'],
    ['Ｈｏｍｅ', 'Home'],
    ['Save…', 'Save'],
    ['Page 3 of 17', 'Page {n} of {n}'],
    ['Find - Replace', 'Find - Replace'],
    ['Home - winword', 'Home - Word'],
    ['Ann Lee - Home', '{person} - Home'],
    ['budget.xlsx - Home', '{file} - Home'],
    ['ann.lee@corp.example - Home', '{email} - Home'],
    ['4111 1111 1111 1111', '{card}'],
    ['Home | Ann | Ann', 'Home - {text} - {text}'],
    ['a - b - c - d - e - f - g', '{text} - {text} - {text} - {text} - {text} - {text} - {more}'],
    ['Homes', '{text}'],
  ])('%j is %j', (raw, expected) => {
    expect(text(raw)).toBe(expected);
  });
  it('a reviewed entry that looks personal is not kept: the second layer', () => {
    expect(recognize('mail ann.lee@corp.example now')).not.toEqual([]);
    expect(text('mail ann.lee@corp.example now')).toBe('{email}');
  });
  it('very long texts are not looked at', () => {
    expect(text(`Home${' '.repeat(2000)}`)).toBe('{text}');
  });
});

describe('addresses', () => {
  it.each([
    ['', null],
    ['Home', null],
    ['file:///home/ann/x', null],
    ['javascript:ann', null],
    ['https://docs.example.com', 'https://docs.example.com'],
    ['https://www.docs.example.com/edit', 'https://docs.example.com/edit'],
    ['https://ann:pw@docs.example.com:8443/edit/17?q=ann#ann', 'https://docs.example.com/edit/{n}'],
    ['https://ann.docs.example.com/edit', 'https://{host}/edit'],
    ['http://intranet/ann/settings', 'http://{host}/{part}/settings'],
    ['https://docs.example.com/EDIT/', 'https://docs.example.com/edit'],
    ['https://docs.example.com/%61nn', 'https://docs.example.com/{part}'],
    ['https://docs.example.com/1/2/3/4/5/6/7/8/9', `https://docs.example.com${'/{n}'.repeat(8)}/{more}`],
    [`https://docs.example.com/${'x'.repeat(9000)}`, null],
  ])('%j is %j', (raw, expected) => {
    expect(address(raw)).toBe(expected);
  });
});

it('apps are kept by their canonical name', () => {
  const names = ['', 'WINWORD.EXE', 'Ann’s app', 'Word'].map((name) => publicText.app(name));
  expect(names.map((part) => part && shown(part))).toEqual([null, 'Word', '{text}', 'Word']);
});

it('nothing comes out but entries and placeholders, whatever goes in', () => {
  const allowed = new Set<string>([...PLACEHOLDERS, ...VOCABULARY.entries.map((entry) => entry.text)]);
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...VOCABULARY.entries.map((entry) => entry.text), ' - ', ' | ', '/', '\n', 'https://', '?', '@'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const raw = pieces.join('');
      const link = publicText.url(raw);
      const app = publicText.app(raw);
      const out = [
        ...publicText.parts(raw),
        ...(link === null ? [] : [link.host, ...link.path]),
        ...(app ? [app] : []),
      ];
      for (const part of out) expect(allowed).toContain(shown(part));
    }),
    { numRuns: 500 },
  );
});
