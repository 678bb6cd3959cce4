/** The batch as it passes from processor to processor: each stage's type can say less about the person than the one before. */

import type { Decoded } from '../events/codec.ts';
import type { ActionName, Amount, Direction } from '../events/released.ts';
import type { DropCounts, DropReason, QuarantineReason } from '../events/outcome.ts';
import type {
  Arrival,
  CaptureBatch,
  ClipboardOp,
  Context,
  PointerButton,
  PointerMove,
  PointerPress,
  RawEvent,
  SessionEnd,
  UiElement,
  Wheel,
} from '../events/raw.ts';

/** A raw record as it lies on the log: all that the processors need of it. */
export interface RawRecord {
  readonly key: string;
  readonly value: Uint8Array | null;
  readonly offset: number;
  /** Of the record itself, ms; where it is not known, the envelope's stamps stand alone. */
  readonly timestamp?: number;
  /** What the runtime has made of a sealed payload: opened, or why it may not be used. */
  readonly unsealed?: Decoded<Uint8Array>;
  /** Why the log gives nothing of it out. */
  readonly refused?: QuarantineReason;
}

/** What every stage carries along: the session's stamps, and what has been dropped so far. */
interface Carried {
  /** The record's key: the subject key. */
  readonly key: string;
  readonly dropped: DropCounts;
}

/** Opened, checked, unknown kinds dropped. */
export interface OpenedBatch extends CaptureBatch, Carried {}

/** The person is somewhere that the policy keeps out of every record. */
export interface Away {
  readonly kind: 'away';
  readonly at: number;
  readonly context: -1;
  readonly element: -1;
}

/**
 * An event of a private place, or of one that is not known. It is dropped and counted there; it goes on only to be heard, so
 * that what it entered is recognised when it comes back in a title outside.
 */
export interface Overheard {
  readonly kind: 'overheard';
  readonly event: RawEvent;
  /** What is entered in an unknown place may continue what was entered before. */
  readonly place: 'private' | 'unknown';
  readonly context: -1;
  /** The place's element, for the value that it holds. */
  readonly element: number;
}

export type VisibleEvent = RawEvent | Away | Overheard;

/** Without the events of private places. */
export interface VisibleBatch extends Omit<OpenedBatch, 'events'> {
  readonly events: readonly VisibleEvent[];
}

/** Where something was done. Objects, not indices: a run of typing outlives the batch whose tables it began in. */
export interface Where {
  readonly context: Context | null;
  readonly element: UiElement | null;
}

interface Redacted {
  readonly at: number;
  readonly where: Where;
  /** How many raw events stand behind this one. */
  readonly events: number;
}

/** What is left of the keyboard, the clipboard and edited values once their content is gone. */
export type RedactedInput =
  | (Redacted & { readonly kind: 'typed'; readonly length: Amount | null })
  | (Redacted & { readonly kind: 'pressed' | 'shortcut'; readonly key: string })
  | (Redacted & { readonly kind: 'copied'; readonly op: ClipboardOp })
  | (Redacted & { readonly kind: 'edited' });

/** Events that hold no content: they pass as they are. */
export type ContentFreeEvent = PointerMove | PointerPress | Wheel | Arrival | SessionEnd | Away;

/** Stands between events: from here on, so many of the echo memory's entries may show in texts. No raw event of its own. */
export interface Remembered {
  readonly kind: 'remembered';
  readonly echoes: number;
}

export type KeylessEvent = ContentFreeEvent | RedactedInput | Remembered;

/** Without content of keystrokes, clipboard and values. */
export interface KeylessBatch extends Omit<OpenedBatch, 'events'> {
  readonly events: readonly KeylessEvent[];
}

/** An action with the texts of its context and element still as they were. */
export interface RawAction {
  readonly action: ActionName;
  readonly at: number;
  readonly context: Context | null;
  readonly element: UiElement | null;
  readonly key: string | null;
  readonly button: PointerButton | null;
  readonly direction: Direction | null;
  /** Where the pointer was, in screen pixels. */
  readonly x: number | null;
  readonly y: number | null;
  readonly length: Amount | null;
  /** How often: repeats of a key, steps of a scroll, arrivals at one place; 1 for everything else. */
  readonly times: number;
  /** Raw events behind the action. */
  readonly events: number;
  /** How many entries the echo memory held when this was done: those are cut from its texts. */
  readonly echoes: number;
}

export interface ActionBatch extends Omit<OpenedBatch, 'events' | 'contexts' | 'elements'> {
  readonly actions: readonly RawAction[];
}

/** The texts that may be kept of an action; the rest of it still exact. */
export interface TextAction extends Omit<RawAction, 'context' | 'element' | 'echoes'> {
  readonly app: string | null;
  readonly window: string | null;
  readonly url: string | null;
  readonly target_role: string | null;
  readonly target: string | null;
  readonly bounds: UiElement['bounds'];
}

export interface TextBatch extends Omit<ActionBatch, 'actions'> {
  readonly actions: readonly TextAction[];
}

/** What a session is called: unlike its id, never the same for two stretches of recording. Personal: it names the subject. */
export function sessionName(batch: Pick<CaptureBatch, 'session' | 'grantedAt'> & { readonly key: string }): string {
  return `${batch.key}/${batch.session}/${batch.grantedAt}`;
}

/** `counts` with `n` more of `reason`; a new object. */
export function addDropped(counts: DropCounts, reason: DropReason, n: number): DropCounts {
  return n === 0 ? counts : { ...counts, [reason]: (counts[reason] ?? 0) + n };
}
