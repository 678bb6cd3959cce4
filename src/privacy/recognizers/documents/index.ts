import { MIN_SCORE, type Recognizer, type Span } from '../span.ts';
import type { TextView } from '../view.ts';
import { AFRICA_AND_MIDDLE_EAST } from './africa-middle-east.ts';
import { AMERICAS } from './americas.ts';
import { ASIA_PACIFIC } from './asia-pacific.ts';
import { candidatesIn, createFormTree, type Candidate } from './candidates.ts';
import { DEVICES } from './devices.ts';
import type { DocumentType } from './document.ts';
import { EUROPE } from './europe.ts';

/** Every number that is known by its form and, where there is one, its check digit. */
export const DOCUMENTS: readonly DocumentType[] = [
  ...EUROPE,
  ...AMERICAS,
  ...ASIA_PACIFIC,
  ...AFRICA_AND_MIDDLE_EAST,
  ...DEVICES,
];

/**
 * Numbers of people and companies that authorities, banks and insurers give, of some sixty countries. One is sure when its
 * check digits hold and hardly any other number of its form would pass, or when a word that names it stands near; others
 * are weak matches, but for a text that is nothing else than the number.
 */
export const recognizer: Recognizer = { kinds: [...new Set(DOCUMENTS.map(({ kind }) => kind))], find };

/** Check digits computed per text; beyond it forms with their contexts decide, to bound the time. */
const MAX_CHECKS = 250;

/** Long enough to be somebody's; no time in seconds or milliseconds since 1970, no amount with its thousands apart. */
const isTelling = (written: string): boolean =>
  written.length >= 9 && !/^(?:1[4-9]\d{8}(?:\d{3})?|[1-9]\d{0,2}(?:[ .]\d{3}){2,})$/u.test(written);

const TREE = createFormTree(DOCUMENTS);

function find(view: TextView): Span[] {
  const judge = createJudge(view);
  const spans: Span[] = [];
  for (const candidate of candidatesIn(view.text, TREE)) spans.push(...judge(candidate));
  return spans;
}

function createJudge(view: TextView): (candidate: Candidate) => Span[] {
  const { text } = view;
  const trimmed = text.trim();
  const isAlone = (start: number, end: number): boolean => end - start >= trimmed.length - 2;
  const verdicts = new Map<string, boolean>();
  let checks = 0;

  /** undefined when no more may be computed. */
  function passes(document: DocumentType, compact: string, written: string): boolean | undefined {
    if (document.check === undefined) return true;
    const key = `${document.name} ${written}`;
    let verdict = verdicts.get(key);
    if (verdict === undefined) {
      if (checks >= MAX_CHECKS) return undefined;
      checks += 1;
      verdict = document.check(compact, written);
      verdicts.set(key, verdict);
    }
    return verdict;
  }

  function spanOf(document: DocumentType, candidate: Candidate, compact: string, written: string): Span | undefined {
    const { start, end, isGrouped } = candidate;
    const base = isGrouped ? (document.grouped ?? document.score) : document.score;
    const isNamed = view.near(document.context, start, end);
    const span = (score: number, how: string): Span => ({
      start,
      end,
      kind: document.kind,
      score,
      checked: `${document.name}:${how}`,
    });
    const alone = document.check !== undefined && isTelling(written) && isAlone(start, end);
    // What nobody would be told of need not be computed.
    if (!view.wantsWeak && !isNamed && !alone && base < MIN_SCORE) return undefined;
    const verdict = passes(document, compact, written);
    if (verdict === undefined) return isNamed || base >= MIN_SCORE ? span(MIN_SCORE, 'form') : undefined;
    if (!verdict) return document.lenient === true ? span(isNamed ? 0.6 : base, 'form') : undefined;
    const how = document.check === undefined ? 'form' : 'check';
    if (isNamed) return span(document.named ?? (how === 'check' ? 0.85 : 0.6), `${how}+context`);
    return alone && base < MIN_SCORE ? span(MIN_SCORE, `${how}+alone`) : span(base, how);
  }

  return (candidate) => {
    const written = text.slice(candidate.start, candidate.end).toUpperCase();
    const compact = candidate.isGrouped ? written.replace(/[^A-ZÑ0-9]/gu, '') : written;
    return candidate.documents.flatMap((document) => {
      if (!document.pattern.test(compact)) return [];
      return spanOf(document, candidate, compact, written) ?? [];
    });
  };
}
