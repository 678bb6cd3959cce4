import type { Entry, Keyboard, Stroke } from './keyboard.ts';
import { Random } from './random.ts';
import type { Position, Recorder } from './recorder.ts';

/** How one person's fingers move: enough of them to tell people apart by rhythm alone, as real typing does. */
export interface TypingRhythm {
  /** Mean and spread of how long a key is held, ms. */
  readonly dwell: number;
  readonly dwellSpread: number;
  /** Median press-to-press time, ms, and spread of its logarithm. */
  readonly flight: number;
  readonly flightSpread: number;
  /** Factors on the flight time, chosen by the pair of characters. */
  readonly digraphs: Float32Array;
  /** Chance of a thought before a word, and its median length, ms. */
  readonly pauses: number;
  readonly pause: number;
  /** Chance of a slip of the finger, of a character. */
  readonly slips: number;
}

const DIGRAPHS = 256;

export function makeRhythm(random: Random): TypingRhythm {
  const digraphs = new Float32Array(DIGRAPHS);
  for (let i = 0; i < DIGRAPHS; i += 1) digraphs[i] = Math.exp(0.22 * random.normal());
  return {
    dwell: random.between(62, 128),
    dwellSpread: random.between(8, 24),
    flight: random.between(115, 260),
    flightSpread: random.between(0.18, 0.42),
    digraphs,
    pauses: random.between(0.02, 0.12),
    pause: random.between(350, 1100),
    slips: random.between(0.003, 0.03),
  };
}

/** A text, and the batch that holds its last key. */
export interface Piece extends Position {
  readonly text: string;
}

export interface Typed {
  /** When the last key was let go. */
  readonly end: number;
  /** What was recorded of the text, one piece a session; empty unless the truth is asked for. */
  readonly pieces: readonly Piece[];
  /** What an input method committed of it. */
  readonly composed: readonly Piece[];
}

/** Types texts on one person's keyboard into their recorder. */
export class Typist {
  readonly #keyboard: Keyboard;
  readonly #rhythm: TypingRhythm;
  readonly #recorder: Recorder;
  readonly #random: Random;
  #t = 0;
  #last = 0;
  #shiftHeld = false;
  /** The key last pressed and not yet let go, when that is due, and what it is. */
  #heldUntil = Number.POSITIVE_INFINITY;
  #heldKey = '';
  #heldCode = '';
  #composed: Piece[] = [];

  constructor(keyboard: Keyboard, rhythm: TypingRhythm, recorder: Recorder, random: Random) {
    this.#keyboard = keyboard;
    this.#rhythm = rhythm;
    this.#recorder = recorder;
    this.#random = random;
  }

  /** Types `text` (a producible one) from time `t` on; `careful` makes no mistakes. */
  type(t: number, text: string, careful = false): Typed {
    this.#t = t;
    this.#composed = [];
    const pieces: Piece[] = [];
    const characters = Array.from(text);
    for (let i = 0; i < characters.length; i += 1) {
      const character = characters[i] ?? '';
      const from = i;
      const entry = this.#keyboard.entry(character);
      if (entry.kind === 'compose') i = this.#compose(characters, i);
      else this.#enter(character, entry, careful);
      if (this.#recorder.wantsTruth) this.#note(pieces, characters.slice(from, i + 1).join(''));
    }
    this.#rest();
    return { end: this.#t, pieces, composed: this.#composed };
  }

  /** Adds what was just typed to the piece of the session now open; nothing while nothing is recorded. */
  #note(pieces: Piece[], text: string): void {
    const { session, sequence } = this.#recorder.position;
    if (session === '') return;
    const last = pieces.at(-1);
    const continued = last?.session === session;
    const piece = { text: (continued ? last.text : '') + text, session, sequence };
    if (continued) pieces[pieces.length - 1] = piece;
    else pieces.push(piece);
  }

  /** Presses a key some times by its name. */
  press(t: number, key: string, code: string, times = 1): number {
    this.#t = t;
    for (let i = 0; i < times; i += 1) this.#tap(key, code, 0.8);
    this.#rest();
    return this.#t;
  }

  /** Presses a key while others are held, in the order given. */
  chord(t: number, held: readonly (readonly [key: string, code: string])[], key: string, code: string): number {
    this.#t = t;
    for (const [name, place] of held) {
      this.#recorder.key('key_down', this.#t, name, place);
      this.#t += this.#random.between(50, 140);
    }
    this.#tap(key, code, 0.3);
    this.#rest();
    for (const [name, place] of [...held].reverse()) {
      this.#t += this.#random.between(8, 60);
      this.#recorder.key('key_up', this.#t, name, place);
    }
    return this.#t;
  }

  #enter(character: string, entry: Entry, careful: boolean): void {
    if (character === ' ' && this.#random.chance(this.#rhythm.pauses)) {
      this.#t += this.#rhythm.pause * Math.exp(0.6 * this.#random.normal());
    }
    if (!careful && this.#random.chance(this.#rhythm.slips)) this.#slipAndCorrect(character);
    if (entry.kind === 'stroke') this.#stroke(entry.stroke);
    else if (entry.kind === 'alt_code') this.#altCode(entry.digits);
  }

  #slipAndCorrect(character: string): void {
    const wrong = this.#keyboard.slip(character, this.#random.unit());
    if (wrong === undefined) return;
    this.#stroke(wrong);
    this.#t += this.#random.between(120, 420);
    if (this.#random.chance(0.85)) {
      this.#tap('Backspace', 'Backspace', 1);
    } else {
      this.#tap('ArrowLeft', 'ArrowLeft', 1);
      this.#tap('Delete', 'Delete', 1);
    }
  }

