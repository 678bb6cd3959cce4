import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ConfigError, configReference, loadConfig, VARIABLES } from '../src/config.ts';
import { packagePath } from '../src/package-path.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-config-'));
});
afterEach(() => rm(dir, { recursive: true }));

type Options = Omit<Parameters<typeof loadConfig>[0], 'cwd' | 'env'> & { readonly env?: Record<string, string> };
const load = (options: Options = {}): ReturnType<typeof loadConfig> => loadConfig({ env: {}, cwd: dir, ...options });

async function write(text: string, name = 'redactory.yaml'): Promise<string> {
  await writeFile(join(dir, name), text);
  return join(dir, name);
}

async function failure(options: Options = {}): Promise<string> {
  const error: unknown = await load(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigError)) throw new Error('expected a ConfigError', { cause: error });
  return error.message;
}

describe('loadConfig', () => {
  it('has a default for everything', async () => {
    const config = await load();
    expect(config).toMatchObject({
      data: join(dir, '.redactory'),
      policy: packagePath('policies/strict.yaml'),
      keys: {
        masterFile: join(dir, '.redactory/keys/master.key'),
        ingestFile: join(dir, '.redactory/keys/ingest.key'),
        masterVariable: null,
        ingestVariable: null,
      },
      topics: { partitions: 4, retentionDays: { raw: 7 } },
      telemetry: { host: '127.0.0.1', port: null, logLevel: 'info' },
    });
  });

  it('is frozen, all of it', async () => {
    const { topics } = await load();
    const unfrozen = topics as { retentionDays: { raw: number } };
    expect(() => (unfrozen.retentionDays.raw = 1)).toThrow(TypeError);
  });

  it('reads redactory.yaml of the working folder, and --config in its place', async () => {
    await write('topics:\n  partitions: 2\n');
    expect((await load()).topics.partitions).toBe(2);
    const other = await write('topics:\n  partitions: 3\n', 'other.yaml');
    expect((await load({ file: other })).topics.partitions).toBe(3);
  });

  it('takes paths of the file as relative to it, and others as relative to the working folder', async () => {
    await mkdir(join(dir, 'etc'));
    const file = await write('data: d\npolicy: p.yaml\nkeys:\n  master: m.key\n', 'etc/r.yaml');
    expect(await load({ file: 'etc/r.yaml' })).toMatchObject({
      data: join(dir, 'etc/d'),
      policy: join(dir, 'etc/p.yaml'),
      keys: { masterFile: join(dir, 'etc/m.key'), ingestFile: join(dir, 'etc/d/keys/ingest.key') },
    });
    const env = { REDACTORY_DATA_DIR: 'e', REDACTORY_POLICY: 'q.yaml' };
    expect(await load({ file, env })).toMatchObject({ data: join(dir, 'e'), policy: join(dir, 'q.yaml') });
    expect(await load({ file, env, data: 'f', policy: 'balanced' })).toMatchObject({
      data: join(dir, 'f'),
      policy: packagePath('policies/balanced.yaml'),
    });
  });

  it('has no traces unless they are asked for; their file is relative to the config', async () => {
    expect((await load()).telemetry.traces).toBeUndefined();
    const url = 'https://collector.example:4318/v1/traces';
    const file = await write(`telemetry: { traces: { url: '${url}', headersFile: h } }\n`);
    expect((await load()).telemetry.traces).toEqual({ url, sample: 0.01, headersFile: join(dir, 'h') });
    await write('telemetry: { traces: { url: ftp://collector.example } }\n');
    expect(await failure({ file })).toContain('telemetry.traces.url');
  });

  it('takes log level and port from the environment, before the file', async () => {
    await write('telemetry:\n  port: 9000\n  logLevel: error\n');
    const env = { REDACTORY_METRICS_PORT: '0', REDACTORY_LOG_LEVEL: 'warn' };
    expect((await load({ env })).telemetry).toMatchObject({ port: 0, logLevel: 'warn' });
    expect((await load()).telemetry).toMatchObject({ port: 9000, logLevel: 'error' });
  });

  it.each([{ REDACTORY_METRICS_PORT: '65536' }, { REDACTORY_METRICS_PORT: 'x' }, { REDACTORY_LOG_LEVEL: 'trace' }])(
    'refuses %o',
    async (env) => {
      expect(await failure({ env })).toContain(Object.keys(env)[0]);
    },
  );

  it.each([
    ['REDACTORY_MASTERKEY', 'REDACTORY_MASTER_KEY'],
    ['REDACTORY_LOGLEVEL', 'REDACTORY_LOG_LEVEL'],
    ['REDACTORY_POLCY', 'REDACTORY_POLICY'],
  ])('refuses the variable %s: %s was meant', async (name, meant) => {
    const message = await failure({ env: { [name]: 'secret value' } });
    expect(message).toBe(`unknown environment variable ${name}; did you mean ${meant}?`);
  });

  it.each(Object.keys(VARIABLES))('refuses %s when it is set and empty: what was meant is lost', async (name) => {
    await write('kafka: { brokers: [a:1] }\n');
    for (const empty of ['', ' ']) {
      expect(await failure({ env: { [name]: empty } })).toBe(`${name} is set and empty: give it a value, or unset it`);
    }
  });

  it.each(['data', 'policy', 'table'])('refuses an empty --%s', async (name) => {
    expect(await failure({ [name]: '' })).toContain(`--${name} is empty`);
  });

  it('leaves variables of others alone', async () => {
    await expect(load({ env: { REDACTORY_SEED: '1', REDACTORY_DATA: 'x', HOME: '/' } })).resolves.toBeDefined();
  });

  it.each([
    ['polcy: strict\n', ':1:1: unknown key "polcy"; did you mean policy?'],
    ['topics:\n  partitons: 2\n', ':2:3: unknown key "partitons" in topics; did you mean partitions?'],
    ['sink:\n  flushSeconds: soon\n', ':2:17: sink.flushSeconds must be'],
    ['limits:\n  maxEvents: 0\n', ':2:14: limits.maxEvents must be at least 1'],
    ['telemetry:\n  port: 65536\n', ':2:9: telemetry.port must be at most 65535'],
    ['telemetry:\n  logLevel: debug\n', ':2:13: telemetry.logLevel must be one of error, warn, info, not "debug"'],
    ['data: a\ndata: b\n', ':2:1: this key is here twice'],
    ['data: [\n', 'is not valid YAML'],
    ['- data\n', ':1:1: the config must be a section of keys, not a list'],
  ])('refuses %j', async (text, message) => {
    const file = await write(text);
    expect(await failure()).toContain(`${file}${message.startsWith(':') ? message : ''}`);
    expect(await failure()).toContain(message);
  });

  it.each([
    'kafka: { brokers: ["SASL_SSL://svc:Hunter2pw@broker"] }',
    'kafka: { brokers: [a:1], sasl: {svc:Hunter2pw} }',
    'kafka: { brokers: [a:1], instance: "svc:Hunter2pw" }',
    's3: { endpoint: "https://svc:Hunter2pw@minio.example" }',
    's3: { endpoint: "https://Hunter2pw@minio.example" }',
    's3: { endpoint: "s3://svc:Hunter2pw@minio.example" }',
    'keys: { transit: { url: "htps://svc:Hunter2pw@bao.example", key: k, tokenFile: t } }',
    'registry: { url: "htps://svc:Hunter2pw@registry.example" }',
    'telemetry: { traces: { url: "htps://svc:Hunter2pw@collector.example" } }',
    'telemetry: { traces: "https://svc:Hunter2pw@collector.example" }',
    'steward: { url: "htps://svc:Hunter2pw@steward.example" }',
    'gateway: { corsOrigins: ["ftp://svc:Hunter2pw@page.example"] }',
    'gateway: { corsOrigins: ["https://svc:Hunter2pw@page.example/?Hunter2pw"] }',
    'gateway: { identity: { kind: proxy, header: "X Hunter2pw", trustedProxies: [Hunter2pw] } }',
    'gateway: { port: Hunter2pw }',
  ])('refuses %j without repeating what may be a secret', async (text) => {
    const file = await write(`${text}\n`);
    const message = await failure();
    expect(message).toMatch(new RegExp(`^${file}:1:\\d+: `, 'u'));
    expect(message).not.toContain('Hunter2pw');
  });

  it.each([
    ['https://Recorder.example.org/', 'https://recorder.example.org'],
    ['https://recorder.example.org/', 'https://recorder.example.org'],
    ['HTTPS://recorder.example.org', 'https://recorder.example.org'],
    ['https://recorder.example.org:443', 'https://recorder.example.org'],
    ['http://recorder.example.org:8080/page?x=1', 'http://recorder.example.org:8080'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['chrome-extension://abcdefghijklmnop/', 'chrome-extension://abcdefghijklmnop'],
  ])('refuses the origin %s, which no browser sends, and says how it is spelled', async (origin, sent) => {
    await write(`gateway: { corsOrigins: ["${origin}"] }\n`);
    expect(await failure()).toMatch(/gateway\.corsOrigins\[0\] must be an origin as browsers send it: `[^`]+`$/u);
    expect(await failure()).toContain(`\`${sent}\``);
  });

  it('refuses an origin that is meant for many', async () => {
    await write('gateway: { corsOrigins: ["https://*.example.org"] }\n');
    expect(await failure()).toContain('gateway.corsOrigins[0] must be one origin');
  });

  it('takes origins of pages and of extensions as browsers send them', async () => {
    const origins = [
      'https://recorder.example.org',
      'http://127.0.0.1:8080',
      'http://[::1]:8080',
      'chrome-extension://abcdefghijklmnop',
      'moz-extension://0b3f7c52-1111-4c1e-9f57-3a1b2c3d4e5f',
    ];
    await write(`gateway: { corsOrigins: ${JSON.stringify(origins)} }\n`);
    expect((await load()).gateway.corsOrigins).toEqual(origins);
  });

  it('names every mistake at once', async () => {
    await write('polcy: a\ntopics:\n  partitions: 0\n');
    expect((await failure()).split('\n')).toHaveLength(2);
  });

  it('refuses a file that is missing, a folder, or no config by its size', async () => {
    expect(await failure({ file: 'nowhere.yaml' })).toContain(`${join(dir, 'nowhere.yaml')} cannot be read (ENOENT)`);
    expect(await failure({ file: '.' })).toContain('cannot be read (EISDIR)');
    await write(`# ${'x'.repeat(70_000)}`);
    expect(await failure()).toContain('larger than 64 KiB');
  });
});

