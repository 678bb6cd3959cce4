/** Payloads whose schema the registry has to be asked for while their batches are worked on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createCodec, type Codec } from '../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import type { Captured } from '../../src/producers/captured.ts';
import { simulate } from '../../src/producers/simulator/index.ts';
import { appendDecision } from '../../src/runtime/ingest.ts';
import { openRemoteSchemas, withRemoteSchemas, type RemoteSchemas } from '../../src/runtime/registry.ts';
import { runSanitizer, type SanitizerSummary } from '../../src/runtime/sanitizer.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';
import { startRegistry, type RegistryServer } from '../servers/registry.ts';

const START = Date.UTC(2026, 0, 5, 9);

describe('payloads of a schema that is not known yet', () => {
  let dir: string;
  let workspace: Workspace;
  let registry: RegistryServer;
  let captured: Captured[];
  /** Of the worker: opened before any producer has registered what it writes. */
  let schemas: RemoteSchemas;
  let codec: Codec;
  /** So many ids are waited for together before a wait ends. */
  let together: number;
  const opened: RemoteSchemas[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-pending-'));
    workspace = await openWorkspace(await loadConfig({ env: {}, cwd: dir }), {}, { now: () => START });
    registry = await startRegistry();
    captured = [];
    const subjectKey = await workspace.subjectKeys();
    for (const one of simulate({ people: 3, minutes: 4, seed: 5, start: START, subjectKey, consent: 'all_enrolled' })) {
      if (one.kind === 'consent') await appendDecision(workspace.log, workspace.codec, one.decision);
      else captured.push(one.record);
    }
    together = 1;
    const waiting: (() => void)[] = [];
    const delay = (): Promise<void> =>
      new Promise((resolve) => {
        waiting.push(resolve);
        if (waiting.length >= together) for (const end of waiting.splice(0)) end();
      });
    schemas = await openRemoteSchemas({ url: registry.url, roles: ['sanitizer'], delay });
    opened.push(schemas);
    codec = codecOf(schemas);
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) one.close();
    await registry.close();
    await workspace.close();
    await rm(dir, { recursive: true });
  });

  const codecOf = (ids: RemoteSchemas): Codec =>
    createCodec({ zstd: workspace.zstd, schemas: ids, limits: DEFAULT_LIMITS });

  /** By a producer that came later than the worker. */
  async function put(batches: readonly Captured[]): Promise<Codec> {
    const late = await openRemoteSchemas({ url: registry.url, roles: ['producer'] });
    opened.push(late);
    const producer = codecOf(late);
    await append(batches, (batch) => producer.encodeCapture(batch.envelope, batch.payload));
    return producer;
  }

  const append = (batches: readonly Captured[], encode: (batch: Captured, i: number) => Uint8Array): Promise<unknown> =>
    workspace.log.append(
      TOPICS.raw,
      batches.map((batch, i) => {
        const { key, envelope } = batch;
        return { key, value: encode(batch, i), timestamp: envelope.receivedAt, partition: 0 };
      }),
    );

  /** @returns with how often work on a partition had to start again. */
  async function work(onRestart?: () => Promise<void>): Promise<SanitizerSummary & { readonly restarts: number }> {
    const { config, now } = workspace;
    const { policy, vocabulary } = await loadPolicy(config.policy);
    let restarts = 0;
    const summary = await runSanitizer(
      {
        log: withRemoteSchemas(workspace.log, schemas),
        codec,
        policy,
        vocabulary,
        subjectKey: await workspace.subjectKeys(),
        tables: await workspace.controlTables(5000),
        sealed: 'accepted',
        telemetry: createTelemetry(silentLogger),
        fetch: config.fetch,
        now,
        delay: async () => {
          restarts++;
          await onRestart?.();
        },
      },
      { end: true, signal: AbortSignal.timeout(20_000), maxRestarts: 5 },
    );
    return { ...summary, restarts };
  }

  it('are processed when it is', async () => {
    await put(captured);
    const { released, restarts, batchesByReason } = await work();
    expect(batchesByReason).not.toHaveProperty('unknown_schema');
    expect(batchesByReason).not.toHaveProperty('processor_error');
    expect(restarts).toBe(0);
    expect(released).toBeGreaterThan(0);
  });

  it('wait while the registry is away', async () => {
    await put(captured);
    // The envelope's schema is known, so that no read waits for it.
    const envelope = (await workspace.log.read({ ...RAW, waitMs: 0 })).records[0]?.value;
    await schemas.resolve([Buffer.from(envelope ?? []).readInt32BE(1)]);
    await registry.away();
    const { released, restarts, batchesByReason } = await work(() => registry.back());
    expect(batchesByReason).not.toHaveProperty('unknown_schema');
    expect(batchesByReason).not.toHaveProperty('processor_error');
    expect(restarts).toBe(1);
    expect(released).toBeGreaterThan(0);
  });

  it('are quarantined when nobody gave their ids out, without holding the others up', async () => {
    const producer = await put(captured);
    const [strange] = captured;
    if (strange === undefined) throw new Error('nothing was simulated');
    const body = workspace.zstd.decompress(producer.packPayload(strange.payload), DEFAULT_LIMITS.maxPayloadBytes);
    const bad = Array.from({ length: 40 }, () => strange);
    await append(bad, (batch, i) => {
      const named = Buffer.from(body);
      named.writeInt32BE(5_000 + i, 1);
      return producer.encodeEnvelope({ ...batch.envelope, payload: workspace.zstd.compress(named), seal: null });
    });
    // Each takes seconds to be told unknown, so it must not be waited for by itself.
    together = bad.length;
    const { batchesByReason, batches, released, restarts } = await work();
    expect(batches).toBe(captured.length + bad.length);
    expect(batchesByReason.unknown_schema).toBe(bad.length);
    expect(released).toBeGreaterThan(0);
    expect(restarts).toBe(0);
  });
});

const RAW = { topic: TOPICS.raw, partition: 0, offset: 0, maxRecords: 1, maxBytes: 1e6 };
