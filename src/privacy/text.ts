/** How texts are made comparable before they are looked up. Pure and browser-safe. */

/**
 * The form of a text under which the vocabulary is searched: NFKC, invisible characters stripped, lower case, quotes and
 * dashes made plain, white space folded and trimmed, every run of digits (of any script) replaced by `{n}`.
 *
 * Idempotent. The result may still hold personal text: it is a key to look up, never something to release.
 */
export function normaliseSegment(text: string): string {
  if (PLAIN.test(text)) return text;
  return (
    withFewMarks(text.replace(INVISIBLE, ''))
      .normalize('NFKC')
      // Lower-casing can decompose (İ) and compatibility forms can hold invisible characters, hence the second passes.
      .toLowerCase()
      .normalize('NFKC')
      .replace(INVISIBLE, '')
      .replace(MANY_MARKS, '$1')
      .replace(SINGLE_QUOTES, "'")
      .replace(DOUBLE_QUOTES, '"')
      .replace(DASHES, '-')
      .replace(DIGITS, '{n}')
      .replace(SPACES, ' ')
      .trim()
  );
}

/**
 * A segment as a vocabulary may spell it: as {@link normaliseSegment} has it, but for case, quotes and dashes, which stay.
 * It means the same: both have one normal form.
 */
export function spellSegment(text: string): string {
  return withFewMarks(text.replace(INVISIBLE, ''))
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .replace(MANY_MARKS, '$1')
    .replace(DIGITS, '{n}')
    .replace(SPACES, ' ')
    .trim();
}

/**
 * The words of a text, in order: runs of letters and their marks, `{n}` for a run of digits; a character of a script
 * written without spaces (Han, kana, Thai, Lao, Khmer, Burmese) is a word of its own. Punctuation separates and is left out.
 */
export function tokens(text: string): string[] {
  return normaliseSegment(text).match(WORDS) ?? [];
}

/**
 * Whether words, seen again, say anything about what was typed: one or two ASCII letters do not, and would blank half of every
 * menu; a number without its digits does not either.
 */
export function isTelling(words: readonly string[]): boolean {
  const letters = words.filter((word) => word !== '{n}').join('');
  // One sign of a script without spaces can be a whole word.
  return /[^ -~]/u.test(letters) || letters.length >= SHORTEST_ASCII_ECHO;
}

const SHORTEST_ASCII_ECHO = 3;

/**
 * The parts of a title or label that mean something by themselves: `Report.xlsx - Excel` has two. Cuts at dashes, bars,
 * dots and bullets that stand between white space, and at line breaks; parts are trimmed, empty ones left out.
 */
export function splitSegments(text: string): string[] {
  const parts: string[] = [];
  for (const part of text.split(SEPARATORS)) {
    const trimmed = part.trim();
    if (trimmed !== '') parts.push(trimmed);
  }
  return parts;
}

/**
 * `text` without the marks that follow {@link MAX_MARKS} others: nobody writes so many, and Unicode's normal forms sort each run
 * of them in quadratic time.
 */
export function withFewMarks(text: string): string {
  return text.replace(MANY_MARKS, '$1');
}

/** `text` without its accents, for comparing names that people write either way (`Müller`, `Muller`). */
export function foldAccents(text: string): string {
  const bare = withFewMarks(text).normalize('NFD').replace(MARKS, '').normalize('NFC');
  return bare.replace(LETTERS_WITHOUT_MARKS, (letter) => FOLDED[letter] ?? letter);
}

// Letters whose stroke or ligature Unicode does not take apart; lower case, as texts are when they are compared.
const LETTERS_WITHOUT_MARKS = /[ßøłđıæœþð]/gu;
const FOLDED: Readonly<Record<string, string>> = {
  ß: 'ss',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ı: 'i',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  ð: 'd',
};
// Already normal, the common case by far: lower-case ASCII words with single spaces, and no digits.
const PLAIN = /^[a-z!-/:-@[-`{-~]+(?: [a-z!-/:-@[-`{-~]+)*$/u;
// Format characters (zero width, bidi, tags, soft hyphen), variation selectors and fillers; controls other than white space.
const INVISIBLE = /[\p{Cf}\p{Variation_Selector}\p{Default_Ignorable_Code_Point}]|(?![\t\n\v\f\r\u0085])\p{Cc}/gu;
const SINGLE_QUOTES = /[\u2018-\u201B\u2032\u02BC\u00B4]/gu;
const DOUBLE_QUOTES = /[\u201C-\u201F\u2033\u00AB\u00BB]/gu;
const DASHES = /[\u2010-\u2015\u2212\u2E3A\u2E3B]/gu;
const DIGITS = /\p{Nd}+/gu;
const SPACES = /[\s\u0085]+/gu;
const MARKS = /\p{M}+/gu;
/** As in the Stream-Safe Text Format (Unicode Standard Annex 15). */
const MAX_MARKS = 30;
// The half-width voicing signs are letters that become marks.
const MANY_MARKS = new RegExp(String.raw`([\p{M}\uFF9E\uFF9F]{${MAX_MARKS}})[\p{M}\uFF9E\uFF9F]+`, 'gu');
// Not the slash: `State / Province` is one label.
// What stands between white space: only a run's first character begins one, or a long run would be tried from each of its own.
const SEPARATORS =
  /(?<!\s)\s+[-\u2010-\u2015\u2212|\u00A6\u00B7\u2022\u2023\u2043\u2219\u25CF\u25CB\u22C5\u203A\u00BB\u2192>:]+\s+|[\r\n\u2028\u2029]+/u;
const WORDS =
  /\{n\}|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])[\p{L}\p{M}\p{Nl}\p{No}])+/gu;
