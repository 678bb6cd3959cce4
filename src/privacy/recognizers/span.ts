/** What recognisers return: where something personal stands in a text, what it is, and how sure that is. */
import type { TextView } from './view.ts';

/** Every kind there is. Placeholders follow from this list (`{email}`): a kind is a stable word of the released data. */
export const SPAN_KINDS = [
  'email',
  'phone',
  'card',
  'iban',
  'bank_account',
  'national_id',
  'tax_id',
  'health_id',
  'company_id',
  'professional_id',
  'personal_number',
  'crypto_address',
  'ip',
  'mac',
  'host',
  'url_userinfo',
  'coordinates',
  'vehicle_id',
  'device_id',
  'secret',
  'person',
  'address',
  'birth_date',
  'handle',
  'username',
  'passport',
  'licence',
  'medical_record',
  'plate',
] as const;
export type SpanKind = (typeof SPAN_KINDS)[number];

export interface Span {
  /** Index of the first UTF-16 code unit. */
  readonly start: number;
  /** One past the last UTF-16 code unit. */
  readonly end: number;
  readonly kind: SpanKind;
  /** 0..1: how sure the recogniser is; a check digit that holds counts more than a shape. Below {@link MIN_SCORE}: a weak match. */
  readonly score: number;
  /** What was checked beyond the shape: a short constant (`luhn`, `mod97`, ...), never text that was found. */
  readonly checked: string;
}

/** Weaker matches are shapes that many harmless texts have: a context word raises them above it. */
export const MIN_SCORE = 0.4;

/**
 * One family of personal data. `find` is pure and runs in time linear in the text's length. It sees the normalised text
 * (view.ts), and its spans are positions in that; `recognize` maps them back to the raw text.
 */
export interface Recognizer {
  readonly kinds: readonly SpanKind[];
  find(view: TextView): Span[];
}
