import { indexContexts, type Context, type ContextIndex, type Reach } from './context.ts';
import { normalise, type Normalised } from './normalise.ts';

/** What a recogniser sees of a text. Positions in it are those of {@link TextView.text}, not of the raw text. */
export interface TextView extends Normalised {
  /** Whether spans below MIN_SCORE are asked for: else what makes them need not be computed. */
  readonly wantsWeak: boolean;
  /** The text in lower case, position by position: a letter that would become two stays as it is. */
  readonly lower: string;
  /** Whether a word of `context` stands within reach of `start`..`end`; see context.ts. */
  readonly near: (context: Context, start: number, end: number, reach?: Reach) => boolean;
  /** Whether a word of `context` stands anywhere: ask it before a costly search. */
  has(context: Context): boolean;
}

export function createView(raw: string, wantsWeak = true): TextView {
  const normalised = normalise(raw);
  let lower: string | undefined;
  let contexts: ContextIndex | undefined;
  const index = (): ContextIndex => (contexts ??= indexContexts(normalised.text));
  return {
    ...normalised,
    wantsWeak,
    get lower() {
      return (lower ??= lowerOf(normalised.text));
    },
    near: (context, start, end, reach) => index().near(context, start, end, reach),
    has: (context) => index().has(context),
  };
}

function lowerOf(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (character) => {
    const small = character.toLowerCase();
    return small.length === character.length ? small : character;
  }).join('');
}
