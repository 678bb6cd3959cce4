import type { EchoMemory } from './echoes.ts';
import { tokens } from './text.ts';

/**
 * What was typed, pasted or edited in a session, for texts that no vocabulary holds yet. An {@link EchoMemory} knows which
 * entries occurred; here there are none to know, so it is the words that are remembered: as keyed fingerprints, bounded.
 *
 * It is stricter than that memory, never laxer: it sees an echo wherever a vocabulary with that entry would.
 */
export interface TypedWords extends Pick<EchoMemory, 'remember' | 'size'> {
  /** More was typed than is remembered: from now on nobody can say what is an echo. */
  readonly isFull: boolean;
  /**
   * Whether words shown on the screen may be an echo of what was remembered when `size` was `known`: a single word that was
   * typed, two words in a row that were typed in a row, or any word that was typed and is not public.
   */
  isEcho(words: readonly string[], known: number): boolean;
}

/** `{n}` and short words say nothing about what was typed; as in echoes.ts. */
const SHORTEST_ASCII_WORD = 3;

export function createTypedWords(options: {
  /** A keyed fingerprint of a text; that two texts share one may happen, and then one too many is taken for an echo. */
  readonly fingerprint: (text: string) => number;
  /** Whether a word alone may have been read rather than typed: it stands in a reviewed vocabulary. */
  readonly isPublic: (word: string) => boolean;
  /** How many words and pairs of words are remembered at most. */
  readonly max: number;
}): TypedWords {
  const { fingerprint, isPublic, max } = options;
  /** Words and pairs of neighbours, each with its place in the order of marking. */
  const marked = new Map<number, number>();
  /** Whole texts: values of elements come again with every batch. */
  const seen = new Set<number>();
  let isFull = false;

  function mark(text: string): void {
    const print = fingerprint(text);
    if (!marked.has(print)) marked.set(print, marked.size);
  }
  const wasTyped = (text: string, known: number): boolean => (marked.get(fingerprint(text)) ?? Infinity) < known;

  return {
    remember(text) {
      if (text === '' || isFull) return;
      const whole = fingerprint(`text ${text}`);
      if (seen.has(whole)) return;
      const words = tokens(text);
      if (marked.size + 2 * words.length > max || seen.size >= max) {
        isFull = true;
        return;
      }
      seen.add(whole);
      for (const [i, word] of words.entries()) {
        mark(word);
        if (i > 0) mark(pairOf(words[i - 1] ?? '', word));
      }
    },
    get size() {
      return marked.size;
    },
    get isFull() {
      return isFull;
    },
    isEcho(words, known) {
      if (known === 0) return false;
      const [first = ''] = words;
      if (words.length === 1) return wasTyped(first, known);
      return words.some(
        (word, i) =>
          (isTelling(word) && !isPublic(word) && wasTyped(word, known)) ||
          (i > 0 && wasTyped(pairOf(words[i - 1] ?? '', word), known)),
      );
    },
  };
}

// No word holds a space.
const pairOf = (a: string, b: string): string => `${a} ${b}`;

const isTelling = (word: string): boolean =>
  word !== '{n}' && (/[^ -~]/u.test(word) || word.length >= SHORTEST_ASCII_WORD);
