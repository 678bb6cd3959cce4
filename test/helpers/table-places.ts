/** Where tests put tables: memory, a folder, and an S3 server if there is one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTableStore, type TableStore } from '../../src/sinks/index.ts';
import { startMinio, whyNoS3, type S3Server } from '../servers/s3.ts';
import { MemoryStore, type StoreHooks, type StoreOperation } from './memory-store.ts';

/** A kind of place; opened once for a group of tests. */
export interface PlaceKind {
  /** Says why its tests are skipped, if they are. */
  readonly title: string;
  readonly isLacking: boolean;
  open(): Promise<Place>;
}

export interface Place {
  /** Makes room for another table. */
  table(): Promise<TablePlace>;
  close(): Promise<void>;
}

export interface TablePlace {
  /** As the clients of other languages are told it. */
  readonly location: string;
  /** What they must be told beside it: `storage_options` of deltalake and polars. */
  readonly storageOptions: Readonly<Record<string, string>>;
  /** Each connection is another writer's. */
  connect(): Promise<TableStore>;
}

const inMemory: PlaceKind = {
  title: 'in memory',
  isLacking: false,
  open: async () => ({
    table: async () => {
      const files = new Map<string, Uint8Array>();
      return { location: 'memory', storageOptions: {}, connect: async () => new MemoryStore(files) };
    },
    close: async () => {},
  }),
};

const onDisk: PlaceKind = {
  title: 'in a folder',
  isLacking: false,
  async open() {
    const dir = await mkdtemp(join(tmpdir(), 'tables-'));
    let tables = 0;
    return {
      table: async () => {
        const location = join(dir, String(tables++));
        return { location, storageOptions: {}, connect: () => openTableStore(location, { access: 'write' }) };
      },
      close: () => rm(dir, { recursive: true, force: true }),
    };
  },
};

const lacking = whyNoS3();

const onS3: PlaceKind = {
  title: lacking === undefined ? 'on S3' : `on S3 (skipped: ${lacking})`,
  isLacking: lacking !== undefined,
  async open() {
    const server = await startMinio();
    const restore = useCredentials(server);
    let tables = 0;
    return {
      table: async () => {
        const location = `s3://${server.bucket}/tables/${tables++}`;
        return {
          location,
          storageOptions: { AWS_ENDPOINT_URL: server.endpoint, AWS_ALLOW_HTTP: 'true', ...server.env },
          connect: () => openTableStore(location, { s3: s3Settings(server), access: 'write' }),
        };
      },
      async close() {
        restore();
        await server.close();
      },
    };
  },
};

export const PLACES: readonly PlaceKind[] = [inMemory, onDisk, onS3];
/** Those that outlive the process. */
export const DURABLE_PLACES: readonly PlaceKind[] = [onDisk, onS3];

export const s3Settings = ({ endpoint, region }: S3Server) => ({ endpoint, region, pathStyle: true });

/** The AWS SDK finds the server's credentials in the environment, as in real use. @returns how to undo that. */
export function useCredentials({ env }: Pick<S3Server, 'env'>): () => void {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}

/** A store whose operations wait or fail as `hooks` say. */
export function withHooks(store: TableStore, hooks: StoreHooks): TableStore {
  const around = async <T>(operation: StoreOperation, path: string, run: () => Promise<T>): Promise<T> => {
    await hooks.before?.(operation, path);
    const result = await run();
    await hooks.after?.(operation, path);
    return result;
  };
  return {
    location: store.location,
    read: (path) => around('read', path, () => store.read(path)),
    list: (folder, startAfter) => around('list', folder, () => store.list(folder, startAfter)),
    folders: (folder) => around('folders', folder, () => store.folders(folder)),
    putIfAbsent: (path, data) => around('putIfAbsent', path, () => store.putIfAbsent(path, data)),
    put: (path, data) => around('put', path, () => store.put(path, data)),
    delete: (path) => around('delete', path, () => store.delete(path)),
  };
}
