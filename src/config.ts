import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { checkKafka, kafkaSchema, ROLES, type KafkaSettings } from './config-kafka.ts';
import { gatewaySchema } from './config-gateway.ts';
import { stewardSchema } from './config-steward.ts';
import { DEFAULT_LIMITS } from './events/limits.ts';
import { shippedPolicy } from './package-path.ts';
import { checkYaml } from './privacy/policy/check.ts';
import { nearest } from './privacy/policy/nearest.ts';
import { describeKeys } from './privacy/policy/reference.ts';
import type { PolicyIssue } from './privacy/policy.ts';

const count = (min: number, max: number, text: string): z.ZodInt => z.int().min(min).max(max).describe(text);
const path = (text: string): z.ZodString => z.string().min(1).max(4_096).describe(text);

/** Whether a URL has no user and no password in it; what is no URL has another mistake. */
function namesNobody(url: string): boolean {
  const { username, password } = URL.canParse(url) ? new URL(url) : { username: '', password: '' };
  return username === '' && password === '';
}

/** The file as it may be written: every key may be left out. One declaration gives types, checks, defaults and docs. */
const configSchema = z.strictObject({
  data: path('The data folder: log, keys and table. Relative paths here are relative to this file.').default(
    '.redactory',
  ),
  policy: path(
    'The policy file, or `strict`, `balanced` or `recognizers`, which come with the package. Without it: `strict`.',
  ).optional(),
  keys: z
    .strictObject({
      master: path(
        'File of the master key, which wraps the keys behind pseudonyms: 32 bytes in base64, mode 0600; made when missing. Without it: `keys/master.key` in the data folder.',
      ).optional(),
      ingest: path(
        'File of the ingest key, which makes subject keys of subject ids; as above. Without it: `keys/ingest.key` in the data folder.',
      ).optional(),
      transit: z
        .strictObject({
          url: z.url({ protocol: /^https?$/u }).describe('Where the service is; `http` on this machine only.'),
          mount: z
            .string()
            .regex(/^[a-zA-Z0-9._-]+(?:\/[a-zA-Z0-9._-]+)*$/u, 'must be a path such as `transit`')
            .max(256)
            .describe('Where its transit engine is mounted.')
            .default('transit'),
          key: z
            .string()
            .regex(/^[a-zA-Z0-9._-]+$/u, 'must be letters, digits, dots, dashes')
            .max(128)
            .describe(
              "Name of the service's key, of an AEAD type and not derived, for this keyring alone: `keys rotate` removes its old versions.",
            ),
          tokenFile: path('File that holds the token; read again for every request.'),
          caFile: path("PEM file of the certificate authorities to trust; without it the system's.").optional(),
          namespace: z.string().min(1).max(256).describe('Namespace of the engine, if there are any.').optional(),
        })
        .describe(
          'An OpenBao or Vault service that wraps the keys behind pseudonyms, in place of the master key; that only opens what it has wrapped (docs/keys.md). Without it: the master key.',
        )
        .optional(),
    })
    .prefault({})
    .describe('Where keys lie. Their values are never part of a config.'),
  topics: z
    .strictObject({
      partitions: count(1, 1_024, 'Partitions of the raw and the sanitised topic; fixed once they are made.').default(
        4,
      ),
      retentionDays: z
        .strictObject({
          raw: count(1, 3_650, 'Of `interactions.raw`.').default(7),
          sanitized: count(
            1,
            3_650,
            'Of `interactions.sanitized`, and two more: its records bear the day of their session.',
          ).default(90),
          quarantine: count(1, 3_650, 'Of `interactions.quarantine`.').default(30),
          audit: count(1, 36_500, 'Of `audit`.').default(3_650),
        })
        .prefault({})
        .describe('How many days records stay on a topic.'),
    })
    .prefault({})
    .describe('The topics of the log.'),
  raw: z
    .strictObject({
      sealed: z
        .enum(['required', 'accepted'])
        .describe(
          '`required`: batches whose payload is not sealed are quarantined. `accepted`: they are processed as well, for the time in which a topic still holds some.',
        )
        .default('required'),
    })
    .prefault({})
    .describe('What is asked of batches on the raw topic.'),
  limits: z
    .strictObject({
      maxRecordBytes: count(1_024, 1 << 26, 'Bytes of one record, packed.').default(DEFAULT_LIMITS.maxRecordBytes),
      maxPayloadBytes: count(1_024, 1 << 28, 'Bytes of its payload once unpacked.').default(
        DEFAULT_LIMITS.maxPayloadBytes,
      ),
      maxEvents: count(1, 1_000_000, 'Events of one batch.').default(DEFAULT_LIMITS.maxEvents),
      maxContexts: count(1, 65_536, 'Contexts (app, title, URL) of one batch.').default(DEFAULT_LIMITS.maxContexts),
      maxElements: count(1, 65_536, 'Elements of one batch.').default(DEFAULT_LIMITS.maxElements),
      maxKeys: count(1, 65_536, 'Different keys of one batch.').default(DEFAULT_LIMITS.maxKeys),
      maxTexts: count(1, 65_536, 'Different texts of clipboard, values and compositions of one batch.').default(
        DEFAULT_LIMITS.maxTexts,
      ),
      maxTextLength: count(1, 1 << 22, 'Bytes of UTF-8 of any one text.').default(DEFAULT_LIMITS.maxTextLength),
    })
    .prefault({})
    .describe('Raw batches that are larger are quarantined.'),
  fetch: z
    .strictObject({
      maxRecords: count(1, 100_000, 'Records of a partition processed in one transaction, at most.').default(512),
      maxBytes: count(1_024, 1 << 28, 'Bytes of them, at most.').default(4 << 20),
    })
    .prefault({})
    .describe('How much a worker reads at a time.'),
  sink: z
    .strictObject({
      flushRows: count(1, 10_000_000, 'Rows after which the table gets a commit.').default(250_000),
      flushSeconds: count(
        1,
        86_400,
        'Seconds after which it gets one in any case; commit times can be seen by readers of the table.',
      ).default(300),
    })
    .prefault({})
    .describe('When the sink commits to the table.'),
  table: path(
    'The training table: a folder, or `s3://bucket/path`. Without it: `table` in the data folder.',
  ).optional(),
  s3: z
    .strictObject({
      endpoint: z
        .url({ protocol: /^https?$/u })
        .refine(namesNobody, 'holds a user or a password: take them out, credentials are never part of a config')
        .describe('URL of an S3-compatible server; without it, the endpoint of the AWS region.')
        .optional(),
      region: z
        .string()
        .min(1)
        .max(64)
        .describe('Without it: as the AWS SDK finds it (`AWS_REGION`, profile).')
        .optional(),
      pathStyle: z
        .boolean()
        .describe('The bucket in the path and not in the host name, as most servers other than AWS want it.')
        .default(false),
    })
    .prefault({})
    .describe("Where `s3://` is. Credentials come from the AWS SDK's usual chain and are never part of a config."),
  kafka: kafkaSchema
    .describe('A Kafka cluster in place of the embedded log. Without it: the log is in the data folder.')
    .optional(),
  registry: z
    .strictObject({
      url: z.url({ protocol: /^https?$/u }).describe('Where the registry is.'),
      username: z.string().min(1).max(255).describe('User name, if it asks for one.').optional(),
      passwordFile: path('File that holds the password.').optional(),
      caFile: path("PEM file of the certificate authorities to trust; without it the system's.").optional(),
    })
    .describe('A Confluent-compatible schema registry. Without it: `schemas.json` in the data folder.')
    .optional(),
  gateway: gatewaySchema
    .prefault({})
    .describe('What recorders hand their batches to: `redactory gateway` (docs/recorders.md).'),
  steward: stewardSchema
    .prefault({})
    .describe('What tells people what was kept of them, and erases it: `redactory steward` (docs/people.md).'),
  telemetry: z
    .strictObject({
      host: z.string().min(1).max(255).describe('Where metrics and health are served.').default('127.0.0.1'),
      port: count(0, 65_535, 'Port for `/metrics`, `/livez` and `/readyz`; 0 takes a free one, `null` serves none.')
        .nullable()
        .describe('Port for `/metrics`, `/livez` and `/readyz`; 0 takes a free one, `null` serves none.')
        .default(null),
      logLevel: z.enum(['error', 'warn', 'info']).describe('Log lines below this are left out.').default('info'),
      traces: z
        .strictObject({
          url: z
            .url({ protocol: /^https?$/u })
            .describe(
              'Of an OTLP/HTTP collector, such as `https://collector:4318/v1/traces`; `http` on this machine only.',
            ),
          sample: z.number().min(0).max(1).describe('The share of traces that are recorded.').default(0.01),
          headersFile: path(
            'File with lines `name: value`, sent to the collector with each request, such as a token.',
          ).optional(),
        })
        .describe('Where OpenTelemetry spans go (docs/operations.md). Without it: there are none.')
        .optional(),
    })
    .prefault({})
    .describe('Metrics, health, logs and traces.'),
});

