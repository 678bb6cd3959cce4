import { expect, it } from 'vitest';
import { createCodec } from '../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import type { QuarantineReason } from '../../src/events/outcome.ts';
import { openSchemaRegistry } from '../../src/events/schemas.ts';
import type { NewRecord } from '../../src/log/event-log.ts';
import { appendDecision } from '../../src/runtime/ingest.ts';
import type { Workspace } from '../../src/runtime/workspace.ts';
import { join } from 'node:path';
import { describeFaults } from './harness.ts';
import { PARTITIONS } from './line.ts';
import { told } from './told.ts';

describeFaults('poisoned messages', (stage) => {
  it('first on every partition are quarantined, each for its reason, and all behind them flow', async () => {
    const { line } = await stage();
    const { batches } = await line.simulate({ people: 8, minutes: 4 });
    const good = batches[0]?.value;
    if (!good) throw new Error('nothing was simulated');
    const poison = poisonOf(line.workspace, good);
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    const grown = await grownBatch(line.workspace, good);
    poison.push(['limit_exceeded', grown.value]);
    const keyOf = (value: Uint8Array | null): string => (value === grown.value ? grown.key : 'of nobody');
    await line.append(
      partitions.flatMap((partition) => poison.map(([, value]) => foreign(partition, keyOf(value), value))),
    );
    await line.append(batches);
    const worker = line.start('run');
    await line.drained();
    for (const reason of new Set(poison.map(([one]) => one))) {
      const wanted = poison.filter(([one]) => one === reason).length * PARTITIONS;
      const series = `outcome="quarantined",reason="${reason}"`;
      expect([reason, await worker.metric('redactory_raw_batches_total', series)]).toEqual([reason, wanted]);
    }
    await told(worker, 'poison');
    const { counts } = await line.finish('poisoned messages');
    expect(counts['batches quarantined once']).toBe(poison.length * PARTITIONS);
    expect(counts['table rows']).toBeGreaterThan(20);
  });
});

const foreign = (partition: number, key: string, value: Uint8Array | null): NewRecord => ({
  key,
  value,
  timestamp: Date.now(),
  partition,
});

/** What no producer of ours writes, and why it is refused. */
function poisonOf(
  { zstd, config, codec }: Workspace,
  good: Uint8Array,
): (readonly [QuarantineReason, Uint8Array | null])[] {
  const schemas = openSchemaRegistry(join(config.data, 'schemas.json'));
  const unlimited = createCodec({
    zstd,
    schemas,
    limits: { ...DEFAULT_LIMITS, maxTextLength: 2 ** 26, maxPayloadBytes: 2 ** 27 },
  });
  const envelope = codec.openEnvelope(good);
  if (!envelope.ok) throw new Error('a good batch does not open');
  const payload = codec.openPayload(envelope.value.payload);
  if (!payload.ok) throw new Error('a good batch does not open');
  const bomb = unlimited.encodeCapture(envelope.value, { ...payload.value, device: 'x'.repeat(2 ** 25) });
  const renamed = Buffer.from(good);
  renamed.writeInt32BE(123_456, 1);
  return [
    ['bad_wire_format', new Uint8Array(0)],
    ['bad_envelope', null],
    ['bad_wire_format', Buffer.from('{"subject":"somebody"}')],
    ['unknown_schema', renamed],
    ['bad_envelope', good.subarray(0, good.length - 4)],
    ['oversized', Buffer.concat([good, Buffer.alloc(1_048_577 - good.length)])],
    ['limit_exceeded', bomb],
    ['subject_mismatch', good],
  ];
}

/** Of somebody who agreed to be recorded: small, and each of its many actions repeats where it was. */
async function grownBatch(
  workspace: Workspace,
  good: Uint8Array,
): Promise<{ readonly key: string; readonly value: Uint8Array }> {
  const { codec, log } = workspace;
  const envelope = codec.openEnvelope(good);
  if (!envelope.ok) throw new Error('a good batch does not open');
  const { grantedAt } = envelope.value;
  const subject = 'somebody-who-switches';
  const key = (await workspace.subjectKeys())(subject);
  const decision = { subjectKey: key, decisionId: 'switches', kind: 'enrol', decidedAt: 0, until: null } as const;
  await appendDecision(log, codec, decision);
  const titles = ['Change the size of text, apps and other items', 'Connecting to a projector or PC'];
  const contexts = titles.map((title) => {
    return { app: 'Adobe Premiere Pro', title: `${title} - `.repeat(6), url: '', private: false };
  });
  const events = Array.from({ length: 6_000 }, (_, i) => {
    return { kind: 'focus', at: grantedAt + i, context: i % 2, element: -1 } as const;
  });
  const payload = { subject, device: 'another', contexts, elements: [], events };
  const value = codec.encodeCapture({ ...envelope.value, session: 'switches', sequence: 0 }, payload);
  if (value.length > 100_000) throw new Error('it is to be small');
  return { key, value };
}
