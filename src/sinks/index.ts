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
} from './sink.ts';
export { readTable, tableDigest, type TableFile, type TableView } from './training-table/read-table.ts';
export type { TableStore } from './training-table/store.ts';
export {
  openTrainingTable,
  type TableCommit,
  type TableCounts,
  type TrainingTable,
  type TrainingTableOptions,
} from './training-table/table-sink.ts';
