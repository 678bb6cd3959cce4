import type { Codec, Decoded } from '../events/codec.ts';
import { keep, quarantine, type Processor } from '../events/outcome.ts';
import type { SealedBatch } from '../events/raw.ts';
import type { OpenedBatch, RawRecord } from './stages.ts';
import { addDropped } from './stages.ts';

/** How much later than what follows it a stamp may be, ms: clocks of trusted machines differ by less. */
const MAX_AHEAD_MS = 60_000;

/**
 * Opens a raw record, whose payload the runtime has unsealed if it was sealed: wire format, envelope, decompression, payload,
 * all within limits; then checks that the record's key is the payload's own subject, since consent is looked up by that key.
 * Events of unknown kinds are dropped here.
 *
 * A stamp that is damaged must not move the partition's time, nor make a session the last of its device: all sessions after it
 * would be too late. So a session is granted before its batch is received, and that before the record was written.
 */
export function openBatch(tools: {
  readonly codec: Pick<Codec, 'openEnvelope' | 'openPayload'>;
  readonly subjectKey: (subject: string) => string;
}): Processor<RawRecord, OpenedBatch> {
  return (record) => {
    if (record.refused !== undefined) return quarantine(record.refused);
    if (record.value === null) return quarantine('bad_envelope');
    const envelope = tools.codec.openEnvelope(record.value);
    if (!envelope.ok) return quarantine(envelope.reason);
    if (!isPlausible(envelope.value, record.timestamp)) return quarantine('bad_envelope');
    const packed = packedPayload(record, envelope.value);
    if (!packed.ok) return quarantine(packed.reason);
    const payload = tools.codec.openPayload(packed.value);
    if (!payload.ok) return quarantine(payload.reason);
    const { subject, device, contexts, elements } = payload.value;
    if (tools.subjectKey(subject) !== record.key) return quarantine('subject_mismatch');
    const { session, sequence, grantedAt, receivedAt } = envelope.value;

    const all = payload.value.events;
    const events = all.some((event) => event.kind === 'unknown') ? all.filter((e) => e.kind !== 'unknown') : all;
    return keep({
      key: record.key,
      session,
      sequence,
      grantedAt,
      receivedAt,
      subject,
      device,
      contexts,
      elements,
      events,
      dropped: addDropped({}, 'unknown_kind', all.length - events.length),
    });
  };
}

function isPlausible({ grantedAt, receivedAt }: SealedBatch, written: number | undefined): boolean {
  return receivedAt - (written ?? Infinity) <= MAX_AHEAD_MS && grantedAt - receivedAt <= MAX_AHEAD_MS;
}

/** A payload that is sealed and was not opened before is nothing to work with: only the runtime can open it. */
function packedPayload({ unsealed }: RawRecord, { payload, seal }: SealedBatch): Decoded<Uint8Array> {
  if (unsealed !== undefined) return unsealed;
  return seal === null ? { ok: true, value: payload } : { ok: false, reason: 'unseal_failed' };
}
