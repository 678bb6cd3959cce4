import { keep, type Processor } from '../events/outcome.ts';
import { memoised } from '../privacy/bounded-cache.ts';
import type { Policy } from '../privacy/policy.ts';
import type { Segment, SegmentReader } from '../privacy/segments.ts';
import type { TypedWords } from '../privacy/typed-words.ts';
import type { ActionBatch, RawAction } from './stages.ts';

/** Told of a segment that a person was shown, each time. Personal: it goes no further than to be counted. */
export type OnSegment = (person: string, segment: Segment) => void;

/**
 * Takes from actions the segments that a vocabulary could get, where `redactText` would take the ones that it has: of the
 * columns that the policy keeps, never of secure fields, and nothing that this session may have typed. As there, no text
 * is taken of a session that is not complete, or of which more was typed than is remembered. Its actions go nowhere.
 */
export function collectSegments(tools: {
  readonly policy: Policy['columns'];
  readonly segments: SegmentReader;
  readonly typed: Pick<TypedWords, 'isEcho' | 'isFull'>;
  readonly isComplete: () => boolean;
  readonly onSegment: OnSegment;
}): Processor<ActionBatch, ActionBatch> {
  const { policy, typed, onSegment } = tools;

  function* shownBy({ context, element }: RawAction, segments: SegmentReader): Generator<readonly Segment[]> {
    if (context !== null) {
      if (policy.app === 'vocabulary') yield segments.app(context.app);
      if (policy.window === 'vocabulary') yield segments.texts(context.title);
      if (policy.url === 'vocabulary') yield segments.url(context.url);
    }
    if (element !== null) {
      if (policy.target_role === 'known') yield segments.role(element.role);
      if (policy.target === 'vocabulary' && !element.secure) yield segments.texts(element.name);
    }
  }

  return (batch) => {
    if (!tools.isComplete() || typed.isFull) return keep(batch);
    // For this batch: thousands of events can point at one text.
    const segments: SegmentReader = {
      texts: memoised(tools.segments.texts),
      app: memoised(tools.segments.app),
      role: memoised(tools.segments.role),
      url: memoised(tools.segments.url),
    };
    const judged = new Map<Segment, { readonly known: number; readonly isEcho: boolean }>();
    const isEcho = (segment: Segment, known: number): boolean => {
      const last = judged.get(segment);
      if (last?.known === known) return last.isEcho;
      const isEcho = typed.isEcho(segment.words, known);
      judged.set(segment, { known, isEcho });
      return isEcho;
    };
    for (const action of batch.actions) {
      for (const shown of shownBy(action, segments)) {
        for (const segment of shown) {
          if (!isEcho(segment, action.echoes)) onSegment(batch.key, segment);
        }
      }
    }
    return keep(batch);
  };
}
