import type { Codec } from '../../events/codec.ts';
import type { AuditRecord } from '../../events/control.ts';
import type { EventLog } from '../../log/event-log.ts';
import { verifyChain, type Anchor, type Link, type Verdict } from './chain.ts';
import { auditBounds, decoded, readAudit } from './trail.ts';

interface Reading {
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'decodeAudit'>;
}

/**
 * Reads the whole trail, as it is now, and looks for what is not as it was written.
 *
 * @param keptSince what is younger must still be there, ms since the epoch.
 */
export async function verifyTrail(
  { log, codec }: Reading,
  { anchors, keptSince }: { readonly anchors: readonly Anchor[]; readonly keptSince: number },
): Promise<Verdict> {
  const [begin, end] = await auditBounds(log);
  const links: Link[] = [];
  for await (const { key, value } of readAudit(log, begin, end)) links.push({ key, record: decoded(codec, value) });
  return verifyChain(links, { anchors, keptSince, isCut: begin > 0 });
}

/** The last records, `limit` at most, oldest first; what cannot be read is left out. */
export async function lastOfTrail({ log, codec }: Reading, limit: number): Promise<readonly AuditRecord[]> {
  const [begin, end] = await auditBounds(log);
  // Between records there may be markers of transactions.
  for (let span = 3 * limit + 16; ; span *= 4) {
    const from = Math.max(begin, end - span);
    const records: AuditRecord[] = [];
    for await (const { value } of readAudit(log, from, end)) {
      const record = decoded(codec, value);
      if (record !== null) records.push(record);
    }
    if (records.length >= limit || from === begin) return limit === 0 ? [] : records.slice(-limit);
  }
}
