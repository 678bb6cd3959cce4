import { KAFKA_PASSWORD_VARIABLE, type Config } from '../config.ts';
import type { KafkaSettings, Role } from '../config-kafka.ts';
import type { KafkaOptions, Sasl } from '../log/kafka/options.ts';
import { readSecretFile } from '../privacy/keys/secret-file.ts';
import { RunError } from './run-error.ts';
import type { Logger } from './telemetry.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * How one part of the line reaches the cluster of the config: signed in as that part's identity if there is one, else as
 * `kafka.sasl` says. Secrets are read when a connection asks for them.
 *
 * @throws RunError when the config has no cluster.
 */
export function kafkaOptions(config: Config, env: Env, role: Role, logger?: Logger): KafkaOptions {
  const { kafka } = config;
  if (kafka === null) throw new RunError('this needs a Kafka cluster: add a `kafka` section to the config');
  const sasl = saslOf(kafka, env, role);
  return {
    brokers: kafka.brokers,
    clientId: kafka.clientId,
    ...(kafka.rack === undefined ? {} : { rack: kafka.rack }),
    ...(kafka.tls === undefined ? {} : { tls: kafka.tls }),
    ...(sasl === undefined ? {} : { sasl }),
    compression: kafka.compression,
    ...(kafka.instance === undefined ? {} : { instanceId: kafka.instance }),
    sessionTimeoutMs: kafka.sessionTimeoutMs,
    transactionTimeoutMs: kafka.transactionTimeoutMs,
    ...(kafka.replicationFactor === undefined ? {} : { replicationFactor: kafka.replicationFactor }),
    requestTimeoutMs: kafka.requestTimeoutMs,
    ...(logger === undefined ? {} : { onLog: (level, message, detail) => logger[level](message, { detail }) }),
  };
}

function saslOf(kafka: KafkaSettings, env: Env, role: Role): Sasl | undefined {
  const { sasl } = kafka;
  if (sasl === undefined) return undefined;
  const user = kafka.identities?.[role] ?? sasl;
  if (sasl.mechanism === 'oauthbearer') {
    const { tokenFile } = user;
    if (tokenFile === undefined) throw noCredentials(role, 'tokenFile');
    return { mechanism: sasl.mechanism, token: () => readSecretFile(tokenFile) };
  }
  const { username, passwordFile } = user;
  if (username === undefined) throw noCredentials(role, 'username');
  return { mechanism: sasl.mechanism, username, password: () => passwordOf(passwordFile, env, role) };
}

async function passwordOf(file: string | undefined, env: Env, role: Role): Promise<string> {
  if (file !== undefined) return readSecretFile(file);
  const given = env[KAFKA_PASSWORD_VARIABLE];
  if (given === undefined) throw noCredentials(role, `passwordFile (or ${KAFKA_PASSWORD_VARIABLE})`);
  return given;
}

const noCredentials = (role: Role, key: string): RunError =>
  new RunError(`nothing says how the ${role} signs in: give kafka.identities.${role}, or kafka.sasl, a ${key}`);
