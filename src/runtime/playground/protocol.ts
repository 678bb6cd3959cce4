/** What the playground's page asks for and gets: one declaration for checks, types and the OpenAPI document. */
import * as z from 'zod';

/** The made-up person of every playground: nobody else's data is ever shown there. */
export const PLAYGROUND_SUBJECT = 'you@playground.example';

/** Policies that are shown side by side, by the names under which they come with the package. */
export const PLAYGROUND_POLICIES = ['strict', 'balanced', 'recognizers'] as const;
export type PlaygroundPolicy = (typeof PLAYGROUND_POLICIES)[number];

/** Parts of what a recorder captures that are shown with what becomes of them. */
export const RAW_PARTS = [
  'subject',
  'device',
  'time',
  'position',
  'key',
  'typed',
  'value',
  'clipboard',
  'title',
  'app',
  'url',
  'name',
  'role',
] as const;
export type RawPart = (typeof RAW_PARTS)[number];

const count = z.int().min(0);
const texts = z.record(z.string(), z.string());
const loss = z.strictObject({
  what: z.string().describe('What is lost, in a word or two.'),
  why: z.string(),
});
export type Loss = z.output<typeof loss>;

const policyShown = z.strictObject({
  name: z.enum(PLAYGROUND_POLICIES),
  description: z.string(),
  columns: texts.describe('By column of the training table: what a value there has lost, and why.'),
  losses: z.record(z.string(), z.array(loss)).describe('By action: what is missing from it altogether.'),
  raw: texts.describe('By part of a raw event: what becomes of it.'),
});

export const settingsAnswer = z.strictObject({
  subject: z.string(),
  flushMs: count.describe('How long the recorder waits before it sends a batch, ms.'),
  hasPersonPage: z.boolean().describe('Whether `/me` is served here as well.'),
  policies: z.array(policyShown),
  dropped: z
    .record(z.string(), z.strictObject({ why: z.string(), kinds: z.array(z.string()) }))
    .describe('By reason: why an event is dropped, and the kinds of event that it can befall; none: any kind.'),
  quarantined: texts,
  placeholders: texts.describe('By placeholder, such as `{typed}`: what stood there.'),
  waiting: z.string().describe('Why nothing has come of an event yet.'),
});
export type SettingsAnswer = z.output<typeof settingsAnswer>;

const text = z.string().nullable();
const releasedAction = z.strictObject({
  step: count,
  action: z.string(),
  app: text,
  window: text,
  url: text,
  target_role: text,
  target: text,
  key: text,
  button: text,
  direction: text,
  cell: text,
  pause: text,
  length: text,
  count: text,
});
export type ShownAction = z.output<typeof releasedAction>;

const processedBatch = z.strictObject({
  policy: z.enum(PLAYGROUND_POLICIES),
  session: z.string().describe('As the grant named it.'),
  sequence: count,
  kind: z.enum(['keep', 'drop', 'quarantine']),
  reason: text.describe('Why the whole batch was dropped or quarantined.'),
  read: count,
  dropped: z.record(z.string(), count).describe('Raw events by reason.'),
  quarantined: count,
  released: count.describe('Raw events that became part of an action.'),
  batch: z
    .strictObject({
      session: z.string(),
      subject: text,
      date: z.string(),
      actions: z.array(releasedAction),
    })
    .nullable(),
});
/** What became of one batch under one policy. */
export type ProcessedBatch = z.output<typeof processedBatch>;

export const releasedAnswer = z.strictObject({
  batches: z.array(processedBatch),
  next: count.describe('What to ask for next.'),
});
export type ReleasedAnswer = z.output<typeof releasedAnswer>;
