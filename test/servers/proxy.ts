/** A loopback TCP proxy that loses connections and answers when told to, in front of one server. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** Numbers of Kafka's requests that faults care for. Source: Kafka protocol guide, "Api Keys". */
export const API = {
  produce: 0,
  fetch: 1,
  offsetCommit: 8,
  joinGroup: 11,
  heartbeat: 12,
  createTopics: 19,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  txnOffsetCommit: 28,
} as const;

export interface Proxy {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Drops all connections and takes no new ones until `restore`: the server looks gone. */
  cut(): void;
  restore(): void;
  /**
   * Kafka: the next request of this kind reaches the broker, which carries it out; then its connection is cut, and the
   * answer never comes. Once a call; resolves when it has happened.
   */
  cutAfterRequest(apiKey: number): Promise<void>;
  /**
   * Kafka: from now on answers to requests of this kind are thrown away, and the connection stays: the client waits
   * until it gives up. Returns how to call that off.
   */
  dropAnswersOf(apiKey: number): () => void;
  /** Holds back all that comes from the server for so long, ms; 0 ends it. */
  delay(ms: number): void;
  /** Connections taken, connections dropped by a fault, answers thrown away; Kafka requests by their number. */
  readonly counts: ProxyCounts;
  close(): Promise<void>;
}

export interface ProxyCounts {
  connections: number;
  cut: number;
  droppedAnswers: number;
  readonly requests: Map<number, number>;
}

export interface ProxyOptions {
  /** Where the server listens, on 127.0.0.1. */
  readonly port: number;
  /** Where the proxy listens; without it on a free port. */
  readonly listen?: number;
  /** `kafka`: looks into requests, which must be plain text. `bytes`: passes all on. */
  readonly protocol: 'kafka' | 'bytes';
}

/** Starts a proxy; the caller closes it. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const faults = new Faults();
  const links = new Set<Link>();
  const server = createServer((client) => {
    faults.counts.connections++;
    if (faults.isCut) return void client.resetAndDestroy();
    const link = new Link(client, connect(options.port, '127.0.0.1'), options.protocol === 'kafka', faults);
    links.add(link);
    client.once('close', () => links.delete(link));
  });
  const port = await listen(server, options.listen ?? 0);
  const dropAll = (): void => {
    faults.counts.cut += links.size;
    for (const link of links) link.cut();
  };
  return {
    host: '127.0.0.1',
    port,
    counts: faults.counts,
    cut() {
      faults.isCut = true;
      dropAll();
    },
    restore() {
      faults.isCut = false;
    },
    cutAfterRequest: (apiKey) => new Promise((resolve) => faults.cutAfter.set(apiKey, resolve)),
    dropAnswersOf(apiKey) {
      faults.silent.add(apiKey);
      return () => void faults.silent.delete(apiKey);
    },
    delay(ms) {
      faults.delayMs = ms;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const link of links) link.cut();
      }),
  };
}

/** What is to go wrong, for all connections. */
class Faults {
  isCut = false;
  delayMs = 0;
  readonly cutAfter = new Map<number, () => void>();
  readonly silent = new Set<number>();
  readonly counts: ProxyCounts = { connections: 0, cut: 0, droppedAnswers: 0, requests: new Map() };
}

type AnswerFate = 'pass' | 'drop' | 'cut';

/** One client's connection and ours to the server. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #faults: Faults;
  /** What is to become of answers that are yet to come, by correlation id. */
  readonly #fates = new Map<number, { readonly fate: AnswerFate; readonly told?: () => void }>();
  /** Answers held back, and when the last of them has gone: they keep their order when the delay changes. */
  #held = 0;
  #lastHeld: Promise<void> = Promise.resolve();

  constructor(client: Socket, server: Socket, isKafka: boolean, faults: Faults) {
    this.#client = client;
    this.#server = server;
    this.#faults = faults;
    const requests = isKafka ? inFrames((frame) => this.#onRequest(frame)) : (chunk: Buffer) => server.write(chunk);
    const answers = isKafka ? inFrames((frame) => this.#onAnswer(frame)) : (chunk: Buffer) => this.#answer(chunk);
    client.on('data', requests);
    server.on('data', answers);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.setNoDelay(true);
      // An error is followed by `close`, which is dealt with below.
      one.on('error', () => {});
      one.on('end', () => other.end());
      one.on('close', (hadError) => void (hadError ? other.resetAndDestroy() : other.end()));
    }
  }

  /** Ends it at once, without what is under way. */
  cut(): void {
    this.#client.resetAndDestroy();
    this.#server.destroy();
  }

  #onRequest(frame: Buffer): void {
    // A request begins with its length, number, version and correlation id.
    const apiKey = frame.readInt16BE(4);
    const correlation = frame.readInt32BE(8);
    const { counts, cutAfter, silent } = this.#faults;
    counts.requests.set(apiKey, (counts.requests.get(apiKey) ?? 0) + 1);
    const told = cutAfter.get(apiKey);
    if (told !== undefined) {
      cutAfter.delete(apiKey);
      this.#fates.set(correlation, { fate: 'cut', told });
    } else if (silent.has(apiKey)) {
      this.#fates.set(correlation, { fate: 'drop' });
    }
    this.#server.write(frame);
  }

  #onAnswer(frame: Buffer): void {
    // That the broker answers shows that it has carried the request out: only now is the connection cut.
    const correlation = frame.readInt32BE(4);
    const { fate, told } = this.#fates.get(correlation) ?? { fate: 'pass' };
    this.#fates.delete(correlation);
    if (fate === 'pass') return this.#answer(frame);
    this.#faults.counts.droppedAnswers++;
    if (fate === 'drop') return;
    this.#faults.counts.cut++;
    this.cut();
    told?.();
  }

  #answer(bytes: Buffer): void {
    const { delayMs } = this.#faults;
    if (delayMs === 0 && this.#held === 0) return void this.#client.write(bytes);
    this.#held++;
    this.#lastHeld = this.#answerLater(bytes, performance.now() + delayMs, this.#lastHeld);
  }

  async #answerLater(bytes: Buffer, due: number, before: Promise<void>): Promise<void> {
    await before;
    await setTimeout(Math.max(0, due - performance.now()));
    this.#held--;
    this.#client.write(bytes);
  }
}

/** Puts chunks together to whole frames: four bytes of length, then so many bytes. */
function inFrames(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0);
      const frame = rest.subarray(0, end);
      rest = rest.subarray(end);
      onFrame(frame);
    }
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The address of a TCP server is an object.
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
