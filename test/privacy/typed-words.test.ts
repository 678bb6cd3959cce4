import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEchoMemory } from '../../src/privacy/echoes.ts';
import { tokens } from '../../src/privacy/text.ts';
import { createTypedWords, type TypedWords } from '../../src/privacy/typed-words.ts';
import { vocabularyOf } from '../../src/privacy/vocabulary-file.ts';
import { sha256 } from '../../src/privacy/policy/digest.ts';

const fingerprint = (text: string): number => parseInt(sha256(text).slice(7, 19), 16);
const PUBLIC = new Set(tokens('Save as report draft new message to search results for'));

function typedWords(max = 1_000): TypedWords {
  return createTypedWords({ fingerprint, isPublic: (word) => PUBLIC.has(word), max });
}
function isEcho(shown: string, ...typed: readonly string[]): boolean {
  const memory = typedWords();
  for (const text of typed) memory.remember(text);
  return memory.isEcho(tokens(shown), memory.size);
}

describe('an echo is', () => {
  it.each([
    ['the text itself', 'Hunter Two', 'hunter two'],
    ['a part of what was typed', 'quarterly losses', 'about the quarterly losses of'],
    ['something around what was typed', 'Search results for hunter', 'hunter'],
    ['a private word of it', 'Letter to Anna', 'dear anna, how are you'],
    ['one word of it, public or not', 'Report', 'the report'],
    ['two public words in a row', 'new report draft', 'a report draft'],
    ['words without their digits', 'Order {n}', 'order 4711'],
    ['a sign of a script without spaces', '林 report', '林'],
  ])('%s', (_what, shown, typed) => {
    expect(isEcho(shown, typed)).toBe(true);
  });

  it.each([
    ['public words that were typed apart', 'Save as draft', 'save it, not as a draft'],
    ['what was never typed', 'Inbox', 'outbox'],
    ['short words in common', 'of it goes', 'it is of no use'],
  ])('not %s', (_what, shown, typed) => {
    expect(isEcho(shown, typed)).toBe(false);
  });
});

it('what was typed later is no reason to take for an echo what was shown before', () => {
  const memory = typedWords();
  memory.remember('something');
  const known = memory.size;
  memory.remember('anna');
  expect(memory.isEcho(['anna'], known)).toBe(false);
  expect(memory.isEcho(['anna'], memory.size)).toBe(true);
});

it('is full before it forgets anything, and says so', () => {
  const memory = typedWords(10);
  memory.remember('one two three');
  expect(memory.isFull).toBe(false);
  memory.remember('four five six');
  expect(memory.isFull).toBe(true);
  expect(memory.isEcho(['one'], memory.size)).toBe(true);
});

it('a value that comes again takes no more room', () => {
  const memory = typedWords(10);
  for (let i = 0; i < 100; i++) memory.remember('one two three');
  expect(memory.isFull).toBe(false);
  expect(memory.size).toBe(5);
});

it('never lets pass what the memory of a vocabulary with that entry cuts', () => {
  const word = fc.constantFrom('a', 'ab', 'save', 'anna', 'report', '7', 'ß', '林', 'x-y', 'Ärger');
  const text = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 4 }), (shown, typed) => {
      const vocabulary = vocabularyOf(`[texts]\n${shown.replace(/7/gu, '{n}')}\n`, 'one entry');
      const echoes = createEchoMemory(vocabulary);
      const memory = typedWords();
      for (const one of typed) {
        echoes.remember(one);
        memory.remember(one);
      }
      const passes = !memory.isEcho(tokens(shown), memory.size);
      expect(passes && echoes.has(0, echoes.size)).toBe(false);
    }),
    { numRuns: 500 },
  );
});
