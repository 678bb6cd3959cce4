/** The gateway over HTTP on loopback, on an embedded log of its own. */
import * as fc from 'fast-check';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import type { CapturePayload, SealedBatch } from '../../src/events/raw.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { makeDecision, type DecisionKind } from '../../src/privacy/decisions.ts';
import { createSealer } from '../../src/privacy/sealing/seal.ts';
import { openBatch } from '../../src/processors/openBatch.ts';
import type { Acknowledged, Grant } from '../../src/producers/gateway/protocol.ts';
import { ROUTES } from '../../src/producers/gateway/routes.ts';
import { issueDevice, openDevices, revokeDevice } from '../../src/runtime/devices.ts';
import { serveGateway, type RunningGateway } from '../../src/runtime/gateway.ts';
import { appendDecision } from '../../src/runtime/ingest.ts';
import { createLogger, createTelemetry, type Telemetry } from '../../src/runtime/telemetry.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { createUnseal } from '../../src/runtime/unseal.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';

const START = Date.UTC(2026, 10, 25, 9);
const GUARD_MS = 5_000;
const CANARY = 'canary-7421';

let dir: string;
let workspace: Workspace;
let gateway: RunningGateway | undefined;
let telemetry: Telemetry;
let logged: string;
let clock: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-gateway-'));
  clock = START;
  logged = '';
  telemetry = createTelemetry(
    createLogger({ level: 'info', pretty: false, to: { write: (line) => (logged += line) } }),
  );
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  await workspace.close();
  await rm(dir, { recursive: true });
});

async function serve(settings: object = {}): Promise<void> {
  const config = await loadConfig({ env: {}, cwd: dir });
  workspace = await openWorkspace(
    { ...config, gateway: { ...config.gateway, port: 0, ...settings } },
    {},
    { role: 'gateway', now: () => clock },
  );
  const { policy } = await loadPolicy(config.policy);
  expect(policy.consent.guardSeconds * 1_000).toBe(GUARD_MS);
  gateway = await serveGateway({ workspace, policy, telemetry });
}

async function decide(kind: DecisionKind, subject = 'ana', minutes?: number): Promise<void> {
  const subjectKey = (await workspace.subjectKeys())(subject);
  const length = minutes === undefined ? {} : { minutes };
  const decision = makeDecision(kind, { subjectKey, now: clock, randomId: () => `${kind}-${clock}`, ...length });
  await appendDecision(workspace.log, workspace.codec, decision);
}

interface TokenOf {
  readonly subject?: string;
  readonly device?: string | null;
  readonly lasts?: number;
}

async function tokenOf({ subject = 'ana', device = null, lasts = 86_400_000 }: TokenOf = {}): Promise<string> {
  const subjectKey = (await workspace.subjectKeys())(subject);
  const { text } = await issueDevice(workspace, { subjectKey, device, issuedAt: clock, expiresAt: clock + lasts });
  return text;
}

interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T & { readonly error?: string; readonly until?: number };
}

