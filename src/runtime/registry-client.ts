/**
 * Questions to a Confluent-compatible schema registry over HTTP: bounded in time and size, and asked again while it is away.
 *
 * What is not plainly the registry's own answer (a proxy's 404, a redirect, half a body) counts as no answer: taking it for
 * one would make good records look like records without a schema. docs/decisions/0017 says why this is not left to a library.
 *
 * https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
import { readFile } from 'node:fs/promises';
import type * as http from 'node:http';
import { setTimeout as realDelay } from 'node:timers/promises';
import * as z from 'zod';
import { SchemaUnavailableError } from '../events/schema-unavailable.ts';
import { SchemaRegistryError } from '../events/schemas.ts';
import { codeOf, isCertificateFault, isLoopback, plainAgent, send, tlsAgent, type Received } from './http-ask.ts';

/** The registry gives no usable answer just now: the same may work later. Nothing was decided without it. */
export class RegistryUnavailableError extends SchemaUnavailableError {
  override name = 'RegistryUnavailableError';
}

export interface RegistryAccess {
  /** `http` or `https`; may have a path; no user, password, query or fragment. */
  readonly url: string;
  readonly username?: string;
  /** Read whenever a request is made. */
  readonly password?: () => Promise<string>;
  /** PEM file of the certificate authorities to trust; without it the system's. */
  readonly caFile?: string;
  /** How long one request may take, body included, ms. */
  readonly timeoutMs?: number;
  /** Told before a request is made again; `reason` holds no secret and nothing of a schema. */
  readonly onRetry?: (retry: { readonly attempt: number; readonly waitMs: number; readonly reason: string }) => void;
  /** How to wait; by default, in real time. */
  readonly delay?: (ms: number) => Promise<void>;
}

export interface Answer {
  readonly status: number;
  /** The registry's own code, such as 40403; undefined in answers that are no errors. */
  readonly code: number | undefined;
  /** What the registry says of an error, shortened. */
  readonly message: string;
  /** The JSON of the body; undefined when it was larger than {@link MAX_ANSWER_BYTES}. */
  readonly body: unknown;
}

export interface RegistryClient {
  /** For messages: where the registry is. */
  readonly name: string;
  /**
   * An answer of the registry's own: 2xx, 401, 403, or an error in its format.
   *
   * @param path encoded, from `/`.
   * @throws RegistryUnavailableError when there is none after some attempts.
   */
  ask(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<Answer>;
  close(): void;
}

/** Our own schemas have a few kilobytes. */
export const MAX_ANSWER_BYTES = 256 * 1024;
const TIMEOUT_MS = 10_000;
/** Waits between attempts: about three seconds, then whoever asked decides. */
const WAITS_MS = [100, 200, 400, 800, 1_600];
const MAX_MESSAGE = 300;
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

/** @throws SchemaRegistryError when the access cannot be used as it is given. */
export async function registryClient(access: RegistryAccess): Promise<RegistryClient> {
  const base = checkUrl(access);
  const agent = await agentOf(base, access.caFile);
  const wait = access.delay ?? (async (ms: number) => realDelay(ms));
  const name = `${base.protocol}//${base.host}`;

  return {
    name,
    async ask(method, path, body) {
      const request = { url: `${base.href.replace(/\/$/u, '')}${path}`, method, body };
      for (let attempt = 1; ; attempt++) {
        const got = await attemptOnce(request, access, agent);
        if (!('reason' in got)) return got;
        const waitMs = got.again ? WAITS_MS[attempt - 1] : undefined;
        if (waitMs === undefined) {
          throw new RegistryUnavailableError(`The schema registry at ${name} gives no answer: ${got.reason}.`);
        }
        access.onRetry?.({ attempt, waitMs, reason: got.reason });
        await wait(waitMs);
      }
    },
    close: () => agent.destroy(),
  };
}

function checkUrl({ url, username, password }: RegistryAccess): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/u.test(parsed.protocol) || parsed.search !== '' || parsed.hash !== '') {
    throw new SchemaRegistryError('registry.url must be http(s)://host[:port][/path] and nothing more.');
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new SchemaRegistryError(
      'registry.url holds a user or a password: take them out, and give registry.username and registry.passwordFile.',
    );
  }
  if ((username === undefined) !== (password === undefined)) {
    throw new SchemaRegistryError('registry.username and registry.passwordFile belong together: give both or none.');
  }
  if (username?.includes(':') === true) throw new SchemaRegistryError('registry.username must have no colon.');
  if (username !== undefined && parsed.protocol === 'http:' && !isLoopback(parsed.hostname)) {
    throw new SchemaRegistryError('registry.url would send the password in the clear: use https.');
  }
  return parsed;
}

