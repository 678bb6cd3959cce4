/** Spans go to the collector, hold nothing of people, and never stop what they tell of. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTraces, type Traces } from '../../src/runtime/traces.ts';
import { createTraces } from '../../src/runtime/traces-otel.ts';
import { factsOf, startCollector, type Collector } from '../helpers/collector.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

let collector: Collector;
let lost: number[];
beforeEach(async () => {
  collector = await startCollector();
  lost = [];
});
afterEach(() => collector.close());

const open = (sample = 1): Traces =>
  createTraces({ url: collector.url, sample, headers: {}, onLost: (count) => lost.push(count) });

describe('a span', () => {
  it('is delivered with its facts, times and caller', async () => {
    const traces = open();
    const span = traces.start('gateway.put', { parent: `00-${TRACE}-${PARENT}-00` });
    span.end({ outcome: 'done', bytes: 7, events: 2 });
    traces.start('sink.commit', { secondsAgo: 2 }).end({ outcome: 'done', rows: 3, bytes: 9 });
    await traces.close();
    const [put] = collector.spans('gateway.put');
    expect(put).toMatchObject({ traceId: TRACE, parentSpanId: PARENT });
    expect(span.headers).toEqual({ traceparent: `00-${TRACE}-${put?.spanId}-01` });
    expect(put && factsOf(put)).toEqual({ 'redactory.outcome': 'done', 'redactory.bytes': 7, 'redactory.events': 2 });
    const [commit] = collector.spans('sink.commit');
    const nanoseconds = Number(commit?.endTimeUnixNano) - Number(commit?.startTimeUnixNano);
    expect(nanoseconds).toBeGreaterThan(1.9e9);
    expect(lost).toEqual([]);
  });

  it('that never ended is not', async () => {
    const traces = open();
    traces.start('gateway.put');
    traces.start('sink.commit').end({ outcome: 'failed' });
    await traces.close();
    expect(collector.spans().map(({ name }) => name)).toEqual(['sink.commit']);
  });

  it.each([
    ['garbage', 'canary'],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a parent of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capitals', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['no version', `ff-${TRACE}-${PARENT}-01`],
    ['more behind it', `01-${TRACE}-${PARENT}-01-canary`],
    ['two of them', `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`],
    ['nothing', ''],
  ])('with %s as its caller has none', async (_what, parent) => {
    const traces = open();
    traces.start('gateway.put', { parent }).end({ outcome: 'done' });
    traces.start('sanitize.commit', { links: [parent] }).end({ outcome: 'done' });
    await traces.close();
    expect(collector.spans()).toHaveLength(2);
    for (const span of collector.spans()) {
      expect(span.traceId).not.toBe(TRACE);
      expect(span.parentSpanId ?? '').toBe('');
      expect(span.links ?? []).toEqual([]);
    }
  });

  it('repeats nothing of a header that is not well-formed', async () => {
    const traces = open();
    const sent = fc.sample(fc.string({ minLength: 8, maxLength: 80, unit: 'grapheme-ascii' }), {
      numRuns: 200,
      seed: 33,
    });
    const strange = sent.map((text) => `00-${text}`);
    for (const parent of strange) traces.start('gateway.put', { parent, links: [parent] }).end({ outcome: 'done' });
    await traces.close();
    expect(collector.spans()).toHaveLength(200);
    for (const text of sent) expect(collector.received.includes(text)).toBe(false);
  });
});

describe('the sample', () => {
  it('is a share of traces, whatever the caller says', async () => {
    const none = open(0);
    expect(none.start('gateway.put', { parent: `00-${TRACE}-${PARENT}-01` }).headers).toEqual({});
    none.start('sink.commit').end({ outcome: 'done' });
    await none.close();
    expect(collector.requests).toBe(0);
    const random = open(0.25);
    for (let i = 0; i < 1_000; i++) random.start('gateway.put').end({ outcome: 'done' });
    await random.close();
    expect(collector.spans().length).toBeGreaterThan(100);
    expect(collector.spans().length).toBeLessThan(450);
  });

  it('holds what is linked to something sampled, and links no more than 32', async () => {
    const none = open(0);
    const sampled = Array.from({ length: 40 }, (_, i) => `00-${TRACE}-${(i + 1).toString(16).padStart(16, '0')}-01`);
    none.start('sanitize.commit', { links: [undefined, ...sampled] }).end({ outcome: 'done', records: 41 });
    none.start('sanitize.commit', { links: [`00-${TRACE}-${PARENT}-00`] }).end({ outcome: 'done' });
    await none.close();
    expect(collector.spans()).toHaveLength(1);
    expect(collector.spans()[0]?.links).toHaveLength(32);
    expect(collector.spans()[0]?.traceId).not.toBe(TRACE);
  });
});

describe('a collector', () => {
  it('that refuses spans costs them, and they are counted', async () => {
    collector.status = 400;
    const traces = open();
    for (let i = 0; i < 10; i++) traces.start('sink.commit').end({ outcome: 'done' });
    await traces.close();
    expect(lost.reduce((sum, n) => sum + n, 0)).toBe(10);
  });

  it('that is away leaves no more waiting than the bound', async () => {
    const { url } = collector;
    const onLost = (count: number): void => void lost.push(count);
    const traces = createTraces({ url, sample: 1, headers: {}, onLost, closingMs: 0 });
    await collector.close();
    // All in one turn: nothing can be delivered meanwhile.
    for (let i = 0; i < 3_000; i++) traces.start('sink.commit').end({ outcome: 'done' });
    expect(lost).toEqual([1]);
    await traces.close();
    expect(lost.reduce((sum, n) => sum + n, 0)).toBe(3_000);
    // Told at once when it begins, then in sum.
    expect(lost).toHaveLength(2);
    collector = await startCollector();
  });
});

describe('openTraces', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-traces-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  type Settings = Parameters<typeof openTraces>[0]['telemetry'];
  const settings = (traces: NonNullable<Settings['traces']>): { readonly telemetry: Settings } => ({
    telemetry: { host: '127.0.0.1', port: null, logLevel: 'info', traces },
  });

  it('sends the headers of the file', async () => {
    const headersFile = join(dir, 'headers');
    await writeFile(headersFile, 'Authorization: Bearer abc=\nx-scope: a b\n', { mode: 0o600 });
    const traces = await openTraces(settings({ url: collector.url, sample: 1, headersFile }), undefined);
    traces.start('sink.commit').end({ outcome: 'done' });
    await traces.close();
    expect(collector.headers).toEqual([expect.objectContaining({ authorization: 'Bearer abc=', 'x-scope': 'a b' })]);
  });

  it('refuses a file that holds other things, and says nothing of them', async () => {
    const headersFile = join(dir, 'headers');
    await writeFile(headersFile, 'a: b\nsecret-canary\n', { mode: 0o600 });
    const opening = openTraces(settings({ url: collector.url, sample: 1, headersFile }), undefined);
    await expect(opening).rejects.toThrow('line 2 of telemetry.traces.headersFile is not `name: value`');
    await chmod(headersFile, 0o644);
    await expect(openTraces(settings({ url: collector.url, sample: 1, headersFile }), undefined)).rejects.toThrow(
      'is open to all users',
    );
  });

  it.each([
    ['http://collector.example:4318/v1/traces', 'use https'],
    ['https://me:secret@collector.example/v1/traces', 'headersFile'],
  ])('refuses %s', async (url, message) => {
    await expect(openTraces(settings({ url, sample: 1 }), undefined)).rejects.toThrow(message);
  });
});
