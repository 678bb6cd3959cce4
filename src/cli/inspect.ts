import { Option, type Command } from 'commander';
import type { LogRecord } from '../log/event-log.ts';
import { audited } from '../runtime/audit.ts';
import { TOPICS } from '../runtime/topics.ts';
import type { Workspace } from '../runtime/workspace.ts';
import { withTable, type TableRow, type TableStore, type TableView } from '../sinks/index.ts';
import { action, wholeNumber, withWorkspace, type Io } from './io.ts';
import { whyOption, type Why } from './reason.ts';
import { SessionCounter } from './session-count.ts';
import { openTable } from './table.ts';

interface Own {
  readonly limit: number;
}

export function inspectCommand(program: Command, io: Io): void {
  const inspect = program
    .command('inspect')
    .description('counts and released content; of raw only coordinates and sizes');
  inspect
    .command('raw')
    .description('coordinates and sizes of the last raw batches; never their content')
    .addOption(limitOption())
    .addOption(whyOption())
    .addHelpText('after', '\nExample:\n  redactory inspect raw --limit 40')
    .action(
      action<Own & Why>(io, (context, own) =>
        withWorkspace(context, 'sanitizer', async (workspace) => {
          const records = await audited(
            workspace.audit,
            { what: 'inspect raw', why: own.why, about: { limit: own.limit } },
            () => lastRecords(workspace, TOPICS.raw, own.limit),
            ({ length }) => ({ batches: length }),
          );
          const rows = records.map((record) => {
            const envelope = record.value === null ? undefined : workspace.codec.openEnvelope(record.value);
            return {
              partition: record.partition,
              offset: record.offset,
              bytes: record.value?.length ?? 0,
              sequence: envelope?.ok === true ? envelope.value.sequence : null,
              receivedAt: envelope?.ok === true ? new Date(envelope.value.receivedAt).toISOString() : null,
            };
          });
          const ends = await workspace.log.endOffsets(TOPICS.raw);
          context.print(
            [`records by partition: ${ends.join(', ')}`, ...rows.map((row) => JSON.stringify(row))].join('\n'),
            { ends, records: rows },
          );
        }),
      ),
    );
  inspect
    .command('sanitized')
    .description('the last released batches, as they left')
    .addOption(limitOption())
    .addHelpText('after', '\nExample:\n  redactory inspect sanitized --limit 3')
    .action(
      action<Own>(io, (context, own) =>
        withWorkspace(context, 'sink', async (workspace) => {
          const records = await lastRecords(workspace, TOPICS.sanitized, own.limit);
          const batches = records.flatMap(({ value }) =>
            value === null ? [] : [workspace.codec.decodeReleased(value)],
          );
          const ends = await workspace.log.endOffsets(TOPICS.sanitized);
          context.print(
            [`records by partition: ${ends.join(', ')}`, ...batches.map((batch) => JSON.stringify(batch))].join('\n'),
            { ends, batches },
          );
        }),
      ),
    );
  inspect
    .command('quarantine')
    .description('what could not be processed: coordinates and reasons')
    .addOption(limitOption())
    .addHelpText('after', '\nExample:\n  redactory inspect quarantine --json')
    .action(
      action<Own>(io, (context, own) =>
        withWorkspace(context, 'operator', async (workspace) => {
          const records = await lastRecords(workspace, TOPICS.quarantine, own.limit);
          const entries = records.flatMap(({ value }) =>
            value === null ? [] : [workspace.codec.decodeQuarantine(value)],
          );
          const lines = entries.map(
            (entry) => `${entry.topic}/${entry.partition}@${entry.offset}  ${entry.reason}  ${entry.bytes} bytes`,
          );
          context.print(lines.length === 0 ? 'nothing in quarantine' : lines.join('\n'), {
            entries: entries.map(({ quarantinedAt, ...entry }) => ({
              ...entry,
              quarantinedAt: new Date(quarantinedAt).toISOString(),
            })),
          });
        }),
      ),
    );
  inspect
    .command('table')
    .description("the training table's version, files, rows and counts by action")
    .addOption(limitOption())
    .addHelpText('after', '\nExample:\n  redactory inspect table --limit 20')
    .action(
      action<Own>(io, async (context, own) => {
        const table = await describeTable(await openTable(context, 'read'), own.limit);
        const count = (n: number): string => n.toLocaleString('en');
        context.print(
          [
            `version ${table.version}: ${count(table.rows)} rows under ` +
              `${table.sessionsAreMore ? 'more than ' : ''}${count(table.sessions)} session pseudonyms ` +
              `in ${table.files} files, ${count(table.bytes)} bytes`,
            ...Object.entries(table.actions).map(([name, n]) => `  ${name.padEnd(14)}${count(n).padStart(12)}`),
            ...table.sample.map((row) => JSON.stringify(row)),
          ].join('\n'),
          table,
        );
      }),
    );
  inspect.addHelpText(
    'after',
    '\nExamples:\n  redactory inspect table --limit 20\n  redactory inspect quarantine --json',
  );
}

