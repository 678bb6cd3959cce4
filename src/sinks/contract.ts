/**
 * The column contract, checked once more before anything is written. Complaints name a column and never hold its value.
 */
import { MAX_RELEASED_TEXT, TABLE_SCHEMA_VERSION, type ReleasedFields } from '../events/released.ts';
import { COLUMNS, columnNamed, type Column, type TableRow } from './columns.ts';
import { ContractError, type SinkRecord } from './sink.ts';

/** A column's complaint, on its way to becoming a {@link ContractError} with coordinates. */
export class ColumnComplaint extends Error {
  readonly column: string;
  readonly row: number;
  constructor(column: string, complaint: string, row = -1) {
    super(complaint);
    this.column = column;
    this.row = row;
  }
}

/** Runs a check of one record; its complaint becomes an error that says where the record stands. */
export function withCoordinates<T>(record: SinkRecord, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ColumnComplaint)) throw error;
    const { partition, offset } = record;
    throw new ContractError({ column: error.column, complaint: error.message, partition, offset, row: error.row });
  }
}

/**
 * Checks a whole record: its coordinates, the batch's own fields, every action.
 *
 * @throws ContractError
 */
export function checkRecord(record: SinkRecord): void {
  withCoordinates(record, () => {
    checkHead(record);
    let last = -1;
    for (const [row, action] of record.batch.actions.entries()) {
      last = checkStep(action.step, last, row);
      for (const column of ACTION_TEXTS) checkText(column, action[column.name], row);
      checkCombination(action.action, action.key, action.length, row);
    }
  });
}

/** @throws ColumnComplaint */
export function checkHead({ batch, partition, offset, source }: SinkRecord): void {
  if (!isIndex(partition) || !isIndex(offset)) throw new ColumnComplaint('(offset)', 'is not a place on a topic');
  if (!isIndex(source.partition) || !isIndex(source.offset)) {
    throw new ColumnComplaint('(source)', 'is not a place on a topic');
  }
  checkDay(batch);
  checkText(SESSION, batch.session, -1);
  checkText(SUBJECT, batch.subject, -1);
  checkText(POLICY, batch.policy, -1);
  if (batch.schema !== TABLE_SCHEMA_VERSION) {
    throw new ColumnComplaint('schema', `is not ${TABLE_SCHEMA_VERSION}, the version that this sink writes`);
  }
}

/** @returns `step`, to be given as `last` for the next action. @throws ColumnComplaint */
export function checkStep(step: number, last: number, row: number): number {
  if (!Number.isInteger(step) || step < 0 || step > MAX_INT32) {
    throw new ColumnComplaint('step', 'is not a whole number from 0', row);
  }
  if (step <= last) throw new ColumnComplaint('step', 'does not rise within its batch', row);
  return step;
}

/** @throws ColumnComplaint when `value` may not stand in that column. */
export function checkText(column: Column, value: unknown, row: number): void {
  if (value === null) {
    if (!column.nullable) throw new ColumnComplaint(column.name, 'is null', row);
    return;
  }
  if (typeof value !== 'string') throw new ColumnComplaint(column.name, 'is not a text', row);
  if (column.values !== undefined) {
    if (!column.values.includes(value)) throw new ColumnComplaint(column.name, 'is not one of its values', row);
    return;
  }
  if (value.length > MAX_RELEASED_TEXT) {
    throw new ColumnComplaint(column.name, `is longer than ${MAX_RELEASED_TEXT}`, row);
  }
  if (FORBIDDEN.test(value))
    throw new ColumnComplaint(column.name, 'holds control characters or half a character', row);
  if (column.pattern?.test(value) === false) throw new ColumnComplaint(column.name, 'does not have its form', row);
}

/** What was typed must not come out through the columns of other actions. @throws ColumnComplaint */
export function checkCombination(action: string, key: string | null, length: string | null, row: number): void {
  if (key !== null && !KEY_ACTIONS.has(action)) throw new ColumnComplaint('key', 'has a value on another action', row);
  if (length !== null && !LENGTH_ACTIONS.has(action)) {
    throw new ColumnComplaint('length', 'has a value on another action', row);
  }
}

function checkDay({ day }: ReleasedFields): void {
  if (!Number.isInteger(day) || day < 0 || day > LAST_DAY) {
    throw new ColumnComplaint('date', 'is not a day from 1970 to 2099');
  }
}

const MAX_INT32 = 2 ** 31 - 1;
/** 2099-12-31. */
const LAST_DAY = 47_481;
// Controls, line and paragraph separators; \p{Cs} with the u flag matches only halves of a surrogate pair.
const FORBIDDEN = /[\p{Cc}\p{Cs}\u2028\u2029]/u;

const [SESSION, SUBJECT, POLICY] = [columnNamed('session'), columnNamed('subject'), columnNamed('policy')];
const KEY_ACTIONS: ReadonlySet<string> = new Set(columnNamed('key').onlyOn);
const LENGTH_ACTIONS: ReadonlySet<string> = new Set(columnNamed('length').onlyOn);

type ActionText = Exclude<keyof TableRow, 'date' | 'session' | 'subject' | 'step' | 'policy' | 'schema'>;
const BATCH_COLUMNS: ReadonlySet<string> = new Set(['date', 'session', 'subject', 'step', 'policy', 'schema']);
const isActionText = (column: Column): column is Column & { readonly name: ActionText } =>
  !BATCH_COLUMNS.has(column.name);
/** The columns of text that each action has for itself. */
export const ACTION_TEXTS = COLUMNS.filter(isActionText);

const isIndex = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
