import { expect, it } from 'vitest';
import { canaryMaker, PIECE, plantedRecording, search } from '../../../src/proof/attacks/canaries.ts';
import { Random } from '../../../src/producers/simulator/random.ts';

const TEXT = 'BcDfGhJkLmNpQr';
const isFound = (haystack: string): boolean => search(['otherothergone', TEXT], ['nothing', haystack]).has(TEXT);

it.each([
  ['as it is', `a ${TEXT} b`],
  ['in capitals', TEXT.toUpperCase()],
  ['a piece of it', `x${TEXT.slice(4, 4 + PIECE)}x`],
  ['in hex', Buffer.from(`ab${TEXT}cd`).toString('hex')],
  ['in a URL, every byte encoded', [...Buffer.from(TEXT)].map((b) => `%${b.toString(16)}`).join('')],
  ['in base64', Buffer.from(TEXT).toString('base64')],
  ['in base64 inside of a text, from its first place', Buffer.from(`abc${TEXT}xyz`).toString('base64')],
  ['in base64 inside of a text, from its second place', Buffer.from(`a${TEXT}xyz`).toString('base64')],
  ['in base64 inside of a text, from its third place', Buffer.from(`ab${TEXT}xyz`).toString('base64url')],
  ['in base64 and small letters', Buffer.from(TEXT.toLowerCase()).toString('base64')],
])('a canary is found %s', (_what, haystack) => {
  expect(isFound(haystack)).toBe(true);
});

it.each([
  ['a shorter piece', TEXT.slice(0, PIECE - 1)],
  ['another', 'ZxWvTsRqPnMlKj'],
  ['its letters in another order', Array.from(TEXT).toReversed().join('')],
])('nothing is found in %s', (_what, haystack) => {
  expect(isFound(haystack)).toBe(false);
});

it('stands in every place that can hold a text, each one once', () => {
  const { recording, texts } = plantedRecording(canaryMaker(new Random(1)));
  expect(new Set(texts).size).toBe(texts.length);
  const lines = recording.lines.map((line) => JSON.stringify(line)).join('\n');
  const ids = [recording.subject, recording.ids?.session, recording.ids?.device];
  expect(texts).toEqual(expect.arrayContaining(ids));
  const typed = recording.lines.map((line) => (line.kind === 'key_down' ? String(line['key']) : '')).join('');
  expect(texts.filter((text) => !ids.includes(text) && !lines.includes(text) && !typed.includes(text))).toEqual([]);
  const places = [
    '"title"',
    '"app"',
    '"url"',
    '"name"',
    '"value"',
    '"text"',
    '"key"',
    '"code"',
    '"role"',
    '"private":true',
    '"secure":true',
  ];
  expect(places.filter((place) => !lines.includes(place))).toEqual([]);
});

it('shares no piece with another', () => {
  const make = canaryMaker(new Random(2));
  const texts = Array.from({ length: 3_000 }, make);
  expect(search(texts.slice(0, 1_500), texts.slice(1_500))).toEqual(new Set());
  expect(search(texts.slice(0, 1_500), texts.slice(0, 1_500)).size).toBe(1_500);
});
