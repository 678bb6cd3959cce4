/** Reads all that a line left: its topics through the port, its positions, its table, and every place of a leak. */
import { loadPolicy } from '../../src/privacy/policy.ts';
import type { LogRecord } from '../../src/log/event-log.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import type { Workspace } from '../../src/runtime/workspace.ts';
import { openTableStore, readTable, type TableRow } from '../../src/sinks/index.ts';
import { commitPath } from '../../src/sinks/training-table/delta-log.ts';
import { everythingReleased } from '../leak/haystacks.ts';
import { bytesHaystacks, needlesOf, textHaystack, type Haystack } from '../leak/needles.ts';
import { singlePass, type Pass } from '../simulation/oracle.ts';
import type { Evidence, GroupPosition } from './checker.ts';
import { PARTITIONS, type Line } from './line.ts';
import type { Worker } from './worker.ts';

/** @param workspace opened as the sanitizer, whose work is done again for comparison. */
export async function gather(line: Line, workspace: Workspace): Promise<Evidence> {
  const raw = [...line.gone, ...(await readAll(workspace, TOPICS.raw))];
  const { vocabulary } = await loadPolicy(workspace.config.policy);
  const { files, ownWords, ...table } = await tableOf(workspace);
  return {
    raw,
    sanitized: await readAll(workspace, TOPICS.sanitized),
    quarantine: await readAll(workspace, TOPICS.quarantine),
    reference: await referenceOf(workspace, raw),
    positions: await positionsOf(line),
    ...table,
    codec: workspace.codec,
    needles: needlesOf(
      line.recordings.flatMap(({ planted }) => planted),
      vocabulary,
    ).filter(({ form }) => !ownWords.includes(form)),
    haystacks: [
      ...(await everythingReleased(workspace)),
      ...files,
      textHaystack('rows of the table', JSON.stringify(table.rows)),
      ...line.workers.flatMap(writtenBy),
    ],
  };
}

/** What one pass gives, with the line's own keys, consent and policy, in this process. */
export async function referenceOf(workspace: Workspace, raw: readonly LogRecord[]): Promise<Pass> {
  const { codec, config } = workspace;
  const { policy, vocabulary } = await loadPolicy(config.policy);
  const tables = await workspace.controlTables(policy.consent.guardSeconds * 1000);
  await tables.catchUp();
  const tools = { codec, policy, vocabulary, tables, subjectKey: await workspace.subjectKeys() };
  return singlePass(tools, raw, PARTITIONS);
}

/** Every record that is still there. */
export async function readAll({ log }: Workspace, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const begins = await log.beginOffsets(topic);
  for (const [partition, end] of (await log.endOffsets(topic)).entries()) {
    let offset = begins[partition] ?? 0;
    while (offset < end) {
      const request = { topic, partition, offset, maxRecords: 10_000, maxBytes: 2 ** 26, waitMs: 1_000 };
      const fetched = await log.read(request);
      if (fetched.nextOffset === offset)
        throw new Error(`${topic}/${partition} gives nothing from ${offset} to ${end}`);
      records.push(...fetched.records);
      offset = fetched.nextOffset;
    }
  }
  return records;
}

async function positionsOf(line: Line): Promise<GroupPosition[]> {
  const [sanitize, sink] = [await line.positions('sanitize'), await line.positions('sink')];
  return [
    ...sanitize.map((position) => ({ group: 'sanitize', topic: TOPICS.raw, ...position })),
    ...sink.map((position) => ({ group: 'sink', topic: TOPICS.sanitized, ...position })),
  ];
}

interface Table {
  readonly rows: readonly TableRow[];
  readonly marks: ReadonlyMap<number, number>;
  readonly files: readonly Haystack[];
  /** Of the table's first commit, which was made before there were rows: its schema has words that people use too. */
  readonly ownWords: string;
}

async function tableOf({ config, zstd }: Workspace): Promise<Table> {
  const store = await openTableStore(config.table, { s3: config.s3 });
  const table = await readTable({ store, zstd });
  const rows: TableRow[] = [];
  for await (const batch of table.batches()) rows.push(...batch);
  const marks = new Map<number, number>();
  for (const [name, offset] of table.marks) {
    // Marks of a sanitised partition; those of its sources have an arrow in their name.
    const partition = new RegExp(`/${TOPICS.sanitized}/(\\d+)$`, 'u').exec(name)?.[1];
    if (partition !== undefined) marks.set(Number(partition), offset);
  }
  const files: Haystack[] = [];
  for (const { path } of table.files) files.push(...bytesHaystacks(path, (await store.read(path)) ?? new Uint8Array()));
  const created = (await store.read(commitPath(0))) ?? new Uint8Array();
  return { rows, marks, files, ownWords: Buffer.from(created).toString().toLowerCase() };
}

const writtenBy = (worker: Worker): Haystack[] => [
  textHaystack(`what ${worker.name} logged`, worker.stderr(), true),
  textHaystack(`what ${worker.name} printed`, worker.stdout(), true),
  textHaystack(`metrics of ${worker.name}`, worker.seen.join('\n'), true),
];
