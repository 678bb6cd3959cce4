/** A real S3-compatible server (MinIO) for tests: in a temporary folder, on a free port of the loopback interface. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { describe } from 'vitest';
import { freePort } from '../../dev/broker.ts';
import { startServer, type ServerProcess } from '../../dev/server-process.ts';

export interface S3Server {
  /** `http://127.0.0.1:port`. Addresses have the bucket in their path (`forcePathStyle`). */
  readonly endpoint: string;
  readonly port: number;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The environment variables by which clients of S3 find their credentials and region. */
  readonly env: Readonly<Record<string, string>>;
  /** Stops it; keeps its data. */
  stop(): Promise<void>;
  /** Again, with the same port and data. */
  start(): Promise<void>;
  /** Stops it and deletes its data. */
  close(): Promise<void>;
}

/** Why there can be no S3 server here; undefined if there can. */
export function whyNoS3(): string | undefined {
  if ((process.env['REDACTORY_MINIO'] ?? '') !== '') return undefined;
  return 'set REDACTORY_MINIO to the path of a minio program';
}

/** Tests that need an S3 server. Where there can be none they are skipped, and their title says why. */
export function describeWithS3(name: string, tests: () => void): void {
  const lacking = whyNoS3();
  const suffix = lacking === undefined ? '' : ` (skipped: ${lacking})`;
  describe.skipIf(lacking !== undefined)(`${name}${suffix}`, () => {
    tests();
  });
}

/** Starts a server of its own, with one empty bucket, for the caller, who closes it. Takes half a second. */
export async function startMinio(): Promise<S3Server> {
  const command = process.env['REDACTORY_MINIO'] ?? '';
  if (command === '') throw new Error(`no S3 server: ${whyNoS3() ?? ''}`);
  const dir = await mkdtemp(join(tmpdir(), 'minio-'));
  const port = await freePort();
  const accessKeyId = randomBytes(8).toString('hex');
  const secretAccessKey = randomBytes(20).toString('hex');
  let running: ServerProcess | undefined;
  const server: S3Server = {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    region: 'us-east-1',
    bucket: 'redactory',
    accessKeyId,
    secretAccessKey,
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: 'us-east-1' },
    async start() {
      running = await startServer({
        name: 'MinIO',
        command,
        args: ['server', '--address', `127.0.0.1:${port}`, '--certs-dir', join(dir, 'certs'), join(dir, 'data')],
        env: {
          MINIO_ROOT_USER: accessKeyId,
          MINIO_ROOT_PASSWORD: secretAccessKey,
          MINIO_BROWSER: 'off',
          MINIO_UPDATE: 'off',
        },
        readyText: 'API: ',
      });
    },
    stop: async () => running?.end('SIGTERM'),
    async close() {
      await running?.end('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
  try {
    await server.start();
    await createBucket(server);
    return server;
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function createBucket(server: S3Server): Promise<void> {
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = server;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 10,
  });
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } finally {
    client.destroy();
  }
}
