import type { FreeText } from './free-text.ts';
import { lettersOf } from './letters.ts';
import { tokens } from './text.ts';
import type { Range, TypedLetters } from './typed-letters.ts';
import type { Vocabulary } from './vocabulary.ts';

/**
 * What was typed, pasted or edited in this session, so that it is cut from texts there.
 *
 * Of the texts that may be kept because the vocabulary holds them, it is enough to remember which occurred in what was
 * typed: a set of entry numbers, exact, and bounded by the vocabulary (docs/decisions/0004). Free texts need fingerprints of all
 * that was typed ({@link TypedLetters}). Neither holds the text.
 */
export interface EchoMemory {
  /** Marks every vocabulary entry of which a name occurs, as a run of whole words, in `text`; and its letters, for free texts. */
  remember(text: string): void;
  /** How much is remembered. It only grows, so it can stand for a moment of the session. */
  readonly size: number;
  /** Whether the entry was marked when `size` was `known`: what was typed later is no reason to cut what was shown before. */
  has(entryId: number, known: number): boolean;
  /**
   * What of a free text is an echo of what was remembered when `size` was `known`; null when that is not known, because
   * there is no memory for it or because it was full by then. Then nothing of the text may be kept.
   */
  echoesIn(text: Pick<FreeText, 'letters'>, known: number): readonly Range[] | null;
}

/** `typed` is given where free texts are kept. */
export function createEchoMemory(vocabulary: Vocabulary, typed: TypedLetters | null = null): EchoMemory {
  /** Each entry with the memory's size when it was marked. */
  const entries = new Map<number, number>();
  let fullSince = Infinity;
  const size = (): number => entries.size + (typed?.size ?? 0) + (fullSince === Infinity ? 0 : 1);

  function rememberEntries(text: string): void {
    const now = size();
    for (const id of vocabulary.occurrences(tokens(text))) {
      if (!entries.has(id)) entries.set(id, now);
    }
  }
  function rememberLetters(text: string): void {
    if (typed === null || fullSince !== Infinity) return;
    const now = size();
    if (!typed.add(lettersOf(text), now)) fullSince = now;
  }

  return {
    remember(text) {
      if (text === '') return;
      rememberEntries(text);
      rememberLetters(text);
    },
    get size() {
      return size();
    },
    has: (entryId, known) => (entries.get(entryId) ?? Infinity) < known,
    echoesIn(text, known) {
      if (typed === null || known > fullSince) return null;
      return known === 0 ? [] : typed.find(text.letters, known);
    },
  };
}