describe('a Kafka cluster', () => {
  const SECURE = `kafka:
  brokers: [a.example:9093, '[::1]:9093']
  tls: { caFile: ca.pem }
  sasl: { mechanism: scram-sha-256, username: somebody, passwordFile: /run/secrets/somebody }
  identities:
    sink: { username: reader, passwordFile: secrets/reader }
`;

  it('is one where the file or the environment names brokers', async () => {
    expect((await load()).kafka).toBeNull();
    const { kafka } = await load({ env: { REDACTORY_KAFKA_BROKERS: 'a:1, b:2', REDACTORY_KAFKA_INSTANCE: 'w-1' } });
    expect(kafka).toMatchObject({
      brokers: ['a:1', 'b:2'],
      instance: 'w-1',
      compression: 'none',
      clientId: 'redactory',
    });
    await write(SECURE);
    expect((await load({ env: { REDACTORY_KAFKA_BROKERS: 'c:3' } })).kafka).toMatchObject({
      brokers: ['c:3'],
      sasl: { username: 'somebody' },
    });
  });

  it('has its files relative to the config file', async () => {
    await write(SECURE);
    expect((await load()).kafka).toMatchObject({
      tls: { caFile: join(dir, 'ca.pem') },
      sasl: { passwordFile: '/run/secrets/somebody' },
      identities: { sink: { username: 'reader', passwordFile: join(dir, 'secrets/reader') } },
    });
  });

  it.each([
    ['brokers: [nohost]', 'brokers'],
    ['brokers: []', 'brokers'],
    [
      'brokers: [a:1]\n  sasl: { mechanism: plain, username: u }',
      'kafka.sasl.mechanism: plain sends its secret as it is',
    ],
    ['brokers: [a:1]\n  tls: {}\n  sasl: { mechanism: oauthbearer }', 'needs a tokenFile'],
    ['brokers: [a:1]\n  sasl: { mechanism: scram-sha-512 }', 'needs a username'],
    ['brokers: [a:1]\n  tls: { certFile: c.pem }', 'certFile and keyFile go together'],
    ['brokers: [a:1]\n  identities: { sink: { username: u } }', 'users sign in by the mechanism'],
    ['brokers: [a:1]\n  sessionTimeoutMs: 20000', 'must be less than sessionTimeoutMs'],
    ['brokers: [a:1]\n  compresion: gzip', 'compression'],
  ])('refuses %j', async (section, message) => {
    await write(`kafka:\n  ${section}\n`);
    expect(await failure()).toContain(message);
  });

  it('refuses a broker of the environment that is none, without the value', async () => {
    const message = await failure({ env: { REDACTORY_KAFKA_BROKERS: 'secret host' } });
    expect(message).toContain('REDACTORY_KAFKA_BROKERS');
    expect(message).not.toContain('secret');
  });
});

