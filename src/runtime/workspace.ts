import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ROLES, type Role } from '../config-kafka.ts';
import { INGEST_KEY_VARIABLE, type Config, type RegistrySettings } from '../config.ts';
import { createCodec, type Codec } from '../events/codec.ts';
import { openSchemaRegistry, type SchemaIds } from '../events/schemas.ts';
import { loadZstd, type Zstd } from '../events/zstd.ts';
import { openEmbeddedLog } from '../log/embedded.ts';
import { UnknownTopicError, type EventLog } from '../log/event-log.ts';
import { KeyError, parseKey, readKeyFile, readOrCreateKeyFile } from '../privacy/keys/key-files.ts';
import { readSecretFile } from '../privacy/keys/secret-file.ts';
import type { KeyWrapping } from '../privacy/keys/wrapping.ts';
import { createSubjectKeys } from '../privacy/subject-key.ts';
import type { AuditTrail } from './audit.ts';
import { createTrail, type TopicTrail } from './audit/trail.ts';
import { openControlTables, type ControlTables } from './control-tables.ts';
import { kafkaOptions } from './kafka-options.ts';
import type { RemoteSchemas } from './registry.ts';
import { RunError } from './run-error.ts';
import type { Telemetry } from './telemetry.ts';
import { createRawSealer, type RawSealer } from './sealer.ts';
import { ensureSealingKey, openSealingKeys } from './sealing-keys.ts';
import { TOPICS, topicSpecs } from './topics.ts';
import { openTraces, type Traces } from './traces.ts';
import { openWrapping } from './wrapping.ts';

/** What every command works with: the log, the contracts, and the clock. Keys are opened only where a role needs them. */
export interface Workspace {
  readonly config: Config;
  /** Signed in as the role that the workspace was opened for. */
  readonly log: EventLog;
  /** The same log as another part of the line sees it: on a cluster with identities, signed in as that one. */
  logAs(role: Role): Promise<EventLog>;
  readonly codec: Codec;
  readonly zstd: Zstd;
  readonly now: () => number;
  /** Reads (or makes) the ingest key. @throws KeyError */
  subjectKeys(): Promise<(subject: string) => string>;
  /**
   * Opens consent, keyring and erasures, and what {@link wrapping} gives.
   *
   * @throws as {@link wrapping} does.
   */
  controlTables(guardMs: number): Promise<ControlTables>;
  /**
   * What wraps keys, as the config says: reads (or makes) the master key, or opens the service. One for the workspace, and
   * closed with it.
   *
   * @throws KeyError, also for parts of the line that have no business with keys; WrappingUnavailableError.
   */
  wrapping(): Promise<KeyWrapping>;
  /** What is done here with personal data is recorded on it. Not for gateway and sink, who may not; closed with the workspace. */
  readonly audit: AuditTrail;
  /** Where spans go, as the config says; closed with the workspace. @throws RunError, KeyError */
  traces(): Promise<Traces>;
  /** What closes payloads on their way to the raw topic. @throws KeyError, where there is a cluster, while it has no key. */
  sealer(): Promise<RawSealer>;
  /**
   * The time to stamp with (ms): the clock's, but never behind what this log's producers have stamped already, so that
   * batches of one log stay in the order of one time even if a clock was set back or a simulation ran ahead.
   */
  trustedNow(): Promise<number>;
  close(): Promise<void>;
}

/** What a workspace is opened for. */
export interface WorkspaceOptions {
  /** Whose rights the command needs on a cluster; the embedded log knows one user only. */
  readonly role?: Role;
  readonly now?: () => number;
  readonly telemetry?: Pick<Telemetry, 'log' | 'retried'>;
}

/**
 * Opens the data folder (made private, 0700, when missing) and the log: the folder's own, or the config's cluster.
 *
 * @throws LogStorageError, SchemaRegistryError, RegistryUnavailableError; RunError when topics are missing on the cluster.
 */
