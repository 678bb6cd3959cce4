import { createFingerprintTable, createRoller, DOMAINS, LANES, type FingerprintKey } from './karp-rabin.ts';
import type { Letters, Writing } from './letters.ts';

/** A stretch of a text, in UTF-16 code units. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * What was typed, pasted or edited in a session, as keyed fingerprints: bounded, and without any of the text. For texts that no
 * vocabulary holds (docs/decisions/0022).
 *
 * Shown letters are an echo when they are, up to case, accents, digits and punctuation,
 * - a word that was typed, with one letter more (`Mias`), or with any if it had {@link SHORTEST_BEGINNING} letters (`Müll`, `Müller`);
 * - up to three typed words written as one or the other way round (`ann lee`, `AnnLee`), or their beginning;
 * - a stretch of {@link WIDTH} letters of what was typed, wherever it begins.
 * The whole word is an echo then. Words of one or two ASCII letters count only when nothing else was typed with them.
 */
export interface TypedLetters {
  /** Fingerprints now held. */
  readonly size: number;
  /** Remembers all of a text under the number `at`; `false` once it had to leave something out. */
  add(letters: readonly Letters[], at: number): boolean;
  /** Echoes of what was remembered under numbers below `known`: sorted, without overlaps. */
  find(letters: readonly Letters[], known: number): readonly Range[];
}

/** About 80,000 letters, which nobody types in half an hour; 4 MiB when full. */
export const MAX_FINGERPRINTS = 131_072;

/** How many letters in a row say what was typed. Shorter stretches of spaced words are ends and beginnings that many words share. */
const WIDTH: Readonly<Record<Writing, number>> = { spaced: 8, ideographs: 2, syllables: 3, unspaced: 4 };
const MAX_WORDS = 3;
/** No word is longer; a longer one is found by its windows. */
const MAX_LETTERS = 64;
const SHORTEST_WORD = 3;
const SHORTEST_BEGINNING = 4;
/** A beginning that ends inside another word: `then` is none of `the new`. */
const SHORTEST_CROSSING = 5;
/** A letter outside of ASCII says about as much as two. */
const OTHER_LETTER_WEIGHT = 2;

export function createTypedLetters(key: FingerprintKey, max = MAX_FINGERPRINTS): TypedLetters {
  const prints = createFingerprintTable(max);
  const word = createRoller(key);
  const windows: Readonly<Record<Writing, Windows>> = {
    spaced: createWindows(key, WIDTH.spaced),
    ideographs: createWindows(key, WIDTH.ideographs),
    syllables: createWindows(key, WIDTH.syllables),
    unspaced: createWindows(key, WIDTH.unspaced),
  };
  const print = new Uint32Array(LANES);

  function addWords(letters: readonly Letters[], from: number, at: number): boolean {
    word.reset();
    let weight = 0;
    let count = 0;
    for (let i = from; i < letters.length && i < from + MAX_WORDS; i++) {
      const run = letters[i];
      if (run === undefined || (i > from && run.writing !== 'spaced')) return true;
      count += run.form.length;
      if (count > MAX_LETTERS) return true;
      weight += pushAll(word, run.form);
      if (run.writing !== 'spaced' || weight >= SHORTEST_WORD || letters.length === 1) {
        word.read(DOMAINS.word, print);
        if (!prints.add(print, at)) return false;
      }
      if (run.writing !== 'spaced') return true;
    }
    return true;
  }

  const wasTyped = (known: number): boolean => prints.get(print) < known;

  /** Marks the words from `from` on that are a typed word, or begin with one. */
  function findWords(letters: readonly Letters[], from: number, known: number, isEcho: Uint8Array): void {
    word.reset();
    let weight = 0;
    let count = 0;
    for (let i = from; i < letters.length && i < from + MAX_WORDS; i++) {
      const run = letters[i];
      if (run === undefined || (i > from && run.writing !== 'spaced')) return;
      const { form } = run;
      const shortest = i === from ? SHORTEST_BEGINNING : SHORTEST_CROSSING;
      for (let unit = 0; unit < form.length; unit++) {
        if (++count > MAX_LETTERS) return;
        weight += pushUnit(word, form, unit);
        const left = form.length - 1 - unit;
        const isWhole = left === 0 || (left === 1 && i === from && run.writing === 'spaced' && weight >= SHORTEST_WORD);
        if (!isWhole && (weight < shortest || run.writing !== 'spaced')) continue;
        word.read(DOMAINS.word, print);
        if (wasTyped(known)) isEcho.fill(1, from, i + 1);
      }
      if (run.writing !== 'spaced') return;
    }
  }

  /** Marks the words that a typed stretch touches. */
  function findStretches(letters: readonly Letters[], known: number, isEcho: Uint8Array, within: Range[]): void {
    for (let from = 0; from < letters.length;) {
      const to = stretchEnd(letters, from);
      const run = letters[from];
      if (run !== undefined) {
        windows[run.writing].over(letters, from, to, (window, first, last, unit) => {
          window.read(DOMAINS.window, print);
          if (!wasTyped(known)) return true;
          if (run.writing === 'spaced') isEcho.fill(1, first, last + 1);
          else within.push(rangeWithin(run, unit));
          return true;
        });
      }
      from = to;
    }
  }

  return {
    get size() {
      return prints.size;
    },
    add(letters, at) {
      for (let from = 0; from < letters.length; from++) if (!addWords(letters, from, at)) return false;
      for (let from = 0; from < letters.length;) {
        const to = stretchEnd(letters, from);
        const writing = letters[from]?.writing ?? 'spaced';
        const fits = windows[writing].over(letters, from, to, (window) => {
          window.read(DOMAINS.window, print);
          return prints.add(print, at);
        });
        if (!fits) return false;
        from = to;
      }
      return true;
    },
    find(letters, known) {
      if (prints.size === 0 || known === 0) return [];
      const isEcho = new Uint8Array(letters.length);
      const within: Range[] = [];
      for (let from = 0; from < letters.length; from++) findWords(letters, from, known, isEcho);
      findStretches(letters, known, isEcho, within);
      return merge([...letters.filter((_, i) => isEcho[i] === 1), ...within]);
    },
  };
}

