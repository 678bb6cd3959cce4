/** Topics and the state of their partitions, as they lie in the store. */
import { UnknownTopicError, type Cleanup, type TopicPartition, type TopicSpec } from '../event-log.ts';
import type { Store } from './store.ts';

export interface TopicInfo {
  readonly name: string;
  /** Partition p has id firstId + p; ids are never given twice. */
  readonly firstId: number;
  readonly partitions: number;
  readonly cleanup: Cleanup;
}

export interface PartitionState {
  /** First offset still kept. */
  readonly begin: number;
  /** One past the last committed record. */
  readonly end: number;
  /** Greatest timestamp that was ever appended, ms; -1 before the first. */
  readonly latest: number;
}

/** Checks one topic against what is stored, writing nothing. */
export function checkTopic(store: Store, spec: TopicSpec): void {
  const existing = topicInfo(store, spec.name);
  if (existing === undefined) return;
  if (existing.partitions !== spec.partitions) {
    throw new RangeError(
      `Topic '${spec.name}' has ${existing.partitions} partitions, ${spec.partitions} were asked for. ` +
        `Keep ${existing.partitions}: keys would move to other partitions. Or start a new log folder.`,
    );
  }
  if (existing.cleanup.kind !== spec.cleanup.kind) {
    throw new RangeError(
      `Topic '${spec.name}' is cleaned by '${existing.cleanup.kind}', '${spec.cleanup.kind}' was asked for. Keep it, or start a new log folder.`,
    );
  }
}

/** Creates the topic if it is missing; an existing one takes over the retention time. Inside a commit. */
export function putTopic(store: Store, spec: TopicSpec): void {
  const existing = topicInfo(store, spec.name);
  // Written only here.
  const firstId = existing?.firstId ?? (store.meta.get('nextPartitionId') as number | undefined) ?? 0;
  const info: TopicInfo = { name: spec.name, firstId, partitions: spec.partitions, cleanup: spec.cleanup };
  store.meta.putSync(['topic', spec.name], info);
  if (existing === undefined) store.meta.putSync('nextPartitionId', firstId + spec.partitions);
}

export function topicInfo(store: Store, name: string): TopicInfo | undefined {
  // Written only by putTopic.
  return store.meta.get(['topic', name]) as TopicInfo | undefined;
}

export function allTopics(store: Store): TopicInfo[] {
  const range = store.meta.getRange({ start: ['topic'], end: ['topic', AFTER_ALL_NAMES] });
  return [...range].map(({ value }) => value as TopicInfo);
}

export function partitionId(topic: TopicInfo, partition: number): number {
  if (Number.isInteger(partition) && partition >= 0 && partition < topic.partitions) return topic.firstId + partition;
  throw noSuchPartition({ topic: topic.name, partition }, topic.partitions);
}

export function partitionState(store: Store, id: number): PartitionState {
  // Written only by putPartitionState.
  return (store.meta.get(['partition', id]) as PartitionState | undefined) ?? { begin: 0, end: 0, latest: -1 };
}

export function putPartitionState(store: Store, id: number, state: PartitionState): void {
  store.meta.putSync(['partition', id], state);
}

function noSuchPartition(at: TopicPartition, partitions: number): UnknownTopicError {
  return new UnknownTopicError(
    `Topic '${at.topic}' has no partition ${at.partition}; it has 0 to ${partitions - 1}. Use one of these.`,
  );
}

/** Topic names are ASCII. */
const AFTER_ALL_NAMES = '\uffff';
