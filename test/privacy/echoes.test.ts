import { describe, expect, it } from 'vitest';
import { createEchoMemory } from '../../src/privacy/echoes.ts';
import { randomFingerprintKey } from '../../src/privacy/karp-rabin.ts';
import { lettersOf } from '../../src/privacy/letters.ts';
import { createTypedLetters } from '../../src/privacy/typed-letters.ts';
import { vocabularyOf } from '../../src/privacy/vocabulary-file.ts';

const VOCABULARY = vocabularyOf(
  '[texts]\nSave\nSave as\nOK\nOK {n}\nPage {n}\n{n}\n保存\nNew\nClose (C)\n[apps]\nWord = winword\nX = twitter, tw\n',
  'test',
);

/** The entries that count as typed once all of `texts` were remembered. */
function typed(...texts: readonly string[]): string[] {
  const memory = createEchoMemory(VOCABULARY);
  for (const text of texts) memory.remember(text);
  return VOCABULARY.entries.filter(({ id }) => memory.has(id, memory.size)).map(({ text }) => text);
}

describe('echo memory', () => {
  it.each([
    ['', []],
    ['save', ['Save']],
    ['please SAVE it', ['Save']],
    ['Save As', ['Save', 'Save as']],
    ['save, as', ['Save', 'Save as']],
    ['saves', []],
    ['autosave', []],
    ['word', ['Word']],
    ['my winword', ['Word']],
    ['close', ['Close (C)']],
    ['twitter', ['X']],
    ['x', []],
    ['page 17', ['Page {n}']],
    ['保存する', ['保存']],
    ['ｓａｖｅ', ['Save']],
    ['sa\u200Bve', ['Save']],
  ])('marks whole words: %j', (text, expected) => {
    expect(typed(text).toSorted()).toEqual(expected.toSorted());
  });

  it('does not mark what says nothing: two letters, a number', () => {
    expect(typed('ok 17')).toEqual([]);
    expect(typed('new')).toEqual(['New']);
  });

  it('does not join texts', () => {
    expect(typed('sa', 've')).toEqual([]);
  });

  it('knows what was typed by when', () => {
    const memory = createEchoMemory(VOCABULARY);
    const [save, word] = [VOCABULARY.find('save')?.id ?? -1, VOCABULARY.findApp('Word')?.id ?? -1];
    memory.remember('save');
    const before = memory.size;
    memory.remember('word');
    memory.remember('save');
    expect([memory.has(save, 0), memory.has(save, before), memory.has(word, before)]).toEqual([false, true, false]);
    expect([memory.has(save, memory.size), memory.has(word, memory.size), memory.size]).toEqual([
      true,
      true,
      before + 1,
    ]);
  });
});

describe('echo memory for free texts', () => {
  const free = (room?: number) => createEchoMemory(VOCABULARY, createTypedLetters(randomFingerprintKey(), room));
  const shown = { letters: lettersOf('falcon save') };

  it('is not there unless it is asked for: nothing can be said of free texts then', () => {
    expect(createEchoMemory(VOCABULARY).echoesIn(shown, 0)).toBeNull();
  });

  it('knows what was typed by when, entries and letters by one measure', () => {
    const memory = free();
    memory.remember('falcon');
    const before = memory.size;
    memory.remember('save');
    expect(before).toBeGreaterThan(0);
    expect(memory.echoesIn(shown, 0)).toEqual([]);
    expect(memory.echoesIn(shown, before)).toEqual([{ start: 0, end: 6 }]);
    expect(memory.echoesIn(shown, memory.size)).toHaveLength(2);
    const save = VOCABULARY.find('save')?.id ?? -1;
    expect([memory.has(save, before), memory.has(save, memory.size)]).toEqual([false, true]);
  });

  it('says nothing any more of what was shown after it was full, and of entries goes on', () => {
    const memory = free(6);
    memory.remember('falcon');
    const before = memory.size;
    memory.remember('a long text that has no room');
    const full = memory.size;
    memory.remember('save');
    expect(full).toBeGreaterThan(before);
    expect(memory.echoesIn(shown, before)).toEqual([{ start: 0, end: 6 }]);
    expect(memory.echoesIn(shown, full)).toBeNull();
    expect(memory.has(VOCABULARY.find('save')?.id ?? -1, memory.size)).toBe(true);
  });
});
