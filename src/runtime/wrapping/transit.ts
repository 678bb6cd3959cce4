/**
 * Keys wrapped by the transit engine of OpenBao (or HashiCorp Vault): its key never leaves the service, which sees each of ours
 * when it is made and when a worker opens it. docs/decisions/0025 says why this service and this way to bind names.
 *
 * https://openbao.org/api-docs/secret/transit/
 */
import { readFile } from 'node:fs/promises';
import type * as http from 'node:http';
import { setTimeout as realDelay } from 'node:timers/promises';
import * as z from 'zod';
import { KeyError } from '../../privacy/keys/key-error.ts';
import { MAX_WRAPPED_KEY_BYTES, type KeyName } from '../../privacy/keys/wrap.ts';
import { WrappingUnavailableError, type KeyWrapping } from '../../privacy/keys/wrapping.ts';
import { codeOf, isCertificateFault, isLoopback, plainAgent, send, tlsAgent } from '../http-ask.ts';

export interface TransitAccess {
  /** `https`, or `http` on this machine; may have a path; no user, password, query or fragment. */
  readonly url: string;
  readonly mount: string;
  /** Name of an AEAD key (aes256-gcm96, chacha20-poly1305, ...), for this keyring and nothing else. */
  readonly key: string;
  /** Read whenever a request is made: tokens are renewed. */
  readonly token: () => Promise<string>;
  readonly caFile?: string;
  readonly namespace?: string;
  /** How long one request may take, ms. */
  readonly timeoutMs?: number;
  /** Told before a request is made again; `reason` holds nothing secret. */
  readonly onRetry?: (retry: { readonly attempt: number; readonly waitMs: number; readonly reason: string }) => void;
  /** How to wait; by default, in real time. */
  readonly delay?: (ms: number) => Promise<void>;
}

export interface TransitWrapping extends KeyWrapping {
  /** Makes a new version of the service's key, which wraps from then on. @throws as `wrap` does */
  rotate(): Promise<void>;
  /** Removes all versions before this one for good: what they wrapped never opens again. @throws as `wrap` does */
  removeBefore(masterKeyId: string): Promise<void>;
}

/** First byte of a wrapped key; the ciphertext in the service's own form follows. */
const FORMAT = 2;
const MAX_CIPHERTEXT = 2 * MAX_WRAPPED_KEY_BYTES;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_SOCKETS = 8;
const TIMEOUT_MS = 10_000;
/** Waits between attempts: about three seconds, then whoever asked decides. */
const WAITS_MS = [100, 200, 400, 800, 1_600];
/** Of statuses that say no more than that another try may go better: throttling, replicas that are behind, sealed. */
const PASSING = new Set([408, 412, 429, 472, 473]);

const encrypted = z.object({
  data: z.object({ ciphertext: z.string().max(MAX_CIPHERTEXT), key_version: z.int().min(1).optional() }),
});
const decrypted = z.object({ data: z.object({ plaintext: z.base64().max(2 * MAX_WRAPPED_KEY_BYTES) }) });
const refused = z.object({ errors: z.array(z.string()) });

