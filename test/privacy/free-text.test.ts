import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFinder, createFreeTexts, type FreeTexts } from '../../src/privacy/free-text.ts';
import type { Span } from '../../src/privacy/recognizers/index.ts';
import { preparePolicy } from '../../src/processors/pipeline.ts';
import { FREE_TEXT, policyWith, VOCABULARY } from '../helpers/line.ts';

const policy = policyWith(FREE_TEXT);
const makeTexts = (): FreeTexts => preparePolicy(policy, VOCABULARY).freeTexts;
const texts = makeTexts();
const kept = (raw: string): string => texts.keep(raw).text;

describe('a text is kept as it is', () => {
  it.each([
    'Quarterly report – Draft.docx - Word',
    'Save as…',
    'Übersicht: Straßenverzeichnis (neu)',
    '会議の資料',
    'Отчёт за год',
    'گزارش',
    'می\u200Cخواهم',
    '👩\u200D💻 ☺\uFE0F 🏳\uFE0F\u200D🌈',
    'क्\u200Dष',
    'Hello {name}, <b>you</b> & me',
    'AT&T / N.B. e.g. and/or',
    'README.md, Booking.com and Node.js/Express',
    '“quoted” ‘text’',
  ])('%j', (raw) => {
    expect(texts.keep(raw)).toMatchObject({ text: raw, changes: [] });
    expect(makeTexts().isClean(raw)).toBe(true);
  });
});

describe('but', () => {
  it.each<[string, string, string]>([
    ['what is recognised', 'Mail to ann.lee@corp.example now', 'Mail to {email} now'],
    ['every number', 'Page 3 of 17', 'Page {n} of {n}'],
    ['numbers of other scripts', '٣ ３ ③ Ⅷ x²', '{n} {n} {n} {n} x{n}'],
    ['the number in a word', 'H264 3D', 'H{n} {n}D'],
    ['codes', 'commit a3f9c2, B2B4C, 7x7x7', 'commit {n}, {n}, {n}'],
    ['addresses', 'see https://ann.corp.example/x/17?q=1.', 'see https://{host}/{part}/{n}.'],
    ['known addresses', '(www.docs.example.com/edit/ann)', '(https://docs.example.com/edit/{part})'],
    ['addresses without a scheme', 'acme.com/ann/letters or acme.com', 'https://{host}/{part}/{part} or acme.com'],
    ['addresses of other kinds', 'file:///home/ann/x ftp://ann', '{text} {text}'],
    ['user info in addresses', 'https://ann:pw@docs.example.com/edit', 'https://docs.example.com/edit'],
    ['addresses with something unseen in them', 'https:/\u200B/ann.corp.example/ann', 'https://{host}/{part}'],
    ['what is not seen', 'a\u0000b\u202Ec\u{E0041}d\uFEFF\uE000', 'abcd'],
    ['joiners that only hide', 'Fal\u200Dcon\u200C', 'Falcon'],
    ['joiners of what was cut', '۰\u200D خ۷\u200Cخ', '{n} خ{n}خ'],
    ['halves of characters', 'a\uD83Db', 'ab'],
    ['line breaks', ' a\r\nb\tc\u2028', 'a  b c'],
    ['nothing but the unseen', '\u200B \u0000', ''],
  ])('not %s', (_what, raw, expected) => {
    expect(kept(raw)).toBe(expected);
    expect(texts.isClean(raw)).toBe(false);
  });

  it('not texts that are too long to be a label, nor those that placeholders made so', () => {
    expect(kept('x'.repeat(1_025))).toBe('{text}');
    expect(kept('1 '.repeat(256))).toHaveLength(1_023);
    expect(kept('1 '.repeat(257))).toBe('{text}');
    expect([texts.isClean('x'.repeat(1_024)), texts.isClean('x'.repeat(1_025))]).toEqual([true, false]);
  });

  it('says what was done', () => {
    expect(texts.keep('a\u200Bb 7 ann@corp.example https://ann.example').changes.toSorted()).toEqual([
      'address',
      'digits',
      'invisible',
      'recognized',
    ]);
    expect(texts.keep('x'.repeat(2_000)).changes).toEqual(['too_long']);
  });
});

const odd = fc.constantFrom(
  '\u200B',
  '۰',
  'خ',
  '\u200C',
  '\u200D',
  '\u0000',
  '\uD800',
  '７',
  '²',
  ' - ',
  '{n}',
  '{email}',
  '{',
  '}',
  '\n',
);
const planted = fc.constantFrom(
  'ann.lee@corp.example',
  '4111 1111 1111 1111',
  'DE89 3704 0044 0532 0130 00',
  '+49 30 901820',
  'https://ann:pw@corp.example/a?b=c',
  'www.corp.example/ann',
  'corp.com/ann/7',
  '192.168.3.4',
  'ghp_16C7e42F292c6912E7710c838347Ae178B4a',
  'docs.example.com/edit/',
);
const anyText = fc
  .array(
    fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 4 }), odd, planted),
    {
      maxLength: 8,
    },
  )
  .map((pieces) => pieces.join(''));

