import { keep, type Processor } from '../events/outcome.ts';
import type { PointerButton, PointerPress, Wheel } from '../events/raw.ts';
import type { Direction } from '../events/released.ts';
import type { Policy } from '../privacy/policy.ts';
import { createPlaces } from './redactKeystrokes.ts';
import {
  addDropped,
  type ActionBatch,
  type KeylessBatch,
  type KeylessEvent,
  type RawAction,
  type Where,
} from './stages.ts';

export interface ActionReducer {
  readonly process: Processor<KeylessBatch, ActionBatch>;
  /** Something is missing before the next batch: gestures that began before it are given up. */
  onGap(): void;
  /** Raw events held back in an unfinished gesture or in an action that may still grow. */
  pending(): number;
}

/**
 * Reduces events to actions. One instance a session, fed with its batches in order.
 *
 * A press and release of a pointer button is a click, a drag (released farther than `dragPx` away), or a long press
 * (held longer than `longPressMs`); two quick, still clicks on one spot are a double click. Scrolls in one direction,
 * repeats of one key or shortcut, edits of one field and arrivals at one place grow into one action, however long the
 * person took: splitting at pauses would publish them. Thresholds are those of AgentNet's reducer (xlang-ai/OpenCUA).
 * Pointer paths are dropped.
 */
export function reduceToActions(tools: { readonly policy: Policy['gestures'] }): ActionReducer {
  const { policy } = tools;
  const presses = new Map<PointerButton, Press>();
  /** The last action, which what follows may still extend. */
  let open: OpenAction | null = null;
  let out: RawAction[] = [];
  let incomplete = 0;
  /** Entries of the echo memory by now. */
  let echoes = 0;

  function emit(action: Omit<OpenAction, 'echoes'>): void {
    const next: OpenAction = { ...action, echoes };
    if (open !== null && extend(open, next, policy)) return;
    flush();
    open = next;
  }
  function flush(): void {
    if (open !== null) out.push(finish(open));
    open = null;
  }
  function giveUpPresses(): void {
    incomplete += presses.size;
    presses.clear();
  }

  function onPointerDown(event: PointerPress, where: Where): void {
    if (presses.has(event.button)) incomplete++;
    presses.set(event.button, { at: event.at, x: event.x, y: event.y, where });
  }
  function onPointerUp(event: PointerPress): void {
    const press = presses.get(event.button);
    if (press === undefined) {
      incomplete++;
      return;
    }
    presses.delete(event.button);
    const moved = Math.hypot(event.x - press.x, event.y - press.y);
    const heldMs = event.at - press.at;
    const { x, y, at, where } = press;
    const action = moved > policy.dragPx ? 'drag' : heldMs > policy.longPressMs ? 'long_press' : 'click';
    const quick = action === 'click' && heldMs < policy.clickMs && moved < policy.clickPx;
    emit({ ...BLANK, action, at, where, x, y, button: event.button, events: 2, quick });
  }

  function onEvent(event: KeylessEvent, whereOf: (context: number, element: number) => Where): void {
    switch (event.kind) {
      case 'pointer_down':
        onPointerDown(event, whereOf(event.context, event.element));
        return;
      case 'pointer_up':
        onPointerUp(event);
        return;
      case 'wheel': {
        const where = whereOf(event.context, event.element);
        emit({ ...BLANK, action: 'scroll', at: event.at, where, direction: directionOf(event), events: 1 });
        return;
      }
      case 'focus':
      case 'navigate':
        emit({ ...BLANK, action: event.kind, at: event.at, where: whereOf(event.context, event.element), events: 1 });
        return;
      case 'typed':
        emit({
          ...BLANK,
          action: 'type',
          at: event.at,
          where: event.where,
          length: event.length,
          events: event.events,
        });
        return;
      case 'pressed':
        emit({ ...BLANK, action: 'press', at: event.at, where: event.where, key: event.key, events: 1 });
        return;
      case 'shortcut':
        emit({ ...BLANK, action: 'shortcut', at: event.at, where: event.where, key: event.key, events: 1 });
        return;
      case 'copied':
        emit({ ...BLANK, action: 'clipboard', at: event.at, where: event.where, events: 1 });
        return;
      case 'edited':
        emit({ ...BLANK, action: 'edit', at: event.at, where: event.where, events: event.events });
        return;
      case 'away':
        giveUpPresses();
        // The stay's own events are counted as dropped; this row stands for them and for none of its own.
        emit({ ...BLANK, action: 'away', at: event.at, where: NOWHERE, events: 0 });
        return;
      case 'session_end':
        giveUpPresses();
        flush();
        return;
      case 'remembered':
        echoes = event.echoes;
        return;
      case 'pointer_move':
        return;
    }
  }

  return {
    process(batch) {
      out = [];
      let moves = 0;
      let markers = 0;
      const whereOf = createPlaces(batch);
      for (const event of batch.events) {
        if (event.kind === 'pointer_move') moves++;
        else {
          if (event.kind === 'session_end') markers++;
          onEvent(event, whereOf);
        }
      }
      const { contexts: _contexts, elements: _elements, events: _events, ...rest } = batch;
      let dropped = addDropped(rest.dropped, 'pointer_path', moves);
      dropped = addDropped(dropped, 'incomplete_gesture', incomplete);
      dropped = addDropped(dropped, 'session_marker', markers);
      incomplete = 0;
      return keep({ ...rest, actions: out, dropped });
    },
    onGap: giveUpPresses,
    pending: () => presses.size + incomplete + (open?.events ?? 0),
  };
}

