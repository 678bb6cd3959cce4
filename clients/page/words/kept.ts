/** From a row of the training table to a sentence about it, and the rest of the row. */
import type { ActionName } from '../../../src/events/released.ts';
import type { KeptAction } from '../../../src/producers/gateway/protocol.ts';
import type { ActionWords, Words } from './words.ts';

export interface Described {
  readonly sentence: string;
  /** What the sentence has no place for, so that nothing of a row is hidden from the person. */
  readonly details: readonly string[];
}

type Column = Exclude<keyof KeptAction, 'action'>;

const ELEMENT: readonly Column[] = ['app', 'target_role', 'target', 'count'];
/** Columns that the sentence of an action tells; of the others, each that has a value is a detail. */
const TOLD: Readonly<Record<ActionName, readonly Column[]>> = {
  click: [...ELEMENT, 'button'],
  double_click: [...ELEMENT, 'button'],
  long_press: [...ELEMENT, 'button'],
  drag: [...ELEMENT, 'button'],
  scroll: ['app', 'direction', 'count'],
  type: [...ELEMENT, 'length'],
  press: ['app', 'key', 'count'],
  shortcut: ['app', 'key', 'count'],
  focus: ELEMENT,
  navigate: ['app', 'url', 'count'],
  clipboard: ['app', 'count'],
  edit: ELEMENT,
  away: [],
};

/** In the order in which they are told. */
const COLUMNS: readonly Column[] = [
  'app',
  'window',
  'url',
  'target_role',
  'target',
  'cell',
  'key',
  'button',
  'direction',
  'length',
  'count',
  'pause',
];

/** A row in plain words. Values that are not known are told as they are: what was kept may not be hidden. */
export function describe(kept: KeptAction, { actions: words }: Words): Described {
  const name = own(words.sentences, kept.action);
  const told = name === undefined ? [] : TOLD[name];
  const sentence = name === undefined ? words.unknown(kept.action) : words.sentences[name](partsOf(kept, words));
  const details = COLUMNS.flatMap((column) => {
    const value = kept[column];
    if (value === null || (told.includes(column) && isSayable(kept, column, words))) return [];
    return [`${words.labels[column]}: ${valueOf(column, value, words)}`];
  });
  return { sentence, details };
}

/** Whether a record has this key of its own; for texts from outside, as keys of a closed set. */
export function own<K extends string>(record: Readonly<Record<K, unknown>>, key: string): K | undefined {
  // The record's type says that its own keys are K.
  return Object.hasOwn(record, key) ? (key as K) : undefined;
}

function wordFor(record: Readonly<Record<string, string>>, value: string | null): string | undefined {
  return value !== null && Object.hasOwn(record, value) ? record[value] : undefined;
}

function partsOf(kept: KeptAction, words: ActionWords): Parameters<ActionWords['sentences']['click']>[0] {
  return {
    what: whatOf(kept, words),
    where: kept.app === null || isInWhat(kept) ? '' : words.inApp(kept.app),
    times: wordFor(words.times, kept.count) ?? '',
    steps: wordFor(words.steps, kept.count) ?? words.noSteps,
    button: wordFor(words.buttons, kept.button) ?? '',
    direction: wordFor(words.directions, kept.direction) ?? words.noDirection,
    length: wordFor(words.characters, kept.length) ?? words.noLength,
    key: kept.key ?? words.noKey,
    url: kept.url ?? words.noPage,
  };
}

/** `You went to Word` rather than `You went to something in Word`. */
const isInWhat = ({ action, app, target, target_role }: KeptAction): boolean =>
  action === 'focus' && app !== null && target === null && target_role === null;

function whatOf(kept: KeptAction, words: ActionWords): string {
  const { target_role: role, target, app } = kept;
  if (isInWhat(kept)) return app ?? words.something;
  if (role === null) return target === null ? words.something : words.quoted(target);
  const known = Object.hasOwn(words.roles, role) ? words.roles[role] : undefined;
  if (target === null) return known?.[1] ?? words.unknownRole[1](role);
  return `${known?.[0] ?? words.unknownRole[0](role)} ${words.quoted(target)}`;
}

/** Whether the sentence has a word for the value: a closed set may have grown. */
function isSayable(kept: KeptAction, column: Column, words: ActionWords): boolean {
  const set = setOf(column, words);
  return set === undefined || wordFor(set, kept[column]) !== undefined;
}

function setOf(column: Column, words: ActionWords): Readonly<Record<string, string>> | undefined {
  switch (column) {
    case 'button':
      return words.buttons;
    case 'direction':
      return words.directions;
    case 'cell':
      return words.cells;
    case 'pause':
      return words.pauses;
    case 'length':
      return words.characters;
    case 'count':
      return words.times;
    case 'app':
    case 'window':
    case 'url':
    case 'target_role':
    case 'target':
    case 'key':
      return undefined;
  }
}

function valueOf(column: Column, value: string, words: ActionWords): string {
  // A button has words only within a sentence.
  const set = column === 'button' ? undefined : setOf(column, words);
  const word = set === undefined ? undefined : wordFor(set, value);
  return (word ?? value).replace(/^, /u, '');
}
