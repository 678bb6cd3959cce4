import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changesBetween, formatVocabulary, mergeLines } from '../../src/privacy/vocabulary-changes.ts';
import { keysOf, parseVocabulary, type EntryLine } from '../../src/privacy/vocabulary.ts';

const BASE = parseVocabulary('[apps]\nWord = winword\n[texts]\nSave\nSearch\n[hosts]\ndocs.example.com\n', 'base');
const MORE = parseVocabulary('[apps]\nWINWORD\nFirefox\n[texts]\nsave:\nNext page\n[paths]\nedit\n', 'more');

describe('merged', () => {
  it('all of the first stays, and what means the same is left out of the second', () => {
    expect(formatVocabulary([], mergeLines(BASE, MORE))).toBe(
      '\n[apps]\nFirefox\nWord = winword\n[hosts]\ndocs.example.com\n[paths]\nedit\n[texts]\nNext page\nSave\nSearch\n',
    );
  });

  it('of spellings of one text the first in the list stays', () => {
    const lines = ['Save As', 'Save as', 'save as...'].map((text): EntryLine => ({ kind: 'text', text, aliases: [] }));
    expect(mergeLines([], lines).map(({ text }) => text)).toEqual(['Save As']);
  });

  it('is a vocabulary whatever it was made of, and reads as it was written', () => {
    const name = fc.stringMatching(/^[a-zA-Z]{1,3}( [a-zA-Z]{1,3})?[:*.]?$/u);
    const line = fc.record({
      kind: fc.constantFrom('app' as const, 'text' as const),
      text: name,
      aliases: fc.constant([]),
    });
    fc.assert(
      fc.property(fc.array(line), fc.array(line), (a, b) => {
        const merged = mergeLines(mergeLines([], a), b);
        expect(parseVocabulary(formatVocabulary(['a comment', ''], merged), 'merged')).toEqual(merged);
        const keys = new Set(merged.flatMap((one) => keysOf(one).map((key) => `${one.kind} ${key}`)));
        for (const one of [...a, ...b]) expect(keysOf(one).some((key) => keys.has(`${one.kind} ${key}`))).toBe(true);
      }),
    );
  });
});

describe('changes', () => {
  it('are listed by section, in both directions', () => {
    const { added, removed, changed } = changesBetween(BASE, MORE);
    expect(added).toEqual({ apps: ['Firefox', 'WINWORD'], paths: ['edit'], texts: ['Next page', 'save:'] });
    expect(removed).toEqual({ apps: ['Word = winword'], hosts: ['docs.example.com'], texts: ['Save', 'Search'] });
    expect(changed).toEqual({});
    expect(changesBetween(MORE, BASE)).toEqual({ added: removed, removed: added, changed: {} });
  });

  it('of aliases are changes of the app', () => {
    const other = parseVocabulary('[apps]\nWord = winword, word.desktop\n', 'other');
    expect(changesBetween(BASE, other).changed).toEqual({ apps: ['Word = winword, word.desktop'] });
  });

  it('are none between a vocabulary and itself', () => {
    expect(changesBetween(BASE, BASE)).toEqual({ added: {}, removed: {}, changed: {} });
  });
});