/** Where the stretch of letters ends that began at `from`: spaced words go on, of others each run is one. */
function stretchEnd(letters: readonly Letters[], from: number): number {
  let to = from + 1;
  if (letters[from]?.writing !== 'spaced') return to;
  while (letters[to]?.writing === 'spaced') to++;
  return to;
}

/** Where a window that ends with unit `last` of the run's form stands in the text; the whole run when letters became others. */
function rangeWithin(run: Letters, last: number): Range {
  const { start, end, form, writing } = run;
  if (form.length !== end - start || SURROGATE.test(form)) return { start, end };
  return { start: start + last - WIDTH[writing] + 1, end: start + last + 1 };
}

const SURROGATE = /[\uD800-\uDFFF]/u;

interface Windows {
  /**
   * Shows each window over the letters of the runs `from`..`to`, with the runs in which it begins and ends and the unit of
   * the last run's form that it ends with; stops, and says `false`, when `see` does.
   */
  over(
    letters: readonly Letters[],
    from: number,
    to: number,
    see: (window: ReturnType<typeof createRoller>, first: number, last: number, unit: number) => boolean,
  ): boolean;
}

function createWindows(key: FingerprintKey, width: number): Windows {
  const roller = createRoller(key, width);
  /** The units in the window, and the runs that they are of, in a ring. */
  const units = new Uint16Array(width);
  const runs = new Uint32Array(width);
  return {
    over(letters, from, to, see) {
      roller.reset();
      let count = 0;
      for (let i = from; i < to; i++) {
        const form = letters[i]?.form ?? '';
        for (let unit = 0; unit < form.length; unit++) {
          const slot = count % width;
          const next = form.charCodeAt(unit);
          roller.push(next, count < width ? -1 : (units[slot] ?? 0));
          units[slot] = next;
          runs[slot] = i;
          count++;
          if (count >= width && !see(roller, runs[count % width] ?? i, i, unit)) return false;
        }
      }
      return true;
    },
  };
}

function pushAll(roller: ReturnType<typeof createRoller>, form: string): number {
  let weight = 0;
  for (let unit = 0; unit < form.length; unit++) weight += pushUnit(roller, form, unit);
  return weight;
}

function pushUnit(roller: ReturnType<typeof createRoller>, form: string, at: number): number {
  const unit = form.charCodeAt(at);
  roller.push(unit, -1);
  return unit > 0x7f ? OTHER_LETTER_WEIGHT : 1;
}

function merge(ranges: readonly Range[]): Range[] {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}
