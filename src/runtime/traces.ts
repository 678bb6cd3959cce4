import type { Config } from '../config.ts';
import { readSecretFile } from '../privacy/keys/secret-file.ts';
import { isLoopback } from './http-ask.ts';
import { RunError } from './run-error.ts';
import type { Telemetry } from './telemetry.ts';

/** The header of W3C Trace Context, in requests to the gateway and in records of the raw topic. */
export const TRACEPARENT = 'traceparent';

export type SpanName = 'gateway.put' | 'sanitize.commit' | 'sink.commit';

/** What a span says: counts, and how it ended. There is no field that could hold a payload, a person or a session. */
export interface SpanFacts {
  readonly outcome: 'done' | 'failed';
  readonly bytes?: number;
  readonly records?: number;
  readonly rows?: number;
  readonly partition?: number;
  /** Raw events. */
  readonly events?: number;
  readonly released?: number;
  readonly dropped?: number;
  readonly quarantined?: number;
}

export interface Span {
  /** For what goes on elsewhere: {@link TRACEPARENT} where the span is sampled, else nothing. */
  readonly headers: Readonly<Record<string, string>>;
  /** Hands it over to be delivered. A span that is never ended is not. */
  end(facts: SpanFacts): void;
}

export interface SpanStart {
  /** A `traceparent` of whoever caused this; one that is not well-formed counts as none. */
  readonly parent?: string | undefined;
  /** `traceparent`s of what is worked on together. */
  readonly links?: readonly (string | undefined)[];
  /** Began so long ago, seconds. */
  readonly secondsAgo?: number;
}

/** Where spans go. Nothing here throws, or waits for who collects them, except {@link Traces.close} for a short time. */
export interface Traces {
  start(name: SpanName, start?: SpanStart): Span;
  /** Delivers what waits, if that is done within a second. */
  close(): Promise<void>;
}

const NO_SPAN: Span = { headers: {}, end: () => {} };

export const NO_TRACES: Traces = { start: () => NO_SPAN, close: async () => {} };

/**
 * Traces as the config says. The library is loaded only where they are on.
 *
 * @throws RunError when the collector's URL or its headers cannot be used; KeyError when their file cannot be.
 */
export async function openTraces(
  { telemetry: { traces } }: Pick<Config, 'telemetry'>,
  telemetry: Pick<Telemetry, 'log'> | undefined,
): Promise<Traces> {
  if (traces === undefined) return NO_TRACES;
  checkUrl(traces.url);
  const headers = traces.headersFile === undefined ? {} : parseHeaders(await readSecretFile(traces.headersFile));
  const { createTraces } = await import('./traces-otel.ts');
  return createTraces({
    url: traces.url,
    sample: traces.sample,
    headers,
    onLost: (count) =>
      telemetry?.log.warn('spans were not delivered, look at the collector of telemetry.traces', { count }),
  });
}

function checkUrl(url: string): void {
  const { protocol, hostname, username, password } = new URL(url);
  if (username !== '' || password !== '') {
    throw new RunError('telemetry.traces.url holds a user or a password: give telemetry.traces.headersFile');
  }
  if (protocol === 'http:' && !isLoopback(hostname)) {
    throw new RunError('telemetry.traces.url would send in the clear when batches come: use https');
  }
}

/** Lines of `name: value`. */
function parseHeaders(text: string): Readonly<Record<string, string>> {
  const lines = text.split(/\r?\n/u).filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line, i) => {
      const [, name, value] = /^([\w-]+):\s*([\x20-\x7e]+)$/u.exec(line.trim()) ?? [];
      // The line itself is a secret.
      if (name === undefined || value === undefined) {
        throw new RunError(`line ${i + 1} of telemetry.traces.headersFile is not \`name: value\``);
      }
      return [name, value];
    }),
  );
}
