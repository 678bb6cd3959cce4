/** Retention and compaction of the embedded log. */
import { BatchReader, rewrite } from './batch.ts';
import { allTopics, partitionState, putPartitionState, type TopicInfo } from './partitions.ts';
import { numberOf, partitionKey, type Store } from './store.ts';

/** Applies every topic's cleanup as of `now` (ms). In steps of bounded size, so that other writers are not kept waiting. */
export async function cleanAll(store: Store, now: number): Promise<void> {
  const topics = store.reading(() => allTopics(store));
  for (const topic of topics) {
    for (let p = 0; p < topic.partitions; p += 1) await cleanPartition(store, topic, topic.firstId + p, now);
  }
}

async function cleanPartition(store: Store, topic: TopicInfo, id: number, now: number): Promise<void> {
  if (topic.cleanup.kind === 'compact') return compact(store, id, now);
  const oldest = now - topic.cleanup.retentionMs;
  while (await store.commit({ apply: () => expireSome(store, id, oldest) }));
}

/**
 * Drops records from the begin of the partition up to the first that is not older than `oldest`.
 * Returns whether there may be more to drop.
 */
function expireSome(store: Store, id: number, oldest: number): boolean {
  const state = partitionState(store, id);
  const { expired, boundary } = findExpired(store, id, state.begin, oldest);
  for (const key of expired) store.batches.removeSync(key);
  const lastExpired = expired.at(-1);
  let begin = lastExpired === undefined ? state.begin : numberOf(lastExpired) + 1;
  if (boundary !== undefined && boundary.stays > begin) {
    begin = boundary.stays;
    const rest = rewrite(boundary.value, 0, (record) => record.offset >= begin);
    if (rest !== undefined) store.batches.putSync(boundary.key, rest);
  }
  if (begin > state.begin) {
    putPartitionState(store, id, { ...state, begin });
    forgetTimes(store, id, begin);
  }
  return expired.length === STEP;
}

interface Expired {
  /** Batches of which nothing stays. */
  readonly expired: readonly Uint8Array[];
  /** The batch that holds the first record that stays, if it was met. */
  readonly boundary: { readonly key: Uint8Array; readonly value: Uint8Array; readonly stays: number } | undefined;
}

function findExpired(store: Store, id: number, begin: number, oldest: number): Expired {
  const expired: Uint8Array[] = [];
  for (const { key, value } of batchesFrom(store, id, begin)) {
    const stays = firstNotOlder(value, begin, oldest);
    if (stays !== undefined) return { expired, boundary: { key, value, stays } };
    expired.push(key);
    if (expired.length === STEP) break;
  }
  return { expired, boundary: undefined };
}

function firstNotOlder(batch: Uint8Array, begin: number, oldest: number): number | undefined {
  const reader = new BatchReader(batch);
  if (reader.latest < oldest) return undefined;
  while (reader.next()) if (reader.offset >= begin && reader.timestamp >= oldest) return reader.offset;
  return undefined;
}

/** Time index entries before `begin`, except the last: records after it may still be older than it. */
function forgetTimes(store: Store, id: number, begin: number): void {
  const before: Uint8Array[] = [];
  for (const { key, value } of store.times.getRange({ start: partitionKey(id, 0), end: partitionKey(id + 1, 0) })) {
    if (numberOf(value) >= begin) break;
    before.push(key);
  }
  for (const key of before.slice(0, -1)) store.times.removeSync(key);
}

/**
 * Keeps the last record of each key. A last record that is a tombstone goes {@link TOMBSTONE_MS} after a compaction first
 * met it (not after its own timestamp, which may be long past), so that slow readers learn of it: KIP-534.
 */
async function compact(store: Store, id: number, now: number): Promise<void> {
  const last = new Map<string, number>();
  const keys: Uint8Array[] = [];
  store.reading(() => {
    for (const { key, value } of batchesFrom(store, id, 0)) {
      keys.push(key);
      const reader = new BatchReader(value);
      while (reader.next()) last.set(reader.key, reader.offset);
    }
  });
  for (let at = 0; at < keys.length; at += STEP) {
    const some = keys.slice(at, at + STEP);
    await store.commit({ apply: () => some.forEach((key) => compactBatch(store, key, last, now)) });
  }
}

function compactBatch(store: Store, key: Uint8Array, last: ReadonlyMap<string, number>, now: number): void {
  const value = store.batches.get(key);
  if (value === undefined) return;
  const before = new BatchReader(value);
  const { tombstonesUntil } = before;
  const expired = tombstonesUntil > 0 && now >= tombstonesUntil;
  let tombstones = 0;
  let dropped = 0;
  // Records appended since the keys were read only make more of these superseded: the next run finds them.
  const stays = (record: BatchReader): boolean =>
    record.offset >= (last.get(record.key) ?? 0) && !(record.isTombstone && expired);
  while (before.next()) {
    if (!stays(before)) dropped += 1;
    else if (before.isTombstone) tombstones += 1;
  }
  const until = tombstones > 0 && tombstonesUntil === 0 ? now + TOMBSTONE_MS : tombstonesUntil;
  if (dropped === 0 && until === tombstonesUntil) return;
  const rest = rewrite(value, until, stays);
  if (rest === undefined) store.batches.removeSync(key);
  else store.batches.putSync(key, rest);
}

function batchesFrom(store: Store, id: number, offset: number): Iterable<{ key: Uint8Array; value: Uint8Array }> {
  return store.batches.getRange({ start: partitionKey(id, offset), end: partitionKey(id + 1, 0) });
}

/** Batches handled in one transaction: at most about 16 MB. */
const STEP = 256;
/** How long a tombstone stays readable, as Kafka's delete.retention.ms. */
const TOMBSTONE_MS = 24 * 60 * 60 * 1000;
