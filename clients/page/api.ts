/** What the page asks the gateway (docs/recorders.md). */
export type Answer<T> =
  | { readonly kind: 'ok'; readonly body: T }
  /** With one of the gateway's reasons, or another if it is not the gateway that answers. */
  | { readonly kind: 'refused'; readonly status: number; readonly error: string; readonly retryAfterMs: number }
  | { readonly kind: 'unreachable' };

/** Whether it is a no. After anything else but a yes, nobody knows whether what was asked for has been done. */
export const isNo = (answer: Answer<unknown>): boolean => answer.kind === 'refused' && answer.status < 500;

export interface Api {
  get<T>(path: string): Promise<Answer<T>>;
  post<T>(path: string, body?: object): Promise<Answer<T>>;
}

const TIMEOUT_MS = 10_000;

/**
 * @param tokenOf what to sign in with, or null where a proxy does it.
 * @param onUnknown called when the gateway does not know who asks.
 */
export function createApi(tokenOf: () => string | null, onUnknown: () => void): Api {
  async function ask<T>(method: string, path: string, body?: object): Promise<Answer<T>> {
    const token = tokenOf();
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(path, {
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        cache: 'no-store',
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      answer = await response.json();
    } catch {
      return { kind: 'unreachable' };
    }
    // Of another person by now: the answer is nobody's.
    if (token !== tokenOf()) return { kind: 'unreachable' };
    // The gateway checks each answer against the schema that T comes from before it sends it.
    if (response.ok) return { kind: 'ok', body: answer as T };
    if (response.status === 401) onUnknown();
    const error = typeof answer === 'object' && answer !== null && 'error' in answer ? String(answer.error) : '';
    const seconds = Number(response.headers.get('retry-after') ?? 0);
    const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : 0;
    return { kind: 'refused', status: response.status, error, retryAfterMs };
  }
  return {
    get: (path) => ask('GET', path),
    post: (path, body) => ask('POST', path, body),
  };
}
