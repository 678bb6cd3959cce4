/** A batch's way through gateway, processors and sink, with traces on and off. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runBoth } from '../../src/cli/run.ts';
import { loadConfig } from '../../src/config.ts';
import type { LogRecord } from '../../src/log/event-log.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace } from '../../src/runtime/workspace.ts';
import { factsOf, startCollector, type Collector } from '../helpers/collector.ts';
import { CANARY, START, useGateway } from '../helpers/gateway.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

const END = { kind: 'session_end', at: START + 5_000, context: -1, element: -1 };

const world = useGateway();
let collector: Collector;
beforeEach(async () => {
  collector = await startCollector();
});
afterEach(() => collector.close());

/** Two batches of one session, sanitised and in the table. */
async function line(headers: Record<string, string>): Promise<{
  readonly raw: readonly LogRecord[];
  readonly sanitized: readonly LogRecord[];
  /** What may be in no span. */
  readonly secrets: readonly string[];
}> {
  await world.serve();
  const token = await world.enrolled();
  const grant = await world.granted(token);
  world.clock += 5_000;
  const isKept = await world.put(token, grant, 0, { json: world.batchOf(), headers });
  const body = await world.sealedBody(grant, 1, world.batchOf({ events: [END] }));
  const sealed = { 'content-type': 'application/vnd.redactory.sealed' };
  const isSealed = await world.put(token, grant, 1, { body, headers: sealed });
  const isRefused = await world.put(token, grant, 0, { json: world.batchOf({ events: [] }), headers });
  expect([isKept.status, isSealed.status, isRefused.status]).toEqual([200, 200, 409]);
  await (await world.workspace.traces()).close();

  const config = await loadConfig({ env: {}, cwd: world.dir });
  const workspace = await openWorkspace(config, {}, { role: 'sanitizer', now: () => world.clock });
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const io = { stdout: nowhere, stderr: nowhere, env: {}, cwd: world.dir, now: () => world.clock };
  const { telemetry } = world;
  const { signal } = new AbortController();
  await runBoth({ io, config, telemetry, signal }, workspace, { untilEnd: true });
  const readAll = async (topic: string): Promise<LogRecord[]> => {
    const ends = [...(await workspace.log.endOffsets(topic)).entries()].filter(([, end]) => end > 0);
    const some = { topic, offset: 0, maxRecords: 100, maxBytes: 1 << 24, waitMs: 0 };
    return (await Promise.all(ends.map(([partition]) => workspace.log.read({ ...some, partition })))).flatMap(
      ({ records }) => records,
    );
  };
  const [raw, sanitized] = [await readAll(TOPICS.raw), await readAll(TOPICS.sanitized)];
  await workspace.close();
  const keys = [...raw, ...sanitized].map(({ key }) => key);
  return { raw, sanitized, secrets: [CANARY, 'ana', 'laptop', 'Word', token, grant.session, world.dir, ...keys] };
}

it('is one linked trace, which holds nothing of the person and ends where it is released', async () => {
  await writeFile(
    join(world.dir, 'redactory.yaml'),
    `data: .\ntelemetry: { traces: { url: '${collector.url}', sample: 1 } }\n`,
  );
  const traceparent = `00-${TRACE}-${PARENT}-01`;
  const tracing = { traceparent, tracestate: `x=${CANARY}`, baggage: `user=${CANARY}` };
  const { raw, sanitized, secrets } = await line(tracing);

  const puts = collector.spans('gateway.put');
  expect(puts).toHaveLength(2);
  expect(puts[0]).toMatchObject({ traceId: TRACE, parentSpanId: PARENT });
  expect(puts.map(factsOf)).toEqual([
    { 'redactory.outcome': 'done', 'redactory.bytes': expect.any(Number) as number, 'redactory.events': 1 },
    // Nobody but the processors knows what is in a sealed one.
    { 'redactory.outcome': 'done', 'redactory.bytes': expect.any(Number) as number },
  ]);
  expect(raw.map(({ headers }) => headers)).toEqual(
    puts.map(({ traceId, spanId }) => ({ traceparent: `00-${traceId}-${spanId}-01` })),
  );

  const [sanitize, ...others] = collector.spans('sanitize.commit');
  expect(others).toEqual([]);
  expect(sanitize?.links?.map(({ spanId }) => spanId)).toEqual(puts.map(({ spanId }) => spanId));
  expect(sanitize && factsOf(sanitize)).toMatchObject({
    'redactory.outcome': 'done',
    'redactory.records': 2,
    'redactory.events': 2,
    'redactory.quarantined': 0,
  });
  const [sink] = collector.spans('sink.commit');
  expect(sink && factsOf(sink)).toMatchObject({ 'redactory.outcome': 'done', 'redactory.rows': 1 });
  expect(collector.spans()).toHaveLength(4);

  expect(sanitized.length).toBeGreaterThan(0);
  for (const { headers } of sanitized) {
    expect(Object.keys(headers).toSorted()).toEqual(['source-offset', 'source-partition', 'source-topic']);
  }
  expect(secrets.length).toBeGreaterThan(9);
  for (const secret of secrets) expect(collector.received).not.toContain(secret);
});

it('a collector that is away stops nothing', async () => {
  await writeFile(
    join(world.dir, 'redactory.yaml'),
    `data: .\ntelemetry: { traces: { url: '${collector.url}', sample: 1 } }\n`,
  );
  await collector.close();
  const { raw, sanitized } = await line({});
  expect([raw.length, sanitized.length]).toEqual([2, 1]);
  collector = await startCollector();
});

it('without traces no record has a header of them', async () => {
  await writeFile(join(world.dir, 'redactory.yaml'), 'data: .\n');
  const { raw } = await line({ traceparent: `00-${TRACE}-${PARENT}-01` });
  expect(raw.map(({ headers }) => headers)).toEqual([{}, {}]);
  expect(collector.requests).toBe(0);
});
