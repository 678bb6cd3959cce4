import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCodec, type Codec } from '../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import { loadContracts, schemaIds, SchemaRegistryError, type RecordSchema } from '../../src/events/schemas.ts';
import { loadZstd, type Zstd } from '../../src/events/zstd.ts';
import { readWireHeader } from '../../src/events/wire.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import {
  openRemoteSchemas,
  RegistryUnavailableError,
  withRemoteSchemas,
  type RemoteSchemaOptions,
  type RemoteSchemas,
} from '../../src/runtime/registry.ts';
import { subjectsOf } from '../../src/runtime/registry-subjects.ts';
import { ROLES } from '../../src/config-kafka.ts';
import { ENVELOPE, ERASURE, PAYLOAD, RELEASED } from '../events/samples.ts';
import { describeWithApicurio, startApicurio } from '../servers/apicurio.ts';
import { startRegistry, type RegistryServer, type RegistryServerOptions } from '../servers/registry.ts';
import { Broker } from '../simulation/memory-log.ts';

const RAW = 'interactions.raw';
const contracts = loadContracts();

let zstd: Zstd;
beforeAll(async () => {
  zstd = await loadZstd();
});

const opened: RemoteSchemas[] = [];
afterEach(() => {
  for (const schemas of opened.splice(0)) schemas.close();
});

async function open(url: string, options: Partial<RemoteSchemaOptions> = {}): Promise<RemoteSchemas> {
  const schemas = await openRemoteSchemas({ url, roles: ['operator'], delay: async () => {}, ...options });
  opened.push(schemas);
  return schemas;
}

const codecOf = (schemas: RemoteSchemas): Codec => createCodec({ zstd, schemas, limits: DEFAULT_LIMITS });

/** The contracts with one more field in each record; with a default, unless told otherwise. */
function later(name = 'added', field: object = { default: 'unset' }): readonly RecordSchema[] {
  return contracts.map((schema) => ({ ...schema, fields: [{ name, type: 'string', ...field }, ...schema.fields] }));
}

/** Bytes that name a schema, and nothing after. */
function naming(id: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeInt32BE(id, 1);
  return bytes;
}

async function logWith(...values: readonly Uint8Array[]): Promise<EventLog> {
  const log = new Broker().connect();
  await log.createTopics([{ name: RAW, partitions: 1, cleanup: { kind: 'compact' } }]);
  await log.append(
    RAW,
    values.map((value) => ({ key: 'k', value, timestamp: 1, partition: 0 })),
  );
  return log;
}

async function readFrom(log: EventLog, signal?: AbortSignal): Promise<readonly Uint8Array[]> {
  const request = { topic: RAW, partition: 0, offset: 0, maxRecords: 100, maxBytes: 1e6, waitMs: 0 };
  const { records } = await log.read(signal === undefined ? request : { ...request, signal });
  return records.map((record) => record.value ?? new Uint8Array());
}

const first = <T>(values: readonly T[]): T => {
  const [value] = values;
  if (value === undefined) throw new Error('nothing there');
  return value;
};

const failure = async (work: Promise<unknown>): Promise<Error> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Error) return error;
  throw new Error('it did not fail');
};

