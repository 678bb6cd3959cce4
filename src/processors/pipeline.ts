import type { Codec } from '../events/codec.ts';
import {
  drop,
  keep,
  quarantine,
  type DropCounts,
  type DropReason,
  type Outcome,
  type Processor,
  type QuarantineReason,
} from '../events/outcome.ts';
import type { RawEvent } from '../events/raw.ts';
import type { ReleasedBatch } from '../events/released.ts';
import { SchemaUnavailableError } from '../events/schema-unavailable.ts';
import type { ConsentTimeline } from '../privacy/consent.ts';
import { createContextRule, type ContextRule } from '../privacy/contexts.ts';
import { createEchoMemory } from '../privacy/echoes.ts';
import { createFinder, createFreeTexts, type AddressRule, type FreeTexts } from '../privacy/free-text.ts';
import { randomFingerprintKey, type FingerprintKey } from '../privacy/karp-rabin.ts';
import type { Keyring } from '../privacy/keyring.ts';
import type { Policy } from '../privacy/policy.ts';
import { createPublicText, createTemplateCheck, showUrl, type Part, type PublicText } from '../privacy/public-text.ts';
import { createTypedLetters } from '../privacy/typed-letters.ts';
import type { Vocabulary } from '../privacy/vocabulary.ts';
import { excludeContexts } from './excludeContexts.ts';
import { generalise, type GeneralBatch } from './generalise.ts';
import { keepConsented } from './keepConsented.ts';
import { openBatch } from './openBatch.ts';
import { pseudonymise } from './pseudonymise.ts';
import { redactKeystrokes } from './redactKeystrokes.ts';
import { redactText } from './redactText.ts';
import { reduceToActions } from './reduceToActions.ts';
import { release } from './release.ts';
import { createSessionTable, type Session } from './sessions.ts';
import { addDropped, type OpenedBatch, type RawRecord } from './stages.ts';
import { BEGINNING, placeFor, type Place } from './stretches.ts';

/** What the processors work with. All of it is read-only to them. */
export interface PipelineTools {
  readonly codec: Pick<Codec, 'openEnvelope' | 'openPayload'>;
  readonly subjectKey: (subject: string) => string;
  readonly policy: Policy;
  readonly vocabulary: Vocabulary;
  readonly consent: Pick<ConsentTimeline, 'judge'>;
  readonly keyring: Pick<Keyring, 'pseudonym' | 'state'>;
}

/** What became of one raw record, and of its events. Counts are raw events. */
export interface Processed {
  readonly kind: Outcome<unknown>['kind'];
  /** Why the whole batch was dropped or quarantined; null when it was kept. */
  readonly reason: DropReason | QuarantineReason | null;
  /** The one batch that may leave, or null. */
  readonly released: ReleasedBatch | null;
  readonly counts: EventCounts;
  /** Whose session it was of; null for what could not be opened. */
  readonly of: SessionOf | null;
}

export interface SessionOf {
  readonly subjectKey: string;
  readonly session: string;
  /** ms. */
  readonly grantedAt: number;
}

/**
 * Where raw events went. Over all records of a partition: read = released + dropped + quarantined + what open sessions
 * still hold back ({@link Pipeline.pending}).
 */
export interface EventCounts {
  /** Events of batches that could be opened; nobody knows how many the others hold. */
  readonly read: number;
  readonly released: number;
  readonly dropped: DropCounts;
  readonly quarantined: number;
}

/** The processors over one raw partition, fed with its records in offset order. */
export interface Pipeline {
  /** @throws SchemaUnavailableError when it cannot be told yet how to read the record; nothing has happened then. */
  process(record: RawRecord): Processed;
  /** Where a successor must start reading to have this state, and the partition's time to start with. */
  warmFrom(next: number): { readonly offset: number; readonly time: number };
  /** Raw events held back in open sessions. */
  pending(): number;
  openSessions(): number;
}

/** The parts of a policy that are costly to prepare and the same for every partition. */
export interface PreparedPolicy {
  readonly isExcluded: ContextRule;
  readonly publicText: PublicText;
  readonly freeTexts: FreeTexts;
  /** Of the fingerprints of what is typed; no output depends on it. */
  readonly echoKey: FingerprintKey;
}

export function preparePolicy(
  policy: Policy,
  vocabulary: Vocabulary,
  echoKey: FingerprintKey = randomFingerprintKey(),
): PreparedPolicy {
  const find = createFinder(policy.text);
  const publicText = createPublicText(vocabulary, find);
  return {
    isExcluded: createContextRule(policy),
    publicText,
    freeTexts: createFreeTexts(find, addressesBy(publicText, vocabulary)),
    echoKey,
  };
}