/** @throws KeyError when the access cannot be used as it is given. */
export async function transitWrapping(access: TransitAccess): Promise<TransitWrapping> {
  const { mount, key } = access;
  const base = checkUrl(access.url);
  const agent = await agentOf(base, access.caFile);
  const family = `${mount}/${key}`;
  let isThere = false;

  async function ask(operation: string, path: string, body: object): Promise<Answer> {
    const url = `${base.href.replace(/\/$/u, '')}/v1/${mount}/${path}`;
    for (let attempt = 1; ; attempt++) {
      const got = await attemptOnce(access, agent, url, body);
      if (got.kind === 'answer') return got;
      if (got.kind === 'refusal') throw new KeyError(`${base.host} ${WHY[got.why](access, operation)}`);
      const waitMs = WAITS_MS[attempt - 1];
      if (waitMs === undefined) {
        throw new WrappingUnavailableError(
          `what wraps keys, at ${base.protocol}//${base.host} (keys.transit.url), gives no answer: ${got.reason}`,
        );
      }
      access.onRetry?.({ attempt, waitMs, reason: got.reason });
      await (access.delay ?? (async (ms: number) => realDelay(ms)))(waitMs);
    }
  }

  /** To encrypt by a key that is missing makes one, if the token may: a typing error would go unseen. To decrypt does not. */
  async function checkThere(): Promise<void> {
    if (isThere) return;
    await ask('decrypt', `decrypt/${key}`, { ciphertext: 'vault:v1:', associated_data: '' });
    isThere = true;
  }

  async function wrap(bytes: Uint8Array, name: KeyName): Promise<{ wrapped: Uint8Array; masterKeyId: string }> {
    if (bytes.length === 0 || bytes.length > MAX_WRAPPED_KEY_BYTES) {
      throw new KeyError(`a key to wrap has 1 to ${MAX_WRAPPED_KEY_BYTES} bytes, this one has ${bytes.length}`);
    }
    await checkThere();
    const { body } = await ask('encrypt', `encrypt/${key}`, {
      plaintext: Buffer.from(bytes).toString('base64'),
      associated_data: bound(name),
    });
    const parsed = encrypted.safeParse(body);
    const version = parsed.success ? versionOf(parsed.data.data.ciphertext) : undefined;
    if (!parsed.success || version === undefined) throw new KeyError(`${base.host} ${WHY.strange(access, 'encrypt')}`);
    const wrapped = Uint8Array.from([FORMAT, ...Buffer.from(parsed.data.data.ciphertext, 'latin1')]);
    return { wrapped, masterKeyId: `${family}:v${version}` };
  }

  return {
    name: `${family} of ${base.host}`,
    opens: (masterKeyId) => masterKeyId.startsWith(`${family}:v`),
    wrap,
    async unwrap({ wrapped, masterKeyId }, name) {
      if (wrapped[0] !== FORMAT || wrapped.length > MAX_CIPHERTEXT || !masterKeyId.startsWith(`${family}:v`)) {
        return undefined;
      }
      const ciphertext = Buffer.from(wrapped.subarray(1)).toString('latin1');
      if (versionOf(ciphertext) === undefined) return undefined;
      const { status, body } = await ask('decrypt', `decrypt/${key}`, { ciphertext, associated_data: bound(name) });
      if (status === 400) return undefined;
      const parsed = decrypted.safeParse(body);
      if (!parsed.success) throw new KeyError(`${base.host} ${WHY.strange(access, 'decrypt')}`);
      return Uint8Array.from(Buffer.from(parsed.data.data.plaintext, 'base64'));
    },
    // The service tells its newest version to those who may wrap by it.
    currentId: async () => (await wrap(new Uint8Array(1), PROBE)).masterKeyId,
    async rotate() {
      await checkThere();
      await ask('rotate', `keys/${key}/rotate`, {});
    },
    async removeBefore(masterKeyId) {
      const version = Number(/:v(\d+)$/u.exec(masterKeyId)?.[1]);
      if (!masterKeyId.startsWith(`${family}:v`) || !Number.isSafeInteger(version)) {
        throw new KeyError(`${masterKeyId} is no version of ${family}`);
      }
      const bounds = { min_decryption_version: version, min_encryption_version: version };
      await ask('config', `keys/${key}/config`, bounds);
      await ask('trim', `keys/${key}/trim`, { min_available_version: version });
    },
    close: () => agent.destroy(),
  };
}

const PROBE: KeyName = { purpose: 'probe', epoch: '', keyId: '' };

/** The version by which a ciphertext was made: `vault:v3:...`, in OpenBao as well. */
function versionOf(ciphertext: string): string | undefined {
  return /^vault:v([1-9]\d{0,8}):[A-Za-z0-9+/]+={0,2}$/u.exec(ciphertext)?.[1];
}

/** What the service authenticates together with the key: it opens under its own name only. */
function bound({ purpose, epoch, keyId }: KeyName): string {
  return Buffer.from(JSON.stringify(['redactory keyring entry', purpose, epoch, keyId])).toString('base64');
}

function checkUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/u.test(parsed.protocol) || parsed.search !== '' || parsed.hash !== '') {
    throw new KeyError('keys.transit.url must be http(s)://host[:port][/path] and nothing more');
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new KeyError('keys.transit.url holds a user or a password: take them out, and give keys.transit.tokenFile');
  }
  if (parsed.protocol === 'http:' && !isLoopback(parsed.hostname)) {
    throw new KeyError('keys.transit.url would send keys and the token in the clear: use https');
  }
  return parsed;
}

