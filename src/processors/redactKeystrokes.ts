import { keep, type Processor } from '../events/outcome.ts';
import type { Context, KeyPress, UiElement } from '../events/raw.ts';
import type { EchoMemory } from '../privacy/echoes.ts';
import { shortcutName } from '../privacy/keys.ts';
import type { Policy } from '../privacy/policy.ts';
import { amountOf } from './amounts.ts';
import {
  addDropped,
  type ContentFreeEvent,
  type KeylessBatch,
  type KeylessEvent,
  type VisibleBatch,
  type VisibleEvent,
  type Where,
} from './stages.ts';
import { followTyping } from './typedText.ts';

export interface KeystrokeRedactor {
  readonly process: Processor<VisibleBatch, KeylessBatch>;
  /** Something is missing before the next batch: held modifiers are forgotten, an open run ends there. */
  onGap(): void;
  /** Raw events held back in an open run. */
  pending(): number;
}

/**
 * Takes the content out of keystrokes, input methods, clipboard and edited values. One instance a session, fed with its
 * batches in order.
 *
 * Content keys between two changes of focus, clicks or releasing keys become one `typed`, with a bucket of how much, and
 * in secure fields not even that. Content is whatever the policy does not list as a named key or a shortcut: a name that
 * nobody knows is content. What was typed, pasted or edited is handed to the echo memory, and to nothing else.
 */
export function redactKeystrokes(tools: {
  readonly policy: Policy['keystrokes'];
  readonly echoes: EchoMemory;
}): KeystrokeRedactor {
  const named = new Set(tools.policy.namedKeys);
  const releasing = new Set(tools.policy.releasingKeys);
  const editing = new Set(tools.policy.editingKeys);
  const shortcuts = new Set(tools.policy.shortcuts);
  const holdMs = tools.policy.modifierHoldSeconds * 1000;
  const { echoes } = tools;

  const held = new Map<Modifier, number>();
  const typing = followTyping(echoes);
  let run: Run | null = null;
  let out: KeylessEvent[] = [];
  /** Where the last batch left a run that must end before the next event. */
  let closeFirst = false;

  function closeRun(): void {
    if (run === null) return;
    const length = run.secure ? null : amountOf(run.length);
    out.push({ kind: 'typed', at: run.at, where: run.where, events: run.events, length });
    run = null;
    typing.close();
  }

  /** Adds an event to the run at `where`, opening one if need be; `length` is what it adds to what was typed. */
  function type(at: number, where: Where, length: number): void {
    if (run !== null && !sameField(run.where, where)) closeRun();
    run ??= { at, where, events: 0, length: 0, secure: false };
    run.events++;
    run.length += length;
    if (where.element?.secure === true) run.secure = true;
  }

  function isHeld(modifier: Modifier, at: number): boolean {
    const since = held.get(modifier);
    if (since === undefined) return false;
    // A release that never arrived would turn the letters that follow into shortcuts, and release them.
    if (at - since <= holdMs && at >= since) return true;
    held.delete(modifier);
    return false;
  }

  function onKeyDown(event: KeyPress, where: Where): boolean {
    const modifier = MODIFIERS.get(event.key);
    if (modifier !== undefined) {
      held.set(modifier, event.at);
      return false;
    }
    if (SILENT_KEYS.has(event.key)) return false;
    const altGr = isHeld('AltGr', event.at);
    const ctrl = isHeld('Ctrl', event.at);
    const alt = isHeld('Alt', event.at);
    const shift = isHeld('Shift', event.at);
    const meta = isHeld('Meta', event.at);
    const { key } = event;

    // Ctrl+Alt is how Windows reports AltGr: it writes a character.
    const composes = altGr || (ctrl && alt);
    const secure = where.element?.secure === true;
    if (!composes && (ctrl || alt || meta || (shift && named.has(key)))) {
      const name = shortcutName({ ctrl, alt, shift, meta }, key);
      if (shortcuts.has(name)) {
        closeRun();
        out.push({ kind: 'shortcut', at: event.at, where, events: 1, key: name });
        return true;
      }
    }
    const plain = !composes && !ctrl && !alt && !meta;
    if (plain && !shift && releasing.has(key)) {
      closeRun();
      out.push({ kind: 'pressed', at: event.at, where, events: 1, key });
      return true;
    }
    if (!composes && editing.has(key)) {
      if (run !== null && !sameField(run.where, where)) closeRun();
      if (run !== null || secure || !plain || shift) {
        typing.edit(key, ctrl || alt || meta);
        type(event.at, where, 0);
      } else {
        out.push({ kind: 'pressed', at: event.at, where, events: 1, key });
      }
      return true;
    }
    if (plain && !shift && named.has(key) && run === null && !secure) {
      out.push({ kind: 'pressed', at: event.at, where, events: 1, key });
      return true;
    }
    type(event.at, where, COMPOSING_KEYS.has(key) ? 0 : 1);
    if (isText(key) && !(alt && event.code.startsWith('Numpad'))) typing.insert(key);
    else if (!COMPOSING_KEYS.has(key)) typing.breakOff();
    return true;
  }

  function onEvent(event: VisibleEvent, where: Where, dropped: { keyUps: number; modifiers: number }): void {
    switch (event.kind) {
      case 'key_down':
        if (!onKeyDown(event, where)) dropped.modifiers++;
        return;
      case 'key_up': {
        const modifier = MODIFIERS.get(event.key);
        if (modifier !== undefined) held.delete(modifier);
        dropped.keyUps++;
        return;
      }
      case 'composition':
        type(event.at, where, Array.from(event.text).length);
        typing.insert(event.text);
        return;
      case 'value_change':
        echoes.remember(event.value);
        if (run !== null && sameField(run.where, where)) run.events++;
        else out.push({ kind: 'edited', at: event.at, where, events: 1 });
        return;
      case 'clipboard':
        echoes.remember(event.text);
        out.push({ kind: 'copied', at: event.at, where, events: 1, op: event.op });
        return;
      case 'pointer_down':
      case 'focus':
      case 'navigate':
      case 'away':
      case 'session_end':
        closeRun();
        if (event.kind !== 'pointer_down') held.clear();
        out.push(event);
        return;
      case 'pointer_move':
      case 'pointer_up':
      case 'wheel':
        out.push(event satisfies ContentFreeEvent);
        return;
      case 'unknown':
        throw new TypeError('an event of unknown kind got past openBatch');
    }
  }

  return {
    process(batch) {
      out = [];
      if (closeFirst) closeRun();
      closeFirst = false;
      const places = createPlaces(batch);
      const counts = { keyUps: 0, modifiers: 0 };
      for (const element of batch.elements) {
        if (HOLDS_VALUES.has(element.role)) echoes.remember(element.value);
      }
      for (const event of batch.events) {
        // By far the most of all events, and nothing to look at.
        if (event.kind === 'pointer_move') out.push(event);
        else onEvent(event, places(event.context, event.element), counts);
      }
      typing.remember();
      const dropped = addDropped(addDropped(batch.dropped, 'key_up', counts.keyUps), 'modifier', counts.modifiers);
      return keep({ ...batch, events: out, dropped });
    },
    onGap() {
      held.clear();
      closeFirst = true;
    },
    pending: () => run?.events ?? 0,
  };
}

