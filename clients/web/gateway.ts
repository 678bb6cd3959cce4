/** The gateway over HTTP, as docs/recorders.md tells it. An answer is a value; nothing here throws. */
import type { Cost } from './cost.ts';

/** What `fetch` may hold of keepalive requests at a time: https://fetch.spec.whatwg.org/#http-network-or-cache-fetch */
export const KEEPALIVE_BYTES = 65_536;
/** No answer is one after this time, ms. */
const ANSWER_MS = 30_000;

export interface Answer {
  /** 0 where there is none. */
  readonly status: number;
  /** `error` of the body, or ''. */
  readonly reason: string;
  /** ms; 0 where it is not said. */
  readonly retryAfterMs: number;
  readonly until: number | null;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Request {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly type?: string;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  readonly signal?: AbortSignal;
  /** Not sent at all if it would not outlive the page. */
  readonly isLast?: boolean;
}

export interface GatewayOptions {
  readonly url: string;
  readonly headers: () => HeadersInit | Promise<HeadersInit>;
  readonly credentials: RequestCredentials;
  readonly fetch: typeof fetch;
  readonly setTimer: (work: () => void, ms: number) => () => void;
  readonly cost: Cost;
}

export type AskGateway = (request: Request) => Promise<Answer>;

const NO_ANSWER: Answer = { status: 0, reason: '', retryAfterMs: 0, until: null, body: {} };

export function createGateway(options: GatewayOptions): AskGateway {
  const { cost } = options;
  const base = options.url.replace(/\/+$/u, '');
  let alive = 0;

  return async ({ method, path, type, body, signal, isLast = false }) => {
    const bytes = typeof body === 'string' ? body.length : (body?.length ?? 0);
    // Kept alive, a request outlives its page; above the limit it would be refused.
    const keepalive = alive + bytes <= KEEPALIVE_BYTES;
    if (isLast && !keepalive) return NO_ANSWER;
    const timeout = new AbortController();
    const giveUp = (): void => timeout.abort();
    let stopTimer: (() => void) | undefined;
    signal?.addEventListener('abort', giveUp);
    if (keepalive) alive += bytes;
    try {
      const given = options.headers();
      const headers = new Headers(given instanceof Promise ? await given : given);
      if (signal?.aborted === true) return NO_ANSWER;
      if (type !== undefined) headers.set('content-type', type);
      stopTimer = options.setTimer(giveUp, ANSWER_MS);
      cost.requests++;
      cost.bytesSent += bytes;
      const response = await options.fetch(`${base}${path}`, {
        method,
        headers,
        keepalive,
        body: body ?? null,
        credentials: options.credentials,
        cache: 'no-store',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        signal: timeout.signal,
      });
      return answerOf(response, await response.text());
    } catch {
      return NO_ANSWER;
    } finally {
      stopTimer?.();
      signal?.removeEventListener('abort', giveUp);
      if (keepalive) alive -= bytes;
    }
  };
}

function answerOf({ status, headers }: Response, text: string): Answer {
  const body = readObject(text);
  const seconds = Number(headers.get('retry-after') ?? 0);
  return {
    status,
    reason: typeof body['error'] === 'string' ? body['error'] : '',
    retryAfterMs: seconds > 0 ? seconds * 1_000 : 0,
    until: typeof body['until'] === 'number' ? body['until'] : null,
    body,
  };
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    // An object; what is in it is looked at where it is used.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export interface Grant {
  readonly session: string;
  /** ms; so is the next. */
  readonly grantedAt: number;
  readonly endsAt: number;
  readonly limits: { readonly maxBodyBytes: number; readonly maxEventsPerBatch: number };
  readonly sealing: { readonly keyId: string; readonly publicKey: string; readonly suite: string };
  readonly record: {
    readonly excludeApps: readonly string[];
    readonly excludeHosts: readonly string[];
    readonly excludeTitles: readonly string[];
    readonly kinds: readonly string[];
  };
}

/** Undefined where a part that is needed is missing: then nothing may be recorded. */
export function readGrant(body: Answer['body']): Grant | undefined {
  const [limits, sealing, record] = [body['limits'], body['sealing'], body['record']].map(objectOf);
  if (limits === undefined || sealing === undefined || record === undefined) return undefined;
  const texts = [body['session'], sealing['keyId'], sealing['publicKey'], sealing['suite']];
  const numbers = [body['grantedAt'], body['endsAt'], limits['maxBodyBytes'], limits['maxEventsPerBatch']];
  const lists = [record['excludeApps'], record['excludeHosts'], record['excludeTitles'], record['kinds']];
  const isWhole =
    texts.every((text) => typeof text === 'string' && text !== '') &&
    numbers.every(Number.isSafeInteger) &&
    lists.every((list) => Array.isArray(list) && list.every((entry) => typeof entry === 'string'));
  return isWhole ? (body as unknown as Grant) : undefined; // checked above
}

const objectOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined; // an object
