import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { INGEST_KEY_VARIABLE, MASTER_KEY_VARIABLE, type Config } from '../config.ts';
import { createCodec, type Codec } from '../events/codec.ts';
import { openSchemaRegistry } from '../events/schemas.ts';
import { loadZstd, type Zstd } from '../events/zstd.ts';
import { openEmbeddedLog } from '../log/embedded.ts';
import type { EventLog } from '../log/event-log.ts';
import {
  parseKey,
  readKeyFile,
  readMasterKeys,
  readOrCreateKeyFile,
  type MasterKeys,
} from '../privacy/keys/key-files.ts';
import { createSubjectKeys } from '../privacy/subject-key.ts';
import { openControlTables, type ControlTables } from './control-tables.ts';
import { TOPICS, topicSpecs } from './topics.ts';

/** What every command works with: the log, the contracts, and the clock. Keys are opened only where a role needs them. */
export interface Workspace {
  readonly config: Config;
  readonly log: EventLog;
  readonly codec: Codec;
  readonly zstd: Zstd;
  readonly now: () => number;
  /** Reads (or makes) the ingest key. @throws KeyError */
  subjectKeys(): Promise<(subject: string) => string>;
  /** Reads (or makes) the master key; opens consent, keyring and erasures. @throws KeyError */
  controlTables(guardMs: number): Promise<ControlTables>;
  masterKeys(): Promise<MasterKeys>;
  /**
   * The time to stamp with (ms): the clock's, but never behind what this log's producers have stamped already, so that
   * batches of one log stay in the order of one time even if a clock was set back or a simulation ran ahead.
   */
  trustedNow(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Opens the data folder (made private, 0700, when missing) and everything in it.
 *
 * @throws LogStorageError, SchemaRegistryError
 */
export async function openWorkspace(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  now: () => number = Date.now,
): Promise<Workspace> {
  await mkdir(config.data, { recursive: true, mode: 0o700 });
  await chmod(config.data, 0o700);
  const zstd = await loadZstd();
  const schemas = openSchemaRegistry(join(config.data, 'schemas.json'));
  const codec = createCodec({ zstd, schemas, limits: config.limits });
  const log = await openEmbeddedLog({ dir: join(config.data, 'log'), now });
  await log.createTopics(topicSpecs(config.topics));

  async function masterKeys(): Promise<MasterKeys> {
    const given = env[MASTER_KEY_VARIABLE];
    if (given !== undefined) return { masterKey: parseKey(given, MASTER_KEY_VARIABLE), alsoOpens: [] };
    await refuseNewKey(config.keys.masterFile, [TOPICS.keyring]);
    return readMasterKeys(config.keys.masterFile);
  }

  async function ingestKey(): Promise<Uint8Array> {
    const given = env[INGEST_KEY_VARIABLE];
    if (given !== undefined) return parseKey(given, INGEST_KEY_VARIABLE);
    await refuseNewKey(config.keys.ingestFile, [TOPICS.consent, TOPICS.raw]);
    return readOrCreateKeyFile(config.keys.ingestFile);
  }

  /** Once there are records that depend on a key, a new one in its place would only hide that it is lost. */
  async function refuseNewKey(path: string, topics: readonly string[]): Promise<void> {
    for (const topic of topics) if ((await log.endOffsets(topic)).some((end) => end > 0)) await readKeyFile(path);
  }

  return {
    config,
    log,
    codec,
    zstd,
    now,
    masterKeys,
    subjectKeys: async () => createSubjectKeys(await ingestKey()),
    controlTables: async (guardMs) => openControlTables({ log, codec, guardMs, masterKeys: await masterKeys(), now }),
    trustedNow: async () => Math.max(now(), await latestStamp(log)),
    close: () => log.close(),
  };
}

/** The latest timestamp among the last records of the raw partitions. */
async function latestStamp(log: EventLog): Promise<number> {
  let latest = 0;
  for (const [partition, end] of (await log.endOffsets(TOPICS.raw)).entries()) {
    if (end === 0) continue;
    const begin = (await log.beginOffsets(TOPICS.raw))[partition] ?? 0;
    if (end <= begin) continue;
    const at = { topic: TOPICS.raw, partition };
    const { records } = await log.read({ ...at, offset: end - 1, maxRecords: 1, maxBytes: 1, waitMs: 0 });
    latest = Math.max(latest, records[0]?.timestamp ?? 0);
  }
  return latest;
}
