import { looksLikeFamily } from './forms.ts';
import { FAMILY, flagsOf, flagsOfInflected, foldName, GIVEN, SURE, WORD } from './lists.ts';

/** A word as it is written, with what is known of it as a name. */
interface Written {
  /** Without an ending as in `Ana's`. */
  readonly length: number;
  readonly folded: string;
  /** Flags of lists.ts, and {@link WHOLE}. */
  readonly flags: number;
  /** Flags of the name that this could be an inflected form of, when it is not listed itself. */
  readonly inflected: number;
  /** Begins with a capital letter, or its script has none. */
  readonly isCapital: boolean;
  readonly hasCase: boolean;
  /** All of it capitals, or its script has none. */
  readonly isUpper: boolean;
  /** Latin with letters beyond ASCII. */
  readonly isAccented: boolean;
  readonly isInitial: boolean;
}

/** A word of a text. */
export interface Token extends Omit<Written, 'length'> {
  readonly start: number;
  /** Behind the point of an initial (`J.`). */
  readonly end: number;
  /** What stands between the word before and this one, at most {@link MAX_GAP} characters of it. */
  readonly gap: string;
  /** Part of something that is no text: a path, an address, an identifier. */
  readonly isGlued: boolean;
}

export const MAX_GAP = 8;

/** The words of scripts with spaces between words; those of other scripts are left out. */
export function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  const known = new Map<string, Written>();
  let before = 0;
  for (const match of text.matchAll(UNSPACED.test(text) ? SPACED_WORDS : WORDS)) {
    const word = match[0];
    let written = known.get(word);
    if (written === undefined) {
      written = writtenOf(word);
      known.set(word, written);
    }
    if (written.length === 0) continue;
    const start = match.index;
    const { length, folded, flags, inflected, isCapital, hasCase, isUpper, isAccented, isInitial } = written;
    const end = start + length + (isInitial && text[start + length] === '.' ? 1 : 0);
    const gap = text.slice(Math.max(before, start - MAX_GAP), start);
    const isGlued = gluesBefore(text, start) || gluesAfter(text, start + word.length);
    tokens.push({
      start,
      end,
      folded,
      flags,
      inflected,
      isCapital,
      hasCase,
      isUpper,
      isAccented,
      isInitial,
      gap,
      isGlued,
    });
    before = end;
  }
  return tokens;
}

const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const JOINER = `['\\u2019\\u05F3"-]`;
const SPACED = '(?:(?![\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}])[\\p{L}\\p{M}])+';
const SPACED_WORDS = new RegExp(`${SPACED}(?:${JOINER}${SPACED})*`, 'gu');
const WORDS = new RegExp(`[\\p{L}\\p{M}]+(?:${JOINER}[\\p{L}\\p{M}]+)*`, 'gu');
// English, French, Dutch and Turkish endings; `O'Brien`, `D'Angelo` have a capital after the apostrophe.
const ENDING = /(?:'\p{Ll}{1,5}|-(?:san|sama|kun|chan|sensei|ssi|nim|ji))$/u;

function writtenOf(whole: string): Written {
  const ending = /['-]/u.test(whole) ? ENDING.exec(whole) : null;
  const word = ending === null ? whole : whole.slice(0, ending.index);
  const folded = foldName(word);
  const first = word.charAt(0);
  const hasCase = first.toLowerCase() !== first.toUpperCase();
  const flags = NO_NAMES.has(word.toLowerCase()) ? WORD : flagsOfWord(word, folded);
  const isCapital = !hasCase || first !== first.toLowerCase() || SMALL_ARTICLE.test(word);
  return {
    length: word.length,
    folded,
    flags,
    inflected: (flags & ~(FAMILY | FORMED)) === 0 && isCapital ? flagsOfInflected(folded) : 0,
    isCapital,
    hasCase,
    isUpper: word.length > 1 && word === word.toUpperCase(),
    isAccented: ACCENTED.test(word),
    isInitial: word.length === 1 && hasCase && first !== first.toLowerCase(),
  };
}

/** Words that become a name when their accents are folded away (`Marco`, `Fran`). */
const NO_NAMES = new Set(['março', 'från']);

const ACCENTED = /[\u00C0-\u024F\u1E00-\u1EFF]/u;

/** `Al-Khatib`, `Ben-David`. */
const ARTICLE = /^(?:al|el|an|as|ar|at|az|ad|abu|ben|bar|ibn|bin|bint)-/iu;
/** `al-Hashimi`: the article is small, the name is not. */
const SMALL_ARTICLE = /^(?:al|el|an|as|ar|at|az|ad|abu|ibn|bin|bint)-\p{Lu}\p{Ll}/u;

/** The flags of a double name are what its parts have in common; `Ana-Kovac` is a whole name. */
function flagsOfWord(word: string, folded: string): number {
  const flags = flagsOf(folded);
  if (flags !== 0) return flags;
  if (!word.includes('-')) return looksLikeFamily(folded) ? FAMILY | FORMED : 0;
  const article = ARTICLE.exec(word);
  // No ordinary word begins with one and goes on with a capital: `Al-Mansoori`.
  if (article !== null) {
    const rest = word.slice(article[0].length);
    return (
      flagsOf(foldName(rest)) ||
      (/^(?:[Aa]l|[Ee]l|[Bb][ei]n|[Ii]bn|[Aa]bu)-\p{Lu}\p{Ll}{3}/u.test(word) ? FAMILY | FORMED : 0)
    );
  }
  const parts = word.split('-', 4).map((part) => flagsOf(foldName(part)));
  const common = parts.reduce((all, part) => all & part, -1);
  if ((common & (GIVEN | FAMILY)) !== 0) return common;
  const [one = 0, two = 0] = parts;
  const isWhole = parts.length === 2 && ((one | two) & WORD) === 0 && (one & two & SURE) !== 0;
  if (isWhole && ((one | two) & (GIVEN | FAMILY)) === (GIVEN | FAMILY)) return GIVEN | FAMILY | SURE | WHOLE;
  if (parts.some((part) => (part & WORD) !== 0 && (part & (GIVEN | FAMILY)) === 0)) return WORD;
  // `Müller-Xyz`: one part is known, the other is nothing else.
  return parts.reduce((all, part) => all | part, 0) & (GIVEN | FAMILY | SURE | WORD);
}

/** Beside the flags of lists.ts: given and family name in one word. */
export const WHOLE = 128;
/** A family name that no list holds, by its ending. */
export const FORMED = 256;

function gluesBefore(text: string, start: number): boolean {
  return start > 0 && GLUE_BEFORE.test(text.charAt(start - 1));
}

function gluesAfter(text: string, end: number): boolean {
  const next = text.charAt(end);
  if (next === '' || next === ' ' || (next === '.' && DOCUMENT.test(text.slice(end, end + 6)))) return false;
  return GLUE_AFTER.test(next) || ((next === '.' || next === ':') && LETTER_OR_DIGIT.test(text.charAt(end + 1)));
}

/** A document's kind: what stands before it is its title, `Zhang Xiaoming.docx`. */
const DOCUMENT =
  /^\.(?:docx?|xlsx?|pptx?|pdf|txt|csv|jpe?g|png|heic|zip|msg|eml|od[tsp]|rtf|vcf|mp[34]|m4a)(?![\p{L}\p{N}])/iu;
const GLUE_BEFORE = /[\p{N}\\/#$%&=+~@.:_]/u;
const GLUE_AFTER = /[\p{N}_(=@\\/]/u;
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
