/** An OTLP/HTTP collector on loopback: takes spans as JSON and remembers them. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it was delivered. */
export interface Delivered {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

export interface Collector {
  readonly url: string;
  /** What it answers, 200 at first. */
  status: number;
  /** Everything that came, headers and bodies, as text. */
  readonly received: string;
  readonly requests: number;
  readonly headers: readonly IncomingMessage['headers'][];
  spans(name?: string): readonly Delivered[];
  close(): Promise<void>;
}

interface Body {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Delivered[] }[] }[];
}

export async function startCollector(): Promise<Collector> {
  const bodies: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  let received = '';
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      headers.push(request.headers);
      received += `${request.url}\n${JSON.stringify(request.headers)}\n${body}\n`;
      bodies.push(body);
      response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server has an address of this kind.
  const { port } = server.address() as AddressInfo;
  const collector: Collector = {
    status: 200,
    url: `http://127.0.0.1:${port}/v1/traces`,
    get received() {
      return received;
    },
    get requests() {
      return bodies.length;
    },
    headers,
    spans: (name?: string) =>
      bodies
        .flatMap((body) => (JSON.parse(body) as Body).resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans)
        .filter((span) => name === undefined || span.name === name),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return collector;
}

/** Attributes by their names, numbers as numbers. */
export function factsOf({ attributes }: Delivered): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, 'intValue' in value ? Number(value['intValue']) : value['stringValue']]),
  );
}
