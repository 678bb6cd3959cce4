import {
  AFTER,
  CUES,
  NAME_LABELS,
  PUBLIC_BEGINNINGS,
  PUBLIC_NAMES,
  SURE_TITLES,
  TALK,
  type Cue,
} from './names/cues.ts';
import { isHyphenatedName, isPinyinName } from './names/forms.ts';
import { COMMON, FAMILY, GIVEN, INTERFACE, SURE, WORD } from './names/lists.ts';
import {
  ALONE,
  ALONE_PLACES,
  HEADS,
  INSTITUTIONS_AFTER,
  INSTITUTIONS_BEFORE,
  isCalendar,
  LAWS,
  MAKERS,
  SHOPS,
  SPELLING,
  THING_BEGINNINGS,
  THINGS,
} from './names/things.ts';
import { FORMED, MAX_GAP, tokenise, WHOLE, type Token } from './names/tokens.ts';
import { unspacedNames } from './names/unspaced.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/**
 * Names of people: a given name with a family name, in either order, and a part of a name where the words around say that a
 * person is meant (`Hi Ana`, `Chat with Ana`, `Mr Smith`, `Ana is typing`). Lists know names of many languages
 * (names/data.ts); names that no list holds are found after titles, greetings and labels only.
 * See docs/decisions/0021-names-of-people.md.
 */
export const recognizer: Recognizer = { kinds: ['person'], find };

function find({ text }: TextView): Span[] {
  const tokens = tokenise(text);
  const spans: Span[] = [];
  for (let first = 0; first < tokens.length;) {
    const found = nameFrom(text, tokens, first);
    if (found !== undefined) spans.push(found.span);
    first = found === undefined ? first + 1 : found.next;
  }
  return [...spans, ...unspacedNames(text)];
}

interface Found {
  readonly span: Span;
  readonly next: number;
}

/** Words of one name: how many, and from where. */
interface Run {
  readonly words: readonly Token[];
  readonly first: number;
  /** Index of the token after the run. */
  readonly next: number;
}

function nameFrom(text: string, tokens: readonly Token[], first: number): Found | undefined {
  const token = tokens[first];
  if (token === undefined) return undefined;
  const isMention = token.gap.endsWith('@');
  if (token.isGlued && !isMention) return joinedName(tokens, first);
  if (token.hasCase && !token.isCapital) return lowerCaseName(tokens, first);
  if (isOrdinary(token) || isSaint(tokens, first)) return undefined;
  const cues = isMention ? MENTION : cuesBefore(tokens, first);
  const run = runFrom(tokens, first, isStrong(cues));
  if (run === undefined) return undefined;
  const judged = judge(text, tokens, run, cues);
  const withComma = commaName(text, tokens, run);
  if (withComma !== undefined && withComma.span.score > (judged?.span.score ?? 0)) return withComma;
  return judged;
}

interface Cues {
  readonly greeting: boolean;
  readonly title: boolean;
  readonly sureTitle: boolean;
  readonly label: boolean;
  /** A label that only a name stands after: `Surname`. */
  readonly nameLabel: boolean;
  readonly soft: boolean;
  /** A phrase that asks for a person: `chat with`, `assigned to`. */
  readonly asked: boolean;
  readonly mention: boolean;
}

const NO_CUES: Cues = {
  greeting: false,
  title: false,
  sureTitle: false,
  label: false,
  nameLabel: false,
  soft: false,
  asked: false,
  mention: false,
};
const MENTION: Cues = { ...NO_CUES, mention: true };
const isStrong = (cues: Cues): boolean => cues.greeting || cues.sureTitle || cues.label;