async function agentOf(base: URL, caFile: string | undefined): Promise<http.Agent> {
  if (base.protocol === 'http:') return plainAgent(MAX_SOCKETS);
  if (caFile === undefined) return tlsAgent(MAX_SOCKETS);
  const ca = await readFile(caFile, 'utf8').catch((error: unknown) => {
    throw new KeyError(`${caFile} cannot be read (${codeOf(error)}): name a PEM file as keys.transit.caFile`);
  });
  return tlsAgent(MAX_SOCKETS, ca);
}

type Why = 'untrusted' | 'forbidden' | 'noEngine' | 'noKey' | 'strange';

/** What to do about a refusal. The service's own words are not shown: what is in them nobody has checked. */
const WHY: Readonly<Record<Why, (access: TransitAccess, operation: string) => string>> = {
  untrusted: () => 'has a certificate that is not trusted; see keys.transit.caFile',
  forbidden: ({ mount, key }, operation) =>
    `does not let the token of keys.transit.tokenFile ${operation} by ${mount}/${key}: renew the token, or give it the right (docs/keys.md)`,
  noEngine: ({ mount }) => `has no transit engine at ${mount}; see keys.transit.mount and keys.transit.namespace`,
  noKey: ({ mount, key }) =>
    `has no key ${mount}/${key}: check keys.transit.key, or make it with \`bao write ${mount}/keys/${key} type=aes256-gcm96\``,
  strange: ({ mount, key }, operation) =>
    `answers ${operation} by ${mount}/${key} in a way that is not a transit engine's with an AEAD key that is not derived; see keys.transit`,
};

interface Answer {
  readonly kind: 'answer';
  /** 200, 204; 400 where a ciphertext does not open. */
  readonly status: number;
  readonly body: unknown;
}
type Attempt =
  | Answer
  | { readonly kind: 'refusal'; readonly why: Why }
  | { readonly kind: 'nothing'; readonly reason: string };

async function attemptOnce(access: TransitAccess, agent: http.Agent, url: string, body: object): Promise<Attempt> {
  const { namespace } = access;
  const headers = {
    accept: 'application/json',
    'x-vault-token': await access.token(),
    'x-vault-request': 'true',
    ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
  };
  const question = { url, method: 'POST', headers, body, contentType: 'application/json' };
  try {
    const bounds = { agent, timeoutMs: access.timeoutMs ?? TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES };
    const { status, text } = await send(question, bounds);
    return judge(status, text);
  } catch (error) {
    const code = codeOf(error);
    return isCertificateFault(code) ? { kind: 'refusal', why: 'untrusted' } : { kind: 'nothing', reason: code };
  }
}

function judge(status: number, text: string | undefined): Attempt {
  if (status >= 500 || PASSING.has(status)) return { kind: 'nothing', reason: `status ${status}` };
  if (status === 204) return { kind: 'answer', status, body: undefined };
  if (status === 401 || status === 403) return { kind: 'refusal', why: 'forbidden' };
  const body = parse(text);
  if (status === 200) {
    // Half an answer, or one of a proxy.
    return body === undefined ? { kind: 'nothing', reason: 'no JSON' } : { kind: 'answer', status, body };
  }
  const errors = refused.safeParse(body);
  if (status === 404) return { kind: 'refusal', why: errors.success ? 'noEngine' : 'strange' };
  if (status !== 400 || !errors.success) return { kind: 'refusal', why: 'strange' };
  const says = (pattern: RegExp): boolean => errors.data.errors.some((error) => pattern.test(error));
  if (says(/key not found/u)) return { kind: 'refusal', why: 'noKey' };
  return says(CLOSED) ? { kind: 'answer', status, body: undefined } : { kind: 'refusal', why: 'strange' };
}

/** How the engine says that a ciphertext does not open: damaged, of another name, or of a version that was removed. */
const CLOSED =
  /message authentication failed|invalid ciphertext|unable to decrypt|could not decode|too old|no key found/u;

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