async function ask<T = object>(
  method: string,
  path: string,
  given: {
    readonly token?: string;
    readonly json?: unknown;
    readonly body?: Uint8Array | string;
    readonly headers?: Record<string, string>;
  } = {},
): Promise<Answer<T>> {
  const { token, json } = given;
  const body = given.body ?? (json === undefined ? undefined : JSON.stringify(json));
  const response = await fetch(`${gateway?.address ?? ''}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...given.headers,
    },
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

/** Enrolled since an hour ago, with a token. */
async function enrolled(subject = 'ana'): Promise<string> {
  clock -= 3_600_000;
  await decide('enrol', subject);
  clock += 3_600_000;
  return tokenOf({ subject });
}

async function granted(token: string, device = 'laptop'): Promise<Grant> {
  const { status, body } = await ask<Grant>('POST', '/v1/sessions', { token, json: { device } });
  expect(status).toBe(201);
  return body;
}

const batchOf = (change: object = {}): CapturePayload & { readonly subject: string } => ({
  subject: 'ana',
  device: 'laptop',
  contexts: [{ app: 'Word', title: CANARY, url: '', private: false }],
  elements: [{ role: 'textbox', name: '', value: '', secure: false, bounds: null }],
  events: [{ kind: 'value_change', at: clock, context: 0, element: 0, value: CANARY }],
  ...change,
});

const put = (
  token: string,
  { session }: { readonly session: string },
  sequence: number,
  given: Parameters<typeof ask>[2] = {},
): Promise<Answer<Acknowledged>> =>
  ask('PUT', `/v1/sessions/${session}/batches/${sequence}`, {
    token,
    ...(given.body === undefined ? { json: batchOf() } : {}),
    ...given,
  });

/** Everything on the raw topic, as the processors open it. */
async function opened(): Promise<readonly object[]> {
  const { log, codec } = workspace;
  // A gateway may not open keys: another part of the line does.
  const other = await openWorkspace(workspace.config, {}, { role: 'sanitizer', now: () => clock });
  const tables = await other.controlTables(0);
  await tables.catchUp();
  const unseal = createUnseal({ codec, keyring: tables.keyring, sealed: 'required' });
  const subjectKey = await workspace.subjectKeys();
  const outcomes: object[] = [];
  for (const [partition, end] of (await log.endOffsets(TOPICS.raw)).entries()) {
    if (end === 0) continue;
    const at = { topic: TOPICS.raw, partition, offset: 0, maxRecords: 1_000, maxBytes: 1 << 24, waitMs: 0 };
    const { records } = await log.read(at);
    outcomes.push(...(await unseal(records)).map((record) => openBatch({ codec, subjectKey })(record)));
  }
  await other.close();
  return outcomes;
}

async function rawBatches(): Promise<readonly SealedBatch[]> {
  const batches: SealedBatch[] = [];
  for (const [partition, end] of (await workspace.log.endOffsets(TOPICS.raw)).entries()) {
    const at = { topic: TOPICS.raw, partition, offset: 0, maxRecords: 10_000, maxBytes: 1 << 26, waitMs: 0 };
    const { records } = end === 0 ? { records: [] } : await workspace.log.read(at);
    for (const { value } of records) {
      const batch = workspace.codec.openEnvelope(value ?? new Uint8Array());
      if (batch.ok) batches.push(batch.value);
    }
  }
  return batches;
}

const kept = (batch: object, sequence = 0): object => ({
  kind: 'keep',
  batch: expect.objectContaining({ ...batch, sequence }),
});

describe('a batch', () => {
  it('in JSON is sealed, kept and acknowledged', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    expect(grant).toMatchObject({ grantedAt: START, endsAt: START + 1_800_000, record: { private: false } });
    clock += 5_000;
    const { status, body } = await put(token, grant, 0);
    expect([status, body]).toEqual([
      200,
      { sequence: 0, receivedAt: clock, remainingBytes: expect.any(Number) as number, thin: [] },
    ]);
    expect(await opened()).toEqual([kept({ ...batchOf(), grantedAt: START, receivedAt: clock })]);
  });

  it.each(['gzip', 'zstd', 'identity'])('in Avro, in %s', async (encoding) => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    const packed = workspace.codec.packPayload(batchOf());
    const plain = workspace.zstd.decompress(packed, 1 << 20);
    const body = { gzip: gzipSync(plain), zstd: packed, identity: packed }[encoding] ?? plain;
    const headers = { 'content-type': 'application/vnd.redactory.capture', 'content-encoding': encoding };
    const { status } = await put(token, grant, 3, { body, headers });
    expect(status).toBe(200);
    expect(await opened()).toEqual([kept(batchOf(), 3)]);
  });

  it('that the recorder sealed is kept as it is', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    const body = await sealedBody(grant, 0, batchOf());
    const headers = { 'content-type': 'application/vnd.redactory.sealed' };
    expect((await put(token, grant, 0, { body, headers })).status).toBe(200);
    expect(await opened()).toEqual([kept(batchOf())]);
    const unknown = Buffer.concat([Buffer.alloc(8, 7), body.subarray(8)]);
    const refused = await put(token, grant, 1, { body: unknown, headers });
    expect([refused.status, refused.body.error]).toEqual([422, 'unknown_sealing_key']);
  });

  it("that is sealed and another person's is quarantined by the processors", async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    const body = await sealedBody(grant, 0, batchOf({ subject: 'ben' }));
    const headers = { 'content-type': 'application/vnd.redactory.sealed' };
    expect((await put(token, grant, 0, { body, headers })).status).toBe(200);
    expect(await opened()).toEqual([{ kind: 'quarantine', reason: 'subject_mismatch' }]);
  });

  it('again is acknowledged again and kept once; another under its number is not, nor one from before it', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    const json = batchOf();
    const first = await put(token, grant, 5, { json });
    clock += 1_000;
    const again = await put(token, grant, 5, { json });
    expect([again.status, again.body.receivedAt]).toEqual([200, first.body.receivedAt]);
    const other = await put(token, grant, 5, { json: batchOf({ device: 'tablet' }) });
    expect([other.status, other.body.error]).toEqual([409, 'conflict']);
    const older = await put(token, grant, 4, { json });
    expect([older.status, older.body.error]).toEqual([409, 'out_of_order']);
    expect(await rawBatches()).toHaveLength(1);
  });

  it('of many that are sent at once, each is kept once and in order', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    const sent = Array.from({ length: 20 }, (_, i) => i >> 1);
    const answers = await Promise.all(sent.map((sequence) => put(token, grant, sequence)));
    expect(answers.filter(({ status }) => status !== 200 && status !== 409)).toEqual([]);
    const acknowledged = new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body.sequence));
    const sequences = (await rawBatches()).map(({ sequence }) => sequence);
    expect(sequences).toEqual([...acknowledged].toSorted((a, b) => a - b));
  });

  it.each([
    ['of another person', { subject: 'ben' }, 403, 'subject_mismatch'],
    ['of another device', { device: 'tablet' }, 403, 'device_mismatch'],
    ['with a kind that is not known', { events: [{ kind: 'smell', at: START }] }, 422, 'bad_batch'],
    ['with a place that is not there', { events: [{ kind: 'focus', at: START, context: 9 }] }, 422, 'bad_batch'],
    ['with another field', { extra: CANARY }, 422, 'bad_batch'],
    ['without events', { events: [] }, 422, 'bad_batch'],
    [
      'with too many events',
      { events: Array.from({ length: 101 }, () => ({ kind: 'focus', at: START })) },
      422,
      'too_many_events',
    ],
  ])('%s is refused', async (_, change, status, error) => {
    await serve({ maxEventsPerBatch: 100 });
    const token = await enrolled();
    const grant = await granted(token);
    const answer = await put(token, grant, 0, { json: batchOf(change) });
    expect([answer.status, answer.body.error]).toEqual([status, error]);
    expect(await rawBatches()).toEqual([]);
    // A batch that was refused used no number and none of the budget.
    expect((await put(token, grant, 0)).status).toBe(200);
  });
});

async function sealedBody(grant: Grant, sequence: number, payload: CapturePayload): Promise<Buffer> {
  const sealer = await createSealer(Buffer.from(grant.sealing.publicKey, 'base64'));
  expect(sealer.keyId).toBe(grant.sealing.keyId);
  const packed = workspace.codec.packPayload(payload);
  const { session, grantedAt } = grant;
  const { seal, payload: closed } = await sealer.seal({ session, sequence, grantedAt }, packed);
  return Buffer.concat([Buffer.from(seal.keyId, 'hex'), seal.encapsulated, closed]);
}

describe('a session', () => {
  it('is granted to nobody who is not enrolled', async () => {
    await serve();
    const token = await tokenOf();
    const { status, body } = await ask('POST', '/v1/sessions', { token, json: { device: 'laptop' } });
    expect([status, body.error]).toEqual([403, 'not_enrolled']);
  });

  it.each([
    ['pause', 'paused'],
    ['withdraw', 'withdrawn'],
    ['exempt', 'exempt'],
  ] as const)('ends with a decision to %s made elsewhere, and the next is refused', async (kind, reason) => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    expect((await put(token, grant, 0)).status).toBe(200);
    clock += 20_000;
    await decide(kind, 'ana', kind === 'pause' ? 5 : undefined);
    const ended = await put(token, grant, 1);
    expect([ended.status, ended.body.error]).toEqual([410, reason]);
    const next = await ask('POST', '/v1/sessions', { token, json: { device: 'laptop' } });
    expect([next.status, next.body.error]).toEqual([403, reason]);
    // Once more, long after: a session that ended stays so.
    clock += 6 * 60_000;
    expect((await put(token, grant, 1)).status).toBe(410);
    expect(await rawBatches()).toHaveLength(1);
  });

  it('is paused by its person, for the guard longer than it lasts', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    clock += 20_000;
    const paused = await ask('POST', '/v1/me/pause', { token, json: { minutes: 5 } });
    expect(paused.body).toMatchObject({ recording: 'paused', until: clock + 300_000, sessions: 0 });
    expect((await put(token, grant, 0)).body.error).toBe('paused');
    clock += 10_000;
    expect((await ask('POST', '/v1/me/resume', { token })).body).toMatchObject({ recording: 'enrolled' });
    const early = await ask('POST', '/v1/sessions', { token, json: { device: 'laptop' } });
    expect([early.status, early.body.error, early.body.until]).toEqual([403, 'paused', clock + GUARD_MS]);
    clock += GUARD_MS + 1;
    await granted(token);
  });

  it('ends for good with a withdrawal', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    clock += 20_000;
    expect((await ask('POST', '/v1/me/withdraw', { token })).body).toMatchObject({ recording: 'withdrawn' });
    expect((await put(token, grant, 0)).body.error).toBe('withdrawn');
    await ask('POST', '/v1/me/resume', { token });
    clock += 3_600_000;
    expect((await ask('POST', '/v1/sessions', { token, json: { device: 'laptop' } })).body.error).toBe('withdrawn');
  });

  it('ends after half an hour, with the next of its device, and when it is told to', async () => {
    await serve();
    const token = await enrolled();
    const first = await granted(token);
    const second = await granted(token);
    expect((await put(token, first, 0)).body.error).toBe('ended');
    clock += 1_799_999;
    expect((await put(token, second, 0)).status).toBe(200);
    clock += 1;
    expect((await put(token, second, 1)).body.error).toBe('expired');
    const third = await granted(token);
    expect((await ask('DELETE', `/v1/sessions/${third.session}`, { token })).status).toBe(204);
    expect((await put(token, third, 0)).body.error).toBe('ended');
  });

  it('of another person is not there', async () => {
    await serve();
    const grant = await granted(await enrolled());
    const ben = await enrolled('ben');
    expect((await put(ben, grant, 0, { json: batchOf({ subject: 'ben' }) })).status).toBe(404);
    expect((await ask('DELETE', `/v1/sessions/${grant.session}`, { token: ben })).status).toBe(404);
    expect(await rawBatches()).toEqual([]);
  });

  it('a person has eight at most', async () => {
    await serve();
    const token = await enrolled();
    const grants: Grant[] = [];
    for (let i = 0; i < 9; i++) grants.push(await granted(token, `device-${i}`));
    expect((await ask('GET', '/v1/me', { token })).body).toMatchObject({ sessions: 8 });
    const oldest = grants[0] ?? { session: '' };
    expect((await put(token, oldest, 0, { json: batchOf({ device: 'device-0' }) })).body.error).toBe('ended');
  });
});

describe('who asks', () => {
  it.each([
    ['nothing', undefined],
    ['another token', `rdt_${'0'.repeat(16)}_${'A'.repeat(43)}`],
    ['no token', 'x'],
  ])('with %s is not let in', async (_, token) => {
    await serve();
    const answer = await ask('GET', '/v1/me', token === undefined ? {} : { token });
    expect([answer.status, answer.body.error]).toEqual([401, 'unauthenticated']);
    expect((await ask('GET', '/v1/nothing')).status).toBe(401);
  });

  it('with the id of one token and the secret of another is not let in', async () => {
    await serve();
    const [one, other] = [await tokenOf(), await tokenOf()];
    expect((await ask('GET', '/v1/me', { token: one })).status).toBe(200);
    expect((await ask('GET', '/v1/me', { token: one.slice(0, 21) + other.slice(21) })).status).toBe(401);
  });

  it('with a token that has expired or was revoked is not let in, from the next request on', async () => {
    await serve();
    const short = await tokenOf({ lasts: 1_000 });
    const revoked = await tokenOf();
    expect((await ask('GET', '/v1/me', { token: short })).status).toBe(200);
    clock += 1_000;
    expect((await ask('GET', '/v1/me', { token: short })).status).toBe(401);
    const token = (await openDevices(workspace)).all().find(({ tokenId }) => revoked.includes(tokenId));
    if (token === undefined) throw new Error('the token was not kept');
    await revokeDevice(workspace, token, clock);
    expect((await ask('GET', '/v1/me', { token: revoked })).status).toBe(401);
  });

  it('with a token of one device has no other', async () => {
    await serve();
    await enrolled();
    const token = await tokenOf({ device: 'laptop' });
    const other = await ask('POST', '/v1/sessions', { token, json: { device: 'tablet' } });
    expect([other.status, other.body.error]).toEqual([403, 'device_mismatch']);
    await granted(token);
  });

  it('is who the proxy says, if it is a trusted one', async () => {
    await serve({ identity: { kind: 'proxy', header: 'x-person', trustedProxies: ['127.0.0.0/8'] } });
    const token = await enrolled();
    const headers = { 'x-person': 'ana' };
    expect((await ask('GET', '/v1/me', { headers })).body).toMatchObject({ recording: 'enrolled' });
    expect((await ask('GET', '/v1/me', { headers: { 'x-person': 'ben' } })).body).toMatchObject({
      recording: 'not_enrolled',
    });
    expect((await ask('GET', '/v1/me', { token })).status).toBe(401);
    expect((await ask('GET', '/v1/me', { headers: { 'x-person': 'ana, ben' } })).status).toBe(401);
  });

  it('is nobody where the header comes from elsewhere', async () => {
    await serve({ identity: { kind: 'proxy', header: 'x-person', trustedProxies: ['10.0.0.0/8'] } });
    await enrolled();
    const headers = { 'x-person': 'ana', 'x-forwarded-for': '10.0.0.1' };
    expect((await ask('GET', '/v1/me', { headers })).status).toBe(401);
  });

  it('the topic has no token, only hashes', async () => {
    await serve();
    const token = await tokenOf();
    const secret = token.slice(21);
    const read = { topic: TOPICS.devices, partition: 0, offset: 0, maxRecords: 9, maxBytes: 1 << 20, waitMs: 0 };
    const { records } = await workspace.log.read(read);
    const bytes = Buffer.concat(records.map(({ value }) => value ?? Buffer.alloc(0)));
    expect(bytes.indexOf(secret)).toBe(-1);
    expect(bytes.indexOf(Buffer.from(secret, 'base64url'))).toBe(-1);
    expect(bytes.indexOf('ana')).toBe(-1);
  });
});

describe('what is too much', () => {
  it('of requests is answered 429, and let in again later', async () => {
    await serve({ requestsPerMinute: 3 });
    const token = await enrolled();
    for (let i = 0; i < 3; i++) expect((await ask('GET', '/v1/me', { token })).status).toBe(200);
    const refused = await ask('GET', '/v1/me', { token });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '20']);
    // Another person's requests are their own.
    expect((await ask('GET', '/v1/me', { token: await enrolled('ben') })).status).toBe(200);
    clock += 20_000;
    expect((await ask('GET', '/v1/me', { token })).status).toBe(200);
  });

  it('of data is told before it is refused, and is forgotten the next day', async () => {
    await serve({ dataBudgetBytes: 2_000 });
    const token = await enrolled();
    const grant = await granted(token);
    const json = batchOf({ events: [{ kind: 'composition', at: clock, text: 'x'.repeat(700) }] });
    expect((await put(token, grant, 0, { json })).body.thin).toEqual([]);
    expect((await put(token, grant, 1, { json })).body.thin).toEqual(['pointer_move']);
    const refused = await put(token, grant, 2, { json });
    expect([refused.status, refused.body.error]).toEqual([429, 'over_budget']);
    expect(Number(refused.headers.get('retry-after'))).toBe(15 * 3_600);
    clock += 15 * 3_600_000;
    expect((await ask('GET', '/v1/me', { token })).body).toMatchObject({ sentBytesToday: 0, thin: [] });
  });

  it.each([
    ['sent', () => ({ body: Buffer.alloc(2_000_000, 32) })],
    // A thousand times what it is sent as: it stops at the limit.
    [
      'unpacked from gzip',
      () => ({ body: gzipSync(Buffer.alloc(400 << 20)), headers: { 'content-encoding': 'gzip' } }),
    ],
    [
      'said to be unpacked from zstd',
      () => ({
        // A frame that says it holds 10 GB.
        body: Buffer.from('28b52ffde0000000540200000001000000', 'hex'),
        headers: { 'content-encoding': 'zstd' },
      }),
    ],
  ])('of a body as it is %s is 413', async (_, make) => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    const answer = await put(token, grant, 0, make());
    expect([answer.status, answer.body.error]).toEqual([413, 'too_large']);
    expect((await put(token, grant, 0)).status).toBe(200);
  });

  it('at once is answered 503, and later taken', async () => {
    await serve({ maxInFlight: 1 });
    const token = await enrolled();
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask('GET', '/v1/me', { token })));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].every((status) => status === 200 || status === 503)).toBe(true);
    expect((await ask('GET', '/v1/me', { token })).status).toBe(200);
  });

  it('a request that does not end is closed', async () => {
    await serve({ requestSeconds: 1 });
    const { port } = new URL(gateway?.address ?? '');
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('PUT /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-le');
    await once(socket.resume(), 'close');
    expect(socket.destroyed).toBe(true);
  });
});

describe('whatever is sent', () => {
  it('no answer is a 5xx, none repeats it, and nothing of it is logged or counted', async () => {
    await serve({ requestsPerMinute: 100_000 });
    const token = await enrolled();
    const grant = await granted(token);
    const whole = Buffer.from(JSON.stringify(batchOf()));
    const packed = Buffer.from(workspace.codec.packPayload(batchOf()));
    const types = ['json', 'vnd.redactory.capture', 'vnd.redactory.sealed', CANARY];
    const spoilt = fc.tuple(
      fc.constantFrom(whole, packed),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
    );
    const bodies = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      spoilt.map(([from, changes]) => {
        const bytes = Buffer.from(from);
        for (const [at, to] of changes) bytes[at % bytes.length] = to;
        return bytes;
      }),
    );
    let sequence = 0;
    await fc.assert(
      fc.asyncProperty(
        bodies,
        fc.constantFrom(...types),
        fc.constantFrom('identity', 'gzip', 'zstd', CANARY),
        fc.constantFrom(`/v1/sessions/${grant.session}/batches/N`, '/v1/sessions', '/v1/me/pause', `/v1/${CANARY}`),
        async (body, type, encoding, path) => {
          const headers = { 'content-type': `application/${type}`, 'content-encoding': encoding };
          const method = path.endsWith('N') ? 'PUT' : 'POST';
          const answer = await ask(method, path.replace('N', String(sequence++)), { token, body, headers });
          expect(answer.status).toBeLessThan(500);
          expect(JSON.stringify(answer.body)).not.toContain(CANARY);
        },
      ),
      { numRuns: Number(process.env['REDACTORY_FUZZ_CASES'] ?? 500) },
    );
    expect(logged).not.toContain(CANARY);
    expect(logged).not.toContain(token);
    expect((await telemetry.render()).body).not.toContain(CANARY);
  }, 300_000);

  it('a path of another method is 405, one that is not there 404, and neither repeats it', async () => {
    await serve();
    const token = await enrolled();
    const other = await ask('PUT', '/v1/me', { token });
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET']);
    const gone = await ask('GET', `/v1/${CANARY}`, { token });
    expect([gone.status, gone.body]).toEqual([404, { error: 'not_found', message: expect.any(String) as string }]);
    expect((await ask('GET', '/v1/%ff', { token })).status).toBe(400);
  });
});

describe('the document and the headers', () => {
  it('describes every route, and is there for everybody', async () => {
    await serve();
    const { status, body, headers } = await ask<{ openapi: string; paths: Record<string, object> }>(
      'GET',
      '/v1/openapi.json',
    );
    expect([status, body.openapi]).toEqual([200, '3.1.0']);
    const described = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = ROUTES.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/gu, '{$1}')}`);
    expect(new Set(described)).toEqual(new Set([...served, 'GET /v1/openapi.json']));
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('server')).toBeNull();
  });

  it('lets pages of listed origins ask, and of no others', async () => {
    await serve({ corsOrigins: ['https://recorder.example.org'] });
    const token = await tokenOf();
    const from = async (origin: string): Promise<string | null> =>
      (await ask('GET', '/v1/me', { token, headers: { origin } })).headers.get('access-control-allow-origin');
    expect(await from('https://recorder.example.org')).toBe('https://recorder.example.org');
    expect(await from('https://other.example.org')).toBeNull();
  });
});
