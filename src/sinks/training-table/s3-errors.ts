/** What failures of S3 mean. None of the SDK's errors is passed on: they hold requests, and so signatures and tokens. */
import { SinkStorageError } from '../sink.ts';
import type { RetryReason } from './s3-settings.ts';

/** The parts of an error of the SDK, of Node or of the server that say what it is. */
export interface Failure {
  readonly name: string;
  /** Of the HTTP answer; 0 without one. */
  readonly status: number;
  /** Node's, of the connection. */
  readonly code: string;
  readonly message: string;
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: '', status: 0, code: '', message: '' };
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata ? metadata.httpStatusCode : 0;
  return {
    name: error.name,
    status: typeof status === 'number' ? status : 0,
    code: 'code' in error && typeof error.code === 'string' ? error.code : '',
    message: error.message,
  };
}

/** Another wrote the object first. */
export const isTaken = (error: unknown): boolean => failureOf(error).status === 412;

export const isNamed = (error: unknown, name: string): boolean => failureOf(error).name === name;

/** Why another try may help; undefined when it will not. */
export function transientReason(error: unknown): RetryReason | undefined {
  const { name, status, code, message } = failureOf(error);
  if (code !== '' && UNREACHABLE.has(code)) return 'unreachable';
  if (name === 'TimeoutError' || name === 'RequestTimeout' || status === 408) return 'timeout';
  if (name === 'SlowDown' || name === 'Throttling' || status === 429) return 'throttled';
  // 501 says that the server does not know the request, now or later.
  if (status >= 500 && status !== 501) return 'server_error';
  if (/^Checksum mismatch|socket hang up|^aborted$/u.test(message)) return 'broken_answer';
  return undefined;
}

/** As {@link transientReason}, also for writes that met another one of the same object and are to be started anew. */
export function transientPutReason(error: unknown): RetryReason | undefined {
  return CONFLICTS.has(failureOf(error).name) ? 'conflict' : transientReason(error);
}

const CONFLICTS = new Set(['ConditionalRequestConflict', 'OperationAborted', 'NoSuchUpload']);

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** An error for people: `what` names the object; what it says comes from closed lists, never from the server. */
export function storageError(error: unknown, what: string): SinkStorageError {
  const { name, status, code } = failureOf(error);
  const advice =
    ADVICE[name] ??
    STATUS_ADVICE[status] ??
    `it failed with ${[plain(name), plain(code), status || ''].join(' ').trim()}`;
  return new SinkStorageError(`${what}: ${advice}.`);
}

/** Names and codes are words; anything else may hold what it should not. */
const plain = (word: string): string => (/^\w{1,64}$/u.test(word) ? word : 'an unnamed error');

const DENIED =
  'access denied: give this identity s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on the ' +
  "table's objects and s3:ListBucket on the bucket (without the last, a missing object looks like a forbidden one)";
const CREDENTIALS =
  'there are no usable credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role of the machine';
const KEYS = 'the server does not accept the credentials: check that they belong to this endpoint and are not expired';
const REGION = 'the bucket is in another region: set s3.region to it';

const ADVICE: Readonly<Record<string, string>> = {
  NoSuchBucket: 'there is no such bucket: make it, or correct the table’s location or s3.endpoint',
  AccessDenied: DENIED,
  AllAccessDisabled: DENIED,
  CredentialsProviderError: CREDENTIALS,
  TokenProviderError: CREDENTIALS,
  InvalidAccessKeyId: KEYS,
  SignatureDoesNotMatch: KEYS,
  ExpiredToken: KEYS,
  InvalidToken: KEYS,
  RequestTimeTooSkewed: 'the clocks of this machine and the server differ: set them',
  PermanentRedirect: REGION,
  AuthorizationHeaderMalformed: REGION,
  IllegalLocationConstraintException: REGION,
  InvalidObjectState: 'the object is in an archive: restore it, and keep lifecycle rules that archive off the table',
  KMSDisabledException: 'the key that encrypts the bucket is disabled: enable it',
  QuotaExceeded: 'the bucket is full: free some space; what was committed is safe',
  XMinioStorageFull: 'the server’s disk is full: free some space; what was committed is safe',
  XMinioAdminBucketQuotaExceeded: 'the bucket is full: free some space; what was committed is safe',
  NotImplemented: 'the server does not know the request: it must have conditional writes (docs/object-storage.md)',
};

const STATUS_ADVICE: Readonly<Record<number, string>> = {
  301: REGION,
  403: DENIED,
  404: 'the server knows no such thing: correct the table’s location, s3.endpoint or s3.pathStyle',
  501: 'the server does not know the request: it must have conditional writes (docs/object-storage.md)',
};