describe('whatever is shown', () => {
  it('nothing more would be cut from what is kept, nor once echoes were cut', () => {
    const other = makeTexts();
    const range = fc.tuple(fc.nat(60), fc.nat(20));
    fc.assert(
      fc.property(anyText, fc.array(range, { maxLength: 3 }), (raw, ranges) => {
        const { text, letters } = texts.keep(raw);
        expect([text, text === '' || other.isClean(text)]).toEqual([text, true]);
        expect(text).not.toMatch(/[\p{N}\p{Cc}\p{Cs}\p{Co}]/u);
        const echoes = ranges.map(([start, length]) => ({ start, end: start + length }));
        const within = letters.filter((run) => echoes.some(({ start, end }) => run.start < end && run.end > start));
        const cut = texts.cut(text, within);
        expect([cut, cut === '' || other.isClean(cut)]).toEqual([cut, true]);
        for (const { form } of letters) expect(form).not.toBe('');
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes time in proportion to its length', () => {
    for (const unit of ['a', 'a1', 'a.', '1', '/', '{', 'www.', '://', 'é\u0301', '\u200D']) {
      const raw = unit.repeat(1_024 / unit.length);
      const start = performance.now();
      kept(raw);
      expect(performance.now() - start).toBeLessThan(500);
    }
  });
});

describe('looks again until nothing is found', () => {
  const at = (text: string, word: string): Span[] => {
    const start = text.indexOf(word);
    return start === -1 ? [] : [{ start, end: start + word.length, kind: 'person', score: 1, checked: 'test' }];
  };
  const noAddress = { template: () => null, isTemplate: () => false };

  it('tells what it had before of a text in which something is found only when it was changed', () => {
    const late = createFreeTexts((text) => (text.includes('{n}') ? at(text, 'Lee') : []), noAddress);
    const { text, cuts } = late.keep('Ann Lee 7');
    expect(text).toBe('Ann {person} {n}');
    expect(cuts?.letters.map(({ form }) => form)).toEqual(['ann', 'lee']);
    expect(cuts?.at).toEqual([]);
    expect(late.keep('Ann Lee').cuts).toBeNull();
  });

  it('because one thing can hide another', () => {
    const find = (text: string): Span[] => (text.includes('Ann') ? at(text, 'Ann') : at(text, 'Lee'));
    const some = createFreeTexts(find, noAddress);
    expect(some.keep('Ann and Lee').text).toBe('{person} and {person}');
    expect(some.isClean('{person} and Lee')).toBe(false);
  });

  it('and gives up on what never ends', () => {
    expect(createFreeTexts((text) => at(text, 'x'), noAddress).keep('xxxxxxxxx').text).toBe('{text}');
  });

  it('takes placeholders for no finding, and cuts them whole', () => {
    const some = createFreeTexts((text) => [...at(text, 'email'), ...at(text, 'mail} x')], noAddress);
    const clean = ['to {email}', 'to email', '{email} x'].map((text) => some.isClean(text));
    expect(clean).toEqual([true, false, false]);
    expect(some.cut('Ann to {email} x', [{ start: 0, end: 3 }])).toBe('{typed} to {person}');
    expect(some.cut('a {host} b', [{ start: 3, end: 5 }])).toBe('a {typed} b');
  });
});

describe('echoes', () => {
  it('become one placeholder, however many words they are', () => {
    expect(
      texts.cut('ann lee, report', [
        { start: 0, end: 3 },
        { start: 4, end: 7 },
      ]),
    ).toBe('{typed}, report');
  });
  it('in an address take all of it', () => {
    const text = kept('see https://docs.example.com/edit now');
    expect(texts.cut(text, [{ start: 12, end: 16 }])).toBe('see {typed} now');
  });
});

describe('a policy', () => {
  it('counts what is found from its score on', () => {
    const spans = (minScore: number) => createFinder({ minScore, keepKinds: [] })('ann.lee@corp.example').length;
    expect([spans(0.4), spans(0.9)]).toEqual([1, 0]);
  });
  it('may keep kinds, but nothing that was not searched', () => {
    const find = createFinder({ minScore: 0.4, keepKinds: ['ip', 'secret'] });
    expect(find('192.168.3.4 ann.lee@corp.com').map(({ kind }) => kind)).toEqual(['email']);
    expect(find(' word'.repeat(20_000)).map(({ checked }) => checked)).toEqual(['not_searched']);
  });
});
