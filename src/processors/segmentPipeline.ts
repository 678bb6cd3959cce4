import { drop, keep } from '../events/outcome.ts';
import { createContextRule, type ContextRule } from '../privacy/contexts.ts';
import { epochOf } from '../privacy/epoch.ts';
import type { Policy } from '../privacy/policy.ts';
import { createSegmentReader, type SegmentReader } from '../privacy/segments.ts';
import { tokens } from '../privacy/text.ts';
import { createTypedWords } from '../privacy/typed-words.ts';
import type { Vocabulary } from '../privacy/vocabulary.ts';
import { collectSegments, type OnSegment } from './collectSegments.ts';
import { excludeContexts } from './excludeContexts.ts';
import { andThen, createSessionPipeline, type Pipeline, type PipelineTools, type SessionLine } from './pipeline.ts';
import { redactKeystrokes } from './redactKeystrokes.ts';
import { reduceToActions } from './reduceToActions.ts';
import type { Session } from './sessions.ts';
import type { OpenedBatch } from './stages.ts';
import { BEGINNING } from './stretches.ts';

export interface SegmentTools extends Pick<PipelineTools, 'codec' | 'subjectKey' | 'policy' | 'consent' | 'keyring'> {
  readonly prepared: PreparedSegments;
  /** A keyed fingerprint of a text, as a whole number. */
  readonly fingerprint: (text: string) => number;
  readonly onSegment: OnSegment;
}

/** What is the same for every partition. */
export interface PreparedSegments {
  readonly isExcluded: ContextRule;
  readonly segments: SegmentReader;
  readonly isPublic: (word: string) => boolean;
}

/** Words, and pairs of them, that are remembered of what one session typed: some 10 MB at most. */
export const MAX_TYPED_WORDS = 100_000;

/** `known` is the vocabulary whose entries are not collected, and whose words may be read by anybody. */
export function prepareSegments(
  policy: Policy,
  known: Vocabulary,
  segments: SegmentReader = createSegmentReader(known),
): PreparedSegments {
  const words = new Set(known.entries.flatMap(({ text }) => tokens(text)));
  return { isExcluded: createContextRule(policy), segments, isPublic: (word) => words.has(word) };
}

/**
 * The processors up to the actions, as live work has them, and then what was shown instead of what was done. It releases
 * nothing. `time` is where the partition's time starts.
 */
export function createSegmentPipeline(tools: SegmentTools, time = 0): Pipeline {
  return createSessionPipeline(tools, time, (session) => createSegmentLine(tools, session));
}

function createSegmentLine(tools: SegmentTools, session: Session<SessionLine>): SessionLine {
  const { policy, prepared, keyring } = tools;
  const typed = createTypedWords({ ...tools, isPublic: prepared.isPublic, max: MAX_TYPED_WORDS });
  const excluder = excludeContexts({ isExcluded: prepared.isExcluded, unknown: policy.contexts.unknown });
  const redactor = redactKeystrokes({ policy: policy.keystrokes, echoes: typed });
  const reducer = reduceToActions({ policy: policy.gestures });
  const collect = collectSegments({
    ...tools,
    policy: policy.columns,
    segments: prepared.segments,
    typed,
    isComplete: () => session.complete,
  });
  const isForgotten = ({ grantedAt }: OpenedBatch): boolean =>
    (['session', 'subject'] as const).some((purpose) => keyring.state(purpose, epochOf(grantedAt)) === 'destroyed');

  return {
    process(batch) {
      // What a person is called is theirs wherever it is shown to them.
      typed.remember(batch.subject);
      const actions = andThen(andThen(excluder.process(batch), redactor.process), reducer.process);
      // A month whose key is destroyed is a month that nobody is to read any more.
      const outcome = andThen(actions, (ready) => (isForgotten(batch) ? drop('key_destroyed') : collect(ready)));
      const events = batch.events.length;
      if (outcome.kind !== 'keep') return { outcome, events, dropped: batch.dropped };
      const behind = outcome.batch.actions.reduce((sum, action) => sum + action.events, 0);
      return { outcome: keep(null), events: behind, dropped: outcome.batch.dropped };
    },
    onGap() {
      excluder.onGap();
      redactor.onGap();
      reducer.onGap();
    },
    pending: () => redactor.pending() + reducer.pending(),
    place: () => BEGINNING,
  };
}
