/** The gateway when the log, the network or whoever sends makes trouble. */
import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { chmod, readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogStorageError } from '../../src/log/event-log.ts';
import { openDevices, revokeDevice } from '../../src/runtime/devices.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { useGateway } from '../helpers/gateway.ts';

const world = useGateway();
const { serve, ask, enrolled, granted, put, batchOf, rawBatches } = world;

/** From now on, what an append to raw does before it is one. */
function beforeAppends(before: () => Promise<void>): void {
  const { log } = world.workspace;
  const append = log.append.bind(log);
  vi.spyOn(log, 'append').mockImplementation(async (topic, records) => {
    if (topic === TOPICS.raw) await before();
    return append(topic, records);
  });
}

/** A promise, and what resolves it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const inFlight = async (): Promise<number> =>
  Number(/^redactory_gateway_in_flight_requests (\d+)$/mu.exec((await world.telemetry.render()).body)?.[1]);

/** Until it is so: requests arrive when they arrive. */
const untilInFlight = (count: number): Promise<void> =>
  vi.waitFor(async () => expect(await inFlight()).toBe(count), { timeout: 20_000, interval: 5 });

describe('a log', () => {
  it('that fails acknowledges nothing; the same again later is kept once', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    let isFull = true;
    beforeAppends(async () => {
      if (isFull) throw new LogStorageError('the disk is full');
    });
    for (let i = 0; i < 3; i++) {
      const refused = await put(token, grant, 0);
      expect([refused.status, refused.body.error, refused.headers.get('retry-after')]).toEqual([
        503,
        'unavailable',
        '2',
      ]);
    }
    expect(await rawBatches()).toEqual([]);
    expect((await ask('GET', '/v1/me', { token })).body).toMatchObject({ sentBytesToday: 0 });
    isFull = false;
    expect((await put(token, grant, 0)).status).toBe(200);
    expect((await put(token, grant, 0)).status).toBe(200);
    expect(await rawBatches()).toHaveLength(1);
  });

  it('that stalls acknowledges nothing meanwhile, and others are told to wait', async () => {
    await serve({ maxInFlight: 2 });
    const token = await enrolled();
    const grant = await granted(token);
    const stall = gate();
    beforeAppends(() => stall.opened);
    const answered: number[] = [];
    // The second is the first once more, whose answer took too long.
    const both = [put(token, grant, 0), put(token, grant, 0)].map(async (one) => answered.push((await one).status));
    await untilInFlight(2);
    const refused = await put(token, grant, 1);
    expect([refused.status, refused.body.error, refused.headers.get('retry-after')]).toEqual([503, 'busy', '1']);
    expect([answered, await rawBatches()]).toEqual([[], []]);
    stall.open();
    await Promise.all(both);
    expect(answered).toEqual([200, 200]);
    await untilInFlight(0);
    expect((await put(token, grant, 1)).status).toBe(200);
    expect((await rawBatches()).map(({ sequence }) => sequence)).toEqual([0, 1]);
  });

  it.each([
    ['in all', 'ben', { maxInFlight: 16 }],
    ['by one person', 'ana', { maxInFlight: 256 }],
  ])('that stalls %s keeps nobody from pausing, withdrawing and asking for erasure', async (_, who, settings) => {
    await serve(settings);
    const token = await enrolled();
    const busy = await enrolled(who);
    const grant = await granted(busy);
    const stall = gate();
    beforeAppends(() => stall.opened);
    const json = batchOf({ subject: who });
    const all = Array.from({ length: 16 }, (_none, i) => put(busy, grant, i, { json }));
    await untilInFlight(16);
    expect((await ask('GET', '/v1/me', { token })).status).toBe(who === 'ana' ? 429 : 503);
    const pause = { token, json: { minutes: 5 } };
    expect((await ask('POST', '/v1/me/pause', pause)).body).toMatchObject({ recording: 'paused' });
    expect((await ask('POST', '/v1/me/resume', { token })).status).toBe(200);
    expect((await ask('POST', '/v1/me/withdraw', { token })).body).toMatchObject({ recording: 'withdrawn' });
    expect((await ask('POST', '/v1/me/erasure', { token, json: { confirm: 'erase' } })).status).toBe(200);
    stall.open();
    await Promise.all(all);
  });

  it('that fails with something that nobody foresaw is a 500 of which nothing but its kind is told', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    beforeAppends(() => Promise.reject(new RangeError('ana typed hunter2')));
    const failed = await put(token, grant, 0);
    expect([failed.status, failed.body.error]).toEqual([500, 'internal']);
    expect(JSON.stringify(failed.body) + world.logged).not.toMatch(/ana|hunter2/u);
    expect(world.logged).toContain('RangeError');
  });
});

