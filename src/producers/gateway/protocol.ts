/**
 * What recorders and the gateway say to each other (docs/recorders.md): one declaration for checks, types and the OpenAPI
 * document.
 */
import * as z from 'zod';
import { REQUEST_ANSWERS, REQUEST_KINDS } from '../../events/control.ts';
import { MAX_TIME, MIN_TIME } from '../../events/limits.ts';
import { CLIPBOARD_OPS, POINTER_BUTTONS, type CapturePayload } from '../../events/raw.ts';
import { KEPT_ACTIONS, KEPT_DAYS, READERS_DAYS, READERS_ENTRIES } from './spans.ts';

/** A session lasts no longer; nor does what was granted with it, such as a sealing key. */
export const MAX_GRANT_MS = 30 * 60_000;
/** Open sessions of one person. */
export const MAX_OPEN_SESSIONS = 8;
export const MAX_SEQUENCE = 0x7fffffff;

/** Why a request is refused, and the status that says so where it is always the same one. */
export const REFUSALS = {
  bad_request: [400, 'the request is not one that docs/recorders.md describes'],
  unauthenticated: [401, 'ask an operator for a token, or sign in'],
  bad_identity: [401, 'the proxy names the person in something else than UTF-8: tell an operator'],
  cross_site: [403, 'a page of another site may not ask for this person: list it in gateway.corsOrigins'],
  subject_mismatch: [403, 'the batch is of another person than the request'],
  device_mismatch: [403, 'the batch or the token is of another device than the request'],
  not_found: [404, 'there is nothing here; after a restart of the gateway, start a new session'],
  method_not_allowed: [405, 'the path exists, with another method'],
  too_slow: [408, 'the request did not come in whole in time; send the same again'],
  conflict: [409, 'another batch was acknowledged under this number'],
  out_of_order: [409, 'a later batch of this session was acknowledged already'],
  expired: [410, 'start a new session'],
  ended: [410, 'start a new session'],
  too_large: [413, 'send smaller batches'],
  unsupported_type: [415, 'send application/json or one of the types of docs/recorders.md'],
  unsupported_encoding: [415, 'send gzip, one zstd frame of known size, or neither'],
  bad_batch: [422, 'the body is not a batch as docs/recorders.md describes it'],
  too_many_events: [422, 'send fewer events in a batch'],
  unknown_sealing_key: [422, 'start a new session: its grant has the key of today'],
  too_many_requests: [409, 'there are enough open requests: wait for the answer'],
  rate: [429, 'send less often'],
  over_budget: [429, "the person's data budget of the day is used up"],
  internal: [500, 'the gateway failed; its log says more'],
  busy: [503, 'the gateway has enough to do; send the same again'],
  not_served: [503, 'the service that knows what was kept is not set up here; ask an operator'],
  unavailable: [503, 'the log does not answer; send the same again'],
  // 403 where a session is asked for, 410 where one is ended by it.
  not_enrolled: [403, 'the person is not enrolled: record nothing'],
  paused: [403, 'recording is paused: record nothing until it is over'],
  withdrawn: [403, 'the person has withdrawn: record nothing'],
  exempt: [403, 'the person is exempt: record nothing'],
  erased: [403, 'an erasure was asked for: record nothing'],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type Reason = keyof typeof REFUSALS;
export const REASONS = Object.keys(REFUSALS) as readonly Reason[]; // its keys are no others

export interface Refused {
  readonly refused: Reason;
  /** In place of the usual one. */
  readonly status?: number;
  /** End of a pause, ms. */
  readonly until?: number;
  /** Seconds until another try makes sense. */
  readonly retryAfter?: number;
}

export const isRefused = (outcome: object): outcome is Refused => 'refused' in outcome;

const time = z.int().min(0).describe('Milliseconds since 1970-01-01 UTC.');
const bytes = z.int().min(0);

export const refusalAnswer = z.strictObject({
  error: z.enum(REASONS),
  message: z.string(),
  until: time.optional(),
});

export const deviceName = z.string().min(1).max(128);
export const sessionRequest = z.strictObject({ device: deviceName });
export const pauseRequest = z.strictObject({ minutes: z.int().min(1).max(30) });

/** Kinds that come of no use to a person's data budget first. */
export const THINNABLE = ['pointer_move'] as const;
const thin = z.array(z.enum(THINNABLE)).describe('Kinds to leave out from now on.');

/** What need not be sent, for it would be dropped: what is in these places, and all of other kinds. */
export const recordable = z.strictObject({
  private: z.literal(false),
  excludeApps: z.array(z.string()),
  excludeHosts: z.array(z.string()),
  excludeTitles: z.array(z.string()),
  kinds: z.array(z.string()),
});
export type Recordable = z.output<typeof recordable>;

export const grantAnswer = z.strictObject({
  session: z.string(),
  grantedAt: time,
  endsAt: time,
  limits: z.strictObject({
    maxBodyBytes: bytes,
    maxPayloadBytes: bytes,
    maxEventsPerBatch: z.int(),
    requestsPerMinute: z.int(),
    dataBudgetBytes: bytes,
    remainingBytes: bytes,
  }),
  sealing: z.strictObject({ keyId: z.string(), publicKey: z.string(), suite: z.string() }),
  record: recordable,
});
export type Grant = z.output<typeof grantAnswer>;

export const batchAnswer = z.strictObject({ sequence: z.int().min(0), receivedAt: time, remainingBytes: bytes, thin });
export type Acknowledged = z.output<typeof batchAnswer>;

export const statusAnswer = z.strictObject({
  recording: z.enum(['not_enrolled', 'enrolled', 'paused', 'withdrawn', 'exempt']),
  until: time.nullable(),
  now: time.describe('The clock by which `until` counts.'),
  sessions: z.int().min(0),
  sentBytesToday: bytes,
  dataBudgetBytes: bytes,
  thin,
});
export type Status = z.output<typeof statusAnswer>;

/** Typed by the person, so that nobody is erased by a slip. */
export const erasureRequest = z.strictObject({ confirm: z.literal('erase') });

export const erasureAnswer = z.strictObject({
  state: z.enum(['none', 'under_way', 'done']),
  requestedAt: time.nullable(),
  doneAt: time.nullable(),
  rows: z.int().min(0).describe('Rows that were removed, once it is done.'),
  sessions: z.int().min(0).describe('Session pseudonyms whose rows were removed, once it is done.'),
});
export type ErasureState = z.output<typeof erasureAnswer>;

export const MAX_REASON_CHARS = 1_000;
export const exemptionRequest = z.strictObject({ reason: z.string().trim().min(1).max(MAX_REASON_CHARS) });

export const requestsAnswer = z.strictObject({
  requests: z.array(
    z.strictObject({
      kind: z.enum(REQUEST_KINDS),
      reason: z.string().describe('As the person wrote it; empty once it is answered.'),
      askedAt: time,
      answer: z.enum(REQUEST_ANSWERS).nullable(),
      answeredAt: time.nullable(),
      comment: z.string(),
    }),
  ),
});
export type Requests = z.output<typeof requestsAnswer>;

const nullableText = z.string().nullable();

/** What a row of the training table says, but for its pseudonyms. */
export const keptAction = z.strictObject({
  action: z.string(),
  app: nullableText,
  window: nullableText,
  url: nullableText,
  target_role: nullableText,
  target: nullableText,
  key: nullableText,
  button: nullableText,
  direction: nullableText,
  cell: nullableText,
  pause: nullableText,
  length: nullableText,
  count: nullableText,
});
export type KeptAction = z.output<typeof keptAction>;

export const keptAnswer = z.strictObject({
  days: z
    .array(
      z.strictObject({
        day: z.iso.date().describe('UTC.'),
        rows: z.int().min(0).describe('Rows of the training table.'),
        events: z.int().min(0).describe('Raw events behind what was released.'),
        dropped: z.record(z.string(), z.int().min(0)).describe('Raw events that were dropped, by reason.'),
        actions: z
          .array(keptAction)
          .describe(`The last rows, ${KEPT_ACTIONS} of a day at most, in no order of sessions.`),
      }),
    )
    .describe(`Latest first, ${KEPT_DAYS} at most.`),
});
export type Kept = z.output<typeof keptAnswer>;

export const readersAnswer = z.strictObject({
  readers: z
    .array(z.strictObject({ at: time, who: z.string(), what: z.string(), why: z.string() }))
    .describe(
      `Who had access to raw data in the last ${READERS_DAYS} days, latest first, ${READERS_ENTRIES} entries at most.`,
    ),
});
export type Readers = z.output<typeof readersAnswer>;

const text = z.string().max(1 << 22);
const pixel = z
  .int()
  .min(-(2 ** 31))
  .max(2 ** 31 - 1);
const place = z.int().min(-1).max(65_535).default(-1);
const deviceTime = z
  .int()
  .min(MIN_TIME)
  .max(MAX_TIME - 1)
  .describe('Milliseconds since 1970-01-01 UTC, of the years 1990 to 2199.');
const at = { at: deviceTime, context: place, element: place };

const event = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('pointer_move'), ...at, x: pixel, y: pixel }),
  z.strictObject({
    kind: z.enum(['pointer_down', 'pointer_up']),
    ...at,
    x: pixel,
    y: pixel,
    button: z.enum(POINTER_BUTTONS),
  }),
  z.strictObject({ kind: z.literal('wheel'), ...at, dx: pixel.default(0), dy: pixel.default(0) }),
  z.strictObject({ kind: z.enum(['key_down', 'key_up']), ...at, key: text.min(1), code: text.default('') }),
  z.strictObject({ kind: z.enum(['focus', 'navigate', 'session_end']), ...at }),
  z.strictObject({ kind: z.literal('clipboard'), ...at, op: z.enum(CLIPBOARD_OPS), text: text.default('') }),
  z.strictObject({ kind: z.literal('value_change'), ...at, value: text }),
  z.strictObject({ kind: z.literal('composition'), ...at, text }),
]);

const context = z.strictObject({
  app: text.default(''),
  title: text.default(''),
  url: text.default(''),
  private: z.boolean().default(false),
});

const bounds = z.strictObject({ x: pixel, y: pixel, width: pixel.min(0), height: pixel.min(0) });

const element = z.strictObject({
  role: text.default('').transform((role) => role.toLowerCase()),
  name: text.default(''),
  value: text.default(''),
  secure: z.boolean().default(false),
  bounds: bounds.nullable().default(null),
});

/** A batch in JSON. How many events, contexts and so on it may have is the codec's to say. */
export const jsonBatch = z.strictObject({
  subject: z.string().min(1).max(1_024),
  device: deviceName,
  contexts: z.array(context).max(65_536).default([]),
  elements: z.array(element).max(65_536).default([]),
  events: z.array(event).min(1).max(1_000_000),
}) satisfies z.ZodType<CapturePayload>;

export const CAPTURE_TYPE = 'application/vnd.redactory.capture';
export const SEALED_TYPE = 'application/vnd.redactory.sealed';
export const JSON_TYPE = 'application/json';
