/** How to reach a Kafka cluster and how to behave there. Paths are absolute; secrets are functions, read when they are needed. */
export interface KafkaOptions {
  /** `host:port`, at least one. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** The rack of this process: fetches go to a replica in the same one where the cluster offers that. */
  readonly rack?: string;
  readonly tls?: TlsFiles;
  readonly sasl?: Sasl;
  /** Of record batches that this process writes; every codec can be read. */
  readonly compression: Compression;
  /**
   * Name of this member in its groups, unique among running processes (static membership): a restart within the session
   * timeout gets the same partitions back without a rebalance. Without it, members are dynamic.
   */
  readonly instanceId?: string;
  /** A member that is silent for so long loses its partitions, ms. */
  readonly sessionTimeoutMs: number;
  /** The broker aborts a transaction that is open for so long, ms; less than the session timeout. */
  readonly transactionTimeoutMs: number;
  /** Of topics that this process creates; without it the cluster's default. */
  readonly replicationFactor?: number;
  /** How long one request may take before it counts as failed, ms. */
  readonly requestTimeoutMs: number;
  /** Told what the client has to say; messages and fields hold no payload, key or secret. */
  readonly onLog?: (level: 'info' | 'warn' | 'error', message: string, detail: string) => void;
}

/** PEM files. None given: the system's certificate authorities, no client certificate. */
export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export type Sasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: () => Promise<string>;
    }
  | { readonly mechanism: 'oauthbearer'; readonly token: () => Promise<string> };

export const COMPRESSIONS = ['none', 'gzip', 'zstd', 'lz4', 'snappy'] as const;
export type Compression = (typeof COMPRESSIONS)[number];
