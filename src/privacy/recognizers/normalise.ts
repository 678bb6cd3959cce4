/**
 * Texts as recognisers see them: what looks like a letter or digit is one, and nothing invisible stands between.
 *
 * Each character goes through NFKC on its own, with the marks that follow it, so that every position of the result has a
 * place in the raw text. Invisible characters (zero width, soft hyphens, bidi controls, variation selectors) are left out;
 * digits of all scripts become ASCII; dashes, quotes and spaces become the plain ones; Cyrillic, Greek and Armenian letters
 * that look like Latin ones become Latin inside words that are Latin or digits otherwise (Unicode TS 39, mixed scripts).
 */
export interface Normalised {
  readonly text: string;
  /** The raw span, in UTF-16 code units, from which `start`..`end` (not empty) of the normalised text came. */
  readonly toRaw: (start: number, end: number) => { readonly start: number; readonly end: number };
}

export function normalise(raw: string): Normalised {
  if (PLAIN.test(raw)) return { text: raw, toRaw: (start, end) => ({ start, end }) };
  const builder = createBuilder();
  for (let at = 0; at < raw.length;) {
    const code = raw.charCodeAt(at);
    if (code < 0x80 && raw.charCodeAt(at + 1) < 0x80) {
      builder.add(code < 0x20 || code === 0x7f ? control(code) : (raw[at] ?? ''), at, at + 1);
      at += 1;
      continue;
    }
    const cluster = clusterAt(raw, at);
    builder.add(plainForm(cluster), at, at + cluster.length);
    at += cluster.length;
  }
  return builder.done();
}

const PLAIN = /^[\t\n\r\x20-\x7e]*$/u;
// A syllable of conjoining Hangul, or a character with the marks on it; more marks than anybody writes are clusters of their own.
const CLUSTER =
  /[\u1100-\u115F][\u1160-\u11A7][\u11A8-\u11FF]?|\P{M}(?:[\p{Cf}\p{Variation_Selector}]{0,4}\p{M}){0,16}|[^]/uy;

/** The regular expression is slow; most characters stand by themselves, which a look at the next one tells. */
function clusterAt(raw: string, at: number): string {
  const code = raw.charCodeAt(at);
  const next = raw.charCodeAt(at + 1);
  if (!isSurrogate(code) && !isSurrogate(next) && !isJamo(code) && !attaches(next)) return raw.charAt(at);
  CLUSTER.lastIndex = at;
  return CLUSTER.exec(raw)?.[0] ?? raw.charAt(at);
}

const isSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdfff;
const isJamo = (code: number): boolean => code >= 0x1100 && code <= 0x115f;

const ATTACHED = new Uint8Array(0x10000);

/** Whether a character may belong to the one before it: a mark, or a format character with a mark behind it. */
function attaches(code: number): boolean {
  if (Number.isNaN(code) || code < 0xad) return false;
  if (ATTACHED[code] === 0) {
    ATTACHED[code] = /[\p{M}\p{Cf}\p{Variation_Selector}]/u.test(String.fromCharCode(code)) ? 2 : 1;
  }
  return ATTACHED[code] === 2;
}

const control = (code: number): string => (code === 9 || code === 10 || code === 13 ? String.fromCharCode(code) : '');

const known = new Map<string, string>();
const MAX_KNOWN = 4_096;

function plainForm(cluster: string): string {
  const before = known.get(cluster);
  if (before !== undefined) return before;
  const form = makePlain(cluster);
  // Filled once and then left alone: bounded, and the same text is always treated the same way.
  if (cluster.length <= 2 && known.size < MAX_KNOWN) known.set(cluster, form);
  return form;
}

function makePlain(cluster: string): string {
  const visible = cluster.replace(INVISIBLE, '');
  if (visible === '') return '';
  const composed = visible.normalize('NFKC');
  // A character that stands for many letters (`ﷺ` for eighteen) is seen as itself: so a text cannot grow out of bounds.
  if (composed.length > MAX_GROWTH * cluster.length) return visible;
  const folded = composed.replace(INVISIBLE, '').replace(OTHER_DIGIT, asciiDigit);
  const plain = folded.replace(ODD, (character) => SAME.get(character) ?? character);
  // Marks on digits, punctuation and letters that have no such composed letter are decoration.
  return plain.replace(DECORATED, (_, base: string) => base);
}

