/**
 * What recorders capture, before anything has been taken out.
 *
 * These are the types of the private side: only producers, the codec and the processors up to `reduceToActions`
 * may hold them.
 */

/** Where an event happened: the focused window, and the page in it. Every text here may be personal. */
export interface Context {
  readonly app: string;
  readonly title: string;
  /** Absolute URL, or '' when the context is not a page. */
  readonly url: string;
  /** A private (incognito) window, as far as the recorder can tell. */
  readonly private: boolean;
}

/** Element bounds in whole screen pixels. */
export interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The user-interface element that an event acts on. `name` and `value` may be personal. */
export interface UiElement {
  /** ARIA role in lower case (`button`, `textbox`, ...), or '' when unknown. */
  readonly role: string;
  readonly name: string;
  readonly value: string;
  /** A password field or one that the recorder was told to protect. */
  readonly secure: boolean;
  readonly bounds: Bounds | null;
}

export type PointerButton = 'left' | 'right' | 'middle' | 'back' | 'forward' | 'other';
export const POINTER_BUTTONS: readonly PointerButton[] = ['left', 'right', 'middle', 'back', 'forward', 'other'];

export type ClipboardOp = 'copy' | 'cut' | 'paste';
export const CLIPBOARD_OPS: readonly ClipboardOp[] = ['copy', 'cut', 'paste'];

interface At {
  /** Device time in milliseconds since the Unix epoch; a device clock may lie. */
  readonly at: number;
  /** Index into the batch's `contexts`, or -1 when not known. */
  readonly context: number;
  /** Index into the batch's `elements`, or -1 when not known. */
  readonly element: number;
}

export interface PointerMove extends At {
  readonly kind: 'pointer_move';
  /** Whole screen pixels; so everywhere below. */
  readonly x: number;
  readonly y: number;
}
export interface PointerPress extends At {
  readonly kind: 'pointer_down' | 'pointer_up';
  readonly x: number;
  readonly y: number;
  readonly button: PointerButton;
}
export interface Wheel extends At {
  readonly kind: 'wheel';
  /** Notches or pixels, as the recorder gives them; positive dy scrolls up, positive dx scrolls right. */
  readonly dx: number;
  readonly dy: number;
}
export interface KeyPress extends At {
  readonly kind: 'key_down' | 'key_up';
  /** `KeyboardEvent.key` (W3C UI Events): a named key or the produced text. */
  readonly key: string;
  /** `KeyboardEvent.code`: the physical key, or ''. */
  readonly code: string;
}
/** Another window or element got the focus, or another page was opened: the event's own context and element say which. */
export interface Arrival extends At {
  readonly kind: 'focus' | 'navigate';
}
export interface ClipboardUse extends At {
  readonly kind: 'clipboard';
  readonly op: ClipboardOp;
  readonly text: string;
}
/** The element's value changed by any means. */
export interface ValueChange extends At {
  readonly kind: 'value_change';
  readonly value: string;
}
/** An input method committed `text`. */
export interface Composition extends At {
  readonly kind: 'composition';
  readonly text: string;
}
/** The recorder says that the session is over; nothing of this session follows. */
export interface SessionEnd extends At {
  readonly kind: 'session_end';
}
/** A kind that this version does not know: always dropped, and counted. */
export interface UnknownEvent extends At {
  readonly kind: 'unknown';
  /** The byte that stood for the kind, 128..255. */
  readonly code: number;
}

export type RawEvent =
  | PointerMove
  | PointerPress
  | Wheel
  | KeyPress
  | Arrival
  | ClipboardUse
  | ValueChange
  | Composition
  | SessionEnd
  | UnknownEvent;

export type RawEventKind = RawEvent['kind'];

/** What recorders may send; `unknown` is none of theirs. */
export const RAW_KINDS: readonly RawEventKind[] = [
  'pointer_move',
  'pointer_down',
  'pointer_up',
  'wheel',
  'key_down',
  'key_up',
  'focus',
  'navigate',
  'clipboard',
  'value_change',
  'composition',
  'session_end',
];

/** The capture itself: what the recorder's device saw in a few seconds of one session. Stands alone. */
export interface CapturePayload {
  /** The person, as the company knows them. */
  readonly subject: string;
  /** The recording device, stable over its sessions. */
  readonly device: string;
  readonly contexts: readonly Context[];
  readonly elements: readonly UiElement[];
  readonly events: readonly RawEvent[];
}

/** The outside of a message on the raw topic; its stamps come from the trusted side, never from the recorder. */
export interface CaptureEnvelope {
  readonly session: string;
  /** Position in the session, from 0, without holes. */
  readonly sequence: number;
  /** When the session was opened; ms since epoch. */
  readonly grantedAt: number;
  /** When this batch reached the trusted side; ms since epoch. */
  readonly receivedAt: number;
}

/** One message on the raw topic, opened. */
export interface CaptureBatch extends CaptureEnvelope, CapturePayload {}

/** One message on the raw topic, closed: the payload is still packed. */
export interface SealedBatch extends CaptureEnvelope {
  /** zstd-compressed Avro of a {@link CapturePayload}; sealed, unless `seal` is null. */
  readonly payload: Uint8Array;
  readonly seal: Seal | null;
}

/** What it takes to open a sealed payload, beside the private key. */
export interface Seal {
  /** Which sealing key: 16 lower-case hex digits. */
  readonly keyId: string;
  /** HPKE's encapsulated key. */
  readonly encapsulated: Uint8Array;
}

export const SEAL_KEY_ID = /^[0-9a-f]{16}$/u;
/** Of an X25519 public key, which an encapsulated key is too. */
export const SEAL_KEY_BYTES = 32;