/** What holds with any registry. Subjects are new in each test. */
function holdsFor(url: () => string): void {
  let subjects: Readonly<Record<string, string>> = {};
  let tests = 0;
  beforeEach(() => {
    const prefix = `test${++tests}.`;
    subjects = Object.fromEntries(Object.entries(subjectsOf()).map(([record, subject]) => [record, prefix + subject]));
  });
  const ask = async (path: string): Promise<unknown> => (await fetch(url() + path)).json();

  it('registers what a role writes, at its level, once', async () => {
    const one = await open(url(), { subjects, roles: ['producer'] });
    const two = await open(url(), { subjects, roles: ['producer'] });
    for (const record of ['CaptureBatch', 'CapturePayload']) {
      expect(two.idOf(record)).toBe(one.idOf(record));
      expect(await ask(`/subjects/${subjects[record]}/versions`)).toStrictEqual([1]);
      expect(await ask(`/subjects/${subjects[record]}/versions/1`)).toMatchObject({ id: one.idOf(record) });
      expect(await ask(`/config/${subjects[record]}`)).toStrictEqual({ compatibilityLevel: 'BACKWARD_TRANSITIVE' });
    }
    expect(await ask(`/subjects/${subjects['ReleasedBatch']}/versions`)).toMatchObject({ error_code: 40401 });
  });

  it('lets other processes read, and other clients', async () => {
    const operator = await open(url(), { subjects });
    const producer = await open(url(), { subjects, roles: ['producer'] });
    const bytes = codecOf(producer).encodeCapture(ENVELOPE, PAYLOAD);
    const erasure = codecOf(operator).encodeErasure(ERASURE);
    expect(readWireHeader(Buffer.from(bytes))).toBeLessThan(1_000);

    const reader = await open(url(), { subjects, roles: ['sink'] });
    const read = await readFrom(withRemoteSchemas(await logWith(bytes, erasure), reader));
    const envelope = codecOf(reader).openEnvelope(first(read));
    if (!envelope.ok) throw new Error(envelope.reason);
    expect(codecOf(reader).openPayload(envelope.value.payload)).toMatchObject({ ok: true });
    expect(codecOf(reader).decodeErasure(read[1] ?? new Uint8Array())).toStrictEqual(ERASURE);

    const released = await open(url(), { subjects, roles: ['sanitizer'] });
    const other: unknown = await new SchemaRegistry({ host: url() }).decode(
      Buffer.from(codecOf(released).encodeReleased(RELEASED)),
    );
    expect(other).toMatchObject({ session: RELEASED.session, policy: RELEASED.policy });
  });

  it('reads across versions, both ways', async () => {
    const today = await open(url(), { subjects, roles: ['producer'] });
    const todaysBytes = codecOf(today).encodeCapture(ENVELOPE, PAYLOAD);
    const next = await open(url(), { subjects, roles: ['producer', 'operator'], contracts: later() });
    expect(next.idOf('CaptureBatch')).not.toBe(today.idOf('CaptureBatch'));
    expect(await ask(`/subjects/${subjects['CaptureBatch']}/versions`)).toStrictEqual([1, 2]);
    const read = first(await readFrom(withRemoteSchemas(await logWith(todaysBytes), next)));
    expect(codecOf(next).openEnvelope(read)).toMatchObject({ ok: true, value: { session: ENVELOPE.session } });

    await open(url(), { subjects, roles: ['producer'] });
    expect(await ask(`/subjects/${subjects['CaptureBatch']}/versions`)).toStrictEqual([1, 2]);
  });

  it('starts nothing with a schema that cannot read all versions before it', async () => {
    await open(url(), { subjects });
    await open(url(), { subjects, contracts: later() });
    // The last version has the field, so that only the first shows what is wrong.
    const error = await failure(open(url(), { subjects, contracts: later('added', {}) }));
    expect(error).toBeInstanceOf(SchemaRegistryError);
    expect(error.message).toMatch(/^The schema for test\d+\.consent-value cannot read version 1 there.*added/u);
    expect(error.message.length).toBeLessThan(800);
    expect(await ask(`/subjects/${subjects['ConsentDecision']}/versions`)).toStrictEqual([1, 2]);
  });

  it('takes no schema for a schema that the registry has not', async () => {
    const schemas = await open(url(), { subjects });
    await schemas.resolve([987_654]);
    expect(schemas.schemaOf(987_654)).toBeUndefined();
  });

  it('starts what is older than the last version, even if it could not read that', async () => {
    await open(url(), { subjects });
    const shorter = contracts.map((schema) => ({ ...schema, fields: schema.fields.slice(0, -1) }));
    await open(url(), { subjects, contracts: shorter });
    const old = await open(url(), { subjects });
    expect(await ask(`/subjects/${subjects['Erasure']}/versions/1`)).toMatchObject({ id: old.idOf('Erasure') });
  });

  it('only looks up where it may not register', async () => {
    const error = await failure(open(url(), { subjects, register: false }));
    expect(error.message).toContain('The level of compatibility');
    const writer = await open(url(), { subjects });
    const reader = await open(url(), { subjects, register: false });
    expect(reader.idOf('Erasure')).toBe(writer.idOf('Erasure'));
    const newer = await failure(open(url(), { subjects, register: false, contracts: later() }));
    expect(newer.message).toContain('is not registered under');
    expect(await ask(`/subjects/${subjects['Erasure']}/versions`)).toStrictEqual([1]);
  });
}

