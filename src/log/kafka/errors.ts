/** Errors of the Kafka adapter beyond the port's, and what the protocol's error codes mean for a caller. */
import { errorName } from './internals.ts';

/**
 * The cluster could not be reached, or did not answer as it should, for as long as one request may take. Where it says so it is
 * unknown whether a write took place. Nothing is wrong with the caller's state: try again from the committed position.
 */
export class LogUnavailableError extends Error {
  override name = 'LogUnavailableError';
}

/** The cluster refuses this identity: wrong credentials, or a right that it doesn't have. Trying again does not help. */
export class LogAccessError extends Error {
  override name = 'LogAccessError';
}

/** A broker's answer that is an error. */
export class BrokerError extends Error {
  override name = 'BrokerError';
  /** As the protocol names it. */
  readonly type: string;

  constructor(type: string, doing?: string) {
    super(
      doing === undefined
        ? `The broker answers ${type}.`
        : `The broker answers ${type} when ${doing}. Look the error up in Kafka's protocol guide, and in the broker's log.`,
    );
    this.type = type;
  }
}

/** @throws BrokerError unless the code is 0 */
export function checkCode(code: number): void {
  if (code !== 0) throw new BrokerError(errorName(code));
}

/** Metadata has to be asked for again. */
export class UnknownBrokerError extends Error {
  override name = 'UnknownBrokerError';
  constructor(broker: number) {
    super(`Broker ${broker} is not known.`);
  }
}

/** The name of a protocol error code (`NOT_LEADER_FOR_PARTITION`), undefined for other errors. */
export function typeOf(error: unknown): string | undefined {
  return error instanceof Error && 'type' in error && typeof error.type === 'string' ? error.type : undefined;
}

/** No answer came: the connection broke or the time was up. Whether the request took effect is unknown. */
export function isTransport(error: unknown): boolean {
  return error instanceof Error && TRANSPORT.has(error.name) && !isTls(error);
}

/** The connection could not be encrypted as both sides want it; Node's code says why. */
function isTls(error: unknown): boolean {
  return /CERT|SSL|TLS|SIGNATURE|EPROTO/u.test(systemCode(error) ?? '');
}

/** Node's code of an error of the network (`ECONNREFUSED`). */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** It could not be done now, and was not done. */
export function isTransient(error: unknown): boolean {
  return error instanceof UnknownBrokerError || TRANSIENT.has(typeOf(error) ?? '');
}

/** What was known about leaders, coordinators or brokers may be out of date. */
export function isStale(error: unknown): boolean {
  return isTransport(error) || error instanceof UnknownBrokerError || STALE.has(typeOf(error) ?? '');
}

/** Another producer has this transactional id, or the cluster has forgotten this one. */
export function isFenced(error: unknown): boolean {
  return FENCED.has(typeOf(error) ?? '');
}

/** What a refused request was about; named in the message. */
export interface Subject {
  readonly topic?: string;
  readonly group?: string;
  readonly transactionalId?: string;
}

/** The error as it is shown: access errors name what is missing; others stay as they are. */
export function accessError(error: unknown, right: string, subject: Subject): unknown {
  const type = typeOf(error) ?? '';
  const [kind, name] = REFUSED[type]?.(subject) ?? [];
  if (kind !== undefined) {
    const what = name === undefined ? kind : `${kind} '${name}'`;
    return new LogAccessError(
      `The cluster refuses this identity the right ${right} on ${what}. Grant it (redactory topics plan lists what each part needs), or sign in as another user.`,
    );
  }
  if (type === 'SASL_AUTHENTICATION_FAILED' || (error instanceof Error && error.name.includes('SASL'))) {
    return new LogAccessError(
      'The cluster refuses the sign-in. Check the user name, the password or token, and the SASL mechanism.',
    );
  }
  if (isTls(error)) {
    return new LogAccessError(
      `No encrypted connection to the cluster could be made (${systemCode(error) ?? ''}). Check that the brokers' port is the one for TLS, and the files of the tls setting.`,
    );
  }
  return error;
}

const REFUSED: Readonly<Record<string, ((subject: Subject) => [string, string?]) | undefined>> = {
  TOPIC_AUTHORIZATION_FAILED: ({ topic }) => (topic === undefined ? ['one of its topics'] : ['topic', topic]),
  GROUP_AUTHORIZATION_FAILED: ({ group }) => (group === undefined ? ['its group'] : ['group', group]),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: ({ transactionalId: id }) =>
    id === undefined ? ['its transactional id'] : ['transactional id', id],
  CLUSTER_AUTHORIZATION_FAILED: () => ['the cluster'],
};

const TRANSPORT: ReadonlySet<string> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSLockTimeout',
]);

const STALE: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'REPLICA_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'LISTENER_NOT_FOUND',
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_CONTROLLER',
  'UNKNOWN_TOPIC_ID',
]);

const TRANSIENT: ReadonlySet<string> = new Set([
  ...STALE,
  'GROUP_LOAD_IN_PROGRESS',
  'CONCURRENT_TRANSACTIONS',
  'UNSTABLE_OFFSET_COMMIT',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'REQUEST_TIMED_OUT',
  'THROTTLING_QUOTA_EXCEEDED',
]);

const FENCED: ReadonlySet<string> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
  'TRANSACTIONAL_ID_NOT_FOUND',
]);
