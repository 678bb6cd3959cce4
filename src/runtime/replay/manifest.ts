/**
 * What a replay is about, fixed when it starts: a record of the compacted topic `replays`, by its name. Whoever starts the
 * same replay again, on whatever machine, finds it there and goes on.
 */
import * as z from 'zod';
import type { EventLog, LogRecord } from '../../log/event-log.ts';
import { FencedError, UnknownTopicError } from '../../log/event-log.ts';
import { RunError } from '../run-error.ts';
import { REPLAYS_TOPIC, replayNames } from './names.ts';

const offset = z.int().min(0);
const time = z.int().min(0);

/** A stretch of one raw partition, in offsets. */
const partition = z.strictObject({
  /** First offset that was kept when the replay started; everything before had expired. */
  begin: offset,
  /** Sessions that were open at `from` are read from here on. */
  warmFrom: offset,
  /** Output is made of the records from here ... */
  from: offset,
  /** ... to before here. */
  end: offset,
});

const manifest = z.strictObject({
  v: z.literal(1),
  name: z.string(),
  /** Digest of the policy; it covers the vocabulary's. */
  policy: z.string(),
  vocabulary: z.string(),
  /** As asked for, ms since the epoch; null for all that is there. */
  from: time.nullable(),
  to: time.nullable(),
  /** Record timestamps at the ends of what is replayed (ms); null when that is nothing. */
  span: z.strictObject({ first: time, last: time }).nullable(),
  /** By raw partition. */
  partitions: z.array(partition),
  /** Partitions of its sanitised topic: as many as the live one had at the start. Older manifests do not say. */
  sanitizedPartitions: z.int().min(1).optional(),
  /** Of the stretch that was asked for, so many offsets at most had expired when the replay started. */
  expired: offset,
  startedAt: time,
  /** `abandoning`: that of `abandoned` is under way, and whoever works on it may still write. */
  state: z.enum(['running', 'done', 'promoted', 'abandoning', 'abandoned']),
  finishedAt: time.nullable(),
  /** Where the replay's table is. */
  table: z.string(),
  /** The version of the live table that has the replay's rows in place of its own. */
  promoted: z.strictObject({ version: z.int().min(0), at: time }).nullable(),
});

export type ReplayManifest = z.infer<typeof manifest>;
export type ReplayPartition = z.infer<typeof partition>;

/** Nothing more comes of the replay. */
export class ReplayEndedError extends RunError {
  override name = 'ReplayEndedError';
}

/** @throws ReplayEndedError */
export function refuseAbandoned({ name, state }: ReplayManifest): void {
  if (state !== 'abandoning' && state !== 'abandoned') return;
  throw new ReplayEndedError(`the replay ${name} was abandoned: start another under a new name`);
}

/** All replays that there are, by name. */
export async function readManifests(log: EventLog): Promise<ReadonlyMap<string, ReplayManifest>> {
  const manifests = new Map<string, ReplayManifest>();
  try {
    for await (const record of everything(log)) {
      if (record.value === null) manifests.delete(record.key);
      else manifests.set(record.key, parseManifest(record.value, record.key));
    }
  } catch (error) {
    // Nobody has replayed anything yet.
    if (!(error instanceof UnknownTopicError)) throw error;
  }
  return manifests;
}

/** @throws RunError when there is no such replay. */
export async function readManifest(log: EventLog, name: string): Promise<ReplayManifest> {
  const found = (await readManifests(log)).get(name);
  if (found !== undefined) return found;
  throw new RunError(`there is no replay named ${name}: \`redactory replay list\` shows those that there are`);
}

/**
 * Changes a replay's manifest as one of any number of processes: `change` sees what is there and says what shall be, or
 * undefined for no change. Its answer counts only if nobody else has changed it in the meantime; else it is asked again.
 */
export async function changeManifest(
  log: EventLog,
  name: string,
  change: (current: ReplayManifest | undefined) => Promise<ReplayManifest | undefined>,
): Promise<ReplayManifest | undefined> {
  for (let tries = 1; ; tries++) {
    // Taking the id ends what its last holder has begun: who reads after that reads all that will ever count before.
    const producer = await log.transactional(replayNames(name).manifestId);
    try {
      const current = (await readManifests(log)).get(name);
      const next = await change(current);
      if (next === undefined) return current;
      const transaction = await producer.begin();
      const value = new TextEncoder().encode(JSON.stringify(manifest.parse(next)));
      await transaction.append(REPLAYS_TOPIC, [{ key: name, value, timestamp: next.finishedAt ?? next.startedAt }]);
      await transaction.commit();
      return next;
    } catch (error) {
      if (!(error instanceof FencedError) || tries === MAX_TRIES) throw error;
    } finally {
      await producer.close();
    }
  }
}

const MAX_TRIES = 50;

function parseManifest(value: Uint8Array, name: string): ReplayManifest {
  try {
    return manifest.parse(JSON.parse(new TextDecoder().decode(value)));
  } catch {
    throw new RunError(
      `what the topic ${REPLAYS_TOPIC} holds of ${name} is of another version: use the one that wrote it`,
    );
  }
}

async function* everything(log: EventLog): AsyncGenerator<LogRecord> {
  const begins = await log.beginOffsets(REPLAYS_TOPIC);
  for (const [at, end] of (await log.endOffsets(REPLAYS_TOPIC)).entries()) {
    let from = begins[at] ?? 0;
    while (from < end) {
      const request = { topic: REPLAYS_TOPIC, partition: at, offset: from, maxRecords: 1_000, maxBytes: 1 << 22 };
      const fetched = await log.read({ ...request, waitMs: 200 });
      yield* fetched.records;
      from = fetched.nextOffset;
    }
  }
}
