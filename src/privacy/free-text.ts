/** Texts that no vocabulary holds, where a policy keeps them all the same: text mode `recognizers`. Pure and browser-safe. */
import { parse } from 'tldts';
import { BoundedCache } from './bounded-cache.ts';
import { lettersOf, type Letters } from './letters.ts';
import type { Policy } from './policy.ts';
import { MAX_TEXT, PLACEHOLDERS } from './public-text.ts';
import { recognize, type Span } from './recognizers/index.ts';
import type { Range } from './typed-letters.ts';

/** What was done to a text before it may be kept. */
export const FREE_TEXT_CHANGES = ['recognized', 'digits', 'address', 'invisible', 'too_long'] as const;
export type FreeTextChange = (typeof FREE_TEXT_CHANGES)[number];

/** Finds what must not stay of a text. */
export type Finder = (text: string) => readonly Span[];

/** How addresses are kept. */
export interface AddressRule {
  /** What stands for an address; null when nothing of it may be kept. */
  template(url: string): string | null;
  /** Whether a text is what {@link template} could have made. */
  isTemplate(text: string): boolean;
}

/** A text that may be kept once its echoes are cut. */
export interface FreeText {
  /** Empty when nothing is left. */
  readonly text: string;
  /** Its letters, to look for echoes among; read each time, for they take far more room than the text. */
  readonly letters: readonly Letters[];
  /** What was taken out of it as a whole, and the letters that it had before; null when it is as it was. */
  readonly cuts: { readonly letters: readonly Letters[]; readonly at: readonly Range[] } | null;
  readonly changes: readonly FreeTextChange[];
}

export interface FreeTexts {
  /** What may be kept of a raw text. Cached by text, in memory. */
  keep(raw: string): FreeText;
  /** `text` of {@link keep} without the echoes in it, which are sorted. */
  cut(text: string, echoes: readonly Range[]): string;
  /** Whether nothing more would be cut from a text: what the last gate asks, of a maker of its own. */
  isClean(text: string): boolean;
}

/** Finds what the policy cuts: all kinds but those it keeps, from its score on. */
export function createFinder({ minScore, keepKinds }: Pick<Policy['text'], 'minScore' | 'keepKinds'>): Finder {
  if (keepKinds.length === 0) return (text) => recognize(text, minScore);
  const kept = new Set(keepKinds);
  // Text that was not searched may hold anything.
  return (text) =>
    recognize(text, minScore).filter(({ kind, checked }) => !kept.has(kind) || checked === 'not_searched');
}

/**
 * A text is kept but for
 * - what recognisers find: `{kind}`;
 * - addresses, which become what the url column would hold: a title shows no more than that;
 * - numbers: `{n}` for each run of digits of any script, and for a word with several (`a3f9c2`), which is a code;
 * - characters that are not seen: controls, format characters, private use.
 *
 * It is looked at again after each change until nothing is found any more, so that the last gate finds nothing either.
 */
