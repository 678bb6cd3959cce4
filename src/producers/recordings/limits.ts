/** Bounds of an import: together they keep its memory small, whatever the file's size and however it was made. */
export interface ImportLimits {
  /** Bytes of one line of a recording, or of one CSV record. */
  readonly maxLineBytes: number;
  /** Bytes of one line of a file beside the events (an accessibility tree a line). */
  readonly maxSideLineBytes: number;
  /** Bytes of a file beside the events. */
  readonly maxSideFileBytes: number;
  /** UTF-8 bytes of one event's text, of one context's texts and of one element's texts. */
  readonly maxTextBytes: number;
  /** UTF-8 bytes of a subject and of a session's label. */
  readonly maxNameBytes: number;
  /** Sessions of one file that are open at once. */
  readonly maxOpenSessions: number;
  readonly maxSessions: number;
  readonly maxSubjects: number;
  /** Events, and bytes of their texts, that wait in unfinished batches of all open sessions. */
  readonly maxPendingEvents: number;
  readonly maxPendingTextBytes: number;
  /** Device time from the first to the last event of a session, ms. */
  readonly maxSessionMs: number;
}

// One event with its context and element has at most 768 KiB of text, so that any event fits a record of the raw topic.
export const IMPORT_LIMITS: ImportLimits = Object.freeze({
  maxLineBytes: 1_048_576,
  maxSideLineBytes: 8_388_608,
  maxSideFileBytes: 67_108_864,
  maxTextBytes: 262_144,
  maxNameBytes: 1_024,
  maxOpenSessions: 1_000,
  maxSessions: 1_000_000,
  maxSubjects: 100_000,
  maxPendingEvents: 100_000,
  maxPendingTextBytes: 33_554_432,
  maxSessionMs: 30 * 60_000,
});
