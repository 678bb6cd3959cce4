/** How far the table is, as the sink's group says: for telling another table, or one that was lost, from the sink's own. */
import * as z from 'zod';
import type { EventLog, Position, TopicPartition } from '../log/event-log.ts';
import { NoTableError, readTable, type TableStore, type TableView } from '../sinks/index.ts';
import { RunError } from './run-error.ts';

/** A table has not all that the group has committed. */
export class TableBehindError extends RunError {
  override name = 'TableBehindError';
}

/** A table has more than the log has: it was filled from another one, or this one has lost what it had. */
export class TableAheadError extends RunError {
  override name = 'TableAheadError';
}

/** Travels with the group's commits: one past the last record that the table had. Offsets beyond it held no record. */
const metadata = z.object({ v: z.literal(1), taken: z.int().min(0) });

export const encodeTaken = (taken: number): string => JSON.stringify({ v: 1, taken });

/**
 * What a table must have taken of a partition so that the group's commit is true of it: one past its last record.
 *
 * A commit without that, of an older version or put by hand, tells of at least one record if it is beyond `begin`.
 */
export function takenOf(committed: Position | undefined, begin: number): number {
  if (committed === undefined) return 0;
  if (committed.metadata === '') return committed.offset > begin ? 1 : 0;
  const parsed = metadata.safeParse(parseJson(committed.metadata));
  if (parsed.success) return parsed.data.taken;
  throw new RunError('a sink has committed what this version cannot read: run the version that wrote it');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Partitions of which the table lacks what the group has committed.
 *
 * @param next the table's own word: one past the last record that it has of a partition. Asked after the group, whose commits come
 * after the table's.
 */
export async function partitionsBehind(
  log: EventLog,
  { group, topic }: { readonly group: string; readonly topic: string },
  next: (partition: number) => Promise<number> | number,
): Promise<readonly (TopicPartition & { readonly next: number })[]> {
  const taken: number[] = [];
  for (const [partition, begin] of (await log.beginOffsets(topic)).entries()) {
    taken.push(takenOf(await log.committed(group, { topic, partition }), begin));
  }
  const behind = [];
  for (const [partition, wanted] of taken.entries()) {
    const has = await next(partition);
    if (has < wanted) behind.push({ topic, partition, next: has });
  }
  return behind;
}

/** The table as it is now; undefined when there is none. @throws TableFormatError for one that cannot be read. */
export async function tableAt(store: TableStore): Promise<TableView | undefined> {
  try {
    return await readTable({ store });
  } catch (error) {
    if (error instanceof NoTableError) return undefined;
    throw error;
  }
}
