/** Words near a place in a text: what makes nine digits an account number. Bounded: asking costs no more in a long text. */
import { foldAccents } from '../text.ts';

/** A set of words and phrases that mean one thing, in all the languages at hand. Made by {@link contextOf}. */
export interface Context {
  /** By the first word: the words that must follow it. */
  readonly phrases: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** Words of scripts that are written without spaces: looked for as they are. */
  readonly unspaced: readonly string[];
}

/** How far from a span its context may stand, in UTF-16 code units. */
export interface Reach {
  readonly before: number;
  readonly after: number;
}

export const REACH: Reach = { before: 60, after: 30 };

/** Where the words of contexts stand in one text. */
export interface ContextIndex {
  /** Whether a word or phrase of `context` stands before `start` or after `end`, within reach of them. */
  near(context: Context, start: number, end: number, reach?: Reach): boolean;
  /** Whether the text holds any of the words at all: a cheap reason not to look. */
  has(context: Context): boolean;
}

/**
 * Case, accents and what stands between the words don't count: `tax id` is found in `Tax-ID`, `tax_id` and `taxId`.
 * A space in a phrase stands for any gap without a letter, of at most 3 characters.
 */
export function contextOf(...lists: readonly (readonly string[])[]): Context {
  const phrases = new Map<string, (readonly string[])[]>();
  const unspaced: string[] = [];
  for (const phrase of lists.flat()) {
    // Not folded, as the text isn't: without their marks `パ` and `กี่` are other letters.
    if (UNSPACED.test(phrase)) {
      unspaced.push(phrase.toLowerCase());
      continue;
    }
    const lower = fold(phrase);
    const [first, ...rest] = lower.match(WORD) ?? [];
    if (first === undefined) continue;
    const others = phrases.get(first);
    if (others === undefined) phrases.set(first, [rest]);
    else others.push(rest);
  }
  return { phrases, unspaced };
}

interface Word {
  readonly start: number;
  readonly end: number;
  readonly word: string;
}

interface Hit {
  readonly start: number;
  readonly end: number;
}

/** Looks at nothing until the first question. */
export function indexContexts(text: string): ContextIndex {
  let words: { readonly list: readonly Word[]; readonly places: ReadonlyMap<string, readonly number[]> } | undefined;
  let unspaced: string | undefined;
  const known = new Map<Context, readonly Hit[]>();

  function hitsOf(context: Context): readonly Hit[] {
    let hits = known.get(context);
    if (hits === undefined) {
      words ??= indexWords(text);
      unspaced ??= UNSPACED.test(text) ? text.toLowerCase() : '';
      hits = [...spacedHits(context, words), ...unspacedHits(context, unspaced)].toSorted((a, b) => a.start - b.start);
      known.set(context, hits);
    }
    return hits;
  }

  return {
    has: (context) => hitsOf(context).length > 0,
    near(context, start, end, reach = REACH) {
      const hits = hitsOf(context);
      if (hits.length === 0) return false;
      let low = firstFrom(hits, start - reach.before - MAX_PHRASE);
      for (; low < hits.length; low += 1) {
        const hit = hits[low];
        if (hit === undefined || hit.start >= end + reach.after) return false;
        const isBefore = hit.end <= start && hit.end >= start - reach.before;
        if (isBefore || hit.start >= end) return true;
      }
      return false;
    },
  };
}

const MAX_PHRASE = 60;

function firstFrom(hits: readonly Hit[], from: number): number {
  let low = 0;
  for (let high = hits.length; low < high;) {
    const middle = (low + high) >> 1;
    if ((hits[middle]?.start ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

function indexWords(text: string): { list: Word[]; places: Map<string, number[]> } {
  const list: Word[] = [];
  const places = new Map<string, number[]>();
  for (const match of text.matchAll(CASED_WORD)) {
    const word = fold(match[0]);
    const others = places.get(word);
    if (others === undefined) places.set(word, [list.length]);
    else others.push(list.length);
    list.push({ start: match.index, end: match.index + match[0].length, word });
  }
  return { list, places };
}

function spacedHits(
  context: Context,
  { list, places }: { readonly list: readonly Word[]; readonly places: ReadonlyMap<string, readonly number[]> },
): Hit[] {
  const hits: Hit[] = [];
  const isShort = places.size < context.phrases.size;
  for (const first of isShort ? places.keys() : context.phrases.keys()) {
    const tails = context.phrases.get(first) ?? [];
    for (const place of tails.length === 0 ? [] : (places.get(first) ?? [])) {
      const start = list[place];
      if (start === undefined) continue;
      for (const tail of tails) {
        const end = tailEnd(list, place, tail);
        if (end !== undefined) hits.push({ start: start.start, end });
      }
    }
  }
  return hits;
}

function tailEnd(list: readonly Word[], place: number, tail: readonly string[]): number | undefined {
  let last = list[place];
  for (const [i, word] of tail.entries()) {
    const next = list[place + i + 1];
    if (last === undefined || next?.word !== word || next.start - last.end > MAX_GAP) return undefined;
    last = next;
  }
  return last?.end;
}

const MAX_GAP = 3;

function unspacedHits(context: Context, text: string): Hit[] {
  if (text === '') return [];
  const hits: Hit[] = [];
  for (const word of context.unspaced) {
    for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + word.length)) {
      hits.push({ start: at, end: at + word.length });
    }
  }
  return hits;
}

const fold = (word: string): string => {
  const lower = word.toLowerCase();
  return ASCII.test(lower) ? lower : foldAccents(lower);
};

const ASCII = /^\p{ASCII}*$/u;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const WORD = /\p{L}[\p{L}\p{M}]*/gu;
// `taxId` is two words, `SSN` one.
const CASED_WORD = /\p{Lu}[\p{Ll}\p{M}]+|\p{Lu}+(?!\p{Ll})|\p{L}[\p{Ll}\p{Lo}\p{Lm}\p{M}]*/gu;
