/** From a page's events to raw events. Nothing is kept here: what is captured goes to `take`, or nowhere. */
import type { Context, PointerButton, UiElement } from '../../src/events/raw.ts';
import type { EventBody } from './batch.ts';
import { actedOn, describe, isEditable, MAX_TEXT, pixel, valueOf } from './elements.ts';
import { createPrivacy, isElement } from './privacy.ts';

export interface CaptureOptions {
  readonly window: Window & typeof globalThis;
  /** Name of the application in contexts. */
  readonly app: string;
  /** Least time between two pointer moves, ms. */
  readonly moveMs: number;
  /** Device clock, ms. */
  readonly now: () => number;
  /** Whether an event of this kind may be captured now, on this page. */
  readonly wants: (kind: EventBody['kind'], context: Context) => boolean;
  readonly take: (event: EventBody, context: Context, element: UiElement | null) => void;
  /** Around every handler: it counts the time, keeps errors from the page, and does nothing while nothing is recorded. */
  readonly guard: (work: () => void, always?: boolean) => void;
  /** The page is not seen any more, and may never be heard of again. */
  readonly onHidden: () => void;
}

export interface Capture {
  /** Captures that the page is there, as the first event of a session. */
  readonly arrive: () => void;
  /** Forgets how elements looked. */
  readonly forget: () => void;
  /** Removes all listeners. */
  readonly release: () => void;
}

type Events = WindowEventMap & DocumentEventMap;

const BUTTONS: readonly PointerButton[] = ['left', 'middle', 'right', 'back', 'forward'];
/** Edits that are known already from the keys that made them, if those said what they enter. */
const TYPED = /^(?:insertText|insertLineBreak|insertParagraph|delete.*)$/u;
/** Edits of an input method, which tells its text in the end. */
const COMPOSED = /^insert(?:CompositionText|FromComposition)$/u;
const MAX_TITLE = 1_024;
const MAX_URL = 2_048;
const MAX_KEY = 64;

