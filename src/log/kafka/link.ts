/** One connection to one broker, opened when it is needed and again after it broke. */
import type { Socket } from 'node:net';
import { apiVersionsCall } from './calls.ts';
import { isTransport } from './errors.ts';
import { createConnection, createSocket, type Connection, type Logger, type ProtocolCall } from './internals.ts';
import type { KafkaOptions } from './options.ts';
import { kafkaSecurity } from './security.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

interface Opened {
  readonly connection: Connection;
  readonly socket: () => Socket | undefined;
}

interface Current {
  readonly opening: Promise<Opened>;
  opened: Opened | undefined;
}

/** A broker answers the requests of one connection in order, each after the one before: what may take long gets a link of its own. */
export class Link {
  readonly #address: Address;
  readonly #options: KafkaOptions;
  readonly #logger: Logger;
  #current: Current | undefined;

  constructor(address: Address, options: KafkaOptions, logger: Logger) {
    this.#address = address;
    this.#options = options;
    this.#logger = logger;
  }

  /** @throws what kafkajs throws: KafkaJSConnectionError and its kind when no answer came. */
  async send<T>(call: ProtocolCall<T>): Promise<T> {
    const current = this.#usable();
    try {
      current.opened ??= await current.opening;
      return await current.opened.connection.send({ ...call, logResponseError: false });
    } catch (error) {
      // A connection that let one request wait in vain is not trusted with the next; a new one starts with clean buffers.
      const broken = current.opened === undefined || isTransport(error);
      if (broken && this.#current === current) this.#current = undefined;
      if (broken && current.opened !== undefined) destroy(current.opened, error);
      throw error;
    }
  }

  #usable(): Current {
    // Brokers close connections on which nothing was sent for long: that is no reason for a request to fail.
    if (this.#current?.opened?.connection.isConnected() === false) this.#current = undefined;
    this.#current ??= { opening: this.#connect(), opened: undefined };
    return this.#current;
  }

  close(error: Error): void {
    const opening = this.#current?.opening;
    this.#current = undefined;
    void closeOpened(opening, error);
  }

  async #connect(): Promise<Opened> {
    const { clientId, requestTimeoutMs } = this.#options;
    let socket: Socket | undefined;
    const connection = createConnection({
      ...this.#address,
      ...(await kafkaSecurity(this.#options)),
      clientId,
      logger: this.#logger,
      connectionTimeout: Math.min(requestTimeoutMs, CONNECT_MS),
      requestTimeout: requestTimeoutMs,
      enforceRequestTimeout: true,
      socketFactory: (to) => {
        // Small requests follow each other: they may not wait for acknowledgements of the network.
        socket = createSocket(to).setNoDelay(true);
        return socket;
      },
    });
    const opened = { connection, socket: () => socket };
    try {
      await connection.connect();
      connection.setVersions(await connection.send(apiVersionsCall()));
      connection.setSupportAuthenticationProtocol(true);
      await connection.authenticate();
      return opened;
    } catch (error) {
      destroy(opened, error);
      throw error;
    }
  }
}

async function closeOpened(opening: Promise<Opened> | undefined, error: Error): Promise<void> {
  const [opened] = await Promise.allSettled([opening]);
  if (opened.status === 'fulfilled' && opened.value !== undefined) destroy(opened.value, error);
}

function destroy(opened: Opened, error: unknown): void {
  const { connection } = opened;
  connection.rejectRequests(error instanceof Error ? error : new Error('The connection is closed.'));
  opened.socket()?.destroy();
  // It has nothing left to wait for.
  connection.disconnect().catch(() => undefined);
}

const CONNECT_MS = 10_000;
