import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { CompressionError } from '../../src/log/kafka/compression.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { runSanitizer } from '../../src/runtime/sanitizer.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace } from '../../src/runtime/workspace.ts';

it('raw batches that the log does not unpack are quarantined, and work goes on behind them', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'redactory-stand-ins-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const workspace = await openWorkspace(await loadConfig({ env: {}, cwd: dir }), {});
  onTestFinished(() => workspace.close());
  // Keys are made before there are records that need them.
  const subjectKey = await workspace.subjectKeys();
  const tables = await workspace.controlTables(5000);
  const record = { key: 'k', value: Buffer.from('no batch'), timestamp: 0, partition: 0 };
  await workspace.log.append(TOPICS.raw, [record, record]);
  const { policy, vocabulary } = await loadPolicy(workspace.config.policy);
  const { batchesByReason } = await runSanitizer(
    {
      log: withBomb(workspace.log),
      codec: workspace.codec,
      now: workspace.now,
      policy,
      vocabulary,
      subjectKey,
      tables,
      sealed: 'accepted',
      telemetry: createTelemetry(silentLogger),
      fetch: workspace.config.fetch,
    },
    { end: true, signal: AbortSignal.timeout(20_000) },
  );
  expect(batchesByReason).toEqual({ limit_exceeded: 1, bad_wire_format: 1 });
});

/** The same log, as if the first raw record lay in a batch that unpacks to too much. */
function withBomb(log: EventLog): EventLog {
  const read: EventLog['read'] = async (request) => {
    const fetched = await log.read(request);
    if (request.topic !== TOPICS.raw) return fetched;
    if (request.standIns !== true) throw new CompressionError('too large', true);
    const records = fetched.records.map((record) =>
      record.offset === 0 ? ({ ...record, value: null, refused: 'limit_exceeded' } as const) : record,
    );
    return { ...fetched, records };
  };
  return new Proxy(log, {
    get(target, name) {
      if (name === 'read') return read;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
