import type { ConsentDecision } from '../events/control.ts';
import type { Codec } from '../events/codec.ts';
import type { EventLog, NewRecord } from '../log/event-log.ts';
import type { Captured } from '../producers/captured.ts';
import { TOPICS } from './topics.ts';

/** Appends what producers make, in batches, in order. */
export interface Ingest {
  capture(captured: Captured): Promise<void>;
  /** Decisions reach the log before anything that was appended after them. */
  decide(decision: ConsentDecision): Promise<void>;
  /** Durable when it resolves. */
  flush(): Promise<void>;
  readonly events: number;
  readonly batches: number;
  readonly bytes: number;
}

const MAX_BUFFERED_RECORDS = 512;
const MAX_BUFFERED_BYTES = 4 << 20;

export function createIngest(options: { readonly log: EventLog; readonly codec: Codec }): Ingest {
  const { log, codec } = options;
  let buffer: NewRecord[] = [];
  let buffered = 0;
  const counts = { events: 0, batches: 0, bytes: 0 };

  async function flush(): Promise<void> {
    if (buffer.length === 0) return;
    const records = buffer;
    buffer = [];
    buffered = 0;
    await log.append(TOPICS.raw, records);
  }

  return {
    async capture({ key, envelope, payload }) {
      const value = codec.encodeCapture(envelope, payload);
      buffer.push({ key, value, timestamp: envelope.receivedAt });
      buffered += value.length;
      counts.events += payload.events.length;
      counts.batches++;
      counts.bytes += value.length;
      if (buffer.length >= MAX_BUFFERED_RECORDS || buffered >= MAX_BUFFERED_BYTES) await flush();
    },
    async decide(decision) {
      await flush();
      await appendDecision(log, codec, decision);
    },
    flush,
    get events() {
      return counts.events;
    },
    get batches() {
      return counts.batches;
    },
    get bytes() {
      return counts.bytes;
    },
  };
}

export async function appendDecision(log: EventLog, codec: Codec, decision: ConsentDecision): Promise<void> {
  const key = `${decision.subjectKey}/${decision.decisionId}`;
  await log.append(TOPICS.consent, [{ key, value: codec.encodeConsent(decision), timestamp: decision.decidedAt }]);
}
