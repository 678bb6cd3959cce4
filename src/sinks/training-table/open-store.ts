import { openLocalStore } from './local-store.ts';
import type { S3Settings, StoreRetry } from './s3-settings.ts';
import type { TableStore } from './store.ts';

export interface OpenStoreOptions {
  /** Where `s3://` is; see docs/object-storage.md. */
  readonly s3?: S3Settings;
  /**
   * `write` makes the folder if need be, makes sure that the store can keep a table's promises, and waits longer for one that is
   * away. Default `read`.
   */
  readonly access?: 'read' | 'write';
  /** Told before each wait for a store that is away or busy. */
  readonly onRetry?: (retry: StoreRetry) => void;
  /** Ends waiting for a store that is away; what is under way is finished. */
  readonly signal?: AbortSignal;
}

/**
 * Opens the place of a table: a folder, or `s3://bucket/path`.
 *
 * @throws SinkStorageError when it cannot be used, which says what to do.
 */
export async function openTableStore(location: string, options: OpenStoreOptions = {}): Promise<TableStore> {
  if (!location.startsWith('s3://')) return await openLocalStore(location, options.access ?? 'read');
  // The AWS SDK takes time and memory to load: only who needs it shall pay.
  const { openS3Store } = await import('./s3-store.ts');
  return await openS3Store(location, options);
}
