import type { TopicSpec } from '../log/event-log.ts';

/** The topics of a deployment, by what flows on them. */
export const TOPICS = {
  raw: 'interactions.raw',
  sanitized: 'interactions.sanitized',
  quarantine: 'interactions.quarantine',
  consent: 'consent',
  keyring: 'keyring',
  erasures: 'erasures',
} as const;

export const GROUPS = { sanitize: 'sanitize', sink: 'sink' } as const;

const DAY_MS = 86_400_000;

/** What must exist, from the config's partitions and retention. */
export function topicSpecs(config: {
  readonly partitions: number;
  readonly retentionDays: { readonly raw: number; readonly sanitized: number; readonly quarantine: number };
}): readonly TopicSpec[] {
  const kept = (name: string, days: number, partitions: number): TopicSpec => ({
    name,
    partitions,
    cleanup: { kind: 'delete', retentionMs: days * DAY_MS },
  });
  const compacted = (name: string): TopicSpec => ({ name, partitions: 1, cleanup: { kind: 'compact' } });
  return [
    kept(TOPICS.raw, config.retentionDays.raw, config.partitions),
    kept(TOPICS.sanitized, config.retentionDays.sanitized, config.partitions),
    kept(TOPICS.quarantine, config.retentionDays.quarantine, 1),
    compacted(TOPICS.consent),
    compacted(TOPICS.keyring),
    compacted(TOPICS.erasures),
  ];
}
