import type { Codec } from '../events/codec.ts';
import type { SealingKey } from '../events/control.ts';
import type { EventLog } from '../log/event-log.ts';
import { openGlobalTable } from '../log/global-table.ts';
import { keyringRecordKey, KeyError } from '../privacy/keyring.ts';
import { sealingKeyId } from '../privacy/sealing/format.ts';
import { newSealingKeyPair } from '../privacy/sealing/key-pair.ts';
import type { ControlTables } from './control-tables.ts';
import { TOPICS } from './topics.ts';

/** The public keys, as they are known to whoever may read the topic: a producer has no more than this. */
export interface SealingKeyTable {
  /** Where payloads are sealed to: the latest active key. */
  current(): SealingKey | undefined;
  /** All keys, destroyed ones too, in the order in which they were made. */
  all(): readonly SealingKey[];
  /** When a key stopped being the sealing key, ms; null while no other has followed it. */
  retiredAt(keyId: string): number | null;
  /** Waits for what was on the topic when this was called. @throws KeyError when a key is not what its id says. */
  catchUp(): Promise<void>;
}

export interface SealingKeyTools {
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'decodeSealingKey'>;
}

export async function openSealingKeys({ log, codec }: SealingKeyTools): Promise<SealingKeyTable> {
  const keys = new Map<string, SealingKey>();
  const table = await openGlobalTable({
    log,
    topic: TOPICS.sealing,
    apply: ({ value }) => {
      if (value === null) return;
      const key = codec.decodeSealingKey(value);
      // What was destroyed does not come back.
      if (keys.get(key.keyId)?.state !== 'destroyed') keys.set(key.keyId, key);
    },
  });
  const all = (): SealingKey[] => [...keys.values()].toSorted(byAge);

  async function check(): Promise<void> {
    for (const { keyId, publicKey } of keys.values()) {
      if ((await sealingKeyId(publicKey)) !== keyId) throw new KeyError(MISTAKEN(keyId));
    }
  }
  await check();
  return {
    current: () => all().findLast(({ state }) => state === 'active'),
    all,
    retiredAt(keyId) {
      const known = all();
      const place = known.findIndex((key) => key.keyId === keyId);
      return place < 0 ? null : (known[place + 1]?.createdAt ?? null);
    },
    async catchUp() {
      const before = table.positions();
      await table.caughtUpTo(await log.endOffsets(TOPICS.sealing));
      if (table.positions().some((position, i) => position !== before[i])) await check();
    },
  };
}

const MISTAKEN = (keyId: string): string =>
  `the sealing key ${keyId} is not the key that this id stands for: find out who wrote it to ${TOPICS.sealing}, ` +
  'and make another with `redactory keys sealing rotate`';

const NOT_KEPT = 'the keyring did not keep a new sealing key: nothing is sealed to it; run the command again';

/** By time, and for keys of one millisecond by id: the same for everybody, whatever order the topic has. */
function byAge(a: SealingKey, b: SealingKey): number {
  return a.createdAt - b.createdAt || (a.keyId < b.keyId ? -1 : 1);
}

/**
 * Makes a key, which becomes the one to seal to. The private key is on the keyring before the public one is told, so whoever
 * has caught up with the keyring after reading a batch can open it.
 *
 * @throws KeyError
 */
export async function makeSealingKey(options: {
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'encodeKeyEntry' | 'encodeSealingKey' | 'decodeSealingKey'>;
  readonly tables: Pick<ControlTables, 'keyring' | 'catchUp'>;
  readonly now: number;
}): Promise<SealingKey> {
  const { log, codec, tables } = options;
  const known = (await openSealingKeys(options)).all();
  await tables.catchUp();
  // Never at or before another key's time, whatever the clock says.
  const createdAt = Math.max(options.now, (known.at(-1)?.createdAt ?? 0) + 1);
  const { keyId, publicKey, privateKey } = await newSealingKeyPair();
  const entry = await tables.keyring.sealing.newEntry({ keyId, privateKey }, createdAt);
  privateKey.fill(0);
  const value = codec.encodeKeyEntry(entry);
  await log.append(TOPICS.keyring, [{ key: keyringRecordKey(entry), value, timestamp: options.now }]);
  await tables.catchUp();
  // Told to producers only once whoever opens has it.
  if (tables.keyring.sealing.state(keyId) !== 'active') throw new KeyError(NOT_KEPT);
  const key: SealingKey = { keyId, publicKey, createdAt, state: 'active' };
  await log.append(TOPICS.sealing, [{ key: keyId, value: codec.encodeSealingKey(key), timestamp: options.now }]);
  return key;
}

/** Makes a sealing key where there is none: what a deployment starts with. */
export async function ensureSealingKey(options: Parameters<typeof makeSealingKey>[0]): Promise<void> {
  if ((await openSealingKeys(options)).current() === undefined) await makeSealingKey(options);
}
