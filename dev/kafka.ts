/** `npm run kafka`: a throw-away Kafka broker on 127.0.0.1, to try the line on. */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CONFIG_FILE, createBroker, DATA_FOLDER, isFree } from './broker.ts';
import { downloadJars, hasJars, KAFKA_VERSION, requireJava } from './jars.ts';

const USAGE = `npm run kafka [-- options]: a Kafka broker on 127.0.0.1, for trying out. Ctrl+C stops it.

  --port <port>   where clients connect (9092)
  --data <dir>    folder of its data (.redactory-kafka/data)
  --clean         begin with no data
  --jars          download Kafka, start nothing
  --verbose       show what Maven and Kafka print

It needs Java 17 or newer; the first time, Maven as well, which downloads Kafka into .redactory-kafka/lib, or into
the folder that REDACTORY_KAFKA_LIB names.
`;

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`npm run kafka: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const { port, data, lib, clean, jars, verbose, help } = options();
  if (help) return say(USAGE);
  const onOutput = verbose ? (text: string): void => void process.stderr.write(text) : undefined;
  await requireJava();
  if (!hasJars(lib)) {
    say(`downloading Kafka ${KAFKA_VERSION} by Maven into ${shown(lib)}: 54 MB, once\n`);
    await downloadJars(lib, onOutput);
  }
  if (jars) return say(`jars: ${shown(lib)}\n`);
  if (!(await isFree(port))) {
    throw new Error(
      `port ${port} of 127.0.0.1 is taken. Is a broker running already? Else: npm run kafka -- --port 9093`,
    );
  }
  await refuseIfUsed(data);
  if (clean) await removeData(data);
  return serve({ port, data, lib, ...(onOutput && { onOutput }) });
}

interface Serving {
  readonly port: number;
  readonly data: string;
  readonly lib: string;
  readonly onOutput?: (text: string) => void;
}

/** Runs the broker until somebody stops it. */
async function serve({ port, data, lib, onOutput }: Serving): Promise<number> {
  const address = `PLAINTEXT://127.0.0.1:${port}`;
  const broker = createBroker({
    lib,
    dir: data,
    properties: { listeners: address, 'advertised.listeners': address },
    heapMegabytes: 512,
    ...(onOutput && { onOutput }),
  });
  let isStopping = false;
  const asked = new Promise<void>((resolve) => {
    // A second signal changes nothing: npm passes on the one that the terminal has sent already.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        isStopping = true;
        resolve();
      });
    }
  });
  say('starting Kafka ...\n');
  await broker.start();
  onOutput?.(`Kafka runs as process ${broker.pid}\n`);
  if (!isStopping) say(ready(port, data));
  const ended = await Promise.race([broker.ended(), asked]);
  if (!isStopping) {
    process.stderr.write(`Kafka ended by itself; its last lines:\n${ended ?? ''}\n`);
    return 1;
  }
  say('stopping Kafka ...\n');
  await broker.stop();
  return say(`stopped; its data stays in ${shown(data)} (npm run kafka -- --clean begins anew)\n`);
}

function ready(port: number, data: string): string {
  const brokers = `127.0.0.1:${port}`;
  return `
Kafka ${KAFKA_VERSION} is ready.
  brokers: ${brokers} (plain text, this machine only)
  data:    ${shown(data)}
Now, in another terminal:
  export REDACTORY_KAFKA_BROKERS=${brokers}
  npx redactory topics apply --data try-kafka
Ctrl+C stops it.
`;
}

function options() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '9092' },
      data: { type: 'string', default: '.redactory-kafka/data' },
      clean: { type: 'boolean', default: false },
      jars: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`--port takes a number from 1 to 65535, not ${values.port}`);
  }
  const lib = process.env['REDACTORY_KAFKA_LIB'] ?? '';
  return { ...values, port, data: resolve(values.data), lib: resolve(lib === '' ? '.redactory-kafka/lib' : lib) };
}

/** Throws if a broker works in the data folder: `--clean` would take its files away. */
async function refuseIfUsed(data: string): Promise<void> {
  const config = resolve(data, CONFIG_FILE);
  if (!existsSync(config)) return;
  // The controller's port is another one at each start, so who listens there is the broker that wrote this.
  const port = /^controller\.quorum\.voters=.*:(\d+)$/mu.exec(await readFile(config, 'utf8'))?.[1];
  if (port === undefined || (await isFree(Number(port)))) return;
  throw new Error(`a broker is working in ${shown(data)} already. Stop it, or take another folder: --data <dir>`);
}

/** Deletes what a broker has put into its data folder, and nothing else. */
async function removeData(data: string): Promise<void> {
  const topics = resolve(data, DATA_FOLDER);
  if (existsSync(resolve(topics, 'meta.properties'))) await rm(topics, { recursive: true });
}

function say(text: string): 0 {
  process.stdout.write(text);
  return 0;
}

function shown(path: string): string {
  const from = relative(process.cwd(), path);
  return from.startsWith('..') ? path : from;
}
