import { keep, type Processor } from '../events/outcome.ts';
import type { Context, KeyPress, RawEvent, UiElement } from '../events/raw.ts';
import type { EchoMemory } from '../privacy/echoes.ts';
import { NAMED_KEYS, shortcutName } from '../privacy/keys.ts';
import type { Policy } from '../privacy/policy.ts';
import { amountOf } from './amounts.ts';
import { followModifiers } from './heldModifiers.ts';
import {
  addDropped,
  type ContentFreeEvent,
  type KeylessBatch,
  type KeylessEvent,
  type VisibleBatch,
  type VisibleEvent,
  type Where,
} from './stages.ts';
import { followTyping, type TypedText } from './typedText.ts';

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
  readonly echoes: Pick<EchoMemory, 'remember' | 'size'>;
}): KeystrokeRedactor {
  const named = new Set(tools.policy.namedKeys);
  const releasing = new Set(tools.policy.releasingKeys);
  const editing = new Set(tools.policy.editingKeys);
  const shortcuts = new Set(tools.policy.shortcuts);
  const echoes = rememberingOnce(tools.echoes);

  const held = followModifiers(tools.policy.modifierHoldSeconds * 1000, (key) => named.has(key));
  const typing = followTyping(echoes);
  /** What is typed in private places: heard for its echoes alone. */
  const overheard = followTyping(echoes);
  let run: Run | null = null;
  let out: KeylessEvent[] = [];
  /** Where the last batch left a run that must end before the next event. */
  let closeFirst = false;
  /** Entries of the echo memory when it was last told of them. */
  let told = 0;

  /** Nothing leaves before what was typed until now has been remembered, so that its texts can be cut. */
  function emit(event: KeylessEvent): void {
    typing.remember();
    overheard.remember();
    if (echoes.size !== told) {
      told = echoes.size;
      out.push({ kind: 'remembered', echoes: told });
    }
    out.push(event);
  }
  function closeRun(): void {
    if (run !== null) {
      const { at, where, events } = run;
      emit({ kind: 'typed', at, where, events, length: run.secure ? null : amountOf(run.length) });
      run = null;
    }
    typing.close();
  }

  /** Adds an event to the run at `where`, opening one if need be; `length` is what it adds to what was typed, or takes from it. */
  function type(at: number, where: Where, length: number): void {
    if (run !== null && !sameField(run.where, where)) closeRun();
    run ??= { at, where, events: 0, length: 0, secure: false };
    run.events++;
    run.length = Math.max(0, run.length + length);
    if (where.element?.secure === true) run.secure = true;
  }

  /** Whether the key did anything; modifiers and locks do not by themselves. */
  function onKeyDown(event: KeyPress, where: Where): boolean {
    const { key, at } = event;
    if (held.press(event) || SILENT_KEYS.has(key)) return false;
    const { ctrl, alt, shift, meta, composes, entersCode } = held.during(event);
    const plain = !composes && !ctrl && !alt && !meta && !shift;
    const isNamed = named.has(key);

    const edits = !composes && editing.has(key);
    // On some systems these are shortcuts as well; where they move or delete in what is typed, they belong to it.
    const corrects = edits && (where.element?.secure === true || (run !== null && sameField(run.where, where)));

    if (!composes && !corrects && key.length <= LONGEST_NAME && (ctrl || alt || meta || (shift && isNamed))) {
      const name = shortcutName({ ctrl, alt, shift, meta }, key);
      if (shortcuts.has(name)) {
        closeRun();
        emit({ kind: 'shortcut', at, where, events: 1, key: name });
        return true;
      }
    }
    if (plain && releasing.has(key)) {
      closeRun();
      emit({ kind: 'pressed', at, where, events: 1, key });
      return true;
    }
    if (run !== null && !sameField(run.where, where)) closeRun();
    const removed = edits ? typing.edit(key, { byWord: ctrl || alt, byLine: meta, selecting: shift }) : 0;
    if (plain && isNamed && run === null && where.element?.secure !== true) {
      emit({ kind: 'pressed', at, where, events: 1, key });
      return true;
    }
    // What was corrected does not count: else a correction could be seen at the edge of a bucket.
    type(at, where, isNamed || COMPOSING_KEYS.has(key) ? -removed : 1);
    if (edits || COMPOSING_KEYS.has(key)) return true;
    const writes = isText(key) && !entersCode && (composes || !(ctrl || meta));
    if (writes) typing.insert(key);
    else typing.close();
    // A name that nobody knows, and what is longer than one, may be a text that some recorder sent in one piece.
    if (key.length > LONGEST_NAME || (!isText(key) && !KNOWN_NAMES.has(key))) echoes.remember(key);
    return true;
  }

  function onEvent(event: VisibleEvent, where: Where, dropped: { keyUps: number; modifiers: number }): void {
    switch (event.kind) {
      case 'key_down':
        if (!onKeyDown(event, where)) dropped.modifiers++;
        return;
      case 'key_up':
        held.release(event.key);
        dropped.keyUps++;
        return;
      case 'composition':
        type(event.at, where, signsIn(event.text));
        typing.insert(event.text);
        // It may stand between keys that were sent although they only spell it.
        echoes.remember(event.text);
        return;
      case 'value_change':
        echoes.remember(event.value);
        if (run !== null && sameField(run.where, where)) run.events++;
        else emit({ kind: 'edited', at: event.at, where, events: 1 });
        return;
      case 'clipboard':
        echoes.remember(event.text);
        // What is typed next may continue it.
        if (event.op === 'paste') typing.insert(event.text);
        emit({ kind: 'copied', at: event.at, where, events: 1, op: event.op });
        return;
      case 'pointer_down':
      case 'focus':
      case 'navigate':
      case 'away':
      case 'session_end':
        closeRun();
        if (event.kind === 'away') overheard.close();
        if (event.kind !== 'pointer_down') held.clear();
        emit(event);
        return;
      case 'pointer_move':
      case 'pointer_up':
      case 'wheel':
        emit(event satisfies ContentFreeEvent);
        return;
      case 'overheard':
        // Modifiers are not followed there.
        held.clear();
        overhear(event.event, event.place === 'unknown' ? typing : overheard);
        return;
      case 'unknown':
        throw new TypeError('an event of unknown kind got past openBatch');
    }
  }

  /** Takes in what a dropped event entered; nothing of it is ever put out. */
  function overhear(event: RawEvent, into: TypedText): void {
    switch (event.kind) {
      case 'key_down':
        if (editing.has(event.key)) into.edit(event.key, PLAINLY);
        else if (isText(event.key)) into.insert(event.key);
        else if (named.has(event.key)) into.close();
        return;
      case 'composition':
        into.insert(event.text);
        echoes.remember(event.text);
        return;
      case 'clipboard':
        echoes.remember(event.text);
        if (event.op === 'paste') into.insert(event.text);
        return;
      case 'value_change':
        echoes.remember(event.value);
        return;
      case 'pointer_down':
      case 'focus':
      case 'navigate':
        into.close();
        return;
      case 'pointer_move':
      case 'pointer_up':
      case 'wheel':
      case 'key_up':
      case 'session_end':
      case 'unknown':
        return;
    }
  }

  return {
    process(batch) {
      out = [];
      if (closeFirst) closeRun();
      closeFirst = false;
      const places = createPlaces(batch);
      const counts = { keyUps: 0, modifiers: 0 };
      const rememberValue = createValueReader(batch.elements, echoes);
      for (const event of batch.events) {
        rememberValue(event.element);
        // By far the most of all events, and nothing to look at.
        if (event.kind === 'pointer_move') out.push(event);
        else onEvent(event, places(event.context, event.element), counts);
      }
      echoes.endBatch();
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

/** Texts that are known to be remembered; a batch's tables hold no more by default. */
const MAX_HEARD = 16_384;

/** Hands each text of a batch to the memory once: thousands of events can point at one long text. */
function rememberingOnce(
  echoes: Pick<EchoMemory, 'remember' | 'size'>,
): Pick<EchoMemory, 'remember' | 'size'> & { endBatch(): void } {
  const heard = new Set<string>();
  return {
    remember(text) {
      if (heard.has(text)) return;
      if (heard.size >= MAX_HEARD) heard.clear();
      heard.add(text);
      echoes.remember(text);
    },
    get size() {
      return echoes.size;
    },
    endBatch: () => heard.clear(),
  };
}

/** Characters of a composed text; of one that is in the last bucket anyway, UTF-16 units, which need no counting. */
const signsIn = (text: string): number => (text.length > 1_024 ? text.length : Array.from(text).length);

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

const PLAINLY = { byWord: false, byLine: false, selecting: false } as const;

/** Keys on the way to a character: the character itself arrives as the next key or as a composition. */
const COMPOSING_KEYS: ReadonlySet<string> = new Set(['Dead', 'Process', 'Compose']);

const KNOWN_NAMES: ReadonlySet<string> = new Set([...NAMED_KEYS, 'Unidentified']);

/** Roles whose value is a caption or a state that nobody entered; every other role's may be what was typed. */
const HOLDS_NO_TEXT: ReadonlySet<string> = new Set(
  (
    'button checkbox heading hyperlink image img link listitem menu menubar menuitem menuitemcheckbox menuitemradio meter ' +
    'option progressbar radio scrollbar separator slider splitbutton switch tab tablist toolbar treeitem'
  ).split(' '),
);

/** Reads the values of the elements that events point at, each element once: they may be what was typed before. */
function createValueReader(
  elements: readonly UiElement[],
  echoes: Pick<EchoMemory, 'remember'>,
): (index: number) => void {
  const seen = new Set<number>();
  let last = -1;
  return (index) => {
    if (index === last) return;
    last = index;
    const element = elements[index];
    if (element === undefined || seen.has(index)) return;
    seen.add(index);
    if (!HOLDS_NO_TEXT.has(element.role)) echoes.remember(element.value);
  };
}

/** No key's name is longer. */
const LONGEST_NAME = 64;

/** `KeyboardEvent.key` holds the text that a key produces, or a name; names are ASCII words of two letters or more. */
const isText = (key: string): boolean => key.length > LONGEST_NAME || !/^[A-Z][A-Za-z0-9]+$/u.test(key);

/**
 * Nothing tells that another field has the focus. Names, values, titles and even bounds follow what is typed in some apps
 * (an editor's input sits at the caret), so they do not count: a run split there would show the order of keys.
 */
function sameField(a: Where, b: Where): boolean {
  if (a === b) return true;
  const sameApp = a.context === null || b.context === null || a.context.app === b.context.app;
  return sameApp && (a.element?.secure ?? false) === (b.element?.secure ?? false);
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
