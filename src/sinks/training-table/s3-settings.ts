/** What callers say to an S3 store and hear of it; apart from the store, which brings the AWS SDK along. */

export interface S3Settings {
  /** URL of an S3-compatible server; without it, the endpoint of the AWS region. */
  readonly endpoint?: string | undefined;
  /** Without it: as the AWS SDK finds it; with an endpoint and nothing found, `us-east-1`. */
  readonly region?: string | undefined;
  /** The bucket in the path and not in the host name. */
  readonly pathStyle: boolean;
}

/** Why a request is made again. */
export type RetryReason = 'unreachable' | 'timeout' | 'throttled' | 'server_error' | 'conflict' | 'broken_answer';

export interface StoreRetry {
  readonly operation: 'read' | 'list' | 'put' | 'delete';
  readonly reason: RetryReason;
  /** How long the store waits before it tries again, in milliseconds. */
  readonly waitMs: number;
}