  #stroke(stroke: Stroke): void {
    if (stroke.lead !== null) this.#stroke(stroke.lead);
    if (stroke.shift !== this.#shiftHeld) this.#toggleShift();
    if (stroke.hold === 'none') this.#tap(stroke.key, stroke.code, 1);
    else {
      this.#rest(true);
      this.#t = this.chord(this.#t + this.#random.between(40, 120), HELD[stroke.hold], stroke.key, stroke.code);
    }
  }

  #toggleShift(): void {
    this.#release();
    this.#t += this.#random.between(20, 90);
    this.#recorder.key(this.#shiftHeld ? 'key_up' : 'key_down', this.#t, 'Shift', 'ShiftLeft');
    this.#shiftHeld = !this.#shiftHeld;
  }

  #tap(key: string, code: string, pace: number): void {
    const { dwell, dwellSpread, flight, flightSpread, digraphs } = this.#rhythm;
    const random = this.#random;
    const character = key.length === 1 ? key.charCodeAt(0) : key.length;
    const habit = digraphs[(this.#last * 31 + character) % DIGRAPHS] ?? 1;
    this.#last = character;
    this.#t += pace * habit * flight * Math.exp(flightSpread * random.normal());
    // Fast fingers press the next key before the last one is up, but never by more than one key.
    if (this.#heldUntil > this.#t && this.#heldKey === key) this.#t = this.#heldUntil + 15;
    if (this.#heldUntil <= this.#t) this.#release();
    this.#recorder.key('key_down', this.#t, key, code);
    this.#release(this.#t + 1 + 30 * random.unit());
    this.#heldUntil = this.#t + Math.max(25, dwell + dwellSpread * random.normal());
    this.#heldKey = key;
    this.#heldCode = code;
  }

  /** Lets the last key go: when its time has come, or at `at` if that is earlier. */
  #release(at = Number.POSITIVE_INFINITY): void {
    if (this.#heldUntil === Number.POSITIVE_INFINITY) return;
    const t = Math.min(this.#heldUntil, at);
    this.#recorder.key('key_up', t, this.#heldKey, this.#heldCode);
    if (t > this.#t) this.#t = t;
    this.#heldUntil = Number.POSITIVE_INFINITY;
    this.#heldKey = '';
  }

  /** Lets everything go. */
  #rest(keepShift = false): void {
    this.#release();
    if (this.#shiftHeld && !keepShift) this.#toggleShift();
  }

  #altCode(digits: string): void {
    if (this.#shiftHeld) this.#toggleShift();
    this.#release();
    this.#t += this.#random.between(80, 200);
    this.#recorder.key('key_down', this.#t, 'Alt', 'AltLeft');
    for (const digit of digits) this.#tap(digit, `Numpad${digit}`, 0.9);
    this.#release();
    this.#t += this.#random.between(20, 80);
    this.#recorder.key('key_up', this.#t, 'Alt', 'AltLeft');
  }

  /** An input method takes some characters at once; gives the index of the last one. */
  #compose(characters: readonly string[], from: number): number {
    let to = from;
    const most = from + this.#random.whole(2, 8);
    while (
      to + 1 < characters.length &&
      to < most &&
      this.#keyboard.entry(characters[to + 1] ?? '').kind === 'compose'
    ) {
      to += 1;
    }
    if (this.#shiftHeld) this.#toggleShift();
    for (let i = from; i <= to; i += 1) {
      for (let n = this.#random.whole(1, 3); n > 0; n -= 1) this.#tap('Process', this.#random.pick(ROMAJI_CODES), 0.8);
    }
    this.#tap('Process', 'Space', 1.2);
    this.#tap('Process', 'Enter', 1.5);
    this.#release();
    const text = characters.slice(from, to + 1).join('');
    this.#recorder.composition(this.#t + 1, text);
    this.#t += 1;
    if (this.#recorder.wantsTruth) this.#composed.push({ text, ...this.#recorder.position });
    return to;
  }
}

const HELD: Readonly<Record<'altgr' | 'ctrl_alt' | 'option', readonly (readonly [string, string])[]>> = {
  // Windows reports AltGr as a left Ctrl and the AltGraph key.
  altgr: [
    ['Control', 'ControlLeft'],
    ['AltGraph', 'AltRight'],
  ],
  ctrl_alt: [
    ['Control', 'ControlLeft'],
    ['Alt', 'AltRight'],
  ],
  option: [['Alt', 'AltLeft']],
};
const ROMAJI_CODES = Array.from('AIUEOKSTNHMYRWGZDBP', (letter) => `Key${letter}`);
