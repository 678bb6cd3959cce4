import type { ConsentDecision } from '../events/control.ts';
import type { Codec } from '../events/codec.ts';
import type { EventLog, NewRecord } from '../log/event-log.ts';
import type { Captured } from '../producers/captured.ts';
import type { RawSealer, Unsealed } from './sealer.ts';
import { TOPICS } from './topics.ts';

/** Seals and appends what producers make, in batches, in order. */
export interface Ingest {
  capture(captured: Captured): Promise<void>;
  /** Decisions reach the log before anything that was appended after them. */
  decide(decision: ConsentDecision): Promise<void>;
  /** Durable when it resolves. */
  flush(): Promise<void>;
  readonly events: number;
  readonly batches: number;
  /** Of {@link batches}, those that are known to be on the log. */
  readonly appended: number;
  /** Of the records' values; known once they are flushed. */
  readonly bytes: number;
}

const MAX_BUFFERED_RECORDS = 512;
const MAX_BUFFERED_BYTES = 4 << 20;

export function createIngest(options: {
  readonly log: EventLog;
  /** The log as who may write decisions sees it; the same one unless given. */
  readonly consentLog?: EventLog;
  readonly codec: Codec;
  readonly sealer: RawSealer;
}): Ingest {
  const { log, codec, sealer, consentLog = log } = options;
  let buffer: (Unsealed & { readonly key: string })[] = [];
  let buffered = 0;
  const counts = { events: 0, batches: 0, appended: 0, bytes: 0 };

  async function flush(): Promise<void> {
    if (buffer.length === 0) return;
    const batches = buffer;
    buffer = [];
    buffered = 0;
    const sealed = await sealer.seal(batches);
    const records = batches.map(({ key, envelope }, i): NewRecord => {
      const closed = sealed[i];
      if (closed === undefined) throw new RangeError('a sealer gives as many payloads as it gets');
      const { session, sequence, grantedAt, receivedAt } = envelope;
      const value = codec.encodeEnvelope({ session, sequence, grantedAt, receivedAt, ...closed });
      counts.bytes += value.length;
      return { key, value, timestamp: receivedAt };
    });
    await log.append(TOPICS.raw, records);
    counts.appended += records.length;
  }

  return {
    async capture({ key, envelope, payload }) {
      const packed = codec.packPayload(payload);
      buffer.push({ key, envelope, packed });
      buffered += packed.length;
      counts.events += payload.events.length;
      counts.batches++;
      if (buffer.length >= MAX_BUFFERED_RECORDS || buffered >= MAX_BUFFERED_BYTES) await flush();
    },
    async decide(decision) {
      await flush();
      await appendDecision(consentLog, codec, decision);
    },
    flush,
    get events() {
      return counts.events;
    },
    get batches() {
      return counts.batches;
    },
    get appended() {
      return counts.appended;
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
