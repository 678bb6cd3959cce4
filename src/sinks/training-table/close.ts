/** Ends a table for whoever writes rows to it. It can be read, promoted from and erased from as before. */
import { randomUUID } from 'node:crypto';
import { loadZstd, type Zstd } from '../../events/zstd.ts';
import { renderCommit } from './actions.ts';
import { tryCommit } from './commit.ts';
import { openDeltaLog, type TableState } from './delta-log.ts';
import { assertWritable, closed, isClosed, newMetaData, PROTOCOL } from './layout.ts';
import type { TableStore } from './store.ts';

/**
 * Closes the table; one that is not there is made, closed. When it returns, no sink commits to it any more, however long it
 * has slept: its commit would have to come after the one that closes, and whoever reads that one stops.
 *
 * @throws TableFormatError when the table is not one that this version may write to.
 * @throws SinkStorageError when the store cannot be used.
 */
export async function closeTable(options: {
  readonly store: TableStore;
  /** For the times that a Delta log wants, ms since the epoch. */
  readonly now: () => number;
  readonly zstd?: Zstd;
}): Promise<void> {
  const { store, now } = options;
  const log = await openDeltaLog(store, options.zstd ?? (await loadZstd()));
  while (!isClosed(log.state)) {
    const actions = closing(log.state, store.location, now());
    const operation = log.state.version < 0 ? 'CREATE TABLE' : 'SET TBLPROPERTIES';
    // No two commits have the same bytes.
    const info = { timestamp: now(), operation, operationParameters: {}, engineInfo: 'redactory', txnId: randomUUID() };
    if (await tryCommit(store, log.state.version + 1, renderCommit([{ commitInfo: info }, ...actions]))) return;
    await log.advance();
  }
}

function closing(state: TableState, location: string, now: number): object[] {
  if (state.version < 0) return [{ protocol: PROTOCOL }, { metaData: closed(newMetaData(DEFAULT_NAME, now)) }];
  assertWritable(state, state.metaData?.name ?? '', location);
  return state.metaData === undefined ? [] : [{ metaData: closed(state.metaData) }];
}

/** As sinks name a table that they make. */
const DEFAULT_NAME = 'training';
