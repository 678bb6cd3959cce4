import type { Context } from '../context.ts';
import type { SpanKind } from '../span.ts';

/** One kind of number that an authority, a bank or an insurer gives: how it is written, what proves it, what stands around it. */
export interface DocumentType {
  /** Country and name, a short constant such as `de_idnr`; the first half of a span's `checked`. */
  readonly name: string;
  readonly kind: SpanKind;
  /**
   * How long the groups of letters and digits are and what stands between them: `9`, `3-2-4`. `_` is one space, dash, dot or underscore,
   * the same in all places of the form; `~` is nothing but a space.
   */
  readonly forms: readonly string[];
  /** What the number looks like in upper case without separators. */
  readonly pattern: RegExp;
  /** Whether check digits and other rules hold; gets what `pattern` saw and the text as it is written. None: the shape must do. */
  readonly check?: (compact: string, written: string) => boolean;
  /** How sure it is with nothing around it. Below MIN_SCORE unless one in a hundred such strings passes, at most. */
  readonly score: number;
  /** The same for one that is written in groups, when that tells more. */
  readonly grouped?: number;
  /** The score when a word of `context` stands near; default 0.85 with a check, 0.6 without. */
  readonly named?: number;
  readonly context: Context;
  /** Whether one whose check fails still counts, as a shape with its context: for authorities that stopped using check digits. */
  readonly lenient?: boolean;
}