interface Run {
  readonly at: number;
  readonly where: Where;
  events: number;
  length: number;
  secure: boolean;
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

/** Keys that neither write nor do anything by themselves. */
const SILENT_KEYS: ReadonlySet<string> = new Set([
  'CapsLock',
  'NumLock',
  'ScrollLock',
  'Fn',
  'FnLock',
  'Hyper',
  'Super',
  'Symbol',
  'SymbolLock',
]);

/** Keys on the way to a character: the character itself arrives as the next key or as a composition. */
const COMPOSING_KEYS: ReadonlySet<string> = new Set(['Dead', 'Process', 'Compose']);

/** Roles whose value is what a person entered, not a caption. */
const HOLDS_VALUES: ReadonlySet<string> = new Set([
  '',
  'textbox',
  'searchbox',
  'combobox',
  'spinbutton',
  'cell',
  'gridcell',
  'document',
  'edit',
  'text',
  'code',
]);

/** `KeyboardEvent.key` holds the text that a key produces, or a name; names are ASCII words of two letters or more. */
const isText = (key: string): boolean => !/^[A-Z][A-Za-z0-9]+$/u.test(key);

/** The same field has the focus: values and titles may change while somebody types, the field stays. */
function sameField(a: Where, b: Where): boolean {
  if (a === b) return true;
  return (
    a.context?.app === b.context?.app && a.context?.private === b.context?.private && sameElement(a.element, b.element)
  );
}

function sameElement(a: UiElement | null, b: UiElement | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  return (
    a.role === b.role &&
    a.name === b.name &&
    a.secure === b.secure &&
    a.bounds?.x === b.bounds?.x &&
    a.bounds?.y === b.bounds?.y
  );
}

/** Looks places up in the batch's tables; the last one is kept, for most events share it with the one before. */
export function createPlaces(batch: {
  readonly contexts: readonly Context[];
  readonly elements: readonly UiElement[];
}): (context: number, element: number) => Where {
  let lastContext = -1;
  let lastElement = -1;
  let last: Where = { context: null, element: null };
  return (context, element) => {
    if (context !== lastContext || element !== lastElement) {
      lastContext = context;
      lastElement = element;
      last = { context: batch.contexts[context] ?? null, element: batch.elements[element] ?? null };
    }
    return last;
  };
}
