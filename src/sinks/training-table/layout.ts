/** What a training table looks like to Delta: its protocol, schema and names of progress marks. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { COLUMNS } from '../columns.ts';
import { TableFormatError, type SourceCoordinates } from '../sink.ts';
import { parseJson, type AddFile, type MetaData } from './actions.ts';
import type { TableState } from './delta-log.ts';
import type { OffsetRange } from './row-buffer.ts';

export const PROTOCOL = { minReaderVersion: 1, minWriterVersion: 2 } as const;

/** Metadata of a new table, made at `now` (ms since the epoch). */
export function newMetaData(name: string, now: number): MetaData {
  return {
    id: randomUUID(),
    name,
    description: 'Actions of people at computers, with nothing personal in them.',
    format: { provider: 'parquet', options: {} },
    schemaString: sparkSchema(),
    partitionColumns: ['date'],
    configuration: {},
    createdTime: now,
  };
}

/** Property of a table that no sink writes to any more. */
const CLOSED = 'redactory.closed';

export const closed = (metaData: MetaData): MetaData => ({
  ...metaData,
  configuration: { ...metaData.configuration, [CLOSED]: 'true' },
});

export const isClosed = ({ metaData }: TableState): boolean => metaData?.configuration?.[CLOSED] === 'true';

/** @throws TableFormatError when no rows are to be added to the table any more. */
export function assertOpen(state: TableState, location: string): void {
  if (!isClosed(state)) return;
  throw new TableFormatError(`The table in ${location} is closed: the replay that wrote it was abandoned.`);
}

function sparkSchema(): string {
  const fields = COLUMNS.map(({ name, type, nullable, holds }) => ({
    name,
    type,
    nullable,
    metadata: { comment: holds },
  }));
  return JSON.stringify({ type: 'struct', fields });
}

/** Progress on a partition of the sanitised topic: the mark's version is the last offset that the table includes. */
export const progressMark = (table: string, topic: string, partition: number): string =>
  `${table}/${topic}/${partition}`;

/** Progress on a raw partition, of what reached that sanitised partition: the last raw offset that the table includes. */
export const sourceMark = (table: string, topic: string, partition: number, source: SourceCoordinates): string =>
  `${progressMark(table, topic, partition)}<-${source.topic}/${source.partition}`;

/** The last raw offset that marks say of a partition of the sanitised topic, by `topic/partition` of raw. */
export function sourcesIn(
  marks: ReadonlyMap<string, { readonly version: number }>,
  table: string,
  topic: string,
  partition: number,
): ReadonlyMap<string, number> {
  const prefix = `${progressMark(table, topic, partition)}<-`;
  const own = [...marks].filter(([mark]) => mark.startsWith(prefix));
  return new Map(own.map(([mark, { version }]) => [mark.slice(prefix.length), version]));
}

/** Tag of a file that says which records of the sanitised topic its rows come from: `{"<partition>":[from,to],…}`. */
const SANITIZED_TAG = 'redactory.sanitized';

/** The tags of a file whose rows come from these records. */
export function fileTags(offsets: ReadonlyMap<number, OffsetRange>): Record<string, string> {
  const byPartition = [...offsets].toSorted(([a], [b]) => a - b);
  return { [SANITIZED_TAG]: JSON.stringify(Object.fromEntries(byPartition)) };
}

/** Tag of a file that rows were erased from: how many. */
const ERASED_TAG = 'redactory.erased';

/** Rows that were erased from a file, or from those that it was rewritten from. */
export function erasedRows(file: Pick<AddFile, 'tags'>): number {
  const tag = file.tags?.[ERASED_TAG];
  if (!tag) return 0;
  if (!/^\d{1,15}$/u.test(tag)) throw new TableFormatError(`The tag ${ERASED_TAG} of a file is no number of rows.`);
  return Number(tag);
}

/** The tags of a file that is written again without `rows` of its rows. */
export function tagsWithoutErased(file: Pick<AddFile, 'tags'>, rows: number): Record<string, string | null> {
  return { ...file.tags, [ERASED_TAG]: String(erasedRows(file) + rows) };
}

