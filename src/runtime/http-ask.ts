/** One question over HTTP, bounded in time and size; follows no redirect, trusts no environment variable. */
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';

export interface Question {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body: object | undefined;
  readonly contentType: string;
}

export interface Bounds {
  readonly agent: http.Agent;
  /** For all of it, the answer's body included. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export interface Received {
  readonly status: number;
  readonly type: string;
  /** undefined: too large. */
  readonly text: string | undefined;
}

/** Redirects are answers like any other here: `node:http` follows none. @throws Error; {@link codeOf} says why. */
export function send(question: Question, { agent, timeoutMs, maxBytes }: Bounds): Promise<Received> {
  const body = question.body === undefined ? undefined : JSON.stringify(question.body);
  const headers = {
    ...question.headers,
    ...(body === undefined ? {} : { 'content-type': question.contentType, 'content-length': Buffer.byteLength(body) }),
  };
  const { promise, resolve, reject } = withResolvers<Received>();
  const start = question.url.startsWith('https:') ? https.request : http.request;
  const signal = AbortSignal.timeout(timeoutMs);
  const sent = start(question.url, { method: question.method, headers, agent, signal }, (response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const received = (text: string | undefined): void =>
      resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text });
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) return void chunks.push(chunk);
      received(undefined);
      response.destroy();
    });
    response.on('end', () => received(Buffer.concat(chunks).toString('utf8')));
    // Also when the body ends too soon.
    response.on('error', reject);
  });
  sent.on('error', (error) => reject(signal.aborted ? new Error(TIMED_OUT) : error));
  sent.end(body);
  return promise;
}

export const plainAgent = (maxSockets: number): http.Agent => new http.Agent({ keepAlive: true, maxSockets });

export const tlsAgent = (maxSockets: number, ca?: string): http.Agent =>
  new https.Agent({ keepAlive: true, maxSockets, ...TLS, ...(ca === undefined ? {} : { ca }) });

/** Said aloud, so that no environment variable turns the check of certificates off. */
const TLS = { minVersion: 'TLSv1.2', rejectUnauthorized: true } as const;

/** Whether what is sent to this host stays on this machine. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));

export const isCertificateFault = (code: string): boolean => /CERT|SIGNATURE|ISSUER|ALTNAME/u.test(code);

const TIMED_OUT = 'timed out';

/** The system's code for what went wrong; messages of others could show more than they should. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error && error.message === TIMED_OUT ? TIMED_OUT : 'unknown error';
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
