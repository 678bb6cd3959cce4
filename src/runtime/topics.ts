import type { TopicSpec } from '../log/event-log.ts';

/** The topics of a deployment, by what flows on them. */
export const TOPICS = {
  raw: 'interactions.raw',
  sanitized: 'interactions.sanitized',
  quarantine: 'interactions.quarantine',
  consent: 'consent',
  keyring: 'keyring',
  /** Public keys: producers seal to the latest. */
  sealing: 'sealing-keys',
  /** What recorders sign in to the gateway with; hashes of it. */
  devices: 'devices',
  erasures: 'erasures',
  /** What people ask for that an operator decides. */
  requests: 'requests',
  /** Whose a session of the table is, closed to all who have no key behind pseudonyms. */
  owners: 'session-owners',
  /** Who looked at what and changed what, each record chained to the one before. */
  audit: 'audit',
} as const;

export const GROUPS = { sanitize: 'sanitize', sink: 'sink' } as const;

/** How names begin of what a replay makes for itself; the replay's own name follows. */
export const REPLAYS = {
  sanitized: `${TOPICS.sanitized}.`,
  quarantine: `${TOPICS.quarantine}.`,
  /** Of groups, and of transactional ids. */
  sanitize: 'replay/',
  sink: 'replay-sink/',
} as const;

const DAY_MS = 86_400_000;

/**
 * Added to the retention of topics whose records are stamped with the day of their session: that began up to a day before its
 * batches came, and a day is as old at its end as at its beginning. Without them a record may expire when it is written.
 */
export const DAY_STAMPED_DAYS = 2;

/** How soon what was overwritten is to be gone: from the keyring keys that were destroyed, from requests reasons. */
export const COMPACTED_WITHIN_MS = 60_000;
/** Whose sessions were erased. A large topic, which is copied each time. */
export const OWNERS_WITHIN_MS = 3_600_000;

/** What must exist, from the config's partitions and retention. */
export function topicSpecs(config: {
  readonly partitions: number;
  readonly retentionDays: Readonly<Record<'raw' | 'sanitized' | 'quarantine' | 'audit', number>>;
}): readonly TopicSpec[] {
  const kept = (name: string, days: number, partitions: number): TopicSpec => ({
    name,
    partitions,
    cleanup: { kind: 'delete', retentionMs: days * DAY_MS },
  });
  const compacted = (name: string, withinMs?: number, partitions = 1): TopicSpec => ({
    name,
    partitions,
    cleanup: { kind: 'compact', ...(withinMs === undefined ? {} : { withinMs }) },
  });
  return [
    kept(TOPICS.raw, config.retentionDays.raw, config.partitions),
    kept(TOPICS.sanitized, config.retentionDays.sanitized + DAY_STAMPED_DAYS, config.partitions),
    kept(TOPICS.quarantine, config.retentionDays.quarantine, 1),
    compacted(TOPICS.consent),
    compacted(TOPICS.keyring, COMPACTED_WITHIN_MS),
    compacted(TOPICS.sealing),
    compacted(TOPICS.devices),
    compacted(TOPICS.erasures),
    compacted(TOPICS.requests, COMPACTED_WITHIN_MS),
    compacted(TOPICS.owners, OWNERS_WITHIN_MS, config.partitions),
    kept(TOPICS.audit, config.retentionDays.audit, 1),
  ];
}