describe('who sends slowly', () => {
  function begin(token: string, session: string, sequence: number): Socket {
    const { port } = new URL(world.address);
    const socket = connect(Number(port), '127.0.0.1');
    const head = [
      `PUT /v1/sessions/${session}/batches/${sequence} HTTP/1.1`,
      'host: x',
      `authorization: Bearer ${token}`,
      'content-type: application/json',
      'content-length: 1000',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n{"subject":`);
    return socket;
  }

  it('fills no more than their own share, and is ended in time', async () => {
    await serve({ requestSeconds: 1 });
    const [ana, ben] = [await enrolled(), await enrolled('ben')];
    const [mine, theirs] = [await granted(ana), await granted(ben)];
    const slow = Array.from({ length: 16 }, (_, i) => begin(ana, mine.session, i));
    const ends = slow.map(async (socket) => {
      let said = '';
      socket.on('data', (part: Buffer) => (said += part.toString()));
      await once(socket, 'close');
      return said;
    });
    await untilInFlight(16);
    const more = await put(ana, mine, 16);
    expect([more.status, more.body.error, more.headers.get('retry-after')]).toEqual([429, 'rate', '1']);
    expect((await put(ben, theirs, 0, { json: batchOf({ subject: 'ben' }) })).status).toBe(200);
    for (const said of await Promise.all(ends)) {
      expect(said).toMatch(/^HTTP\/1\.1 408 /u);
      expect(JSON.parse(said.slice(said.indexOf('\r\n\r\n')))).toMatchObject({ error: 'too_slow' });
    }
    await untilInFlight(0);
    expect((await put(ana, mine, 0)).status).toBe(200);
    expect((await rawBatches()).map(({ session }) => session).toSorted()).toEqual(
      [mine.session, theirs.session].toSorted(),
    );
  });

  it('and hangs up leaves nothing behind', async () => {
    await serve();
    const ana = await enrolled();
    const mine = await granted(ana);
    // More often than one may have requests under way.
    for (let round = 0; round < 3; round++) {
      const slow = Array.from({ length: 16 }, (_, i) => begin(ana, mine.session, i));
      await untilInFlight(16);
      for (const socket of slow) socket.destroy();
      await untilInFlight(0);
    }
    expect((await put(ana, mine, 0)).status).toBe(200);
  });
});

describe('who hangs up when all was sent', () => {
  /** So many connections, each with these requests on it, one after the other. */
  function send(count: number, requests: (i: number) => string): readonly Socket[] {
    const { port } = new URL(world.address);
    return Array.from({ length: count }, (_, i) => {
      const socket = connect(Number(port), '127.0.0.1');
      socket.write(requests(i));
      return socket;
    });
  }

  function whole(method: string, path: string, token: string, json?: object): string {
    const body = json === undefined ? '' : JSON.stringify(json);
    const type = json === undefined ? [] : ['content-type: application/json', `content-length: ${body.length}`];
    const head = [`${method} ${path} HTTP/1.1`, 'host: x', `authorization: Bearer ${token}`, ...type];
    return `${head.join('\r\n')}\r\n\r\n${body}`;
  }

  const accepted = new Set<Socket>();
  const accept = (message: unknown): void => void accepted.add((message as { readonly socket: Socket }).socket);
  // Node's own message for each connection that a server takes.
  beforeEach(() => subscribe('net.server.socket', accept));
  afterEach(() => {
    unsubscribe('net.server.socket', accept);
    accepted.clear();
  });

  /** Until the gateway has seen them gone. */
  async function hangUp(sockets: readonly Socket[]): Promise<void> {
    const ports = new Set(sockets.map(({ localPort }) => localPort));
    const ends = [...accepted].filter(({ remotePort }) => ports.has(remotePort)).map((end) => once(end, 'close'));
    expect(ends).toHaveLength(sockets.length);
    for (const socket of sockets) socket.destroy();
    await Promise.all(ends);
  }

  it('counts until the work is done, and no longer', async () => {
    await serve();
    const ana = await enrolled();
    const mine = await granted(ana);
    let stall = gate();
    beforeAppends(() => stall.opened);
    // More often than one may have requests under way.
    for (let round = 0; round < 3; round++) {
      stall = gate();
      const number = (i: number): number => round * 16 + i;
      const path = (i: number): string => `/v1/sessions/${mine.session}/batches/${number(i)}`;
      const sockets = send(16, (i) => whole('PUT', path(i), ana, batchOf()));
      await untilInFlight(16);
      await hangUp(sockets);
      expect(await inFlight()).toBe(16);
      stall.open();
      await untilInFlight(0);
    }
    expect((await put(ana, mine, 99)).status).toBe(200);
  });

  it('behind another request on the same connection, as well', async () => {
    await serve();
    const ana = await enrolled();
    const mine = await granted(ana);
    let stall = gate();
    beforeAppends(() => stall.opened);
    for (let round = 0; round < 3; round++) {
      stall = gate();
      const first = whole('PUT', `/v1/sessions/${mine.session}/batches/${round}`, ana, batchOf());
      const sockets = send(8, () => first + whole('GET', '/v1/me', ana));
      await untilInFlight(16);
      await hangUp(sockets);
      stall.open();
      await untilInFlight(0);
    }
    expect((await ask('GET', '/v1/me', { token: ana })).status).toBe(200);
  });

  it('of a request without a body, as well', async () => {
    const stall = gate();
    const view = { kept: () => stall.opened.then(() => ({ days: [] })), readers: async () => ({ readers: [] }) };
    await serve({}, { view });
    const ana = await enrolled();
    const sockets = send(16, () => whole('GET', '/v1/me/kept', ana));
    await untilInFlight(16);
    await hangUp(sockets);
    expect(await inFlight()).toBe(16);
    expect((await ask('GET', '/v1/me', { token: ana })).status).toBe(429);
    stall.open();
    await untilInFlight(0);
    expect((await ask('GET', '/v1/me', { token: ana })).status).toBe(200);
  });
});

it('a token that is revoked in the middle of a session ends it with the next batch', async () => {
  await serve();
  const token = await enrolled();
  const grant = await granted(token);
  expect((await put(token, grant, 0)).status).toBe(200);
  const [known] = (await openDevices(world.workspace)).all();
  if (known === undefined) throw new Error('the token was not kept');
  await revokeDevice(world.workspace, known, world.clock);
  expect((await put(token, grant, 1)).status).toBe(401);
  expect(await rawBatches()).toHaveLength(1);
});

it('a token that was stolen for another person’s session finds none', async () => {
  await serve();
  const grant = await granted(await enrolled());
  const thief = await enrolled('ben');
  const asked = [
    await put(thief, grant, 0),
    await ask('DELETE', `/v1/sessions/${grant.session}`, { token: thief }),
    await ask('PUT', `/v1/sessions/${crypto.randomUUID()}/batches/0`, { token: thief, json: batchOf() }),
  ];
  // Nor can they tell that it is there.
  expect(new Set(asked.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
  expect(asked[0]?.status).toBe(404);
  expect(await rawBatches()).toEqual([]);
});

describe('over TLS', () => {
  async function certificate(): Promise<{ readonly certFile: string; readonly keyFile: string }> {
    const [certFile, keyFile] = [join(world.dir, 'gateway.pem'), join(world.dir, 'gateway.key')];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    await promisify(execFile)('openssl', ['req', '-x509', ...key, '-out', certFile, '-days', '2', ...names]);
    return { certFile, keyFile };
  }

  function status(options: object): Promise<number> {
    return new Promise((done, failed) => {
      const sent = request(`${world.address}/v1/openapi.json`, options, (response) => {
        response.resume();
        done(response.statusCode ?? 0);
      });
      sent.on('error', failed).end();
    });
  }

  it('answers who knows its authority, and nobody of an old version', async () => {
    const tls = await certificate();
    await serve({ tls });
    expect(world.address).toMatch(/^https:/u);
    const ca = await readFile(tls.certFile, 'utf8');
    expect(await status({ ca })).toBe(200);
    await expect(status({})).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    const old = { ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' };
    // The server's word, not the client's own.
    await expect(status(old)).rejects.toThrow(/alert protocol version/u);
    await expect(fetch(world.address.replace('https', 'http'))).rejects.toThrow(/fetch failed/u);
  });

  it('does not start without its files, and names none of what is in them', async () => {
    const { certFile, keyFile } = await certificate();
    const missing = join(world.dir, 'missing.pem');
    await expect(serve({ tls: { certFile: missing, keyFile } })).rejects.toThrow(
      `gateway.tls.certFile ${missing} cannot be read (ENOENT)`,
    );
    await expect(serve({ tls: { certFile, keyFile: missing } })).rejects.toThrow(`${missing} cannot be read (ENOENT)`);
  });

  it('does not start with a private key that all users may read', async () => {
    const tls = await certificate();
    await chmod(tls.keyFile, 0o644);
    await expect(serve({ tls })).rejects.toThrow(`${tls.keyFile} is open to all users`);
  });
});
