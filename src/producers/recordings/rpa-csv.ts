/**
 * UI logs of the RPA action logger (apromore/RPA_UILogger; Leno et al.): a CSV row for each thing done in Chrome or Excel,
 * and for each change of the clipboard.
 *
 * Rows say what was done, not how: a click on a button becomes a press and a release of the left button without a
 * position. Excel's rows reach the logger late, so rows are put in order of time within a bounded window.
 */

import { Readable, pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import type { ClipboardOp, Context, UiElement } from '../../events/raw.ts';
import type { EventBody } from '../batcher.ts';
import type { Format, FormatOptions } from './format.ts';
import { type Fail, failIn } from './import-error.ts';
import type { Recorded } from './sessions.ts';
import type { Source } from './source.ts';

/** How many rows later than its time says a row may come. */
const REORDER_ROWS = 256;
/** Rows at the start of a file that may wait for the first row that names a person. */
const MAX_UNNAMED_ROWS = 1_000;
const REQUIRED_COLUMNS = ['timeStamp', 'userID', 'targetApp', 'eventType'];

/** Opens a CSV file; `subject` overrules its `userID`. */
export const rpaCsv: Format = async (o) => {
  const source = await o.openEvents(o.path);
  const fail = failIn(source.name);
  return {
    source,
    fail,
    labelsRestart: true,
    async *read() {
      const people = createPeople(o.subject, fail);
      const order = createReorder<Recorded[]>(REORDER_ROWS);
      for await (const rows of readRows(source, o, fail)) {
        const recorded: Recorded[] = [];
        for (const row of rows) {
          for (const named of people.name(row)) {
            const events = toRecorded(named, fail);
            for (const ready of order.push(timeOf(named.row, fail), events)) recorded.push(...ready);
          }
        }
        yield recorded;
      }
      people.finish();
      yield order.rest().flat();
    },
  };
};

interface Row {
  readonly line: number;
  /** The column's text, '' when it is empty or the file has no such column. */
  get(column: string): string;
}

interface NamedRow {
  readonly row: Row;
  readonly subject: string;
  readonly label: string;
}

/** What one kind of row becomes; the events lack their time. */
type Rule = (row: Row) => Done;

interface Done {
  readonly events: readonly EventBody[];
  /** undefined: where the row before was. */
  readonly context?: Context;
  readonly element?: UiElement | null;
}

function toRecorded({ row, subject, label }: NamedRow, fail: Fail): Recorded[] {
  const rule = RULES.get(row.get('eventType'));
  if (rule === undefined) {
    return fail(row.line, `eventType is not known; the known ones are ${[...RULES.keys()].join(', ')}`);
  }
  const at = timeOf(row, fail);
  const { events, context, element } = rule(row);
  return events.map((event) => ({ line: row.line, subject, label, event: { ...event, at }, context, element }));
}

/** ISO 8601 in UTC, or ms since the epoch. */
function timeOf(row: Row, fail: Fail): number {
  const text = row.get('timeStamp');
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number(/^\d{12,14}$/.test(text) ? text : Number.NaN);
  if (!(at >= 0)) fail(row.line, 'timeStamp must be like 2024-12-31T23:59:59.000Z');
  return at;
}

// --- What the rows mean ---

const at = 0;

/** A click that the logger saw as one event, without a position. */
const CLICK: readonly EventBody[] = [
  { kind: 'pointer_down', at, x: 0, y: 0, button: 'left' },
  { kind: 'pointer_up', at, x: 0, y: 0, button: 'left' },
];

const click: Rule = (row) => ({ events: CLICK, context: contextOf(row), element: targetOf(row) });
const doubleClick: Rule = (row) => ({ ...click(row), events: [...CLICK, ...CLICK] });
const navigate: Rule = (row) => ({ events: [{ kind: 'navigate', at }], context: contextOf(row), element: null });
const focus: Rule = (row) => ({ events: [{ kind: 'focus', at }], context: contextOf(row), element: targetOf(row) });

const edit: Rule = (row) => ({
  events: [{ kind: 'value_change', at, value: row.get('target.value') }],
  context: contextOf(row),
  element: targetOf(row),
});

/** Moving to a cell and changing it. */
const editCell: Rule = (row) => ({
  events: [
    { kind: 'focus', at },
    { kind: 'value_change', at, value: row.get('target.value') },
  ],
  context: contextOf(row),
  element: cellOf(row),
});

const cell: Rule = (row) => ({ events: [{ kind: 'focus', at }], context: contextOf(row), element: cellOf(row) });

const sheet: Rule = (row) => ({
  events: [{ kind: 'focus', at }],
  context: contextOf(row),
  element: { role: 'tab', name: row.get('target.sheetName'), value: '', secure: false, bounds: null },
});

function clipboard(op: ClipboardOp): Rule {
  return (row) => {
    const events: EventBody[] = [{ kind: 'clipboard', at, op, text: row.get('content') }];
    // The system's clipboard is watched apart from the programs: it belongs to where the person just was.
    if (row.get('targetApp') === 'OS-Clipboard') return { events };
    return { events, context: contextOf(row), element: row.get('targetApp') === 'Excel' ? cellOf(row) : targetOf(row) };
  };
}

const rules = (rule: Rule, ...eventTypes: string[]): [string, Rule][] => eventTypes.map((type) => [type, rule]);

/** Event types of the logger's versions, browser and spreadsheet. */
const RULES: ReadonlyMap<string, Rule> = new Map([
  ...rules(navigate, 'navigate_to', 'createNewTab', 'selectTab', 'closeTab', 'form_submit', 'link', 'reload', 'typed'),
  ...rules(navigate, 'start_page', 'keyword', 'keyword_generated', 'generated', 'auto_bookmark', 'manual_subframe'),
  ...rules(navigate, 'new_tab_created', 'tab_activated', 'tab_closed'),
  ...rules(click, 'clickTextField', 'clickButton', 'clickLink', 'clickCheckbox', 'clickRadioButton', 'mouseClick'),
  ...rules(click, 'selectOptions'),
  ...rules(doubleClick, 'doubleClick'),
  ...rules(edit, 'editField'),
  ...rules(clipboard('copy'), 'copy'),
  ...rules(clipboard('cut'), 'cut'),
  ...rules(clipboard('paste'), 'paste'),
  ...rules(cell, 'getCell', 'getRange', 'SelectionChange', 'SelectionChanged', 'ColorChange'),
  ...rules(editCell, 'editCell', 'editRange', 'RangeEdited', 'RowInserted', 'RowDeleted', 'ColumnInserted'),
  ...rules(editCell, 'ColumnDeleted', 'CellInserted', 'CellDeleted'),
  ...rules(sheet, 'selectWorksheet', 'addWorksheet', 'deleteWorksheet', 'renameWorksheet'),
  ...rules(focus, 'openWorkbook', 'newWorkbook', 'saveWorkbook', 'closeWorkbook', 'activateWorkbook'),
]);

function contextOf(row: Row): Context {
  const app = row.get('targetApp');
  if (app === 'Excel') {
    const workbook = row.get('target.workbookName');
    const title = workbook === '' ? 'Excel' : `${workbook} - Excel`;
    return { app: 'Microsoft Excel', title, url: '', private: false };
  }
  return { app: app === 'Chrome' ? 'Google Chrome' : app, title: '', url: row.get('url'), private: false };
}

function cellOf(row: Row): UiElement | null {
  const name = row.get('target.id');
  if (name === '') return null;
  return { role: 'gridcell', name, value: row.get('target.value'), secure: false, bounds: null };
}

/** The page element of a row; null when the row has none. */
function targetOf(row: Row): UiElement | null {
  const tag = row.get('target.tagName').toUpperCase();
  const type = row.get('target.type').toLowerCase();
  if (tag === '' && type === '') return null;
  const role = roleOf(tag, type);
  const label = visibleText(row.get('target.innerText'));
  const attribute = row.get('target.name') || row.get('target.id') || row.get('target.title');
  // Buttons and links have their text on them; a field's text would be what the person wrote.
  const name = role === 'button' || role === 'link' ? label || attribute : attribute;
  return { role, name, value: row.get('target.value'), secure: type === 'password', bounds: null };
}

const INPUT_ROLES: ReadonlyMap<string, string> = new Map([
  ['checkbox', 'checkbox'],
  ['radio', 'radio'],
  ['submit', 'button'],
  ['button', 'button'],
  ['reset', 'button'],
  ['image', 'button'],
  ['range', 'slider'],
  ['number', 'spinbutton'],
  ['search', 'searchbox'],
]);

/** Implicit ARIA roles (HTML Accessibility API Mappings 1.0). */
function roleOf(tag: string, type: string): string {
  if (tag === 'BUTTON') return 'button';
  if (tag === 'A') return 'link';
  if (tag === 'SELECT') return 'combobox';
  if (tag === 'INPUT' || tag === 'TEXTAREA') return INPUT_ROLES.get(type) ?? 'textbox';
  return '';
}

/** The logger writes line breaks as a backslash and a letter. */
function visibleText(text: string): string {
  return text
    .replaceAll(/\\[nrt]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

// --- Whose rows they are, and in which order ---

interface People {
  /** The rows that now have a person: mostly the given one. */
  name(row: Row): readonly NamedRow[];
  /** Fails when rows still wait. */
  finish(): void;
}

/** A row without a `userID` (the clipboard's) is of the person of the rows before it, or of the first one named. */
function createPeople(subject: string | undefined, fail: Fail): People {
  let user = '';
  let waiting: Row[] = [];
  const named = (row: Row): NamedRow => ({ row, subject: subject ?? user, label: user });
  const unnamed = (row: Row | undefined): never =>
    fail(row?.line, 'userID is empty, and no row before it has one; say who it is with --subject');
  return {
    name(row) {
      user = row.get('userID') || user;
      if (user !== '' || subject !== undefined) {
        const rows = [...waiting, row].map(named);
        waiting = [];
        return rows;
      }
      waiting.push(row);
      return waiting.length > MAX_UNNAMED_ROWS ? unnamed(waiting[0]) : [];
    },
    finish() {
      if (waiting.length > 0) unnamed(waiting[0]);
    },
  };
}

interface Reorder<T> {
  /** The items that nothing can come before any more. */
  push(time: number, item: T): readonly T[];
  rest(): readonly T[];
}

/** Orders by time within a window of `size` items; equal times stay in the order in which they came. */
function createReorder<T>(size: number): Reorder<T> {
  const held: { readonly time: number; readonly item: T }[] = [];
  return {
    push(time, item) {
      let place = held.length;
      while (place > 0 && (held[place - 1]?.time ?? 0) > time) place -= 1;
      held.splice(place, 0, { time, item });
      return held.length > size ? held.splice(0, 1).map((h) => h.item) : [];
    },
    rest: () => held.splice(0).map((h) => h.item),
  };
}

// --- CSV ---

/** What csv-parse hands out with `info`. */
interface Parsed {
  readonly record: readonly string[];
  /** Lines of the file up to the record's end. */
  readonly info: { readonly lines: number };
}

const ROWS_A_BLOCK = 512;

async function* readRows(source: Source, o: FormatOptions, fail: Fail): AsyncGenerator<readonly Row[]> {
  const most = o.limits.maxLineBytes;
  // The logger writes ranges of cells with quotes that it does not double; rows of a wrong width are still refused.
  const parser = parse({ info: true, relax_quotes: true, skip_empty_lines: true, max_record_size: most });
  // An error of either end reaches the loop below through the parser.
  pipeline(Readable.from(textOf(source, most)), parser, () => undefined);
  let columns: ReadonlyMap<string, number> | undefined;
  let rows: Row[] = [];
  try {
    const records: AsyncIterable<Parsed> = parser;
    for await (const { record, info } of records) {
      if (columns === undefined) columns = toColumns(record, fail);
      else rows.push(createRow(info.lines - lineFeedsIn(record), record, columns));
      if (rows.length >= ROWS_A_BLOCK) {
        yield rows;
        rows = [];
      }
    }
  } catch (error) {
    if (error instanceof CsvError) fail(lineOf(error), csvProblem(error.code, most));
    throw error;
  }
  if (columns === undefined) fail(1, 'the first line must name the columns');
  yield rows;
}

async function* textOf(source: Source, maxLineBytes: number): AsyncGenerator<string> {
  for await (const { lines } of source.lines(maxLineBytes)) yield `${lines.join('\n')}\n`;
}

function createRow(line: number, record: readonly string[], columns: ReadonlyMap<string, number>): Row {
  return { line, get: (column) => record[columns.get(column) ?? -1] ?? '' };
}

function toColumns(record: readonly string[], fail: Fail): ReadonlyMap<string, number> {
  const columns = new Map(record.map((name, i) => [name, i]));
  for (const name of REQUIRED_COLUMNS) {
    if (!columns.has(name)) fail(1, `the column ${name} is missing; the first line must name the columns`);
  }
  return columns;
}

function lineFeedsIn(record: readonly string[]): number {
  let count = 0;
  for (const field of record) for (let i = field.indexOf('\n'); i >= 0; i = field.indexOf('\n', i + 1)) count += 1;
  return count;
}

function lineOf(error: CsvError): number | undefined {
  const lines: unknown = error['lines'];
  return typeof lines === 'number' ? lines : undefined;
}

/** csv-parse's own messages may quote the file. */
function csvProblem(code: string, maxRecordBytes: number): string {
  switch (code) {
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH':
    case 'CSV_RECORD_INCONSISTENT_COLUMNS':
      return 'has not as many fields as the first line has columns; check its quotes and commas';
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'a quote is not closed before the end of the file';
    case 'CSV_MAX_RECORD_SIZE':
      return `the record is longer than ${maxRecordBytes} bytes; check that its quotes are closed`;
    default:
      return 'is not valid CSV; check its quotes and commas';
  }
}
