import { tokens } from './text.ts';
import type { Vocabulary } from './vocabulary.ts';

/**
 * Which of the texts that may be kept were typed, pasted or edited in this session, so that they are cut there.
 *
 * Only vocabulary entries can ever be released, so it is enough to remember which of them occurred in what was typed:
 * the memory is a set of entry numbers, holds no personal text, and is bounded by the vocabulary (docs/decisions/0004).
 */
export interface EchoMemory {
  /** Marks every vocabulary entry whose words occur, as a run of whole words, in `text`. */
  remember(text: string): void;
  /** How many entries are marked. It only grows, so it can stand for a moment of the session. */
  readonly size: number;
  /** Whether the entry was marked when `size` was `known`: what was typed later is no reason to cut what was shown before. */
  has(entryId: number, known: number): boolean;
}

/** Shorter words say nothing about what was typed, and would blank half of every menu. */
const SHORTEST_ASCII_ECHO = 3;

export function createEchoMemory(vocabulary: Vocabulary): EchoMemory {
  /** Each entry with its place in the order of marking. */
  const typed = new Map<number, number>();
  return {
    remember(text) {
      if (text === '') return;
      for (const id of vocabulary.occurrences(tokens(text))) {
        if (!typed.has(id) && isTelling(vocabulary.entryTokens(id))) typed.set(id, typed.size);
      }
    },
    get size() {
      return typed.size;
    },
    has: (entryId, known) => (typed.get(entryId) ?? Infinity) < known,
  };
}

function isTelling(words: readonly string[]): boolean {
  const letters = words.filter((word) => word !== '{n}').join('');
  // One sign of a script without spaces can be a whole word; `{n}` alone is a number without its digits.
  return /[^ -~]/u.test(letters) || letters.length >= SHORTEST_ASCII_ECHO;
}
