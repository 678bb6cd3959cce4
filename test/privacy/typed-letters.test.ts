import { describe, expect, it } from 'vitest';
import { randomFingerprintKey } from '../../src/privacy/karp-rabin.ts';
import { lettersOf } from '../../src/privacy/letters.ts';
import { createTypedLetters } from '../../src/privacy/typed-letters.ts';

/** `shown` with every echo of what was typed in brackets. */
function marked(typed: readonly string[] | string, shown: string): string {
  const memory = createTypedLetters(randomFingerprintKey());
  for (const text of [typed].flat()) expect(memory.add(lettersOf(text), 0)).toBe(true);
  let out = '';
  let at = 0;
  for (const { start, end } of memory.find(lettersOf(shown), 1)) {
    out += `${shown.slice(at, start)}[${shown.slice(start, end)}]`;
    at = end;
  }
  return out + shown.slice(at);
}

describe('letters that were typed are found', () => {
  it.each([
    // The same words, however they are written.
    ['ann lee', 'Letter to Ann Lee', 'Letter to [Ann] [Lee]'],
    ['MÜLLER', 'muller', '[muller]'],
    ['Straße', 'STRASSE', '[STRASSE]'],
    ['café', 'cafe\u0301s', '[cafe\u0301s]'],
    ['ｆａｌｃｏｎ', 'Falcon', '[Falcon]'],
    ['fal\u200Bcon', 'Falcon', '[Falcon]'],
    ['lee,ann', 'ann.lee', '[ann].[lee]'],
    ['ann7lee', 'ann42-lee', '[ann]42-[lee]'],
    // What goes on: endings, completions.
    ['Mia', 'Mias Konto', '[Mias] Konto'],
    ['Müll', 'Müllerstraße', '[Müllerstraße]'],
    ['ann mu', 'Ann Müller', '[Ann] [Müller]'],
    ['민수', '민수는', '[민수는]'],
    ['Иван', 'Ивановича', '[Ивановича]'],
    // Words as one, and one as words.
    ['ann lee', 'AnnLee.docx', '[AnnLee].docx'],
    ['annlee', 'Ann Lee', '[Ann] [Lee]'],
    ['project fal con', 'ProjectFalcon', '[ProjectFalcon]'],
    // A stretch from anywhere.
    ['the annual budget', 'Q:alBudgetX alBudge', 'Q:[alBudgetX] alBudge'],
    ['xkcdannualbudgetyy', 'our annual budget', 'our [annual] [budget]'],
    // Scripts without spaces.
    ['山田太郎', '山田さんのファイル', '[山田]さんのファイル'],
    ['さくら', 'さくらの予定', '[さくら]の予定'],
    ['会', '会 議', '[会] 議'],
    ['สมชาย', 'รายงานสมชาย', 'รายงาน[สมชาย]'],
    // Alone, even a letter is what was typed.
    ['x', 'x - Search', '[x] - Search'],
  ])('%j in %j', (typed, shown, expected) => {
    expect(marked(typed, shown)).toBe(expected);
  });
});

describe('letters that were not typed are left', () => {
  it.each([
    ['', 'Save as'],
    ['please send it', 'Settings - Sender'.slice(0, 8)],
    ['then', 'the new one'],
    ['to be or not', 'to do: be on it'],
    ['information', 'application'],
    ['for', 'Formatting'],
    ['7 42', '7 of 42'],
    ['会議', '会社の議事'],
    ['typed person', '{typed} {person} {n}'],
  ])('%j is not in %j', (typed, shown) => {
    expect(marked(typed, shown)).toBe(shown);
  });
});

describe('the memory', () => {
  it('knows what was typed by when', () => {
    const memory = createTypedLetters(randomFingerprintKey());
    memory.add(lettersOf('falcon'), 5);
    memory.add(lettersOf('falcon eagle'), 8);
    const found = (known: number) => memory.find(lettersOf('falcon eagle'), known).length;
    expect([0, 5, 6, 8, 9].map(found)).toEqual([0, 0, 1, 1, 2]);
  });

  it('says when it is full, and stays within its bound', () => {
    const memory = createTypedLetters(randomFingerprintKey(), 20);
    expect(memory.add(lettersOf('falcon'), 0)).toBe(true);
    expect(memory.add(lettersOf('abcdefghijklmnopqrstuvwxyz abcdefghijk'), 1)).toBe(false);
    expect(memory.size).toBe(20);
  });

  it('does not join texts', () => {
    expect(marked(['fal', 'con'], 'Falcon fa')).toBe('Falcon fa');
  });
});
