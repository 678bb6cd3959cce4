import { array, assert, constantFrom, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contextOf } from '../../../src/privacy/recognizers/context.ts';
import { recognize, toCodePoints } from '../../../src/privacy/recognizers/index.ts';
import { normalise } from '../../../src/privacy/recognizers/normalise.ts';
import { createView } from '../../../src/privacy/recognizers/view.ts';

describe('normalise', () => {
  it.each([
    ['plain ASCII stays, "quotes" and all', 'plain ASCII stays, "quotes" and all'],
    ['ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'jane@example.com'],
    ['ja\u200Bne\u00AD@ex\u2060ample.\u202Ecom\uFEFF', 'jane@example.com'],
    ['jаnе@ехаmрlе.соm', 'jane@example.com'], // Cyrillic in every part
    ['jane@example.сом', 'jane@example.com'.replace('com', 'сом')], // м is no look-alike of a Latin letter
    ['jane@example.со', 'jane@example.co'],
    ['Иван ел кашу, IT-компания', 'Иван ел кашу, IT-компания'],
    ['ΑΒ12', 'AB12'],
    ['λόγος', 'λόγος'],
    ['٠١٢٣ ०१२ 𝟎𝟏 ๓', '0123 012 01 3'],
    ['4\u03331\u03331\u0333', '411'],
    ['1\uFE0F\u20E32\uFE0F\u20E3', '12'],
    ['e\u0301', 'é'],
    ['j\u0301\u0330ane', 'jane'],
    ['नमस्ते สวัสดี שָׁלוֹם', 'नमस्ते สวัสดี שָׁלוֹם'.normalize('NFKC')],
    ['\u1112\u1161\u11AB', '한'],
    ['a\u2010b\u2212c \u201Cq\u201D \u2018s\u2019 x\u2014y', 'a-b-c "q" \'s\' x\u2014y'],
    ['example。com 終わり。次', 'example.com 終わり。次'],
    ['a\u00A0b\u3000c\u2028d\u0000e', 'a b c\nde'],
    ['½ … ﬁ', '1/2 ... fi'],
    ['ﷺﷺﷺ jane@example.com', 'ﷺﷺﷺ jane@example.com'], // each stands for eighteen letters
  ])('%j', (raw, plain) => {
    expect(normalise(raw).text).toBe(plain);
  });

  it('every position maps back to the raw characters that it came from', () => {
    const raw = 'x \u200Bｊ\u0301\u200Bａｎｅ😀é y';
    const { text, toRaw } = normalise(raw);
    const start = text.indexOf('jane');
    const span = toRaw(start, start + 4);
    expect(raw.slice(span.start, span.end)).toBe('ｊ\u0301\u200Bａｎｅ');
    const smile = toRaw(text.indexOf('😀'), text.indexOf('😀') + 2);
    expect(raw.slice(smile.start, smile.end)).toBe('😀');
  });

  it('leaves nothing out behind characters that stand for many letters, and stays within four times the text', () => {
    const expanding = constantFrom('\uFDFA', '\uFDFB', '\u3316', '\u2057', '\u33C2', '\uFDFA\u0301', '㌖', '⒇', 'a');
    assert(
      property(array(expanding, { maxLength: 40 }), (signs) => {
        const raw = `${signs.join('')} jane.doe@example.com`;
        const { text } = normalise(raw);
        expect(text.endsWith(' jane.doe@example.com')).toBe(true);
        expect(text.length).toBeLessThanOrEqual(4 * raw.length);
        expect(recognize(raw).at(-1)).toMatchObject({ kind: 'email', end: raw.length });
      }),
    );
    expect(recognize(`${'\uFDFA'.repeat(8)} jane.doe@example.com`)).toHaveLength(1);
  });

  it('never throws, and maps inside the raw text in order', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 60 }), (raw) => {
        const { text, toRaw } = normalise(raw);
        let last = 0;
        for (let i = 0; i < text.length; i += 1) {
          const { start, end } = toRaw(i, i + 1);
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(raw.length);
          last = start;
        }
      }),
    );
  });
});

it('toCodePoints counts characters outside the basic plane once', () => {
  expect(
    toCodePoints('😀a😀b', [
      { start: 2, end: 3 },
      { start: 3, end: 6 },
    ]),
  ).toEqual([
    { start: 1, end: 2 },
    { start: 2, end: 4 },
  ]);
});

describe('context', () => {
  const tax = contextOf(['tax id', 'Steuernummer', 'número fiscal', '税号']);
  const near = (text: string): boolean => {
    const view = createView(text);
    const at = view.text.indexOf('#');
    return view.near(tax, at, at + 1, { before: 20, after: 10 });
  };

  it.each([
    'tax id #',
    'TAX-ID: #',
    'tax_id=#',
    'taxId=#',
    '# (tax id)',
    'Steuernummer: #',
    'numero Fiscal #',
    '税号#',
  ])('%s', (text) => expect(near(text)).toBe(true));

  it.each([
    'taxi #',
    'tax of the id #',
    'syntax id #',
    `tax id${' '.repeat(30)}#`,
    `#${' '.repeat(20)}tax id`,
    'steuer nummer #',
  ])('not %s', (text) => expect(near(text)).toBe(false));
});
