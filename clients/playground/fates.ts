/** From the processors' counts to what became of each event. They tell how many events a reason befell, not which ones. */
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
  let waiting = batches.reduce((sum, { result }) => sum + (result === undefined ? 0 : heldBack(result)), 0);
  for (let i = fates.length - 1; i >= 0; i--) {
    const inBatch = fates[i] ?? [];
    for (let j = inBatch.length - 1; j >= 0 && waiting > 0; j--) {
      if (inBatch[j]?.kind !== 'kept') continue;
      inBatch[j] = { kind: 'waiting' };
      waiting--;
    }
  }
  return fates;
}

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
