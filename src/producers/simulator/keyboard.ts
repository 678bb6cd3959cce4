/**
 * Keyboard layouts: which keys a person presses for a character, as W3C UI Events would report them.
 *
 * A layout is written as the characters of its four rows of keys; AltGr, Option and dead keys are listed beside them.
 */

/** One key press of those that make a character; `lead` comes before it. */
export interface Stroke {
  readonly key: string;
  readonly code: string;
  readonly shift: boolean;
  /** What is held besides shift. */
  readonly hold: 'none' | 'altgr' | 'ctrl_alt' | 'option';
  /** A dead key pressed and let go first. */
  readonly lead: Stroke | null;
}

/** How one character, or a run of them, gets into the text. */
export type Entry =
  | { readonly kind: 'stroke'; readonly stroke: Stroke }
  | { readonly kind: 'alt_code'; readonly digits: string }
  | { readonly kind: 'compose' };

export const LAYOUT_NAMES = ['us', 'gb', 'de', 'fr', 'hr', 'pl', 'es', 'mac-us', 'mac-de', 'ja'] as const;
export type LayoutName = (typeof LAYOUT_NAMES)[number];

export interface Keyboard {
  /** The text as this person can and would type it: accents that the keyboard lacks are left off. */
  producible(text: string): string;
  /** Of one character of a producible text. */
  entry(character: string): Entry;
  /** A neighbouring letter, hit by mistake; only for letters. */
  slip(character: string, choice: number): Stroke | undefined;
}

export interface KeyboardHabits {
  readonly layout: LayoutName;
  /** AltGr as Ctrl+Alt, the way some recorders on Windows report it. */
  readonly altGrIsCtrlAlt: boolean;
  /** Types characters that the layout lacks by Alt and a number on the keypad. */
  readonly altCodes: boolean;
}

const keyboards = new Map<string, Keyboard>();

/** Keyboards are shared by all people of the same habits. */
export function keyboardOf(habits: KeyboardHabits): Keyboard {
  const id = `${habits.layout}/${habits.altGrIsCtrlAlt}/${habits.altCodes}`;
  const known = keyboards.get(id);
  if (known !== undefined) return known;
  const made = makeKeyboard(habits);
  keyboards.set(id, made);
  return made;
}

function makeKeyboard(habits: KeyboardHabits): Keyboard {
  const strokes = strokesOf(habits);
  const compose: Entry = { kind: 'compose' };
  const entries = new Map<string, Entry>(
    [...strokes].map(([character, stroke]) => [character, { kind: 'stroke', stroke }]),
  );
  const entry = (character: string): Entry => {
    let found = entries.get(character);
    if (found === undefined) {
      const digits = habits.altCodes ? altCode(character) : undefined;
      found = digits === undefined ? compose : { kind: 'alt_code', digits };
    }
    return found;
  };
  const producible = (text: string): string => {
    let typed = '';
    for (const character of text) {
      if (strokes.has(character) || entry(character).kind === 'alt_code') typed += character;
      else typed += plain(character, strokes);
    }
    return typed;
  };
  const slip = (character: string, choice: number): Stroke | undefined => {
    const row = LETTER_ROWS.find((letters) => letters.includes(character));
    const wrong = row?.[row.indexOf(character) + (choice < 0.5 ? -1 : 1)];
    return wrong === undefined ? undefined : strokes.get(wrong);
  };
  return { producible, entry, slip };
}

/** A character without its accent where only that can be typed; others (kana, Han, emoji) are left to an input method. */
function plain(character: string, strokes: ReadonlyMap<string, Stroke>): string {
  const substitute = SUBSTITUTES[character];
  if (substitute !== undefined) return substitute;
  const base = character.normalize('NFD').replaceAll(/\p{M}/gu, '');
  return base !== character && strokes.has(base) ? base : character;
}

/** The number that makes a character with Alt and the keypad: `0` and its place in Windows-1252. */
function altCode(character: string): string | undefined {
  const point = character.codePointAt(0) ?? 0;
  const place = point >= 0xa0 && point <= 0xff ? point : WINDOWS_1252[character];
  return place === undefined ? undefined : `0${place}`;
}

