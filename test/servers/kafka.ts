/** A real Kafka broker for tests: in a temporary folder, on free ports of the loopback interface. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, inject } from 'vitest';
import { createBroker, freePort } from '../../dev/broker.ts';
import { askDesk } from './desk.ts';
import { startProxy, type Proxy } from './proxy.ts';

export interface KafkaServer {
  /** `host:port`, as clients should use it. */
  readonly brokers: readonly string[];
  /** With `proxied`: the proxy that `brokers` names. */
  readonly proxy?: Proxy;
  /** With `proxied`: `host:port` past the proxy, for those who are to see no faults. Else the same as `brokers`. */
  readonly direct: readonly string[];
  /** With `security: 'scram'`: what clients need to sign in. */
  readonly access?: KafkaAccess;
  /** Lets it finish; keeps its data. */
  stop(): Promise<void>;
  /** SIGKILL; keeps its data. */
  kill(): Promise<void>;
  /** Again, with the same ports and data. */
  start(): Promise<void>;
  /** Stops it and deletes its data. */
  close(): Promise<void>;
}

/** `admin` may do everything; the others nothing until an ACL lets them. */
export const USERS = ['admin', 'producer', 'gateway', 'sanitizer', 'sink', 'steward', 'operator'] as const;
export type User = (typeof USERS)[number];

export interface KafkaAccess {
  readonly mechanism: 'scram-sha-256';
  /** PEM file of the authority that signed the broker's certificate. */
  readonly caFile: string;
  /** Files of mode 0600 that hold the passwords. User names are the keys. */
  readonly passwordFiles: Readonly<Record<User, string>>;
}

export interface KafkaServerOptions {
  /** Over the broker's settings. */
  readonly properties?: Readonly<Record<string, string>>;
  /** `scram`: TLS, SCRAM-SHA-256 and ACLs that deny by default. */
  readonly security?: 'plaintext' | 'scram';
  /** Puts a proxy in front, which the broker names as its address, so that clients cannot go past it. */
  readonly proxied?: boolean;
}

/** The folder of Kafka's jars, if this machine has one. */
export function kafkaJars(): string | undefined {
  const lib = process.env['REDACTORY_KAFKA_LIB'] ?? '';
  return lib === '' ? undefined : lib;
}

/** Why there can be no broker here; undefined if there can. */
export function whyNoKafka(): string | undefined {
  if (kafkaJars() !== undefined) return undefined;
  return "set REDACTORY_KAFKA_LIB to a folder of Kafka's jars; npm run kafka makes one in .redactory-kafka/lib";
}

/** Tests that need a broker. Where there can be none they are skipped, and their title says why. */
export function describeWithKafka(name: string, tests: () => void): void {
  const lacking = whyNoKafka();
  const suffix = lacking === undefined ? '' : ` (skipped: ${lacking})`;
  describe.skipIf(lacking !== undefined)(`${name}${suffix}`, () => {
    tests();
  });
}

/** Settings that let tests see within seconds what takes minutes in earnest. */
const FAST = {
  'group.min.session.timeout.ms': '1000',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
  'num.network.threads': '2',
  'num.io.threads': '4',
  'background.threads': '2',
  'group.coordinator.threads': '1',
};

/** Starts a broker of its own for the caller, who closes it. Takes some two seconds. */
export async function startKafka(options: KafkaServerOptions = {}): Promise<KafkaServer> {
  const lib = kafkaJars();
  if (lib === undefined) throw new Error(`no Kafka: ${whyNoKafka() ?? ''}`);
  if (!existsSync(lib)) throw new Error(`REDACTORY_KAFKA_LIB names ${lib}, which does not exist`);
  const dir = await mkdtemp(join(tmpdir(), 'kafka-'));
  const port = await freePort();
  const secured = options.security === 'scram' ? await secure(dir) : undefined;
  const protocol = secured === undefined ? 'kafka' : 'bytes';
  const proxy = options.proxied === true ? await startProxy({ port, protocol }) : undefined;
  const own = { client: port, proxied: proxy?.port ?? port, direct: await freePort() };
  const broker = createBroker({
    lib,
    dir: join(dir, 'broker'),
    properties: {
      ...FAST,
      ...listeners(own, secured ? 'SASL_SSL' : 'PLAINTEXT'),
      ...secured?.properties,
      ...options.properties,
    },
    ...(secured && { scramUsers: secured.passwords }),
  });
  const close = async (): Promise<void> => {
    await Promise.all([broker.kill(), proxy?.close()]);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await broker.start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    brokers: [`127.0.0.1:${own.proxied}`],
    direct: [`127.0.0.1:${proxy === undefined ? port : own.direct}`],
    ...(proxy && { proxy }),
    ...(secured && { access: secured.access }),
    start: () => broker.start(),
    stop: () => broker.stop(),
    kill: () => broker.kill(),
    close,
  };
}

