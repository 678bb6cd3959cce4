/**
 * The port to whatever takes released batches, and the errors that every sink may throw.
 *
 * A sink takes {@link ReleasedBatch} and nothing else, so handing it raw data does not compile.
 */
import type { ReleasedBatch } from '../events/released.ts';

/** Coordinates of a record on the raw topic: they tell doubles apart and never become columns. */
export interface SourceCoordinates {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A released batch with where it stood on the sanitised topic and which raw record it was made of. */
export interface SinkRecord {
  readonly partition: number;
  readonly offset: number;
  readonly source: SourceCoordinates;
  readonly batch: ReleasedBatch;
}

/** What a sink's durable truth says of a partition of the sanitised topic, as of one moment. */
export interface Taken {
  /** One past the last record. */
  readonly next: number;
  /** The last raw offset, by `topic/partition` of the raw records that these were made of; empty when it does not say. */
  readonly sources: ReadonlyMap<string, number>;
}

export interface Sink {
  /** What it has made durable since it was opened, each record once. */
  readonly counts: { readonly records: number; readonly rows: number };
  /** The next offset of the sanitised topic wanted for this partition, from the sink's own durable truth. */
  resumeFrom(partition: number): Promise<number>;
  /** For telling whether a log is the one that the sink has taken records from. */
  taken(partition: number): Promise<Taken>;
  /**
   * Takes records, those of a partition in rising offset order. They are durable after the next {@link flush}.
   *
   * @throws ContractError for a row that may not be kept; the records before it were taken and may be flushed.
   */
  write(records: readonly SinkRecord[]): Promise<void>;
  /** Makes durable all that was written. */
  flush(): Promise<void>;
  /** Flushes what can be flushed and lets go of everything held. */
  close(): Promise<void>;
}

/** A row breaks the table's column contract. Names column and coordinates, never the value. */
export class ContractError extends Error {
  override name = 'ContractError';
  readonly column: string;
  readonly partition: number;
  readonly offset: number;
  /** Position of the action in its batch, from 0; -1 when it is the batch that is wrong. */
  readonly row: number;
  constructor(problem: { column: string; complaint: string; partition: number; offset: number; row: number }) {
    const { column, complaint, partition, offset, row } = problem;
    const action = row < 0 ? '' : `, action ${row}`;
    super(
      `Column "${column}" ${complaint} (sanitised partition ${partition}, offset ${offset}${action}). ` +
        'Nothing of this batch was written and the sink has stopped: find out what put this record on the sanitised topic.',
    );
    this.column = column;
    this.partition = partition;
    this.offset = offset;
    this.row = row;
  }
}

/**
 * Another writer has taken records that this sink held: it has given up all that was not committed. Ask
 * {@link Sink.resumeFrom} of every partition again and go on from there, or leave the partition to the other.
 */
export class FencedSinkError extends Error {
  override name = 'FencedSinkError';
  /** Sanitised partitions that the other writer has advanced. */
  readonly partitions: readonly number[];
  constructor(partitions: readonly number[]) {
    super(
      `Another writer has committed records of sanitised partition ${partitions.join(', ')} that this sink held; ` +
        'this sink dropped its own copy. Go on from resumeFrom().',
    );
    this.partitions = partitions;
  }
}

/** The sink's storage failed; the message says what to do. Open the sink again to go on: its truth is what it committed. */
export class SinkStorageError extends Error {
  override name = 'SinkStorageError';
}

/** The table cannot be read or written by this version, or was changed under the sink. */
export class TableFormatError extends Error {
  override name = 'TableFormatError';
}