function strokesOf({ layout, altGrIsCtrlAlt }: KeyboardHabits): Map<string, Stroke> {
  const spec = LAYOUTS[layout];
  const strokes = new Map<string, Stroke>();
  const dead = new Map<string, Stroke>();
  const add = (character: string, code: string, shift: boolean, hold: Stroke['hold']): void => {
    if (character === NO_KEY) return;
    const isDead = spec.dead.includes(character);
    const stroke: Stroke = { key: isDead ? 'Dead' : character, code, shift, hold, lead: null };
    if (isDead && hold !== 'option') dead.set(character, stroke);
    else if (!strokes.has(character)) strokes.set(character, stroke);
  };
  for (const [row, codes] of ROW_CODES.entries()) {
    for (const [i, code] of codes.entries()) {
      add(spec.plain[row]?.[i] ?? NO_KEY, code, false, 'none');
      add(spec.shift[row]?.[i] ?? NO_KEY, code, true, 'none');
    }
  }
  strokes.set(' ', { key: ' ', code: 'Space', shift: false, hold: 'none', lead: null });
  const third = spec.mac === true ? 'option' : altGrIsCtrlAlt ? 'ctrl_alt' : 'altgr';
  for (const [character, code, shift] of spec.third) {
    if (spec.dead.includes(character)) {
      dead.set(character, { key: 'Dead', code, shift: shift === true, hold: third, lead: null });
    } else add(character, code, shift === true, third);
  }
  addDeadKeys(strokes, dead);
  return strokes;
}

/** Accented letters that a dead key and a letter make, where the layout has no key of their own for them. */
function addDeadKeys(strokes: Map<string, Stroke>, dead: ReadonlyMap<string, Stroke>): void {
  for (const [accent, lead] of dead) {
    const mark = COMBINING[accent];
    if (mark === undefined) continue;
    const space = strokes.get(' ');
    if (space !== undefined && !strokes.has(accent)) strokes.set(accent, { ...space, key: accent, lead });
    for (const base of 'aeiouyncAEIOUYNC') {
      const composed = (base + mark).normalize('NFC');
      const stroke = strokes.get(base);
      if (composed.length === 1 && stroke !== undefined && !strokes.has(composed)) {
        strokes.set(composed, { ...stroke, key: composed, lead });
      }
    }
  }
}

interface LayoutSpec {
  /** Characters of the rows, in the order of {@link ROW_CODES}; {@link NO_KEY} where there is none. */
  readonly plain: readonly string[];
  readonly shift: readonly string[];
  readonly third: readonly (readonly [character: string, code: string, shift?: true])[];
  /** Characters whose keys are dead. */
  readonly dead: string;
  readonly mac?: true;
}

/** Stands for a key without a character of interest. */
const NO_KEY = '\u0000';

const letters = (row: string): string[] => Array.from(row, (letter) => `Key${letter}`);
const ROW_CODES: readonly (readonly string[])[] = [
  ['Backquote', ...Array.from('1234567890', (digit) => `Digit${digit}`), 'Minus', 'Equal'],
  [...letters('QWERTYUIOP'), 'BracketLeft', 'BracketRight', 'Backslash'],
  [...letters('ASDFGHJKL'), 'Semicolon', 'Quote'],
  [...letters('ZXCVBNM'), 'Comma', 'Period', 'Slash', 'IntlBackslash'],
];
const LETTER_ROWS = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'];

const US: LayoutSpec = {
  plain: ['`1234567890-=', 'qwertyuiop[]\\', "asdfghjkl;'", 'zxcvbnm,./'],
  shift: ['~!@#$%^&*()_+', 'QWERTYUIOP{}|', 'ASDFGHJKL:"', 'ZXCVBNM<>?'],
  third: [],
  dead: '',
};

