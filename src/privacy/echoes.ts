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
  /** Whether the entry was typed in this session. */
  has(entryId: number): boolean;
}

/** Shorter words say nothing about what was typed, and would blank half of every menu. */
const SHORTEST_ASCII_ECHO = 3;

export function createEchoMemory(vocabulary: Vocabulary): EchoMemory {
  const typed = new Set<number>();
  return {
    remember(text) {
      if (text === '') return;
      for (const id of vocabulary.occurrences(tokens(text))) {
        if (!typed.has(id) && isTelling(vocabulary.entryTokens(id))) typed.add(id);
      }
    },
    has: (entryId) => typed.has(entryId),
  };
}

function isTelling(words: readonly string[]): boolean {
  const letters = words.filter((word) => word !== '{n}').join('');
  // One sign of a script without spaces can be a whole word; `{n}` alone is a number without its digits.
  return /[^ -~]/u.test(letters) || letters.length >= SHORTEST_ASCII_ECHO;
}
