import type { TableStore } from '../../src/sinks/training-table/store.ts';

export type StoreOperation = 'read' | 'list' | 'folders' | 'putIfAbsent' | 'put' | 'delete';

/** Called around each operation of a {@link MemoryStore}; may wait, and may throw to let the operation fail. */
export interface StoreHooks {
  before?(operation: StoreOperation, path: string): Promise<void> | void;
  /** A throw here is a lost acknowledgement: the operation was carried out and reported as failed. */
  after?(operation: StoreOperation, path: string): Promise<void> | void;
}

/** Files in memory, shared by the stores made over them: each store is another writer's way to the same table. */
export class MemoryStore implements TableStore {
  readonly location = 'memory';
  readonly files: Map<string, Uint8Array>;
  readonly #hooks: StoreHooks;

  constructor(files = new Map<string, Uint8Array>(), hooks: StoreHooks = {}) {
    this.files = files;
    this.#hooks = hooks;
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return this.#around('read', path, () => this.files.get(path));
  }

  list(folder: string, startAfter = ''): Promise<readonly string[]> {
    return this.#around('list', folder, () =>
      this.#below(folder)
        .filter((name) => !name.includes('/') && name > startAfter)
        .sort(),
    );
  }

  folders(folder: string): Promise<readonly string[]> {
    return this.#around('folders', folder, () => {
      const deeper = this.#below(folder).filter((name) => name.includes('/'));
      return [...new Set(deeper.map((name) => name.slice(0, name.indexOf('/'))))].sort();
    });
  }

  putIfAbsent(path: string, data: Uint8Array): Promise<boolean> {
    return this.#around('putIfAbsent', path, () => {
      if (this.files.has(path)) return false;
      this.files.set(path, data.slice());
      return true;
    });
  }

  put(path: string, data: Uint8Array): Promise<void> {
    return this.#around('put', path, () => {
      this.files.set(path, data.slice());
    });
  }

  delete(path: string): Promise<void> {
    return this.#around('delete', path, () => {
      this.files.delete(path);
    });
  }

  #below(folder: string): string[] {
    const prefix = folder === '' ? '' : `${folder}/`;
    return [...this.files.keys()].filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  }

  async #around<T>(operation: StoreOperation, path: string, run: () => T): Promise<T> {
    await this.#hooks.before?.(operation, path);
    const result = run();
    await this.#hooks.after?.(operation, path);
    return result;
  }
}
