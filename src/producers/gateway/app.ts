import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Body } from './bodies.ts';
import type { Person } from './gateway.ts';
import type { Asking } from './identity.ts';
import { createInFlight, type Flight } from './in-flight.ts';
import { parseJson } from './json.ts';
import { openApi, OPENAPI_PATH } from './openapi.ts';
import { CAPTURE_TYPE, isRefused, JSON_TYPE, REFUSALS, SEALED_TYPE, type Reason, type Refused } from './protocol.ts';
import { PAGE_HEADERS, type Page } from './pages.ts';
import type { Call, Route } from './routes.ts';

/** What an app serves: it counts requests, and its routes know the rest of it. */
export interface Service {
  /** Counts a request of a person; a refusal when there are too many. Decisions are counted by themselves. */
  admit(person: Person, isDecision: boolean): Refused | undefined;
}

export interface AppOptions<S extends Service> {
  readonly service: S;
  readonly routes: readonly Route<S>[];
  /** Who asks, or undefined. Asked of every request before its body is read. */
  readonly signIn: (asking: Asking) => Promise<Person | Refused | undefined>;
  readonly maxBodyBytes: number;
  /** Requests that are worked on at once; more are answered 503. */
  readonly maxInFlight: number;
  /** A request must have come in whole within this time, ms. */
  readonly requestTimeoutMs: number;
  /** Served to anybody. */
  readonly pages?: readonly Page[];
  readonly corsOrigins: readonly string[];
  /** Whether pages of these origins may ask with what the browser knows a person by, such as a proxy's cookie. */
  readonly corsCredentials: boolean;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Whether a throw is the log's: then it is answered 503, else 500. */
  readonly isUnavailable: (error: unknown) => boolean;
  readonly observe: {
    refused(reason: Reason, isBatch: boolean): void;
    granted(): void;
    inFlight(count: number): void;
    failed(error: unknown): void;
  };
}

/** Requests of one person that are worked on at once: some for each of their sessions, and few enough that nobody fills the gateway. */
const MAX_IN_FLIGHT_OF_ONE = 16;
/** Decisions have places of their own: no flood of anything else keeps people from pausing. */
const MAX_DECISIONS_IN_FLIGHT = 64;
const MAX_DECISIONS_OF_ONE = 4;

