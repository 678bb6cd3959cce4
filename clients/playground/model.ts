/** What is known of the session's batches, from the recorder and from the processors. */
import type { PlaygroundPolicy, ProcessedBatch } from '../../src/runtime/playground/protocol.ts';
import type { Fate, SeenEvent } from './events.ts';
import { fatesOf, type Dropped } from './fates.ts';

/** Batches that are kept for the eye: older ones leave the page. */
const MAX_BATCHES = 60;

/** A batch with what became of it under the policy that is chosen. */
export interface ShownBatch {
  readonly id: string;
  readonly sequence: number;
  readonly events: readonly SeenEvent[];
  readonly isSent: boolean;
  readonly fates: readonly Fate[];
  readonly result: ProcessedBatch | undefined;
}

export interface Model {
  /** The recorder took an event into a batch of a session. */
  readonly saw: (event: SeenEvent, session: { readonly id: string; readonly batch: number }) => void;
  /** The batch was handed to the gateway. */
  readonly sent: (session: string, sequence: number) => void;
  readonly processed: (batch: ProcessedBatch) => void;
  /** Newest first. */
  readonly shown: (policy: PlaygroundPolicy) => readonly ShownBatch[];
  /** Events that the recorder took, and actions that were released under a policy. */
  readonly counts: (policy: PlaygroundPolicy) => { readonly events: number; readonly actions: number };
}

interface Known {
  readonly id: string;
  readonly session: string;
  readonly sequence: number;
  readonly events: SeenEvent[];
  isSent: boolean;
  readonly results: Map<PlaygroundPolicy, ProcessedBatch>;
}

export function createModel(dropped: Dropped): Model {
  /** In the order in which they began. */
  let batches: Known[] = [];
  let events = 0;
  const actions = new Map<PlaygroundPolicy, number>();

  const find = (session: string, sequence: number): Known | undefined =>
    batches.findLast((batch) => batch.session === session && batch.sequence === sequence);

  function shownOf(session: readonly Known[], policy: PlaygroundPolicy): readonly ShownBatch[] {
    const known = session.map((batch) => ({ ...batch, result: batch.results.get(policy) }));
    const fates = fatesOf(known, dropped);
    return known.map(({ id, sequence, events: seen, isSent, result }, i) => {
      return { id, sequence, events: seen, isSent, result, fates: fates[i] ?? [] };
    });
  }

  return {
    saw(event, { id: session, batch: sequence }) {
      events++;
      let batch = find(session, sequence);
      if (batch === undefined) {
        batch = { id: `${session}/${sequence}`, session, sequence, events: [], isSent: false, results: new Map() };
        batches = [...batches, batch].slice(-MAX_BATCHES);
      }
      batch.events.push(event);
    },
    sent(session, sequence) {
      const batch = find(session, sequence);
      if (batch !== undefined) batch.isSent = true;
    },
    processed(result) {
      // Of another tab, or no longer on the page.
      const batch = find(result.session, result.sequence);
      if (batch === undefined) return;
      const { policy } = result;
      // After a restart of the processors a batch may be told of again.
      const before = batch.results.get(policy)?.batch?.actions.length ?? 0;
      batch.results.set(policy, result);
      actions.set(policy, (actions.get(policy) ?? 0) + (result.batch?.actions.length ?? 0) - before);
    },
    shown(policy) {
      const sessions = new Set(batches.map(({ session }) => session));
      const of = (id: string): readonly Known[] => batches.filter(({ session }) => session === id);
      return [...sessions].flatMap((id) => shownOf(of(id), policy)).toReversed();
    },
    counts: (policy) => ({ events, actions: actions.get(policy) ?? 0 }),
  };
}
