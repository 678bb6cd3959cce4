import type { Codec } from '../events/codec.ts';
import { keep, quarantine, type Processor } from '../events/outcome.ts';
import type { OpenedBatch, RawRecord } from './stages.ts';
import { addDropped } from './stages.ts';

/**
 * Opens a raw record: wire format, envelope, decompression, payload, all within limits; then checks that the record's key
 * is the payload's own subject, since consent is looked up by that key. Events of unknown kinds are dropped here.
 */
export function openBatch(tools: {
  readonly codec: Pick<Codec, 'openEnvelope' | 'openPayload'>;
  readonly subjectKey: (subject: string) => string;
}): Processor<RawRecord, OpenedBatch> {
  return (record) => {
    if (record.value === null) return quarantine('bad_envelope');
    const envelope = tools.codec.openEnvelope(record.value);
    if (!envelope.ok) return quarantine(envelope.reason);
    const payload = tools.codec.openPayload(envelope.value.payload);
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