/** A service over HTTP. Nothing of a request is logged, nor repeated in an answer. */
export async function createApp<S extends Service>(options: AppOptions<S>): Promise<FastifyInstance> {
  const { service, routes, observe } = options;
  const server: FastifyInstance = fastify({
    logger: false,
    bodyLimit: options.maxBodyBytes,
    requestTimeout: options.requestTimeoutMs,
    routerOptions: { maxParamLength: 128 },
    ...serverOptions(options),
    frameworkErrors: (_error, _request, reply) => void refuse(reply, { refused: 'bad_request' }),
    clientErrorHandler: (error, socket) => {
      const reason = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'too_slow' : 'bad_request';
      observe.refused(reason, false);
      refuseUnread(socket, reason);
    },
  });
  const people = new WeakMap<FastifyRequest, Person>();
  const flights = new WeakMap<FastifyRequest, Flight>();
  const isPublic = new Set([OPENAPI_PATH, ...(options.pages ?? []).map((page) => page.path)]);
  const changed = (): void => observe.inFlight(others.count + decisions.count);
  const others = createInFlight({ max: options.maxInFlight, maxOfOne: MAX_IN_FLIGHT_OF_ONE, changed });
  const decisions = createInFlight({ max: MAX_DECISIONS_IN_FLIGHT, maxOfOne: MAX_DECISIONS_OF_ONE, changed });
  const decisionPaths = new Set(routes.flatMap(({ path, isDecision }) => (isDecision === true ? [path] : [])));

  await server.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    referrerPolicy: { policy: 'no-referrer' },
  });
  if (options.corsOrigins.length > 0) {
    await server.register(cors, {
      origin: [...options.corsOrigins],
      methods: ['GET', 'POST', 'PUT', 'DELETE'],
      // All headers that a page asks to send, as none are named here: which ones a proxy wants, only its operator knows.
      credentials: options.corsCredentials,
      exposedHeaders: ['retry-after'],
    });
  }
  server.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (isPublic.has(request.routeOptions.url ?? '')) return;
    const isDecision = request.method === 'POST' && decisionPaths.has(request.routeOptions.url ?? '');
    const flight = (isDecision ? decisions : others).begin(reply.raw);
    if (flight === undefined) return refuse(reply, { refused: 'busy', retryAfter: 1 });
    flights.set(request, flight);
    if (isCrossSite(request, options.corsOrigins)) return refuse(reply, { refused: 'cross_site' });
    const person = await flight.during(() => options.signIn(askingOf(request)));
    if (person === undefined) return refuse(reply, { refused: 'unauthenticated' });
    if (isRefused(person)) return refuse(reply, person);
    const refused = service.admit(person, isDecision);
    if (refused !== undefined) return refuse(reply, refused);
    // Nothing is read for what is not there.
    if (request.is404) return refuseUnrouted(request, reply);
    if (!flight.ofPerson(person.subjectKey)) return refuse(reply, { refused: 'rate', retryAfter: 1 });
    people.set(request, person);
  });

  server.removeAllContentTypeParsers();
  for (const type of [JSON_TYPE, CAPTURE_TYPE, SEALED_TYPE]) {
    server.addContentTypeParser(type, { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) => body);
  }

  function refuse(reply: FastifyReply, { refused, status, until, retryAfter }: Refused): FastifyReply {
    const [usual, message] = REFUSALS[refused];
    observe.refused(refused, reply.request.routeOptions.url?.includes('/batches/') === true);
    if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
    if (refused === 'unauthenticated') reply.header('www-authenticate', 'Bearer');
    return reply.code(status ?? usual).send({ error: refused, message, ...(until === undefined ? {} : { until }) });
  }

  const paths = pathsOf([...routes, ...[...isPublic].map((path) => ({ path, method: 'GET' as const }))]);
  function refuseUnrouted(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const [path = ''] = request.url.split('?');
    const methods = allowedAt(paths, path);
    if (methods.length === 0) return refuse(reply, { refused: 'not_found' });
    reply.header('allow', methods.join(', '));
    return refuse(reply, { refused: 'method_not_allowed' });
  }

  for (const route of routes) {
    server.route({
      method: route.method,
      url: route.path,
      handler: async (request, reply) => {
        const [person, flight] = [people.get(request), flights.get(request)];
        if (person === undefined || flight === undefined) return refuse(reply, { refused: 'unauthenticated' });
        const sent = bodyOf(request);
        const body = readBody(route, sent);
        if ('refused' in body) return refuse(reply, body);
        const params = paramsOf(request.params);
        const call: Call = {
          person,
          params,
          body: body.value,
          sent,
          asking: { ...askingOf(request), gone: () => goneOf(reply) },
        };
        const outcome = await flight.during(async () => route.serve(service, call));
        if (outcome !== null && isRefused(outcome)) return refuse(reply, outcome);
        if (route.status === 201) observe.granted();
        if (route.answer === null || outcome === null) return reply.code(route.status).send();
        // Checked: what is answered is what the document says.
        return reply.code(route.status).send(route.answer.parse(outcome));
      },
    });
  }
  for (const { path, type, bytes, location } of options.pages ?? []) {
    const headers = { ...PAGE_HEADERS, 'content-type': type, ...(location === undefined ? {} : { location }) };
    server.get(path, (_request, reply) =>
      reply
        .code(location === undefined ? 200 : 302)
        .headers(headers)
        .send(bytes),
    );
  }
  const document = openApi(routes, options.maxBodyBytes);
  server.get(OPENAPI_PATH, (_request, reply) => reply.send(document));

  server.setNotFoundHandler(refuseUnrouted);
  server.setErrorHandler((error, _request, reply) => {
    const refused = frameworkRefusal(error);
    if (refused !== undefined) return refuse(reply, { refused });
    observe.failed(error);
    if (options.isUnavailable(error)) return refuse(reply, { refused: 'unavailable', retryAfter: 2 });
    return refuse(reply, { refused: 'internal' });
  });
  return server;
}

