/** What the recorder saw, as it is shown on the left. Nothing here touches the page, so that it can be tested without one. */
import type { ClipboardOp, RawEventKind } from '../../src/events/raw.ts';
import { isCharacter } from '../../src/privacy/keys.ts';
import type { RawPart } from '../../src/runtime/playground/protocol.ts';

/** An event as the recorder took it. */
export interface SeenEvent {
  readonly kind: RawEventKind;
  readonly title: string;
  readonly url: string;
  readonly role: string;
  readonly name: string;
  readonly key?: string;
  readonly text?: string;
  readonly op?: ClipboardOp;
  readonly x?: number;
  readonly y?: number;
}

/** What became of an event under one policy. */
export type Fate =
  | { readonly kind: 'unsent' | 'processing' | 'waiting' | 'kept' }
  /** `reason` is one of the processors'. */
  | { readonly kind: 'lost'; readonly reason: string };

/** A piece of a line; `raw` says what it is, for the reason. */
export interface Piece {
  readonly raw: RawPart | null;
  readonly text: string;
}

/** Events that are shown as one. */
export interface Line {
  readonly what: string;
  readonly pieces: readonly Piece[];
  readonly fate: Fate;
  readonly events: number;
}

const NAMES: Readonly<Record<RawEventKind, string>> = {
  pointer_move: 'pointer position',
  pointer_down: 'press',
  pointer_up: 'release',
  wheel: 'wheel',
  key_down: 'typed',
  key_up: 'key release',
  focus: 'focus',
  navigate: 'page',
  clipboard: 'clipboard',
  value_change: 'value',
  composition: 'composed',
  session_end: 'end of session',
  unknown: 'unknown',
};

/** Kinds of which many come that say little: they are shown as a number. */
const MANY: ReadonlySet<RawEventKind> = new Set(['pointer_move', 'key_up', 'wheel', 'session_end', 'unknown']);
export const MODIFIERS: ReadonlySet<string> = new Set([
  'Shift',
  'Control',
  'Alt',
  'Meta',
  'AltGraph',
  'CapsLock',
  'Fn',
]);

const isMany = ({ kind, key = '' }: SeenEvent): boolean =>
  MANY.has(kind) || (kind === 'key_down' && MODIFIERS.has(key));

interface Open extends Line {
  readonly many: boolean;
  readonly id: string;
}

/** The events of a batch as lines, in their order; what comes in great number is counted at the end. */
export function linesOf(events: readonly SeenEvent[], fates: readonly Fate[]): readonly Line[] {
  const lines: Open[] = [];
  const counted = new Map<string, Open>();
  let place = '';
  for (const [i, event] of events.entries()) {
    const fate = fates[i] ?? { kind: 'unsent' };
    const here = `${event.title}\n${event.url}`;
    if (here !== place && !isMany(event)) {
      place = here;
      lines.push({ what: 'in', pieces: placeOf(event), fate: { kind: 'kept' }, events: 0, many: false, id: 'place' });
    }
    const id = `${event.kind}/${fateId(fate)}/${String(isModifier(event))}`;
    if (isMany(event)) {
      const before = counted.get(id);
      const events = (before?.events ?? 0) + 1;
      counted.set(id, { what: manyName(event, events), pieces: [], fate, events, many: true, id });
      continue;
    }
    const last = lines.at(-1);
    if (event.kind === 'key_down' && last?.id === id) {
      const pieces = joined(last.pieces, { raw: 'typed', text: keyText(event) });
      lines[lines.length - 1] = { ...last, pieces, events: last.events + 1 };
    } else {
      lines.push({ what: NAMES[event.kind], pieces: piecesOf(event), fate, events: 1, many: false, id });
    }
  }
  return [...lines, ...counted.values()];
}

const isModifier = ({ kind, key = '' }: SeenEvent): boolean => kind === 'key_down' && MODIFIERS.has(key);
const fateId = (fate: Fate): string => (fate.kind === 'lost' ? fate.reason : fate.kind);

function manyName(event: SeenEvent, count: number): string {
  const name = isModifier(event) ? 'modifier key' : NAMES[event.kind];
  return count === 1 ? `1 ${name}` : `${count} ${name}s`;
}

function placeOf({ title, url }: SeenEvent): readonly Piece[] {
  return [
    { raw: 'title', text: title || EMPTY },
    { raw: 'url', text: url },
  ];
}

/** Each piece is something to press: none may be without a text. */
const EMPTY = '(empty)';

function piecesOf(event: SeenEvent): readonly Piece[] {
  const { kind, text = '', op = '', x, y } = event;
  const element = elementOf(event);
  switch (kind) {
    case 'key_down':
      return [{ raw: 'typed', text: keyText(event) }];
    case 'pointer_down':
    case 'pointer_up':
      return [...element, { raw: 'position', text: `at ${x ?? 0}, ${y ?? 0}` }];
    case 'clipboard':
      return [{ raw: 'clipboard', text: op }, ...element];
    case 'value_change':
      return [{ raw: 'value', text: text || EMPTY }, ...element];
    case 'composition':
      return [{ raw: 'typed', text: text || EMPTY }];
    case 'focus':
    case 'navigate':
    case 'pointer_move':
    case 'wheel':
    case 'key_up':
    case 'session_end':
    case 'unknown':
      return element;
  }
}

function elementOf({ role, name }: SeenEvent): readonly Piece[] {
  return [
    { raw: 'role' as const, text: role },
    { raw: 'name' as const, text: name === '' ? '' : `“${name}”` },
  ].filter((piece) => piece.text !== '');
}

/** Keys that type nothing are shown by name. */
const keyText = ({ key = '' }: SeenEvent): string => (isCharacter(key) ? key : `[${key}]`);

function joined(pieces: readonly Piece[], { raw, text }: Piece): readonly Piece[] {
  const [first, ...rest] = pieces;
  return first === undefined ? [{ raw, text }] : [{ raw, text: first.text + text }, ...rest];
}
