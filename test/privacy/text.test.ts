import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldAccents, normaliseSegment, spellSegment, splitSegments, tokens } from '../../src/privacy/text.ts';

describe('spellSegment', () => {
  it.each([
    ['Save As…', 'Save As...'],
    ['  Inbox\u00a0(17)\u200b ', 'Inbox ({n})'],
    ['Don’t', 'Don’t'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(spellSegment(text)).toBe(expected);
  });

  it('means what the text means, and leaves no digit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const spelt = spellSegment(text);
        expect(normaliseSegment(spelt)).toBe(normaliseSegment(text));
        expect(spelt).not.toMatch(/\p{Nd}/u);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('normaliseSegment', () => {
  it.each([
    ['Save As…', 'save as...'],
    ['  Hello\u00a0 \t World\u200b ', 'hello world'],
    ['Microsoft\u200b Edge', 'microsoft edge'],
    ['ＦＵＬＬ width', 'full width'],
    ['a\u202eb\u2066c\u00ad', 'abc'],
    ['Don’t', "don't"],
    ['A – B — C', 'a - b - c'],
    ['125% (Recommended)', '{n}% (recommended)'],
    ['٣٤ / १२', '{n} / {n}'],
    ['x\u0000y', 'xy'],
    // Invisible between a letter and its accent; invisible only after its compatibility form is resolved.
    ['e\u200d\u0301', 'é'],
    ['a\uffa0', 'a'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(normaliseSegment(text)).toBe(expected);
  });

  it('is idempotent and leaves no digit, outer space or invisible character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const once = normaliseSegment(text);
        expect(normaliseSegment(once)).toBe(once);
        expect(once).not.toMatch(/\p{Nd}|\p{Cf}|^\s|\s$|\s\s/u);
      }),
      { numRuns: 3000 },
    );
  });

  it('ignores invisible characters wherever they stand', () => {
    const invisible = fc.constantFrom('\u200b', '\u200d', '\ufeff', '\u202e', '\u00ad', '\ufe0f', '\u{e0041}');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', 'B', 'é', '7', ' ', '-'), invisible), { maxLength: 20 }),
        (pairs) => {
          const hidden = pairs.map(([letter, mark]) => letter + mark).join('');
          expect(normaliseSegment(hidden)).toBe(normaliseSegment(pairs.map(([letter]) => letter).join('')));
        },
      ),
    );
  });
});

describe('tokens', () => {
  it.each([
    ['Invoice 2024-05 for Müller, GmbH', ['invoice', '{n}', '{n}', 'for', 'müller', 'gmbh']],
    ["don't", ['don', 't']],
    ['设置abc', ['设', '置', 'abc']],
    ['abc123def', ['abc', '{n}', 'def']],
    ['+ - *', []],
  ])('of %j are %j', (text, expected) => {
    expect(tokens(text)).toEqual(expected);
  });
});

describe('splitSegments', () => {
  it.each([
    ['Report.xlsx - Excel', ['Report.xlsx', 'Excel']],
    ['a | b · c • d — e – f', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['well-known state / province', ['well-known state / province']],
    ['one\r\ntwo', ['one', 'two']],
    [' - ', []],
    ['', []],
  ])('of %j are %j', (text, expected) => {
    expect(splitSegments(text)).toEqual(expected);
  });
});

describe('foldAccents', () => {
  it.each([
    ['müller straße', 'muller strasse'],
    ['łódź øre', 'lodz ore'],
  ])('%j becomes %j', (text, expected) => {
    expect(foldAccents(text)).toBe(expected);
  });
});
