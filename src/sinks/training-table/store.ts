import { TableFormatError } from '../sink.ts';

/**
 * Where a table's files live: local disk or an object store. Small on purpose. Paths are relative to the table, with `/`
 * between names.
 */
export interface TableStore {
  /** For messages: where the table is. */
  readonly location: string;
  /** The whole file, or undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /**
   * Names of the files directly in `folder` ('' is the table's own), in order; only those after `startAfter` if given. No
   * folder: none.
   */
  list(folder: string, startAfter?: string): Promise<readonly string[]>;
  /** Names of the folders directly in `folder` ('' is the table's own), in order. */
  folders(folder: string): Promise<readonly string[]>;
  /** Writes a whole file durably unless it is there. Readers never see a part of it. @returns whether it was written. */
  putIfAbsent(path: string, data: Uint8Array): Promise<boolean>;
  /** Writes a whole file durably over whatever is there. Readers see the old one or the new one. */
  put(path: string, data: Uint8Array): Promise<void>;
  /** Deletes a file; none there is fine. */
  delete(path: string): Promise<void>;
}

/**
 * Paths come out of the table's log, which others may have written: none may lead out of the table.
 *
 * @throws TableFormatError
 */
export function assertInside(location: string, path: string): void {
  if (path.startsWith('/') || path.includes('\\') || path.includes('\0') || path.split('/').includes('..')) {
    throw new TableFormatError(
      `The table in ${location} names a file outside of its folder; this version does not read that.`,
    );
  }
}
