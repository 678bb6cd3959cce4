import type { TopicSpec } from '../../log/event-log.ts';
import { RunError } from '../run-error.ts';
import type { SanitizerRoute } from '../sanitizer.ts';
import type { SinkRoute } from '../sink-runner.ts';
import { DAY_STAMPED_DAYS, REPLAYS, TOPICS } from '../topics.ts';

/** Compacted: what each replay is about and how far it has come, by its name. */
export const REPLAYS_TOPIC = 'replays';

/** Everything that is one replay's own. Live work shares none of it. */
export interface ReplayNames {
  readonly sanitizer: SanitizerRoute;
  readonly sink: SinkRoute;
  /** Whoever holds this transactional id decides what the manifest says. */
  readonly manifestId: string;
}

/** @throws RunError when a replay cannot be called that. */
export function replayNames(name: string): ReplayNames {
  checkReplayName(name);
  const sanitized = `${REPLAYS.sanitized}${name}`;
  const quarantine = `${REPLAYS.quarantine}${name}`;
  return {
    sanitizer: { group: `${REPLAYS.sanitize}${name}`, raw: TOPICS.raw, sanitized, quarantine, owners: `${name}/` },
    sink: { group: `${REPLAYS.sink}${name}`, sanitized, isWhole: true },
    manifestId: `${REPLAYS.sanitize}${name}`,
  };
}

/** @throws RunError when a replay cannot be called that. */
export function checkReplayName(name: string): void {
  if (/^[a-z0-9][a-z0-9-]{0,40}$/u.test(name)) return;
  throw new RunError('a replay is named by 1 to 41 of a-z, 0-9 and -, beginning with a letter or a digit');
}

/** Where a replay's table is: beside the live one, in a folder or under a prefix of all replays. */
export const replayTable = (live: string, name: string): string => `${live.replace(/\/+$/u, '')}-replays/${name}`;

/**
 * The topics that a replay writes: as the live ones, but for their names, and kept longer by the age of the stretch, as a
 * released batch's timestamp is the day of its session.
 */
export function replayTopics(
  name: string,
  live: {
    readonly partitions: number;
    readonly retentionDays: { readonly sanitized: number; readonly quarantine: number };
  },
  ageMs: number,
): readonly TopicSpec[] {
  const { sanitized, quarantine } = replayNames(name).sanitizer;
  const kept = (topic: string, partitions: number, days: number): TopicSpec => ({
    name: topic,
    partitions,
    cleanup: { kind: 'delete', retentionMs: days * DAY_MS + ageMs },
  });
  return [
    kept(sanitized, live.partitions, live.retentionDays.sanitized + DAY_STAMPED_DAYS),
    kept(quarantine, 1, live.retentionDays.quarantine),
  ];
}

const DAY_MS = 86_400_000;

export const REPLAYS_SPEC: TopicSpec = { name: REPLAYS_TOPIC, partitions: 1, cleanup: { kind: 'compact' } };
