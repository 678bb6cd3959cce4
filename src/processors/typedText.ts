import type { EchoMemory } from '../privacy/echoes.ts';

/** A longer run is remembered piece by piece; pieces overlap so that no word is cut in two. */
const MAX_LENGTH = 512;
const OVERLAP = 96;

/**
 * The text that the keys of a run produce, followed as a single-line editor would: only to recognise its echoes, and only
 * in memory. What cannot be followed (an unknown key, a caret that jumps lines) starts a new piece; whatever stood before
 * has been remembered by then.
 */
export interface TypedText {
  insert(text: string): void;
  /**
   * Backspace, Delete and caret keys by `KeyboardEvent.key`; `byWord` with Ctrl or Alt held, `byLine` with Meta, as on
   * macOS, `selecting` with Shift.
   *
   * @returns how many characters of what is followed it removed.
   */
  edit(key: string, how: { readonly byWord: boolean; readonly byLine: boolean; readonly selecting: boolean }): number;
  /** Remembers what stands there now; the run may go on. */
  remember(): void;
  /** Remembers, and starts the next piece; its beginning may continue this one's end. */
  close(): void;
}

export function followTyping(memory: Pick<EchoMemory, 'remember'>): TypedText {
  let text: string[] = [];
  let caret = 0;
  /** Where the selection began that ends at the caret. */
  let anchor = 0;
  /** The end of the piece before. */
  let tail = '';
  let changed = false;

  function remember(): void {
    if (!changed) return;
    changed = false;
    const now = text.join('');
    memory.remember(now);
    if (tail !== '') memory.remember(tail + now);
  }
  function restart(nextTail: string): void {
    remember();
    tail = nextTail;
    text = [];
    moveTo(0);
  }
  const close = (): void => restart((tail + text.join('')).slice(-OVERLAP));

  function moveTo(to: number, selecting = false): void {
    caret = to;
    if (!selecting) anchor = to;
  }
  function wordStart(): number {
    let at = caret;
    while (at > 0 && text[at - 1] === ' ') at--;
    while (at > 0 && text[at - 1] !== ' ') at--;
    return at;
  }
  function remove(from: number, to: number): number {
    // What is about to vanish may already have been echoed by a live search.
    remember();
    text.splice(from, to - from);
    moveTo(from);
    changed = true;
    return to - from;
  }
  function removeSelection(): number {
    return anchor === caret ? 0 : remove(Math.min(anchor, caret), Math.max(anchor, caret));
  }
  function removeBy(key: 'Backspace' | 'Delete', byWord: boolean, byLine: boolean): number {
    const selected = removeSelection();
    if (selected > 0) return selected;
    if (key === 'Delete') return remove(caret, Math.min(text.length, caret + 1));
    if (caret > 0) return remove(byLine ? 0 : byWord ? wordStart() : caret - 1, caret);
    tail = byWord || byLine ? '' : tail.slice(0, -1);
    return 0;
  }

  return {
    insert(inserted) {
      removeSelection();
      // Only the end of a text that is surely too long is taken apart: it may come thousands of times.
      const signs = Array.from(inserted.length > 2 * MAX_LENGTH ? inserted.slice(-2 * (MAX_LENGTH + 1)) : inserted);
      if (signs.length > MAX_LENGTH) {
        memory.remember(inserted);
        restart(signs.slice(-OVERLAP).join(''));
        return;
      }
      if (text.length + signs.length > MAX_LENGTH) close();
      text.splice(caret, 0, ...signs);
      moveTo(caret + signs.length);
      changed = true;
    },
    edit(key, { byWord, byLine, selecting }) {
      if (key === 'Backspace' || (key === 'Delete' && !byWord && !byLine)) return removeBy(key, byWord, byLine);
      if (key === 'Home' || (key === 'ArrowLeft' && byLine)) moveTo(0, selecting);
      else if (key === 'End' || (key === 'ArrowRight' && byLine)) moveTo(text.length, selecting);
      else if (key === 'ArrowLeft') moveTo(byWord ? wordStart() : Math.max(0, caret - 1), selecting);
      else if (key === 'ArrowRight' && !byWord) moveTo(Math.min(text.length, caret + 1), selecting);
      else close();
      return 0;
    },
    remember,
    close,
  };
}
