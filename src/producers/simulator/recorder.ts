import type { Context, PointerButton, ClipboardOp, RawEvent, UiElement } from '../../events/raw.ts';
import type { Captured } from '../captured.ts';
import type { Change } from './consent-plan.ts';
import type { Heap } from './heap.ts';
import type { Random } from './random.ts';
import type { Faults, Personal, PlantedString, SimulatedRecord } from './types.ts';

/** A window or page, and the personal strings in its texts. */
export interface Place {
  readonly context: Context;
  readonly personal: readonly Personal[];
}

/** A control on the screen, and the personal strings in its texts. */
export interface Target {
  readonly element: UiElement;
  readonly personal: readonly Personal[];
}

/** A batch: its session ('' for none) and its number there. */
export interface Position {
  readonly session: string;
  readonly sequence: number;
}

/** A session may not be longer; some seconds less, so that its end marker fits. */
const SESSION_MS = 30 * 60_000 - 2000;
/** From this age on, a session is cut at the next moment that suits. */
const SESSION_RIPE_MS = 28 * 60_000;
const BATCH_MAX_EVENTS = 400;
const UNSET = -2;

export interface RecorderOptions {
  readonly key: string;
  readonly subject: string;
  readonly device: string;
  readonly random: Random;
  readonly faults: Faults;
  /** What the device's clock shows less the true time, ms. */
  readonly clockError: number;
  readonly outbox: Heap<SimulatedRecord>;
  readonly truth: ((planted: PlantedString) => void) | undefined;
}

/**
 * The recorder on one person's device: takes events in order of time, keeps sessions and batches, and sends them, with
 * whatever goes wrong on the way. All times taken are trusted time in ms; what is written into events is the device's.
 */
export class Recorder {
  readonly #o: RecorderOptions;
  readonly #batchMs: number;
  #changes: readonly Change[] = [];
  #recording = false;
  #session = '';
  #grantedAt = 0;
  #sequence = 0;
  #endsProperly = true;
  /** Batches captured before this time are kept back until then. */
  #heldUntil = 0;
  #lastSent = 0;
  /** When something other than an event is due: the batch's end, the session's, or the next change. */
  #due = Number.NEGATIVE_INFINITY;
  #batchEnd = Number.POSITIVE_INFINITY;
  #events: RawEvent[] = [];
  #places = new Map<Place, number>();
  #targets = new Map<Target, number>();
  #place: Place | undefined;
  #focused: Target | undefined;
  #context = UNSET;
  #element = UNSET;

  constructor(options: RecorderOptions) {
    this.#o = options;
    this.#batchMs = options.random.between(4600, 5400);
  }

  /** What the recorder will do, beside what it was told before; it is off until the first `start`. */
  schedule(changes: readonly Change[]): void {
    this.#changes = [...this.#changes, ...changes].sort((a, b) => a.at - b.at);
    this.#setDue();
  }

  /** The id of the open session, or '' when nothing is recorded. */
  get session(): string {
    return this.#session;
  }

