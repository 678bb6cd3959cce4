import { KEY_PURPOSES } from '../events/control.ts';
import type { Codec } from '../events/codec.ts';
import type { EventLog } from '../log/event-log.ts';
import { openGlobalTable, type GlobalTable } from '../log/global-table.ts';
import { createConsentTimeline, type ConsentTimeline } from '../privacy/consent.ts';
import { createKeyring, epochOf, keyringRecordKey, type KeyringTable } from '../privacy/keyring.ts';
import type { MasterKeys } from '../privacy/keys/key-files.ts';
import { TOPICS } from './topics.ts';

/** Consent, keys and erasures, as this process knows them: each a compacted topic read to its end. */
export interface ControlTables {
  readonly consent: ConsentTimeline;
  readonly keyring: KeyringTable;
  /**
   * Waits until the tables hold all that was on their topics when this was called. Called after a fetch of raw batches,
   * it makes consent causal: a decision made before a batch arrived is known when that batch is judged.
   *
   * @throws KeyError when a key does not open with the master key.
   */
  catchUp(): Promise<void>;
  /** Makes keys for sessions granted at these times (ms), where an epoch near today has none yet. */
  ensureKeys(grantedAt: Iterable<number>): Promise<void>;
  /** Records not applied yet, by table. */
  lag(): Promise<Readonly<Record<'consent' | 'keyring' | 'erasures', number>>>;
}

/** Stamps are trusted but not infallible: keys are made for sessions from two years back to a month ahead, no others. */
const OLDEST_EPOCH_MS = 731 * 86_400_000;
const NEWEST_EPOCH_MS = 31 * 86_400_000;

export async function openControlTables(options: {
  readonly log: EventLog;
  readonly codec: Codec;
  readonly guardMs: number;
  readonly masterKeys: MasterKeys;
  readonly now: () => number;
}): Promise<ControlTables> {
  const { log, codec } = options;
  const consent = createConsentTimeline({ guardMs: options.guardMs });
  const keyring = createKeyring(options.masterKeys);
  const tables = {
    consent: await openGlobalTable({
      log,
      topic: TOPICS.consent,
      // Decisions are immutable; one that was compacted away or deleted by an operator is simply not applied.
      apply: ({ value }) => value !== null && consent.apply(codec.decodeConsent(value)),
    }),
    keyring: await openGlobalTable({
      log,
      topic: TOPICS.keyring,
      apply: ({ value, offset }) => value !== null && keyring.apply(codec.decodeKeyEntry(value), offset),
    }),
    erasures: await openGlobalTable({
      log,
      topic: TOPICS.erasures,
      apply: ({ value }) => value !== null && consent.applyErasure(codec.decodeErasure(value)),
    }),
  };
  const topics = [
    [tables.consent, TOPICS.consent],
    [tables.keyring, TOPICS.keyring],
    [tables.erasures, TOPICS.erasures],
  ] as const;

  async function catchUpOne(table: GlobalTable, topic: string): Promise<void> {
    await table.caughtUpTo(await log.endOffsets(topic));
  }
  async function catchUp(): Promise<void> {
    await Promise.all(topics.map(([table, topic]) => catchUpOne(table, topic)));
    keyring.openKeys();
  }

  let makingKeys = Promise.resolve();
  return {
    consent,
    keyring,
    catchUp,
    ensureKeys(grantedAt) {
      // Partitions that meet a new month at the same moment take turns: the second finds the first one's keys.
      const turn = makingKeys.then(() => makeKeys(grantedAt));
      makingKeys = turn.catch(() => undefined);
      return turn;
    },
    async lag() {
      return {
        consent: await tables.consent.lag(),
        keyring: await tables.keyring.lag(),
        erasures: await tables.erasures.lag(),
      };
    },
  };

  async function makeKeys(grantedAt: Iterable<number>): Promise<void> {
    const now = options.now();
    const wanted = new Set<string>();
    for (const time of grantedAt) {
      if (time > now - OLDEST_EPOCH_MS && time < now + NEWEST_EPOCH_MS) wanted.add(epochOf(time));
    }
    const missing = [...wanted].flatMap((epoch) =>
      KEY_PURPOSES.filter((purpose) => keyring.state(purpose, epoch) === 'missing').map((purpose) => ({
        purpose,
        epoch,
      })),
    );
    if (missing.length === 0) return;
    const entries = missing.map(({ purpose, epoch }) => keyring.newEntry(purpose, epoch, now));
    await log.append(
      TOPICS.keyring,
      entries.map((entry) => ({ key: keyringRecordKey(entry), value: codec.encodeKeyEntry(entry), timestamp: now })),
    );
    // Another worker may have made one too: which of them counts is decided by the topic's order.
    await catchUp();
  }
}
