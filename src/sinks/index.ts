/** Everything that a sink's caller needs. */
export { COLUMNS, tableReference, type Column, type TableRow } from './columns.ts';
export { openJsonlSink, type JsonlOptions, type JsonlSink } from './jsonl.ts';
export {
  ContractError,
  FencedSinkError,
  SinkStorageError,
  TableFormatError,
  type Sink,
  type SinkRecord,
  type SourceCoordinates,
  type Taken,
} from './sink.ts';
export { closeTable } from './training-table/close.ts';
export { eraseSessions, type EraseOptions, type Erasure } from './training-table/erase.ts';
export { progressMark, sanitizedRanges } from './training-table/layout.ts';
export { openTableStore, type OpenStoreOptions } from './training-table/open-store.ts';
export {
  promoteReplay,
  type LiveFile,
  type Promotion,
  type RawStretch,
  type Verdict,
} from './training-table/promote.ts';
export {
  FilesErasedError,
  NoTableError,
  readTable,
  tableDigest,
  withTable,
  type TableFile,
  type TableView,
} from './training-table/read-table.ts';
export { createRowDigest, type RowDigest } from './training-table/row-digest.ts';
export type { OffsetRange } from './training-table/row-buffer.ts';
export type { RetryReason, S3Settings, StoreRetry } from './training-table/s3-settings.ts';
export type { TableStore } from './training-table/store.ts';
export {
  openTrainingTable,
  type TableCommit,
  type TableCounts,
  type TrainingTable,
  type TrainingTableOptions,
} from './training-table/table-sink.ts';