async function agentOf(base: URL, caFile: string | undefined): Promise<http.Agent> {
  if (base.protocol === 'http:') return plainAgent(MAX_SOCKETS);
  if (caFile === undefined) return tlsAgent(MAX_SOCKETS);
  const ca = await readFile(caFile, 'utf8').catch((error: unknown) => {
    throw new SchemaRegistryError(`${caFile} cannot be read (${codeOf(error)}): name a PEM file as registry.caFile.`);
  });
  return tlsAgent(MAX_SOCKETS, ca);
}

export const MAX_SOCKETS = 8;

interface Question {
  readonly url: string;
  readonly method: string;
  readonly body: object | undefined;
}

interface NoAnswer {
  readonly reason: string;
  /** Whether the same question may be answered in a moment. */
  readonly again: boolean;
}

async function attemptOnce(request: Question, access: RegistryAccess, agent: http.Agent): Promise<Answer | NoAnswer> {
  const { username, password } = access;
  const auth = username === undefined || password === undefined ? undefined : basic(username, await password());
  let received: Received;
  try {
    const headers = {
      accept: `${CONTENT_TYPE}, application/json`,
      ...(auth === undefined ? {} : { authorization: auth }),
    };
    received = await send(
      { ...request, headers, contentType: CONTENT_TYPE },
      { agent, timeoutMs: access.timeoutMs ?? TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES },
    );
  } catch (error) {
    const code = codeOf(error);
    if (isCertificateFault(code))
      return { reason: `its certificate is not trusted (${code}); see registry.caFile`, again: false };
    return { reason: code, again: true };
  }
  return judge(received);
}

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;

const errorBody = z.looseObject({ error_code: z.int(), message: z.string().catch('') });

function judge({ status, type, text }: Received): Answer | NoAnswer {
  if (status === 401 || status === 403) return { status, code: undefined, message: '', body: undefined };
  if (status >= 500 || status === 408 || status === 429) return { reason: `status ${status}`, again: true };
  if (status >= 300 && status < 400) {
    return { reason: `it redirects (status ${status}), which is not followed; see registry.url`, again: false };
  }
  if (!/[/+]json\b/u.test(type))
    return { reason: `status ${status} without JSON; see registry.url`, again: status < 300 };
  if (status < 300 && text === undefined) return { status, code: undefined, message: '', body: undefined };
  const body = parse(text ?? '');
  if (status < 300) {
    if (body === undefined) return { reason: 'what it sent is not JSON', again: true };
    return { status, code: undefined, message: '', body };
  }
  const error = errorBody.safeParse(body);
  // A wrong path has a 404 as well, but none of the registry's own codes.
  if (!error.success || (status === 404 && Math.trunc(error.data.error_code / 100) !== 404)) {
    return { reason: `status ${status}, not a registry's; see registry.url`, again: false };
  }
  return { status, code: error.data.error_code, message: shorten(error.data.message), body };
}

/** What a registry says, for messages of our own: one line, bounded. */
export function shorten(text: string): string {
  const line = text
    .slice(0, 4 * MAX_MESSAGE)
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim();
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
