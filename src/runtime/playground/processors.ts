import type { Codec } from '../../events/codec.ts';
import type { EventLog, LogRecord } from '../../log/event-log.ts';
import type { Processed } from '../../processors/pipeline.ts';
import { loadPolicy } from '../../privacy/policy.ts';
import { shippedPolicy } from '../../package-path.ts';
import { runSanitizer, type Ledger, type SanitizerOptions, type SanitizerRoute } from '../sanitizer.ts';
import { TOPICS } from '../topics.ts';
import type { Feed } from './feed.ts';
import type { PlaygroundPolicy, ProcessedBatch } from './protocol.ts';

/** How long a read waits for something new, ms. */
const WAIT_MS = 500;
const FETCH = { maxRecords: 64, maxBytes: 1 << 20 };
const DAY_MS = 86_400_000;

const routeOf = (policy: PlaygroundPolicy): SanitizerRoute => ({
  group: `playground-${policy}`,
  raw: TOPICS.raw,
  sanitized: `playground.sanitized.${policy}`,
  quarantine: `playground.quarantine.${policy}`,
  owners: `playground-${policy}/`,
});

/** A policy that comes with the package. @throws PolicyError */
export async function playgroundPolicy(name: PlaygroundPolicy): ReturnType<typeof loadPolicy> {
  const path = shippedPolicy(name);
  if (path === undefined) throw new RangeError(`no policy of the name ${name} comes with the package`);
  return loadPolicy(path);
}

export type ProcessorTools = Pick<
  SanitizerOptions,
  'codec' | 'subjectKey' | 'tables' | 'sealed' | 'telemetry' | 'now'
> & {
  readonly codec: Codec;
  /** Shows the raw records of one person only. */
  readonly log: EventLog;
  readonly feed: Feed;
};

/**
 * Runs the processors over the raw topic under one policy, beside whatever else runs over it, and tells the feed what became
 * of each batch once what was released of it is on its own topic.
 *
 * @throws as {@link runSanitizer} does.
 */
export async function showReleased(tools: ProcessorTools, name: PlaygroundPolicy, signal: AbortSignal): Promise<void> {
  const { log, codec, feed } = tools;
  const route = routeOf(name);
  await log.createTopics(
    [route.sanitized, route.quarantine].map((topic) => ({
      name: topic,
      partitions: 1,
      cleanup: { kind: 'delete', retentionMs: DAY_MS },
    })),
  );
  const [from = 0] = await log.endOffsets(route.sanitized);
  const { policy, vocabulary } = await playgroundPolicy(name);
  /** What is processed, until its released batch has been read from the topic; by source. */
  const expected = new Map<string, ProcessedBatch>();
  const collector: Ledger = {
    warmed() {},
    pending() {},
    render: () => null,
    processed(record, result) {
      const told = describe(codec, name, record, result);
      if (told === undefined) return;
      if (result.released === null) feed.add(told);
      else expected.set(sourceOf(record.partition, record.offset), told);
    },
  };
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const work = runSanitizer(
    { ...tools, policy, vocabulary, route, fetch: FETCH, ledger: async () => collector },
    { end: false, signal: both },
  ).finally(() => stop.abort());
  const reading = readReleased({ ...tools, topic: route.sanitized, from, expected, signal: both }).finally(() =>
    stop.abort(),
  );
  const ends = await Promise.allSettled([work, reading]);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

const sourceOf = (partition: number | string, offset: number | string): string => `${partition}/${offset}`;

function describe(
  codec: Codec,
  policy: PlaygroundPolicy,
  { value }: LogRecord,
  { kind, reason, counts }: Processed,
): ProcessedBatch | undefined {
  const envelope = value === null ? undefined : codec.openEnvelope(value);
  // Nobody can say of which session it is.
  if (envelope?.ok !== true) return undefined;
  const { session, sequence } = envelope.value;
  return { policy, session, sequence, kind, reason, ...counts, dropped: { ...counts.dropped }, batch: null };
}

async function readReleased(options: {
  readonly log: EventLog;
  readonly codec: Codec;
  readonly feed: Feed;
  readonly topic: string;
  readonly from: number;
  readonly expected: Map<string, ProcessedBatch>;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { log, codec, feed, topic, expected, signal } = options;
  let offset = options.from;
  while (!signal.aborted) {
    const fetched = await log.read({ topic, partition: 0, offset, ...FETCH, waitMs: WAIT_MS, signal });
    for (const { value, headers } of fetched.records) {
      const source = sourceOf(headers['source-partition'] ?? '', headers['source-offset'] ?? '');
      const told = expected.get(source);
      expected.delete(source);
      if (told === undefined || value === null) continue;
      const { session, subject, day, actions } = codec.decodeReleased(value);
      const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
      feed.add({ ...told, batch: { session, subject, date, actions: [...actions] } });
    }
    offset = fetched.nextOffset;
  }
}
