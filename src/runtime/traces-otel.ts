import {
  ROOT_CONTEXT,
  SpanKind,
  TraceFlags,
  trace,
  type Context,
  type Link,
  type SpanContext,
} from '@opentelemetry/api';
import { ExportResultCode, parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { TRACEPARENT, type Span, type SpanFacts, type SpanName, type Traces } from './traces.ts';

/** Links of one span, at most. */
const MAX_LINKS = 32;
/** Spans that wait for the collector, at most; more are lost. */
const MAX_WAITING = 2_048;
const MAX_TOGETHER = 512;
/** How long one delivery may take, tries again included, ms: a process that stops waits for the last one. */
const DELIVERY_MS = 1_000;
/** Losses are told once in such a time, in sum. */
const TELL_LOSSES_MS = 60_000;

const KINDS: Readonly<Record<SpanName, SpanKind>> = {
  'gateway.put': SpanKind.SERVER,
  'sanitize.commit': SpanKind.CONSUMER,
  'sink.commit': SpanKind.INTERNAL,
};

export interface TracesOptions {
  /** Of an OTLP/HTTP collector, with the path. */
  readonly url: string;
  /** The share of traces that are recorded, 0 to 1. */
  readonly sample: number;
  /** Sent with each request to the collector. */
  readonly headers: Readonly<Record<string, string>>;
  /** So many spans were lost since it was last told. */
  readonly onLost: (count: number) => void;
  /** How long closing waits for the collector, ms. */
  readonly closingMs?: number;
}

/** Traces that go to a collector over OTLP/HTTP, as JSON. */
export function createTraces({ url, sample, headers, onLost, closingMs = DELIVERY_MS }: TracesOptions): Traces {
  const losses = countLosses(onLost);
  const exporter = new OTLPTraceExporter({
    url,
    headers: { ...headers },
    timeoutMillis: DELIVERY_MS,
    // Said aloud, so that no environment variable turns the check of certificates off.
    httpAgentOptions: { minVersion: 'TLSv1.2', rejectUnauthorized: true },
  });
  const processor = bounded(exporter, losses.add);
  const provider = new TracerProvider({
    // In place of the library's own, which would name the program that runs.
    resource: resourceFromAttributes({ 'service.name': 'redactory' }),
    sampler: linkedOr(sample),
    spanLimits: { linkCountLimit: MAX_LINKS },
    spanProcessors: [processor],
  });
  // No context is global: who starts a span hands on what comes of it.
  const tracer = provider.getTracer('redactory');

  return {
    start(name, { parent, links = [], secondsAgo } = {}) {
      const span = tracer.startSpan(
        name,
        {
          kind: KINDS[name],
          links: linksTo(links),
          ...(secondsAgo === undefined ? {} : { startTime: Date.now() - secondsAgo * 1_000 }),
        },
        contextOf(parent),
      );
      const isSampled = span.isRecording();
      return {
        headers: isSampled ? { [TRACEPARENT]: traceparentOf(span.spanContext()) } : {},
        end(facts) {
          if (!isSampled) return;
          span.setAttributes(attributesOf(facts));
          span.end();
        },
      } satisfies Span;
    },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, closingMs)));
      // What cannot be delivered is counted where it fails.
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
      processor.giveUp();
      losses.tell();
    },
  };
}

/**
 * Records a share of traces by their id, whatever the caller's own flag says: a recorder has no say in how much is kept.
 * What is linked to something recorded is recorded as well.
 */
function linkedOr(sample: number): Sampler {
  const ratio = new TraceIdRatioBasedSampler(sample);
  return {
    shouldSample: (context, traceId, _name, _kind, _attributes, links) =>
      links.length > 0 ? { decision: SamplingDecision.RECORD_AND_SAMPLED } : ratio.shouldSample(context, traceId),
    toString: () => `linked, or ${ratio.toString()}`,
  };
}

/** A collector that is away or slow costs spans, never memory or the line's time. */
function bounded(
  exporter: SpanExporter,
  lose: (count: number) => void,
): SpanProcessor & {
  /** Counts what still waits as lost. */
  giveUp(): void;
} {
  let waiting = 0;
  let hasGivenUp = false;
  const batches = new BatchSpanProcessor({
    maxQueueSize: MAX_WAITING,
    maxExportBatchSize: MAX_TOGETHER,
    exportTimeoutMillis: DELIVERY_MS,
    exporter: {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          waiting -= spans.length;
          if (result.code !== ExportResultCode.SUCCESS && !hasGivenUp) lose(spans.length);
          // Told already; the library would print what the collector has answered.
          done({ code: ExportResultCode.SUCCESS });
        }),
      shutdown: () => exporter.shutdown(),
    },
  });
  return {
    onStart: (span, context) => batches.onStart(span, context),
    onEnd(span) {
      if (waiting >= MAX_WAITING || hasGivenUp) return lose(1);
      waiting++;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
    giveUp() {
      if (hasGivenUp) return;
      hasGivenUp = true;
      if (waiting > 0) lose(waiting);
    },
  };
}

function countLosses(onLost: (count: number) => void): { add(this: void, count: number): void; tell(): void } {
  let lost = 0;
  let due = 0;
  const tell = (): void => {
    if (lost > 0) onLost(lost);
    lost = 0;
    due = performance.now() + TELL_LOSSES_MS;
  };
  return {
    add(count) {
      lost += count;
      if (performance.now() >= due) tell();
    },
    tell,
  };
}

function contextOf(parent: string | undefined): Context {
  const found = parse(parent);
  return found === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...found, isRemote: true });
}

function linksTo(parents: readonly (string | undefined)[]): Link[] {
  const links: Link[] = [];
  for (const parent of parents) {
    if (links.length === MAX_LINKS) break;
    const found = parse(parent);
    if (found !== undefined && (found.traceFlags & TraceFlags.SAMPLED) !== 0) links.push({ context: found });
  }
  return links;
}

/** Longer ones are of versions to come, and not ours to carry. */
const TRACEPARENT_LENGTH = 55;

function parse(header: string | undefined): SpanContext | undefined {
  if (header?.length !== TRACEPARENT_LENGTH) return undefined;
  return parseTraceParent(header) ?? undefined;
}

const traceparentOf = ({ traceId, spanId }: SpanContext): string => `00-${traceId}-${spanId}-01`;

function attributesOf(facts: SpanFacts): Record<string, string | number> {
  const given = Object.entries(facts).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [`redactory.${name}`, value]));
}
