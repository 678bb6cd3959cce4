import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyError } from '../../../src/privacy/keys/key-error.ts';
import { MAX_WRAPPED_KEY_BYTES } from '../../../src/privacy/keys/wrap.ts';
import { WrappingUnavailableError } from '../../../src/privacy/keys/wrapping.ts';
import { transitWrapping, type TransitAccess, type TransitWrapping } from '../../../src/runtime/wrapping/transit.ts';
import { describeWithOpenBao, startOpenBao, type OpenBaoServer } from '../../servers/openbao.ts';

const NAME = { purpose: 'session', epoch: '2026-11', keyId: '0011223344556677' };
const KEY = new Uint8Array(32).map((_, i) => i);
const TOKEN = 's.secrettoken';

describeWithOpenBao('a transit engine of OpenBao', () => {
  let server: OpenBaoServer;
  let made = 0;
  let key: string;
  const opened: TransitWrapping[] = [];
  beforeAll(async () => {
    server = await startOpenBao();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    key = `key-${made++}`;
    await server.ask('POST', `transit/keys/${key}`, { type: 'aes256-gcm96' });
  });
  afterEach(() => opened.splice(0).forEach((one) => one.close()));

  async function open(access: Partial<TransitAccess> = {}): Promise<TransitWrapping> {
    const token = async (): Promise<string> => Promise.resolve(server.rootToken);
    const wrapping = await transitWrapping({ url: server.url, mount: 'transit', key, token, ...access });
    opened.push(wrapping);
    return wrapping;
  }

  it('opens what it wrapped, of any length up to the bound, and names the version', async () => {
    const wrapping = await open();
    for (const length of [1, 32, 57, MAX_WRAPPED_KEY_BYTES]) {
      const bytes = new Uint8Array(length).fill(9);
      const wrapped = await wrapping.wrap(bytes, NAME);
      expect(wrapped.masterKeyId).toBe(`transit/${key}:v1`);
      expect(await wrapping.unwrap(wrapped, NAME)).toEqual(bytes);
    }
    await expect(wrapping.wrap(new Uint8Array(MAX_WRAPPED_KEY_BYTES + 1), NAME)).rejects.toThrow(KeyError);
  });

  it.each([
    ['purpose', { ...NAME, purpose: 'subject' }],
    ['epoch', { ...NAME, epoch: '2026-12' }],
    ['key id', { ...NAME, keyId: '0011223344556678' }],
  ])('does not open a key under another %s', async (_, name) => {
    const wrapping = await open();
    expect(await wrapping.unwrap(await wrapping.wrap(KEY, NAME), name)).toBeUndefined();
  });

  it('does not open what is damaged, whichever bit it is', async () => {
    const wrapping = await open();
    const { wrapped, masterKeyId } = await wrapping.wrap(KEY, NAME);
    await fc.assert(
      fc.asyncProperty(fc.nat(wrapped.length - 1), fc.integer({ min: 0, max: 7 }), async (byte, bit) => {
        const damaged = Uint8Array.from(wrapped);
        damaged[byte] = (damaged[byte] ?? 0) ^ (1 << bit);
        const key = await wrapping.unwrap({ wrapped: damaged, masterKeyId }, NAME);
        // Bits that pad base64 are no part of the ciphertext.
        expect(key === undefined || byte > wrapped.length - 4).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('a new version wraps, and the old one opens until it is removed for good', async () => {
    const wrapping = await open();
    const old = await wrapping.wrap(KEY, NAME);
    await wrapping.rotate();
    const next = await wrapping.wrap(KEY, NAME);
    expect([await wrapping.currentId(), next.masterKeyId]).toEqual([`transit/${key}:v2`, `transit/${key}:v2`]);
    expect(await wrapping.unwrap(old, NAME)).toEqual(KEY);
    await wrapping.removeBefore(next.masterKeyId);
    expect(await wrapping.unwrap(old, NAME)).toBeUndefined();
    expect(await wrapping.unwrap(next, NAME)).toEqual(KEY);
    const { data } = (await server.ask('GET', `transit/keys/${key}`)) as { data: { keys: object } };
    expect(Object.keys(data.keys)).toEqual(['2']);
  });

  it('does not open what the key of another name wrapped', async () => {
    await server.ask('POST', 'transit/keys/another', { type: 'aes256-gcm96' });
    const [one, another] = [await open(), await open({ key: 'another' })];
    const wrapped = await one.wrap(KEY, NAME);
    expect(await another.unwrap(wrapped, NAME)).toBeUndefined();
    expect(await another.unwrap({ ...wrapped, masterKeyId: 'transit/another:v1' }, NAME)).toBeUndefined();
  });

  it('a key that is missing is told, and none is made in its place', async () => {
    const wrapping = await open({ key: 'mistyped' });
    await expect(wrapping.wrap(KEY, NAME)).rejects.toThrow(/has no key transit\/mistyped: check keys\.transit\.key/u);
    await expect(server.ask('GET', 'transit/keys/mistyped')).rejects.toThrow('404');
  });

  it('a mount that is missing, and a key that is no AEAD key or a derived one, are told', async () => {
    await expect((await open({ mount: 'nowhere' })).wrap(KEY, NAME)).rejects.toThrow(/keys\.transit\.mount/u);
    await server.ask('POST', 'transit/keys/derived', { type: 'aes256-gcm96', derived: true });
    await server.ask('POST', 'transit/keys/signs', { type: 'ed25519' });
    for (const wrong of ['derived', 'signs']) {
      await expect((await open({ key: wrong })).wrap(KEY, NAME)).rejects.toThrow(
        /with an AEAD key that is not derived/u,
      );
    }
  });

  it('a worker’s token needs two rights, and may not rotate', async () => {
    const rights = ['encrypt', 'decrypt'].map((verb) => `path "transit/${verb}/${key}" { capabilities = ["update"] }`);
    const token = await server.token(rights.join('\n'));
    const wrapping = await open({ token: () => Promise.resolve(token) });
    expect(await wrapping.unwrap(await wrapping.wrap(KEY, NAME), NAME)).toEqual(KEY);
    await expect(wrapping.rotate()).rejects.toThrow(/does not let the token of keys\.transit\.tokenFile rotate/u);
    const none = await open({ token: () => Promise.resolve('s.none') });
    const error: unknown = await none.wrap(KEY, NAME).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(KeyError);
    expect(String(error)).not.toContain('s.none');
  });

  it('over TLS its certificate is checked', async () => {
    const secured = await startOpenBao({ tls: true });
    try {
      await secured.ask('POST', `transit/keys/${key}`, { type: 'aes256-gcm96' });
      const access = { url: secured.url, token: () => Promise.resolve(secured.rootToken) };
      const trusting = await open({ ...access, caFile: secured.caFile });
      expect(await trusting.unwrap(await trusting.wrap(KEY, NAME), NAME)).toEqual(KEY);
      await expect((await open(access)).wrap(KEY, NAME)).rejects.toThrow(/not trusted; see keys\.transit\.caFile/u);
      await expect(open({ ...access, caFile: `${secured.caFile}.none` })).rejects.toThrow(/cannot be read \(ENOENT\)/u);
    } finally {
      await secured.close();
    }
  });

  it('a sealed server gives no answer for now', async () => {
    const sealed = await startOpenBao();
    try {
      await sealed.ask('POST', 'sys/seal', {}).catch(() => undefined);
      const waits: number[] = [];
      const wrapping = await open({ url: sealed.url, delay: async (ms) => void waits.push(ms) });
      await expect(wrapping.wrap(KEY, NAME)).rejects.toThrow(WrappingUnavailableError);
      expect(waits).toEqual([100, 200, 400, 800, 1600]);
    } finally {
      await sealed.close();
    }
  });
});

describe('a service that does not answer as a transit engine does', () => {
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let asked: { path: string; token: string | undefined; body: string }[];
  let url: string;
  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        asked.push({ path: request.url ?? '', token: String(request.headers['x-vault-token']), body });
        answer(request, response);
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    // The address of a TCP server is an object.
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  const reply = (status: number, body: string) => (_: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  const open = (access: Partial<TransitAccess> = {}): Promise<TransitWrapping> =>
    transitWrapping({
      url,
      mount: 'transit',
      key: 'redactory',
      token: () => Promise.resolve(TOKEN),
      delay: () => Promise.resolve(),
      ...access,
    });
  async function failure(wrapping: TransitWrapping): Promise<Error> {
    const outcomes = await Promise.allSettled([
      wrapping.wrap(KEY, NAME),
      wrapping.unwrap(
        { wrapped: Uint8Array.from([2, ...Buffer.from('vault:v1:AAAA')]), masterKeyId: 'transit/redactory:v1' },
        NAME,
      ),
    ]);
    wrapping.close();
    const errors = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined) as unknown);
    expect(errors.map((error) => error instanceof Error)).toEqual([true, true]);
    for (const error of errors) {
      const shown = String(error);
      for (const secret of [TOKEN, Buffer.from(KEY).toString('base64'), 'echoed']) expect(shown).not.toContain(secret);
    }
    return errors[1] as Error;
  }

  it.each([
    ['a proxy that is up', 200, '<html>echoed</html>', WrappingUnavailableError],
    ['an answer without what was asked', 200, '{"data":{"echoed":1}}', KeyError],
    ['a ciphertext of no version', 200, '{"data":{"ciphertext":"echoed","plaintext":"not base64!"}}', KeyError],
    ['a redirect', 307, '{}', KeyError],
    ['an error of its own', 400, '{"errors":["echoed"]}', KeyError],
    ['a proxy’s 404', 404, 'echoed', KeyError],
    ['throttling', 429, '{"errors":["echoed"]}', WrappingUnavailableError],
    ['a fault', 502, 'echoed', WrappingUnavailableError],
    ['no right', 403, '{"errors":["echoed"]}', KeyError],
    ['too much', 200, `{"data":"${'echoed'.repeat(20_000)}"}`, WrappingUnavailableError],
  ])('%s: nothing is opened, and nothing of it is shown', async (_, status, body, kind) => {
    answer = reply(status, body);
    expect(await failure(await open())).toBeInstanceOf(kind);
  });

  it('that says nothing is given up in time', async () => {
    answer = () => undefined;
    const error = await failure(await open({ timeoutMs: 20 }));
    expect(error).toBeInstanceOf(WrappingUnavailableError);
    expect(error.message).toContain('(keys.transit.url), gives no answer: timed out');
  });

  it('that comes back is asked again, with the token of that time', async () => {
    let tokens = 0;
    const retried: number[] = [];
    answer = (request, response) => {
      if (asked.length < 3) reply(503, '')(request, response);
      else reply(200, '{"data":{"plaintext":"CQ=="}}')(request, response);
    };
    const wrapping = await open({
      token: async () => Promise.resolve(`token-${tokens++}`),
      onRetry: ({ attempt }) => retried.push(attempt),
    });
    const wrapped = {
      wrapped: Uint8Array.from([2, ...Buffer.from('vault:v1:AAAA')]),
      masterKeyId: 'transit/redactory:v1',
    };
    expect(await wrapping.unwrap(wrapped, NAME)).toEqual(new Uint8Array([9]));
    wrapping.close();
    expect(asked.map(({ token }) => token)).toEqual(['token-0', 'token-1', 'token-2']);
    expect(retried).toEqual([1, 2]);
  });

  it('is not asked about what it can’t have wrapped', async () => {
    const wrapping = await open();
    const ciphertext = Uint8Array.from([2, ...Buffer.from('vault:v1:AAAA')]);
    for (const [wrapped, masterKeyId] of [
      [ciphertext, '1a2b3c4d'],
      [ciphertext, 'transit/other:v1'],
      [Uint8Array.from([1, ...ciphertext.subarray(1)]), 'transit/redactory:v1'],
      [Uint8Array.from([2, ...Buffer.from('vault:v1:AA"}')]), 'transit/redactory:v1'],
      [new Uint8Array(20_000).fill(2), 'transit/redactory:v1'],
      [new Uint8Array(), 'transit/redactory:v1'],
    ] as const) {
      expect(await wrapping.unwrap({ wrapped, masterKeyId }, NAME)).toBeUndefined();
    }
    expect(asked).toEqual([]);
    wrapping.close();
  });

  it.each([
    ['ftp://x', /keys\.transit\.url must be/u],
    ['https://u:p@x', /holds a user or a password/u],
    ['http://bao.example.org', /in the clear: use https/u],
    ['https://x/?a=b', /keys\.transit\.url must be/u],
  ])('at %s is not asked', async (wrong, message) => {
    await expect(open({ url: wrong })).rejects.toThrow(message);
  });
});