interface Press {
  readonly at: number;
  readonly x: number;
  readonly y: number;
  readonly where: Where;
}

/** An action that may still grow. */
interface OpenAction extends Omit<RawAction, 'context' | 'element' | 'action' | 'times' | 'events'> {
  action: RawAction['action'];
  times: number;
  events: number;
  readonly where: Where;
  /** A click short and still enough to be half of a double click. */
  quick: boolean;
}

const NOWHERE: Where = { context: null, element: null };

const BLANK = {
  key: null,
  button: null,
  direction: null,
  x: null,
  y: null,
  length: null,
  times: 1,
  quick: false,
} as const;

/** Lets `open` take `next` in, if both are one action; returns whether it did. */
function extend(open: OpenAction, next: OpenAction, policy: Policy['gestures']): boolean {
  switch (next.action) {
    case 'scroll':
      return open.action === 'scroll' && open.direction === next.direction && sameApp(open, next) && grow(open, next);
    case 'press':
    case 'shortcut':
      return open.action === next.action && open.key === next.key && samePlace(open, next) && grow(open, next);
    case 'focus':
    case 'navigate':
      return open.action === next.action && samePlace(open, next) && grow(open, next);
    case 'edit':
      if (open.action !== 'edit' || !samePlace(open, next)) return false;
      // Some recorders report a change for each key: how often a value changed is how much was typed.
      open.events += next.events;
      return true;
    case 'click':
      if (!isSecondClick(open, next, policy)) return false;
      open.action = 'double_click';
      open.quick = false;
      open.events += next.events;
      return true;
    case 'away':
      return open.action === 'away';
    case 'type':
    case 'clipboard':
    case 'drag':
    case 'long_press':
    case 'double_click':
      return false;
  }
}

function grow(open: OpenAction, next: OpenAction): true {
  open.times += next.times;
  open.events += next.events;
  return true;
}

function isSecondClick(open: OpenAction, next: OpenAction, policy: Policy['gestures']): boolean {
  return (
    open.action === 'click' &&
    open.quick &&
    next.quick &&
    open.button === next.button &&
    sameElement(open, next) &&
    next.at >= open.at &&
    next.at - open.at <= policy.doubleClickMs &&
    Math.hypot((next.x ?? 0) - (open.x ?? 0), (next.y ?? 0) - (open.y ?? 0)) < policy.doubleClickPx
  );
}

/** Recorders that give no positions put every click on one spot. */
function sameElement(a: OpenAction, b: OpenAction): boolean {
  return a.where.element?.role === b.where.element?.role && a.where.element?.name === b.where.element?.name;
}

function sameApp(a: OpenAction, b: OpenAction): boolean {
  return a.where.context?.app === b.where.context?.app && a.where.context?.url === b.where.context?.url;
}

function samePlace(a: OpenAction, b: OpenAction): boolean {
  const [p, q] = [a.where, b.where];
  return (
    p.context?.app === q.context?.app &&
    p.context?.title === q.context?.title &&
    p.context?.url === q.context?.url &&
    sameElement(a, b)
  );
}

/** The way the view moves along the stronger axis; `dy` up is positive. */
function directionOf(event: Wheel): Direction {
  if (Math.abs(event.dx) > Math.abs(event.dy)) return event.dx > 0 ? 'right' : 'left';
  return event.dy > 0 ? 'up' : 'down';
}

function finish(open: OpenAction): RawAction {
  const { where, quick: _quick, ...rest } = open;
  return { ...rest, context: where.context, element: where.element };
}
