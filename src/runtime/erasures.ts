import type { Codec } from '../events/codec.ts';
import type { Erasure } from '../events/control.ts';
import type { EventLog } from '../log/event-log.ts';
import { TOPICS } from './topics.ts';

type Writing = { readonly log: Pick<EventLog, 'append'>; readonly codec: Pick<Codec, 'encodeErasure'> };

/** From then on nothing of the person is processed. Durable when it resolves. */
export async function appendErasure({ log, codec }: Writing, erasure: Erasure): Promise<void> {
  const timestamp = erasure.doneAt ?? erasure.requestedAt;
  await log.append(TOPICS.erasures, [{ key: erasure.subjectKey, value: codec.encodeErasure(erasure), timestamp }]);
}