  /** When recording begins again, or never (Infinity); 0 while it is on. */
  get offUntil(): number {
    if (this.#recording) return 0;
    return this.#changes.find((change) => change.kind === 'start')?.at ?? Number.POSITIVE_INFINITY;
  }

  move(t: number, x: number, y: number): void {
    if (!this.#ready(t)) return;
    this.#events.push({ kind: 'pointer_move', at: this.#stamp(t), context: this.#context, element: -1, x, y });
  }

  pointer(
    kind: 'pointer_down' | 'pointer_up',
    t: number,
    x: number,
    y: number,
    button: PointerButton,
    target?: Target,
  ): void {
    if (!this.#ready(t)) return;
    const element = target === undefined ? -1 : this.#targetIndex(target);
    this.#events.push({ kind, at: this.#stamp(t), context: this.#context, element, x, y, button });
  }

  wheel(t: number, dx: number, dy: number): void {
    if (!this.#ready(t)) return;
    this.#events.push({ kind: 'wheel', at: this.#stamp(t), context: this.#context, element: -1, dx, dy });
  }

  key(kind: 'key_down' | 'key_up', t: number, key: string, code: string): void {
    if (!this.#ready(t)) return;
    this.#events.push({ kind, at: this.#stamp(t), context: this.#context, element: this.#element, key, code });
  }

  clipboard(t: number, op: ClipboardOp, text: string): void {
    if (!this.#ready(t)) return;
    this.#events.push({
      kind: 'clipboard',
      at: this.#stamp(t),
      context: this.#context,
      element: this.#element,
      op,
      text,
    });
  }

  valueChange(t: number, value: string): void {
    if (!this.#ready(t)) return;
    this.#events.push({
      kind: 'value_change',
      at: this.#stamp(t),
      context: this.#context,
      element: this.#element,
      value,
    });
  }

  composition(t: number, text: string): void {
    if (!this.#ready(t)) return;
    this.#events.push({
      kind: 'composition',
      at: this.#stamp(t),
      context: this.#context,
      element: this.#element,
      text,
    });
  }

  /** The person is now at another window or page. */
  arrive(t: number, kind: 'focus' | 'navigate', place: Place): void {
    if (this.#place === place && kind === 'focus') return;
    if (t >= this.#due) this.#catchUp(t);
    this.#place = place;
    this.#focused = undefined;
    this.#resolve();
    const opened = this.#session === '';
    // A session that begins here announces its window by itself.
    if (!this.#ready(t) || opened) return;
    this.#events.push({ kind, at: this.#stamp(t), context: this.#context, element: -1 });
  }

  /** The person is now in another field of the same window. */
  focus(t: number, target: Target | undefined): void {
    if (this.#focused === target) return;
    if (t >= this.#due) this.#catchUp(t);
    this.#focused = target;
    this.#resolve();
    if (target === undefined || !this.#ready(t)) return;
    this.#events.push({ kind: 'focus', at: this.#stamp(t), context: this.#context, element: this.#element });
  }

  /** The batch that took the last event; no session when nothing is recorded. */
  get position(): Position {
    const sequence = this.#events.length === 0 ? Math.max(0, this.#sequence - 1) : this.#sequence;
    return { session: this.#session, sequence };
  }

  /** Names a personal string that went into the batch at `position`. */
  plant(personal: Personal, position = this.position): void {
    if (position.session !== '') this.#report(personal, position);
  }

  get wantsTruth(): boolean {
    return this.#o.truth !== undefined;
  }

  /** Time has passed; to be called before others learn that it has, so that nothing is sent into their past. */
  passTime(t: number): void {
    if (t >= this.#due) this.#catchUp(t);
    if (this.#session !== '' && t >= this.#grantedAt + SESSION_RIPE_MS) this.endSession(t);
  }

  /** Ends the session, if one is open; the next event begins another. */
  endSession(t: number): void {
    if (this.#session === '') return;
    if (this.#endsProperly) {
      if (this.#events.length === 0) this.#startBatch(t);
      this.#events.push({ kind: 'session_end', at: this.#stamp(t), context: this.#context, element: -1 });
    }
    this.#cut(t);
    this.#session = '';
    this.#setDue();
  }

  #ready(t: number): boolean {
    if (t >= this.#due || this.#events.length >= BATCH_MAX_EVENTS) this.#catchUp(t);
    if (!this.#recording) return false;
    if (this.#session === '') this.#open(t);
    if (this.#events.length === 0) this.#startBatch(t);
    return true;
  }

  /** Does all that was due until `t`, in order of time. */
  #catchUp(t: number): void {
    if (this.#events.length >= BATCH_MAX_EVENTS) this.#cut(t);
    while (t >= this.#due) {
      const due = this.#due;
      const change = this.#changes[0];
      if (this.#batchEnd <= due) this.#cut(this.#batchEnd);
      else if (change !== undefined && change.at <= due) this.#apply(change);
      else if (this.#session !== '' && this.#grantedAt + SESSION_MS <= due)
        this.endSession(this.#grantedAt + SESSION_MS);
      this.#setDue();
    }
  }

  #apply(change: Change): void {
    this.#changes = this.#changes.slice(1);
    if (change.kind === 'hold') {
      this.#cut(change.at);
      this.#heldUntil = change.until;
      return;
    }
    this.endSession(change.at);
    if (change.kind === 'stop') this.#recording = false;
    if (change.kind === 'start') this.#recording = true;
  }

  #setDue(): void {
    const sessionEnd = this.#session === '' ? Number.POSITIVE_INFINITY : this.#grantedAt + SESSION_MS;
    this.#due = Math.min(this.#batchEnd, sessionEnd, this.#changes[0]?.at ?? Number.POSITIVE_INFINITY);
  }

  #open(t: number): void {
    this.#session = this.#o.random.hex128();
    this.#grantedAt = Math.round(t);
    this.#sequence = 0;
    this.#endsProperly = !this.#o.random.chance(this.#o.faults.noEnd);
    this.#startBatch(t);
    if (this.#place === undefined) return;
    this.#events.push({ kind: 'focus', at: this.#stamp(t), context: this.#context, element: -1 });
  }

  #startBatch(t: number): void {
    this.#batchEnd = t + this.#batchMs;
    this.#setDue();
    if (this.#o.truth !== undefined) {
      const here = { session: this.#session, sequence: this.#sequence };
      this.#report({ text: this.#o.subject, kind: 'subject', where: 'subject' }, here);
      this.#report({ text: this.#o.device, kind: 'device', where: 'device' }, here);
    }
    this.#enterTables();
    if (!this.#o.random.chance(this.#o.faults.unknown)) return;
    for (let i = this.#o.random.whole(1, 3); i > 0; i -= 1) {
      const code = this.#o.random.whole(128, 255);
      this.#events.push({ kind: 'unknown', at: this.#stamp(t), context: this.#context, element: -1, code });
    }
  }

  /** Forgets the indexes of where the person is; they are looked up now if a batch is open, else when one begins. */
  #resolve(): void {
    this.#context = UNSET;
    this.#element = UNSET;
    if (this.#session !== '' && this.#events.length > 0) this.#enterTables();
  }

  #enterTables(): void {
    this.#context = this.#place === undefined ? -1 : this.#placeIndex(this.#place);
    this.#element = this.#focused === undefined ? -1 : this.#targetIndex(this.#focused);
  }

  #placeIndex(place: Place): number {
    const known = this.#places.get(place);
    if (known !== undefined) return known;
    const index = this.#places.size;
    this.#places.set(place, index);
    this.#reportAll(place.personal);
    return index;
  }

  #targetIndex(target: Target): number {
    const known = this.#targets.get(target);
    if (known !== undefined) return known;
    const index = this.#targets.size;
    this.#targets.set(target, index);
    this.#reportAll(target.personal);
    return index;
  }

  #reportAll(all: readonly Personal[]): void {
    if (this.#o.truth === undefined) return;
    const here = { session: this.#session, sequence: this.#sequence };
    for (const personal of all) this.#report(personal, here);
  }

  #report({ text, kind, where }: Personal, { session, sequence }: Position): void {
    this.#o.truth?.({ text, kind, where, subject: this.#o.subject, session, sequence });
  }

  #stamp(t: number): number {
    return Math.round(t + this.#o.clockError);
  }

  #cut(t: number): void {
    if (this.#events.length > 0) {
      this.#send(t, this.#events);
      this.#sequence += 1;
      this.#events = [];
      this.#places = new Map();
      this.#targets = new Map();
      this.#context = UNSET;
      this.#element = UNSET;
    }
    this.#batchEnd = Number.POSITIVE_INFINITY;
    this.#setDue();
  }

  #send(t: number, events: readonly RawEvent[]): void {
    const { random, faults, subject, device } = this.#o;
    const payload = {
      subject,
      device,
      contexts: Array.from(this.#places.keys(), (place) => place.context),
      elements: Array.from(this.#targets.keys(), (target) => target.element),
      events,
    };
    // A network takes its time, but keeps the order unless something goes wrong.
    const punctual = Math.max(Math.ceil(Math.max(t, this.#heldUntil) + random.between(30, 300)), this.#lastSent + 1);
    this.#lastSent = punctual;
    if (random.chance(faults.missing)) return;
    let arrival = punctual;
    if (random.chance(faults.late)) {
      arrival += random.chance(0.125) ? random.whole(370_000, 560_000) : random.whole(7000, 240_000);
    }
    this.#arrive(arrival, payload);
    if (random.chance(faults.repeated)) this.#arrive(arrival + random.whole(300, 60_000), payload);
  }

  #arrive(at: number, payload: Captured['payload']): void {
    const envelope = { session: this.#session, sequence: this.#sequence, grantedAt: this.#grantedAt, receivedAt: at };
    this.#o.outbox.push({ kind: 'capture', at, record: { key: this.#o.key, envelope, payload } });
  }
}
