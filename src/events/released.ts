/**
 * What may leave: the actions of a session, and nothing that names or times a person.
 *
 * The field names are the training table's column names (docs/table.md).
 */

/** Everything a person can have done, at the level that an agent learns. */
export const ACTIONS = [
  'click',
  'double_click',
  'long_press',
  'drag',
  'scroll',
  'type',
  'press',
  'shortcut',
  'focus',
  'navigate',
  'clipboard',
  'edit',
  'away',
] as const;
export type ActionName = (typeof ACTIONS)[number];

/** Buckets for amounts: how much was typed, how often a key repeated, how far was scrolled. */
export const AMOUNTS = ['<4', '<16', '<64', '<256', 'more'] as const;
export type Amount = (typeof AMOUNTS)[number];

export const DIRECTIONS = ['up', 'down', 'left', 'right'] as const;
export type Direction = (typeof DIRECTIONS)[number];

export const CELLS = [
  'top-left',
  'top',
  'top-right',
  'left',
  'center',
  'right',
  'bottom-left',
  'bottom',
  'bottom-right',
] as const;
export type Cell = (typeof CELLS)[number];

/** How long the person waited before an action; only with a policy's `pause: coarse`. */
export const PAUSES = ['<1s', '<5s', '<30s', 'more'] as const;
export type Pause = (typeof PAUSES)[number];

export const RELEASED_BUTTONS = ['left', 'right', 'middle', 'other'] as const;
export type ReleasedButton = (typeof RELEASED_BUTTONS)[number];

/** Longest text that may leave, in UTF-16 units. */
export const MAX_RELEASED_TEXT = 1_024;

/** One row of the training table, without the columns that the batch holds for all its rows. */
export interface ReleasedAction {
  /** Order in the session, from 0. */
  readonly step: number;
  readonly action: ActionName;
  readonly app: string | null;
  readonly window: string | null;
  readonly url: string | null;
  readonly target_role: string | null;
  readonly target: string | null;
  readonly key: string | null;
  readonly button: ReleasedButton | null;
  readonly direction: Direction | null;
  readonly cell: Cell | null;
  readonly pause: Pause | null;
  readonly length: Amount | null;
  readonly count: Amount | null;
}

/** The fields of a released batch, before `release` has checked and branded it. */
export interface ReleasedFields {
  /** The session's pseudonym: also the record key on the sanitised topic. */
  readonly session: string;
  /** The person's pseudonym, or null when the policy releases none. */
  readonly subject: string | null;
  /** The session's UTC day as days since 1970-01-01. */
  readonly day: number;
  /** Digest of the policy under which this was released. */
  readonly policy: string;
  /** Version of the table's columns: {@link TABLE_SCHEMA_VERSION}. */
  readonly schema: number;
  readonly actions: readonly ReleasedAction[];
}

/** Version of the training table's columns. */
export const TABLE_SCHEMA_VERSION = 1;

declare const released: unique symbol;
/** A batch that `release` has checked. Nothing else makes one, so sinks that take only this cannot be handed raw data. */
export type ReleasedBatch = ReleasedFields & { readonly [released]: true };
