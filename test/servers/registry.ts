/**
 * A small schema registry in memory that follows the REST contract of Confluent's, with checks of compatibility by avsc.
 * https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
import * as http from 'node:http';
import * as https from 'node:https';
import avro from 'avsc';
import type { Type } from 'avsc';

export interface RegistryServer {
  readonly url: string;
  /** Method and path of every request, in order. */
  readonly requests: readonly string[];
  /** From now on connections are refused; what is stored stays. */
  away(): Promise<void>;
  /** On the same port again. */
  back(): Promise<void>;
  /** Answers in the server's place while it is set, if it returns true. */
  intercept: ((request: http.IncomingMessage, response: http.ServerResponse) => boolean) | undefined;
  close(): Promise<void>;
}

export interface RegistryServerOptions {
  /** Basic auth: without it, 401. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Writes (schemas and levels) get 403. */
  readonly readOnly?: boolean;
  /** PEM; makes it https. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** The id of the first schema. */
  readonly firstId?: number;
  /** As set globally. */
  readonly level?: Level;
}

const LEVELS = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;
export type Level = (typeof LEVELS)[number];

export async function startRegistry(options: RegistryServerOptions = {}): Promise<RegistryServer> {
  const registry = new Registry(options);
  const requests: string[] = [];
  const listener: http.RequestListener = (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (server.intercept?.(request, response) === true) return;
    void answer(registry, options, request, response);
  };
  let running = options.tls === undefined ? http.createServer(listener) : https.createServer(options.tls, listener);
  const port = await listen(running, 0);

  const away = async (): Promise<void> => {
    running.closeAllConnections();
    await new Promise((resolve) => running.close(resolve));
  };
  const server: RegistryServer = {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    intercept: undefined,
    away,
    async back() {
      running = options.tls === undefined ? http.createServer(listener) : https.createServer(options.tls, listener);
      await listen(running, port);
    },
    close: away,
  };
  return server;
}

async function listen(server: http.Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

class Refusal extends Error {
  override name = 'Refusal';
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function answer(
  registry: Registry,
  options: RegistryServerOptions,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const send = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
    response.end(JSON.stringify(body));
  };
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (!isUser(options, request)) throw new Refusal(401, 40101, 'Unauthorized');
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const path = url.pathname.split('/').slice(1).map(decodeURIComponent);
    const text = Buffer.concat(chunks).toString('utf8');
    const isWrite =
      request.method === 'PUT' || (request.method === 'POST' && path[0] === 'subjects' && path.length === 3);
    if (options.readOnly === true && isWrite) throw new Refusal(403, 40301, 'User is denied operation');
    const body: unknown = text === '' ? {} : JSON.parse(text);
    send(200, registry.answer(request.method ?? '', path, body, url.searchParams.get('verbose') === 'true'));
  } catch (error) {
    if (error instanceof Refusal) send(error.status, { error_code: error.code, message: error.message });
    else send(500, { error_code: 50001, message: 'Error in the backend data store' });
  }
}

