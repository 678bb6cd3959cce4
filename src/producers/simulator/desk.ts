import type { Person } from './people.ts';
import type { Detail, Phrase } from './phrases.ts';
import type { Pointer } from './pointer.ts';
import type { Random } from './random.ts';
import type { Place, Recorder, Target } from './recorder.ts';
import { control } from './screen.ts';
import type { PlantedKind } from './types.ts';
import type { Typist } from './typing.ts';

/**
 * An activity: does something at the desk, and yields between steps of at most a minute or so, so that the simulation can
 * hand out what has happened in the meantime.
 */
export type Script = Generator<void, void, void>;

export interface DeskParts {
  readonly person: Person;
  readonly recorder: Recorder;
  readonly typist: Typist;
  readonly pointer: Pointer;
  readonly random: Random;
  readonly now: number;
}

/** One person at work: what they do, as scripts put it, becomes events in their recorder. */
export class Desk {
  readonly person: Person;
  readonly random: Random;
  /** Trusted time, ms. */
  now: number;
  readonly #recorder: Recorder;
  readonly #typist: Typist;
  readonly #pointer: Pointer;

  constructor(parts: DeskParts) {
    this.person = parts.person;
    this.random = parts.random;
    this.now = parts.now;
    this.#recorder = parts.recorder;
    this.#typist = parts.typist;
    this.#pointer = parts.pointer;
  }

  /** Turns to another window. */
  turnTo(place: Place): void {
    if (this.random.chance(0.4)) this.shortcut(this.person.os === 'mac' ? 'Meta+Tab' : 'Alt+Tab');
    else this.wait(100, 500);
    this.#recorder.arrive(this.now, 'focus', place);
    this.#muse();
  }

  /** The window that the person is in now has another title. */
  retitle(place: Place): void {
    this.now += 20;
    this.#recorder.arrive(this.now, 'focus', place);
  }

  /** Another page opens in the browser. */
  navigate(place: Place): void {
    this.wait(200, 1500);
    this.#recorder.arrive(this.now, 'navigate', place);
    this.#muse();
  }

  click(target: Target): void {
    this.now = this.#pointer.click(this.now, target);
    this.#after(target);
  }

  doubleClick(target: Target): void {
    this.now = this.#pointer.click(this.now, target, 'left', 2);
    this.#after(target);
  }

  rightClick(target: Target): void {
    this.now = this.#pointer.click(this.now, target, 'right');
    this.wait(150, 600);
  }

  /** A browser's "open in a new tab". */
  middleClick(target: Target): void {
    this.now = this.#pointer.click(this.now, target, 'middle');
    this.wait(150, 600);
  }

  longPress(target: Target): void {
    this.now = this.#pointer.longPress(this.now, target);
    this.wait(200, 700);
  }

  drag(from: Target, to: Target): void {
    this.now = this.#pointer.drag(this.now, from, to);
    this.wait(200, 700);
  }

  /** Clicks through a menu or a ribbon. */
  menu(...path: readonly string[]): void {
    for (const name of path) this.click(control('menuitem', name));
  }

  button(name: string): void {
    this.click(control('button', name));
  }

