import type { KeyPress } from '../events/raw.ts';
import type { Modifiers } from '../privacy/keys.ts';

/** The modifiers that are held while a key is pressed, and what they make of it. */
export interface Held extends Modifiers {
  /** They write a character together with the key, so the key is content, whatever any list says. */
  readonly composes: boolean;
  /** The key is a digit of a character's number: not itself text. */
  readonly entersCode: boolean;
}

export interface HeldModifiers {
  /** Notes a pressed modifier; false when the key is none. */
  press(event: KeyPress): boolean;
  release(key: string): void;
  /** What is held while `event`, not a modifier, goes down. */
  during(event: KeyPress): Held;
  /** Releases may have been missed: nothing counts as held. */
  clear(): void;
}

/**
 * Follows the modifiers by their key events. One that was pressed more than `holdMs` ago counts as released: a release that
 * never arrived would turn the letters that follow into shortcuts, and release them.
 *
 * `isNamed` tells the keys that write nothing.
 */
export function followModifiers(holdMs: number, isNamed: (key: string) => boolean): HeldModifiers {
  const held = new Map<Modifier, number>();
  /** While this is held, keys spell a character's number: Alt and the number pad, or Ctrl+Shift+U. */
  let codeWith: Modifier | null = null;

  function isHeld(modifier: Modifier, at: number): boolean {
    const since = held.get(modifier);
    if (since === undefined) return false;
    if (at >= since && at - since <= holdMs) return true;
    letGo(modifier);
    return false;
  }
  function letGo(modifier: Modifier): void {
    held.delete(modifier);
    if (codeWith === modifier) codeWith = null;
  }

  return {
    press({ key, at }) {
      const modifier = MODIFIERS.get(key);
      if (modifier !== undefined) held.set(modifier, at);
      return modifier !== undefined;
    },
    release(key) {
      const modifier = MODIFIERS.get(key);
      if (modifier !== undefined) letGo(modifier);
    },
    during({ key, code, at }) {
      if (held.size === 0) return NONE;
      const altGr = isHeld('AltGr', at);
      const ctrl = isHeld('Ctrl', at);
      const alt = isHeld('Alt', at);
      const shift = isHeld('Shift', at);
      const meta = isHeld('Meta', at);
      const entersCode = codeWith !== null || (alt && isCodeDigit(key, code));
      if (entersCode) codeWith ??= 'Alt';
      else if (ctrl && shift && (key === 'U' || key === 'u')) codeWith = 'Ctrl';
      // Ctrl+Alt is how Windows reports AltGr.
      const composes = altGr || entersCode || (ctrl && alt && !isNamed(key));
      return { ctrl, alt, shift, meta, composes, entersCode };
    },
    clear() {
      held.clear();
      codeWith = null;
    },
  };
}

type Modifier = 'Ctrl' | 'Alt' | 'AltGr' | 'Shift' | 'Meta';

const MODIFIERS: ReadonlyMap<string, Modifier> = new Map([
  ['Control', 'Ctrl'],
  ['Alt', 'Alt'],
  ['AltGraph', 'AltGr'],
  ['Shift', 'Shift'],
  ['Meta', 'Meta'],
  ['OS', 'Meta'],
]);

const NONE: Held = {
  ctrl: false,
  alt: false,
  shift: false,
  meta: false,
  composes: false,
  entersCode: false,
};

/** Pressed with Alt: a number pad's key (an arrow when the pad is not locked), or a digit that could come from one. */
const isCodeDigit = (key: string, code: string): boolean =>
  code.startsWith('Numpad') ? code !== 'NumpadEnter' : /^\p{Nd}$/u.test(key) && !code.startsWith('Digit');
