import { PLACEHOLDERS } from './public-text.ts';
import { foldAccents, normaliseSegment } from './text.ts';

/**
 * How a script writes words, which decides how much of it says something: `spaced` scripts have words; in the others the
 * number of letters that stand for one (`width`).
 */
export type Writing = 'spaced' | 'ideographs' | 'syllables' | 'unspaced';

/** A run of letters in a text, as it is compared: without case, accents and invisible characters. */
export interface Letters {
  readonly start: number;
  readonly end: number;
  readonly form: string;
  readonly writing: Writing;
}

/**
 * The runs of letters of a text, in order. Digits and punctuation part them; {@link PLACEHOLDERS} are no letters of anybody's.
 */
export function lettersOf(text: string): readonly Letters[] {
  const runs: Letters[] = [];
  for (const match of text.matchAll(RUN)) {
    const [run] = match;
    if (run.startsWith('{')) continue;
    const writing = writingOf(run);
    const form = formOf(run, writing);
    if (form !== '') runs.push({ start: match.index, end: match.index + run.length, form, writing });
  }
  return runs;
}

/** Marks are vowels in some scripts: they are accents only where words are spaced. */
function formOf(run: string, writing: Writing): string {
  const form = normaliseSegment(run);
  return writing === 'spaced' ? foldAccents(form).replace(NO_LETTER, '') : form.replace(NO_SIGN, '');
}

function writingOf(run: string): Writing {
  if (IDEOGRAPH.test(run)) return 'ideographs';
  if (HIRAGANA.test(run)) return 'syllables';
  return UNSPACED.test(run) ? 'unspaced' : 'spaced';
}

const escape = (text: string): string => text.replaceAll(/[{}]/gu, String.raw`\$&`);

const IDEOGRAPHS = String.raw`\p{Script=Han}\p{Script=Katakana}\u30FC`;
const SE_ASIAN = String.raw`\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`;
const DENSE = String.raw`${IDEOGRAPHS}\p{Script=Hiragana}${SE_ASIAN}`;
const JOINERS = String.raw`\p{M}\u200C\u200D`;
const RUN = new RegExp(
  [
    ...PLACEHOLDERS.map(escape),
    `[${IDEOGRAPHS}][${IDEOGRAPHS}${JOINERS}]*`,
    String.raw`\p{Script=Hiragana}[\p{Script=Hiragana}\u30FC${JOINERS}]*`,
    `[${SE_ASIAN}](?:[${SE_ASIAN}]|[${JOINERS}])*`,
    String.raw`(?:(?![${DENSE}])[\p{L}${JOINERS}])+`,
  ].join('|'),
  'gu',
);
const IDEOGRAPH = new RegExp(`^[${IDEOGRAPHS}]`, 'u');
const HIRAGANA = /^\p{Script=Hiragana}/u;
const UNSPACED = new RegExp(`^[${SE_ASIAN}]`, 'u');
const NO_LETTER = /[^\p{L}]+/gu;
const NO_SIGN = /[^\p{L}\p{M}]+/gu;
