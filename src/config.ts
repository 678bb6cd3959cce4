import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { DEFAULT_LIMITS } from './events/limits.ts';
import { packagePath } from './package-path.ts';
import { checkYaml } from './privacy/policy/check.ts';
import type { PolicyIssue } from './privacy/policy.ts';

/** The file as it may be written: every key may be left out. One declaration gives types, checks, defaults and docs. */
const count = (min: number, max: number): z.ZodInt => z.int().min(min).max(max);

const configSchema = z.strictObject({
  data: z.string().min(1).max(4_096).default('.redactory'),
  policy: z.string().min(1).max(4_096).optional(),
  keys: z
    .strictObject({
      master: z.string().min(1).max(4_096).optional(),
      ingest: z.string().min(1).max(4_096).optional(),
    })
    .prefault({}),
  topics: z
    .strictObject({
      partitions: count(1, 1_024).default(4),
      retentionDays: z
        .strictObject({
          raw: count(1, 3_650).default(7),
          sanitized: count(1, 3_650).default(90),
          quarantine: count(1, 3_650).default(30),
        })
        .prefault({}),
    })
    .prefault({}),
  limits: z
    .strictObject({
      maxRecordBytes: count(1_024, 1 << 26).default(DEFAULT_LIMITS.maxRecordBytes),
      maxPayloadBytes: count(1_024, 1 << 28).default(DEFAULT_LIMITS.maxPayloadBytes),
      maxEvents: count(1, 1_000_000).default(DEFAULT_LIMITS.maxEvents),
      maxContexts: count(1, 65_536).default(DEFAULT_LIMITS.maxContexts),
      maxElements: count(1, 65_536).default(DEFAULT_LIMITS.maxElements),
      maxKeys: count(1, 65_536).default(DEFAULT_LIMITS.maxKeys),
      maxTexts: count(1, 65_536).default(DEFAULT_LIMITS.maxTexts),
      maxTextLength: count(1, 1 << 22).default(DEFAULT_LIMITS.maxTextLength),
    })
    .prefault({}),
  fetch: z
    .strictObject({
      maxRecords: count(1, 100_000).default(512),
      maxBytes: count(1_024, 1 << 28).default(4 << 20),
    })
    .prefault({}),
  sink: z
    .strictObject({
      flushRows: count(1, 10_000_000).default(250_000),
      flushSeconds: count(1, 86_400).default(10),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      host: z.string().min(1).max(255).default('127.0.0.1'),
      port: count(0, 65_535).nullable().default(null),
      logLevel: z.enum(['error', 'warn', 'info']).default('info'),
    })
    .prefault({}),
});

type Settings = z.output<typeof configSchema>;

/** Everything that a command may be told from outside, checked, with absolute paths; frozen. Keys' values are not in it. */
export interface Config extends Omit<Settings, 'policy' | 'keys'> {
  readonly policy: string;
  readonly keys: {
    readonly masterFile: string;
    readonly ingestFile: string;
    /** Names of environment variables that hold the keys instead; the values are read where they are used. */
    readonly masterVariable: string | null;
    readonly ingestVariable: string | null;
  };
}

export const MASTER_KEY_VARIABLE = 'REDACTORY_MASTER_KEY';
export const INGEST_KEY_VARIABLE = 'REDACTORY_INGEST_KEY';

/** The config cannot be used; the message names file, line, column and what to do. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

const MAX_CONFIG_BYTES = 64 * 1024;

/**
 * Config from a YAML file, the environment and the command line, in rising order of precedence. Without a file:
 * `redactory.yaml` in the working folder if there is one, else defaults. Paths in the file are relative to it.
 *
 * Environment: REDACTORY_DATA_DIR, REDACTORY_POLICY, REDACTORY_LOG_LEVEL, REDACTORY_METRICS_PORT, and the keys.
 *
 * @throws ConfigError
 */
export async function loadConfig(options: {
  readonly file?: string | undefined;
  readonly data?: string | undefined;
  readonly policy?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}): Promise<Config> {
  const { env, cwd } = options;
  const file = options.file === undefined ? await defaultFile(cwd) : resolve(cwd, options.file);
  const settings = file === null ? configSchema.parse({}) : await readConfig(file);
  const base = file === null ? cwd : dirname(file);
  const given = (flag: string | undefined, variable: string): string | undefined =>
    flag ?? (env[variable] || undefined);

  const dataOverride = given(options.data, 'REDACTORY_DATA_DIR');
  const data = dataOverride === undefined ? resolve(base, settings.data) : resolve(cwd, dataOverride);
  const policyOverride = given(options.policy, 'REDACTORY_POLICY');
  const policy =
    policyOverride === undefined
      ? resolvePolicy(settings.policy ?? 'strict', base)
      : resolvePolicy(policyOverride, cwd);
  return deepFreeze({
    ...settings,
    data,
    policy,
    keys: {
      masterFile: resolve(base, settings.keys.master ?? resolve(data, 'keys', 'master.key')),
      ingestFile: resolve(base, settings.keys.ingest ?? resolve(data, 'keys', 'ingest.key')),
      masterVariable: env[MASTER_KEY_VARIABLE] === undefined ? null : MASTER_KEY_VARIABLE,
      ingestVariable: env[INGEST_KEY_VARIABLE] === undefined ? null : INGEST_KEY_VARIABLE,
    },
    telemetry: telemetryFrom(settings, env),
  });
}

/** `strict` and `balanced` are the policies that come with the package; anything else is a path. */
function resolvePolicy(policy: string, base: string): string {
  return policy === 'strict' || policy === 'balanced' ? packagePath(`policies/${policy}.yaml`) : resolve(base, policy);
}

function telemetryFrom(settings: Settings, env: Readonly<Record<string, string | undefined>>): Settings['telemetry'] {
  const port = env['REDACTORY_METRICS_PORT'];
  const logLevel = env['REDACTORY_LOG_LEVEL'];
  const parsed = configSchema.shape.telemetry.safeParse({
    ...settings.telemetry,
    ...(port ? { port: /^\d{1,5}$/u.test(port) ? Number(port) : -1 } : {}),
    ...(logLevel ? { logLevel } : {}),
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
