/** What the gateway answers, over HTTP. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeDecision } from '../../src/privacy/decisions.ts';
import { REFUSALS, type Grant } from '../../src/producers/gateway/protocol.ts';
import { ROUTES } from '../../src/producers/gateway/routes.ts';
import { openDevices, revokeDevice } from '../../src/runtime/devices.ts';
import { appendDecision } from '../../src/runtime/ingest.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { CANARY, GUARD_MS, START, useGateway } from '../helpers/gateway.ts';

const world = useGateway();
const { serve, decide, tokenOf, ask, enrolled, granted, put, batchOf, sealedBody, opened, rawBatches } = world;

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
    world.clock += 5_000;
    const { status, body } = await put(token, grant, 0);
    expect([status, body]).toEqual([
      200,
      { sequence: 0, receivedAt: world.clock, remainingBytes: expect.any(Number) as number, thin: [] },
    ]);
    expect(await opened()).toEqual([kept({ ...batchOf(), grantedAt: START, receivedAt: world.clock })]);
  });

  it.each(['gzip', 'zstd', 'identity'])('in Avro, in %s', async (encoding) => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    const packed = world.workspace.codec.packPayload(batchOf());
    const plain = world.workspace.zstd.decompress(packed, 1 << 20);
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
    world.clock += 1_000;
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
    const sent = Array.from({ length: 16 }, (_, i) => i >> 1);
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
    world.clock += 20_000;
    await decide(kind, 'ana', kind === 'pause' ? 5 : undefined);
    const ended = await put(token, grant, 1);
    expect([ended.status, ended.body.error]).toEqual([410, reason]);
    const next = await ask('POST', '/v1/sessions', { token, json: { device: 'laptop' } });
    expect([next.status, next.body.error]).toEqual([403, reason]);
    // Once more, long after: a session that ended stays so.
    world.clock += 6 * 60_000;
    expect((await put(token, grant, 1)).status).toBe(410);
    expect(await rawBatches()).toHaveLength(1);
  });

  it('is paused by its person, for the guard longer than it lasts', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    world.clock += 20_000;
    const paused = await ask('POST', '/v1/me/pause', { token, json: { minutes: 5 } });
    expect(paused.body).toMatchObject({ recording: 'paused', until: world.clock + 300_000, sessions: 0 });
    expect((await put(token, grant, 0)).body.error).toBe('paused');
    world.clock += 10_000;
    expect((await ask('POST', '/v1/me/resume', { token })).body).toMatchObject({ recording: 'enrolled' });
    const early = await ask('POST', '/v1/sessions', { token, json: { device: 'laptop' } });
    expect([early.status, early.body.error, early.body.until]).toEqual([403, 'paused', world.clock + GUARD_MS]);
    world.clock += GUARD_MS + 1;
    await granted(token);
  });

  it('ends for good with a withdrawal', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    world.clock += 20_000;
    expect((await ask('POST', '/v1/me/withdraw', { token })).body).toMatchObject({ recording: 'withdrawn' });
    expect((await put(token, grant, 0)).body.error).toBe('withdrawn');
    await ask('POST', '/v1/me/resume', { token });
    world.clock += 3_600_000;
    expect((await ask('POST', '/v1/sessions', { token, json: { device: 'laptop' } })).body.error).toBe('withdrawn');
  });

  it('ends after half an hour, with the next of its device, and when it is told to', async () => {
    await serve();
    const token = await enrolled();
    const first = await granted(token);
    const second = await granted(token);
    expect((await put(token, first, 0)).body.error).toBe('ended');
    world.clock += 1_799_999;
    expect((await put(token, second, 0)).status).toBe(200);
    world.clock += 1;
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

describe('on a log whose stamps are a day ahead', () => {
  const DAY = 86_400_000;
  let token = '';
  beforeEach(async () => {
    await serve();
    token = await enrolled();
    world.clock += DAY - 1_000;
    const grant = await granted(await tokenOf());
    await put(await tokenOf(), grant, 0);
    world.clock -= DAY - 1_000;
    await serve({ requestsPerMinute: 6 });
  });
  const grantOf = (): ReturnType<typeof ask<Grant>> =>
    ask('POST', '/v1/sessions', { token, json: { device: 'laptop' } });

  it('stamps go on from the latest, with time: a session expires', async () => {
    const { body: grant } = await grantOf();
    expect(grant.grantedAt).toBe(START + DAY - 1_000);
    world.clock += 1_799_999;
    expect((await put(token, grant, 0)).body.receivedAt).toBe(grant.grantedAt + 1_799_999);
    world.clock += 1;
    expect((await put(token, grant, 1)).body.error).toBe('expired');
  });

  it('requests are let in again after as long as ever, and a token is good as long as ever', async () => {
    for (let i = 0; i < 6; i++) expect((await ask('GET', '/v1/me', { token })).status).toBe(200);
    expect((await ask('GET', '/v1/me', { token })).status).toBe(429);
    world.clock += 10_000;
    expect((await ask('GET', '/v1/me', { token })).status).toBe(200);
    world.clock = START + DAY - 1;
    expect((await ask('GET', '/v1/me', { token })).status).toBe(200);
    world.clock += 1;
    expect((await ask('GET', '/v1/me', { token })).status).toBe(401);
  });

  it('a pause runs out, or ends early', async () => {
    const pause = (): ReturnType<typeof ask> => ask('POST', '/v1/me/pause', { token, json: { minutes: 1 } });
    expect((await pause()).body).toMatchObject({ recording: 'paused', until: START + DAY + 59_000 });
    world.clock += 60_000 + GUARD_MS + 1;
    expect((await grantOf()).status).toBe(201);
    expect((await pause()).body).toMatchObject({ recording: 'paused' });
    world.clock += 1_000;
    expect((await ask('POST', '/v1/me/resume', { token })).body).toMatchObject({ recording: 'enrolled' });
  });

  it('a pause that an operator stamped with the latest of the log counts from when it is known', async () => {
    world.clock += 3_600_000;
    const { body: grant } = await grantOf();
    const { workspace } = world;
    const [subjectKey, now] = [(await workspace.subjectKeys())('ana'), await workspace.trustedNow()];
    expect(now).toBeLessThan(grant.grantedAt - 1_800_000);
    const decision = makeDecision('pause', { subjectKey, now, randomId: () => 'x', minutes: 5 });
    await appendDecision(workspace.log, workspace.codec, decision);
    expect((await put(token, grant, 0)).body).toMatchObject({ error: 'paused' });
    const { body } = await grantOf();
    expect([body.error, body.until]).toEqual(['paused', grant.grantedAt + 300_000 + GUARD_MS]);
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
    world.clock += 1_000;
    expect((await ask('GET', '/v1/me', { token: short })).status).toBe(401);
    const token = (await openDevices(world.workspace)).all().find(({ tokenId }) => revoked.includes(tokenId));
    if (token === undefined) throw new Error('the token was not kept');
    await revokeDevice(world.workspace, token, world.clock);
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
    const latin1 = await ask('GET', '/v1/me', { headers: { 'x-person': 'Zo\u00eb' } });
    expect([latin1.status, latin1.body.error]).toEqual([401, 'bad_identity']);
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
    const { records } = await world.workspace.log.read(read);
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
    world.clock += 20_000;
    expect((await ask('GET', '/v1/me', { token })).status).toBe(200);
  });

  it('of requests leaves a person the right to decide, and of decisions the right to record', async () => {
    await serve({ requestsPerMinute: 3 });
    const token = await enrolled();
    for (let i = 0; i < 3; i++) await ask('GET', '/v1/me', { token });
    expect((await ask('GET', '/v1/me', { token })).status).toBe(429);
    const pause = (): ReturnType<typeof ask> => ask('POST', '/v1/me/pause', { token, json: { minutes: 5 } });
    for (let i = 0; i < 12; i++) expect((await pause()).status).toBe(200);
    const refused = await pause();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    world.clock += 20_000;
    expect((await ask('GET', '/v1/me', { token })).status).toBe(200);
  });

  it('of data is told before it is refused, and is forgotten the next day', async () => {
    await serve({ dataBudgetBytes: 2_000 });
    const token = await enrolled();
    const grant = await granted(token);
    const json = batchOf({ events: [{ kind: 'composition', at: world.clock, text: 'x'.repeat(700) }] });
    expect((await put(token, grant, 0, { json })).body.thin).toEqual([]);
    expect((await put(token, grant, 1, { json })).body.thin).toEqual(['pointer_move']);
    const refused = await put(token, grant, 2, { json });
    expect([refused.status, refused.body.error]).toEqual([429, 'over_budget']);
    expect(Number(refused.headers.get('retry-after'))).toBe(15 * 3_600);
    world.clock += 15 * 3_600_000;
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

  it('a request that does not end is closed', async () => {
    await serve({ requestSeconds: 1 });
    const { port } = new URL(world.address);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('PUT /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-le');
    await once(socket.resume(), 'close');
    expect(socket.destroyed).toBe(true);
  });
});

describe('what is not there', () => {
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

  it("lets no other site's page change anything, whoever has signed in", async () => {
    await serve({ corsOrigins: ['https://recorder.example.org'] });
    const token = await enrolled();
    const from = (site: string, origin?: string): ReturnType<typeof ask> => {
      const headers = { 'sec-fetch-site': site, ...(origin === undefined ? {} : { origin }) };
      return ask('POST', '/v1/me/withdraw', { token, headers });
    };
    for (const site of ['cross-site', 'same-site']) {
      expect(await from(site)).toMatchObject({ status: 403, body: { error: 'cross_site' } });
      expect(await from(site, 'https://evil.example')).toMatchObject({ status: 403, body: { error: 'cross_site' } });
    }
    expect((await ask<{ recording: string }>('GET', '/v1/me', { token })).body.recording).toBe('enrolled');
    expect((await from('cross-site', 'https://recorder.example.org')).status).toBe(200);
  });

  it('goes by the origin where a browser says no more', async () => {
    await serve({ corsOrigins: ['https://recorder.example.org'] });
    const token = await enrolled();
    const from = async (origin: string): Promise<number> =>
      (await ask('POST', '/v1/me/resume', { token, headers: { origin } })).status;
    const { host, port } = new URL(world.address);
    const others = ['http://evil.example', `http://127.0.0.2:${port}`, 'http://127.0.0.1:1', `x${host}`, 'null'];
    for (const other of others) expect([other, await from(other)]).toEqual([other, 403]);
    for (const own of [`http://${host}`, `https://${host}`, 'https://recorder.example.org']) {
      expect([own, await from(own)]).toEqual([own, 200]);
    }
    expect((await ask('POST', '/v1/me/resume', { token })).status).toBe(200);
  });

  it.each(['proxy', 'tokens'])('by %s, lets pages of listed origins ask with all that it needs', async (kind) => {
    const identity = kind === 'tokens' ? { kind } : { kind, header: 'x-person', trustedProxies: ['10.0.0.0/8'] };
    await serve({ corsOrigins: ['https://recorder.example.org'], identity });
    const asks = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'content-type,x-proxy' };
    const headers = { origin: 'https://recorder.example.org', ...asks };
    const answer = await ask('OPTIONS', '/v1/sessions', { headers });
    expect([answer.status, answer.headers.get('access-control-allow-headers')]).toEqual([204, 'content-type,x-proxy']);
    expect(answer.headers.get('access-control-allow-credentials')).toBe(kind === 'proxy' ? 'true' : null);
    const other = await ask('OPTIONS', '/v1/sessions', { headers: { ...asks, origin: 'https://evil.example' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('every reason has its line in docs/recorders.md, with its status', async () => {
    const page = await readFile(new URL('../../docs/recorders.md', import.meta.url), 'utf8');
    const told = [...page.matchAll(/^\| (\d{3}) +\| (`[^|]*`)/gmu)].flatMap(([, status = '', reasons = '']) =>
      [...reasons.matchAll(/`(\w+)`/gu)].map(([, reason = '']) => `${status} ${reason}`),
    );
    expect(new Set(told)).toEqual(
      new Set(
        Object.entries(REFUSALS)
          .map(([reason, [status]]) => `${status} ${reason}`)
          .concat('410 expired', '410 ended'),
      ),
    );
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