describe('with a registry of the same contract', () => {
  let server: RegistryServer;
  beforeAll(async () => {
    server = await startRegistry();
  });
  afterAll(async () => server.close());
  holdsFor(() => server.url);
});

describeWithApicurio('with Apicurio Registry', () => {
  let server: Awaited<ReturnType<typeof startApicurio>>;
  beforeAll(async () => {
    server = await startApicurio();
  });
  afterAll(async () => server.close());
  holdsFor(() => server.url);
});

describe('a registry', () => {
  const servers: RegistryServer[] = [];
  async function start(options?: RegistryServerOptions): Promise<RegistryServer> {
    const server = await startRegistry(options);
    servers.push(server);
    return server;
  }
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  /** Registers a schema of any kind, past everything that is tested here. */
  async function put(server: RegistryServer, schema: object, subject = 'other'): Promise<number> {
    const response = await fetch(`${server.url}/subjects/${subject}/versions`, {
      method: 'POST',
      body: JSON.stringify({ schema: JSON.stringify(schema) }),
    });
    const answer: unknown = await response.json();
    if (typeof answer === 'object' && answer !== null && 'id' in answer) return Number(answer.id);
    throw new Error(JSON.stringify(answer));
  }

  function answerIds(server: RegistryServer, id: number, answer: (response: ServerResponse) => void): void {
    server.intercept = (request, response) => {
      if (request.url !== `/schemas/ids/${id}`) return false;
      answer(response);
      return true;
    };
  }
  const json = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

  it('is asked once for a schema, however many want it', async () => {
    const server = await start();
    const id = await put(server, first(later('x')), 'x');
    const schemas = await open(server.url);
    await Promise.all([schemas.resolve([id]), schemas.resolve([id, id]), schemas.resolve([id])]);
    await schemas.resolve([id]);
    expect(schemas.schemaOf(id)).toMatchObject({ name: 'CaptureBatch' });
    expect(server.requests.filter((request) => request === `GET /schemas/ids/${id}`)).toHaveLength(1);
  });

  it('that is away loses nothing: what is known goes on, the rest waits', async () => {
    const server = await start();
    const producer = await open(server.url, { roles: ['producer'] });
    const bytes = codecOf(producer).encodeCapture(ENVELOPE, PAYLOAD);
    const retries: string[] = [];
    const reader = await open(server.url, { roles: ['sink'], onRetry: (retry) => retries.push(retry.reason) });
    const codec = codecOf(reader);
    const log = withRemoteSchemas(await logWith(bytes), reader);
    const unknown = naming(77);

    await server.away();
    const error = await failure(readFrom(log));
    expect(error).toBeInstanceOf(RegistryUnavailableError);
    expect(retries.length).toBeGreaterThan(3);
    expect(() => codec.openEnvelope(unknown)).toThrow(RegistryUnavailableError);

    await server.back();
    expect(codec.openEnvelope(first(await readFrom(log)))).toMatchObject({ ok: true });
    await server.away();
    expect(codec.openEnvelope(first(await readFrom(log)))).toMatchObject({ ok: true });
    await server.back();
  });

  it('is asked for what the codec met inside of a record, and the error says when that is known', async () => {
    const server = await start();
    const reader = await open(server.url, { roles: ['sink'] });
    const producer = await open(server.url, { roles: ['producer'] });
    const codec = codecOf(reader);
    const packed = codecOf(producer).packPayload(PAYLOAD);
    const error = await failure(Promise.resolve().then(() => codec.openPayload(packed)));
    expect(error).toBeInstanceOf(RegistryUnavailableError);
    await (error as RegistryUnavailableError).known;
    expect(codec.openPayload(packed)).toMatchObject({ ok: true });
  });

  it('has the versions of the payload fetched at start', async () => {
    const server = await start();
    const producer = await open(server.url, { roles: ['producer'] });
    const reader = await open(server.url, { roles: ['sink'] });
    await server.away();
    expect(reader.schemaOf(producer.idOf('CapturePayload'))).toMatchObject({ name: 'CapturePayload' });
    await server.back();
  });

  it('may be behind: an id is unknown once it stayed so', async () => {
    const server = await start();
    const id = await put(server, first(later('x')), 'x');
    const pauses: number[] = [];
    const schemas = await open(server.url, {
      delay: async (ms) => {
        pauses.push(ms);
        if (pauses.length === 2) server.intercept = undefined;
      },
    });
    answerIds(server, id, (response) => json(response, 404, { error_code: 40403, message: 'Schema not found' }));
    await schemas.resolve([id]);
    expect(schemas.schemaOf(id)).toMatchObject({ name: 'CaptureBatch' });
    expect(pauses).toStrictEqual([250, 750]);
  });

  it('is asked again for an unknown id, but not with each record', async () => {
    const server = await start();
    let now = 1_000_000;
    const unknown: number[] = [];
    const schemas = await open(server.url, { now: () => now, onUnknown: (id) => unknown.push(id) });
    await schemas.resolve([500]);
    const asked = server.requests.length;
    await schemas.resolve([500]);
    expect(server.requests).toHaveLength(asked);
    expect(unknown).toStrictEqual([500]);
    expect(codecOf(schemas).openEnvelope(naming(500))).toStrictEqual({ ok: false, reason: 'unknown_schema' });

    now += 60_000;
    expect(() => schemas.schemaOf(500)).toThrow(RegistryUnavailableError);
    await schemas.resolve([500]);
    expect(schemas.schemaOf(500)).toBeUndefined();
  });

  it('is not asked for ids that no registry gives out', async () => {
    const server = await start();
    const schemas = await open(server.url);
    const asked = server.requests.length;
    await schemas.resolve([0, -1]);
    expect([schemas.schemaOf(0), schemas.schemaOf(-5)]).toStrictEqual([undefined, undefined]);
    expect(server.requests).toHaveLength(asked);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ["a proxy's 404", (response) => void response.writeHead(404, { 'content-type': 'text/html' }).end('<html>')],
    ['a 404 in JSON without a code', (response) => json(response, 404, { error: 'no route' })],
    ['a 404 of another path', (response) => json(response, 404, { error_code: 404, message: 'HTTP 404' })],
    ['another error', (response) => json(response, 422, { error_code: 42201, message: 'what?' })],
    ['an error of the server', (response) => json(response, 500, { error_code: 50001, message: 'x'.repeat(9_999) })],
    ['a page', (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('{"schema":"x"}')],
    ['what is not JSON', (response) => json(response, 200, '{"schema":')],
    ['JSON without a schema', (response) => json(response, 200, { message: 'ok' })],
    [
      'half a body',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 999 });
        response.write('{', () => response.destroy());
      },
    ],
    ['nothing, for too long', () => {}],
    ['a redirect', (response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
  ])('that gives %s gives no answer', async (_, answer) => {
    const server = await start();
    const schemas = await open(server.url, { timeoutMs: 200 });
    answerIds(server, 500, answer);
    const error = await failure(schemas.resolve([500]));
    expect(error).toBeInstanceOf(RegistryUnavailableError);
    expect(error.message.length).toBeLessThan(300);
    expect(() => schemas.schemaOf(500)).toThrow(RegistryUnavailableError);
  });

  it('that does not let us in is not one that has no schema', async () => {
    const server = await start();
    const schemas = await open(server.url);
    answerIds(server, 500, (response) => json(response, 403, { error_code: 40403, message: 'no' }));
    expect(await failure(schemas.resolve([500]))).toBeInstanceOf(SchemaRegistryError);
    expect(() => schemas.schemaOf(500)).toThrow(RegistryUnavailableError);
  });

  /** Every type twice in the one before: 2^40 of them when written out. */
  const doubling = { type: 'record', name: 'CaptureBatch', namespace: 'redactory', fields: [] as object[] };
  let innermost: object = { type: 'record', name: 'T0', fields: [] };
  for (let i = 1; i <= 40; i++) {
    const both = [
      { name: 'a', type: innermost },
      { name: 'b', type: `T${i - 1}` },
    ];
    innermost = { type: 'record', name: `T${i}`, fields: both };
  }
  doubling.fields.push({ name: 'deep', type: innermost });
  const large = { ...first(contracts), doc: 'x'.repeat(70_000) };
  const answerOf = (schema: object, more: object = {}): object => ({ schema: JSON.stringify(schema), ...more });
  it.each<[string, object]>([
    ['another record', answerOf({ ...first(contracts), name: 'Another' })],
    ['a record of another namespace', answerOf({ ...first(contracts), namespace: 'elsewhere' })],
    ['no record', answerOf({ type: 'string' })],
    ['another kind of schema', answerOf(first(contracts), { schemaType: 'JSON' })],
    ['a schema with references', answerOf(first(contracts), { references: [{ name: 'x', subject: 'y', version: 1 }] })],
    ['no Avro', answerOf({ ...first(contracts), fields: [{ name: 'a', type: 'nonsense' }] })],
    ['a field that is no name', answerOf({ ...first(contracts), fields: [{ name: 'a);(', type: 'int' }] })],
    ['no JSON', { schema: 'record CaptureBatch' }],
    ['a schema that doubles itself', answerOf(doubling)],
    ['a schema that is too large', answerOf(large)],
  ])('that has %s under an id has nothing to read with', async (_, answer) => {
    const server = await start();
    const schemas = await open(server.url);
    answerIds(server, 500, (response) => json(response, 200, answer));
    await schemas.resolve([500]);
    expect(schemas.schemaOf(500)).toBeUndefined();
    expect(codecOf(schemas).openEnvelope(naming(500))).toStrictEqual({ ok: false, reason: 'unknown_schema' });
  });

  it('that sends without an end is not listened to', async () => {
    const server = await start();
    const schemas = await open(server.url);
    answerIds(server, 500, (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(' '.repeat(300_000));
    });
    await schemas.resolve([500]);
    expect(schemas.schemaOf(500)).toBeUndefined();
  });

  it('that is no registry is not one where nothing is set', async () => {
    const server = await start();
    server.intercept = (_, response) => {
      json(response, 404, { error_code: 404, message: 'HTTP 404 Not Found' });
      return true;
    };
    const error = await failure(open(server.url));
    expect(error).toBeInstanceOf(RegistryUnavailableError);
    expect(error.message).toContain("status 404, not a registry's; see registry.url");
  });

  it('where versions were let in that do not fit: nothing starts, though ours is among them', async () => {
    const server = await start({ level: 'NONE' });
    const erasure = contracts.find((schema) => schema.name === 'Erasure');
    await put(server, { ...erasure, fields: [] }, 'erasures-value');
    await put(server, { ...erasure }, 'erasures-value');
    const error = await failure(open(server.url));
    expect(error.message).toContain('The schema for erasures-value cannot read version 1 there');
  });

  it('is used beside records that were written without one', async () => {
    const server = await start();
    const schemas = await open(server.url, { roles: ROLES });
    const local = createCodec({ zstd, schemas: schemaIds(contracts), limits: DEFAULT_LIMITS });
    const log = withRemoteSchemas(await logWith(local.encodeErasure(ERASURE)), schemas);
    const asked = server.requests.length;
    expect(codecOf(schemas).decodeErasure(first(await readFrom(log)))).toStrictEqual(ERASURE);
    expect(server.requests).toHaveLength(asked);
  });

  it('whose ids stand for something else without it is refused', async () => {
    const server = await start({ firstId: schemaIds(contracts).idOf('Erasure') });
    await put(server, { type: 'string' });
    const error = await failure(open(server.url, { roles: ['sink'] }));
    expect(error).toBeInstanceOf(SchemaRegistryError);
    expect(error.message).toContain('which stands for Erasure without a registry');
  });

  it('that gives another schema than it took is refused', async () => {
    const server = await start({ firstId: 40 });
    const other = first(contracts);
    server.intercept = (request, response) => {
      if (request.url !== '/schemas/ids/40') return false;
      json(response, 200, answerOf(other));
      return true;
    };
    const error = await failure(open(server.url));
    expect(error.message).toContain('gives another schema for id 40');
  });

  it('keeps a level that promises more', async () => {
    const server = await start();
    const config = `${server.url}/config/erasures-value`;
    await fetch(config, { method: 'PUT', body: '{"compatibility":"FULL_TRANSITIVE"}' });
    await open(server.url);
    expect(await (await fetch(config)).json()).toStrictEqual({ compatibilityLevel: 'FULL_TRANSITIVE' });
    await fetch(config, { method: 'PUT', body: '{"compatibility":"NONE"}' });
    await open(server.url);
    expect(await (await fetch(config)).json()).toStrictEqual({ compatibilityLevel: 'BACKWARD_TRANSITIVE' });
  });

  it('where the user may not write: says what to do', async () => {
    const server = await start({ readOnly: true });
    const error = await failure(open(server.url));
    expect(error.message).toContain('The level of compatibility of consent-value must be BACKWARD_TRANSITIVE');
    expect(error.message).toContain('this user may not change it');
    await open(server.url, { roles: ['sink'] });
  });

  it('lets a user in by name and password, and shows neither', async () => {
    const user = { name: 'reader', password: 'pä:ss-wörd' };
    const server = await start({ user });
    const password = async (): Promise<string> => user.password;
    const schemas = await open(server.url, { username: 'reader', password });
    expect(schemas.idOf('Erasure')).toBeGreaterThan(0);
    for (const wrong of [{ username: 'reader', password: async () => 'wrong-one' }, {}]) {
      const error = await failure(open(server.url, wrong));
      expect(error).toBeInstanceOf(SchemaRegistryError);
      expect(error.message).toContain('registry.passwordFile');
      expect(error.message).not.toMatch(/wrong-one|reader/u);
    }
  });

  it.each([
    ['ftp://127.0.0.1/', {}],
    ['not a url', {}],
    ['http://127.0.0.1:9/?a=hunter2', {}],
    ['http://me:hunter2@127.0.0.1:9/', {}],
    ['http://schemas.example.org', { username: 'me', password: async () => 'hunter2' }],
    ['https://schemas.example.org', { username: 'me' }],
    ['https://schemas.example.org', { username: 'm:e', password: async () => 'hunter2' }],
    ['https://schemas.example.org', { caFile: '/nowhere/ca.pem' }],
  ])('is not asked at %s', async (url, options) => {
    const error = await failure(open(url, options));
    expect(error).toBeInstanceOf(SchemaRegistryError);
    expect(error.message).not.toContain('hunter2');
  });

  it('is trusted by the authority that is named, and by no other', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'redactory-registry-'));
    try {
      const key = join(dir, 'key.pem');
      const caFile = join(dir, 'cert.pem');
      const names = 'subjectAltName=IP:127.0.0.1';
      const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
      const args = ['req', '-x509', ...curve, '-keyout', key, '-out', caFile, '-days', '2', '-subj', '/CN=registry'];
      await promisify(execFile)('openssl', [...args, '-addext', names]);
      const server = await start({ tls: { key: await readFile(key, 'utf8'), cert: await readFile(caFile, 'utf8') } });
      expect((await open(server.url, { caFile })).idOf('Erasure')).toBeGreaterThan(0);
      const error = await failure(open(server.url));
      expect(error.message).toMatch(/certificate is not trusted \(\w+\); see registry\.caFile/u);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('does not hold up a read that is to end', async () => {
    const server = await start();
    const schemas = await open(server.url, { timeoutMs: 60_000 });
    const stop = new AbortController();
    answerIds(server, 500, () => stop.abort());
    const log = withRemoteSchemas(await logWith(naming(500)), schemas);
    expect(await readFrom(log, stop.signal)).toStrictEqual([]);
  });
});