const LAYOUTS: Readonly<Record<LayoutName, LayoutSpec>> = {
  us: US,
  ja: US,
  gb: {
    plain: ['`1234567890-=', 'qwertyuiop[]#', "asdfghjkl;'", 'zxcvbnm,./\\'],
    shift: ['¬!"£$%^&*()_+', 'QWERTYUIOP{}~', 'ASDFGHJKL:@', 'ZXCVBNM<>?|'],
    third: [
      ['€', 'Digit4'],
      ['é', 'KeyE'],
      ['á', 'KeyA'],
      ['ó', 'KeyO'],
    ],
    dead: '',
  },
  de: {
    plain: ['^1234567890ß´', 'qwertzuiopü+#', 'asdfghjklöä', 'yxcvbnm,.-<'],
    shift: ['°!"§$%&/()=?`', "QWERTZUIOPÜ*'", 'ASDFGHJKLÖÄ', 'YXCVBNM;:_>'],
    third: [
      ['@', 'KeyQ'],
      ['€', 'KeyE'],
      ['{', 'Digit7'],
      ['[', 'Digit8'],
      [']', 'Digit9'],
      ['}', 'Digit0'],
      ['\\', 'Minus'],
      ['~', 'BracketRight'],
      ['|', 'IntlBackslash'],
    ],
    dead: '^´`',
  },
  fr: {
    plain: ['²&é"\'(-è_çà)=', 'azertyuiop^$*', 'qsdfghjklmù', 'wxcvbn,;:!<'],
    shift: ['\u00001234567890°+', 'AZERTYUIOP¨£µ', 'QSDFGHJKLM%', 'WXCVBN?./§>'],
    third: [
      ['~', 'Digit2'],
      ['#', 'Digit3'],
      ['{', 'Digit4'],
      ['[', 'Digit5'],
      ['|', 'Digit6'],
      ['`', 'Digit7'],
      ['\\', 'Digit8'],
      ['@', 'Digit0'],
      [']', 'Minus'],
      ['}', 'Equal'],
      ['€', 'KeyE'],
    ],
    dead: '^¨',
  },
  hr: {
    plain: ["\u00001234567890'+", 'qwertzuiopšđž', 'asdfghjklčć', 'yxcvbnm,.-<'],
    shift: ['\u0000!"#$%&/()=?*', 'QWERTZUIOPŠĐŽ', 'ASDFGHJKLČĆ', 'YXCVBNM;:_>'],
    third: [
      ['@', 'KeyV'],
      ['\\', 'KeyQ'],
      ['|', 'KeyW'],
      ['[', 'KeyF'],
      [']', 'KeyG'],
      ['{', 'KeyB'],
      ['}', 'KeyN'],
      ['€', 'KeyE'],
      ['~', 'Digit1'],
    ],
    dead: '',
  },
  pl: {
    ...US,
    third: [
      ...Array.from('ąćęłńóśżź', (letter, i) => [letter, `Key${'ACELNOSZX'[i] ?? ''}`] as const),
      ...Array.from('ĄĆĘŁŃÓŚŻŹ', (letter, i) => [letter, `Key${'ACELNOSZX'[i] ?? ''}`, true] as const),
      ['€', 'KeyU'],
    ],
  },
  es: {
    plain: ["º1234567890'¡", 'qwertyuiop`+ç', 'asdfghjklñ´', 'zxcvbnm,.-<'],
    shift: ['ª!"·$%&/()=?¿', 'QWERTYUIOP^*Ç', 'ASDFGHJKLÑ¨', 'ZXCVBNM;:_>'],
    third: [
      ['|', 'Digit1'],
      ['@', 'Digit2'],
      ['#', 'Digit3'],
      ['~', 'Digit4'],
      ['€', 'KeyE'],
      ['[', 'BracketLeft'],
      [']', 'BracketRight'],
      ['{', 'Quote'],
      ['}', 'Backslash'],
      ['\\', 'Backquote'],
    ],
    dead: '`´^¨',
  },
  'mac-us': {
    ...US,
    third: [
      ['£', 'Digit3'],
      ['€', 'Digit2', true],
      ['–', 'Minus'],
      ['—', 'Minus', true],
      ['•', 'Digit8'],
      ['…', 'Semicolon'],
      ['°', 'Digit8', true],
      ['ß', 'KeyS'],
      ['å', 'KeyA'],
      ['ç', 'KeyC'],
      ['ø', 'KeyO'],
      ['´', 'KeyE'],
      ['¨', 'KeyU'],
      ['ˆ', 'KeyI'],
    ],
    dead: '´¨ˆ',
    mac: true,
  },
  'mac-de': {
    plain: ['^1234567890ß´', 'qwertzuiopü+#', 'asdfghjklöä', 'yxcvbnm,.-<'],
    shift: ['°!"§$%&/()=?`', "QWERTZUIOPÜ*'", 'ASDFGHJKLÖÄ', 'YXCVBNM;:_>'],
    third: [
      ['@', 'KeyL'],
      ['€', 'KeyE'],
      ['[', 'Digit5'],
      [']', 'Digit6'],
      ['|', 'Digit7'],
      ['{', 'Digit8'],
      ['}', 'Digit9'],
      ['\\', 'Digit7', true],
      ['–', 'Slash'],
      ['…', 'Period'],
    ],
    dead: '^´`',
    mac: true,
  },
};

const COMBINING: Readonly<Record<string, string>> = {
  '^': '\u0302',
  ˆ: '\u0302',
  '´': '\u0301',
  '`': '\u0300',
  '¨': '\u0308',
};
const WINDOWS_1252: Readonly<Record<string, number>> = { '€': 128, '…': 133, '’': 146, '•': 149, '–': 150, '—': 151 };
const SUBSTITUTES: Readonly<Record<string, string>> = {
  đ: 'd',
  Đ: 'D',
  ł: 'l',
  Ł: 'L',
  ß: 'ss',
  ø: 'o',
  æ: 'ae',
  '€': 'EUR',
  '’': "'",
  '…': '...',
  '–': '-',
  '—': '-',
  '•': '*',
  '~': '-',
  '`': "'",
  '|': '/',
};
