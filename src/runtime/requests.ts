import type { Codec } from '../events/codec.ts';
import type { PersonRequest, RequestAnswer } from '../events/control.ts';
import type { EventLog } from '../log/event-log.ts';
import { openGlobalTable } from '../log/global-table.ts';
import { endSegments } from './segments.ts';
import { COMPACTED_WITHIN_MS, TOPICS } from './topics.ts';

/** What people have asked an operator for. */
export interface RequestTable {
  /** Of one person, oldest first. */
  of(subjectKey: string): readonly PersonRequest[];
  /** Oldest first. */
  all(): readonly PersonRequest[];
  /** Waits for what was on the topic when this was called. */
  catchUp(): Promise<void>;
}

export async function openRequests({
  log,
  codec,
}: {
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'decodeRequest'>;
}): Promise<RequestTable> {
  const requests = new Map<string, PersonRequest>();
  const table = await openGlobalTable({
    log,
    topic: TOPICS.requests,
    apply: ({ key, value }) => {
      if (value === null) requests.delete(key);
      else requests.set(key, codec.decodeRequest(value));
    },
  });
  const all = (): PersonRequest[] => [...requests.values()].sort((a, b) => a.askedAt - b.askedAt);
  return {
    of: (subjectKey) => all().filter((one) => one.subjectKey === subjectKey),
    all,
    catchUp: async () => table.caughtUpTo(await log.endOffsets(TOPICS.requests)),
  };
}

type Writing = { readonly log: Pick<EventLog, 'append' | 'partitions'>; readonly codec: Pick<Codec, 'encodeRequest'> };

export const requestKey = ({ subjectKey, requestId }: PersonRequest): string => `${subjectKey}/${requestId}`;

/** Durable when it resolves. */
export async function appendRequest({ log, codec }: Writing, request: PersonRequest): Promise<void> {
  const timestamp = request.answeredAt ?? request.askedAt;
  await log.append(TOPICS.requests, [{ key: requestKey(request), value: codec.encodeRequest(request), timestamp }]);
}

/** Answers a request, and forgets its reason: once it is decided, nobody needs to read it again. */
export async function answerRequest(
  to: Writing,
  request: PersonRequest,
  { answer, comment, now }: { readonly answer: RequestAnswer; readonly comment: string; readonly now: number },
): Promise<void> {
  await appendRequest(to, { ...request, reason: '', answer, comment, answeredAt: now });
  await endSegments({ log: to.log, now: () => now }, TOPICS.requests, COMPACTED_WITHIN_MS);
}