export function createFreeTexts(find: Finder, addresses: AddressRule): FreeTexts {
  const kept = new BoundedCache<FreeText>(MAX_CACHED);
  const settled = new BoundedCache<{ readonly text: string }>(MAX_CACHED);

  function keep(raw: string): FreeText {
    if (raw.length > MAX_TEXT) return freeText('{text}', ['too_long'], raw, []);
    const found = find(raw).map(({ start, end, kind }) => ({ start, end, by: `{${kind}}` }));
    const shown = openAddresses(raw);
    const cuts = union([...shown, ...found]);
    const visible = replace(raw, cuts, withoutInvisible).trim();
    // What is not seen may have parted an address.
    const hidden = openAddresses(visible);
    const text = replace(visible, hidden, (part) => part);
    const plain = withoutNumbers(text);
    // Recognisers have seen it as it is.
    const last = found.length === 0 && plain === raw ? raw : settle(plain);
    const changes: FreeTextChange[] = [];
    if (found.length > 0 || last !== plain) changes.push('recognized');
    if (plain !== text) changes.push('digits');
    if (shown.length + hidden.length > 0) changes.push('address');
    if (withoutInvisible(raw) !== raw) changes.push('invisible');
    return freeText(last, changes, raw, cuts);
  }

  const templateOf = (text: string, { start, end }: Range): Cut => ({
    start,
    end,
    by: addresses.template(withScheme(text.slice(start, end))) ?? '{text}',
  });
  const openAddresses = (text: string): Cut[] =>
    addressesOf(text)
      .filter(({ start, end }) => !addresses.isTemplate(text.slice(start, end)))
      .map((at) => templateOf(text, at));

  /** Cuts until nothing is found any more; what is never done is not kept. */
  function settle(text: string): string {
    // What a joiner joined may have been cut.
    let rest = tidy(text);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const cuts = foundIn(rest);
      // Placeholders can be longer than what they stand for.
      if (cuts.length === 0) return rest.length > MAX_TEXT ? '{text}' : rest;
      rest = tidy(replace(rest, cuts, (part) => part));
    }
    return '{text}';
  }

  function foundIn(text: string): Cut[] {
    const wholes = wholesOf(text);
    const isInside = (span: Range): boolean => wholes.some(({ start, end }) => span.start >= start && span.end <= end);
    const found = find(text).flatMap((span): Cut[] =>
      isInside(span) ? [] : [{ ...widen(span, wholes), by: `{${span.kind}}` }],
    );
    return union([...found, ...openAddresses(text)]);
  }

  return {
    keep: (raw) => kept.get(raw, keep),
    cut(text, echoes) {
      if (echoes.length === 0) return text;
      const wholes = wholesOf(text);
      const cuts = union(echoes.map((echo) => ({ ...widen(echo, wholes), by: '{typed}' })));
      const rest = replace(text, cuts, (part) => part).replace(TYPED_RUN, '{typed}');
      return settled.get(rest, (before) => ({ text: settle(before) })).text;
    },
    isClean: (text) =>
      text !== '' &&
      text.length <= MAX_TEXT &&
      tidy(text) === text &&
      withoutNumbers(text) === text &&
      foundIn(text).length === 0,
  };
}

function freeText(text: string, changes: readonly FreeTextChange[], raw: string, at: readonly Range[]): FreeText {
  const cuts = {
    at,
    get letters() {
      return lettersOf(raw);
    },
  };
  return {
    text,
    changes,
    cuts: text === raw ? null : cuts,
    get letters() {
      return lettersOf(text);
    },
  };
}

const MAX_CACHED = 20_000;
const MAX_ROUNDS = 4;

interface Cut extends Range {
  readonly by: string;
}

/** Sorted, overlapping ones made one, which becomes what the longest of them becomes. */
function union(cuts: readonly Cut[]): Cut[] {
  const merged: { start: number; end: number; by: string; longest: number }[] = [];
  for (const { start, end, by } of cuts.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (last === undefined || start >= last.end) merged.push({ start, end, by, longest: end - start });
    else {
      last.end = Math.max(last.end, end);
      if (end - start > last.longest) Object.assign(last, { by, longest: end - start });
    }
  }
  return merged;
}

function replace(text: string, cuts: readonly Cut[], keep: (part: string) => string): string {
  let out = '';
  let at = 0;
  for (const { start, end, by } of cuts) {
    out += keep(text.slice(at, start)) + by;
    at = end;
  }
  return out + keep(text.slice(at));
}

/** Widened to all of each placeholder or address that it touches: half of one says nothing and looks like text. */
function widen({ start, end }: Range, wholes: readonly Range[]): Range {
  let wide = { start, end };
  for (const whole of wholes) {
    if (whole.start < wide.end && whole.end > wide.start) {
      wide = { start: Math.min(wide.start, whole.start), end: Math.max(wide.end, whole.end) };
    }
  }
  return wide;
}