  #after(target: Target): void {
    if (TAKES_FOCUS.has(target.element.role)) this.#recorder.focus(this.now + 5, target);
    this.now += 5;
    this.wait(60, 600);
  }

  /** Moves on to a field without the pointer. */
  tabTo(target: Target): void {
    this.press('Tab');
    this.#recorder.focus(this.now + 5, target);
    this.now += 5;
  }

  /**
   * Types what the person's keyboard can make of the text, and gives that back. `kind` null: the text says nothing about
   * anybody.
   */
  type(text: string | Phrase, kind: PlantedKind | null, careful = false): string {
    const { keyboard } = this.person;
    const typed = keyboard.producible(typeof text === 'string' ? text : text.text);
    const { end, pieces, composed } = this.#typist.type(this.now, typed, careful);
    this.now = end;
    const details = typeof text === 'string' ? [] : text.details;
    for (const piece of pieces) {
      // A session's end can cut a text anywhere; a few letters of it could be anybody's.
      if (piece.text !== typed && piece.text.length < SHORTEST_PIECE) continue;
      if (kind !== null) this.#recorder.plant({ text: piece.text, kind, where: 'typed' }, piece);
      for (const detail of details) {
        const part = keyboard.producible(detail.text);
        if (piece.text.includes(part)) this.#recorder.plant({ text: part, kind: detail.kind, where: 'typed' }, piece);
      }
    }
    for (const piece of composed) {
      // Shorter ones are words that anybody writes.
      if (piece.text.length < 4) continue;
      this.#recorder.plant({ text: piece.text, kind: kind ?? 'message', where: 'composition' }, piece);
    }
    return typed;
  }

  /** Presses a named key. */
  press(key: string, times = 1): void {
    this.now = this.#typist.press(this.now, key, key === ' ' ? 'Space' : key, times);
    this.now += 5;
  }

  /** Presses a shortcut such as `Mod+Shift+S`; `Mod` is Ctrl, or Command on a Mac. */
  shortcut(name: string): void {
    const parts = name.split('+');
    const key = parts.pop() ?? '';
    const held = parts.map(
      (part) => MODIFIERS[part === 'Mod' ? (this.person.os === 'mac' ? 'Meta' : 'Ctrl') : part] ?? CTRL,
    );
    const letter = key.length === 1;
    const typed = letter && !parts.includes('Shift') ? key.toLowerCase() : key;
    this.now = this.#typist.chord(this.now, held, typed, letter ? codeOf(key) : key);
    this.wait(40, 250);
  }

  copy(detail: Detail): void {
    this.#clip('copy', detail);
  }

  cut(detail: Detail): void {
    this.#clip('cut', detail);
  }

  paste(detail: Detail): void {
    this.#clip('paste', detail);
  }

  #clip(op: 'copy' | 'cut' | 'paste', detail: Detail): void {
    if (this.random.chance(0.8)) this.shortcut(`Mod+${SHORTCUT_OF[op]}`);
    else this.#menuClip(op);
    this.now += 8;
    this.#recorder.clipboard(this.now, op, detail.text);
    this.#plantLast({ ...detail }, 'clipboard');
  }

  #menuClip(op: 'copy' | 'cut' | 'paste'): void {
    this.now = this.#pointer.click(this.now, control('menuitem', { copy: 'Copy', cut: 'Cut', paste: 'Paste' }[op]));
  }

  /** The focused control's value has become `detail`. */
  valueChange(detail: Detail): void {
    this.now += 10;
    this.#recorder.valueChange(this.now, detail.text);
    this.#plantLast(detail, 'value_change');
  }

  #plantLast(detail: Detail, where: 'clipboard' | 'value_change'): void {
    if (this.#recorder.wantsTruth) this.#recorder.plant({ ...detail, where });
  }

  scroll(notches: number): void {
    this.now = this.#pointer.scroll(this.now, notches);
  }

  /** Reads for a while: the eyes work, the hand strays and scrolls. */
  read(seconds: number): void {
    const end = this.now + seconds * 1000;
    while (this.now < end) {
      const what = this.random.unit();
      if (what < 0.36) this.now = this.#pointer.wander(this.now, this.random.between(300, 1500));
      else if (what < 0.58) this.scroll(this.random.whole(2, 9) * (this.random.chance(0.8) ? -1 : 1));
      else this.wait(300, 2300);
    }
  }

  wait(low: number, high: number): void {
    this.now += this.random.between(low, high);
  }

  /** Takes in what has come up: the hand seldom lies still. */
  #muse(): void {
    if (this.random.chance(0.6)) this.now = this.#pointer.wander(this.now, this.random.between(300, 1200));
    else this.wait(200, 900);
  }

  /** Locks the screen: the recorder ends its session. */
  lock(): void {
    this.shortcut(this.person.os === 'mac' ? 'Ctrl+Meta+Q' : 'Meta+L');
    this.#recorder.endSession(this.now + 50);
    this.now += 50;
  }

  get os(): Person['os'] {
    return this.person.os;
  }
}

const SHORTEST_PIECE = 8;
const CTRL = ['Control', 'ControlLeft'] as const;
const MODIFIERS: Readonly<Record<string, readonly [key: string, code: string]>> = {
  Ctrl: CTRL,
  Alt: ['Alt', 'AltLeft'],
  Shift: ['Shift', 'ShiftLeft'],
  Meta: ['Meta', 'MetaLeft'],
};
const SHORTCUT_OF = { copy: 'C', cut: 'X', paste: 'V' } as const;
const TAKES_FOCUS = new Set(['textbox', 'document', 'combobox', 'searchbox', 'cell', 'gridcell', 'spinbutton']);

function codeOf(character: string): string {
  if (/[A-Z]/u.test(character)) return `Key${character}`;
  if (/\d/u.test(character)) return `Digit${character}`;
  return SIGN_CODES[character] ?? '';
}

const SIGN_CODES: Readonly<Record<string, string>> = { '/': 'Slash', '`': 'Backquote', '=': 'Equal', '-': 'Minus' };
