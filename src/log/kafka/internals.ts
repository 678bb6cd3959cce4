/**
 * A small typed window on the inside of kafkajs: connections with TLS, SASL and a request queue, and the names of error
 * codes. The rest is not used: docs/decisions/0011 says why. The version is pinned exactly, and what is taken from it is checked
 * here when the module is loaded.
 */
import type { Socket } from 'node:net';
import connectionModule from 'kafkajs/src/network/connection.js';
import socketFactoryModule from 'kafkajs/src/network/socketFactory.js';
import loggersModule from 'kafkajs/src/loggers/index.js';
import errorModule from 'kafkajs/src/protocol/error.js';
import requestQueueModule from 'kafkajs/src/network/requestQueue/index.js';

/** One request as kafkajs' connections send it. */
export interface ProtocolCall<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  };
  readonly response: {
    /** `raw` begins after the correlation id. */
    decode(raw: Buffer): Promise<unknown>;
    /** Gets what `decode` returned; throws the response's error. */
    parse(decoded: unknown): Promise<T>;
  };
  /** Milliseconds; without it the connection's. A shorter one has no effect. */
  readonly requestTimeout?: number;
  readonly logResponseError?: boolean;
}

export interface Connection {
  connect(): Promise<unknown>;
  authenticate(): Promise<void>;
  isConnected(): boolean;
  disconnect(): Promise<unknown>;
  setVersions(versions: ApiVersions): void;
  setSupportAuthenticationProtocol(supported: boolean): void;
  send<T>(call: ProtocolCall<T>): Promise<T>;
  /** Fails all requests that have no answer yet. */
  rejectRequests(error: Error): void;
}

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly ssl?: object;
  readonly sasl?: object;
  readonly logger: Logger;
  readonly socketFactory: SocketFactory;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: boolean;
}

export type SocketFactory = (options: {
  readonly host: string;
  readonly port: number;
  readonly ssl: object | null;
  readonly onConnect: () => void;
}) => Socket;

/** By api key. */
export type ApiVersions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>;

/** kafkajs' logger; made by {@link createLogger} only. */
export interface Logger {
  namespace(name: string): Logger;
}

export interface LogEntry {
  readonly namespace: string;
  /** 1 error, 2 warn, 4 info, 5 debug. */
  readonly level: number;
  readonly log: Readonly<Record<string, unknown>>;
}

export function createConnection(options: ConnectionOptions): Connection {
  const connection = new ConnectionClass(options);
  const { requestQueue: queue } = connection;
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  // kafkajs sets a timer after every answer, also when nothing is pending, and then with a negative time that Node warns of.
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule();
  };
  return connection;
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

export function createLogger(onEntry: (entry: LogEntry) => void): Logger {
  // 4 is info. An environment variable of kafkajs' own may ask for more: whoever gets the entries looks at their level.
  return loggers.createLogger({ level: 4, logCreator: () => onEntry });
}

/** The name of a protocol error code; 0 is `NONE`. */
export function errorName(code: number): string {
  let name = code === 0 ? 'NONE' : names.get(code);
  if (name === undefined) {
    const { type } = errors.createErrorFromCode(code);
    name = type === 'KAFKAJS_UNKNOWN_ERROR_CODE' ? (LATER_ERRORS[code] ?? `error code ${code}`) : type;
    names.set(code, name);
  }
  return name;
}

/** Asking kafkajs makes an error with a stack each time. */
const names = new Map<number, string>();

export const createSocket: SocketFactory = plainSocketFactory();

// The modules have no types: each cast below is guarded by the checks that follow it.
const ConnectionClass = connectionModule as new (
  options: ConnectionOptions,
) => Connection & { readonly requestQueue: RequestQueue };
const loggers = loggersModule as {
  createLogger(options: { level: number; logCreator: () => (entry: LogEntry) => void }): Logger;
};
const errors = errorModule as { createErrorFromCode(code: number): { readonly type: string } };

/** Codes that are younger than kafkajs. */
const LATER_ERRORS: Readonly<Record<number, string>> = {
  89: 'THROTTLING_QUOTA_EXCEEDED',
  90: 'PRODUCER_FENCED',
  105: 'TRANSACTIONAL_ID_NOT_FOUND',
  120: 'TRANSACTION_ABORTABLE',
};

function plainSocketFactory(): SocketFactory {
  if (typeof socketFactoryModule !== 'function') throw mismatch('network/socketFactory');
  return (socketFactoryModule as () => SocketFactory)();
}

function checkShape(): void {
  const methods = [
    'connect',
    'authenticate',
    'isConnected',
    'disconnect',
    'setVersions',
    'setSupportAuthenticationProtocol',
    'send',
    'rejectRequests',
  ];
  // Only looked into, to find out whether it is what the casts above say.
  const prototype = (connectionModule as { prototype?: Record<string, unknown> } | undefined)?.prototype;
  if (methods.some((method) => typeof prototype?.[method] !== 'function')) throw mismatch('network/connection');
  // The same for the request queue.
  const queue = (requestQueueModule as { prototype?: Record<string, unknown> } | undefined)?.prototype;
  if (typeof queue?.['scheduleCheckPendingRequests'] !== 'function') throw mismatch('network/requestQueue');
  if (typeof loggers?.createLogger !== 'function') throw mismatch('loggers');
  if (errors?.createErrorFromCode?.(1)?.type !== 'OFFSET_OUT_OF_RANGE') throw mismatch('protocol/error');
}

function mismatch(what: string): Error {
  return new Error(
    `kafkajs does not have '${what}' as expected. Install the version that package.json names (npm ci); another one needs changes in src/log/kafka/internals.ts.`,
  );
}

checkShape();
