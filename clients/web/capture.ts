/** From a page's events to raw events. Nothing is kept here: what is captured goes to `take`, or nowhere. */
import * as batch from './batch.ts';
import type { Captured, Page, Seen } from './batch.ts';
import { actedOn, describe, MAX_TEXT, pixel, valueOf } from './elements.ts';
import { hides, hidesCaret, hidesKeys, parentOf, remember } from './privacy.ts';

export interface CaptureOptions {
  readonly window: Window & typeof globalThis;
  /** Name of the application in contexts. */
  readonly app?: string;
  /** Least time between two pointer moves, ms. */
  readonly moveMs?: number;
  /** Whether an event of this kind may be captured now, on this page. */
  readonly wants: (kind: number, page: Page) => boolean;
  readonly take: (event: Captured, page: Page, seen?: Seen) => void;
  /** Around every handler: it counts the time, keeps errors from the page, and does nothing while nothing is recorded. */
  readonly guard: (work: () => void, always?: boolean) => void;
  /** The page may never be heard of again. */
  readonly onHidden: () => void;
}

export interface Capture {
  /** Captures that the page is there, as the first event of a session. */
  readonly arrive: () => void;
}

/** By `MouseEvent.button`: left, middle, right, back, forward. */
const BUTTONS = [0, 2, 1, 3, 4];
/** Edits that are known already from the keys that made them, or will be from what an input method says in the end. */
const TYPED = /^(?:insert(?:Text|Line|Para|.*Comp)|delete)/u;
const MAX_TITLE = 1_024;
const MAX_URL = 2_048;

