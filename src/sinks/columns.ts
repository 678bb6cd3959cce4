/** The training table's columns: one declaration for the contract, the Delta and Parquet schemas, and docs/table.md. */
import {
  ACTIONS,
  AMOUNTS,
  CELLS,
  DIRECTIONS,
  MAX_RELEASED_TEXT,
  PAUSES,
  RELEASED_BUTTONS,
  TABLE_SCHEMA_VERSION,
  type ActionName,
  type ReleasedAction,
} from '../events/released.ts';

/** One row of the training table. */
export interface TableRow extends ReleasedAction {
  /** The session's UTC day, `YYYY-MM-DD`. */
  readonly date: string;
  readonly session: string;
  readonly subject: string | null;
  readonly policy: string;
  readonly schema: number;
}

export interface Column {
  readonly name: keyof TableRow;
  /** Type in the table; a `date` is a `YYYY-MM-DD` string in a {@link TableRow}. */
  readonly type: 'date' | 'string' | 'integer';
  readonly nullable: boolean;
  /** All values that there are, where the set is closed. */
  readonly values?: readonly string[];
  /** What the whole of an open text must look like. */
  readonly pattern?: RegExp;
  /** The actions that may have a value here; without it, all. */
  readonly onlyOn?: readonly ActionName[];
  readonly holds: string;
}

const PSEUDONYM = /^[0-9a-f]{32}$/u;

/** In the table's order. */
export const COLUMNS: readonly Column[] = [
  { name: 'date', type: 'date', nullable: false, holds: 'The UTC day of the session; the table is partitioned by it.' },
  {
    name: 'session',
    type: 'string',
    nullable: false,
    pattern: PSEUDONYM,
    holds:
      'Pseudonym of a stretch of one session: at most 30 minutes of one person on one device, and as many actions as the policy says. 32 hexadecimal digits.',
  },
  {
    name: 'subject',
    type: 'string',
    nullable: true,
    pattern: PSEUDONYM,
    holds: 'Pseudonym of the person, in this purpose and calendar month; null where the policy releases none (strict).',
  },
  {
    name: 'step',
    type: 'integer',
    nullable: false,
    holds: 'Order in the stretch, from 0. There are no times: order is all that is released.',
  },
  { name: 'action', type: 'string', nullable: false, values: ACTIONS, holds: 'What the person did.' },
  { name: 'app', type: 'string', nullable: true, holds: 'Application, as the vocabulary spells it, or a placeholder.' },
  {
    name: 'window',
    type: 'string',
    nullable: true,
    holds: 'Window title: segments that the vocabulary holds; placeholders for the rest; digits as `{n}`.',
  },
  {
    name: 'url',
    type: 'string',
    nullable: true,
    holds: 'Scheme, host and path template of the page; never a query or a fragment.',
  },
  { name: 'target_role', type: 'string', nullable: true, holds: 'ARIA role of the element acted on.' },
  { name: 'target', type: 'string', nullable: true, holds: 'Released name of the element acted on.' },
  {
    name: 'key',
    type: 'string',
    nullable: true,
    onlyOn: ['press', 'shortcut'],
    holds: 'Named key (`Enter`) or shortcut (`Ctrl+S`).',
  },
  { name: 'button', type: 'string', nullable: true, values: RELEASED_BUTTONS, holds: 'Pointer button.' },
  { name: 'direction', type: 'string', nullable: true, values: DIRECTIONS, holds: 'Direction of a scroll.' },
  {
    name: 'cell',
    type: 'string',
    nullable: true,
    values: CELLS,
    holds: 'Where on the element, on a grid of 3 by 3, where the policy allows it.',
  },
  {
    name: 'pause',
    type: 'string',
    nullable: true,
    values: PAUSES,
    holds: 'Bucket of the wait before the action; only where the policy says `pause: coarse`.',
  },
  {
    name: 'length',
    type: 'string',
    nullable: true,
    values: AMOUNTS,
    onlyOn: ['type'],
    holds: 'Bucket of how many characters were typed.',
  },
  {
    name: 'count',
    type: 'string',
    nullable: true,
    values: AMOUNTS,
    holds: 'Bucket of repeats, or of how far was scrolled.',
  },
  {
    name: 'policy',
    type: 'string',
    nullable: false,
    pattern: /^sha256:[0-9a-f]{64}$/u,
    holds: 'Digest of the policy under which the row was released.',
  },
  {
    name: 'schema',
    type: 'integer',
    nullable: false,
    holds: `Version of these columns: ${TABLE_SCHEMA_VERSION}.`,
  },
];

/** @throws Error when there is no such column: a mistake in the code. */
export function columnNamed(name: keyof TableRow): Column {
  const column = COLUMNS.find((c) => c.name === name);
  if (column === undefined) throw new Error(`No column is named "${name}": see src/sinks/columns.ts.`);
  return column;
}

/** The reference page docs/table.md; a test compares it with the file. */
export function tableReference(): string {
  const rows = COLUMNS.map((c) => `| ${c.name} | ${c.type}${c.nullable ? ', null' : ''} | ${describe(c)} |`);
  return [...INTRODUCTION, '| column | type | holds |', '| --- | --- | --- |', ...rows, ...ERASING].join('\n');
}

function describe(column: Column): string {
  const only = column.onlyOn === undefined ? '' : ` Only on ${column.onlyOn.map((a) => `\`${a}\``).join(' and ')}.`;
  const values = column.values === undefined ? '' : ` One of ${column.values.map((v) => `\`${v}\``).join(', ')}.`;
  return `${column.holds}${only}${values}`;
}

const INTRODUCTION = [
  '# The training table',
  '',
  'One row an action, in a Delta Lake table (reader version 1, writer version 2) of zstd Parquet files, partitioned by',
  '`date`. This page is made from `src/sinks/columns.ts`; a test compares the two.',
  '',
  '- `session` and `step` together name a row. Rows of a file are ordered by them, never by arrival.',
  `- A text is at most ${MAX_RELEASED_TEXT} long and holds no control characters.`,
  '- A row that breaks this contract stops the sink; it does not reach the table.',
  '- The Delta log holds, beside files and their statistics, how far each partition of the sanitised topic has been taken',
  '  (`txn` actions), and the time of each commit: of a sink that follows live recordings it tells roughly when people acted.',
  "- Each file's `tags` in the log hold `redactory.sanitized`: which records of the sanitised topic its rows come from, as",
  '  `{"<partition>":[first offset,last offset],…}`. Other records within a range may be in other files of the same commit.',
  '',
  '## Columns',
  '',
];

const ERASING = [
  '',
  '## Erasing rows',
  '',
  'Rows of erased sessions leave in one commit (`DELETE`). The files that held them are deleted at once, whatever version had',
  'them, and the log loses the statistics of files that the table no longer has; so no file below the folder holds the rows or',
  'the pseudonyms ([decision 31](decisions/0031-erasing-rows.md)).',
  '',
  '- Versions before an erasure cannot be read any more. A reader that has one open fails on a missing file: open the table',
  '  again and read from the start.',
  '- `txn` marks `<table><-erasure…` say when rows were last erased and, by the random id of each erasure, how many.',
  '- A file written again says in its tag `redactory.erased` how many rows were taken out of it.',
  '- A versioned bucket, a backup or a copy keeps what it has: see [object storage](object-storage.md).',
  '',
];
