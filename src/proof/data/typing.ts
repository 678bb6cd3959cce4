import { join } from 'node:path';
import { requireFile, rowsOf, wholeIn } from './tables.ts';

/** One key as it was pressed; times in ms from the first of its sentence. */
export interface Stroke {
  readonly press: number;
  readonly release: number;
  /** As `KeyboardEvent.key` names it. */
  readonly key: string;
}

export interface Sentence {
  /** Which sentence it was: the same for all who typed it. */
  readonly id: string;
  readonly strokes: readonly Stroke[];
}

export interface Typist {
  readonly user: string;
  readonly sentences: readonly Sentence[];
}

const FILE = 'biometrics/typing_300users_15sentences.tsv.gz';
const HEADING = ['user', 'section', 'sentence_id', 'press_ms', 'release_ms', 'keycode', 'letter'];

/**
 * People who typed sentences that they were shown: a part of the 136 million keystrokes of Aalto (Dhakal, Feit, Kristensson
 * and Oulasvirta, "Observations on typing from 136 million keystrokes", CHI 2018).
 *
 * @throws MissingDataError, TableError
 */
export async function loadTypists(folder: string, most = Infinity): Promise<Typist[]> {
  const path = await requireFile(join(folder, FILE), 'typing of 300 people');
  const people = new Map<string, Map<string, Stroke[]>>();
  for await (const [user = '', , id = '', press, release, code, letter = ''] of rowsOf(path, HEADING)) {
    let sentences = people.get(user);
    if (sentences === undefined) {
      if (people.size >= most) break;
      people.set(user, (sentences = new Map()));
    }
    const strokes = sentences.get(id) ?? [];
    sentences.set(id, strokes);
    strokes.push({
      press: wholeIn(path, press),
      release: wholeIn(path, release),
      key: keyOf(letter, wholeIn(path, code)),
    });
  }
  return [...people].map(([user, sentences]) => ({
    user,
    sentences: [...sentences].map(([id, strokes]) => ({ id, strokes: fromZero(strokes) })),
  }));
}

/** Keys that the data set has names of its own for. */
const NAMES: Readonly<Record<string, string>> = {
  SHIFT: 'Shift',
  BKSP: 'Backspace',
  '\b': 'Backspace',
  CAPS_LOCK: 'CapsLock',
  ARW_LEFT: 'ArrowLeft',
  ARW_RIGHT: 'ArrowRight',
  ARW_UP: 'ArrowUp',
  ARW_DOWN: 'ArrowDown',
  INSERT: 'Insert',
  CTRL: 'Control',
  WIN: 'Meta',
  HOME: 'Home',
  END: 'End',
  DELETE: 'Delete',
  MENU: 'ContextMenu',
  ALT: 'Alt',
  SCR_LK: 'ScrollLock',
  NUM_LK: 'NumLock',
  F12: 'F12',
};
/** Some browsers gave no letter: then only the code of `KeyboardEvent.keyCode` is known. */
const CODES: Readonly<Record<number, string>> = {
  8: 'Backspace',
  16: 'Shift',
  17: 'Control',
  18: 'Alt',
  20: 'CapsLock',
  32: ' ',
  188: ',',
  190: '.',
  222: "'",
};

function keyOf(letter: string, code: number): string {
  const named = NAMES[letter];
  if (named !== undefined) return named;
  if (/^NUM_\d$/u.test(letter)) return letter.slice(-1);
  if (letter.length === 1 && letter >= ' ') return letter;
  const known = CODES[code];
  if (known !== undefined) return known;
  if ((code >= 65 && code <= 90) || (code >= 48 && code <= 57)) return String.fromCharCode(code).toLowerCase();
  return 'Unidentified';
}

function fromZero(strokes: readonly Stroke[]): Stroke[] {
  const first = strokes[0]?.press ?? 0;
  return strokes.map(({ press, release, key }) => ({ press: press - first, release: release - first, key }));
}

/** What stands there after these keys. Caret movement is left out: it is rare in the data. */
export function textOf(strokes: readonly Stroke[]): string {
  const text: string[] = [];
  for (const { key } of strokes) {
    if (key === 'Backspace') text.pop();
    else if (key.length === 1) text.push(key);
  }
  return text.join('');
}