const INVISIBLE =
  /[\p{Cf}\p{Variation_Selector}\p{Default_Ignorable_Code_Point}\u2800]|(?![\t\n\r\u0085])\p{Cc}|\u034F/gu;
const OTHER_DIGIT = /(?![0-9])\p{Nd}/gu;
const DECORATED = /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{N}\p{P}\p{S}\p{Z}])\p{M}+|^\p{Me}+$/gu;

/** Decimal digits come in runs of ten code points from zero to nine (The Unicode Standard, 4.6). */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  let before = 0;
  while (before < 60 && /^\p{Nd}$/u.test(String.fromCodePoint(code - before - 1))) before += 1;
  return String(before % 10);
}

const ODD = /\P{ASCII}/gu;
const SAME: ReadonlyMap<string, string> = new Map(
  Object.entries({
    // Not the long dash: it parts sentences, no numbers.
    '-': '\u2010\u2011\u2012\u2013\u2043\u2212\u2796',
    "'": '\u2018\u2019\u201A\u201B\u2032\u02BC\u00B4\u02B9',
    '"': '\u201C\u201D\u201E\u201F\u2033\u00AB\u00BB',
    '/': '\u2044\u2215\u29F8',
    ':': '\u2236\uA789\u02D0',
    '.': '\u0701\u0702\uA4F8',
    '\n': '\u0085\u2028\u2029\u000B\u000C',
    ' ': '\u1680\u3164',
  }).flatMap(([plain, odd]) => Array.from(odd, (character) => [character, plain] as const)),
);

interface Builder {
  add(form: string, start: number, end: number): void;
  done(): Normalised;
}

function createBuilder(): Builder {
  const pieces: string[] = [];
  // A character can become several, hence lists that grow.
  const starts: number[] = [];
  const ends: number[] = [];
  let needsFolding = false;
  return {
    add(form, start, end) {
      if (form === '') return;
      pieces.push(form);
      for (let unit = 0; unit < form.length; unit += 1) {
        starts.push(start);
        ends.push(end);
        const code = form.charCodeAt(unit);
        needsFolding ||= code > 0x7f && LOOK_ALIKE.has(form.charAt(unit));
      }
    },
    done() {
      const joined = pieces.join('');
      const text = (needsFolding ? foldLookAlikes(joined) : joined).replace(IDEOGRAPHIC_STOP, '.');
      return {
        text,
        toRaw: (start, end) => ({ start: starts[start] ?? 0, end: ends[end - 1] ?? 0 }),
      };
    },
  };
}

// In a host name it is a dot (UTS 46), after a sentence it is not.
const IDEOGRAPHIC_STOP = /(?<=[A-Za-z0-9])\u3002(?=[A-Za-z0-9])/gu;

/** How many times longer than the raw text a normalised one may get; real texts hardly grow. */
const MAX_GROWTH = 4;

/** Keeps every position: each look-alike is one code unit, and so is what it becomes. */
function foldLookAlikes(text: string): string {
  return text.replace(CHUNK, (chunk) => {
    if (!/[A-Za-z0-9]/u.test(chunk)) return chunk;
    return chunk.replace(WORD, (word) => {
      const isMixed = /[A-Za-z]/u.test(word);
      const looks = Array.from(word, (character) => LOOK_ALIKE.get(character) ?? character);
      // A word of look-alikes only (`сом` after a dot) is taken for Latin beside Latin; `IT-компания` stays.
      return isMixed || looks.every((character) => character <= '\x7f') ? looks.join('') : word;
    });
  });
}

const CHUNK = /\S+/gu;
const WORD = /[\p{L}\p{N}]+/gu;
// Unicode's confusables of single Latin letters (UTS 39), those that are hard to tell apart in common fonts.
const LOOK_ALIKE: ReadonlyMap<string, string> = new Map(
  [
    ['АВЕЅІЈКМНОРСТУХҮԌԚԜѴ', 'ABESIJKMHOPCTYXYGQWV'],
    ['аеѕіјорсухһԁԛԝѵкӏ', 'aesijopcyxhdqwvkl'],
    ['ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ', 'ABEZHIKMNOPTYXC'],
    ['αικνορτυχγωϲ', 'aikvoptuxywc'],
    ['օսոհց', 'ounhg'],
    ['ɑɡɩı', 'agii'],
  ].flatMap(([from = '', to = '']) => Array.from(from, (character, i) => [character, to.charAt(i)] as const)),
);