function isUser({ user }: RegistryServerOptions, request: http.IncomingMessage): boolean {
  if (user === undefined) return true;
  return request.headers.authorization === `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
}

interface Stored {
  readonly id: number;
  readonly text: string;
}

class Registry {
  /** Versions by subject: version n is at n - 1. */
  readonly #subjects = new Map<string, Stored[]>();
  readonly #levels = new Map<string, Level>();
  readonly #texts = new Map<number, string>();
  #level: Level;
  #nextId: number;

  constructor({ level = 'BACKWARD', firstId = 1 }: RegistryServerOptions) {
    this.#level = level;
    this.#nextId = firstId;
  }

  answer(method: string, path: readonly string[], body: unknown, isVerbose: boolean): unknown {
    const [root = '', a = '', b = '', c = '', d = ''] = path;
    const route = `${method} ${root}/${path.length}`;
    switch (route) {
      case 'GET subjects/1':
        return [...this.#subjects.keys()];
      case 'POST subjects/2':
        return this.#lookUp(a, schemaIn(body));
      case 'POST subjects/3':
        return { id: this.#register(a, schemaIn(body)) };
      case 'GET subjects/3':
        return this.#versions(a).map((_, at) => at + 1);
      case 'GET subjects/4':
        return this.#version(a, c);
      case 'GET schemas/3':
        return { schema: this.#text(b) };
      case 'GET config/1':
        return { compatibilityLevel: this.#level };
      case 'PUT config/1':
        return { compatibility: (this.#level = levelIn(body)) };
      case 'GET config/2':
        return { compatibilityLevel: this.#levelOf(a) };
      case 'PUT config/2':
        this.#levels.set(a, levelIn(body));
        return { compatibility: levelIn(body) };
      case 'POST compatibility/4':
        return this.#verdict(b, this.#against(b), schemaIn(body), isVerbose);
      case 'POST compatibility/5':
        return this.#verdict(b, [this.#version(b, d).version], schemaIn(body), isVerbose);
      default:
        throw new Refusal(404, 404, 'HTTP 404 Not Found');
    }
  }

  #versions(subject: string): readonly Stored[] {
    const found = this.#subjects.get(subject);
    if (found === undefined) throw new Refusal(404, 40401, `Subject '${subject}' not found.`);
    return found;
  }

  #version(subject: string, wanted: string): Stored & { version: number; subject: string; schema: string } {
    const versions = this.#versions(subject);
    const version = wanted === 'latest' ? versions.length : Number(wanted);
    if (!Number.isInteger(version) || version < 1) {
      throw new Refusal(422, 42202, `The specified version '${wanted}' is not a valid version id.`);
    }
    const stored = versions[version - 1];
    if (stored === undefined) throw new Refusal(404, 40402, `Version ${version} not found.`);
    return { ...stored, version, subject, schema: stored.text };
  }

  #text(id: string): string {
    const text = this.#texts.get(Number(id));
    if (text === undefined) throw new Refusal(404, 40403, `Schema ${id} not found`);
    return text;
  }

  #levelOf(subject: string): Level {
    const level = this.#levels.get(subject);
    if (level !== undefined) return level;
    throw new Refusal(404, 40408, `Subject '${subject}' does not have subject-level compatibility configured`);
  }

  #lookUp(subject: string, text: string): unknown {
    const at = this.#versions(subject).findIndex((stored) => stored.text === text);
    if (at < 0) throw new Refusal(404, 40403, 'Schema not found');
    return this.#version(subject, String(at + 1));
  }

  #register(subject: string, text: string): number {
    const versions = this.#subjects.get(subject) ?? [];
    const same = versions.find((stored) => stored.text === text);
    if (same !== undefined) return same.id;
    const messages = this.#faults(subject, this.#against(subject), text);
    if (messages.length > 0)
      throw new Refusal(409, 409, `Schema being registered is incompatible: ${messages.join(', ')}`);
    const known = [...this.#texts].find(([, stored]) => stored === text)?.[0];
    const id = known ?? this.#nextId++;
    this.#texts.set(id, text);
    this.#subjects.set(subject, [...versions, { id, text }]);
    return id;
  }

  /** Versions that the subject's level asks to be checked. */
  #against(subject: string): readonly number[] {
    const all = (this.#subjects.get(subject) ?? []).map((_, at) => at + 1);
    return (this.#levels.get(subject) ?? this.#level).endsWith('_TRANSITIVE') ? all : all.slice(-1);
  }

  #verdict(subject: string, versions: readonly number[], text: string, isVerbose: boolean): unknown {
    const messages = this.#faults(subject, versions, text);
    return { is_compatible: messages.length === 0, ...(isVerbose ? { messages } : {}) };
  }

  #faults(subject: string, versions: readonly number[], text: string): readonly string[] {
    const level = this.#levels.get(subject) ?? this.#level;
    const type = typeOf(text);
    return versions.flatMap((version) => {
      const old = typeOf(this.#version(subject, String(version)).text);
      const faults = [
        ...(/^(?:BACKWARD|FULL)/u.test(level) ? fault(type, old) : []),
        ...(/^(?:FORWARD|FULL)/u.test(level) ? fault(old, type) : []),
      ];
      return faults.map((message) => `{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'${message}'}`);
    });
  }
}

function fault(reader: Type, writer: Type): readonly string[] {
  try {
    reader.createResolver(writer);
    return [];
  } catch (error) {
    return [String(error instanceof Error ? error.message : error)];
  }
}

function typeOf(text: string): Type {
  try {
    return avro.Type.forSchema(JSON.parse(text));
  } catch {
    throw new Refusal(422, 42201, 'Invalid schema: the input schema is not a valid Avro schema');
  }
}

function schemaIn(body: unknown): string {
  const schema = typeof body === 'object' && body !== null && 'schema' in body ? body.schema : undefined;
  if (typeof schema !== 'string') throw new Refusal(422, 42201, 'Empty schema');
  typeOf(schema);
  return schema;
}

function levelIn(body: unknown): Level {
  const level = typeof body === 'object' && body !== null && 'compatibility' in body ? body.compatibility : undefined;
  const known = LEVELS.find((one) => one === level);
  if (known === undefined) throw new Refusal(422, 42203, 'Invalid compatibility level');
  return known;
}
