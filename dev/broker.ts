/**
 * One Kafka broker on the loopback interface, from the jars of a folder: for `npm run kafka` and for the tests.
 * In KRaft mode, it is its own controller. Not for real data.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { runToEnd, startServer, type ServerProcess } from './server-process.ts';

export interface BrokerOptions {
  /** Folder of Kafka's jars. */
  readonly lib: string;
  /** Folder of its own, made if missing: configuration and data. */
  readonly dir: string;
  /** Of `server.properties`, over those of `brokerProperties`: `listeners` and `advertised.listeners` at least. */
  readonly properties: Readonly<Record<string, string>>;
  /** SCRAM-SHA-256 users that are there from the first start on: passwords by name. */
  readonly scramUsers?: Readonly<Record<string, string>>;
  readonly heapMegabytes?: number;
  /** What the broker prints, as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface Broker {
  /** Starts it, with the data that it left; resolves when it serves. Throws `ServerProcessError` if it does not come up. */
  start(): Promise<void>;
  /** Lets it finish (SIGTERM); after half a minute it is killed. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Resolves with what it printed last when the broker ends; at once if it does not run. */
  ended(): Promise<string>;
  readonly pid: number | undefined;
}

/** A broker's configuration, in its folder. */
export const CONFIG_FILE = 'server.properties';

/** Where in its folder a broker keeps its topics. */
export const DATA_FOLDER = 'topics';

/** Settings of a broker that stands alone and holds little. */
function brokerProperties(dir: string, controllerPort: number): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(dir, DATA_FOLDER),
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // After a kill, the controller lets the broker in again only when its last session is over: 9 s by default.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // By default it takes 128 MB of the heap.
    'log.cleaner.dedupe.buffer.size': String(16 * 1024 * 1024),
  };
}

/** Makes a broker; nothing runs until `start`. */
export function createBroker(options: BrokerOptions): Broker {
  let running: ServerProcess | undefined;
  return {
    async start() {
      const config = await configure(options);
      await format(options, config);
      const { lib, heapMegabytes = 384, onOutput } = options;
      running = await startServer({
        name: 'Kafka',
        ...java(lib, [`-Xmx${heapMegabytes}m`, 'kafka.Kafka', config]),
        readyText: 'Kafka Server started',
        ...(onOutput && { onOutput }),
      });
    },
    stop: async () => running?.end('SIGTERM'),
    kill: async () => running?.end('SIGKILL'),
    ended: async () => running?.ended ?? '',
    get pid() {
      return running?.pid;
    },
  };
}

/** A free port below those that systems give to outgoing connections, so that nobody takes it while a server restarts. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000);
    if (await isFree(port)) return port;
  }
}

/** Whether a server could listen on this port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** Writes `server.properties`, with a new port for the controller at each start. Returns its path. */
async function configure({ dir, properties }: BrokerOptions): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const controllerPort = await freePort();
  const all = { ...brokerProperties(dir, controllerPort), ...properties };
  all['listeners'] = `${all['listeners'] ?? ''},CONTROLLER://127.0.0.1:${controllerPort}`;
  const path = join(dir, CONFIG_FILE);
  const lines = Object.entries(all).map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\')}\n`);
  await writeFile(path, lines.join(''), { mode: 0o600 });
  return path;
}

/** Prepares the data folder, once. */
async function format({ lib, dir, scramUsers = {} }: BrokerOptions, config: string): Promise<void> {
  if (existsSync(join(dir, DATA_FOLDER, 'meta.properties'))) return;
  // The first byte keeps the id from starting with a dash, which would look like an option.
  const id = Buffer.concat([Buffer.from([1]), randomBytes(15)]).toString('base64url');
  const users = Object.entries(scramUsers).flatMap(([name, password]) => [
    '--add-scram',
    `SCRAM-SHA-256=[name=${name},password=${password}]`,
  ]);
  const tool = ['kafka.tools.StorageTool', 'format', '-t', id, '-c', config, ...users];
  await runToEnd({ name: "Kafka's storage tool", ...java(lib, tool) });
}

/** Runs a main class of Kafka's. It starts faster without the second compiler, which pays off only after minutes. */
function java(lib: string, args: readonly string[]): { readonly command: string; readonly args: readonly string[] } {
  return { command: 'java', args: ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', join(lib, '*'), ...args] };
}
