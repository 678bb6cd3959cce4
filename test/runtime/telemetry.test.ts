import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { DROP_REASONS, QUARANTINE_REASONS } from '../../src/events/outcome.ts';
import type { Processed } from '../../src/processors/pipeline.ts';
import { serveHealth } from '../../src/runtime/health.ts';
import {
  createLogger,
  createTelemetry,
  silentLogger,
  type LogFields,
  type Telemetry,
} from '../../src/runtime/telemetry.ts';

/** What a metric line may be called, and which label names it may have: whoever changes this changes dashboards. */
const METRICS: Readonly<Record<string, readonly string[]>> = {
  redactory_raw_batches_total: ['outcome', 'reason'],
  redactory_raw_events_total: ['outcome', 'reason'],
  redactory_raw_events_read_total: [],
  redactory_raw_bytes_total: [],
  redactory_raw_event_bytes: [],
  redactory_stage_seconds: ['stage'],
  redactory_lag_messages: ['group', 'partition'],
  redactory_lag_seconds: ['group', 'partition'],
  redactory_control_table_lag_messages: ['table'],
  redactory_key_epoch_end_timestamp_seconds: [],
  redactory_open_sessions: ['partition'],
  redactory_pending_events: ['partition'],
  redactory_table_commits_total: [],
  redactory_table_rows_total: [],
  redactory_table_bytes_total: [],
  redactory_partition_restarts_total: ['role', 'reason'],
  redactory_worker_failures_total: ['role', 'reason'],
  redactory_gateway_batches_total: ['outcome', 'reason'],
  redactory_gateway_refusals_total: ['reason'],
  redactory_gateway_events_total: [],
  redactory_gateway_bytes_total: [],
  redactory_gateway_grants_total: [],
  redactory_gateway_in_flight_requests: [],
  redactory_gateway_in_flight_limit_requests: [],
  redactory_gateway_append_seconds: [],
  redactory_erasures_open: [],
  redactory_erasure_failures_total: [],
  redactory_service_retries_total: ['service', 'operation', 'reason'],
};

const kept: Processed = {
  kind: 'keep',
  reason: null,
  released: null,
  counts: { read: 10, released: 6, dropped: { key_up: 3, pointer_path: 1 }, quarantined: 0 },
  of: null,
};
const dropped: Processed = {
  kind: 'drop',
  reason: 'paused',
  released: null,
  counts: { read: 4, released: 0, dropped: { paused: 4 }, quarantined: 0 },
  of: null,
};
const quarantined: Processed = {
  kind: 'quarantine',
  reason: 'bad_payload',
  released: null,
  counts: { read: 0, released: 0, dropped: {}, quarantined: 0 },
  of: null,
};

function busy(): Telemetry {
  const telemetry = createTelemetry(silentLogger);
  telemetry.processed(kept, 1000);
  telemetry.processed(dropped, 200);
  telemetry.processed(quarantined, 30);
  for (const stage of ['fetch', 'tables', 'unseal', 'process', 'commit', 'table_write', 'table_commit'] as const) {
    telemetry.stage(stage, 0.01);
  }
  telemetry.lag('sanitize', 2, 7, 1.5);
  telemetry.lag('sink', 0, 3, null);
  for (const table of ['consent', 'keyring', 'erasures'] as const) telemetry.controlLag(table, 1);
  telemetry.keyEpochEnds(1_767_225_600_000);
  telemetry.sessions(2, 5, 60);
  telemetry.tableCommitted(100, 2000);
  telemetry.tableCommitted(50, 1000);
  telemetry.workerRestarted('sink', 'fenced');
  telemetry.workerFailed('sanitize', 'offset_out_of_range');
  telemetry.retried('table_store', 'put', 'unavailable');
  telemetry.gatewayKept(3, 100, 0.01);
  telemetry.gatewayRefused('rate', true);
  telemetry.gatewayGranted();
  telemetry.gatewayInFlight(1);
  telemetry.erasuresOpen(1);
  telemetry.erasureFailed();
  return telemetry;
}

/** Samples by name with labels, as Prometheus' text format has them. */
const samples = async (telemetry: Telemetry): Promise<ReadonlyMap<string, number>> =>
  new Map(
    (await telemetry.render()).body
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );

