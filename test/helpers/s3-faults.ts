/** A loopback HTTP proxy in front of an S3 server that loses answers, cuts them, or answers itself. */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A request as a test sees it: `put`, `get`, …, or what S3 calls the request when its query says so. */
export interface SeenRequest {
  readonly kind: 'put' | 'get' | 'head' | 'list' | 'delete' | 'create' | 'part' | 'complete' | 'abort';
  /** The object's key, or the path of the bucket. */
  readonly path: string;
}

export type Fault =
  /** The server carries it out; the connection ends without an answer. */
  | 'lose-answer'
  /** The server never hears of it; the connection ends. */
  | 'lose-request'
  /** The first half of the answer's body, then the connection ends. */
  | 'cut-answer'
  /** One byte in the middle of the answer's body is another. */
  | 'garble-answer'
  /** An answer of the proxy's own. */
  | { readonly status: number; readonly code: string };

export interface FaultyServer {
  readonly endpoint: string;
  /** All requests so far, in order. */
  readonly seen: readonly SeenRequest[];
  /** Asked for every request; undefined lets it pass. */
  fault: (seen: SeenRequest) => Fault | undefined;
  close(): Promise<void>;
}

/** Starts the proxy before the server at `port`; without one it answers every request that is no fault with status 200. */
export async function startFaultyServer(port?: number): Promise<FaultyServer> {
  const seen: SeenRequest[] = [];
  const server = createServer((incoming, answer) => {
    const what = describeRequest(incoming);
    seen.push(what);
    handle(incoming, answer, port, faulty.fault(what)).catch(() => incoming.socket.destroy());
  });
  const listening = new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const faulty: FaultyServer = {
    endpoint: '',
    seen,
    fault: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  await listening;
  // A server that listens on TCP has an address of this shape.
  const { port: own } = server.address() as AddressInfo;
  return Object.assign(faulty, { endpoint: `http://127.0.0.1:${own}` });
}

function describeRequest({ method, url }: IncomingMessage): SeenRequest {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://server');
  const path = decodeURIComponent(pathname).split('/').slice(2).join('/');
  return { kind: kindOf(method ?? '', searchParams), path };
}

function kindOf(method: string, query: URLSearchParams): SeenRequest['kind'] {
  if (query.has('uploads')) return 'create';
  if (query.has('partNumber')) return 'part';
  if (query.has('uploadId')) return method === 'DELETE' ? 'abort' : 'complete';
  if (query.has('list-type')) return 'list';
  if (method === 'PUT') return 'put';
  if (method === 'HEAD') return 'head';
  return method === 'DELETE' ? 'delete' : 'get';
}

async function handle(
  incoming: IncomingMessage,
  answer: ServerResponse,
  port: number | undefined,
  fault: Fault | undefined,
): Promise<void> {
  const body = await buffer(incoming);
  if (fault === 'lose-request') {
    incoming.socket.destroy();
    return;
  }
  if (typeof fault === 'object') {
    answer.writeHead(fault.status, { 'content-type': 'application/xml' });
    answer.end(`<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>injected</Message></Error>`);
    return;
  }
  if (port === undefined) {
    answer.end();
    return;
  }
  const { status, headers, content } = await forward(incoming, body, port);
  if (fault === 'lose-answer') {
    incoming.socket.destroy();
    return;
  }
  if (fault === 'garble-answer') content[content.length >> 1] = ~(content[content.length >> 1] ?? 0);
  answer.writeHead(status, headers);
  if (fault === 'cut-answer') answer.write(content.subarray(0, content.length / 2), () => incoming.socket.destroy());
  else answer.end(content);
}

async function forward(incoming: IncomingMessage, body: Buffer, port: number) {
  const { method, url: path, headers } = incoming;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    // The signature holds for the headers as they came, the host among them.
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
  return { status: answer.statusCode ?? 500, headers: answer.headers, content: await buffer(answer) };
}
