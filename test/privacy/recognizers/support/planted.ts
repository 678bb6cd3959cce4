/** Valid numbers and texts of every structured kind, made anew from a seed; and the tricks that hide them from patterns. */
import { faker } from '@faker-js/faker';
import { sha256 } from '@noble/hashes/sha2.js';
import { bech32, createBase58check } from '@scure/base';
import { sample, stringMatching } from 'fast-check';
import { getCountries, getExampleNumber, type CountryCode } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import type { DocumentType } from '../../../../src/privacy/recognizers/documents/document.ts';
import { DOCUMENTS } from '../../../../src/privacy/recognizers/documents/index.ts';
import type { SpanKind } from '../../../../src/privacy/recognizers/index.ts';

export interface Planted {
  readonly kind: SpanKind;
  /** What kind of text it is, for the table. */
  readonly name: string;
  readonly text: string;
  /** What must stand before it to tell what it is; may be empty. */
  readonly label: string;
}

/** A pseudo-random generator (mulberry32): the same numbers for the same seed, everywhere. */
export type Random = (below: number) => number;
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export const pick = <T>(random: Random, list: readonly T[]): T => {
  const item = list[random(list.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
};

/** Numbers of a document that its pattern and check digit accept; fewer when they are hard to come by. */
export function validNumbers(document: DocumentType, count: number, seed: number): readonly string[] {
  const lengths = new Set(document.forms.map(lengthOf));
  // The generator knows no look-around; what it asks for is asked for again below.
  const source = document.pattern.source.replace(/\(\?[=!](?:[^()]|\([^()]*\))*\)/gu, '');
  const found: string[] = [];
  const arbitrary = stringMatching(new RegExp(source, 'u'), { size: 'max' });
  for (let batch = 0; batch < MAX_BATCHES && found.length < count; batch += 1) {
    for (const number of sample(arbitrary, { numRuns: 100, seed: seed + batch })) {
      const isRight = lengths.has(number.length) && document.pattern.test(number) && /\d/u.test(number);
      if (isRight && document.check?.(number, written(document, number)) !== false) found.push(number);
    }
  }
  return found.length > 0 ? found.slice(0, count) : [SPECIMENS[document.name] ?? []].flat();
}

const MAX_BATCHES = 12;

/** Of documents so rarely right by chance that none was met; from the authorities' examples. */
const SPECIMENS: Readonly<Record<string, string>> = {
  fr_tax: '3023217600053',
  ro_cnp: '1630615123457',
  nz_account: '010902006838900',
  yu_jmbg: '0101006500006',
  za_id: '8001015009087',
};

export const lengthOf = (form: string): number =>
  (form.match(/\d+/gu) ?? []).reduce((sum, length) => sum + Number(length), 0);

/** The number as the first of the document's forms of its length has it. */
export function written(document: DocumentType, number: string, form = formOf(document, number)): string {
  let at = 0;
  return form
    .replaceAll('_', '-')
    .replaceAll('~', ' ')
    .replace(/\d+/gu, (length) => {
      const group = number.slice(at, at + Number(length));
      at += Number(length);
      return group;
    });
}

function formOf(document: DocumentType, number: string): string {
  const form = document.forms.find((each) => lengthOf(each) === number.length);
  if (form === undefined) throw new Error(`${document.name} has no form of that length`);
  return form;
}

/** A word of the document's context, of a script with spaces. */
export function labelOf(document: DocumentType): string {
  const [first = '', tails = [[]]] = document.context.phrases.entries().next().value ?? [];
  return [first, ...(tails[0] ?? [])].join(' ');
}

const base58check = createBase58check(sha256);
const bytes = (random: Random, length: number): Uint8Array => Uint8Array.from({ length }, () => random(256));
const letters = (random: Random, length: number, alphabet: string): string =>
  Array.from({ length }, () => alphabet.charAt(random(alphabet.length))).join('');
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const MAKERS: Readonly<Record<string, (random: Random) => Omit<Planted, 'name'>>> = {
  email: (random) =>
    plain(
      'email',
      `${faker.internet.username().toLowerCase()}@${pick(random, ['example.com', 'mail.example.org', 'beispiel.de'])}`,
    ),
  phone: (random) => plain('phone', phone(pick(random, getCountries()))),
  'phone, named': (random) => ({
    kind: 'phone',
    text: `${letters(random, 3, '23456789')}${letters(random, 6, '0123456789')}`,
    label: pick(random, ['Tel.', 'phone:', 'Telefon', 'teléfono', 'тел.', '电话']),
  }),
  card: () => plain('card', faker.finance.creditCardNumber({ issuer: 'visa' })),
  iban: () => plain('iban', faker.finance.iban({ formatted: faker.datatype.boolean() })),
  'crypto, base58': (random) =>
    plain('crypto_address', base58check.encode(Uint8Array.of(pick(random, [0, 5, 48, 30]), ...bytes(random, 20)))),
  'crypto, bech32': (random) => plain('crypto_address', bech32.encode('bc', [0, ...bech32.toWords(bytes(random, 20))])),
  'crypto, hex': (random) => plain('crypto_address', `0x${letters(random, 40, '0123456789abcdef')}`),
  ipv4: () => plain('ip', faker.internet.ipv4()),
  ipv6: () => plain('ip', faker.internet.ipv6()),
  mac: () => plain('mac', faker.internet.mac()),
  host: (random) =>
    plain(
      'host',
      `srv-${letters(random, 4, 'abcdefgh')}.${pick(random, ['corp', 'acme.local', 'acme.internal', 'lan'])}`,
    ),
  coordinates: (random) =>
    plain(
      'coordinates',
      `${10 + random(70)}.${letters(random, 6, '123456789')}, ${10 + random(160)}.${letters(random, 6, '123456789')}`,
    ),
  'user info': (random) =>
    plain('url_userinfo', `https://${letters(random, 6, 'abcdefgh')}:${letters(random, 8, ALPHANUMERIC)}@localhost/x`),
  'token in a URL': (random) =>
    plain('secret', `https://example.com/x?access_token=${letters(random, 24, ALPHANUMERIC)}`),
  'token of a maker': (random) =>
    plain(
      'secret',
      `${pick(random, ['ghp_', 'glpat-', 'xoxb-', 'sk_live_', 'npm_', 'hf_'])}${letters(random, 36, ALPHANUMERIC)}`,
    ),
  password: (random) => ({
    kind: 'secret',
    text: `${letters(random, 9, ALPHANUMERIC)}7!`,
    label: pick(random, ['password:', 'Passwort:', 'pwd=', 'api_key =', 'mot de passe :', 'contraseña:', 'пароль:']),
  }),
};

const plain = (kind: SpanKind, text: string): Omit<Planted, 'name'> => ({ kind, text, label: '' });

function phone(country: CountryCode): string {
  return getExampleNumber(country, examples)?.formatInternational() ?? '+49 30 901820';
}

const pools = new Map<DocumentType, readonly string[]>();

/** Something personal of any kind. */
export function plant(random: Random): Planted {
  if (random(2) === 0) {
    const name = pick(random, Object.keys(MAKERS));
    const make = MAKERS[name];
    if (make === undefined) throw new Error('no such maker');
    return { name, ...make(random) };
  }
  const document = pick(random, DOCUMENTS);
  let pool = pools.get(document);
  if (pool === undefined) {
    pool = validNumbers(document, 6, 7);
    pools.set(document, pool);
  }
  if (pool.length === 0) return plant(random);
  const number = pick(random, pool);
  const forms = document.forms.filter((form) => lengthOf(form) === number.length);
  return {
    kind: document.kind,
    name: document.name,
    text: written(document, number, pick(random, forms)),
    label: `${labelOf(document)}:`,
  };
}

/** Ways to write a text that look the same to people. */
export const TRICKS: Readonly<Record<string, (text: string, random: Random) => string>> = {
  plain: (text) => text,
  'full width': (text) => text.replace(/[!-~]/gu, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0)),
  'zero width': (text, random) => between(text, () => pick(random, ['\u200B', '\u200D', '\u2060', '\uFEFF', '\u00AD'])),
  'bidi marks': (text, random) => `\u202B${between(text, () => pick(random, ['\u200E', '\u200F', '\u2066']))}\u202C`,
  'combining marks': (text, random) =>
    text.replace(/[A-Za-z0-9]/gu, (character) => character + pick(random, ['\u0336', '\u0332', '', ''])),
  'other digits': (text, random) => {
    const zero = pick(random, [0x660, 0x966, 0xe50, 0x1d7ce]);
    return text.replace(/\d/gu, (digit) => String.fromCodePoint(zero + Number(digit)));
  },
  homoglyphs: (text, random) =>
    text.replace(/[aceopxyABEHKMOPTX]/gu, (letter) => (random(2) === 0 ? letter : (LOOK_ALIKES[letter] ?? letter))),
  keycaps: (text) => text.replace(/\d/gu, (digit) => `${digit}\uFE0F\u20E3`),
};

const between = (text: string, mark: () => string): string =>
  Array.from(text, (character) => character + mark()).join('');

const LOOK_ALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from('aceopxyABEHKMOPTX', (letter, i) => [letter, Array.from('асеорхуАВЕНКМОРТХ')[i] ?? letter]),
);
