import type { Codec } from '../events/codec.ts';
import { addCounts, type DropCounts } from '../events/outcome.ts';
import type { LogRecord, NewRecord } from '../log/event-log.ts';
import { epochOf } from '../privacy/keyring.ts';
import type { KeyringTable } from '../privacy/keyring.ts';
import { closeOwner, type OwnerContent } from '../privacy/owners.ts';
import type { Processed, SessionOf } from '../processors/pipeline.ts';

const DAY_MS = 86_400_000;
/** Sessions whose totals are remembered, at most; one that is forgotten starts to count anew. */
const MAX_SESSIONS = 100_000;

/**
 * What of one raw partition goes to the topic of owners, with the transaction that releases it: for each session pseudonym
 * that was written to, whose it is and its totals so far, which take the place of those before; and for events of which
 * nothing was released yet, a record of its own.
 */
export interface OwnerLedger {
  /** A record was read for its sessions' state only. */
  warmed(result: Processed): void;
  processed(record: LogRecord, result: Processed): void;
  /** What to append for all that was processed since the last call. */
  take(): NewRecord[];
}

interface Totals {
  readonly key: string;
  readonly of: SessionOf;
  rows: number;
  events: number;
  dropped: DropCounts;
}

/** @param prefix of record keys: '' for what is live, else a replay's name and a slash. */
export function createOwnerLedger(options: {
  readonly codec: Pick<Codec, 'encodeOwner'>;
  readonly keyring: Pick<KeyringTable, 'ownerKey'>;
  readonly topic: string;
  readonly prefix: string;
}): OwnerLedger {
  const { codec, keyring, topic, prefix } = options;
  const stretches = new Map<string, Totals>();
  let changed = new Set<Totals>();

  /**
   * The totals that a record's counts belong to; undefined where nothing of its session was released yet, and for a batch that
   * was dropped whole: its session may have ended, and of an ended one a successor has seen the end only.
   */
  function count({ kind, of, released, counts }: Processed): Totals | undefined {
    if (of === null || kind !== 'keep') return undefined;
    // A recorder may use a session's id again, under another grant: that is another session.
    const name = `${of.subjectKey}\0${of.session}\0${of.grantedAt}`;
    let totals = stretches.get(name);
    if (released !== null && totals?.key !== released.session) {
      totals = { key: released.session, of, rows: 0, events: 0, dropped: {} };
      stretches.delete(name);
      stretches.set(name, totals);
      forgetOldest();
    }
    if (totals === undefined) return undefined;
    totals.rows += released?.actions.length ?? 0;
    totals.events += counts.released;
    totals.dropped = addCounts(totals.dropped, counts.dropped);
    return totals;
  }
  function forgetOldest(): void {
    for (const name of stretches.keys()) {
      if (stretches.size <= MAX_SESSIONS) return;
      stretches.delete(name);
    }
  }

  function recordOf({ key, of, rows, events, dropped }: Totals): NewRecord[] {
    const epoch = epochOf(of.grantedAt);
    const day = Math.floor(of.grantedAt / DAY_MS);
    const ownerKey = keyring.ownerKey(epoch);
    // Destroyed: nobody is to know whose it was.
    if (ownerKey === undefined) return [];
    const recordKey = `${prefix}${key}`;
    const { subjectKey, grantedAt } = of;
    const content: OwnerContent = { subjectKey, day, grantedAt, rows, events, dropped };
    const closed = closeOwner(ownerKey, recordKey, content);
    // As what is released: by its day, which says no more than the table.
    return [{ key: recordKey, value: codec.encodeOwner({ epoch, closed }), timestamp: day * DAY_MS }];
  }

  return {
    warmed: (result) => void count(result),
    processed(record, result) {
      const totals = count(result);
      if (totals !== undefined) changed.add(totals);
      else if (result.of !== null && Object.keys(result.counts.dropped).length > 0) {
        const key = `${topic}/${record.partition}/${record.offset}`;
        changed.add({ key, of: result.of, rows: 0, events: 0, dropped: result.counts.dropped });
      }
    },
    take() {
      const records = [...changed].flatMap(recordOf);
      changed = new Set();
      return records;
    },
  };
}
