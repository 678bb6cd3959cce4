import { describe, expect, it } from 'vitest';
import { createCodec } from '../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import type { CapturePayload, RawEvent } from '../../src/events/raw.ts';
import { loadContracts, schemaIds } from '../../src/events/schemas.ts';
import { loadZstd } from '../../src/events/zstd.ts';
import { FREE_TEXT, pipelineOf, policyWith, subjectKey, toolsWith } from '../helpers/line.ts';
import { context, element, START } from '../helpers/recording.ts';

const codec = createCodec({ zstd: await loadZstd(), schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });

/** Once for each text takes a moment; for each event anew it took a minute. */
const BUDGET_MS = 8_000;
const EVENTS = 10_000;
const LONGEST = DEFAULT_LIMITS.maxTextLength;

const OF_PLACE = { context: 0, element: 0 };
const long = (of: string, length = LONGEST): string => of.repeat(length / of.length);
const PROSE = long('lorem ');
const WORDS = long('lorem ', 16_384);
const LETTERS = long('A', 16_384);
const at = (i: number) => ({ at: START + i, ...OF_PLACE });

/** Batches that the codec lets in, and in which many events point at few texts. */
const BATCHES: Readonly<Record<string, (i: number) => readonly RawEvent[]>> = {
  'edited values': (i) => [{ kind: 'value_change', value: PROSE, ...at(i) }],
  'pasted texts': (i) => [{ kind: 'clipboard', op: 'paste', text: PROSE, ...at(i) }],
  'composed texts': (i) => [{ kind: 'composition', text: PROSE, ...at(i) }],
  'keys that are texts': (i) => [{ kind: 'key_down', key: WORDS, code: '', ...at(i) }],
  'keys that look like names': (i) => [{ kind: 'key_down', key: LETTERS, code: '', ...at(i) }],
  'keys with a modifier': (i) => [{ kind: 'key_down', key: i === 0 ? 'Control' : LETTERS, code: '', ...at(i) }],
  'clicks on a long name': (i) => [press('pointer_down', i, 1), press('pointer_up', i, 1)],
  'clicks on a name that is just not too long': (i) => [press('pointer_down', i, 2), press('pointer_up', i, 2)],
};

const press = (kind: 'pointer_down' | 'pointer_up', i: number, element: number): RawEvent => ({
  kind,
  x: i % 900,
  y: 5,
  button: 'left',
  ...at(i),
  element,
});

function payloadOf(eventsAt: (i: number) => readonly RawEvent[]): CapturePayload {
  const each = eventsAt(1).length;
  return {
    subject: 'ann@example.com',
    device: 'laptop',
    contexts: [context()],
    elements: [element(), element({ name: PROSE }), element({ name: long('ann.lee@corp.com', 1_024) })],
    events: Array.from({ length: EVENTS / each }, (_, i) => eventsAt(i)).flat(),
  };
}

describe.each([
  ['vocabulary', {}],
  ['recognizers', FREE_TEXT],
])('with text mode %s', (_mode, change) => {
  const tools = toolsWith({ codec, policy: policyWith(change) });

  it.each(Object.entries(BATCHES))('a batch of %s is done soon', { timeout: 120_000 }, (_what, eventsAt) => {
    const envelope = { session: 'session-1', sequence: 0, grantedAt: START, receivedAt: START + 5_000 };
    const payload = payloadOf(eventsAt);
    const value = codec.encodeCapture(envelope, payload);
    const pipeline = pipelineOf(tools);
    const before = process.cpuUsage();
    const { kind, counts } = pipeline.process({ key: subjectKey(payload.subject), value, offset: 0 });
    const { user, system } = process.cpuUsage(before);
    expect([kind, counts.read]).toEqual(['keep', payload.events.length]);
    expect((user + system) / 1_000).toBeLessThan(BUDGET_MS);
  });
});
