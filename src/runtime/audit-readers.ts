/** Who has read raw data, for the people whose data it is. */
import type { Codec } from '../events/codec.ts';
import type { AuditRecord } from '../events/control.ts';
import type { EventLog } from '../log/event-log.ts';
import { READERS_ENTRIES } from '../producers/gateway/spans.ts';
import type { AuditedWork } from './audit.ts';
import { auditBounds, decoded, readAudit } from './audit/trail.ts';
import { TOPICS } from './topics.ts';

/** Work that reads what was recorded of people; a playground opens nothing but what its made-up person did. */
const RAW_READS: ReadonlySet<string> = new Set<AuditedWork>([
  'sanitize',
  'run',
  'demo',
  'replay',
  'replay dry run',
  'vocabulary build',
  'inspect raw',
]);

/** One look at raw data: that it began says it all. */
export type RawRead = Pick<AuditRecord, 'at' | 'who' | 'what' | 'why'>;

/**
 * Work that has read raw data since a moment (ms since the epoch), newest first, {@link READERS_ENTRIES} at most. The log must be
 * one that may read the topic `audit`.
 *
 * @throws UnknownTopicError, and what the log throws.
 */
export async function rawReadersSince(
  log: EventLog,
  codec: Pick<Codec, 'decodeAudit'>,
  sinceMs: number,
): Promise<readonly RawRead[]> {
  const [begin, end] = await auditBounds(log);
  const from = await log.offsetForTime({ topic: TOPICS.audit, partition: 0 }, sinceMs);
  let reads: RawRead[] = [];
  for await (const { value } of readAudit(log, Math.max(begin, from), end)) {
    const record = decoded(codec, value);
    if (record === null || record.stage !== 'started' || record.at < sinceMs) continue;
    const { at, who, what, why } = record;
    if (RAW_READS.has(what)) reads.push({ at, who, what, why });
    if (reads.length >= 2 * READERS_ENTRIES) reads = reads.slice(-READERS_ENTRIES);
  }
  return reads.slice(-READERS_ENTRIES).toReversed();
}
