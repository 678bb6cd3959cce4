import { recognizer as card } from './card.ts';
import { recognizer as email } from './email.ts';
import { recognizer as iban } from './iban.ts';
import { recognizer as ip } from './ip.ts';
import { recognizer as phone } from './phone.ts';
import { recognizer as secret } from './secret.ts';
import type { Recognizer, Span } from './span.ts';
import { recognizer as urlUserinfo } from './url-userinfo.ts';

export { SPAN_KINDS } from './span.ts';
export type { Recognizer, Span, SpanKind } from './span.ts';

/** Every recogniser there is. A new one is a file beside these, a line here, and its test. */
export const RECOGNIZERS: readonly Recognizer[] = [email, phone, card, iban, ip, urlUserinfo, secret];

/** How much of a text is searched, in UTF-16 code units; what follows is reported as one span that was not searched. */
export const MAX_SEARCHED = 64 * 1024;

/**
 * What is personal in a text: spans in UTF-16 code units, sorted, none touching another's inside. Where recognisers overlap, one span
 * covers all that they found and takes the kind of the longest of them, or of the surest when equally long.
 *
 * The text must be normalised (NFKC, invisible characters gone): full-width digits and such are not looked for. Text beyond
 * {@link MAX_SEARCHED} is one `secret` span with `checked: 'not_searched'`. Takes time linear in the text's length.
 */
export function recognize(text: string): Span[] {
  const searched = text.length > MAX_SEARCHED ? cutBefore(text) : text.length;
  const head = searched === text.length ? text : text.slice(0, searched);
  const spans = RECOGNIZERS.flatMap((recognizer) => recognizer.find(head));
  if (searched < text.length) {
    spans.push({ start: searched, end: text.length, kind: 'secret', score: 1, checked: 'not_searched' });
  }
  return merge(spans);
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