describe('metrics', () => {
  it('have fixed names, help texts and label names', async () => {
    const { body, contentType } = await busy().render();
    expect(contentType).toContain('text/plain');
    const named = [...body.matchAll(/^# HELP (\S+) (.+)$/gmu)].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set(Object.keys(METRICS)));
    expect(named).toHaveLength(Object.keys(METRICS).length);
    for (const sample of (await samples(busy())).keys()) {
      const [, name = '', labels = ''] = /^([a-z_]+)(?:\{(.*)\})?$/u.exec(sample) ?? [];
      const metric = name in METRICS ? name : name.replace(/_(?:bucket|sum|count)$/u, '');
      const found = [...labels.matchAll(/([a-z]+)="/gu)].map(([, label]) => label).filter((label) => label !== 'le');
      expect({ metric, labels: found }).toEqual({ metric, labels: METRICS[metric] });
    }
  });

  it('count batches and events by outcome and reason; events add up', async () => {
    const found = await samples(busy());
    const at = (name: string): number | undefined => found.get(name);
    expect(at('redactory_raw_batches_total{outcome="kept",reason=""}')).toBe(1);
    expect(at('redactory_raw_batches_total{outcome="dropped",reason="paused"}')).toBe(1);
    expect(at('redactory_raw_batches_total{outcome="quarantined",reason="bad_payload"}')).toBe(1);
    expect(at('redactory_raw_events_total{outcome="released",reason=""}')).toBe(6);
    expect(at('redactory_raw_events_total{outcome="dropped",reason="key_up"}')).toBe(3);
    expect(at('redactory_raw_events_total{outcome="dropped",reason="paused"}')).toBe(4);
    const events = [...found].filter(([name]) => name.startsWith('redactory_raw_events_total'));
    expect(events.reduce((sum, [, n]) => sum + n, 0)).toBe(at('redactory_raw_events_read_total'));
    expect(at('redactory_raw_bytes_total')).toBe(1230);
    expect(at('redactory_raw_event_bytes')).toBe(50);
  });

  it('tell lag, sessions, commits and restarts', async () => {
    const found = await samples(busy());
    expect(found.get('redactory_lag_messages{group="sanitize",partition="2"}')).toBe(7);
    expect(found.get('redactory_lag_seconds{group="sanitize",partition="2"}')).toBe(1.5);
    expect(found.get('redactory_lag_messages{group="sink",partition="0"}')).toBe(3);
    expect(found.has('redactory_lag_seconds{group="sink",partition="0"}')).toBe(false);
    expect(found.get('redactory_control_table_lag_messages{table="consent"}')).toBe(1);
    expect(found.get('redactory_key_epoch_end_timestamp_seconds')).toBe(1_767_225_600);
    expect(found.get('redactory_open_sessions{partition="2"}')).toBe(5);
    expect(found.get('redactory_pending_events{partition="2"}')).toBe(60);
    expect(found.get('redactory_table_commits_total')).toBe(2);
    expect(found.get('redactory_table_rows_total')).toBe(150);
    expect(found.get('redactory_table_bytes_total')).toBe(3000);
    expect(found.get('redactory_partition_restarts_total{role="sink",reason="fenced"}')).toBe(1);
  });

  it('that alerts wait for are there from the start, at 0', async () => {
    const found = await samples(createTelemetry(silentLogger));
    expect(found.get('redactory_worker_failures_total{role="sink",reason="access"}')).toBe(0);
    expect(found.get('redactory_partition_restarts_total{role="sanitize",reason="fenced"}')).toBe(0);
    expect(found.get('redactory_raw_batches_total{outcome="quarantined",reason="bad_envelope"}')).toBe(0);
    expect(found.get('redactory_raw_events_total{outcome="released",reason=""}')).toBe(0);
  });

  it('of what only one part of the line knows are not there in the others, where 0 would be an answer', async () => {
    const { body } = await createTelemetry(silentLogger).render();
    const set = [...body.matchAll(/^(redactory_\w+) /gmu)].map(([, name = '']) => name);
    const gauges = [...body.matchAll(/^# TYPE (redactory_\w+) gauge$/gmu)].map(([, name = '']) => name);
    expect(gauges.length).toBeGreaterThan(9);
    expect(set.filter((name) => gauges.includes(name))).toEqual([]);
  });

  it('are shown as what is measured at that moment says, until it is measured no more', async () => {
    const telemetry = createTelemetry(silentLogger);
    let open = 0;
    const stop = telemetry.whenShown(async () => telemetry.erasuresOpen(++open));
    telemetry.whenShown(async () => Promise.reject(new Error('the log is away')));
    expect((await samples(telemetry)).get('redactory_erasures_open')).toBe(1);
    expect((await samples(telemetry)).get('redactory_erasures_open')).toBe(2);
    stop();
    expect((await samples(telemetry)).get('redactory_erasures_open')).toBe(2);
  });

  it('have as many series as there are reasons and partitions, however long they run', async () => {
    const telemetry = createTelemetry(silentLogger);
    const run = (): void => {
      for (const reason of DROP_REASONS) {
        telemetry.processed({ ...dropped, reason, counts: { ...dropped.counts, dropped: { [reason]: 1 } } }, 1);
      }
      for (const reason of QUARANTINE_REASONS) telemetry.processed({ ...quarantined, reason }, 1);
    };
    run();
    const before = (await samples(telemetry)).size;
    for (let i = 0; i < 100; i++) run();
    expect((await samples(telemetry)).size).toBe(before);
  });

  it('of one worker are not those of another in the same process', async () => {
    busy();
    expect((await samples(createTelemetry(silentLogger))).get('redactory_table_commits_total')).toBe(0);
  });
});

function caught(): { readonly to: Writable; readonly text: () => string } {
  let text = '';
  const to = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { to, text: () => text };
}

describe('logs', () => {
  const fields: LogFields = { topic: 'interactions.raw', partition: 1, reason: 'paused' };

  it('are JSON lines off a terminal, with time and level and without host or process', () => {
    const { to, text } = caught();
    const log = createLogger({ level: 'info', pretty: false, to });
    log.info('started', fields);
    log.error('failed');
    const [first, second] = text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-.*Z$/u) as string,
      msg: 'started',
      ...fields,
    });
    expect(second).toMatchObject({ level: 50, msg: 'failed' });
  });

  it('are readable lines on a terminal', () => {
    const { to, text } = caught();
    createLogger({ level: 'info', pretty: true, to }).warn('slow', fields);
    expect(() => JSON.parse(text()) as unknown).toThrow(SyntaxError);
    expect(text()).toMatch(/\d\d:\d\d:\d\d.*WARN.*slow/u);
    expect(text()).toContain('paused');
  });

  it('leave out what is below the level', () => {
    const { to, text } = caught();
    const log = createLogger({ level: 'warn', pretty: false, to });
    log.info('chatter');
    expect(text()).toBe('');
    log.warn('kept');
    expect(text()).toContain('kept');
  });

  it('have no field for a payload, a title, a key or a person', () => {
    const { to } = caught();
    const log = createLogger({ level: 'info', pretty: false, to });
    // @ts-expect-error -- fields are a closed set
    log.info('x', { payload: 'secret' });
    // @ts-expect-error -- fields are a closed set
    log.info('x', { subject: 'ana' });
    const allowed: readonly (keyof Required<LogFields>)[] = [
      'topic',
      'partition',
      'offset',
      'count',
      'reason',
      'version',
      'milliseconds',
      'address',
      'detail',
    ];
    expect(allowed).toHaveLength(9);
  });
});

describe('the health server', () => {
  it('serves liveness, readiness and metrics, and nothing else', async () => {
    let ready = false;
    const server = await serveHealth({ host: '127.0.0.1', port: 0, telemetry: busy(), isReady: () => ready });
    const get = async (path: string): Promise<readonly [number, string]> => {
      const response = await fetch(`${server.address}${path}`);
      return [response.status, await response.text()];
    };
    try {
      expect(await get('/livez')).toEqual([200, '{"status":"ok"}']);
      expect(await get('/readyz')).toEqual([503, '{"status":"starting"}']);
      ready = true;
      expect(await get('/readyz')).toEqual([200, '{"status":"ready"}']);
      const [status, body] = await get('/metrics');
      expect(status).toBe(200);
      expect(body).toContain('redactory_table_rows_total 150');
      expect((await get('/'))[0]).toBe(404);
      expect((await fetch(`${server.address}/metrics`, { method: 'POST', body: 'x' })).status).toBe(404);
    } finally {
      await server.close();
    }
    await expect(fetch(`${server.address}/livez`)).rejects.toThrow(TypeError);
  });

  it('says which port is taken, and what to change', async () => {
    const options = { host: '127.0.0.1', telemetry: busy(), isReady: () => true };
    const server = await serveHealth({ ...options, port: 0 });
    const port = Number(new URL(server.address).port);
    await expect(serveHealth({ ...options, port })).rejects.toThrow(
      `cannot serve metrics on 127.0.0.1:${port} (EADDRINUSE): choose another telemetry.port`,
    );
    await server.close();
  });
});
