import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSegmentReader } from '../../src/privacy/segments.ts';
import { formatVocabulary } from '../../src/privacy/vocabulary-changes.ts';
import { vocabularyOf } from '../../src/privacy/vocabulary-file.ts';
import { parseVocabulary } from '../../src/privacy/vocabulary.ts';

const NOTHING = vocabularyOf('', 'nothing');
const reader = createSegmentReader(NOTHING);
const texts = (text: string): string[] => reader.texts(text).map((segment) => segment.text);
const url = (text: string): string[] => reader.url(text).map(({ kind, text }) => `${kind} ${text}`);

describe('a title or label', () => {
  it.each([
    ['Inbox (17) - Mail', ['Inbox ({n})', 'Mail']],
    ['Save as...', ['Save as']],
    ['* Name:', ['Name']],
    ['文件(F)', ['文件']],
    ['Ｆｉｎｄ\u200b it', ['Find it']],
    ['', []],
  ])('%s gives its segments without digits and edges', (title, segments) => {
    expect(texts(title)).toEqual(segments);
  });

  it.each([
    ['a file', 'Report.xlsx - Excel', ['Excel']],
    ['an address', 'ana@example.org - Mail', ['Mail']],
    ['a phone number', 'Call +49 30 901820 - Phone app', ['Phone app']],
    ['a URL', 'https://intranet.corp.example/ana - Browser', ['Browser']],
    ['a path on a disk', 'C:\\Users\\ana - Explorer', ['Explorer']],
    ['another one', '/srv/ana - Terminal', ['Terminal']],
    ['numbers alone', '17 - 4711', []],
    ['what a file would take for a comment', '# general - Chat', ['Chat']],
    ['what a file would take for a section', '[apps] - Editor', ['Editor']],
    ['half a character', 'a\ud800b - Editor', ['Editor']],
    ['more than a label', 'x '.repeat(513), []],
  ])('%s is not proposed', (_what, title, segments) => {
    expect(texts(title)).toEqual(segments);
  });
});

describe('an address', () => {
  it('gives the host and the path', () => {
    expect(url('https://www.Docs.Example.com:8443/edit/OPS-17/%C3%A4?q=ana#x')).toEqual([
      'host docs.example.com',
      'path edit',
      'path OPS-{n}',
    ]);
  });

  it.each(['', 'mailto:ana@example.org', 'file:///home/ana', 'nothing', 'https://ana:secret@docs.example.com/edit'])(
    '%s gives nothing',
    (text) => {
      expect(url(text)).toEqual([]);
    },
  );

  it.each(['http://10.1.2.3/', 'http://localhost/', 'http://[::1]/'])('%s gives no host', (text) => {
    expect(url(text)).toEqual([]);
  });
});

it('roles are lower-case words, apps have no equals sign', () => {
  expect(reader.role('button')).toHaveLength(1);
  expect(reader.role('Bob Miller')).toEqual([]);
  expect(reader.app('Word = ana')).toEqual([]);
  expect(reader.app('WINWORD.EXE').map(({ text }) => text)).toEqual(['WINWORD.EXE']);
});

it('what the vocabulary holds already is left out, however it is written', () => {
  const known = vocabularyOf(
    '[apps]\nWord = winword\n[hosts]\ndocs.example.com\n[paths]\nedit\n[roles]\nbutton\n[texts]\nSave as\n',
    'known',
  );
  const { texts, app, url, role } = createSegmentReader(known);
  expect([...texts('SAVE AS... - Word'), ...app('winword.exe'), ...role('button')]).toEqual([]);
  expect(url('https://docs.example.com/Edit')).toEqual([]);
  expect(texts('Print - Word').map(({ text }) => text)).toEqual(['Print']);
});

it('where something is recognised, nothing is proposed: in the text as it was, and as it would be an entry', () => {
  const asked: string[] = [];
  const { texts } = createSegmentReader(NOTHING, (text) => {
    asked.push(text);
    return text.includes('Anna');
  });
  expect(texts('Anna 17 - Mail 4').map(({ text }) => text)).toEqual(['Mail {n}']);
  expect(asked).toEqual(['Anna 17', 'Mail 4', 'Mail {n}']);
});

it('whatever is read can stand in a file, and comes out of it as it went in', () => {
  const raw = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.webUrl(),
  );
  fc.assert(
    fc.property(raw, (text) => {
      for (const segment of [...reader.texts(text), ...reader.app(text), ...reader.role(text), ...reader.url(text)]) {
        const line = { kind: segment.kind, text: segment.text, aliases: [] };
        expect(parseVocabulary(formatVocabulary([], [line]), 'one')).toEqual([line]);
        expect(segment.kind !== 'host' && /\p{Nd}/u.test(segment.text)).toBe(false);
      }
    }),
    { numRuns: 400 },
  );
});