/** What could not be read as a request, or not in time, is answered on the socket itself; then nothing more can be read from it. */
function refuseUnread(socket: Socket, reason: Reason): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = REFUSALS[reason];
  const body = JSON.stringify({ error: reason, message });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function serverOptions({ requestTimeoutMs, tls }: Pick<AppOptions<Service>, 'requestTimeoutMs' | 'tls'>): object {
  const times = { headersTimeout: requestTimeoutMs, connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs) };
  return tls === null ? { http: times } : { https: { ...times, ...tls, minVersion: 'TLSv1.2' } };
}

/**
 * Whether a browser says that another site's page asks for a change. Behind a proxy that signs people in by a cookie, such a
 * page could else withdraw them.
 */
function isCrossSite({ method, headers }: FastifyRequest, allowed: readonly string[]): boolean {
  const site = headers['sec-fetch-site'];
  if (method === 'GET' || site === 'same-origin' || site === 'none') return false;
  if (headers.origin !== undefined && allowed.includes(headers.origin)) return false;
  // Where a page came unencrypted, or by an old browser, its origin is all that is said of it; what is no browser says nothing.
  return site !== undefined || (headers.origin !== undefined && !isHost(headers.origin, headers.host));
}

/** Whether an origin's host is the one that was asked. */
function isHost(origin: string, host: string | undefined): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

const askingOf = ({ headers, socket }: FastifyRequest): Asking => ({ headers, remoteAddress: socket.remoteAddress });

function goneOf({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const see = (): void => {
    if (!raw.writableFinished) gone.abort();
  };
  raw.once('close', see);
  if (raw.closed) see();
  return gone.signal;
}

function bodyOf({ headers, body }: FastifyRequest): Body {
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  return {
    type: type.trim().toLowerCase(),
    encoding: headers['content-encoding'],
    bytes: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
  };
}

function readBody({ body }: Pick<Route, 'body'>, sent: Body): { readonly value: unknown } | Refused {
  if (body === null) return { value: undefined };
  // Without a body, fastify looks at no type.
  if (body === 'batch') return sent.bytes.length === 0 ? { refused: 'bad_batch', status: 422 } : { value: undefined };
  if (sent.type !== JSON_TYPE) return { refused: sent.bytes.length === 0 ? 'bad_request' : 'unsupported_type' };
  if (sent.encoding !== undefined && sent.encoding !== 'identity') return { refused: 'unsupported_encoding' };
  const json = parseJson(sent.bytes, 1);
  if (typeof json === 'string') return { refused: 'bad_request' };
  const parsed = body.safeParse(json.value);
  return parsed.success ? { value: parsed.data } : { refused: 'bad_request' };
}

function paramsOf(params: unknown): Readonly<Record<string, string>> {
  const entries = typeof params === 'object' && params !== null ? Object.entries(params) : [];
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

interface Path {
  readonly method: string;
  readonly matches: RegExp;
}

const pathsOf = (routes: readonly Pick<Route, 'path' | 'method'>[]): readonly Path[] =>
  routes.map(({ path, method }) => ({
    method,
    matches: new RegExp(`^${path.replaceAll('.', String.raw`\.`).replaceAll(/:\w+/gu, '[^/]+')}$`, 'u'),
  }));

function allowedAt(paths: readonly Path[], path: string): readonly string[] {
  return paths.filter(({ matches }) => matches.test(path)).map(({ method }) => method);
}

/** What fastify refuses by itself, by its codes. */
function frameworkRefusal(error: unknown): Reason | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return 'too_large';
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return 'unsupported_type';
  if (code.startsWith('FST_ERR_CTP_') || code === 'FST_ERR_BAD_URL' || code === 'ECONNRESET') return 'bad_request';
  return undefined;
}
