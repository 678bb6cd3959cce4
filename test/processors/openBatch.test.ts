import { describe, expect, it } from 'vitest';
import { QUARANTINE_REASONS } from '../../src/events/outcome.ts';
import type { CaptureEnvelope, CapturePayload, SealedBatch } from '../../src/events/raw.ts';
import { openBatch } from '../../src/processors/openBatch.ts';
import { payloadOf, script, START } from '../helpers/recording.ts';

const ENVELOPE: CaptureEnvelope = { session: 's', sequence: 3, grantedAt: START, receivedAt: START + 1 };
const SEALED: SealedBatch = { ...ENVELOPE, payload: new Uint8Array([7]), seal: null };
const PAYLOAD: CapturePayload = payloadOf(script().move(1, 1).end().events, { subject: 'ann' });

const open = (codec: Partial<Parameters<typeof openBatch>[0]['codec']> = {}) =>
  openBatch({
    codec: {
      openEnvelope: () => ({ ok: true, value: SEALED }),
      openPayload: () => ({ ok: true, value: PAYLOAD }),
      ...codec,
    },
    subjectKey: (subject) => `key of ${subject}`,
  });

const RECORD = { key: 'key of ann', value: new Uint8Array([1]), offset: 0 };

describe('openBatch', () => {
  it('joins envelope and payload', () => {
    const { subject, device, contexts, elements, events } = PAYLOAD;
    expect(open()(RECORD)).toEqual({
      kind: 'keep',
      batch: { ...ENVELOPE, key: RECORD.key, subject, device, contexts, elements, events, dropped: {} },
    });
  });

  it.each(QUARANTINE_REASONS)('quarantines what the codec refuses: %s', (reason) => {
    const refused = { ok: false, reason } as const;
    expect(open({ openEnvelope: () => refused })(RECORD)).toEqual({ kind: 'quarantine', reason });
    expect(open({ openPayload: () => refused })(RECORD)).toEqual({ kind: 'quarantine', reason });
  });

  it('hands the payload of the envelope on', () => {
    const seen: Uint8Array[] = [];
    open({ openPayload: (payload) => (seen.push(payload), { ok: true, value: PAYLOAD }) })(RECORD);
    expect(seen).toEqual([SEALED.payload]);
  });

  it('quarantines a batch that was received long after its record: a damaged stamp would make all that follow late', () => {
    const at = (timestamp: number) => open()({ ...RECORD, timestamp });
    expect(at(ENVELOPE.receivedAt - 60_000).kind).toBe('keep');
    expect(at(ENVELOPE.receivedAt - 60_001)).toEqual({ kind: 'quarantine', reason: 'bad_envelope' });
    expect(at(ENVELOPE.receivedAt + 86_400_000).kind).toBe('keep');
  });

  it('quarantines a batch that was received long before its session was granted', () => {
    const granted = (grantedAt: number) =>
      open({ openEnvelope: () => ({ ok: true, value: { ...SEALED, grantedAt } }) })(RECORD);
    expect(granted(ENVELOPE.receivedAt + 60_000).kind).toBe('keep');
    expect(granted(ENVELOPE.receivedAt + 60_001)).toEqual({ kind: 'quarantine', reason: 'bad_envelope' });
  });

  it('quarantines what the log gives nothing of, for its reason', () => {
    const refused = { ...RECORD, value: null, refused: 'limit_exceeded' } as const;
    expect(open()(refused)).toEqual({ kind: 'quarantine', reason: 'limit_exceeded' });
  });

  it('quarantines a record without a value', () => {
    expect(open()({ ...RECORD, value: null })).toEqual({ kind: 'quarantine', reason: 'bad_envelope' });
  });

  it('quarantines a record whose key is not its subject: consent is looked up by the key', () => {
    expect(open()({ ...RECORD, key: 'key of bob' })).toEqual({ kind: 'quarantine', reason: 'subject_mismatch' });
  });

  it('drops events of unknown kinds, and counts them', () => {
    const unknown = { kind: 'unknown', code: 200, at: START, context: -1, element: -1 } as const;
    const payload = { ...PAYLOAD, events: [unknown, ...PAYLOAD.events, unknown] };
    expect(open({ openPayload: () => ({ ok: true, value: payload }) })(RECORD)).toMatchObject({
      batch: { events: PAYLOAD.events, dropped: { unknown_kind: 2 } },
    });
  });
});
