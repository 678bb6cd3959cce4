import { contextOf } from '../context.ts';
import type { Span } from '../span.ts';
import type { TextView } from '../view.ts';

/**
 * Long runs of characters that look random. What they are is told by the words beside them: a hash beside `commit` or
 * `sha256` stays; one beside `key` or `token` is a secret; without either, only what nobody shows for fun counts.
 */
export function randomTokens(view: TextView): Span[] {
  const spans: Span[] = [];
  for (const run of view.text.matchAll(RUN)) {
    if (run[0].length < MIN_RANDOM) continue;
    for (const piece of run[0].matchAll(PIECE)) {
      const looks = looksRandom(piece[0]);
      if (looks === undefined) continue;
      const start = run.index + piece.index;
      const end = start + piece[0].length;
      spans.push({ start, end, kind: 'secret', score: scoreOf(view, looks, start, end), checked: looks });
    }
  }
  return spans;
}

type Looks = 'uuid' | 'ulid' | 'hex' | 'digest' | 'entropy';

const VERSION_CONTROL = contextOf([
  'commit',
  'commits',
  'git',
  'sha',
  'hash',
  'checksum',
  'digest',
  'integrity',
  'md',
  'rev',
  'revision',
  'tree',
  'blob',
  'branch',
  'merge',
  'merged',
  'cherry pick',
  'parent',
  'tag',
  'HEAD',
  'diff',
  'index',
  'build',
  'version',
  'image',
  'docker',
  'etag',
  'fingerprint',
  'Prüfsumme',
  'somme de contrôle',
  'suma de comprobación',
  'controlesom',
  'suma kontrolna',
]);

const SECRET_WORDS = contextOf([
  'key',
  'keys',
  'token',
  'secret',
  'password',
  'passwd',
  'auth',
  'authorization',
  'bearer',
  'cookie',
  'session',
  'credential',
  'credentials',
  'signature',
  'license',
  'Schlüssel',
  'Passwort',
  'clé',
  'clave',
  'chiave',
  'chave',
  'sleutel',
  'klucz',
  'ключ',
  'user id',
  'user',
  'account',
  'customer',
  'device id',
  'tenant',
  'subscription',
]);

const NEAR = { before: 32, after: 12 };

function scoreOf(view: TextView, looks: Looks, start: number, end: number): number {
  const isShown = view.near(VERSION_CONTROL, start, end, NEAR);
  const isSecret = view.near(SECRET_WORDS, start, end, NEAR);
  if (isSecret && !isShown) return 0.7;
  if (isShown) return looks === 'entropy' && isSecret ? 0.4 : 0.1;
  // Interfaces are full of UUIDs, and what has the length of a digest most often is one.
  return looks === 'entropy' ? 0.6 : looks === 'hex' ? 0.45 : 0.3;
}

// A run is all that a token may be made of; a piece leaves out what also joins words in paths and sentences.
const RUN = /[\w+/=.~-]+/gu;
const PIECE = /[\w+~-]+={0,2}/gu;
const MIN_RANDOM = 20;
/** Digits of MD5, SHA-1, SHA-256, SHA-384 and SHA-512 in hex. */
const DIGESTS: ReadonlySet<number> = new Set([32, 40, 64, 96, 128]);

/** What makes a piece look random, or undefined: words joined by case, dashes or underscores change kind seldom. */
function looksRandom(piece: string): Looks | undefined {
  if (piece.length < MIN_RANDOM) return undefined;
  const characters = piece.replace(/[^A-Za-z0-9]/gu, '');
  if (characters.length < MIN_RANDOM) return undefined;
  if (UUID.test(piece)) return 'uuid';
  if (ULID.test(piece)) return 'ulid';
  if (isJoined(piece)) return undefined;
  if (/^(?=.*\d)(?=.*[a-f])[0-9a-f]{24,}$/iu.test(characters)) {
    if (changesOf(characters) < HEX_CHANGES) return undefined;
    return DIGESTS.has(characters.length) && characters.length === piece.length ? 'digest' : 'hex';
  }
  if (entropyOf(characters) < MIN_ENTROPY) return undefined;
  const changes = changesOf(characters);
  return changes >= (/\d/u.test(characters) ? MIXED_CHANGES : LETTER_CHANGES) ? 'entropy' : undefined;
}

const UUID = /(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])/iu;

/** `Win11_23H2_English_x64v2`: words, versions and dates between dashes or underscores, at least one of them a word. */
function isJoined(piece: string): boolean {
  const parts = piece.split(/[_-]/u);
  return parts.length > 2 && parts.every((part) => PART.test(part)) && parts.some((part) => WORD.test(part));
}

const WORD = /^[A-Z]?[a-z]{3,}$/u;
const PART =
  /^(?:[A-Z]?[a-z]{1,14}|[A-Z]{1,6}|\d{1,8}|[A-Za-z]{1,5}\d{1,4}(?:[A-Za-z]\d{0,2})?|\d{1,4}[A-Za-z]\d{0,2})$/u;

/** Begins with the time: `01` until 2039 (github.com/ulid/spec). */
const ULID = /^01[0-9A-HJKMNP-TV-Z]{24}$/u;

/** Bits a character; random base64 of 20 characters has about 4.1, English without spaces about 3.5. */
const MIN_ENTROPY = 3.3;
/** Share of neighbours of different kinds, see changesOf: random base64 about 0.42, camelCase about 0.17. */
const MIXED_CHANGES = 0.28;
const LETTER_CHANGES = 0.3;
const HEX_CHANGES = 0.2;

function changesOf(characters: string): number {
  let changes = 0;
  for (let i = 1; i < characters.length; i += 1) {
    const before = kindOf(characters.charCodeAt(i - 1));
    const kind = kindOf(characters.charCodeAt(i));
    // Upper to lower is how a word begins: in camelCase only its first letter counts.
    if (kind !== before && !(before === UPPER && kind === LOWER)) changes += 1;
  }
  return changes / (characters.length - 1);
}

const DIGIT = 0;
const UPPER = 1;
const LOWER = 2;
const kindOf = (code: number): number => (code < 0x3a ? DIGIT : code < 0x5b ? UPPER : LOWER);

function entropyOf(characters: string): number {
  const counts = new Map<string, number>();
  for (const character of characters) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / characters.length) * Math.log2(count / characters.length);
  return bits;
}
