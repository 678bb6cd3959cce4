import { withFewMarks } from '../../text.ts';

/**
 * The form under which a name is listed and looked up: lower case, without accents, apostrophes and hyphens, Arabic letters
 * and points as people leave them out. Marks that are vowels (as in Hindi) stay.
 */
export function foldName(word: string): string {
  const lower = word.toLowerCase();
  if (PLAIN.test(lower)) return lower;
  return withFewMarks(lower)
    .normalize('NFD')
    .replace(MARKS, '')
    .normalize('NFC')
    .replace(ODD_LETTERS, (letter) => FOLDED[letter] ?? letter)
    .replace(JOINERS, '');
}

/** Phrases of a list, with commas or line ends between them, folded word by word. */
export const foldAll = (phrases: string): string[] =>
  phrases
    .split(/[,\n]/u)
    .map((phrase) => phrase.trim())
    .filter(Boolean)
    .map((phrase) => phrase.split(' ').map(foldName).join(' '));

const PLAIN = /^[a-z]*$/u;
// Accents, the points of Hebrew and Arabic, and hamza and madda above or below a letter; tatweel.
const MARKS = /[\u0300-\u036F]|[\u0591-\u05C7]|\u0640|[\u064B-\u0655]|\u0670/gu;
const JOINERS = /['\u2018\u2019\u02BC\u02BB\u05F3\u05F4.-]/gu;
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
  ə: 'e',
  ς: 'σ',
  ى: 'ي',
  ی: 'ي',
  ک: 'ك',
  ة: 'ه',
};
const ODD_LETTERS = new RegExp(`[${Object.keys(FOLDED).join('')}]`, 'gu');
