import { KEY_PURPOSES, type KeyPurpose, type KeyringEntry, type KeyringRecord } from '../events/control.ts';
import type { Codec } from '../events/codec.ts';
import type { EventLog } from '../log/event-log.ts';
import { openGlobalTable, type GlobalTable } from '../log/global-table.ts';
import { createConsentTimeline, type ConsentTimeline } from '../privacy/consent.ts';
import { createKeyring, epochOf, keyringRecordKey, type KeyringTable } from '../privacy/keyring.ts';
import { KeyError } from '../privacy/keys/key-error.ts';
import type { KeyWrapping } from '../privacy/keys/wrapping.ts';
import { shareRounds } from './shared-round.ts';
import { TOPICS } from './topics.ts';

/** Consent, keys and erasures, as this process knows them: each a compacted topic read to its end. */
export interface ControlTables {
  readonly consent: ConsentTimeline;
  readonly keyring: KeyringTable;
  /**
   * Waits until the tables hold all that was on their topics when this was called. Called after a fetch of raw batches,
   * it makes consent causal: a decision made before a batch arrived is known when that batch is judged.
   *
   * @throws KeyError when a key does not open; WrappingUnavailableError when what opens it gives no answer.
   */
  catchUp(): Promise<void>;
  /**
   * Makes keys for sessions granted at these times (ms), where an epoch near today has none yet; and waits until those that are
   * there are open.
   *
   * @throws as {@link catchUp} does; KeyError when another wrapping key than here was chosen.
   */
  ensureKeys(grantedAt: Iterable<number>): Promise<void>;
  /** Records not applied yet, by table. */
  lag(): Promise<Readonly<Record<'consent' | 'keyring' | 'erasures', number>>>;
}

/** Stamps are trusted but not infallible: keys are made for sessions from two years back to a month ahead, no others. */
const OLDEST_EPOCH_MS = 731 * 86_400_000;
const NEWEST_EPOCH_MS = 31 * 86_400_000;
/** More tries to make a key, and to open one, than rotations may come in between. */
const MAKING_TRIES = 4;
const OPENING_TRIES = 4;

export async function openControlTables(options: {
  readonly log: EventLog;
  readonly codec: Codec;
  readonly guardMs: number;
  readonly wrapping: KeyWrapping;
  readonly now: () => number;
}): Promise<ControlTables> {
  const { log, codec } = options;
  const consent = createConsentTimeline({ guardMs: options.guardMs });
  const keyring = createKeyring({ wrapping: options.wrapping });
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
      apply: ({ key, value, offset }) =>
        value === null ? keyring.remove(key, offset) : keyring.apply(codec.decodeKeyEntry(value), offset),
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
  async function catchUpOnce(): Promise<void> {
    await Promise.all(topics.map(([table, topic]) => catchUpOne(table, topic)));
    await openKeys();
  }
  /** What opened a key may be replaced while we ask for it: then there is something newer on the topic. */
  async function openKeys(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await keyring.openKeys();
        return;
      } catch (error) {
        if (!(error instanceof KeyError) || tries === OPENING_TRIES || (await tables.keyring.lag()) === 0) throw error;
        await catchUpOne(tables.keyring, TOPICS.keyring);
      }
    }
  }
  const catchUp = shareRounds(catchUpOnce);

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
    for (let tries = 0; tries < MAKING_TRIES; tries++) {
      const missing = [...wanted].flatMap((epoch) =>
        KEY_PURPOSES.filter((purpose) => keyring.state(purpose, epoch) === 'missing').map((purpose) => ({
          purpose,
          epoch,
        })),
      );
      // Another partition's round may have brought a key and not opened it yet.
      if (missing.length === 0) return openKeys();
      const entries = await Promise.all(missing.map(({ purpose, epoch }) => newEntry(purpose, epoch, now)));
      await appendKeyring(
        options,
        entries.filter((entry) => entry !== undefined),
      );
      // Another worker may have made one too: which of them counts is decided by the topic's order.
      await catchUp();
    }
    // Once may be a rotation between wrapping and append. Always is an old key.
    throw new KeyError(
      'new keys do not count: another wrapping key was chosen by `keys rotate` or `keys rewrap` than there is here; ' +
        'start again with the key settings of today, or if these are to be new, run `redactory keys rewrap` with them',
    );
  }

  /** Undefined when there is one meanwhile. */
  async function newEntry(purpose: KeyPurpose, epoch: string, now: number): Promise<KeyringEntry | undefined> {
    return keyring.state(purpose, epoch) === 'missing' ? keyring.newEntry(purpose, epoch, now) : undefined;
  }
}

/** Appends to the keyring: records, then tombstones. */
export async function appendKeyring(
  to: {
    readonly log: Pick<EventLog, 'append'>;
    readonly codec: Pick<Codec, 'encodeKeyEntry'>;
    readonly now: () => number;
  },
  entries: readonly KeyringRecord[],
  tombstones: readonly string[] = [],
): Promise<void> {
  const timestamp = to.now();
  const records = [
    ...entries.map((entry) => ({ key: keyringRecordKey(entry), value: to.codec.encodeKeyEntry(entry), timestamp })),
    ...tombstones.map((key) => ({ key, value: null, timestamp })),
  ];
  if (records.length > 0) await to.log.append(TOPICS.keyring, records);
}
