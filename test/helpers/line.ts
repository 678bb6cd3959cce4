/** All that a pipeline needs, in memory: a readable codec, keys, consent, a small vocabulary under the strict policy. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Codec } from '../../src/events/codec.ts';
import type { CaptureEnvelope, CapturePayload } from '../../src/events/raw.ts';
import type { ReleasedAction, ReleasedBatch } from '../../src/events/released.ts';
import type { Keyring } from '../../src/privacy/keyring.ts';
import { parsePolicy, type Policy } from '../../src/privacy/policy.ts';
import { vocabularyOf } from '../../src/privacy/vocabulary-file.ts';
import {
  createPipeline,
  preparePolicy,
  type Pipeline,
  type PipelineTools,
  type PreparedPolicy,
  type Processed,
} from '../../src/processors/pipeline.ts';
import type { RawRecord } from '../../src/processors/stages.ts';
import { payloadOf, START, type Placed } from './recording.ts';

export const VOCABULARY = vocabularyOf(
  `
[apps]
Word = winword
Firefox
[hosts]
docs.example.com
[paths]
edit
settings
[roles]
button
textbox
link
[texts]
Home
Save
Save as
Search
Settings
Inbox
New report
Page {n} of {n}
Find - Replace
`,
  'test vocabulary',
);

const STRICT = parsePolicy(readFileSync(new URL('../../policies/strict.yaml', import.meta.url), 'utf8'), 'strict.yaml');

type PolicyChange = { readonly [K in keyof Policy]?: Partial<Policy[K]> };

/** The strict policy, with some of its rules changed. */
export function policyWith(change: PolicyChange = {}): Policy {
  const { columns, contexts, keystrokes, gestures, session, text } = change;
  return {
    ...STRICT,
    columns: { ...STRICT.columns, ...columns },
    contexts: { ...STRICT.contexts, ...contexts },
    keystrokes: { ...STRICT.keystrokes, ...keystrokes },
    gestures: { ...STRICT.gestures, ...gestures },
    session: { ...STRICT.session, ...session },
    text: { ...STRICT.text, ...text },
  };
}

/** Everything that a policy can release: the columns, and the strict policy with them. */
export const OPEN_COLUMNS: Partial<Policy['columns']> = { subject: 'pseudonym', cell: '3x3', pause: 'coarse' };
/** What a policy says that keeps texts which nobody reviewed. */
export const FREE_TEXT = {
  text: { mode: 'recognizers' },
  columns: { app: 'recognizers', window: 'recognizers', target: 'recognizers' },
} as const satisfies PolicyChange;
const OPEN_POLICY = policyWith({ columns: OPEN_COLUMNS });

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** JSON in place of Avro, without checks. */
export const jsonCodec: Pick<Codec, 'openEnvelope' | 'openPayload'> & {
  encode(envelope: CaptureEnvelope, payload: CapturePayload): Uint8Array;
} = {
  encode: (envelope, payload) => encoder.encode(JSON.stringify({ ...envelope, payload: JSON.stringify(payload) })),
  openEnvelope(value) {
    const { payload, ...envelope } = JSON.parse(decoder.decode(value)) as CaptureEnvelope & { payload: string };
    return { ok: true, value: { ...envelope, payload: encoder.encode(payload), seal: null } };
  },
  openPayload: (payload) => ({ ok: true, value: JSON.parse(decoder.decode(payload)) as CapturePayload }),
};

export const subjectKey = (subject: string): string => hash(`subject ${subject}`).slice(0, 64);

export const keyring: Pick<Keyring, 'pseudonym' | 'state'> = {
  pseudonym: (purpose, epoch, value) => hash(`${purpose} ${epoch} ${value}`).slice(0, 32),
  state: () => 'active',
};

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

export function toolsWith(change: Partial<PipelineTools> = {}): PipelineTools {
  return {
    codec: jsonCodec,
    subjectKey,
    policy: OPEN_POLICY,
    vocabulary: VOCABULARY,
    consent: { judge: () => ({ allowed: true, pausedIntervals: [] }) },
    keyring,
    ...change,
  };
}

export interface Stretch {
  readonly subject?: string;
  readonly device?: string;
  readonly session?: string;
  readonly sequence?: number;
  readonly grantedAt?: number;
  readonly receivedAt?: number;
}

/** A raw record of some events. */
export function record(placed: readonly Placed[], offset: number, stretch: Stretch = {}): RawRecord {
  const payload = payloadOf(placed, stretch);
  const grantedAt = stretch.grantedAt ?? START;
  const envelope: CaptureEnvelope = {
    session: stretch.session ?? 'session-1',
    sequence: stretch.sequence ?? 0,
    grantedAt,
    receivedAt: stretch.receivedAt ?? grantedAt + 5_000,
  };
  return { key: subjectKey(payload.subject), value: jsonCodec.encode(envelope, payload), offset };
}

/** The batches of one session, numbered from 0, as records from `offset` on. */
export function records(batches: readonly (readonly Placed[])[], stretch: Stretch = {}, offset = 0): RawRecord[] {
  return batches.map((placed, i) => record(placed, offset + i, { ...stretch, sequence: (stretch.sequence ?? 0) + i }));
}

export interface Ran {
  readonly results: readonly Processed[];
  readonly released: readonly ReleasedBatch[];
  readonly actions: readonly ReleasedAction[];
  readonly pipeline: Pipeline;
}

const prepared = new WeakMap<Policy, PreparedPolicy>();

/** A new pipeline; what is prepared of a policy is made once, for it takes longer than most tests. */
export function pipelineOf(tools: PipelineTools = toolsWith(), time = 0): Pipeline {
  let policy = prepared.get(tools.policy);
  if (policy === undefined) prepared.set(tools.policy, (policy = preparePolicy(tools.policy, tools.vocabulary)));
  return createPipeline(tools, policy, time);
}

/** Puts records through a pipeline of its own. */
export function run(input: readonly RawRecord[], tools: PipelineTools = toolsWith()): Ran {
  const pipeline = pipelineOf(tools);
  const results = input.map((raw) => pipeline.process(raw));
  const released = results.flatMap((result) => (result.released === null ? [] : [result.released]));
  return { results, released, actions: released.flatMap((batch) => batch.actions), pipeline };
}

/** Everything that happened to raw events, summed: read = released + dropped + quarantined + pending. */
export function balance(results: readonly Processed[]): { readonly read: number; readonly accounted: number } {
  let read = 0;
  let accounted = 0;
  for (const { counts } of results) {
    read += counts.read;
    accounted += counts.released + counts.quarantined;
    for (const dropped of Object.values(counts.dropped)) accounted += dropped;
  }
  return { read, accounted };
}
