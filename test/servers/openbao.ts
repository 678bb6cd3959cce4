/** A real OpenBao server for tests: in memory, unsealed, on a free port of the loopback interface. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { freePort } from '../../dev/broker.ts';
import { startServer } from '../../dev/server-process.ts';
import { plainAgent, send, tlsAgent } from '../../src/runtime/http-ask.ts';

export interface OpenBaoServer {
  /** `http://127.0.0.1:port`, or `https` if it was asked for. */
  readonly url: string;
  /** PEM file of who signed its certificate, if it has one. */
  readonly caFile: string;
  /** With all rights. */
  readonly rootToken: string;
  /** Asks its API; undefined where it answers nothing. @throws Error when it refuses */
  ask(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown>;
  /** A token with these rights (a policy's text) and no others. */
  token(policy: string): Promise<string>;
  close(): Promise<void>;
}

/** Why there can be no OpenBao here; undefined if there can. */
export function whyNoOpenBao(): string | undefined {
  if ((process.env['REDACTORY_OPENBAO'] ?? '') !== '') return undefined;
  return 'set REDACTORY_OPENBAO to the path of a bao program';
}

/** Tests that need it. Where there can be none they are skipped, and their title says why. */
export function describeWithOpenBao(name: string, tests: () => void): void {
  const lacking = whyNoOpenBao();
  const suffix = lacking === undefined ? '' : ` (skipped: ${lacking})`;
  describe.skipIf(lacking !== undefined)(`${name}${suffix}`, () => {
    tests();
  });
}

/** Starts a server of its own, with an empty transit engine at `transit`, for the caller, who closes it. */
export async function startOpenBao({ tls = false } = {}): Promise<OpenBaoServer> {
  const command = process.env['REDACTORY_OPENBAO'] ?? '';
  if (command === '') throw new Error(`no OpenBao: ${whyNoOpenBao() ?? ''}`);
  const home = await mkdtemp(join(tmpdir(), 'openbao-'));
  const rootToken = randomBytes(16).toString('hex');
  const address = `127.0.0.1:${await freePort()}`;
  const url = `${tls ? 'https' : 'http'}://${address}`;
  const running = await startServer({
    name: 'OpenBao',
    command,
    args: [
      'server',
      ...(tls ? ['-dev-tls', `-dev-tls-cert-dir=${home}`] : ['-dev']),
      '-dev-no-store-token',
      `-dev-listen-address=${address}`,
    ],
    env: { BAO_DEV_ROOT_TOKEN_ID: rootToken, HOME: home },
    readyText: 'Development mode should NOT be used',
  });
  const caFile = join(home, 'vault-ca.pem');
  const agent = tls ? tlsAgent(1, await readFile(caFile, 'utf8')) : plainAgent(1);
  const server: OpenBaoServer = {
    url,
    caFile,
    rootToken,
    async ask(method, path, body) {
      const question = { url: `${url}/v1/${path}`, method, body, contentType: 'application/json' };
      const { status, text = '' } = await send(
        { ...question, headers: { 'x-vault-token': rootToken } },
        { agent, timeoutMs: 10_000, maxBytes: 1 << 20 },
      );
      if (status >= 300) throw new Error(`OpenBao: ${path} ended with ${status}: ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    async token(policy) {
      const name = randomBytes(4).toString('hex');
      await server.ask('POST', `sys/policies/acl/${name}`, { policy });
      const made = await server.ask('POST', 'auth/token/create', { policies: [name] });
      // The API's own shape.
      return (made as { auth: { client_token: string } }).auth.client_token;
    },
    async close() {
      agent.destroy();
      await running.end('SIGTERM');
      await rm(home, { recursive: true, force: true });
    },
  };
  try {
    await server.ask('POST', 'sys/mounts/transit', { type: 'transit' });
    return server;
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** Writes a token as orchestrators do: readable by the process alone. */
export async function writeToken(path: string, token: string): Promise<void> {
  await writeFile(path, `${token}\n`, { mode: 0o600 });
}
