/** The Delta protocol's actions that this version reads and writes (Delta Transaction Log Protocol, "Actions"). */
import { z } from 'zod';
import { TableFormatError } from '../sink.ts';

const texts = z.record(z.string(), z.string().nullable());

const protocol = z.object({
  minReaderVersion: z.number().int(),
  minWriterVersion: z.number().int(),
  readerFeatures: z.array(z.string()).nullish(),
  writerFeatures: z.array(z.string()).nullish(),
});
const metaData = z.object({
  id: z.string(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  format: z.object({ provider: z.string(), options: texts.nullish() }),
  schemaString: z.string(),
  partitionColumns: z.array(z.string()),
  configuration: texts.nullish(),
  createdTime: z.number().nullish(),
});
const add = z.object({
  path: z.string(),
  partitionValues: texts,
  size: z.number(),
  modificationTime: z.number(),
  dataChange: z.boolean(),
  stats: z.string().nullish(),
  tags: texts.nullish(),
});
const remove = z.object({
  path: z.string(),
  deletionTimestamp: z.number().nullish(),
  dataChange: z.boolean().nullish(),
  extendedFileMetadata: z.boolean().nullish(),
  partitionValues: texts.nullish(),
  size: z.number().nullish(),
});
const txn = z.object({ appId: z.string(), version: z.number().int(), lastUpdated: z.number().nullish() });

/** One line of a commit, or one row of a checkpoint; what is not named here (commitInfo, cdc) says nothing about state. */
const action = z.object({
  protocol: protocol.nullish(),
  metaData: metaData.nullish(),
  add: add.nullish(),
  remove: remove.nullish(),
  txn: txn.nullish(),
});

export type Protocol = z.infer<typeof protocol>;
export type MetaData = z.infer<typeof metaData>;
export type AddFile = z.infer<typeof add>;
export type RemoveFile = z.infer<typeof remove>;
export type TransactionMark = z.infer<typeof txn>;
export type Action = z.infer<typeof action>;

/** @throws TableFormatError naming `where` when `value` has not the protocol's shape. */
export function parseAction(value: unknown, where: string): Action {
  const parsed = action.safeParse(value);
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new TableFormatError(`${where}: "${at}" is not as the Delta protocol has it; the table may be damaged.`);
}

/** Reads one commit: one JSON object a line. @throws TableFormatError */
export function parseCommit(bytes: Uint8Array, where: string): Action[] {
  const lines = new TextDecoder().decode(bytes).split('\n');
  return lines.flatMap((line, i) => {
    if (line.trim() === '') return [];
    return [parseAction(parseJson(line, `${where}, line ${i + 1}`), `${where}, line ${i + 1}`)];
  });
}

/** @throws TableFormatError naming `where`, never what stands there. */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TableFormatError(`${where} is not JSON; the table may be damaged.`);
  }
}

/** One JSON object a line, as a commit holds it. */
export function renderCommit(actions: readonly object[]): Uint8Array {
  return new TextEncoder().encode(`${actions.map((a) => JSON.stringify(a)).join('\n')}\n`);
}