/** The listener of clients, advertised at the proxy's port if there is one, and another that no proxy is in front of. */
function listeners(
  ports: { readonly client: number; readonly proxied: number; readonly direct: number },
  protocol: 'PLAINTEXT' | 'SASL_SSL',
): Record<string, string> {
  return {
    listeners: `CLIENT://127.0.0.1:${ports.client},DIRECT://127.0.0.1:${ports.direct}`,
    'advertised.listeners': `CLIENT://127.0.0.1:${ports.proxied},DIRECT://127.0.0.1:${ports.direct}`,
    'listener.security.protocol.map': `CLIENT:${protocol},DIRECT:${protocol},CONTROLLER:PLAINTEXT`,
    'inter.broker.listener.name': 'DIRECT',
  };
}

interface Secured {
  readonly properties: Record<string, string>;
  readonly passwords: Record<string, string>;
  readonly access: KafkaAccess;
}

/** Certificates, passwords and settings of a broker that lets nobody in without. */
async function secure(dir: string): Promise<Secured> {
  const { caFile, keystore } = await certificates(join(dir, 'tls'));
  const passwords = Object.fromEntries(USERS.map((user) => [user, randomBytes(18).toString('hex')]));
  const files: [string, string][] = [];
  for (const [user, password] of Object.entries(passwords)) {
    const file = join(dir, `${user}.password`);
    await writeFile(file, password, { mode: 0o600 });
    files.push([user, file]);
  }
  const module = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  return {
    passwords,
    // Made of USERS, each of them once.
    access: { mechanism: 'scram-sha-256', caFile, passwordFiles: Object.fromEntries(files) as Record<User, string> },
    properties: {
      'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512',
      'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-256',
      ...jaas('client', `${module} required;`),
      // By this listener the broker also speaks to itself.
      ...jaas('direct', `${module} required username="admin" password="${passwords['admin'] ?? ''}";`),
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': keystore,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': caFile,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'allow.everyone.if.no.acl.found': 'false',
      // ANONYMOUS is the controller's listener, which is plain text and on the loopback interface.
      'super.users': 'User:admin;User:ANONYMOUS',
    },
  };
}

function jaas(listener: string, login: string): Record<string, string> {
  const keys = ['256', '512'].map((bits) => `listener.name.${listener}.scram-sha-${bits}.sasl.jaas.config`);
  return Object.fromEntries(keys.map((key) => [key, login]));
}

/** An authority and a certificate of its for 127.0.0.1 and localhost, valid for two days. */
async function certificates(dir: string): Promise<{ readonly caFile: string; readonly keystore: string }> {
  await mkdir(dir, { mode: 0o700 });
  const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)('openssl', args, { cwd: dir });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await writeFile(join(dir, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  await openssl('req', '-x509', ...curve, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test CA');
  await openssl('req', ...curve, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  const signed = ['-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', 'server.pem'];
  await openssl('x509', '-req', ...signed, '-days', '2', '-extfile', 'names');
  await openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'server.key', '-out', 'server.pk8');
  const keystore = join(dir, 'keystore.pem');
  const parts = await Promise.all(['server.pk8', 'server.pem'].map((name) => readFile(join(dir, name), 'utf8')));
  await writeFile(keystore, parts.join(''), { mode: 0o600 });
  return { caFile: join(dir, 'ca.pem'), keystore };
}

/**
 * `host:port` of the plaintext broker that all files of a run share; the first call starts it. Use topics, groups and
 * transactional ids that nobody else has.
 */
export async function sharedBrokers(): Promise<readonly string[]> {
  // As `shared-kafka.ts` answers.
  return (await askDesk(inject('kafkaBroker'))) as string[];
}
