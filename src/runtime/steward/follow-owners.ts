import type { Codec } from '../../events/codec.ts';
import type { EventLog, LogRecord } from '../../log/event-log.ts';
import { openOwner, type OwnerContent } from '../../privacy/owners.ts';
import type { ControlTables } from '../control-tables.ts';
import { TOPICS } from '../topics.ts';

export interface OwnersTools {
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'decodeOwner'>;
  readonly tables: Pick<ControlTables, 'catchUp'> & { readonly keyring: Pick<ControlTables['keyring'], 'ownerKey'> };
}

/** Where a record of the topic of owners is. After partitions were added its key alone no longer says so. */
export interface OwnerPlace {
  readonly key: string;
  readonly partition: number;
}

/** One record of the topic of owners; without content it was removed, or nobody can open it any more. */
export type VisitOwner = (place: OwnerPlace, owner: OwnerContent | undefined) => void;

const PAGE = { maxRecords: 5_000, maxBytes: 4_000_000, waitMs: 1_000 } as const;

/**
 * Reads the topic of owners from where `positions` says (by partition; it is moved on) to the end that it has now.
 *
 * @throws KeyError when a key does not open; what the log throws.
 */
export async function readOwners(tools: OwnersTools, positions: number[], visit: VisitOwner): Promise<void> {
  const { log } = tools;
  const begins = await log.beginOffsets(TOPICS.owners);
  const ends = await log.endOffsets(TOPICS.owners);
  // After the ends: a month's keys are on their topic before its first record here; and those that were destroyed are gone.
  await tools.tables.catchUp();
  for (const [partition, end] of ends.entries()) {
    let offset = Math.max(positions[partition] ?? 0, begins[partition] ?? 0);
    while (offset < end) {
      const page = await log.read({ topic: TOPICS.owners, partition, offset, ...PAGE });
      // What has come since may be under keys that are not known here yet.
      const known = page.records.filter((record) => record.offset < end);
      openAll(tools, known, visit);
      offset = Math.min(page.nextOffset, end);
    }
    positions[partition] = offset;
  }
}

function openAll({ codec, tables }: OwnersTools, records: readonly LogRecord[], visit: VisitOwner): void {
  for (const record of records) {
    if (record.value === null) {
      visit(record, undefined);
      continue;
    }
    const { epoch, closed } = codec.decodeOwner(record.value);
    const ownerKey = tables.keyring.ownerKey(epoch);
    visit(record, ownerKey === undefined ? undefined : openOwner(ownerKey, record.key, closed));
  }
}

/** The session pseudonym that a record's key names, live or of a replay; undefined for the place of a raw batch. */
export const pseudonymIn = (key: string): string | undefined => /^(?:[a-z0-9-]+\/)?([0-9a-f]{32})$/u.exec(key)?.[1];

/** Whether a record is of what is live, not of a replay. */
export const isLive = (key: string): boolean => /^[0-9a-f]{32}$/u.test(key) || key.startsWith(`${TOPICS.raw}/`);
