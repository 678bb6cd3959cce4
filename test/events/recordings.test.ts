/** The codec on real recordings: every event kept, in at most a twentieth of the bytes of the recordings' own JSON lines. */
import * as fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCodec } from '../../src/events/codec.ts';
import type { Codec } from '../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import type { CapturePayload, RawEvent } from '../../src/events/raw.ts';
import { loadContracts, schemaIds } from '../../src/events/schemas.ts';
import { loadZstd } from '../../src/events/zstd.ts';

const data = process.env['REDACTORY_DATA'];
const why = data === undefined ? ' (skipped: REDACTORY_DATA names no folder of recordings)' : '';
const START = Date.UTC(2025, 0, 6, 9);
const BATCH_MS = 5_000;

let codec: Codec;
beforeAll(async () => {
  codec = createCodec({ zstd: await loadZstd(), schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });
});

describe.skipIf(data === undefined)(`recordings${why}`, () => {
  it.each(['agentnet', 'ducktrack'])('%s', (name) => {
    const source = fs.readFileSync(path.join(data ?? '', 'recordings', name, 'events.jsonl'), 'utf8');
    const events = readEvents(source);
    let bytes = 0;
    const back: RawEvent[] = [];
    batches(events).forEach((batch, sequence) => {
      const stamps = { grantedAt: START, receivedAt: START + sequence * BATCH_MS };
      const value = codec.encodeCapture(
        { session: '3f0c9d4e-7b1a-4a53-9a53-6f0e8f6b2c11', sequence, ...stamps },
        batch,
      );
      bytes += value.byteLength;
      const opened = codec.openEnvelope(value);
      if (!opened.ok) throw new Error(opened.reason);
      const payload = codec.openPayload(opened.value.payload);
      if (!payload.ok) throw new Error(payload.reason);
      back.push(...payload.value.events);
    });
    expect(back).toStrictEqual(events);
    expect(events).toHaveLength(source.trimEnd().split('\n').length);
    // Measured: agentnet 1/33, ducktrack 1/121; a twentieth is the promise, less than this shows a regression.
    expect(source.length / bytes).toBeGreaterThan(28);
  });
});

const line = z.looseObject({
  time_stamp: z.number(),
  action: z.enum(['move', 'click', 'scroll', 'press', 'release']),
  x: z.number().default(0),
  y: z.number().default(0),
  dx: z.number().default(0),
  dy: z.number().default(0),
  button: z.enum(['left', 'right', 'middle']).default('left'),
  pressed: z.boolean().default(false),
  name: z.string().default(''),
});

function readEvents(source: string): RawEvent[] {
  const lines = source
    .trimEnd()
    .split('\n')
    .map((text) => line.parse(JSON.parse(text)));
  const first = lines[0]?.time_stamp ?? 0;
  return lines.map((one) => toEvent(one, first));
}

function toEvent(one: z.infer<typeof line>, first: number): RawEvent {
  const at = START + Math.round((one.time_stamp - first) * 1_000);
  const base = { at, context: 0, element: -1 };
  const point = { x: Math.round(one.x), y: Math.round(one.y) };
  switch (one.action) {
    case 'move':
      return { kind: 'pointer_move', ...base, ...point };
    case 'click':
      return { kind: one.pressed ? 'pointer_down' : 'pointer_up', ...base, ...point, button: one.button };
    case 'scroll':
      return { kind: 'wheel', ...base, dx: one.dx, dy: one.dy };
    case 'press':
    case 'release':
      return { kind: one.action === 'press' ? 'key_down' : 'key_up', ...base, key: one.name, code: '' };
  }
}

function batches(events: readonly RawEvent[]): CapturePayload[] {
  const contexts = [{ app: 'Settings', title: 'Notifications - Settings', url: '', private: false }];
  const cut: RawEvent[][] = [];
  for (const event of events) (cut[Math.floor((event.at - START) / BATCH_MS)] ??= []).push(event);
  return cut.flatMap((part) => [{ subject: 'person-1', device: 'laptop-1', contexts, elements: [], events: part }]);
}
