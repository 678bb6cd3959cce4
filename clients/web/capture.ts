/** From a page's events to raw events. Nothing is kept here: what is captured goes to `take`, or nowhere. */
import type { ClipboardOp, Context, PointerButton, UiElement } from '../../src/events/raw.ts';
import { actedOn, describe, isEditable, MAX_TEXT, pixel, valueOf, type Offset } from './elements.ts';
import { createPrivacy, EXCLUDE_ATTRIBUTE, isElement } from './privacy.ts';
import type { EventBody } from './spool.ts';

export interface CaptureOptions {
  readonly window: Window & typeof globalThis;
  /** Name of the application in contexts. */
  readonly app: string;
  /** Least time between two pointer moves, ms. */
  readonly moveMs: number;
  /** Device clock, ms. */
  readonly now: () => number;
  /** Asked first of each event: whether one of this kind may be captured now, on this page. */
  readonly wants: (kind: EventBody['kind'], context: Context) => boolean;
  /** Takes what was captured. */
  readonly take: (event: EventBody, context: Context, element: UiElement | null) => void;
  /** Around every handler: it counts the time, keeps errors from the page, and does nothing while nothing is recorded. */
  readonly guard: (work: () => void, always?: boolean) => void;
}

export interface Capture {
  /** Captures that the page is there, as the first event of a session. */
  arrive(): void;
  /** Forgets what it knew of elements: a new session or batch begins. */
  forget(): void;
  /** Removes all listeners. */
  stop(): void;
}

const BUTTONS: readonly PointerButton[] = ['left', 'middle', 'right', 'back', 'forward'];
/** Edits that are known already from the keys that made them, if those said what they enter. */
const TYPED = /^(?:insertText|insertLineBreak|insertParagraph|delete.*)$/u;
/** Edits of an input method, which tells its text in the end. */
const COMPOSED = /^insert(?:CompositionText|FromComposition)$/u;
const MAX_TITLE = 1_024;
const MAX_URL = 2_048;
const MAX_KEY = 64;

