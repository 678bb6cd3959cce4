import type { Person } from './gateway.ts';
import type { Asking } from './identity.ts';
import { keptAnswer, readersAnswer, refusalAnswer, type Kept, type Readers, type Refused } from './protocol.ts';

/** What is known of one person, for that person. Who serves it may open what is closed; the gateway only passes it on. */
export interface PersonView {
  kept(person: Person, asking: Asking): Promise<Kept | Refused>;
  readers(person: Person, asking: Asking): Promise<Readers | Refused>;
}

export const NO_VIEW: PersonView = {
  kept: async () => ({ refused: 'not_served' }),
  readers: async () => ({ refused: 'not_served' }),
};

const TIMEOUT_MS = 15_000;
/** Bytes of an answer. */
const MAX_BYTES = 16 << 20;

/**
 * Asks the steward at `url` with the person's own credentials, so that whoever holds the gateway learns of nobody who has
 * not just asked.
 *
 * @param header the one that says who asks, in lower case.
 */
export function remoteView({ url, header }: { readonly url: string; readonly header: string }): PersonView {
  async function ask<T extends object>(
    path: string,
    asking: Asking,
    schema: { parse(value: unknown): T },
  ): Promise<T | Refused> {
    const credential = asking.headers[header];
    const gone = asking.gone?.();
    if (typeof credential !== 'string') return { refused: 'unauthenticated' };
    try {
      const answer = await fetch(new URL(path, url), {
        headers: { [header]: credential },
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(gone === undefined ? [] : [gone])]),
      });
      const body: unknown = JSON.parse(await boundedText(answer));
      return answer.ok ? schema.parse(body) : { refused: refusalAnswer.parse(body).error, status: answer.status };
    } catch {
      // Whatever it was: nothing of an answer that is not one is told.
      return { refused: 'unavailable', retryAfter: 5 };
    }
  }
  return {
    kept: (_person, asking) => ask('/v1/me/kept', asking, keptAnswer),
    readers: (_person, asking) => ask('/v1/me/readers', asking, readersAnswer),
  };
}

async function boundedText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new RangeError('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
