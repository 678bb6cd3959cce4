import type { Codec } from '../events/codec.ts';
import type { Erasure } from '../events/control.ts';
import type { EventLog } from '../log/event-log.ts';
import { TOPICS } from './topics.ts';

type Writing = { readonly log: Pick<EventLog, 'append'>; readonly codec: Pick<Codec, 'encodeErasure'> };

/**
 * What holds of a person's erasure when another record comes. Somebody may ask again while an erasure is being written down as
 * done: the record that it is done is then of less than what was asked for.
 */
export function laterErasure(before: Erasure | undefined, next: Erasure): Erasure {
  const isAskedFor = before?.doneAt === null && next.doneAt !== null && next.requestedAt < before.requestedAt;
  return isAskedFor ? before : next;
}

/** From then on nothing of the person is processed. Durable when it resolves. */
export async function appendErasure({ log, codec }: Writing, erasure: Erasure): Promise<void> {
  const timestamp = erasure.doneAt ?? erasure.requestedAt;
  await log.append(TOPICS.erasures, [{ key: erasure.subjectKey, value: codec.encodeErasure(erasure), timestamp }]);
}
