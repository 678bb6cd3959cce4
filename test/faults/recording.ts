/** What producers put on the raw topic in a test: simulated people, whose decisions are known before their batches. */
import type { ConsentDecision } from '../../src/events/control.ts';
import type { Codec } from '../../src/events/codec.ts';
import type { NewRecord } from '../../src/log/event-log.ts';
import { simulate, type PlantedString, type SimulationOptions } from '../../src/producers/simulator/index.ts';

export interface Recording {
  readonly decisions: readonly ConsentDecision[];
  /** In the order of arrival. */
  readonly batches: readonly NewRecord[];
  readonly planted: readonly PlantedString[];
}

export interface Size extends Pick<SimulationOptions, 'people' | 'minutes' | 'seed' | 'faults' | 'consent'> {
  /** How long ago the work ended; by default, just now. */
  readonly agoMs?: number;
}

const MINUTE_MS = 60_000;
/** Late batches come up to ten minutes after the end, and brokers refuse stamps far in the future. */
const LATEST_MS = 12 * MINUTE_MS;

/** Simulated work that has just ended. */
export function record(size: Size, codec: Codec, subjectKey: (subject: string) => string): Recording {
  const planted: PlantedString[] = [];
  const start = Date.now() - (size.agoMs ?? 0) - size.minutes * MINUTE_MS - LATEST_MS;
  const stream = simulate({ ...size, start, subjectKey, truth: (one) => planted.push(one) });
  const decisions: ConsentDecision[] = [];
  const batches: NewRecord[] = [];
  for (const simulated of stream) {
    if (simulated.kind === 'consent') decisions.push(simulated.decision);
    else {
      const { key, envelope, payload } = simulated.record;
      batches.push({ key, value: codec.encodeCapture(envelope, payload), timestamp: envelope.receivedAt });
    }
  }
  return { decisions, batches, planted };
}
