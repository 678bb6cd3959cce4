import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { SinkStorageError } from '../sink.ts';
import type { OpenStoreOptions } from './open-store.ts';
import { patiently, type Patience } from './patience.ts';
import { isNamed, isTaken, storageError, transientPutReason, transientReason } from './s3-errors.ts';
import { putInParts, type S3Put } from './s3-multipart.ts';
import type { S3Settings, StoreRetry } from './s3-settings.ts';
import { assertInside, type TableStore } from './store.ts';

/** For tests: what a store takes beside its options. */
export interface S3StoreTuning {
  readonly client?: S3Client;
  readonly patience?: Partial<Pick<Patience, 'totalMs' | 'firstWaitMs' | 'longestWaitMs'>>;
}

/**
 * A table under `s3://bucket/path`. Objects appear whole or not at all; `putIfAbsent` is a put with `If-None-Match: *`. A
 * server that is away is waited for: five minutes when writing, half a minute when reading or opening.
 *
 * Credentials come from the AWS SDK's usual chain, and appear in no error.
 *
 * @throws SinkStorageError when writing is asked for and the server does not keep to `If-None-Match`, or refuses access.
 */
export async function openS3Store(
  location: string,
  options: OpenStoreOptions = {},
  tuning: S3StoreTuning = {},
): Promise<TableStore> {
  const client = tuning.client ?? (await connect(options.s3 ?? { pathStyle: false }));
  const base = { ...WAITS, onRetry: options.onRetry, signal: options.signal };
  const brief = { ...base, totalMs: BRIEF_MS, ...tuning.patience };
  const opening = new S3Store(client, location, brief);
  if (options.access !== 'write') return opening;
  await opening.assertConditionalPuts();
  return new S3Store(client, location, { ...base, totalMs: LONG_MS, ...tuning.patience });
}

const WAITS = { firstWaitMs: 500, longestWaitMs: 15_000 };
/** While a sink works: an outage of a minute must cost nothing but time. */
const LONG_MS = 5 * 60_000;
/** At the start a wrong endpoint is likelier than an outage. */
const BRIEF_MS = 30_000;

/** Larger files are put in parts. */
const WHOLE_BYTES = 16 * 2 ** 20;

/** Entry of an object's metadata that names the put that wrote it. */
const PUT_ID = 'redactory-put';

