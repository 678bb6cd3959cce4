import { keep, type Processor } from '../events/outcome.ts';
import type { RawEvent } from '../events/raw.ts';
import type { ContextRule } from '../privacy/contexts.ts';
import {
  addDropped,
  type Away,
  type OpenedBatch,
  type Overheard,
  type VisibleBatch,
  type VisibleEvent,
} from './stages.ts';

export interface ContextExcluder {
  readonly process: Processor<OpenedBatch, VisibleBatch>;
  /** Something is missing before the next batch: where the person went meanwhile is not known. */
  onGap(): void;
}

/**
 * Drops every event of an excluded context; the whole stay becomes one `away`, put where the stay began. One instance a
 * session, fed with its batches in order.
 *
 * An event whose context is not known belongs to the stay that it interrupts: in doubt the person is still away. Where it is
 * dropped because nothing is known of it at all, it is heard as well: what it entered may come back in a title.
 */
export function excludeContexts(tools: {
  readonly isExcluded: ContextRule;
  readonly unknown: 'keep' | 'drop';
}): ContextExcluder {
  let away = false;
  /** The recorder may see contexts, but has not shown one since something went missing. */
  let lost = false;
  /** Not known before its first batch. */
  let seesContexts: boolean | null = null;

  return {
    process(batch) {
      const excluded = batch.contexts.map((context) => tools.isExcluded(context));
      seesContexts = seesContexts === true || excluded.length > 0;
      if (!away && !lost && tools.unknown === 'keep' && !excluded.includes(true)) return keep(batch);

      const events: VisibleEvent[] = [];
      let droppedExcluded = 0;
      let droppedUnknown = 0;
      const hear = (event: RawEvent, place: Overheard['place']): void => {
        // A stay in a private place lets all modifiers go by itself.
        if (isWorthHearing(event) || (place === 'unknown' && event.kind === 'key_up')) {
          events.push({ kind: 'overheard', event, place, context: -1, element: event.element });
        }
      };
      const drop = (event: RawEvent): void => {
        droppedExcluded++;
        hear(event, 'private');
      };
      for (const event of batch.events) {
        if (event.kind === 'session_end') {
          events.push(event);
        } else if (event.context === -1) {
          if (away) drop(event);
          else if (lost || tools.unknown === 'drop') {
            droppedUnknown++;
            hear(event, 'unknown');
          } else events.push(event);
        } else if (excluded[event.context] === false) {
          away = lost = false;
          events.push(event);
        } else {
          if (!away) events.push(awaySince(event));
          away = true;
          lost = false;
          drop(event);
        }
      }
      const dropped = addDropped(
        addDropped(batch.dropped, 'excluded_context', droppedExcluded),
        'unknown_context',
        droppedUnknown,
      );
      return keep({ ...batch, events, dropped });
    },
    onGap() {
      lost = seesContexts !== false;
    },
  };
}

/** Whether the event enters text, or ends a run of entering it. */
const isWorthHearing = ({ kind }: RawEvent): boolean =>
  kind !== 'pointer_move' && kind !== 'wheel' && kind !== 'key_up';

const awaySince = (event: RawEvent): Away => ({ kind: 'away', at: event.at, context: -1, element: -1 });