/** Mark of the last erasure, whichever: its version is its commit's. */
export const erasureMark = (table: string): string => `${table}<-erasure`;

/** Mark of a figure of one erasure, over all its commits. */
export const erasureFigureMark = (table: string, erasure: string, figure: string): string =>
  `${erasureMark(table)}/${erasure}/${figure}`;

/**
 * The version of the last erasure's commit; -1 for none. An erasure deletes files that hold erased rows and that no commit
 * names: so whoever has staged files before it sees this move, and must stage them again.
 */
export const erasureFence = (state: TableState, table: string): number =>
  state.marks.get(erasureMark(table))?.version ?? -1;

const ranges = z.record(
  z.string().regex(/^\d{1,10}$/u),
  z.tuple([z.number().int().min(0), z.number().int().min(0)]).readonly(),
);

/**
 * First and last offset, by partition of the sanitised topic, of the records that a file's rows come from. All rows of
 * the file lie within; other records within may be in other files of the same commit.
 *
 * @returns undefined for a file that does not say, as files of other writers do not.
 */
export function sanitizedRanges(file: Pick<AddFile, 'tags'>): ReadonlyMap<number, OffsetRange> | undefined {
  const tag = file.tags?.[SANITIZED_TAG];
  if (!tag) return undefined;
  const parsed = ranges.safeParse(parseJson(tag, `The tag ${SANITIZED_TAG} of a file`));
  if (!parsed.success) throw new TableFormatError(`The tag ${SANITIZED_TAG} of a file is not as docs/table.md has it.`);
  return new Map(Object.entries(parsed.data).map(([partition, range]) => [Number(partition), range]));
}

/** Kafka's topic names: so that the parts of a mark cannot run into each other. @throws TableFormatError */
export function checkName(what: string, name: string): void {
  if (!/^[A-Za-z0-9._-]{1,249}$/u.test(name)) {
    throw new TableFormatError(`A ${what} may hold letters, digits, '.', '_' and '-' only, at most 249.`);
  }
}

/** A new table is not filled by itself: the topic still has rows that were erased. */
export const NEW_TABLE = 'restore a copy from before, or move it away and fill a new one by `redactory sink --refill`';

/** @throws TableFormatError when this version must not write to the table. */
export function assertWritable(state: TableState, name: string, location: string): void {
  const { protocol, metaData } = state;
  if (protocol === undefined || metaData === undefined) throw new TableFormatError(`${location} is not a Delta table.`);
  const features = protocol.writerFeatures ?? [];
  if (protocol.minWriterVersion > PROTOCOL.minWriterVersion || features.length > 0) {
    const named = features.length > 0 ? ` (${features.join(', ')})` : '';
    throw new TableFormatError(
      `The table in ${location} needs Delta writer version ${protocol.minWriterVersion}${named}; this version writes 2. ` +
        `Another tool has upgraded it: ${NEW_TABLE}.`,
    );
  }
  // Progress is kept under the table's name: under another, everything would be taken again.
  if ((metaData.name ?? '') !== name) {
    throw new TableFormatError(
      `The table in ${location} is named "${metaData.name ?? ''}", not "${name}": use its name or another folder.`,
    );
  }
  assertSameColumns(metaData, location);
}

function assertSameColumns(metaData: MetaData, location: string): void {
  const where = `schemaString of ${location}`;
  const parsed = structType.safeParse(parseJson(metaData.schemaString, where));
  const theirs = parsed.success ? parsed.data.fields : [];
  const same =
    theirs.length === COLUMNS.length &&
    COLUMNS.every((ours, i) => theirs[i]?.name === ours.name && theirs[i]?.type === ours.type);
  const partitionedAlike = metaData.partitionColumns.length === 1 && metaData.partitionColumns[0] === 'date';
  const hasInvariants = theirs.some((field) => 'delta.invariants' in field.metadata);
  if (!same || !partitionedAlike || hasInvariants) {
    throw new TableFormatError(
      `The table in ${location} has other columns, partitions or invariants than docs/table.md has: ${NEW_TABLE}.`,
    );
  }
}

const structType = z.object({
  fields: z.array(z.object({ name: z.string(), type: z.unknown(), metadata: z.record(z.string(), z.unknown()) })),
});
