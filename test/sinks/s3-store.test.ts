import { HeadObjectCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  openTableStore,
  openTrainingTable,
  readTable,
  SinkStorageError,
  type StoreRetry,
  type TableStore,
  type TrainingTable,
} from '../../src/sinks/index.ts';
import { openS3Store } from '../../src/sinks/training-table/s3-store.ts';
import { assumeRole } from '../helpers/assume-role.ts';
import { action, pseudonym, record } from '../helpers/released.ts';
import { startFaultyServer, type Fault, type FaultyServer, type SeenRequest } from '../helpers/s3-faults.ts';
import { s3Settings, useCredentials, withHooks } from '../helpers/table-places.ts';
import { describeWithS3, startMinio, type S3Server } from '../servers/s3.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined): string | undefined => data && new TextDecoder().decode(data);
const LARGE = new Uint8Array(20 * 2 ** 20).map((_, i) => (i * 31) >> 7);
const patience = { firstWaitMs: 1, longestWaitMs: 5 };

/** `fault` for the first `times` requests of a kind. */
function first(times: number, kind: SeenRequest['kind'], fault: Fault): FaultyServer['fault'] {
  let left = times;
  return (seen) => (seen.kind === kind && left-- > 0 ? fault : undefined);
}

describeWithS3('a table’s store on S3', () => {
  let server: S3Server;
  let restore: () => void;
  let client: S3Client;
  beforeAll(async () => {
    server = await startMinio();
    restore = useCredentials(server);
    client = new S3Client({ endpoint: server.endpoint, forcePathStyle: true });
  });
  afterAll(async () => {
    client?.destroy();
    restore?.();
    await server?.close();
  });

  let proxy: FaultyServer;
  let store: TableStore;
  let retries: StoreRetry[];
  let location: string;
  let tables = 0;
  beforeEach(async () => {
    proxy = await startFaultyServer(server.port);
    location = `s3://${server.bucket}/faults/${tables++}`;
    retries = [];
    store = await through(proxy);
  });
  afterEach(async () => {
    await proxy.close();
  });

  const through = ({ endpoint }: FaultyServer, more: object = {}): Promise<TableStore> =>
    openS3Store(
      location,
      { s3: { endpoint, pathStyle: true }, access: 'write', onRetry: (retry) => retries.push(retry) },
      { patience: { ...patience, ...more } },
    );

  const keyOf = (path: string) => ({ Bucket: server.bucket, Key: `${location.split('/').slice(3).join('/')}/${path}` });

  /** Uploads of an object that were begun and neither finished nor aborted. MinIO lists them by the object's whole key. */
  const uploadsLeft = async (path: string): Promise<number> => {
    const { Bucket, Key: Prefix } = keyOf(path);
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
    return Uploads.length;
  };

  /** The kinds of the requests about an object. */
  const requestsOf = (path: string) => proxy.seen.filter((r) => r.path.endsWith(path)).map(({ kind }) => kind);

  describe('a put whose answer is lost', () => {
    test.each([
      ['once, so that the SDK repeats it', 1],
      ['until the SDK gives up, so that the store repeats it', 4],
    ])('%s, is known again as its own', async (_, times) => {
      proxy.fault = first(times, 'put', 'lose-answer');
      expect(await store.putIfAbsent('log/1', bytes('mine'))).toBe(true);
      expect(proxy.seen.filter(({ kind, path }) => kind === 'put' && path.endsWith('log/1'))).toHaveLength(times + 1);
      expect(retries.length).toBe(times > 3 ? 1 : 0);
      expect(text(await store.read('log/1'))).toBe('mine');
    });

    test('is not mistaken for another writer’s of the same bytes', async () => {
      await store.put('log/1', bytes('same'));
      proxy.fault = first(1, 'put', 'lose-answer');
      expect(await store.putIfAbsent('log/1', bytes('same'))).toBe(false);
    });

    test('does not undo what another writer has put in between', async () => {
      const other = await openTableStore(location, { s3: s3Settings(server) });
      let lost = false;
      proxy.fault = ({ kind }) => {
        if (kind !== 'put' || lost) return undefined;
        lost = true;
        return 'lose-request';
      };
      await other.putIfAbsent('log/1', bytes('theirs'));
      expect(await store.putIfAbsent('log/1', bytes('mine'))).toBe(false);
      expect(text(await store.read('log/1'))).toBe('theirs');
    });
  });

  describe('a large file', () => {
    test('is put in parts, up to 16 MiB in one piece', async () => {
      await store.putIfAbsent('large', LARGE);
      await store.put('small', LARGE.subarray(0, 16 * 2 ** 20));
      expect(requestsOf('/large')).toEqual(['create', 'part', 'part', 'part', 'complete']);
      expect(requestsOf('/small')).toEqual(['put']);
      const { ETag } = await client.send(new HeadObjectCommand(keyOf('large')));
      expect(ETag).toMatch(/-3"$/u);
    });

    // An upload whose beginning got lost has no name that the store knows: those are for the bucket's lifecycle rule.
    test.each([
      ['part', 0, 1],
      ['complete', 0, 1],
      ['create', 4, 5],
    ] as const)('survives lost answers of "%s", and knows itself again', async (kind, uploads, creations) => {
      proxy.fault = first(4, kind, 'lose-answer');
      expect(await store.putIfAbsent('large', LARGE)).toBe(true);
      expect(Buffer.compare((await store.read('large')) ?? bytes(''), LARGE)).toBe(0);
      expect(await uploadsLeft('large')).toBe(uploads);
      expect(requestsOf('/large').filter((k) => k === 'create')).toHaveLength(creations);
    });

    test('put over another survives the lost answer of its completion', async () => {
      await store.put('large', bytes('old'));
      proxy.fault = first(4, 'complete', 'lose-answer');
      await store.put('large', LARGE);
      expect(requestsOf('/large').filter((k) => k === 'create')).toHaveLength(1);
      expect(Buffer.compare((await store.read('large')) ?? bytes(''), LARGE)).toBe(0);
    });

    test('that fails leaves no parts behind', async () => {
      proxy.fault = ({ kind }) => (kind === 'complete' ? { status: 403, code: 'AccessDenied' } : undefined);
      await expect(store.putIfAbsent('large', LARGE)).rejects.toThrow(SinkStorageError);
      expect(proxy.seen.at(-1)?.kind).toBe('abort');
      expect(await uploadsLeft('large')).toBe(0);
      proxy.fault = () => undefined;
      expect(await store.read('large')).toBeUndefined();
    });

    test('that another has put first leaves no parts behind', async () => {
      await store.put('large', bytes('theirs'));
      expect(await store.putIfAbsent('large', LARGE)).toBe(false);
      expect(await uploadsLeft('large')).toBe(0);
      expect(text(await store.read('large'))).toBe('theirs');
    });
  });

  test.each([
    ['a conflict of two puts', { status: 409, code: 'ConditionalRequestConflict' }, 'conflict'],
    ['a request for fewer requests', { status: 503, code: 'SlowDown' }, 'throttled'],
    ['an error of the server', { status: 500, code: 'InternalError' }, 'server_error'],
    ['a lost connection', 'lose-request', 'unreachable'],
  ] as const)('%s is tried again, and told', async (_, fault, reason) => {
    proxy.fault = first(4, 'put', fault);
    expect(await store.putIfAbsent('log/1', bytes('x'))).toBe(true);
    expect(retries[0]).toEqual({ operation: 'put', reason, waitMs: expect.any(Number) });
  });

  test.each([
    ['cut', 'cut-answer', 'unreachable'],
    ['garbled', 'garble-answer', 'broken_answer'],
  ] as const)('a file that arrives %s is read again', async (_, fault, reason) => {
    await store.put('middling', LARGE.subarray(0, 2 ** 20));
    proxy.fault = first(1, 'get', fault);
    const read = await store.read('middling');
    expect(Buffer.compare(read ?? bytes(''), LARGE.subarray(0, 2 ** 20))).toBe(0);
    expect(retries.map((retry) => [retry.operation, retry.reason])).toEqual([['read', reason]]);
  });

  test('opening leaves nothing behind', async () => {
    expect(await store.list('_probe')).toEqual([]);
  });

  describe('a server that is away', () => {
    const TOPIC = 'interactions.sanitized';
    const open = (over: TableStore): Promise<TrainingTable> =>
      openTrainingTable({ store: over, topic: TOPIC, now: () => Date.UTC(2026, 10, 2) });
    const records = [0, 1, 2, 3].map((i) => record(0, i, { session: pseudonym(i), actions: [action(0), action(1)] }));
    const rows = async (): Promise<string[]> => {
      const found: string[] = [];
      const table = await readTable({ store: await openTableStore(location, { s3: s3Settings(server) }) });
      for await (const batch of table.batches()) found.push(...batch.map((r) => `${r.session.at(-1)} ${r.step}`));
      return found.sort();
    };
    const all = ['0 0', '0 1', '1 0', '1 1', '2 0', '2 1', '3 0', '3 1'];

    test.each([
      ['before the data file', (at: SeenRequest) => at.path.includes('date=')],
      ['between data file and commit', (at: SeenRequest) => at.path.includes('_delta_log') && at.kind === 'put'],
    ])('%s costs time only, and doubles nothing', async (_, isThere) => {
      const sink = await open(store);
      await sink.resumeFrom(0);
      await sink.write(records.slice(0, 2));
      await sink.flush();
      await sink.write(records.slice(2));
      let stopping: Promise<void> | undefined;
      proxy.fault = (seen) => {
        if (!isThere(seen)) return undefined;
        stopping ??= server.stop();
        return 'lose-request';
      };
      const flushed = sink.flush();
      await expect.poll(() => retries.length, { timeout: 30_000 }).toBeGreaterThan(2);
      await stopping;
      await server.start();
      proxy.fault = () => undefined;
      await flushed;
      await sink.close();
      expect(await rows()).toEqual(all);
    });

    test('while the answer to a commit is lost: the commit counts once', async () => {
      const sink = await open(store);
      await sink.resumeFrom(0);
      await sink.write(records);
      proxy.fault = ({ kind, path }) => {
        if (kind === 'put' && path.includes('_delta_log') && retries.length < 3) return 'lose-answer';
        return undefined;
      };
      await sink.flush();
      await sink.close();
      expect(sink.counts).toMatchObject({ commits: 1, conflicts: 0 });
      expect(await rows()).toEqual(all);
    });

    test('for too long ends in an error that says what to do', async () => {
      proxy.fault = () => 'lose-request';
      const brief = openS3Store(location, { s3: s3Settings(server) }, { patience: { ...patience, totalMs: 20 } });
      await server.stop();
      try {
        const failed = (await brief).read('log/1');
        await expect(failed).rejects.toThrow(
          /read of s3:\/\/redactory\/faults\/\d+\/log\/1: the server cannot be reached, \d+ tries\. Check/u,
        );
        await expect(failed).rejects.toThrow(SinkStorageError);
      } finally {
        await server.start();
      }
    });

    test('is not waited for any longer once the process is to stop', async () => {
      const stop = new AbortController();
      const waiting = await openS3Store(
        location,
        { s3: { endpoint: proxy.endpoint, pathStyle: true }, signal: stop.signal, onRetry: () => stop.abort() },
        { patience: { firstWaitMs: 1e6, longestWaitMs: 1e6, totalMs: 1e7 } },
      );
      proxy.fault = () => 'lose-request';
      await expect(waiting.read('x')).rejects.toThrow(/cannot be reached, 1 try/u);
    });

    test('a sink that dies between data file and commit leaves a file that no reader sees', async () => {
      const dying = await open(
        withHooks(store, {
          before(operation, path) {
            if (operation === 'putIfAbsent' && path.endsWith('1.json')) throw new Error('the process is dead');
          },
        }),
      );
      await dying.resumeFrom(0);
      await dying.write(records.slice(0, 2));
      await expect(dying.flush()).rejects.toThrow('the process is dead');
      const next = await open(store);
      expect(await next.resumeFrom(0)).toBe(0);
      await next.write(records);
      await next.close();
      expect(await rows()).toEqual(all);
      expect(await store.list('date=2026-11-01')).toHaveLength(2);
      expect((await readTable({ store })).files).toHaveLength(1);
    });
  });

  describe('the policy of docs/object-storage.md', () => {
    const policyFor = async (): Promise<string> => {
      const page = await readFile(new URL('../../docs/object-storage.md', import.meta.url), 'utf8');
      const policy = /```json\n(\{[\s\S]*?\n\})\n```/u.exec(page)?.[1] ?? '';
      return policy
        .replaceAll('my-bucket/redactory/training', location.slice('s3://'.length))
        .replaceAll('my-bucket', server.bucket)
        .replaceAll('redactory/training', location.split('/').slice(3).join('/'));
    };

    test('is all that a sink needs', async () => {
      const undo = useCredentials({ env: await assumeRole(server, await policyFor()) });
      try {
        const allowed = await openTableStore(location, { s3: s3Settings(server), access: 'write' });
        const sink = await openTrainingTable({ store: allowed, topic: 'interactions.sanitized', now: () => 0 });
        for (let i = await sink.resumeFrom(0); i < 11; i++) {
          await sink.write([record(0, i, { session: pseudonym(i) })]);
          await sink.flush();
        }
        await sink.close();
        expect(sink.counts).toMatchObject({ commits: 11, failedCheckpoints: 0 });
        expect((await readTable({ store: allowed })).rowCount).toBe(11);
        expect(await allowed.putIfAbsent('large', LARGE)).toBe(true);
        expect(await allowed.putIfAbsent('large', LARGE)).toBe(false);
        expect(await uploadsLeft('large')).toBe(0);
        await allowed.delete('large');
      } finally {
        undo();
      }
    });

    test('lets it reach nothing else', async () => {
      const undo = useCredentials({ env: await assumeRole(server, await policyFor()) });
      try {
        const outside = await openTableStore(`${location}-other`, { s3: s3Settings(server) });
        await expect(outside.read('a')).rejects.toThrow(/access denied/u);
        await expect(outside.list('a')).rejects.toThrow(/access denied/u);
        await expect(outside.put('a', bytes('x'))).rejects.toThrow(/access denied/u);
        await expect(outside.delete('a')).rejects.toThrow(/access denied/u);
      } finally {
        undo();
      }
    });
  });

  describe('what cannot be', () => {
    const openAt = (at: string, more: object = {}): Promise<TableStore> =>
      openTableStore(at, { s3: { ...s3Settings(server), ...more }, access: 'write' });

    test('a bucket that is not there', async () => {
      await expect(openAt('s3://not-there/x')).rejects.toThrow(/s3:\/\/not-there\/x\/_probe.+no such bucket: make it/u);
      const reading = await openTableStore('s3://not-there/x', { s3: s3Settings(server) });
      await expect(reading.read('a')).rejects.toThrow(/no such bucket/u);
      await expect(reading.list('a')).rejects.toThrow(/no such bucket/u);
    });

    test('access denied is no missing file', async () => {
      proxy.fault = ({ kind }) =>
        kind === 'get' || kind === 'head' ? { status: 403, code: 'AccessDenied' } : undefined;
      await expect(store.read('a')).rejects.toThrow(/access denied: give this identity s3:GetObject/u);
    });

    test('credentials that the server does not know; no error holds any', async () => {
      const [id, secret] = ['AKIANOBODYKNOWSTHIS', 'a-secret-that-nobody-may-see'];
      const env = {
        ...server.env,
        AWS_ACCESS_KEY_ID: id,
        AWS_SECRET_ACCESS_KEY: secret,
        AWS_SESSION_TOKEN: 'token-1234',
      };
      const undo = useCredentials({ ...server, env });
      try {
        const error: unknown = await openAt(location).catch((e: unknown) => e);
        expect(error).toBeInstanceOf(SinkStorageError);
        expect(String(error)).toMatch(/does not accept the credentials/u);
        const shown = inspect(error, { depth: 20, showHidden: true });
        for (const hidden of [id, secret, 'token-1234', 'Signature', 'X-Amz']) expect(shown).not.toContain(hidden);
      } finally {
        undo();
      }
    });
  });
});

describe('a server that ignores If-None-Match', () => {
  let ignorant: FaultyServer;
  let restore: () => void;
  beforeEach(async () => {
    ignorant = await startFaultyServer();
    restore = useCredentials({ env: { AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' } });
  });
  afterEach(async () => {
    restore();
    await ignorant.close();
  });

  const open = (access: 'read' | 'write'): Promise<TableStore> =>
    openTableStore('s3://bucket/table', { s3: { endpoint: ignorant.endpoint, pathStyle: true }, access });

  test('is refused for writing, and left as it was', async () => {
    await expect(open('write')).rejects.toThrow(/overwrites objects in spite of If-None-Match/u);
    expect(ignorant.seen.at(-1)).toMatchObject({ kind: 'delete', path: expect.stringMatching(/^table\/_probe\//u) });
    await open('read');
  });

  test('or that does not know it says that it must', async () => {
    ignorant.fault = ({ kind }) => (kind === 'put' ? { status: 501, code: 'NotImplemented' } : undefined);
    await expect(open('write')).rejects.toThrow(/must have conditional writes/u);
  });
});