/** What is cut whole or not at all, sorted: addresses and placeholders. */
function wholesOf(text: string): Cut[] {
  const placeholders = Array.from(text.matchAll(PLACEHOLDER), ({ index, 0: { length } }) => ({
    start: index,
    end: index + length,
  }));
  return union(
    [...addressesOf(text), ...placeholders].map(({ start, end }) => ({ start, end, by: text.slice(start, end) })),
  );
}

const PLACEHOLDER = new RegExp(PLACEHOLDERS.map((p) => p.replaceAll(/[{}]/gu, String.raw`\$&`)).join('|'), 'gu');
/** How many words were typed in a row is not shown. */
const TYPED_RUN = /\{typed\}(?:[\s\p{P}\p{S}]{0,2}\{typed\})+/gu;

/**
 * Where addresses stand in a text: with a scheme, with `www.` in front, or a public host with a path behind. A host alone
 * may be a product's name (`Booking.com`) or a file's (`README.md`).
 */
function addressesOf(text: string): Range[] {
  if (!text.includes('/') && !WWW.test(text)) return [];
  const found: Range[] = [];
  for (const match of text.matchAll(ADDRESS)) {
    const [whole, host] = match;
    if (host !== undefined && parse(host).isIcann !== true) continue;
    const length = whole.replace(SENTENCE_END, '').length;
    found.push({ start: match.index, end: match.index + length });
  }
  return found;
}

const WWW = /www\./iu;
const REST = String.raw`[^\s"'<>“”«»]*`;
const ADDRESS = new RegExp(
  [
    String.raw`[a-z][a-z0-9+.-]{0,30}:\/\/${REST}`,
    String.raw`(?<![\p{L}\p{N}])www\.${REST}`,
    String.raw`(?<![\p{L}\p{N}@._/-])((?:[\p{L}\p{N}-]{1,63}\.){1,10}\p{L}{2,24})(?::\d{1,5})?\/${REST}`,
  ].join('|'),
  'giu',
);
const SENTENCE_END = /[.,;:!?)\]]+$/u;

const withScheme = (address: string): string => (SCHEME.test(address) ? address : `https://${address}`);
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//iu;

const tidy = (text: string): string => withoutInvisible(text).trim();

/** Without what nobody sees; line breaks become spaces. Joiners stay where scripts and emoji need them. */
function withoutInvisible(text: string): string {
  if (VISIBLE.test(text)) return text;
  return text.replace(BREAK, ' ').replace(INVISIBLE, (character, at: number, whole: string) => {
    if (!JOINER.test(character) || whole[at - 1] === character) return '';
    return JOINED_BEFORE.test(whole.slice(Math.max(0, at - 2), at)) ? character : '';
  });
}

const VISIBLE = /^[ -~\u00A0-\u00AC\u00AE-\u02FF]*$/u;
const BREAK = /[\t\n\v\f\r\u0085\u2028\u2029]/gu;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;
const JOINER = /\u200C|\u200D|\uFE0F/u;
/** Joiners belong to Arabic and Indian letters, and to emoji; behind Latin ones they only hide. */
const JOINED_BEFORE =
  /[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Mongolian}\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F]$/u;

function withoutNumbers(text: string): string {
  // A host that the vocabulary holds may have digits.
  return NUMBER.test(text)
    ? replace(text, wholesOf(text), (part) => part.replace(CODE, '{n}').replace(DIGITS, '{n}'))
    : text;
}

// Not decimal ones only: raised, circled and Roman ones are read as numbers as well.
const NUMBER = /\p{N}/u;
const DIGITS = /\p{N}+/gu;
const CODE = /(?<![\p{L}\p{M}\p{N}])[\p{L}\p{M}]*\p{N}+[\p{L}\p{M}]+\p{N}[\p{L}\p{M}\p{N}]*/gu;