export function startCapture(options: CaptureOptions): Capture {
  const { window, now, wants, take, guard } = options;
  const { document } = window;
  const privacy = createPrivacy(window);
  /** Physical keys whose press was captured: only their release is. */
  const down = new Set<string>();
  const stops: (() => void)[] = [];
  let context: Context = { app: options.app, title: '', url: '', private: false };
  /** The address that was last told of; '' before the first. */
  let url = '';
  let described: { readonly of: Element; readonly as: UiElement } | null = null;
  let offset: Offset | null = null;
  let movedAt = -Infinity;
  /** The field that holds what no value_change has told yet. */
  let edited: Element | null = null;
  /** Whether the last key was one that says what it enters. */
  let keyed = false;

  function contextNow(): Context {
    const title = document.title.slice(0, MAX_TITLE);
    const at = window.location.href.slice(0, MAX_URL);
    if (context.title !== title || context.url !== at) context = { ...context, title, url: at };
    return context;
  }

  /** An element as it was last seen, or `fresh`. */
  function elementOf(node: Node | null, fresh = false): UiElement | null {
    const element = actedOn(node);
    if (element === null) return null;
    if (!fresh && described?.of === element) return described.as;
    // Until a pointer tells, that the window's edges are at its sides and top.
    offset ??= {
      x: window.screenX + (window.outerWidth - window.innerWidth) / 2,
      y: window.screenY + window.outerHeight - window.innerHeight,
    };
    described = { of: element, as: describe(element, offset, privacy) };
    return described.as;
  }

  /** Whether the page as a whole is kept out. */
  const isPageExcluded = (): boolean =>
    [document.documentElement, document.body].some((each) => each?.hasAttribute(EXCLUDE_ATTRIBUTE));

  function capture(event: EventBody, node: Node | null, fresh = false): void {
    const place = contextNow();
    if (isPageExcluded() || privacy.hides(node) || !wants(event.kind, place)) return;
    if (place.url !== url) {
      const moved = url !== '';
      ({ url } = place);
      if (moved && event.kind !== 'navigate' && wants('navigate', place)) {
        take({ kind: 'navigate', at: now() }, place, null);
      }
    }
    take(event, place, node === null || event.kind === 'pointer_move' ? null : elementOf(node, fresh));
  }

  function on<K extends keyof WindowEventMap>(
    type: K,
    handle: (event: WindowEventMap[K], target: Node | null) => void,
  ): void {
    const listener = (event: Event): void => {
      // What scripts dispatch nobody did.
      if (!event.isTrusted) return;
      const [first = event.target] = event.composedPath();
      const target = first !== null && 'nodeType' in first ? (first as Node) : null; // all that have it are
      // Before the page's own handlers can make another field of a password's; also while nothing is recorded.
      if (type === 'pointerdown' || type === 'focusin') guard(() => privacy.remember(target ?? document), true);
      // As the platform pairs names and classes.
      guard(() => handle(event as WindowEventMap[K], target));
    };
    const how = { capture: true, passive: true };
    window.addEventListener(type, listener, how);
    stops.push(() => window.removeEventListener(type, listener, how));
  }

  const at = () => Math.round(now());
  const point = (event: MouseEvent) => {
    offset = { x: event.screenX - event.clientX, y: event.screenY - event.clientY };
    return { x: pixel(event.screenX), y: pixel(event.screenY) };
  };
  const buttonOf = ({ button }: MouseEvent): PointerButton => BUTTONS[button] ?? 'other';

  on('pointermove', (event, target) => {
    const time = now();
    // Also after a clock that was set back.
    if (Math.abs(time - movedAt) < options.moveMs) return;
    movedAt = time;
    capture({ kind: 'pointer_move', at: at(), ...point(event) }, target);
  });
  on('pointerdown', (event, target) =>
    capture({ kind: 'pointer_down', at: at(), ...point(event), button: buttonOf(event) }, target, true),
  );
  on('pointerup', (event, target) =>
    capture({ kind: 'pointer_up', at: at(), ...point(event), button: buttonOf(event) }, target),
  );
  on('wheel', ({ deltaX, deltaY }, target) => {
    const [dx, dy] = [awayFromZero(deltaX), awayFromZero(-deltaY)];
    if (dx !== 0 || dy !== 0) capture({ kind: 'wheel', at: at(), dx, dy }, target);
  });

  on('keydown', ({ key, code }, target) => {
    // A browser that fills in a form sends keys without a name.
    if (typeof key !== 'string' || key === '') return;
    keyed = key !== 'Unidentified' && key !== 'Process';
    if (privacy.hidesTyping(target)) return;
    down.add(code);
    capture({ kind: 'key_down', at: at(), key: key.slice(0, MAX_KEY), code: code.slice(0, MAX_KEY) }, target);
  });
  on('keyup', ({ key, code }, target) => {
    // Of a key that went down in a password field, a release elsewhere would tell the same.
    if (!down.delete(code) || typeof key !== 'string' || key === '' || privacy.hidesTyping(target)) return;
    capture({ kind: 'key_up', at: at(), key: key.slice(0, MAX_KEY), code: code.slice(0, MAX_KEY) }, target);
  });

  on('focusin', (_event, target) => capture({ kind: 'focus', at: at() }, target, true));
  on('focusout', (_event, target) => tellEdited(target));
  on('focus', (event) => {
    if (event.target === window) capture({ kind: 'focus', at: at() }, null);
  });
  for (const type of ['popstate', 'hashchange'] as const) {
    on(type, () => {
      if (contextNow().url !== url) capture({ kind: 'navigate', at: at() }, null);
    });
  }

  for (const op of ['copy', 'cut', 'paste'] satisfies ClipboardOp[]) {
    // Without its text: a selection may reach into what is private, and what is pasted comes as the field's value.
    on(op, (_event, target) => {
      if (!privacy.hidesCaret(target)) capture({ kind: 'clipboard', at: at(), op, text: '' }, target);
    });
  }
  on('input', (event, target) => {
    if (!isElement(target)) return;
    edited = editorOf(target);
    const how = event.inputType ?? '';
    if (!COMPOSED.test(how) && !(keyed && TYPED.test(how))) tellEdited(target);
  });
  on('change', (_event, target) => tellEdited(target));
  on('compositionend', ({ data }, target) => {
    if (privacy.hidesTyping(target)) return;
    capture({ kind: 'composition', at: at(), text: (data ?? '').slice(0, MAX_TEXT) }, target);
  });

  function tellEdited(target: Node | null): void {
    if (edited === null || !isElement(target) || editorOf(target) !== edited) return;
    const field = edited;
    edited = null;
    const value = privacy.hides(field) ? undefined : valueOf(field, privacy);
    if (value !== undefined) capture({ kind: 'value_change', at: at(), value }, field);
  }

  guard(() => privacy.remember(document), true);
  return {
    arrive: () => guard(() => capture({ kind: url === '' ? 'navigate' : 'focus', at: at() }, null)),
    forget() {
      described = null;
    },
    stop() {
      for (const stop of stops) stop();
    },
  };
}

/** The outermost element that is edited together with this one. */
function editorOf(element: Element): Element {
  let editor = element;
  for (let at: Element | null = element; at !== null; at = at.parentElement) if (isEditable(at)) editor = at;
  return editor;
}

/** A scroll of less than one is none else. */
const awayFromZero = (value: number): number => pixel(Math.sign(value) * Math.ceil(Math.abs(value)));