/** Addresses inside of titles are kept as the url column keeps them. */
function addressesBy(publicText: PublicText, vocabulary: Vocabulary): AddressRule {
  const show = (part: Part): string => ('placeholder' in part ? part.placeholder : part.entry.text);
  return {
    template(address) {
      const url = publicText.url(address);
      return url === null ? null : showUrl(url, show);
    },
    isTemplate: createTemplateCheck(vocabulary),
  };
}

/**
 * Composes the processors. Synchronous, without I/O: the same records in the same order, with the same policy, vocabulary,
 * keys and consent, give the same released batches.
 *
 * `time` is where the partition's time starts, from the commit that named the first offset fed in.
 */
export function createPipeline(
  tools: PipelineTools,
  prepared: PreparedPolicy = preparePolicy(tools.policy, tools.vocabulary),
  time = 0,
): Pipeline {
  const gate = release(tools);
  return createSessionPipeline(tools, time, (session, from) => createSessionLine(tools, prepared, gate, session, from));
}

/**
 * What every pipeline over raw has in common, whatever its lines make of a session's batches: opening, the order of
 * sessions, consent, and failing closed after a gap or a throw.
 */
export function createSessionPipeline(
  tools: Pick<PipelineTools, 'codec' | 'subjectKey' | 'consent'> & { readonly policy: Pick<Policy, 'session'> },
  time: number,
  createLine: (session: Session<SessionLine>, from: Place) => SessionLine,
): Pipeline {
  const open = openBatch(tools);
  const consented = keepConsented(tools);
  let unfinished = 0;
  const sessions = createSessionTable<SessionLine>({
    ...tools.policy.session,
    time,
    createLine: (session) => createLine(session, BEGINNING),
    onGone: (session) => {
      unfinished += session.line?.pending() ?? 0;
    },
  });

  function judge(batch: OpenedBatch, offset: number): Judged {
    const admitted = sessions.admit(batch, offset);
    if (admitted.kind !== 'keep') return allOf(batch, admitted);
    const session = admitted.batch;
    const { line } = session;
    const judged = line === null ? allOf(batch, drop('after_end')) : judgeAdmitted(session, line, batch);
    if (batch.events.some(isEnd)) {
      unfinished += session.line?.pending() ?? 0;
      sessions.end(session);
    }
    return judged;
  }

  function judgeAdmitted(session: Session<SessionLine>, line: SessionLine, whole: OpenedBatch): Judged {
    const batch = cutAtEnd(whole);
    const allowed = consented(batch);
    // What a dropped event typed is not known to the session, so it keeps no free text from here on.
    // Nor is what an event of unknown kind did.
    if (allowed.kind !== 'keep' || allowed.batch !== batch || whole.dropped.unknown_kind !== undefined) {
      session.complete = false;
    }
    if (allowed.kind !== 'keep') {
      session.interrupted = true;
      return allOf(batch, allowed);
    }
    return runLine(session, line, allowed.batch);
  }

  function runLine(session: Session<SessionLine>, line: SessionLine, batch: OpenedBatch): Judged {
    const pendingBefore = line.pending();
    const from = line.place();
    try {
      if (session.interrupted) line.onGap();
      session.interrupted = false;
      return line.process(batch);
    } catch {
      // Whatever the line was in the middle of is lost. It starts afresh, and keeps no text: it forgot what was typed. And
      // where the person is: until a context is seen again, they may be in a private place.
      session.complete = false;
      session.interrupted = true;
      session.line = createLine(session, from);
      unfinished += pendingBefore;
      return allOf(batch, quarantine('processor_error'));
    }
  }

  return {
    process(record) {
      unfinished = 0;
      const opened = openSafely(open, record);
      if (opened.kind !== 'keep') return summarise({ outcome: opened, events: 0, dropped: {} }, 0, 0, null);
      const batch = opened.batch;
      const read = batch.events.length + (batch.dropped.unknown_kind ?? 0);
      const { key: subjectKey, session, grantedAt } = batch;
      const of = { subjectKey, session, grantedAt };
      return summarise(judge(batch, record.offset), read, unfinished, of);
    },
    warmFrom: (next) => sessions.warmFrom(next),
    pending() {
      let sum = 0;
      for (const session of sessions.sessions()) sum += session.line?.pending() ?? 0;
      return sum;
    },
    openSessions() {
      let count = 0;
      for (const session of sessions.sessions()) if (session.line !== null) count++;
      return count;
    },
  };
}

function openSafely(open: Processor<RawRecord, OpenedBatch>, record: RawRecord): Outcome<OpenedBatch> {
  try {
    return open(record);
  } catch (error) {
    if (error instanceof SchemaUnavailableError) throw error;
    return quarantine('processor_error');
  }
}

