/** The forms in which a personal text could come out, and a search for all of them at once. */
import { readdirSync, readFileSync } from 'node:fs';
import { normaliseSegment, tokens } from '../../src/privacy/text.ts';
import type { Vocabulary } from '../../src/privacy/vocabulary.ts';
import type { PlantedKind, PlantedString } from '../../src/producers/simulator/index.ts';

export interface Needle {
  /** Lower case. */
  readonly form: string;
  readonly from: string;
}

/** Something that left the private side, in lower case. */
export interface Haystack {
  readonly name: string;
  readonly text: string;
  /** Compressed or keyed bytes, numbers and times: short forms are found there by chance. */
  readonly noisy: boolean;
}

/** In noise, shorter forms mean nothing: seven given bytes stand in a megabyte of random ones once in 10^10 times. */
const SHORTEST_IN_NOISE = 7;
const SHORTEST = 4;
/** Our own schemas are on the log too, with what they say of each field. */
const SCHEMAS = new URL('../../schemas/', import.meta.url);
const schemaWords = readdirSync(SCHEMAS, { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .flatMap(({ name }) => tokens(readFileSync(new URL(name, SCHEMAS), 'utf8')));

/** What our own logs and schemas say and a made-up password may be made of. */
const OWN_WORDS: ReadonlySet<string> = new Set([
  ...schemaWords,
  ...[
    'event version offset status request place secret retention address object range space instance release order window',
    'entry membership heartbeat resource decision account section character flight filter cleaner issue passport digit',
    'moment reach configuration example',
  ].flatMap((words) => words.split(' ')),
]);
/** Kinds whose every word is the person's; the others are sentences with common words in them. */
const NAMING: ReadonlySet<PlantedKind> = new Set(['name', 'email', 'subject', 'device', 'password', 'token']);

/**
 * All forms of the planted texts: as they are, encoded for a URL, in base64 and hex, and the single words of those that
 * name somebody. Texts and words that the vocabulary holds are left out: they are public, and whether a session's own
 * typing comes back in them is another check.
 */
export function needlesOf(planted: readonly Pick<PlantedString, 'text' | 'kind'>[], vocabulary: Vocabulary): Needle[] {
  const publicWords = vocabulary.entries.flatMap(({ text }) => tokens(text)).join(' ');
  const needles = new Map<string, Needle>();
  const add = (form: string, from: string): void => {
    const lower = form.toLowerCase();
    // Pseudonyms are 32 hexadecimal digits, in which a short run of such digits stands by chance.
    if (lower.length >= SHORTEST && !/^[\da-f]{1,11}$/u.test(lower)) needles.set(lower, { form: lower, from });
  };
  const texts = new Map(planted.map(({ text, kind }) => [text.trim(), kind]));
  for (const [text, kind] of texts) {
    if (vocabulary.find(normaliseSegment(text)) !== undefined || /^\d{1,7}$/u.test(text)) continue;
    for (const form of formsOf(text)) add(form, `${kind} ${text}`);
    if (!NAMING.has(kind)) continue;
    for (const word of tokens(text)) {
      // Whoever looks for `solution` finds it in every `Resolution`.
      if (word.length >= 5 && !publicWords.includes(word) && !OWN_WORDS.has(word)) add(word, `${kind} ${text}`);
    }
  }
  return [...needles.values()];
}

function formsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  const url = encodeURIComponent(text);
  const base64 = [0, 1, 2].map((lead) => {
    // A text inside a longer one starts at any of three places of base64; what its neighbours share is cut off.
    const encoded = Buffer.concat([Buffer.alloc(lead), bytes])
      .toString('base64')
      .replace(/=+$/u, '');
    return encoded.slice(lead === 0 ? 0 : lead + 1, -1);
  });
  return [text, url, url.replaceAll('%20', '+'), JSON.stringify(text).slice(1, -1), bytes.toString('hex'), ...base64];
}

/** What was found where; nothing, if all is well. Each text is gone through once, however many needles there are. */
export function search(haystacks: readonly Haystack[], needles: readonly Needle[]): string[] {
  const byBeginning = new Map<string, Needle[]>();
  for (const needle of needles) {
    const beginning = needle.form.slice(0, SHORTEST);
    const others = byBeginning.get(beginning);
    if (others === undefined) byBeginning.set(beginning, [needle]);
    else others.push(needle);
  }
  const found = new Set<string>();
  for (const { name, text, noisy } of haystacks) {
    for (let at = 0; at + SHORTEST <= text.length; at++) {
      for (const { form, from } of byBeginning.get(text.slice(at, at + SHORTEST)) ?? []) {
        if (noisy && form.length < SHORTEST_IN_NOISE) continue;
        if (text.startsWith(form, at)) found.add(`${form} (of: ${from}) in ${name}`);
      }
    }
  }
  return [...found];
}

/** Bytes as text: once as UTF-8 for what is readable, once byte for byte for UTF-16 and what is neither. */
export function bytesHaystacks(name: string, bytes: Uint8Array): Haystack[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [
    { name, text: buffer.toString('utf8').toLowerCase(), noisy: true },
    { name: `${name} as UTF-16`, text: utf16(buffer, 0), noisy: true },
    { name: `${name} as UTF-16, from the second byte`, text: utf16(buffer, 1), noisy: true },
  ];
}

/** From an even copy: Node 24.21 writes past its memory when it decodes an odd number of unaligned bytes. */
function utf16(buffer: Buffer, from: number): string {
  const length = Math.floor(Math.max(0, buffer.length - from) / 2) * 2;
  return Buffer.from(buffer.subarray(from, from + length))
    .toString('utf16le')
    .toLowerCase();
}

export const textHaystack = (name: string, text: string, noisy = false): Haystack => ({
  name,
  text: text.toLowerCase(),
  noisy,
});
