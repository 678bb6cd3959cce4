import type { Recognizer, Span } from './span.ts';

/**
 * Secrets: private keys and certificates in PEM, tokens of known makers, JSON web tokens, `password=...`, and long runs of
 * characters that look random (UUIDs and hashes among them: they single somebody out).
 */
export const recognizer: Recognizer = { kinds: ['secret'], find };

function find(text: string): Span[] {
  return [...pemBlocks(text), ...assignments(text), ...randomTokens(text)];
}

/** From `-----BEGIN` to the end of its `-----END` line; to the end of the text when that is missing. */
function pemBlocks(text: string): Span[] {
  const spans: Span[] = [];
  for (let start = text.indexOf(PEM_BEGIN); start !== -1;) {
    const footer = text.indexOf(PEM_END, start);
    const close = footer === -1 ? -1 : text.indexOf('-----', footer + PEM_END.length);
    const end = close === -1 ? text.length : close + 5;
    spans.push({ start, end, kind: 'secret', score: 1, checked: 'pem' });
    start = text.indexOf(PEM_BEGIN, end);
  }
  return spans;
}

const PEM_BEGIN = '-----BEGIN ';
const PEM_END = '-----END ';

/** The value in `password=...`, `api_key=...`, `Bearer ...`. */
function assignments(text: string): Span[] {
  return [...text.matchAll(ASSIGNMENT)].map((match) => {
    const end = match.index + match[0].length;
    return { start: end - (match[1] ?? '').length, end, kind: 'secret', score: 0.8, checked: 'named' } as const;
  });
}

const ASSIGNMENT =
  /(?:(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)["']?=["']?|\bbearer )([^\s&;"']{4,})/giu;

function randomTokens(text: string): Span[] {
  const spans: Span[] = [];
  for (const run of text.matchAll(RUN)) {
    if (run[0].length < MIN_KNOWN) continue;
    const known = knownToken(run[0]);
    if (known !== -1) {
      spans.push({
        start: run.index + known,
        end: run.index + run[0].length,
        kind: 'secret',
        score: 0.95,
        checked: 'maker',
      });
      continue;
    }
    for (const piece of run[0].matchAll(PIECE)) {
      const checked = looksRandom(piece[0]);
      const start = run.index + piece.index;
      if (checked !== undefined)
        spans.push({ start, end: start + piece[0].length, kind: 'secret', score: 0.6, checked });
    }
  }
  return spans;
}

// A run is all that a token may be made of; a piece leaves out what also joins words in paths and sentences.
const RUN = /[\w+/=.~-]+/gu;
const PIECE = /[\w+~-]+={0,2}/gu;
const MIN_KNOWN = 16;
const MIN_RANDOM = 20;

/** Where in the run a token of a known maker begins, or -1. Lengths are fixed, so that each start costs the same. */
function knownToken(run: string): number {
  return run.search(KNOWN);
}

const KNOWN = new RegExp(
  [
    'eyJ[\\w-]{12}', // a JSON web token (RFC 7519): `{"` in base64url
    '(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}', // AWS
    'gh[opsur]_\\w{20}|github_pat_\\w{20}', // GitHub
    'glpat-[\\w-]{16}', // GitLab
    'xox[abeoprs]-[\\w-]{10}|xapp-[\\w-]{10}', // Slack
    'sk-[\\w-]{16}|(?:sk|rk|pk)_(?:live|test)_\\w{10}', // OpenAI, Anthropic, Stripe
    'AIza[\\w-]{30}|ya29\\.[\\w-]{10}', // Google
    '(?:npm|hf|dop_v1|shpat)_\\w{20}', // npm, Hugging Face, DigitalOcean, Shopify
    'SG\\.[\\w-]{16}', // SendGrid
  ]
    .map((shape) => `(?<![A-Za-z0-9])(?:${shape})`)
    .join('|'),
  'u',
);

/** What makes a piece look random, or undefined: words joined by case, dashes or underscores change kind seldom. */
function looksRandom(piece: string): string | undefined {
  if (piece.length < MIN_RANDOM) return undefined;
  const characters = piece.replace(/[^A-Za-z0-9]/gu, '');
  if (characters.length < MIN_RANDOM) return undefined;
  if (UUID.test(piece)) return 'uuid';
  if (/^(?=.*\d)(?=.*[a-f])[0-9a-f]{24,}$/iu.test(characters))
    return changesOf(characters) >= HEX_CHANGES ? 'hex' : undefined;
  if (entropyOf(characters) < MIN_ENTROPY) return undefined;
  const changes = changesOf(characters);
  return changes >= (/\d/u.test(characters) ? MIXED_CHANGES : LETTER_CHANGES) ? 'entropy' : undefined;
}

const UUID = /(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])/iu;

/** Bits a character; random base64 of 20 characters has about 4.1, English without spaces about 3.5. */
const MIN_ENTROPY = 3.3;
/** Share of neighbours of different kinds, see changesOf: random base64 about 0.42, camelCase about 0.17. */
const MIXED_CHANGES = 0.28;
const LETTER_CHANGES = 0.3;
const HEX_CHANGES = 0.2;

function changesOf(characters: string): number {
  let changes = 0;
  for (let i = 1; i < characters.length; i += 1) {
    const before = kindOf(characters.charCodeAt(i - 1));
    const kind = kindOf(characters.charCodeAt(i));
    // Upper to lower is how a word begins: in camelCase only its first letter counts.
    if (kind !== before && !(before === UPPER && kind === LOWER)) changes += 1;
  }
  return changes / (characters.length - 1);
}

const DIGIT = 0;
const UPPER = 1;
const LOWER = 2;
const kindOf = (code: number): number => (code < 0x3a ? DIGIT : code < 0x5b ? UPPER : LOWER);

function entropyOf(characters: string): number {
  const counts = new Map<string, number>();
  for (const character of characters) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / characters.length) * Math.log2(count / characters.length);
  return bits;
}