type Settings = z.output<typeof configSchema>;

export type RegistrySettings = NonNullable<Settings['registry']>;
export type TransitSettings = NonNullable<Settings['keys']['transit']>;

/** Everything that a command may be told from outside, checked, with absolute paths; frozen. Keys' values are not in it. */
export interface Config extends Omit<Settings, 'policy' | 'keys' | 'table' | 'kafka' | 'registry'> {
  readonly policy: string;
  /** An absolute folder, or `s3://bucket/path` without a slash at its end. */
  readonly table: string;
  /** A cluster in place of the embedded log; file names in it are absolute. */
  readonly kafka: KafkaSettings | null;
  readonly registry: RegistrySettings | null;
  readonly keys: {
    readonly masterFile: string;
    readonly ingestFile: string;
    /** Names of environment variables that hold the keys instead; the values are read where they are used. */
    readonly masterVariable: string | null;
    readonly ingestVariable: string | null;
    /** What wraps in place of the master key; file names in it are absolute. */
    readonly transit: TransitSettings | null;
  };
}

export const MASTER_KEY_VARIABLE = 'REDACTORY_MASTER_KEY';
export const OLD_MASTER_KEY_VARIABLE = 'REDACTORY_OLD_MASTER_KEY';
export const INGEST_KEY_VARIABLE = 'REDACTORY_INGEST_KEY';