class S3Store implements TableStore {
  readonly location: string;
  readonly #client: S3Client;
  readonly #patience: Patience;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(client: S3Client, location: string, patience: Patience) {
    const [bucket = '', ...path] = location.slice('s3://'.length).split('/');
    this.location = location;
    this.#client = client;
    this.#patience = patience;
    this.#bucket = bucket;
    this.#prefix = path.map((name) => `${name}/`).join('');
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    const at = this.#at(path);
    return await this.#request('read', path, async () => {
      try {
        const { Body } = await this.#client.send(new GetObjectCommand(at));
        return (await Body?.transformToByteArray()) ?? new Uint8Array();
      } catch (error) {
        if (isNamed(error, 'NoSuchKey')) return undefined;
        throw error;
      }
    });
  }

  async list(folder: string, startAfter = ''): Promise<readonly string[]> {
    const { files } = await this.#look(folder, startAfter);
    // S3 has the order of UTF-8 bytes, directory buckets have none; an object may be named like the folder itself.
    return files.filter((name) => name > startAfter).sort();
  }

  async folders(folder: string): Promise<readonly string[]> {
    const { folders } = await this.#look(folder, '');
    return folders.map((name) => name.slice(0, -1)).sort();
  }

  async #look(folder: string, startAfter: string): Promise<{ readonly files: string[]; readonly folders: string[] }> {
    const { Bucket, Key } = this.#at(folder === '' ? '' : `${folder}/`);
    const query = { Bucket, Prefix: Key, Delimiter: '/', StartAfter: Key + startAfter };
    const [files, folders]: [string[], string[]] = [[], []];
    let ContinuationToken: string | undefined;
    do {
      const page = await this.#request('list', folder, () =>
        this.#client.send(new ListObjectsV2Command({ ...query, ContinuationToken })),
      );
      for (const object of page.Contents ?? []) files.push(object.Key?.slice(Key.length) ?? '');
      for (const common of page.CommonPrefixes ?? []) folders.push(common.Prefix?.slice(Key.length) ?? '');
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
    return { files, folders };
  }

  async putIfAbsent(path: string, data: Uint8Array): Promise<boolean> {
    return await this.#put(path, data, true);
  }

  async put(path: string, data: Uint8Array): Promise<void> {
    await this.#put(path, data, false);
  }

  async delete(path: string): Promise<void> {
    const at = this.#at(path);
    await this.#request('delete', path, () => this.#client.send(new DeleteObjectCommand(at)));
  }

  /**
   * A server that passes over `If-None-Match` would let two sinks overwrite each other's commits without a word. So several
   * puts of one name race here, and exactly one may win.
   *
   * @throws SinkStorageError
   */
  async assertConditionalPuts(): Promise<void> {
    const path = `_probe/${randomUUID()}`;
    const racers = ['a', 'b', 'c'].map((text) => this.putIfAbsent(path, new TextEncoder().encode(text)));
    const ends = await Promise.allSettled(racers);
    const won = ends.filter((end) => end.status === 'fulfilled' && end.value).length;
    if (won > 0) await this.delete(path);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    if (won === 1) return;
    throw new SinkStorageError(
      `${this.location}: the server overwrites objects in spite of If-None-Match, so sinks could destroy each other's ` +
        'commits. Use a server that has conditional writes (docs/object-storage.md), or a local folder.',
    );
  }

  /**
   * A put whose answer was lost is made again, and then meets its own object: its id tells that from another writer's.
   *
   * @returns whether the object there is of this put.
   */
  async #put(path: string, data: Uint8Array, ifAbsent: boolean): Promise<boolean> {
    const id = randomUUID();
    const put = { at: this.#at(path), data, metadata: { [PUT_ID]: id }, ifAbsent };
    return await this.#request(
      'put',
      path,
      async () => {
        try {
          await this.#send(path, put);
          return true;
        } catch (error) {
          // Once its parts are put together an upload is gone: a repeated request for that does not find it.
          if (isTaken(error) || isNamed(error, 'NoSuchUpload')) {
            if ((await this.#putIdOf(put)) === id) return true;
            if (isTaken(error)) return false;
          }
          throw error;
        }
      },
      transientPutReason,
    );
  }

  async #send(path: string, put: S3Put): Promise<void> {
    if (put.data.byteLength > WHOLE_BYTES) {
      const request = <T>(attempt: () => Promise<T>) => this.#patiently('put', path, attempt, transientReason);
      await putInParts(this.#client, put, request);
      return;
    }
    const condition = put.ifAbsent ? { IfNoneMatch: '*' } : {};
    await this.#client.send(new PutObjectCommand({ ...put.at, Body: put.data, Metadata: put.metadata, ...condition }));
  }

  async #putIdOf({ at }: S3Put): Promise<string | undefined> {
    try {
      const { Metadata } = await this.#client.send(new HeadObjectCommand(at));
      return Metadata?.[PUT_ID];
    } catch (error) {
      if (isNamed(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** Tries as long as it makes sense, and tells failures in words for people. */
  async #request<T>(
    operation: StoreRetry['operation'],
    path: string,
    attempt: () => Promise<T>,
    reasonOf = transientReason,
  ): Promise<T> {
    try {
      return await this.#patiently(operation, path, attempt, reasonOf);
    } catch (error) {
      throw error instanceof SinkStorageError ? error : storageError(error, `${operation} of ${this.location}/${path}`);
    }
  }

  async #patiently<T>(
    operation: StoreRetry['operation'],
    path: string,
    attempt: () => Promise<T>,
    reasonOf: typeof transientReason,
  ): Promise<T> {
    return await patiently(this.#patience, operation, `${operation} of ${this.location}/${path}`, reasonOf, attempt);
  }

  #at(path: string): S3Put['at'] {
    assertInside(this.location, path);
    return { Bucket: this.#bucket, Key: this.#prefix + path };
  }
}

/** Quick tries of the SDK's own, before the store begins to wait. */
const QUICK_TRIES = 3;

async function connect({ endpoint, region, pathStyle }: S3Settings): Promise<S3Client> {
  const client = new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle: pathStyle,
    maxAttempts: QUICK_TRIES,
    retryMode: 'standard',
    // Silence counts, not how long a large part takes on a slow line.
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 30_000 },
  });
  if (await hasRegion(client)) return client;
  client.destroy();
  if (endpoint !== undefined) return await connect({ endpoint, pathStyle, region: 'us-east-1' });
  throw new SinkStorageError('No AWS region is known: set s3.region, or AWS_REGION, or a profile that has one.');
}

async function hasRegion(client: S3Client): Promise<boolean> {
  try {
    await client.config.region();
    return true;
  } catch {
    return false;
  }
}