/** What the one to three words before a word say of it. */
function cuesBefore(tokens: readonly Token[], first: number): Cues {
  const gap = tokens[first]?.gap ?? '';
  const last = tokens[first - 1];
  if (last === undefined || gap.length >= MAX_GAP || gap === '') return NO_CUES;
  let phrase = '';
  const found = new Set<Cue>();
  let isSure = false;
  let isAsked = false;
  let isNameLabel = false;
  for (let i = first - 1; i >= 0 && i >= first - 3; i -= 1) {
    const word = tokens[i];
    if (word === undefined) break;
    phrase = phrase === '' ? word.folded : `${word.folded} ${phrase}`;
    const isPhrase = i < first - 1;
    // A bare greeting in the middle of a sentence is another word: `so dear Mark`.
    for (const cue of CUES.get(phrase) ?? []) {
      if (!GAPS[cue].test(gap)) continue;
      // Capitals are a product's (`MX Master`), but for titles that hardly anything else is written as (`DR Smith`).
      const isBrand = cue === 'title' && word.isUpper && word.hasCase && !SURE_TITLES.has(phrase);
      if (isBrand && tokens[first]?.isUpper === false) continue;
      found.add(cue);
      isAsked ||= cue === 'soft' && isPhrase;
      isNameLabel ||= cue === 'label' && NAME_LABELS.has(phrase);
      isSure ||= cue === 'title' && (isPhrase || SURE_TITLES.has(phrase));
    }
    if (!/^['. -]{1,2}$/u.test(word.gap)) break;
  }
  if (found.size === 0) return NO_CUES;
  return {
    greeting: found.has('greeting'),
    title: found.has('title'),
    sureTitle: isSure,
    label: found.has('label'),
    nameLabel: isNameLabel,
    soft: found.has('soft'),
    asked: isAsked,
    mention: false,
  };
}

const GAPS: Readonly<Record<Cue, RegExp>> = {
  greeting: /^[,!]?[ \n]$/u,
  title: /^\.? ?$|^: $/u,
  label: /^ ?[:\uFF1A=] ?["'(]?$|^ - $/u,
  // `w/ Ana` as well.
  soft: /^[,!]?\s{1,2}$|^: ?$|^\/ $/u,
};

const MAX_WORDS = 6;
const PARTICLES = new Set(
  'van von der den de del della delle di da dos das do du la le el al bin ibn ben bint binti bte ter ten te t zu zum zur af av y e i dela delos'.split(
    ' ',
  ),
);

/** The longest run of words from `first` that could be one name. */
function runFrom(tokens: readonly Token[], first: number, hasCue: boolean): Run | undefined {
  const words: Token[] = [];
  let next = first;
  for (; next < tokens.length && words.length < MAX_WORDS; next += 1) {
    const token = tokens[next];
    if (token === undefined) break;
    if (words.length > 0) {
      // `van 't Hoff`
      if (!/^ {1,2}'?$/u.test(token.gap) && !(token.gap === '' && words.at(-1)?.isInitial === true)) break;
      if (token.isGlued && !(token.gap === '' && words.at(-1)?.isInitial === true)) break;
      if (PARTICLES.has(token.folded) && (!token.isCapital || token.folded.length > 1)) {
        const after = tokens[next + 1];
        const isInside =
          /^ '?$/u.test(after?.gap ?? '') && after !== undefined && (after.isCapital || PARTICLES.has(after.folded));
        if (isInside && (!token.isCapital || (after.isCapital && !isOrdinary(after)))) {
          words.push(token);
          continue;
        }
        if (!token.isCapital) break;
      }
    }
    if (!token.isCapital || isOrdinary(token)) break;
    // Where there are no capitals, any word could be meant.
    if (!token.hasCase && (token.flags & (GIVEN | FAMILY)) === 0 && !(hasCue && words.length < 2)) {
      if (!isLikelyFamily(tokens, next, words)) break;
    }
    words.push(token);
  }
  while (words.length > 0 && PARTICLES.has(words.at(-1)?.folded ?? '') && words.at(-1)?.isCapital === false)
    words.pop();
  return words.length === 0 ? undefined : { words, first, next: first + words.length };
}

/** Without capitals to tell it, an unlisted word right after a given name is a family name if nothing follows, or by its form (`ال...ي`). */
function isLikelyFamily(tokens: readonly Token[], at: number, before: readonly Token[]): boolean {
  const [one, token, after] = [before[0], tokens[at], tokens[at + 1]];
  if (before.length !== 1 || one === undefined || token === undefined || token.end - token.start < 3) return false;
  if ((one.flags & (GIVEN | WORD)) !== GIVEN) return false;
  return after === undefined || after.gap !== ' ' || /^\u0627\u0644.+\u064A$/u.test(token.folded);
}

/** `St. Louis`, `San José`: a place, a church or a day. */
function isSaint(tokens: readonly Token[], first: number): boolean {
  const before = tokens[first - 1];
  return before !== undefined && SAINTS.has(before.folded) && /^\.? $|^-$/u.test(tokens[first]?.gap ?? '');
}

const SAINTS = new Set(
  'st saint san santa santo sankt sainte ste sv swiety svaty svata sveti sankta sao sint szent sfantul sfanta'.split(
    ' ',
  ),
);

/** A listed word that is nobody's name. */
function isOrdinary({ flags, folded, isAccented }: Token): boolean {
  if (isAccented && VIETNAMESE.has(folded)) return false;
  return (flags & WORD) !== 0 && (flags & (GIVEN | FAMILY)) === 0;
}

/** How sure a word is a given or family name. */
type Grade = 'strong' | 'listed' | 'word' | 'interface' | 'unknown' | 'none';

function gradeOf(token: Token, kind: number, inflects: boolean, isAllUpper = false): Grade {
  const flags = token.flags;
  if (flags === 0) {
    if (!token.hasCase || token.isInitial) return 'unknown';
    if (inflects && (token.inflected & kind) !== 0) return 'listed';
    // Capitals alone are an abbreviation, unless the whole name is written so.
    const length = token.end - token.start;
    return length <= 2 || (token.isUpper && !(isAllUpper && length > 3)) ? 'none' : 'unknown';
  }
  if ((flags & kind) === 0) return 'none';
  if ((flags & INTERFACE) !== 0) return 'interface';
  // `hung` is a word, `Hùng` is not.
  if ((flags & WORD) !== 0) return token.isAccented ? 'listed' : 'word';
  return (flags & SURE) !== 0 ? 'strong' : 'listed';
}

const PAIRS: Readonly<Record<Grade, Readonly<Record<Grade, number>>>> = {
  strong: { strong: 0.9, listed: 0.75, word: 0.7, interface: 0.5, unknown: 0.5, none: 0 },
  listed: { strong: 0.7, listed: 0.5, word: 0.4, interface: 0.3, unknown: 0.25, none: 0 },
  word: { strong: 0.7, listed: 0.45, word: 0.45, interface: 0.3, unknown: 0.2, none: 0 },
  interface: { strong: 0.6, listed: 0.4, word: 0.4, interface: 0.2, unknown: 0.1, none: 0 },
  unknown: { strong: 0.4, listed: 0.2, word: 0.1, interface: 0.1, unknown: 0.05, none: 0 },
  none: { strong: 0, listed: 0, word: 0, interface: 0, unknown: 0, none: 0 },
};

interface Judged {
  readonly score: number;
  readonly checked: string;
  /** Which words of the run are the name. */
  readonly from: number;
  readonly to: number;
}

function judge(text: string, tokens: readonly Token[], run: Run, cues: Cues): Found | undefined {
  if (isList(tokens, run)) return undefined;
  const count = run.words.length;
  const whole = count === 1 ? undefined : judgePair(text, tokens, run, cues);
  const best =
    whole !== undefined && whole.score >= MIN_PAIR ? whole : better(whole, judgeSingle(text, tokens, run, cues));
  if (best === undefined || best.score <= 0) return undefined;
  const start = run.words[best.from];
  const end = run.words[best.to];
  if (start === undefined || end === undefined || isPublicName(tokens, run, best)) return undefined;
  if (!isMeant(cues) && isThing(tokens, run, best)) return undefined;
  return {
    span: {
      start: start.start,
      end: end.end,
      kind: 'person',
      score: Math.min(best.score, 0.95),
      checked: best.checked,
    },
    next: run.first + (best.score >= MIN_PAIR ? best.to + 1 : 1),
  };
}

const MIN_PAIR = 0.4;

function better(a: Judged | undefined, b: Judged | undefined): Judged | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.score > a.score ? b : a;
}

/** The words around leave no doubt that a person is meant. */
const isMeant = (cues: Cues): boolean => isStrong(cues) || cues.asked || cues.mention;

/** `Mo Di Mi Do Fr`, `Alpha Bravo Charlie`: words of calendars and of spelling, in a row. */
function isList(tokens: readonly Token[], { words, first, next }: Run): boolean {
  const spells = [tokens[first - 1], ...words].filter((word) => word !== undefined && SPELLING.has(word.folded)).length;
  if (spells > 1 && spells >= words.length) return true;
  const around = tokens.slice(Math.max(0, first - 2), next + 2);
  return around.filter(({ folded, isCapital }) => isCapital && isCalendar(folded)).length > 2;
}

/** Whether the words, or they with their neighbours, are what a company or thing is called. */
function isPublicName(tokens: readonly Token[], run: Run, part: Pick<Judged, 'from' | 'to'>): boolean {
  return findPhrase(tokens, run, part, PUBLIC_BEGINNINGS, PUBLIC_NAMES) !== undefined;
}

/** The same of things that share their name with somebody more easily: no other name may stand beside (`Ana Costa Rica`). */
function isThing(tokens: readonly Token[], run: Run, part: Pick<Judged, 'from' | 'to'>): boolean {
  const phrase = findPhrase(tokens, run, part, THING_BEGINNINGS, THINGS);
  if (phrase === undefined) return isInstitution(tokens, run);
  return run.words.every((word, i) => {
    const at = run.first + i;
    const isCovered = (at >= phrase.first && at <= phrase.last) || i < part.from || i > part.to;
    return isCovered || (word.flags & (SURE | WORD)) !== SURE;
  });
}

/** `Heinrich Heine Universität`, `Place Victor Hugo`: what towns call after people of the past. */
function isInstitution(tokens: readonly Token[], { words, first, next }: Run): boolean {
  const [before, after] = [tokens[first - 1], tokens[next]];
  if (tokens[first]?.gap === ' ' && before !== undefined && INSTITUTIONS_BEFORE.has(before.folded)) return true;
  if (after?.gap === ' ' && after.isCapital && INSTITUTIONS_AFTER.has(after.folded)) return true;
  // `Maria Arena` is called so.
  const unnamed = words.filter(({ flags }) => (flags & (GIVEN | FAMILY)) === 0);
  if (unnamed[0] !== undefined && unnamed[0] === words[0] && INSTITUTIONS_BEFORE.has(unnamed[0].folded)) return true;
  return unnamed.some(({ folded }) => INSTITUTIONS_AFTER.has(folded) || INSTITUTION.test(folded));
}

/** `Gutenberg-Universität` is one word. */
const INSTITUTION = /(?:universitat|stiftung|museum|gymnasium|flughafen)$/u;

/** The first phrase that touches the part of the run, as places among the tokens. */
function findPhrase(
  tokens: readonly Token[],
  run: Run,
  { from, to }: Pick<Judged, 'from' | 'to'>,
  beginnings: ReadonlySet<string>,
  phrases: ReadonlySet<string>,
): { readonly first: number; readonly last: number } | undefined {
  const [first, last] = [Math.max(0, run.first + from - 2), run.first + to];
  for (let i = first; i <= last; i += 1) {
    if (!beginnings.has(tokens[i]?.folded ?? '')) continue;
    const folded = tokens.slice(i, i + 3).map((token) => token.folded);
    if (i + 1 >= run.first + from && phrases.has(folded.slice(0, 2).join(' '))) return { first: i, last: i + 1 };
    if (i + 2 >= run.first + from && phrases.has(folded.join(' '))) return { first: i, last: i + 2 };
  }
  return undefined;
}

/** Two words or more: the surest given and family name among them decide, and what stands around. */
function judgePair(text: string, tokens: readonly Token[], run: Run, cues: Cues): Judged | undefined {
  const { words } = run;
  const isAllUpper = words.every((word) => word.isUpper || word.isInitial);
  const given = words.map((word) => gradeOf(word, GIVEN, true, isAllUpper));
  const family = words.map((word) => gradeOf(word, FAMILY, true, isAllUpper));
  let best: { score: number; i: number; j: number } | undefined;
  for (let i = 0; i < words.length; i += 1) {
    for (let j = 0; j < words.length; j += 1) {
      const [one, two] = [words[i], words[j]];
      if (i === j || one === undefined || two === undefined) continue;
      const listed = pairScore(one, given[i] ?? 'none', two, familyGrade(given[j], family[j]), i < j);
      const score = j === i + 1 ? Math.max(listed, formedScore(text, one, two)) : listed;
      if (score > (best?.score ?? 0)) best = { score, i, j };
    }
  }
  if (best === undefined) return undefined;
  const { i, j } = best;
  let [from, to] = [0, words.length - 1];
  const [low, high] = [Math.min(i, j), Math.max(i, j)];
  while (from < low && ((words[from]?.flags ?? 0) & INTERFACE) !== 0) from += 1;
  const isTonal = isVietnamese(text, words);
  // Vietnamese given names are words of all kinds.
  const last = isTonal ? to : high;
  while (to > last && ((words[to]?.flags ?? 0) & INTERFACE) !== 0) to -= 1;
  const score = Math.max(best.score, isTonal ? 0.6 : 0);
  const isBare = [words[i], words[j]].some((word) => ((word?.flags ?? 0) & INTERFACE) !== 0);
  const raised = Math.max(score, raisedBy(text, tokens, run, cues, score, isBare));
  return { score: raised, checked: raised > score ? 'names+context' : 'names', from, to };
}

/** The score that the words around a pair give it; `isBare`: one of the pair is a word of interfaces. */
function raisedBy(
  text: string,
  tokens: readonly Token[],
  run: Run,
  cues: Cues,
  score: number,
  isBare: boolean,
): number {
  // `Driver: Realtek High Definition Audio`: unlisted words after a label are no name where more such words follow.
  const goesOn = score < 0.2 && tokens[run.next]?.gap === ' ' && tokens[run.next]?.isCapital === true;
  if (goesOn && cues.label && !cues.greeting && !cues.title && !cues.mention) return score;
  if (isStrong(cues) || cues.title || cues.mention) return Math.max(score + 0.3, 0.45);
  const [first, last] = [run.words[0], run.words.at(-1)];
  const isTalk =
    first !== undefined &&
    last !== undefined &&
    isSegment(text, { start: first.start, end: last.end }) &&
    segmentCue(tokens, run) === 'talk';
  if (cues.asked || isTalk || saysAfter(text, tokens, run.next)) return Math.max(score + 0.2, isBare ? 0 : MIN_PAIR);
  return cues.soft && score >= 0.2 ? score + 0.15 : score;
}

/** In lower case but for what stands after a hyphen: `Ji-hye`, not `On-Line`. */
const lowerTail = (word: string): string => word.charAt(0).toLowerCase() + word.slice(1);

/** What the form of two words in a row says where lists know neither or one: `Zhang Xiaoming`, `Park Ji-hye`, `Bekzod Grbović`. */
function formedScore(text: string, one: Token, two: Token): number {
  if (!one.hasCase) return 0;
  const isName = (family: Token, given: Token): boolean =>
    (given.flags & WORD) === 0 &&
    (isPinyinName(family.folded, given.folded) ||
      isHyphenatedName(family.folded, lowerTail(text.slice(given.start, given.end))));
  if (isName(one, two) || isName(two, one)) return 0.5;
  // Russian adjectives end as family names do.
  const isTelling = (two.flags & FORMED) !== 0 && !/ск(?:ии|ая|а)$/u.test(two.folded);
  return isTelling && one.flags === 0 && one.end - one.start > 2 && !one.isUpper ? 0.45 : 0;
}

/** A Vietnamese family name with what follows it written the Vietnamese way: given names there are words of all kinds. */
function isVietnamese(text: string, words: readonly Token[]): boolean {
  const [first, second] = words;
  if (first === undefined || second === undefined || !VIETNAMESE.has(first.folded)) return false;
  const written = text.slice(first.start, words.at(-1)?.end);
  return second.folded === 'van' || second.folded === 'thi' || TONED.test(written);
}

const VIETNAMESE = new Set(
  'nguyen tran pham le hoang huynh phan vu vo dang bui do ho ngo duong ly dinh trinh'.split(' '),
);
const TONED = /[ăơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]/iu;

/** A second given name stands for a family name nearly as well: `Anna Maria`. */
function familyGrade(given: Grade | undefined, family: Grade | undefined): Grade {
  if (family !== undefined && family !== 'none') return family;
  return given === 'strong' ? 'listed' : given === 'listed' ? 'unknown' : 'none';
}

function pairScore(one: Token, given: Grade, two: Token, family: Grade, isInOrder: boolean): number {
  if (one.isInitial && two.isInitial) return 0;
  if (one.isInitial) {
    const score = INITIAL[family] - (one.end - one.start === 1 ? 0.15 : 0);
    // `Smith J.`: a family name before is less sure than one after.
    return isInOrder ? score : score - 0.1;
  }
  if (two.isInitial) return isInOrder ? INITIAL[given] - (two.end - two.start === 1 ? 0.15 : 0) : 0;
  // Two family names that are nothing else: in many countries given names are among them.
  const isFamily = (one.flags & (FAMILY | SURE | WORD)) === (FAMILY | SURE);
  const score = Math.max(PAIRS[given][family], isFamily && family === 'strong' ? 0.45 : 0);
  return isInOrder ? score : given === 'unknown' || family === 'unknown' ? score * 0.6 : score * 0.95;
}

/** One letter beside a name of this grade. */
const INITIAL: Readonly<Record<Grade, number>> = {
  strong: 0.65,
  listed: 0.5,
  word: 0.45,
  interface: 0.3,
  unknown: 0.3,
  none: 0,
};

/** One word, the first of its run: what stands around it decides. */
function judgeSingle(text: string, tokens: readonly Token[], run: Run, cues: Cues): Judged | undefined {
  const word = run.words[0];
  if (word === undefined || word.isInitial) return undefined;
  if ((word.flags & WHOLE) !== 0) return { score: 0.6, checked: 'names', from: 0, to: 0 };
  const hasCue = isStrong(cues) || cues.soft;
  const given = gradeOf(word, GIVEN, hasCue);
  const family = gradeOf(word, FAMILY, hasCue);
  const scores: [number, string][] = [[0, 'none']];
  const add = (table: Partial<Record<Grade, number>>, grade: Grade, checked: string): void => {
    scores.push([table[grade] ?? 0, checked]);
  };
  const isOnlyWord = isUpperCase(text, word) && word.end - word.start <= 4;
  if (cues.title) add({ strong: 0.75, listed: 0.7, word: 0.65, interface: 0.6 }, mostOf(given, family), 'title');
  if (cues.sureTitle && isWordy(word)) add({ unknown: 0.5 }, given, 'title');
  if (cues.greeting) {
    add({ strong: 0.75, listed: 0.65, word: 0.6, interface: 0.5 }, given, 'greeting');
    add({ strong: 0.55, listed: 0.5, word: 0.4 }, family, 'greeting');
    if (isAddress(text, tokens, run) && isWordy(word)) add({ unknown: 0.45 }, given, 'greeting');
  }
  if (cues.label) {
    add({ strong: 0.65, listed: 0.5, word: 0.45 }, given, 'label');
    add({ strong: 0.5, listed: 0.4 }, family, 'label');
    if (cues.nameLabel && isWordy(word) && word.hasCase) add({ unknown: 0.45 }, given, 'label');
  }
  const common = (word.flags & COMMON) === 0 ? 0 : 0.05;
  const isPlace =
    !cues.asked &&
    ((ALONE_PLACES.has(word.folded) && WAYS.has(tokens[run.first - 1]?.folded ?? '')) ||
      (ALONE.has(word.folded) && isMaterial(tokens, run.first)));
  if (cues.soft && !isOnlyWord && !isPlace)
    add({ strong: 0.55, listed: 0.4, word: (cues.asked ? 0.4 : 0.35) + common }, given, 'context');
  if (cues.soft && !isOnlyWord && !isPlace) add({ strong: 0.4, listed: 0.3 }, family, 'context');
  if (cues.mention) add({ strong: 0.6, listed: 0.5, word: 0.45, interface: 0.4 }, given, 'mention');
  if (word.hasCase && !isOnlyWord) {
    if (saysAfter(text, tokens, run.first + 1)) {
      add({ strong: 0.6, listed: 0.4, word: 0.45 }, given, 'context');
      add({ strong: 0.4 }, family, 'context');
    }
    if (/^'s?(?!\p{L})/u.test(text.slice(word.end, word.end + 3)) && !isShopOrLaw(text, tokens, run.first))
      add({ strong: 0.5, listed: 0.3, word: 0.35 + common }, given, 'possessive');
    if (
      given === 'strong' &&
      (word.flags & COMMON) !== 0 &&
      word.end - word.start > 3 &&
      !(cues.soft && isPlace) &&
      !isNamesake(text, tokens, run.first)
    )
      scores.push([0.4, 'given_name']);
  }
  const segment = isSegment(text, word) ? segmentCue(tokens, run) : undefined;
  if (segment === 'talk') {
    add({ strong: 0.6, listed: 0.45, word: 0.45, interface: 0.3 }, given, 'talk');
    add({ strong: 0.45, listed: 0.3 }, family, 'talk');
  }
  const [score, checked] = scores.reduce((best, each) => (each[0] > best[0] ? each : best));
  if (score > 0) return { score, checked, from: 0, to: 0 };
  // Known of itself, but nothing says that a person is meant.
  return given === 'strong' || family === 'strong' ? { score: 0.3, checked: 'name_alone', from: 0, to: 0 } : undefined;
}

/** `Jefferson City`, `13. Juli 2024`, `Hugo 0.125.0`, or nothing but a word that is a product or place as well. */
function isNamesake(text: string, tokens: readonly Token[], at: number): boolean {
  const [word, after] = [tokens[at], tokens[at + 1]];
  if (word === undefined) return false;
  if (after?.gap === ' ' && (HEADS.has(after.folded) || ROMAN.test(text.slice(after.start, after.end)))) return true;
  if (word.gap === ' ' && MAKERS.has(tokens[at - 1]?.folded ?? '')) return true;
  if (isShopOrLaw(text, tokens, at)) return true;
  const rest = text.slice(word.end, word.end + 12);
  if (VERSION.test(rest)) return true;
  if (isCalendar(word.folded) && (DAY.test(word.gap) || YEAR.test(rest))) return true;
  return ALONE.has(word.folded) && (isSegment(text, word) || (word.start === 0 && MODEL.test(rest)));
}

/** `{n}` is a number that was taken out before. */
const VERSION = /^ (?:v?(?:\d{1,3}|\{n\})\.(?:\d{1,4}|\{n\})(?:\.[\d{]|$)|v[\d{]|0\.\d)/u;
const DAY = /(?:\d|\{n\})\.? (?:de )?$/u;
const MODEL = /^ (?:(?:19|20)\d\d(?!\d)|\{n\}$)/u;
const YEAR = /^,? (?:de |del )?(?:(?:19|20)\d\d(?!\d)|\{n\})/u;
const ROMAN = /^[IVX]{2,5}$/u;

/** Words before places as well as people. */
const WAYS = new Set('from to in via von nach de a da di do para desde van naar z till fra til из в'.split(' '));

/** `built with Hugo`: what a thing is made with. */
function isMaterial(tokens: readonly Token[], at: number): boolean {
  return MADE.has(tokens[at - 2]?.folded ?? '') && MADE_WITH.has(tokens[at - 1]?.folded ?? '');
}

const MADE = new Set(
  'built powered made generated written runs running deployed compiled erstellt gebaut fait hecho creado fatto feito gemaakt'.split(
    ' ',
  ),
);
const MADE_WITH = new Set('with by in on mit avec con com met'.split(' '));

/** `Wendy's` with nothing after it, `Murphy's law`. */
function isShopOrLaw(text: string, tokens: readonly Token[], at: number): boolean {
  const [word, after] = [tokens[at], tokens[at + 1]];
  if (word === undefined) return false;
  if (after?.gap === "'s " && LAWS.has(after.folded)) return true;
  const isPossessive = /^['\u2019]s/u.test(text.slice(word.end, word.end + 2));
  return isPossessive && SHOPS.has(word.folded) && isSegment(text, { start: word.start, end: word.end + 2 });
}

const ORDER: readonly Grade[] = ['strong', 'listed', 'word', 'interface', 'unknown', 'none'];
const mostOf = (a: Grade, b: Grade): Grade => (ORDER.indexOf(a) <= ORDER.indexOf(b) ? a : b);
const isWordy = (word: Token): boolean => word.end - word.start > 2;
const isUpperCase = (text: string, word: Token): boolean => {
  const written = text.slice(word.start, word.end);
  return written === written.toUpperCase() && written !== written.toLowerCase();
};

/** A greeting that opens the text or a line, with nothing but the name and a stop: `Hi Xyz,`. */
function isAddress(text: string, tokens: readonly Token[], run: Run): boolean {
  const last = run.words[0];
  return (
    last !== undefined &&
    run.first <= 3 &&
    /^(?:$|[,!.?\n:-]| -|\p{Emoji_Presentation})/u.test(text.slice(last.end, last.end + 2)) &&
    tokens.length > 0
  );
}

function saysAfter(text: string, tokens: readonly Token[], next: number): boolean {
  const one = tokens[next];
  if (one === undefined || !/^[ -]$|^, $/u.test(one.gap) || isUpperCase(text, one)) return false;
  if (AFTER.has(one.folded) && (one.gap !== ', ' || one.folded.length <= 4)) return true;
  const two = tokens[next + 1];
  return two?.gap === ' ' && one.gap === ' ' && AFTER.has(`${one.folded} ${two.folded}`);
}

/** Whether the word stands alone between separators of a title. */
function isSegment(text: string, word: { readonly start: number; readonly end: number }): boolean {
  return (
    SEGMENT_START.test(text.slice(Math.max(0, word.start - 3), word.start)) &&
    SEGMENT_END.test(text.slice(word.end, word.end + 3))
  );
}

const SEGMENT_START = /(?:^|[\n\t|\u2014\u2013(:>\u2022\u00B7]\s?| - ?)$/u;
const SEGMENT_END = /^(?:$|\s?[\n\t|\u2014\u2013(),:<\u2022\u00B7]| -)/u;

/** Whether the title's next words are those of a program or place where people talk. */
function segmentCue(tokens: readonly Token[], run: Run): 'talk' | undefined {
  const near = [...tokens.slice(Math.max(0, run.first - 3), run.first), ...tokens.slice(run.next, run.next + 3)];
  return near.some(({ folded }) => TALK.has(folded)) ? 'talk' : undefined;
}

/** `Kovač, Ana`, `van den Berg, Jan J.`: what stands before the comma is a family name. */
function commaName(text: string, tokens: readonly Token[], run: Run): Found | undefined {
  const after = tokens[run.next];
  if (after === undefined || run.words.length > 3 || after.gap !== ', ' || after.isGlued || !after.isCapital)
    return undefined;
  const last = run.words.at(-1);
  const start = run.words[0];
  if (last === undefined || start === undefined || start.isInitial) return undefined;
  const whole = { from: 0, to: run.words.length - 1 };
  if (isPublicName(tokens, run, whole) || isThing(tokens, run, whole)) return undefined;
  let end = after;
  let next = run.next + 1;
  for (let more = tokens[next]; more !== undefined && next < run.next + 3; more = tokens[next]) {
    const isMore =
      /^ ?$/u.test(more.gap) &&
      (more.isInitial || (more.isCapital && (more.flags & GIVEN) !== 0 && (more.flags & INTERFACE) === 0));
    if (!isMore || more.isGlued) break;
    end = more;
    next += 1;
  }
  const family = gradeOf(last, FAMILY, false);
  const isAlone = isSegment(text, { start: start.start, end: end.end });
  const score = after.isInitial
    ? (COMMA_INITIAL[family] ?? 0)
    : COMMA[gradeOf(after, GIVEN, false)][family] + (isAlone ? 0.15 : 0);
  if (score < MIN_PAIR) return undefined;
  // `van der Merwe, Johan`: small words before belong to it.
  let from = run.first;
  for (; from > run.first - 3 && /^ '?$/u.test(tokens[from]?.gap ?? ''); from -= 1) {
    if (tokens[from - 1]?.isCapital !== false || !PARTICLES.has(tokens[from - 1]?.folded ?? '')) break;
  }
  return {
    span: { start: (tokens[from] ?? start).start, end: end.end, kind: 'person', score, checked: 'names+comma' },
    next,
  };
}

const NOT_AT_ALL: Readonly<Record<Grade, number>> = {
  strong: 0,
  listed: 0,
  word: 0,
  interface: 0,
  unknown: 0,
  none: 0,
};
/** By the grade of the given name after the comma, then of the family name before it. */
const COMMA: Readonly<Record<Grade, Readonly<Record<Grade, number>>>> = {
  strong: { strong: 0.8, listed: 0.65, word: 0.45, interface: 0.35, unknown: 0.35, none: 0.2 },
  listed: { strong: 0.5, listed: 0.35, word: 0.25, interface: 0.2, unknown: 0.2, none: 0.1 },
  word: { strong: 0.55, listed: 0.4, word: 0.25, interface: 0.2, unknown: 0.2, none: 0 },
  interface: { strong: 0.4, listed: 0.2, word: 0.1, interface: 0, unknown: 0, none: 0 },
  unknown: NOT_AT_ALL,
  none: NOT_AT_ALL,
};
const COMMA_INITIAL: Readonly<Partial<Record<Grade, number>>> = { strong: 0.6, listed: 0.45 };

/** `ana.kovac`, `Ana_Kovac_CV.pdf`, `kovac-ana`: both parts sure names that mean nothing else. */
function joinedName(tokens: readonly Token[], first: number): Found | undefined {
  const [one, two] = [tokens[first], tokens[first + 1]];
  if (one === undefined || two === undefined || !/^[._+-]$/u.test(two.gap)) return undefined;
  return surePair(one, two, first, 'joined');
}

/** Small letters: two sure names in a row, or a common given name after a greeting. */
function lowerCaseName(tokens: readonly Token[], first: number): Found | undefined {
  const [one, two] = [tokens[first], tokens[first + 1]];
  if (one === undefined || ((one.flags & GIVEN) === 0 && (one.flags & FAMILY) === 0)) return undefined;
  if (two?.gap === ' ' && !two.isGlued) {
    const pair = surePair(one, two, first, 'names');
    const longer = pair === undefined ? 0 : familiesAfter(tokens, pair.next);
    if (pair !== undefined && longer > 0) {
      const next = pair.next + longer;
      return { span: { ...pair.span, end: (tokens[next - 1] ?? two).end }, next };
    }
    const found = pair ?? likelyPair(tokens, first);
    if (found !== undefined) return found;
  }
  if (first === 0 || one.end - one.start < 3) return undefined;
  const cues = cuesBefore(tokens, first);
  // Short names of one language are words of another.
  const isKnown = (one.flags & COMMON) !== 0 || ((one.flags & SURE) !== 0 && one.end - one.start > 4);
  const isAddressed = cues.sureTitle || cues.label || cues.nameLabel;
  const kind = isAddressed ? GIVEN | FAMILY : GIVEN;
  if (!isKnown || (one.flags & kind) === 0 || (one.flags & WORD) !== 0) return undefined;
  const score =
    cues.sureTitle || (cues.greeting && first <= 2)
      ? 0.5
      : cues.soft && isAskedFor(tokens, first)
        ? 0.45
        : cues.label
          ? 0.45
          : 0;
  if (score === 0) return undefined;
  return { span: { start: one.start, end: one.end, kind: 'person', score, checked: 'context' }, next: first + 1 };
}

/** `chat with`, `message`: more than a preposition. */
function isAskedFor(tokens: readonly Token[], first: number): boolean {
  const [one, two] = [tokens[first - 2], tokens[first - 1]];
  return (
    two !== undefined &&
    (ASKING.has(two.folded) ||
      TALK.has(two.folded) ||
      (one !== undefined && (CUES.has(`${one.folded} ${two.folded}`) || TALK.has(one.folded))))
  );
}

/** Verbs whose object is a person, mostly. */
const ASKING = new Set('ask tell ping remind email text phone frag zapytaj chiedi pregunta'.split(' '));

/** How many words of family names go on after a pair in small letters: `maria jose garcia fernandez`. */
function familiesAfter(tokens: readonly Token[], next: number): number {
  let count = 0;
  for (; count < 2; count += 1) {
    const token = tokens[next + count];
    if (token?.gap !== ' ' || token.isGlued || (token.flags & (FAMILY | INTERFACE)) !== FAMILY) break;
    if (token.end - token.start < 4) break;
  }
  return count;
}

/** A given name that means nothing else before a family name that may mean something: `jurgen muller`, `fatima zahra`. */
function likelyPair(tokens: readonly Token[], first: number): Found | undefined {
  const [one, two, after] = [tokens[first], tokens[first + 1], tokens[first + 2]];
  if (one === undefined || two === undefined) return undefined;
  const isLong = (token: Token): boolean => token.end - token.start > 3;
  const isGiven = (one.flags & (GIVEN | SURE | WORD)) === (GIVEN | SURE) && isLong(one);
  const isFamily =
    (two.flags & FORMED) !== 0 || ((two.flags & (FAMILY | SURE | INTERFACE)) === (FAMILY | SURE) && isLong(two));
  const isSecondGiven = (two.flags & (GIVEN | COMMON | WORD)) === (GIVEN | COMMON) && (one.flags & COMMON) !== 0;
  // French and Spanish names that dictionaries hold as words, before a family name that is none.
  const isWord = (one.flags & (GIVEN | COMMON | INTERFACE)) === (GIVEN | COMMON) && isLong(one);
  const isSureFamily = (two.flags & (FAMILY | SURE | WORD)) === (FAMILY | SURE) && two.end - two.start > 4;
  const isPair = (isGiven && (isFamily || isSecondGiven)) || (isWord && isSureFamily);
  // `nguyen van hung`: middle names that nothing else has between such words.
  const isVietnamese =
    VIETNAMESE.has(one.folded) &&
    (two.folded === 'van' || two.folded === 'thi') &&
    after?.gap === ' ' &&
    !after.isGlued;
  if (isVietnamese && (after.flags & GIVEN) !== 0) {
    return {
      span: { start: one.start, end: after.end, kind: 'person', score: 0.5, checked: 'names' },
      next: first + 3,
    };
  }
  if (!isPair) return undefined;
  const last = first + 1 + familiesAfter(tokens, first + 2);
  const end = (tokens[last] ?? two).end;
  return { span: { start: one.start, end, kind: 'person', score: 0.45, checked: 'names' }, next: last + 1 };
}

function surePair(one: Token, two: Token, first: number, checked: string): Found | undefined {
  const isSure = (token: Token): boolean => (token.flags & (SURE | WORD)) === SURE && token.end - token.start > 2;
  if (!isSure(one) || !isSure(two)) return undefined;
  const kinds = (one.flags & GIVEN && two.flags & FAMILY) | (one.flags & FAMILY && two.flags & GIVEN);
  if (kinds === 0) return undefined;
  return { span: { start: one.start, end: two.end, kind: 'person', score: 0.5, checked }, next: first + 2 };
}