export async function openWorkspace(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  { role = 'operator', now = Date.now, telemetry }: WorkspaceOptions = {},
): Promise<Workspace> {
  await mkdir(config.data, { recursive: true, mode: 0o700 });
  await chmod(config.data, 0o700);
  const zstd = await loadZstd();
  const local = openSchemaRegistry(join(config.data, 'schemas.json'));
  const remote = config.registry === null ? null : await openRegistry(config, config.registry, local, role, telemetry);
  const codec = createCodec({ zstd, schemas: remote ?? local, limits: config.limits });
  const logs = new Map<Role, Promise<EventLog>>();
  const openLogOf = async (identity: Role): Promise<EventLog> => {
    const log = await openLog(config, env, identity, now, telemetry);
    return remote === null ? log : remote.over(log);
  };
  const logAs = (as: Role): Promise<EventLog> => {
    const identity = config.kafka?.identities === undefined ? role : as;
    const opened = logs.get(identity) ?? openLogOf(identity);
    logs.set(identity, opened);
    return opened;
  };
  const log = await logAs(role).catch((error: unknown) => {
    remote?.close();
    throw error;
  });

  let opened: Promise<KeyWrapping> | undefined;
  async function openWrappingOnce(): Promise<KeyWrapping> {
    if (role === 'producer' || role === 'gateway' || role === 'sink') {
      throw new KeyError(`the ${role} opens no keys behind pseudonyms: what needs them is another part of the line`);
    }
    return openOwnWrapping();
  }
  function openOwnWrapping(): Promise<KeyWrapping> {
    const checkNew = (path: string): Promise<void> => refuseNewKey(path, [TOPICS.keyring]);
    return openWrapping(config, env, { checkNew, telemetry });
  }
  function wrapping(): Promise<KeyWrapping> {
    opened ??= openWrappingOnce();
    return opened;
  }

  async function ingestKey(): Promise<Uint8Array> {
    const given = env[INGEST_KEY_VARIABLE];
    if (given !== undefined) return parseKey(given, INGEST_KEY_VARIABLE);
    // A producer has no rights on consent; raw batches tell as much.
    await refuseNewKey(config.keys.ingestFile, role === 'producer' ? [TOPICS.raw] : [TOPICS.consent, TOPICS.raw]);
    return readOrCreateKeyFile(config.keys.ingestFile);
  }

  /** Once there are records that depend on a key, a new one in its place would only hide that it is lost. */
  async function refuseNewKey(path: string, topics: readonly string[]): Promise<void> {
    for (const topic of topics) if ((await log.endOffsets(topic)).some((end) => end > 0)) await readKeyFile(path);
  }

  async function sealer(): Promise<RawSealer> {
    const keys = await openSealingKeys({ log, codec });
    // One user does it all on one machine; on a cluster a producer has neither the rights nor the master key.
    if (keys.current() === undefined && config.kafka === null) await makeFirstSealingKey();
    return createRawSealer({ keys });
  }
  async function makeFirstSealingKey(): Promise<void> {
    const own = await openOwnWrapping();
    try {
      const tables = await openControlTables({ log, codec, guardMs: 0, wrapping: own, now });
      await ensureSealingKey({ log, codec, tables, now: now() });
    } finally {
      own.close();
    }
  }

  let traces: Promise<Traces> | undefined;
  let trail: Promise<TopicTrail> | undefined;
  const openTrail = async (): Promise<TopicTrail> => {
    // A producer enrols people as the operator, whose deed it is then.
    const own = role === 'producer' || role === 'sink' ? await logAs('operator') : log;
    return createTrail({ log: own, codec, now });
  };
  const audit: AuditTrail = {
    record: async (entry) => {
      trail ??= openTrail();
      await (await trail).record(entry);
    },
  };
  return {
    config,
    log,
    audit,
    traces() {
      traces ??= openTraces(config, telemetry);
      return traces;
    },
    logAs,
    codec,
    zstd,
    now,
    wrapping,
    subjectKeys: async () => createSubjectKeys(await ingestKey()),
    controlTables: async (guardMs) => openControlTables({ log, codec, guardMs, wrapping: await wrapping(), now }),
    sealer,
    // On a cluster producers may not read raw, and stamps come from the clocks of trusted machines.
    trustedNow: async () => (config.kafka === null ? Math.max(now(), await latestStamp(log)) : now()),
    close: async () => {
      for (const one of await Promise.allSettled([traces])) if (one.status === 'fulfilled') await one.value?.close();
      for (const one of await Promise.allSettled([trail])) if (one.status === 'fulfilled') await one.value?.close();
      for (const one of await Promise.allSettled([opened])) if (one.status === 'fulfilled') one.value?.close();
      for (const one of await Promise.allSettled(logs.values()))
        if (one.status === 'fulfilled') await one.value.close();
      remote?.close();
    },
  };
}

