/** The playground's side of the gateway. */
import type { ReleasedAnswer, SettingsAnswer } from '../../src/runtime/playground/protocol.ts';

/** Before another try, ms. */
const RETRY_MS = 1_500;

export class AnswerError extends Error {
  readonly status: number;
  /** ms. */
  readonly retryMs: number;
  constructor(status: number, retryMs: number) {
    super(`the gateway answered ${status}`);
    this.status = status;
    this.retryMs = retryMs;
  }
}

export interface Source {
  /** @throws AnswerError, TypeError */
  readonly settings: () => Promise<SettingsAnswer>;
  /** Tells of all that comes, for ever; of each answer that does not, and what is tried again. */
  readonly follow: (told: (answer: ReleasedAnswer) => void, failed: (status: number) => void) => Promise<never>;
}

export function createSource(token: string): Source {
  async function ask(path: string): Promise<unknown> {
    const response = await fetch(path, { headers: { authorization: `Bearer ${token}` }, cache: 'no-store' });
    if (response.ok) return response.json();
    throw new AnswerError(response.status, Number(response.headers.get('retry-after')) * 1_000 || RETRY_MS);
  }
  return {
    // The gateway checks its answers against the same declaration.
    settings: async () => (await ask('/playground/settings')) as SettingsAnswer,
    async follow(told, failed) {
      for (let next = 0; ;) {
        try {
          const answer = (await ask(`/playground/released/${next}`)) as ReleasedAnswer;
          ({ next } = answer);
          told(answer);
        } catch (error) {
          const { status, retryMs } = error instanceof AnswerError ? error : new AnswerError(0, RETRY_MS);
          failed(status);
          await new Promise((resolve) => setTimeout(resolve, retryMs));
        }
      }
    },
  };
}
