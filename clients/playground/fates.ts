/** From the processors' counts to what became of each event. They tell how many events a reason befell, not which ones. */
import type { RawEventKind } from '../../src/events/raw.ts';
import type { ProcessedBatch, SettingsAnswer } from '../../src/runtime/playground/protocol.ts';
import { MODIFIERS, type Fate, type SeenEvent } from './events.ts';

/** A batch as the recorder filled it, and what became of it; undefined while nobody has said. */
export interface KnownBatch {
  readonly events: readonly SeenEvent[];
  readonly isSent: boolean;
  readonly result: ProcessedBatch | undefined;
}

export type Dropped = SettingsAnswer['dropped'];

/**
 * The fate of each event of a session's batches, in order. An event is told to be lost only where the counts leave no doubt; what
 * was held back so far and is not accounted for are the last events.
 */
export function fatesOf(batches: readonly KnownBatch[], dropped: Dropped): readonly (readonly Fate[])[] {
  const fates = batches.map((batch) => fatesIn(batch, dropped));
  const waiting = batches.reduce((sum, { result }) => sum + (result === undefined ? 0 : heldBack(result)), 0);
  const kept = fates.flatMap((inBatch, batch) =>
    inBatch.flatMap((fate, at) =>
      fate.kind === 'kept' ? [{ batch, at, kind: batches[batch]?.events[at]?.kind }] : [],
    ),
  );
  const canWait = kept.filter(({ kind }) => kind !== undefined && GROWING.has(kind));
  const others = kept.filter((event) => !canWait.includes(event));
  const held = [...others, ...canWait].slice(Math.max(0, kept.length - Math.max(0, waiting)));
  for (const { batch, at } of held) {
    const inBatch = fates[batch];
    if (inBatch !== undefined) inBatch[at] = { kind: 'waiting' };
  }
  return fates;
}

/** Kinds of event of which an action is made that may still grow. */
const GROWING: ReadonlySet<RawEventKind> = new Set(['pointer_down', 'pointer_up', 'wheel', 'key_down', 'composition']);

/** How many more events the processors hold back after a batch than before it. */
const heldBack = ({ read, released, quarantined, dropped }: ProcessedBatch): number =>
  read - released - quarantined - Object.values(dropped).reduce((sum, count) => sum + count, 0);

function fatesIn({ events, isSent, result }: KnownBatch, dropped: Dropped): Fate[] {
  if (result === undefined) return events.map(() => ({ kind: isSent ? 'processing' : 'unsent' }));
  const { reason } = result;
  if (reason !== null) return events.map(() => ({ kind: 'lost', reason }));
  const fates = events.map((): Fate => ({ kind: 'kept' }));
  for (const [name, count] of Object.entries(result.dropped)) {
    const candidates = [...events.keys()].filter(
      (i) => fates[i]?.kind === 'kept' && canBefall(name, events[i], dropped),
    );
    if (candidates.length > count) continue;
    for (const i of candidates) fates[i] = { kind: 'lost', reason: name };
  }
  return fates;
}

function canBefall(reason: string, event: SeenEvent | undefined, dropped: Dropped): boolean {
  const kinds = dropped[reason]?.kinds ?? [];
  if (event === undefined || !kinds.includes(event.kind)) return false;
  return reason !== 'modifier' || MODIFIERS.has(event.key ?? '');
}
