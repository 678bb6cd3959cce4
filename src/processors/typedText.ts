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
  /** Backspace, Delete and caret keys by `KeyboardEvent.key`; `byWord` with Ctrl or Alt held. */
  edit(key: string, byWord: boolean): void;
  /** The text goes on somewhere that cannot be followed. */
  breakOff(): void;
  /** Remembers what stands there now; the run may go on. */
  remember(): void;
  /** Remembers, and starts the next run; its beginning may continue this one's end. */
  close(): void;
}

export function followTyping(memory: EchoMemory): TypedText {
  let text: string[] = [];
  let caret = 0;
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
    caret = 0;
  }
  function wordStart(): number {
    let at = caret;
    while (at > 0 && text[at - 1] === ' ') at--;
    while (at > 0 && text[at - 1] !== ' ') at--;
    return at;
  }
  function removeBetween(from: number, to: number): void {
    // What is about to vanish may already have been echoed by a live search.
    remember();
    text.splice(from, to - from);
    caret = from;
    changed = true;
  }

  return {
    insert(inserted) {
      const signs = Array.from(inserted);
      if (signs.length > MAX_LENGTH) {
        memory.remember(inserted);
        restart(signs.slice(-OVERLAP).join(''));
        return;
      }
      if (text.length + signs.length > MAX_LENGTH) restart(text.slice(-OVERLAP).join(''));
      text.splice(caret, 0, ...signs);
      caret += signs.length;
      changed = true;
    },
    edit(key, byWord) {
      if (key === 'Backspace') removeBetween(byWord ? wordStart() : Math.max(0, caret - 1), caret);
      else if (key === 'Delete' && !byWord) removeBetween(caret, Math.min(text.length, caret + 1));
      else if (key === 'ArrowLeft') caret = byWord ? wordStart() : Math.max(0, caret - 1);
      else if (key === 'ArrowRight' && !byWord) caret = Math.min(text.length, caret + 1);
      else if (key === 'Home') caret = 0;
      else if (key === 'End') caret = text.length;
      else restart('');
    },
    breakOff: () => restart(''),
    remember,
    close: () => restart((tail + text.join('')).slice(-OVERLAP)),
  };
}
