import { describe, expect, it } from 'vitest';
import { followTyping, type TypedText } from '../../src/processors/typedText.ts';

/** The texts handed to the memory after typing was closed; the last ones tell what stood there in the end. */
function followed(write: (typing: TypedText) => void): string[] {
  const texts: string[] = [];
  const typing = followTyping({ remember: (text) => void texts.push(text) });
  write(typing);
  typing.close();
  return texts;
}

const plain = { byWord: false, byLine: false, selecting: false };
const byWord = { ...plain, byWord: true };
const byLine = { ...plain, byLine: true };
const selecting = { ...plain, selecting: true };

describe('the text that keys produce', () => {
  it.each<[string, (t: TypedText) => void, string]>([
    ['is what was inserted', (t) => t.insert('ab'), 'ab'],
    ['without what was deleted', (t) => (t.insert('abx'), t.edit('Backspace', plain)), 'ab'],
    ['from the front', (t) => (t.insert('xab'), t.edit('Home', plain), t.edit('Delete', plain)), 'ab'],
    ['in the middle', (t) => (t.insert('ac'), t.edit('ArrowLeft', plain), t.insert('b')), 'abc'],
    ['and back', (t) => (t.insert('ac'), t.edit('Home', plain), t.edit('ArrowRight', plain), t.insert('b')), 'abc'],
    ['at the end', (t) => (t.insert('ab'), t.edit('Home', plain), t.edit('End', plain), t.insert('c')), 'abc'],
    ['by word', (t) => (t.insert('ab xy '), t.edit('Backspace', byWord), t.insert('cd')), 'ab cd'],
    ['before a word', (t) => (t.insert('cd'), t.edit('ArrowLeft', byWord), t.insert('ab ')), 'ab cd'],
    ['before a line', (t) => (t.insert('b cd'), t.edit('ArrowLeft', byLine), t.insert('a')), 'ab cd'],
    [
      'after a line',
      (t) => (t.insert('ab c'), t.edit('Home', plain), t.edit('ArrowRight', byLine), t.insert('d')),
      'ab cd',
    ],
    ['by line', (t) => (t.insert('ab xy '), t.edit('Backspace', byLine), t.insert('cd')), 'cd'],
    [
      'over a selection',
      (t) => (t.insert('axx'), t.edit('ArrowLeft', selecting), t.edit('ArrowLeft', selecting), t.insert('b')),
      'ab',
    ],
    [
      'without a selection',
      (t) => (t.insert('ab'), t.edit('Home', selecting), t.edit('Delete', plain), t.insert('cd')),
      'cd',
    ],
    [
      'no further than its ends',
      (t) => (
        t.insert('b'),
        t.edit('Home', plain),
        t.edit('ArrowLeft', plain),
        t.edit('Backspace', plain),
        t.insert('a')
      ),
      'ab',
    ],
    [
      'in whole characters',
      (t) => (t.insert('😀a'), t.edit('Backspace', plain), t.edit('Backspace', plain), t.insert('b')),
      'b',
    ],
  ])('%s', (_what, write, expected) => {
    expect(followed(write).at(-1)).toBe(expected);
  });

  it('is remembered before anything of it vanishes', () => {
    expect(followed((t) => (t.insert('ab'), t.edit('Backspace', byWord)))).toContain('ab');
  });
  it('continues what stood before it', () => {
    expect(followed((t) => (t.insert('se'), t.close(), t.insert('tt')))).toEqual(['se', 'tt', 'sett']);
  });
  it('continues what is left of it', () => {
    const texts = followed((t) => (t.insert('sex'), t.close(), t.edit('Backspace', plain), t.insert('tt')));
    expect(texts.at(-1)).toBe('sett');
  });
  it('is remembered once as long as it stays', () => {
    expect(followed((t) => (t.insert('a'), t.remember(), t.remember()))).toEqual(['a']);
  });
  it('starts a piece when the caret jumps', () => {
    expect(followed((t) => (t.insert('ab'), t.edit('ArrowUp', plain), t.insert('cd')))).toEqual(['ab', 'cd', 'abcd']);
  });
});

it('pieces of a long text overlap, and none is longer than a piece may be', () => {
  const words = Array.from({ length: 400 }, (_, i) => `word${i}`);
  const texts = followed((t) => {
    for (const sign of words.join(' ')) t.insert(sign);
  });
  for (const word of words) expect(texts.some((text) => text.split(' ').includes(word))).toBe(true);
  expect(Math.max(...texts.map((text) => text.length))).toBeLessThanOrEqual(512 + 96);
});

it('a long text inserted at once is remembered whole', () => {
  const text = 'x'.repeat(600);
  expect(followed((t) => t.insert(text))).toContain(text);
});
