/** The gateway over HTTP, as docs/recorders.md tells it. An answer is a value; nothing here throws. */
import type { Bytes } from './bytes.ts';
import type { Cost } from './cost.ts';
import type { RecorderOptions } from './options.ts';

/** What `fetch` may hold of keepalive requests at a time: https://fetch.spec.whatwg.org/#http-network-or-cache-fetch */
const KEEPALIVE_BYTES = 65_536;
/** No answer is one after this time, ms. */
const ANSWER_MS = 30_000;

export interface Answer {
  /** The status; 0 where there is none. */
  readonly outcome: number;
  /** ms; 0 where it is not said. */
  readonly retryMs: number;
  /** What the answer says, not checked. */
  readonly said: Said;
}

/** What of the protocol's answers is used here; any of it may be missing. */
export interface Said {
  readonly error?: string;
  readonly until?: number;
  readonly thin?: readonly string[];
  readonly recording?: string;
  /** Of the batch that is acknowledged. */
  readonly sequence?: number;
}

/** @param path below `/v1/`. */
export type Ask = (path: string, body?: Bytes | object, method?: string, type?: string) => Promise<Answer>;

export function createAsk(
  { gateway, token, headers: given, credentials = 'same-origin' }: RecorderOptions,
  cost: Cost,
): Ask {
  return async (path, body, method = 'POST', type = 'application/json') => {
    // Of what is undefined it makes nothing.
    const sent: Bytes | string | undefined = body instanceof Uint8Array ? body : JSON.stringify(body);
    const size = sent?.length ?? 0;
    let retryMs = 0;
    let status = 0;
    let said: Said = {};
    try {
      const headers = new Headers(await given?.());
      if (token) headers.set('authorization', `Bearer ${token}`);
      if (sent) headers.set('content-type', type);
      cost.requests++;
      cost.bytesSent += size;
      const response = await fetch(`${gateway.replace(/\/+$/u, '')}/v1/${path}`, {
        method,
        headers,
        credentials,
        body: sent ?? null,
        // Kept alive, a request outlives its page; above the limit it would be refused.
        keepalive: size <= KEEPALIVE_BYTES,
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      ({ status } = response);
      retryMs = Number(response.headers.get('retry-after')) * 1_000 || 0;
      // Where it is another, that is seen where it is used.
      said = (JSON.parse((await response.text()) || 'null') ?? {}) as Said;
    } catch {
      // No answer; or one that is none of the gateway's, such as the page of a proxy that signs people in.
      if (status < 300) status = 0;
    }
    return { outcome: status, retryMs, said };
  };
}