export const KAFKA_PASSWORD_VARIABLE = 'REDACTORY_KAFKA_PASSWORD';

/** What may come from the environment, and what it does. */
export const VARIABLES: Readonly<Record<string, string>> = {
  REDACTORY_TABLE: '`table`, relative to the working folder; `--table` goes before it.',
  REDACTORY_KAFKA_BROKERS: '`kafka.brokers`, with commas between them; the other keys of `kafka` keep their values.',
  REDACTORY_KAFKA_INSTANCE: '`kafka.instance`.',
  [KAFKA_PASSWORD_VARIABLE]: 'The password of `kafka.sasl` and of identities without a `passwordFile`.',
  REDACTORY_DATA_DIR: '`data`, relative to the working folder; `--data` goes before it.',
  REDACTORY_POLICY: '`policy`, relative to the working folder; `--policy` goes before it.',
  REDACTORY_LOG_LEVEL: '`telemetry.logLevel`.',
  REDACTORY_METRICS_PORT: '`telemetry.port`.',
  [MASTER_KEY_VARIABLE]: 'The master key itself, 32 bytes in base64, in place of its file.',
  [OLD_MASTER_KEY_VARIABLE]: 'A master key that only opens what it has wrapped, until `keys rewrap` is done.',
  [INGEST_KEY_VARIABLE]: 'The ingest key itself, likewise.',
};

/** The config cannot be used; the message names file, line, column and what to do. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

const MAX_CONFIG_BYTES = 64 * 1024;

/**
 * Config from a YAML file, the environment ({@link VARIABLES}) and the command line, in rising order of precedence.
 * Without a file: `redactory.yaml` in the working folder if there is one, else defaults. Paths in the file are relative to it.
 *
 * @throws ConfigError
 */
