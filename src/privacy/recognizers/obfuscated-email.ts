import { parse } from 'tldts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/** E-mail addresses that people wrote so that programs miss them: `jane [at] example [dot] org`, `jane(at)example`, `jane%40example.org`. */
export const recognizer: Recognizer = { kinds: ['email'], find };

function find({ text }: TextView): Span[] {
  if (!HINT.test(text)) return [];
  const spans: Span[] = [];
  let floor = 0;
  let marks = 0;
  for (const { 0: mark, index } of text.matchAll(AT)) {
    marks += 1;
    if (marks > MAX_MARKS) {
      if (/[[({<%&]/u.test(mark))
        spans.push({ start: index, end: index + mark.length, kind: 'email', score: 0.4, checked: 'shape' });
      continue;
    }
    const local = LOCAL.exec(text.slice(Math.max(floor, index - MAX_LOCAL), index))?.[0] ?? '';
    const from = index + mark.length;
    DOMAIN.lastIndex = from;
    const written = DOMAIN.exec(text)?.[0] ?? '';
    const isWord = mark.startsWith(' ') && !mark.includes('@') && WORDS.test(local);
    const score = local === '' || written === '' || isWord ? undefined : judge(mark, written);
    if (score === undefined) continue;
    spans.push({
      start: index - local.length,
      end: from + written.length,
      kind: 'email',
      score,
      checked: 'obfuscated',
    });
    floor = from + written.length;
  }
  return spans;
}

const HINT =
  /@|[_*|-]at[_*|-]|arobase|собака|собачка|равлик|\p{Ll}AT\p{Ll}|%40|&#|&commat| (?:at|arroba|chiocciola|małpa) |[[({<] {0,2}(?:at|ät|a|arroba|chiocciola|aet)\W/iu;

/** Looked at closely per text; of those beyond it the sign itself is reported, to bound the time. */
const MAX_MARKS = 400;

const AT =
  / {0,2}[[({<] {0,2}(?:at|ät|a|arroba|chiocciola|aet|@) {0,2}[\])}>] {0,2}| (?:at|arroba|chiocciola|małpa|AT|arobase|arobas|собака|собачка|равлик|klammeraffe|zavináč|kukac|snabel-a|apenstaartje) | ?[_*|-]at[_*|-] ?|(?<=[a-z])AT(?=[a-z])|@(?=[\p{L}\p{N}-]{1,60} ?[[({ ])|%40|&#(?:64|x40);|&commat;| @ ?|@ (?=\w)/giu;
const LOCAL =
  /[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}_%+-]|(?: ?[[({<] ?(?:dot|punkt|punto|ponto|point) ?[\])}>] ?| dot | точка |[_*|-]dot[_*|-]|\.)(?=[\p{L}\p{N}])){0,63}$/iu;
/** What stands before `at` when it is a word. */
const WORDS =
  /^(?:look|meet|me|us|it|them|available|found|find|visit|here|there|online|site|website|page|see|hosted|located|live|lives|works?|arrive|be)$/iu;
const MAX_LOCAL = 80;
const DOT =
  /(?: {0,2}[[({<] {0,2}(?:dot|punkt|punto|ponto|point|kropka|\.) {0,2}[\])}>] {0,2}| (?:dot|punkt|punto|ponto|point|kropka|точка|крапка|tečka|nokta) | ?[_*|-]dot[_*|-] ?|(?<=[a-z])DOT(?=[a-z])|%2E| ?\. ?(?=[\p{L}\p{N}]))/giu;
const DOMAIN = new RegExp(
  `[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,62})(?:${DOT.source}[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,62})){0,5}`,
  'giuy',
);

/** Undefined when the sign or word is no more than that: `meet at noon`. */
function judge(mark: string, written: string): number | undefined {
  const domain = written.replace(DOT, '.').toLowerCase();
  const isKnown = domain.includes('.') && parse(domain).isIcann === true;
  if (/[[({<]/u.test(mark)) return isKnown ? 0.8 : /@|\ba\b/iu.test(mark) ? undefined : 0.5;
  if (/[%&]/u.test(mark)) return isKnown ? 0.8 : undefined;
  if (TELLING.test(mark)) return isKnown || (SPELT_DOT.test(written) && /^ \P{ASCII}/u.test(mark)) ? 0.6 : undefined;
  if (mark === '@') return isKnown && /[[({]|dot/iu.test(written) ? 0.6 : undefined;
  // A bare `at` needs a spelt dot; a sign with spaces a domain as it is written.
  if (mark.includes('@')) return isKnown && (!/\s/u.test(written) || SPACED.test(written)) ? 0.6 : undefined;
  return isKnown && SPELT_DOT.test(written) ? 0.6 : undefined;
}

/** `ana @ example . com`: every sign stands by itself. */
const SPACED = /^[\w-]+ \. [a-z]{2,6}$/iu;
const SPELT_DOT = /(?:dot|punkt|punto|ponto|point|kropka|точка|крапка|tečka|nokta)/iu;
/** Words for the sign that mean nothing else between two words, or a sign of separators: a dot as it is will do. */
const TELLING =
  /^ (?:arroba|arobase|arobas|chiocciola|małpa|собака|собачка|равлик|zavináč|kukac|snabel-a) $|[_*|-]at[_*|-]|^ AT $/u;
