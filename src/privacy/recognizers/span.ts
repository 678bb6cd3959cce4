/** What recognisers return: where something personal stands in a text, what it is, and how sure that is. */

export const SPAN_KINDS = ['email', 'phone', 'card', 'iban', 'ip', 'url_userinfo', 'secret'] as const;
export type SpanKind = (typeof SPAN_KINDS)[number];

export interface Span {
  /** Index of the first UTF-16 code unit. */
  readonly start: number;
  /** One past the last UTF-16 code unit. */
  readonly end: number;
  readonly kind: SpanKind;
  /** 0..1: how sure the recogniser is; a check digit that holds counts more than a shape. */
  readonly score: number;
  /** What was checked beyond the shape: a short constant (`luhn`, `mod97`, ...), never text that was found. */
  readonly checked: string;
}

/** One family of personal data. `find` is pure, takes normalised text (NFKC) and runs in time linear in its length. */
export interface Recognizer {
  readonly kinds: readonly SpanKind[];
  find(text: string): Span[];
}
