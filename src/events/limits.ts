/** Bounds on what the codec unpacks; checked before memory is taken, because a message may be made to hurt. */
export interface Limits {
  /** Bytes of one record on the raw topic, packed. */
  readonly maxRecordBytes: number;
  /** Bytes of its payload once unpacked. */
  readonly maxPayloadBytes: number;
  readonly maxEvents: number;
  readonly maxContexts: number;
  readonly maxElements: number;
  /** Distinct key and code pairs. */
  readonly maxKeys: number;
  /** Distinct texts of clipboard, value changes and compositions. */
  readonly maxTexts: number;
  /** Bytes of UTF-8 of any one text. */
  readonly maxTextLength: number;
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxRecordBytes: 1_048_576,
  maxPayloadBytes: 8_388_608,
  maxEvents: 50_000,
  maxContexts: 4_096,
  maxElements: 4_096,
  maxKeys: 4_096,
  maxTexts: 8_192,
  maxTextLength: 262_144,
});

/** Longest id of a session, subject or device that is read, in UTF-16 units: ids are kept for as long as a session is open. */
export const MAX_ID_LENGTH = 1_024;

/** Device clocks lie, but a time outside of these years is damage (milliseconds since the epoch). */
export const MIN_TIME = Date.UTC(1990, 0, 1);
export const MAX_TIME = Date.UTC(2200, 0, 1);
