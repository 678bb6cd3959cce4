import { recognizer as address } from './address.ts';
import { recognizer as bank } from './bank.ts';
import { recognizer as birthDate } from './birth-date.ts';
import { recognizer as card } from './card.ts';
import { recognizer as coordinates } from './coordinates.ts';
import { recognizer as cryptoAddress } from './crypto-address.ts';
import { recognizer as documents } from './documents/index.ts';
import { recognizer as email } from './email.ts';
import { recognizer as handle } from './handle.ts';
import { recognizer as host } from './host.ts';
import { recognizer as iban } from './iban.ts';
import { recognizer as ip } from './ip.ts';
import { recognizer as mac } from './mac.ts';
import { recognizer as namedNumber } from './named-number.ts';
import { recognizer as namedRecord } from './named-record.ts';
import { recognizer as obfuscatedEmail } from './obfuscated-email.ts';
import { recognizer as person } from './person.ts';
import { recognizer as phone } from './phone.ts';
import { recognizer as plate } from './plate.ts';
import { recognizer as secret } from './secret.ts';
import { MIN_SCORE, type Recognizer, type Span } from './span.ts';
import { recognizer as urlToken } from './url-token.ts';
import { recognizer as urlUserinfo } from './url-userinfo.ts';
import { recognizer as username } from './username.ts';
import { createView, type TextView } from './view.ts';

export { toCodePoints } from './code-points.ts';
export { MIN_SCORE, SPAN_KINDS } from './span.ts';
export type { Recognizer, Span, SpanKind } from './span.ts';

/** Every recogniser there is. A new one is a file beside these, a line here, and its test. */
export const RECOGNIZERS: readonly Recognizer[] = [
  email,
  obfuscatedEmail,
  phone,
  card,
  iban,
  bank,
  documents,
  namedNumber,
  cryptoAddress,
  ip,
  mac,
  host,
  coordinates,
  urlUserinfo,
  urlToken,
  secret,
  person,
  address,
  birthDate,
  namedRecord,
  plate,
  handle,
  username,
];

/** How much of a text is searched, in UTF-16 code units; what follows is reported as one span that was not searched. */
export const MAX_SEARCHED = 64 * 1024;

/**
 * What is personal in a raw text: spans in its UTF-16 code units, sorted, none touching another's inside; `toCodePoints` counts them in
 * code points. Spans scored below `minScore` are left out; where those that stay overlap, one span covers all that was found
 * and takes the kind of the longest of them, or of the surest when equally long.
 *
 * Full-width digits, invisible characters, letters that look like others and such don't hide anything (normalise.ts). Text
 * beyond {@link MAX_SEARCHED} is one `secret` span with `checked: 'not_searched'`. Takes time linear in the text's length.
 */
export function recognize(text: string, minScore: number = MIN_SCORE): Span[] {
  const searched = text.length > MAX_SEARCHED ? cutBefore(text) : text.length;
  const head = searched === text.length ? text : text.slice(0, searched);
  const spans = findIn(createView(head, minScore < MIN_SCORE), RECOGNIZERS).filter(({ score }) => score >= minScore);
  if (searched < text.length) {
    spans.push({ start: searched, end: text.length, kind: 'secret', score: 1, checked: 'not_searched' });
  }
  return merge(spans);
}

/** All that the recognisers (or those given) find in a raw text, weak matches and overlaps too, in no set order. */
export function findAll(text: string, recognizers: readonly Recognizer[] = RECOGNIZERS): Span[] {
  return findIn(createView(text), recognizers);
}

function findIn(view: TextView, recognizers: readonly Recognizer[]): Span[] {
  return recognizers.flatMap((recognizer) =>
    recognizer.find(view).map((span) => ({ ...span, ...view.toRaw(span.start, span.end) })),
  );
}

/** Where the search ends: at white space if there is some nearby, so that nothing is cut in two and missed. */
function cutBefore(text: string): number {
  const gap = text.slice(MAX_SEARCHED - MAX_STEP_BACK, MAX_SEARCHED).search(/\s\S*$/u);
  return MAX_SEARCHED - MAX_STEP_BACK + Math.max(gap, 0);
}

const MAX_STEP_BACK = 256;

function merge(spans: readonly Span[]): Span[] {
  const merged: { end: number; start: number; best: Span }[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (last === undefined || span.start >= last.end) merged.push({ start: span.start, end: span.end, best: span });
    else {
      last.end = Math.max(last.end, span.end);
      if (isBetter(span, last.best)) last.best = span;
    }
  }
  return merged.map(({ start, end, best }): Span => ({
    start,
    end,
    kind: best.kind,
    score: best.score,
    checked: best.checked,
  }));
}

function isBetter(a: Span, b: Span): boolean {
  return a.end - a.start - (b.end - b.start) > 0 || (a.end - a.start === b.end - b.start && a.score > b.score);
}
