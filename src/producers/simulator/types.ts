import type { ConsentDecision } from '../../events/control.ts';
import type { Captured } from '../captured.ts';

export interface SimulationOptions {
  readonly people: number;
  /** How long everyone works. Batches that arrive late may come up to ten minutes after that. */
  readonly minutes: number;
  readonly seed: number;
  /** Trusted time at which the simulation starts, ms since the epoch. */
  readonly start: number;
  /** What goes wrong on the way, as probabilities; `none`: nothing. Default {@link DEFAULT_FAULTS}. */
  readonly faults?: 'none' | Partial<Faults>;
  /** How people decide about their recording, as shares. `all_enrolled`: everyone takes part all the time. */
  readonly consent?: 'all_enrolled' | Partial<ConsentShares>;
  /** Subject id to subject key; called once for each person. */
  readonly subjectKey: (subject: string) => string;
  /** Told of every personal string put into the stream, before the record that holds it comes out. */
  readonly truth?: (planted: PlantedString) => void;
}

/** What the simulation gives out, in order of `at` (ms since the epoch, trusted time). */
export type SimulatedRecord =
  | { readonly kind: 'capture'; readonly at: number; readonly record: Captured }
  | { readonly kind: 'consent'; readonly at: number; readonly decision: ConsentDecision };

/** Probabilities of what goes wrong: of a batch, unless it says otherwise. */
export interface Faults {
  /** The batch arrives seconds to minutes after those that follow it; one in eight of these arrives after six minutes or more. */
  readonly late: number;
  /** The batch is sent a second time. */
  readonly repeated: number;
  /** The batch never arrives. */
  readonly missing: number;
  /** The batch holds events of unknown kinds. */
  readonly unknown: number;
  /** Of a session: its end marker never comes. */
  readonly noEnd: number;
  /** Of a pause: the recorder goes on in one way or another. */
  readonly recordsWhilePaused: number;
  /** Of a withdrawal or an exemption: the recorder goes on for some minutes. */
  readonly recordsAfterEnd: number;
  /** Of a person: their device's clock is wrong by minutes. */
  readonly lyingClock: number;
}

export const DEFAULT_FAULTS: Faults = Object.freeze({
  late: 0.004,
  repeated: 0.006,
  missing: 0.001,
  unknown: 0.004,
  noEnd: 0.05,
  recordsWhilePaused: 0.5,
  recordsAfterEnd: 0.5,
  lyingClock: 0.25,
});

export const NO_FAULTS: Faults = Object.freeze({
  late: 0,
  repeated: 0,
  missing: 0,
  unknown: 0,
  noEnd: 0,
  recordsWhilePaused: 0,
  recordsAfterEnd: 0,
  lyingClock: 0,
});

/** Shares of people, 0..1 each; the rest enrol and stay. */
export interface ConsentShares {
  /** Pause the recording now and then. */
  readonly pauses: number;
  /** Withdraw at some time. */
  readonly withdraws: number;
  /** Are exempted, some from the start; their recorders may not know. */
  readonly exempt: number;
  /** Never enrol; their batches come all the same. */
  readonly neverEnrolled: number;
  /** Enrol only after their recorder has begun. */
  readonly enrolsLate: number;
}

export const DEFAULT_CONSENT: ConsentShares = Object.freeze({
  pauses: 0.3,
  withdraws: 0.08,
  exempt: 0.06,
  neverEnrolled: 0.06,
  enrolsLate: 0.05,
});

export const PLANTED_KINDS = [
  'name',
  'email',
  'phone',
  'card',
  'iban',
  'address',
  'password',
  'token',
  'message',
  'query',
  'file',
  'birthday',
  'employee_number',
  'amount',
  'note',
  'code',
  'command',
  'private_place',
  'subject',
  'device',
] as const;
export type PlantedKind = (typeof PLANTED_KINDS)[number];

export const PLANTED_PLACES = [
  'typed',
  'composition',
  'title',
  'url',
  'element_name',
  'element_value',
  'clipboard',
  'value_change',
  'device',
  'subject',
] as const;
export type PlantedPlace = (typeof PLANTED_PLACES)[number];

/**
 * A personal string that the simulation put into the stream. A text that was typed is one string here, and many key
 * events there: it is named with the batch of its last key, and in pieces when a session ended while it was typed. Strings of a batch that got lost (`missing`) are named too.
 */
export interface PlantedString {
  readonly text: string;
  readonly kind: PlantedKind;
  readonly where: PlantedPlace;
  /** Raw subject id. */
  readonly subject: string;
  readonly session: string;
  readonly sequence: number;
}

/** A personal string before it is known in which batch it will be. */
export interface Personal {
  readonly text: string;
  readonly kind: PlantedKind;
  readonly where: PlantedPlace;
}