describe('the table', () => {
  it('is in the data folder unless said', async () => {
    expect((await load({ data: 'd' })).table).toBe(join(dir, 'd/table'));
    await write('table: t\n');
    expect((await load()).table).toBe(join(dir, 't'));
    expect((await load({ env: { REDACTORY_TABLE: 's3://bucket-1/a/b/' } })).table).toBe('s3://bucket-1/a/b');
    expect((await load({ table: 'u', env: { REDACTORY_TABLE: 'v' } })).table).toBe(join(dir, 'u'));
  });

  it.each(['s3://', 's3://b', 's3://bucket//a', 's3://bucket/a?b', 'gs://bucket/a', 's3://bucket/a b'])(
    'refuses %s',
    async (table) => {
      expect(await failure({ table })).toContain('s3://bucket/path');
    },
  );
});

describe('the pages about it', () => {
  const example = resolve('redactory.example.yaml');

  it('docs/configuration.md is what the schema says', async () => {
    await expect(configReference()).toMatchFileSnapshot(resolve('docs/configuration.md'));
    for (const name of Object.keys(VARIABLES)) expect(configReference()).toContain(`\`${name}\``);
  });

  it('redactory.example.yaml holds every key with its default', async () => {
    const { data, policy, keys, table, ...rest } = parse(await readFile(example, 'utf8')) as Record<string, unknown>;
    const { data: _data, policy: _policy, keys: _keys, table: _table, kafka, registry, ...defaults } = await load();
    expect(rest).toEqual(defaults);
    expect({ kafka, registry }).toEqual({ kafka: null, registry: null });
    expect({ data, policy, keys, table }).toEqual({
      data: '.redactory',
      policy: 'strict',
      table: '.redactory/table',
      keys: { master: '.redactory/keys/master.key', ingest: '.redactory/keys/ingest.key' },
    });
    await expect(load({ file: example })).resolves.toMatchObject(defaults);
  });
});