/** Loaded only where it is used, as the cluster's client is. */
async function openRegistry(
  config: Config,
  { url, username, passwordFile, caFile }: RegistrySettings,
  local: SchemaIds,
  role: Role,
  telemetry: WorkspaceOptions['telemetry'],
): Promise<RemoteSchemas & { over(log: EventLog): EventLog }> {
  const { openRemoteSchemas, withRemoteSchemas } = await import('./registry.ts');
  const schemas = await openRemoteSchemas({
    url,
    roles: rolesOf(config, role),
    local,
    ...(username === undefined ? {} : { username }),
    ...(passwordFile === undefined ? {} : { password: () => readSecretFile(passwordFile) }),
    ...(caFile === undefined ? {} : { caFile }),
    onRetry: ({ attempt, reason }) => {
      telemetry?.retried('registry', 'ask', reason);
      telemetry?.log.warn('the schema registry is asked again', { reason, count: attempt });
    },
    onUnknown: (id) =>
      telemetry?.log.warn('records name a schema that the registry does not know, and are not read', {
        detail: `schema ${id}`,
      }),
  });
  return Object.assign(schemas, { over: (log: EventLog) => withRemoteSchemas(log, schemas) });
}

/** Parts of the line that a command writes as. */
function rolesOf(config: Config, role: Role): readonly Role[] {
  // On one machine a command may be all of them.
  if (config.kafka === null) return ROLES;
  // Who is enrolled by the way is written as the operator.
  return role === 'producer' ? ['producer', 'operator'] : [role];
}

async function openLog(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  role: Role,
  now: () => number,
  telemetry: WorkspaceOptions['telemetry'],
): Promise<EventLog> {
  if (config.kafka === null) {
    const log = await openEmbeddedLog({ dir: join(config.data, 'log'), now });
    await log.createTopics(topicSpecs(config.topics));
    return log;
  }
  // Loaded only where it is used: most commands run without a cluster.
  const { openKafkaLog } = await import('../log/kafka.ts');
  const log = await openKafkaLog(kafkaOptions(config, env, role, telemetry?.log));
  try {
    for (const topic of TOPICS_OF[role]) await log.partitions(topic);
    return log;
  } catch (error) {
    await log.close();
    if (!(error instanceof UnknownTopicError)) throw error;
    throw new RunError(`${error.message} Topics are made by \`redactory topics apply\`.`);
  }
}

/** Topics that must be there before a part of the line starts. */
const TOPICS_OF: Readonly<Record<Role, readonly string[]>> = {
  producer: [TOPICS.raw, TOPICS.sealing],
  gateway: [TOPICS.raw, TOPICS.sealing, TOPICS.devices, TOPICS.consent, TOPICS.erasures, TOPICS.requests],
  // A cluster without a gateway need not have its topic.
  sanitizer: Object.values(TOPICS).filter((name) => name !== TOPICS.devices && name !== TOPICS.requests),
  sink: [TOPICS.sanitized],
  steward: [
    TOPICS.consent,
    TOPICS.keyring,
    TOPICS.erasures,
    TOPICS.devices,
    TOPICS.owners,
    TOPICS.requests,
    TOPICS.audit,
  ],
  // The operator makes the topics.
  operator: [],
};

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