/** Once and for all: while nothing is recorded it still sees what is not to be told afterwards. */
export function startCapture({
  window,
  app = 'Web',
  moveMs = 100,
  wants,
  take,
  guard,
  onHidden,
}: CaptureOptions): Capture {
  const { document } = window;
  /** Physical keys whose press was captured: only their release is. */
  const down = new Set<string>();
  /** The address that was last told of. */
  let toldUrl: string | undefined;
  let described: Element | undefined;
  let seen: Seen | undefined;
  /** From the window's coordinates to the screen's, as a pointer last told. */
  let offset: readonly number[] = [];
  /** By the events' own clock, which nobody sets, ms. */
  let movedAt = -moveMs;
  /**
   * What was edited while nothing could be captured, and all around it. Its values are not told any more, not even after it was
   * emptied, as an undo brings back what was there.
   */
  const untold = new WeakSet<Node>();
  /** The field that holds what no value_change has told yet. */
  let edited: Node | null | undefined;
  /** Whether what an input method is about to enter was begun while it could be captured. */
  let isHeard = false;

  const pageNow = (): Page => ({
    app,
    title: document.title.slice(0, MAX_TITLE),
    url: window.location.href.slice(0, MAX_URL),
  });

  /**
   * @param isWhole whether it tells all that the person entered, and nothing from before.
   * @returns whether it was taken.
   */
  function capture(event: Omit<Captured, 'at'>, node: Node | null, isNew?: boolean, isWhole = true): boolean {
    const at = Date.now();
    const now = pageNow();
    if ([document.body, node].some(hides) || !wants(event.kind, now)) return false;
    // A part of it would hide that what is known of the person's texts is not whole: it is lost, and leaves a gap.
    if (!isWhole || (event.entered ?? '').length > MAX_TEXT) throw new RangeError();
    if (now.url !== toldUrl && event.kind !== batch.NAVIGATE && wants(batch.NAVIGATE, now)) {
      take({ kind: batch.NAVIGATE, at }, now);
    }
    toldUrl = now.url;
    const element = event.kind === batch.POINTER_MOVE ? undefined : actedOn(node);
    if (element && (isNew || element !== described)) seen = describe(element, offset);
    described = element;
    take({ ...event, at }, now, element ? seen : undefined);
    return true;
  }

  function on<K extends keyof WindowEventMap>(type: K, handle: (event: WindowEventMap[K], target: Node) => void): void {
    const listener = (event: Event): void => {
      // What scripts dispatch nobody did.
      if (!event.isTrusted) return;
      // Of what is listened to, all but `pagehide` goes to a node.
      const target = event.composedPath()[0] as Node;
      // Also while nothing is recorded.
      guard(() => {
        // Before the page's own handlers can make another field of a password's.
        if (type === 'pointerdown' || type === 'focusin') [document, target.getRootNode()].forEach(remember);
        // A later value would tell what is entered now.
        if (type === 'input' && !wants(batch.VALUE_CHANGE, pageNow())) {
          forgetEdits();
          for (let at: Node | null | undefined = target; at; at = parentOf(at)) untold.add(at);
        }
      }, true);
      // As the platform pairs names and classes.
      guard(() => handle(event as WindowEventMap[K], target));
    };
    window.addEventListener(type, listener, { capture: true, passive: true });
  }

  function forgetEdits(): void {
    edited = null;
    isHeard = false;
  }

  function point({ screenX, screenY, clientX, clientY }: MouseEvent): { readonly x: number; readonly y: number } {
    offset = [screenX - clientX, screenY - clientY];
    return { x: pixel(screenX), y: pixel(screenY) };
  }

  on('pointermove', (event, target) => {
    if (event.timeStamp - movedAt < moveMs) return;
    movedAt = event.timeStamp;
    capture({ kind: batch.POINTER_MOVE, ...point(event) }, target);
  });
  const press =
    (kind: number) =>
    (event: PointerEvent, target: Node): boolean =>
      capture({ kind, ...point(event), pressed: BUTTONS[event.button] ?? 5 }, target, true);
  on('pointerdown', press(batch.POINTER_DOWN));
  on('pointerup', press(batch.POINTER_UP));
  on('wheel', ({ deltaX, deltaY }, target) => {
    const dx = pixel(deltaX);
    const dy = pixel(-deltaY);
    if (dx || dy) capture({ kind: batch.WHEEL, dx, dy }, target);
  });

  const stroke =
    (kind: number) =>
    ({ key, code }: KeyboardEvent, target: Node): void => {
      // Of a key that went down in a password field, a release elsewhere would tell the same.
      const wasDown = down.delete(code);
      // A browser that fills in a form sends keys without a name.
      if ((kind === batch.KEY_UP && !wasDown) || !key || hidesKeys(target)) return;
      if (capture({ kind, key, code }, target) && kind === batch.KEY_DOWN) down.add(code);
    };
  on('keydown', stroke(batch.KEY_DOWN));
  on('keyup', stroke(batch.KEY_UP));
  on('compositionstart', () => {
    isHeard = wants(batch.COMPOSITION, pageNow());
  });
  on('compositionend', ({ data }, target) => {
    if (!hidesKeys(target)) capture({ kind: batch.COMPOSITION, entered: data }, target, false, isHeard);
  });

  on('focusin', (_event, target) => capture({ kind: batch.FOCUS }, target, true));
  (['copy', 'cut', 'paste'] as const).forEach((type, op) => {
    // Without its text: a selection may reach into what is private, and what is pasted comes as the field's value.
    on(type, (_event, target) => {
      if (!hidesCaret(target)) capture({ kind: batch.CLIPBOARD, op, entered: '' }, target);
    });
  });

  on('input', (event, target) => {
    // Of a checkbox it is a plain event.
    const isTyped = TYPED.test((event as Partial<InputEvent>).inputType ?? '');
    edited = hidesCaret(target) || (isTyped && untold.has(target)) ? null : target;
    if (!isTyped) tellEdited(event, target);
  });
  on('change', tellEdited);
  on('focusout', tellEdited);
  function tellEdited(_event: Event, target: Node): void {
    if (target !== edited) return;
    edited = null;
    // What was edited is an element.
    const entered = valueOf(target as Element);
    if (entered !== undefined) capture({ kind: batch.VALUE_CHANGE, entered }, target, false, !untold.has(target));
  }

  on('pagehide', onHidden);
  guard(() => remember(document), true);
  return {
    arrive() {
      // Of what happened without a session, nothing is known.
      down.clear();
      forgetEdits();
      guard(() => capture({ kind: toldUrl ? batch.FOCUS : batch.NAVIGATE }, null));
    },
  };
}