const limitOption = (): Option =>
  new Option('--limit <n>', 'how many to show').argParser(wholeNumber(0, 100_000)).default(10);

/** The last records of the partitions, `limit` in all where there are as many, oldest first within a partition. */
async function lastRecords(workspace: Workspace, topic: string, limit: number): Promise<LogRecord[]> {
  const { log } = workspace;
  const begins = await log.beginOffsets(topic);
  const ends = await log.endOffsets(topic);
  const records: LogRecord[] = [];
  for (const { partition, wanted, end } of fairShares(begins, ends, limit)) {
    let offset = end - wanted;
    while (offset < end) {
      const at = { topic, partition, offset };
      const fetched = await log.read({ ...at, maxRecords: end - offset, maxBytes: 1 << 24, waitMs: 0 });
      records.push(...fetched.records);
      if (fetched.nextOffset === offset) break;
      offset = fetched.nextOffset;
    }
  }
  return records.slice(0, limit);
}

interface Share {
  readonly partition: number;
  readonly wanted: number;
  readonly end: number;
}

/** How many records to take of each partition: as evenly as what they hold allows. */
function fairShares(begins: readonly number[], ends: readonly number[], limit: number): readonly Share[] {
  const held = ends.map((end, partition) => ({ partition, end, records: end - (begins[partition] ?? 0) }));
  const shares: Share[] = [];
  let left = limit;
  for (const [i, { partition, end, records }] of held.toSorted((a, b) => a.records - b.records).entries()) {
    const wanted = Math.min(records, Math.ceil(left / (held.length - i)));
    shares.push({ partition, wanted, end });
    left -= wanted;
  }
  return shares.toSorted((a, b) => a.partition - b.partition);
}

interface TableSummary {
  readonly version: number;
  readonly files: number;
  readonly bytes: number;
  rows: number;
  readonly sessions: number;
  /** There are more than `sessions`, which were too many to be told apart. */
  readonly sessionsAreMore: boolean;
  readonly actions: Record<string, number>;
  readonly sample: TableRow[];
}

async function describeTable(store: TableStore, limit: number): Promise<TableSummary> {
  return await withTable({ store }, (view) => describeView(view, limit));
}

async function describeView(view: TableView, limit: number): Promise<TableSummary> {
  const bytes = view.files.reduce((sum, file) => sum + file.bytes, 0);
  const summary: TableSummary = {
    version: view.version,
    files: view.files.length,
    bytes,
    rows: 0,
    sessions: 0,
    sessionsAreMore: false,
    actions: {},
    sample: [],
  };
  const counter = new SessionCounter();
  for await (const batch of view.batches()) {
    for (const row of batch) {
      summary.rows++;
      counter.add(row);
      summary.actions[row.action] = (summary.actions[row.action] ?? 0) + 1;
      if (summary.sample.length < limit) summary.sample.push(row);
    }
  }
  const { sessions, isMore } = counter.result();
  return { ...summary, sessions, sessionsAreMore: isMore };
}
