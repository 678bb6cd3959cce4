import { drop, keep, type Processor } from '../events/outcome.ts';
import type { RawEvent } from '../events/raw.ts';
import type { ConsentTimeline } from '../privacy/consent.ts';
import { addDropped, type OpenedBatch } from './stages.ts';

/**
 * Keeps what the person had agreed to when it was captured: a batch is judged by the trusted side's stamps, and events
 * whose own time falls inside a pause are dropped as well. Reads the consent table as it stands; the caller sees to it
 * that the table has caught up. A batch of which nothing was dropped is handed on as it is.
 */
export function keepConsented(tools: {
  readonly consent: Pick<ConsentTimeline, 'judge'>;
}): Processor<OpenedBatch, OpenedBatch> {
  return (batch) => {
    const verdict = tools.consent.judge(batch.key, batch.grantedAt, batch.receivedAt);
    if (!verdict.allowed) return drop(verdict.reason);
    const pauses = reached(batch.events, verdict.pausedIntervals);
    if (pauses.length === 0) return keep(batch);

    const paused = (event: RawEvent) => pauses.some(([from, to]) => event.at >= from && event.at <= to);
    // The end marker carries nothing about the person, and the session must end whatever its clock says.
    const events = batch.events.filter((event) => event.kind === 'session_end' || !paused(event));
    const count = batch.events.length - events.length;
    return keep(count === 0 ? batch : { ...batch, events, dropped: addDropped(batch.dropped, 'paused', count) });
  };
}

/** The pauses that the events' own times reach into; most batches lie far from every one. */
function reached(
  events: readonly RawEvent[],
  pauses: readonly (readonly [number, number])[],
): readonly (readonly [number, number])[] {
  if (pauses.length === 0) return pauses;
  let first = Infinity;
  let last = -Infinity;
  for (const { at } of events) {
    if (at < first) first = at;
    if (at > last) last = at;
  }
  return pauses.filter(([from, to]) => from <= last && to >= first);
}