const isEnd = (event: RawEvent): boolean => event.kind === 'session_end';

/** Nothing of a session follows its end marker, not even in the same batch. */
function cutAtEnd(batch: OpenedBatch): OpenedBatch {
  const end = batch.events.findIndex(isEnd);
  if (end === -1 || end === batch.events.length - 1) return batch;
  const events = batch.events.slice(0, end + 1);
  return { ...batch, events, dropped: addDropped(batch.dropped, 'after_end', batch.events.length - events.length) };
}

/** An outcome, with the raw events that share it and those that were dropped one by one before. */
export interface Judged {
  readonly outcome: Outcome<ReleasedBatch | null>;
  readonly events: number;
  readonly dropped: DropCounts;
}

const allOf = (batch: OpenedBatch, outcome: Outcome<never>): Judged => ({
  outcome,
  events: batch.events.length,
  dropped: batch.dropped,
});

function summarise(
  { outcome, events, dropped }: Judged,
  read: number,
  unfinished: number,
  of: SessionOf | null,
): Processed {
  const others = addDropped(dropped, 'unfinished', unfinished);
  switch (outcome.kind) {
    case 'keep':
      return {
        kind: 'keep',
        reason: null,
        released: outcome.batch,
        counts: { read, released: events, dropped: others, quarantined: 0 },
        of,
      };
    case 'drop':
      return {
        kind: 'drop',
        reason: outcome.reason,
        released: null,
        counts: { read, released: 0, dropped: addDropped(others, outcome.reason, events), quarantined: 0 },
        of,
      };
    case 'quarantine':
      return {
        kind: 'quarantine',
        reason: outcome.reason,
        released: null,
        counts: { read, released: 0, dropped: others, quarantined: events },
        of,
      };
  }
}

/** The processors that work on one session's batches, in order. */
export interface SessionLine {
  process(batch: OpenedBatch): Judged;
  onGap(): void;
  pending(): number;
  /** Where its last released batch ended. */
  place(): Place;
}

function createSessionLine(
  tools: PipelineTools,
  prepared: PreparedPolicy,
  gate: ReturnType<typeof release>,
  session: Session<SessionLine>,
  from: Place,
): SessionLine {
  const { policy, vocabulary } = tools;
  const keepsFree = policy.text.mode === 'recognizers';
  const echoes = createEchoMemory(vocabulary, keepsFree ? createTypedLetters(prepared.echoKey) : null);
  let place = from;
  const excluder = excludeContexts({ isExcluded: prepared.isExcluded, unknown: policy.contexts.unknown });
  const redactor = redactKeystrokes({ policy: policy.keystrokes, echoes });
  const reducer = reduceToActions({ policy: policy.gestures });
  const texts = redactText({
    policy: policy.columns,
    publicText: prepared.publicText,
    freeTexts: prepared.freeTexts,
    vocabulary,
    echoes,
    isComplete: () => session.complete,
  });
  const generaliser = generalise({ policy: policy.columns });
  const nextPlace = (actions: number): Place => placeFor(actions, place, policy.session.maxActions);
  const pseudonyms = pseudonymise({ policy, keyring: tools.keyring, placeFor: nextPlace });

  /** From the actions on nothing is held back any more: what happens to the batch happens to all events behind them. */
  function publish(batch: GeneralBatch): Judged {
    const { dropped } = batch;
    const events = batch.actions.reduce((sum, action) => sum + action.events, 0);
    if (batch.actions.length === 0) return { outcome: keep(null), events, dropped };
    const outcome = andThen(pseudonyms(batch), gate);
    if (outcome.kind !== 'keep') return { outcome, events, dropped };
    const { stretch, step } = nextPlace(batch.actions.length);
    place = { stretch, step: step + batch.actions.length };
    return { outcome: keep(outcome.batch.batch), events, dropped };
  }

  return {
    process(batch) {
      const visible = excluder.process(batch);
      const keyless = andThen(visible, redactor.process);
      const actions = andThen(keyless, reducer.process);
      const general = andThen(andThen(actions, texts), generaliser.process);
      if (general.kind === 'keep') return publish(general.batch);
      return { outcome: general, events: batch.events.length, dropped: batch.dropped };
    },
    onGap() {
      excluder.onGap();
      redactor.onGap();
      reducer.onGap();
    },
    pending: () => redactor.pending() + reducer.pending(),
    place: () => place,
  };
}

export function andThen<A, B>(outcome: Outcome<A>, next: (batch: A) => Outcome<B>): Outcome<B> {
  return outcome.kind === 'keep' ? next(outcome.batch) : outcome;
}
