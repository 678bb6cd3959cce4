import type { Kept } from '../../../src/producers/gateway/protocol.ts';
import type { QuarantineReason } from '../../../src/events/outcome.ts';
import { de } from './de.ts';
import { en } from './en.ts';
import { own } from './kept.ts';
import type { Lang, Placeholder, Words } from './words.ts';

export { describe, type Described } from './kept.ts';
export type { Lang, Placeholder, TextKey, Words } from './words.ts';

export const WORDS: Readonly<Record<Lang, Words>> = { en, de };

/** The first language of these that the page has; else English. */
export function languageOf(wanted: readonly string[]): Lang {
  for (const tag of wanted) {
    const lang = own(WORDS, tag.toLowerCase().split('-')[0] ?? '');
    if (lang !== undefined) return lang;
  }
  return 'en';
}

/** The person's own kind of this language, such as `en-GB`, for dates and numbers. */
export const localeOf = (lang: Lang, wanted: readonly string[]): string =>
  wanted.find((tag) => languageOf([tag]) === lang && tag.toLowerCase().startsWith(lang)) ?? lang;

/** Why batches can be set aside; their events may stand among what was dropped. */
const SET_ASIDE: Readonly<Record<QuarantineReason, true>> = {
  oversized: true,
  bad_wire_format: true,
  unknown_schema: true,
  bad_envelope: true,
  not_sealed: true,
  unknown_sealing_key: true,
  sealing_key_destroyed: true,
  unseal_failed: true,
  bad_compression: true,
  bad_payload: true,
  limit_exceeded: true,
  subject_mismatch: true,
  key_missing: true,
  processor_error: true,
  release_refused: true,
};

/** Why something was dropped, in plain words. */
export function reasonWords(reason: string, words: Words): string {
  const known = own(words.dropped, reason);
  if (known !== undefined) return words.dropped[known];
  return own(SET_ASIDE, reason) === undefined ? words.otherReason(reason) : words.setAside;
}

/** What was dropped of a day, most first; reasons with the same words are one. */
export function droppedRows(
  dropped: Kept['days'][number]['dropped'],
  words: Words,
): readonly (readonly [words: string, events: number])[] {
  const sums = new Map<string, number>();
  for (const [reason, events] of Object.entries(dropped)) {
    const text = reasonWords(reason, words);
    if (events > 0) sums.set(text, (sums.get(text) ?? 0) + events);
  }
  return [...sums].sort((a, b) => b[1] - a[1]);
}

export type Piece = { readonly text: string } | { readonly placeholder: Placeholder };

/** A text, taken apart at its placeholders. */
export function pieces(text: string): readonly Piece[] {
  return text
    .split(/(\{[a-z_]+\})/u)
    .filter((part) => part !== '')
    .map((part) => {
      const placeholder = own(en.placeholders, part);
      return placeholder === undefined ? { text: part } : { placeholder };
    });
}