export async function loadConfig(options: {
  readonly file?: string | undefined;
  readonly data?: string | undefined;
  readonly policy?: string | undefined;
  readonly table?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}): Promise<Config> {
  const { env, cwd } = options;
  checkVariables(env);
  for (const name of ['data', 'policy', 'table'] as const) {
    if (options[name]?.trim() === '') throw new ConfigError(`--${name} is empty: give it a value, or leave it out`);
  }
  const file = options.file === undefined ? await defaultFile(cwd) : resolve(cwd, options.file);
  const settings = file === null ? configSchema.parse({}) : await readConfig(file);
  const base = file === null ? cwd : dirname(file);
  const given = (flag: string | undefined, variable: string): string | undefined => flag ?? env[variable];

  const dataOverride = given(options.data, 'REDACTORY_DATA_DIR');
  const data = dataOverride === undefined ? resolve(base, settings.data) : resolve(cwd, dataOverride);
  const policyOverride = given(options.policy, 'REDACTORY_POLICY');
  const policy =
    policyOverride === undefined
      ? resolvePolicy(settings.policy ?? 'strict', base)
      : resolvePolicy(policyOverride, cwd);
  const tableOverride = given(options.table, 'REDACTORY_TABLE');
  const table =
    tableOverride === undefined
      ? resolveTable(settings.table ?? resolve(data, 'table'), base)
      : resolveTable(tableOverride, cwd);
  return deepFreeze({
    ...settings,
    data,
    policy,
    table,
    kafka: kafkaFrom(settings, env, base),
    registry: settings.registry === undefined ? null : absolute(settings.registry, base),
    keys: {
      masterFile: resolve(base, settings.keys.master ?? resolve(data, 'keys', 'master.key')),
      ingestFile: resolve(base, settings.keys.ingest ?? resolve(data, 'keys', 'ingest.key')),
      masterVariable: env[MASTER_KEY_VARIABLE] === undefined ? null : MASTER_KEY_VARIABLE,
      ingestVariable: env[INGEST_KEY_VARIABLE] === undefined ? null : INGEST_KEY_VARIABLE,
      transit: settings.keys.transit === undefined ? null : absolute(settings.keys.transit, base),
    },
    gateway: withTls(settings.gateway, base),
    steward: withTls(settings.steward, base),
    telemetry: withTraces(telemetryFrom(settings, env), base),
  });
}

/**
 * A mistyped variable would be passed over in silence, and a new key made where one was given; an empty one likewise: without
 * its brokers a decision would be recorded in a new log on this machine. Of unknown names only those close to a known one are
 * refused: others with the same beginning may belong to whoever starts the process.
 */
function checkVariables(env: Readonly<Record<string, string | undefined>>): void {
  const known = Object.keys(VARIABLES).map((name) => name.slice(PREFIX.length));
  for (const name of Object.keys(env)) {
    if (!name.startsWith(PREFIX)) continue;
    if (Object.hasOwn(VARIABLES, name)) {
      if (env[name]?.trim() === '') throw new ConfigError(`${name} is set and empty: give it a value, or unset it`);
      continue;
    }
    const near = nearest(name.slice(PREFIX.length), known);
    if (near !== undefined) {
      throw new ConfigError(`unknown environment variable ${name}; did you mean ${PREFIX}${near}?`);
    }
  }
}

const PREFIX = 'REDACTORY_';

function resolvePolicy(policy: string, base: string): string {
  return shippedPolicy(policy) ?? resolve(base, policy);
}