export function startCapture({ window, app, moveMs, now, wants, take, guard, onHidden }: CaptureOptions): Capture {
  const { document } = window;
  const privacy = createPrivacy(window);
  const listening = new AbortController();
  /** Physical keys whose press was captured: only their release is. */
  const down = new Set<string>();
  let context: Context = { app, title: '', url: '', private: false };
  /** The address that was last told of; '' before the first. */
  let toldUrl = '';
  let described: { readonly element: Element; readonly seen: UiElement } | null = null;
  /** From the window's coordinates to the screen's; until a pointer tells, as if the window's edges were above it. */
  let offset = [window.screenX, window.screenY + window.outerHeight - window.innerHeight] as const;
  let movedAt = 0;
  /** The field that holds what no value_change has told yet. */
  let edited: Element | null = null;
  /** Whether the last key said what it enters. */
  let keyed = false;

  function contextNow(): Context {
    const title = document.title.slice(0, MAX_TITLE);
    const url = window.location.href.slice(0, MAX_URL);
    if (context.title !== title || context.url !== url) context = { ...context, title, url };
    return context;
  }

  /** The element as it was last seen, or as it is now. */
  function elementOf(node: Node | null, isNew: boolean): UiElement | null {
    const element = actedOn(node);
    if (element === null) return null;
    if (isNew || described?.element !== element) described = { element, seen: describe(element, offset, privacy) };
    return described.seen;
  }

  function capture(event: EventBody, node: Node | null, isNew = false): void {
    const place = contextNow();
    if (privacy.hides(document.body) || privacy.hides(node) || !wants(event.kind, place)) return;
    const isMoved = place.url !== toldUrl;
    if (isMoved && event.kind !== 'navigate' && wants('navigate', place)) {
      take({ kind: 'navigate', at: event.at }, place, null);
    }
    toldUrl = place.url;
    take(event, place, event.kind === 'pointer_move' ? null : elementOf(node, isNew));
  }

  function on<K extends keyof Events>(
    type: K,
    handle: (event: Events[K], target: Node | null, at: number) => void,
  ): void {
    const listener = (event: Event): void => {
      // What scripts dispatch nobody did.
      if (!event.isTrusted) return;
      const [first] = event.composedPath();
      const target = first === window ? null : (first as Node); // nothing else is dispatched in a page
      // Before the page's own handlers can make another field of a password's; also while nothing is recorded.
      if (type === 'pointerdown' || type === 'focusin') guard(() => privacy.remember(target ?? document), true);
      // As the platform pairs names and classes.
      guard(() => handle(event as Events[K], target, Math.round(now())));
    };
    window.addEventListener(type, listener, { capture: true, passive: true, signal: listening.signal });
  }

  function point(event: MouseEvent): { readonly x: number; readonly y: number } {
    const { screenX, screenY, clientX, clientY } = event;
    offset = [screenX - clientX, screenY - clientY];
    return { x: pixel(screenX), y: pixel(screenY) };
  }

  on('pointermove', (event, target, at) => {
    // Also after a clock that was set back.
    if (Math.abs(at - movedAt) < moveMs) return;
    movedAt = at;
    capture({ kind: 'pointer_move', at, ...point(event) }, target);
  });
  for (const [type, kind] of [
    ['pointerdown', 'pointer_down'],
    ['pointerup', 'pointer_up'],
  ] as const) {
    on(type, (event, target, at) =>
      capture({ kind, at, ...point(event), button: BUTTONS[event.button] ?? 'other' }, target, true),
    );
  }
  on('wheel', ({ deltaX, deltaY }, target, at) => {
    const [dx, dy] = [awayFromZero(deltaX), awayFromZero(-deltaY)];
    if (dx !== 0 || dy !== 0) capture({ kind: 'wheel', at, dx, dy }, target);
  });

  for (const [type, kind] of [
    ['keydown', 'key_down'],
    ['keyup', 'key_up'],
  ] as const) {
    on(type, ({ key, code }, target, at) => {
      // Of a key that went down in a password field, a release elsewhere would tell the same.
      const isRelease = type === 'keyup';
      if (isRelease && !down.delete(code)) return;
      // A browser that fills in a form sends keys without a name.
      if (!key || privacy.hidesKeys(target)) return;
      if (!isRelease) {
        down.add(code);
        keyed = key !== 'Unidentified' && key !== 'Process';
      }
      capture({ kind, at, key: key.slice(0, MAX_KEY), code: code.slice(0, MAX_KEY) }, target);
    });
  }

  on('focusin', (_event, target, at) => capture({ kind: 'focus', at }, target, true));
  on('focus', (_event, target, at) => {
    if (target === null) capture({ kind: 'focus', at }, null);
  });
  for (const type of ['popstate', 'hashchange'] as const) {
    on(type, (_event, _target, at) => {
      if (contextNow().url !== toldUrl) capture({ kind: 'navigate', at }, null);
    });
  }

  for (const op of ['copy', 'cut', 'paste'] as const) {
    // Without its text: a selection may reach into what is private, and what is pasted comes as the field's value.
    on(op, (_event, target, at) => {
      if (!privacy.hidesCaret(target)) capture({ kind: 'clipboard', at, op, text: '' }, target);
    });
  }
  on('compositionend', ({ data }, target, at) => {
    if (!privacy.hidesKeys(target)) capture({ kind: 'composition', at, text: data.slice(0, MAX_TEXT) }, target);
  });
  on('input', (event, target, at) => {
    const { inputType = '' } = event as Partial<InputEvent>; // of a checkbox it is a plain event
    edited = editorOf(target);
    if (!COMPOSED.test(inputType) && !(keyed && TYPED.test(inputType))) tellEdited(target, at);
  });
  for (const type of ['change', 'focusout'] as const) on(type, (_event, target, at) => tellEdited(target, at));

  function tellEdited(target: Node | null, at: number): void {
    const field = editorOf(target);
    if (field === null || field !== edited) return;
    edited = null;
    const value = privacy.hides(field) ? undefined : valueOf(field, privacy);
    if (value !== undefined) capture({ kind: 'value_change', at, value }, field);
  }

  on('pagehide', onHidden);
  on('visibilitychange', () => {
    if (document.hidden) onHidden();
  });
  guard(() => privacy.remember(document), true);
  return {
    arrive: () => guard(() => capture({ kind: toldUrl === '' ? 'navigate' : 'focus', at: Math.round(now()) }, null)),
    forget() {
      described = null;
    },
    release: () => listening.abort(),
  };
}

/** The outermost element that is edited together with this one. */
function editorOf(target: Node | null): Element | null {
  let editor = isElement(target) ? target : null;
  for (let at = editor; at !== null; at = at.parentElement) if (isEditable(at)) editor = at;
  return editor;
}

/** A scroll of less than one is none else. */
const awayFromZero = (value: number): number => pixel(Math.sign(value) * Math.ceil(Math.abs(value)));
