/** Finds which of many listed word sequences occur in a text, in time that grows with the text. Pure and browser-safe. */
export interface WordRuns {
  /** Values of every listed sequence that stands in `words` as a run of whole words; each once, in no set order. */
  findIn(words: readonly string[]): ReadonlySet<number>;
}

/** A tree over words: a path from the root spells a listed sequence. */
interface Run {
  readonly next: Map<string, Run>;
  readonly values: number[];
}

/** Lists sequences with a number each; empty sequences occur nowhere. */
export function createWordRuns(sequences: Iterable<readonly [words: readonly string[], value: number]>): WordRuns {
  const root = emptyRun();
  for (const [words, value] of sequences) {
    if (words.length === 0) continue;
    let run = root;
    for (const word of words) {
      let next = run.next.get(word);
      if (next === undefined) {
        next = emptyRun();
        run.next.set(word, next);
      }
      run = next;
    }
    run.values.push(value);
  }
  return { findIn: (words) => findIn(root, words) };
}

const emptyRun = (): Run => ({ next: new Map(), values: [] });

function findIn(root: Run, words: readonly string[]): ReadonlySet<number> {
  const found = new Set<number>();
  for (let start = 0; start < words.length; start++) {
    let run: Run | undefined = root;
    // Ends after as many words as the longest sequence has: the tree is no deeper.
    for (let at = start; at < words.length; at++) {
      run = run.next.get(words[at] ?? '');
      if (run === undefined) break;
      for (const value of run.values) found.add(value);
    }
  }
  return found;
}