const BUCKET = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[^/\s?#]+)*\/?$/u;

function resolveTable(table: string, base: string): string {
  if (!/^[a-z][a-z0-9+.-]+:\/\//iu.test(table)) return resolve(base, table);
  if (BUCKET.test(table)) return table.replace(/\/$/u, '');
  throw new ConfigError('the table must be a folder or s3://bucket/path, without `//`, spaces, `?` or `#` in the path');
}

function withTls<T extends Pick<Settings['gateway'], 'tls'>>(server: T, base: string): T {
  return server.tls === undefined ? server : { ...server, tls: absolute(server.tls, base) };
}

function withTraces(telemetry: Settings['telemetry'], base: string): Settings['telemetry'] {
  return telemetry.traces === undefined ? telemetry : { ...telemetry, traces: absolute(telemetry.traces, base) };
}

function kafkaFrom(
  settings: Settings,
  env: Readonly<Record<string, string | undefined>>,
  base: string,
): KafkaSettings | null {
  const brokers = env['REDACTORY_KAFKA_BROKERS'];
  const instance = env['REDACTORY_KAFKA_INSTANCE'];
  const given = {
    ...settings.kafka,
    ...(brokers !== undefined ? { brokers: brokers.split(',').map((broker) => broker.trim()) } : {}),
    ...(instance !== undefined ? { instance } : {}),
  };
  if (settings.kafka === undefined && brokers === undefined) return null;
  const parsed = kafkaSchema.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(
      'REDACTORY_KAFKA_BROKERS must be host:port, REDACTORY_KAFKA_INSTANCE letters, digits, dots, dashes',
    );
  }
  const issues = checkKafka(parsed.data).map(({ path: at, message }) => `kafka.${at.join('.')}: ${message}`);
  if (issues.length > 0) throw new ConfigError(issues.join('\n'));
  const { tls, sasl, identities } = parsed.data;
  return {
    ...parsed.data,
    ...(tls === undefined ? {} : { tls: absolute(tls, base) }),
    ...(sasl === undefined ? {} : { sasl: absolute(sasl, base) }),
    ...(identities === undefined ? {} : { identities: absoluteEach(identities, base) }),
  };
}

function absoluteEach(users: NonNullable<KafkaSettings['identities']>, base: string): typeof users {
  const resolved = ROLES.map((role) => [role, absolute(users[role] ?? {}, base)] as const);
  return Object.fromEntries(resolved.filter(([role]) => users[role] !== undefined));
}

/** The same object with the values of keys that end in `File` as absolute paths. */
function absolute<T extends object>(section: T, base: string): T {
  const resolved = Object.entries(section).map(([key, value]) => [
    key,
    key.endsWith('File') && typeof value === 'string' ? resolve(base, value) : value,
  ]);
  // The same keys, and strings where strings were.
  return Object.fromEntries(resolved) as T;
}

function telemetryFrom(settings: Settings, env: Readonly<Record<string, string | undefined>>): Settings['telemetry'] {
  const port = env['REDACTORY_METRICS_PORT'];
  const logLevel = env['REDACTORY_LOG_LEVEL'];
  const parsed = configSchema.shape.telemetry.safeParse({
    ...settings.telemetry,
    ...(port !== undefined ? { port: /^\d{1,5}$/u.test(port) ? Number(port) : -1 } : {}),
    ...(logLevel !== undefined ? { logLevel } : {}),
  });
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    'REDACTORY_METRICS_PORT must be a port from 0 to 65535, REDACTORY_LOG_LEVEL one of error, warn, info',
  );
}

async function defaultFile(cwd: string): Promise<string | null> {
  const path = resolve(cwd, 'redactory.yaml');
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true ? path : null;
}

async function readConfig(file: string): Promise<Settings> {
  let source: string;
  try {
    const { size } = await stat(file);
    if (size > MAX_CONFIG_BYTES) throw new ConfigError(`${file} is larger than 64 KiB: name a config file`);
    source = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new ConfigError(`${file} cannot be read${code}: name a readable config file with --config`, { cause: error });
  }
  return checkYaml(source, {
    schema: configSchema,
    whole: 'the config',
    missing: 'missing key',
    repeats: 'choices',
    fail: (issues) => new ConfigError(listIssues(file, issues)),
  }).value;
}

function listIssues(file: string, issues: readonly PolicyIssue[]): string {
  return issues.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n');
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}

/** The reference page of the config (docs/configuration.md), from the schema that checks it. */
export function configReference(): string {
  const keys = describeKeys(z.toJSONSchema(configSchema, { io: 'input' }), '');
  const variables = Object.entries(VARIABLES).map(([name, text]) => `- \`${name}\`: ${text}`);
  return `${INTRODUCTION}\n${keys.join('\n')}\n\n## Environment\n\n${variables.join('\n')}\n`;
}

const INTRODUCTION = `# Configuration

<!-- Made from src/config.ts: \`npx vitest run test/config.test.ts -u\` writes it anew. -->

Nothing has to be configured. What is, comes from one YAML file, the environment and the command line; the latter go
before the former. The file is \`--config FILE\`, else \`redactory.yaml\` in the working folder if there is one;
\`redactory.example.yaml\` has every key with its default. Unknown keys, wrong types and values out of bounds are errors
with line, column and the nearest known key, and nothing starts; so are environment variables whose name is nearly one of
those below, and one of those that is set and empty. What was read at the start holds until the end.
`;
