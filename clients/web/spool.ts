/**
 * Events that are not sent yet, in memory only and bounded.
 *
 * When it is full, what is new is dropped: what is old may be on its way already. The number of a batch after it is then
 * left out, so that the processors see that something is missing and keep no free text of the session any more.
 */
import type { CapturePayload, Context, RawEvent, UiElement } from '../../src/events/raw.ts';
import { utf8Length } from './payload.ts';

type WithoutPlace<E> = E extends RawEvent ? Omit<E, 'context' | 'element'> : never;
/** An event that does not know its place yet. */
export type EventBody = WithoutPlace<RawEvent>;

export interface SpoolLimits {
  /** Bytes of one batch before it is packed. */
  readonly batchBytes: number;
  readonly batchEvents: number;
  /** Of all that waits, with what is on its way. */
  readonly bytes: number;
  readonly events: number;
}

/** A batch that is closed and numbered. */
export interface Waiting {
  readonly sequence: number;
  readonly payload: CapturePayload;
  readonly bytes: number;
  /** As it is sent, made once: it is sent again with the same bytes. */
  body?: Promise<Uint8Array<ArrayBuffer>>;
}

export interface Spool {
  /** False when it is full or the event does not fit into any batch. */
  add(event: EventBody, context: Context | null, element: UiElement | null): boolean;
  /** Says that an event is missing here. */
  skip(): void;
  /** Closes the batch that is being filled, if it holds anything. */
  close(): void;
  /** Closed batches in order. */
  readonly waiting: readonly Waiting[];
  /** Takes the first closed batch out. */
  shift(): void;
  /** Events in it. */
  readonly size: number;
  /** Whether it ever held anything. */
  readonly used: boolean;
}

/** What an event costs beside its texts: at most so many bytes in all columns. */
const EVENT_BYTES = 40;
/** A context or an element, beside its texts. */
const ROW_BYTES = 40;
/** Wire format, lengths and ends of the columns. */
const BATCH_BYTES = 128;

/** The spool of one session. */
export function createSpool(subject: string, device: string, limits: SpoolLimits): Spool {
  const waiting: Waiting[] = [];
  const empty = BATCH_BYTES + utf8Length(subject) + utf8Length(device);
  let sequence = 0;
  /** An event is missing before the next one. */
  let gap = false;
  let events: RawEvent[] = [];
  let contexts = rows<Context>();
  let elements = rows<UiElement>();
  let bytes = empty;
  let waitingBytes = 0;
  let waitingEvents = 0;

  function close(): void {
    if (events.length === 0) return;
    const payload = { subject, device, contexts: contexts.rows, elements: elements.rows, events };
    waiting.push({ sequence, payload, bytes });
    sequence++;
    waitingBytes += bytes;
    waitingEvents += events.length;
    events = [];
    contexts = rows();
    elements = rows();
    bytes = empty;
  }

  return {
    add(event, context, element) {
      const own = EVENT_BYTES + textsOf(event).reduce((sum, text) => sum + utf8Length(text), 0);
      const cost = () => own + contexts.costOf(context) + elements.costOf(element);
      if (waitingEvents + events.length >= limits.events || waitingBytes + bytes + cost() > limits.bytes) return false;
      if (events.length >= limits.batchEvents || bytes + cost() > limits.batchBytes) close();
      const added = cost();
      if (bytes + added > limits.batchBytes || waitingBytes + bytes + added > limits.bytes) return false;
      if (gap) sequence++;
      gap = false;
      bytes += added;
      events.push({ ...event, context: contexts.indexOf(context), element: elements.indexOf(element) });
      return true;
    },
    skip() {
      close();
      gap = true;
    },
    close,
    waiting,
    shift() {
      const first = waiting.shift();
      waitingBytes -= first?.bytes ?? 0;
      waitingEvents -= first?.payload.events.length ?? 0;
    },
    get size() {
      return waitingEvents + events.length;
    },
    get used() {
      return sequence > 0 || events.length > 0;
    },
  };
}

function textsOf(event: EventBody): readonly string[] {
  switch (event.kind) {
    case 'key_down':
    case 'key_up':
      return [event.key, event.code];
    case 'value_change':
      return [event.value];
    case 'clipboard':
    case 'composition':
      return [event.text];
    case 'pointer_move':
    case 'pointer_down':
    case 'pointer_up':
    case 'wheel':
    case 'focus':
    case 'navigate':
    case 'session_end':
    case 'unknown':
      return [];
  }
}

interface Rows<T> {
  readonly rows: T[];
  /** Bytes that the row would add. */
  costOf(row: T | null): number;
  /** -1 for null. */
  indexOf(row: T | null): number;
}

/** Distinct rows of one batch. Mostly the same object comes again, so identity is asked before equality. */
function rows<T extends object>(): Rows<T> {
  const all: T[] = [];
  const known = new Map<string, number>();
  let last: T | null = null;
  let lastIndex = -1;
  return {
    rows: all,
    costOf: (row) =>
      row === null || row === last || known.has(JSON.stringify(row))
        ? 0
        : ROW_BYTES + utf8Length(Object.values(row).join('')),
    indexOf(row) {
      if (row === null) return -1;
      if (row === last) return lastIndex;
      const id = JSON.stringify(row);
      lastIndex = known.get(id) ?? all.push(row) - 1;
      known.set(id, lastIndex);
      last = row;
      return lastIndex;
    },
  };
}
