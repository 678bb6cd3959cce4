/**
 * Cuts a session's events into capture payloads that each stand alone.
 *
 * A payload holds about 5 seconds of device time, 1,000 events or 256 KiB of text, whichever comes first: small enough
 * that a crash loses little, large enough that a message on the log costs little an event.
 */

import type { CapturePayload, Context, RawEvent, UiElement } from '../events/raw.ts';

type WithoutPlace<E> = E extends RawEvent ? Omit<E, 'context' | 'element'> : never;

/** A raw event that does not know its place yet: its context and element come beside it, as objects or null. */
export type EventBody = WithoutPlace<RawEvent>;

export interface BatchLimits {
  /** Device time between a batch's first event and any other, ms. */
  readonly maxMillis: number;
  readonly maxEvents: number;
  /** UTF-8 bytes of all texts; one event with more goes into a batch of its own. */
  readonly maxTextBytes: number;
}

export const BATCH_LIMITS: BatchLimits = Object.freeze({
  maxMillis: 5_000,
  maxEvents: 1_000,
  maxTextBytes: 262_144,
});

export interface Batcher {
  /** Takes the session's next event; returns the batch before it when this event did not fit any more. */
  add(event: EventBody, context: Context | null, element: UiElement | null): CapturePayload | undefined;
  /** What has been taken and not returned yet, or undefined when there is nothing. */
  flush(): CapturePayload | undefined;
  /** Events taken and not returned yet. */
  pendingEvents(): number;
  /** UTF-8 bytes of their texts. */
  pendingTextBytes(): number;
}

/** Makes the batcher of one session. `subject` and `device` go into each payload as they are. */
export function createBatcher(o: {
  readonly subject: string;
  readonly device: string;
  readonly limits?: Partial<BatchLimits>;
}): Batcher {
  const limits: BatchLimits = { ...BATCH_LIMITS, ...o.limits };
  let events: RawEvent[] = [];
  let contexts = createTable(contextKey, contextBytes);
  let elements = createTable(elementKey, elementBytes);
  let firstAt = 0;
  let eventBytes = 0;

  const textBytes = (): number => eventBytes + contexts.bytes() + elements.bytes();

  const flush = (): CapturePayload | undefined => {
    if (events.length === 0) return undefined;
    const payload: CapturePayload = {
      subject: o.subject,
      device: o.device,
      contexts: contexts.values,
      elements: elements.values,
      events,
    };
    events = [];
    contexts = createTable(contextKey, contextBytes);
    elements = createTable(elementKey, elementBytes);
    eventBytes = 0;
    return payload;
  };

  return {
    add(event, context, element) {
      const bytes = eventTextBytes(event);
      const full =
        events.length > 0 &&
        (events.length >= limits.maxEvents ||
          Math.abs(event.at - firstAt) > limits.maxMillis ||
          textBytes() + bytes + contexts.costOf(context) + elements.costOf(element) > limits.maxTextBytes);
      const before = full ? flush() : undefined;
      if (events.length === 0) firstAt = event.at;
      eventBytes += bytes;
      events.push({ ...event, context: contexts.indexOf(context), element: elements.indexOf(element) });
      return before;
    },
    flush,
    pendingEvents: () => events.length,
    pendingTextBytes: textBytes,
  };
}

/** UTF-8 bytes of the texts that the event itself carries. */
export function eventTextBytes(event: EventBody): number {
  switch (event.kind) {
    case 'key_down':
    case 'key_up':
      return utf8(event.key) + utf8(event.code);
    case 'clipboard':
    case 'composition':
      return utf8(event.text);
    case 'value_change':
      return utf8(event.value);
    case 'pointer_move':
    case 'pointer_down':
    case 'pointer_up':
    case 'wheel':
    case 'focus':
    case 'navigate':
    case 'session_end':
    case 'unknown':
      return 0;
  }
}

/** UTF-8 bytes of a context's texts. */
export function contextBytes(c: Context): number {
  return utf8(c.app) + utf8(c.title) + utf8(c.url);
}

/** UTF-8 bytes of an element's texts. */
export function elementBytes(e: UiElement): number {
  return utf8(e.role) + utf8(e.name) + utf8(e.value);
}

function utf8(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

interface Table<T extends object> {
  readonly values: T[];
  /** Index of the value, added if it is new; -1 for null. */
  indexOf(value: T | null): number;
  /** Bytes that the value would add. */
  costOf(value: T | null): number;
  bytes(): number;
}

/** Distinct values of one batch. Producers mostly hand the same object again, so identity is asked before equality. */
function createTable<T extends object>(keyOf: (value: T) => string, bytesOf: (value: T) => number): Table<T> {
  const values: T[] = [];
  const byKey = new Map<string, number>();
  let last: T | null = null;
  let lastIndex = -1;
  let bytes = 0;

  const find = (value: T): number | undefined => (value === last ? lastIndex : byKey.get(keyOf(value)));

  return {
    values,
    indexOf(value) {
      if (value === null) return -1;
      const known = find(value);
      if (known === undefined) {
        byKey.set(keyOf(value), values.length);
        bytes += bytesOf(value);
        lastIndex = values.push(value) - 1;
      } else {
        lastIndex = known;
      }
      last = value;
      return lastIndex;
    },
    costOf: (value) => (value === null || find(value) !== undefined ? 0 : bytesOf(value)),
    bytes: () => bytes,
  };
}

// JSON quotes its strings, so no two different values share a key whatever characters they hold.
function contextKey(c: Context): string {
  return JSON.stringify([c.app, c.title, c.url, c.private]);
}

function elementKey(e: UiElement): string {
  const b = e.bounds;
  return JSON.stringify([e.role, e.name, e.value, e.secure, b === null ? null : [b.x, b.y, b.width, b.height]]);
}
