/** Two real office tasks with forms, cells and clipboard: not one value of them reaches the table. */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { COLUMNS, type TableRow } from '../../src/sinks/index.ts';
import { RECORDINGS, recording, throughTheLine, why } from './line.ts';

describe.skipIf(RECORDINGS === undefined)(`UI logs of real office work${why}`, () => {
  it.each([
    ['StudentRecord.csv', ['Submit', 'Date', 'Email', 'Add another response'], 50],
    ['Reimbursement.csv', ['Submit', 'Next', 'Add another response'], 50],
  ])(
    '%s: nothing typed, copied or held in a cell is in the table; buttons and fields are',
    async (name, labels, forms) => {
      const path = recording('rpa-logs', name);
      const { events, read, rows } = await throughTheLine(path, 'rpa-csv');
      expect(read).toBe(events);
      const held = await valuesOf(path);
      expect(held.size).toBeGreaterThan(200);
      const strings = stringsOf(rows);
      expect(found(held, strings)).toEqual([]);
      // The search finds what is there: a button's label, whole or a word of it.
      expect(found(new Set(['submit', 'another']), strings)).toEqual(['submit', 'another']);
      for (const label of labels)
        expect(rows.filter(({ target }) => target === label).length).toBeGreaterThanOrEqual(forms - 1);
      const kinds = new Set(rows.map(({ action }) => action));
      expect([...kinds]).toEqual(expect.arrayContaining(['click', 'edit', 'clipboard', 'focus']));
      expect(rows.filter(({ target_role }) => target_role === 'textbox').length).toBeGreaterThan(forms);
      expect(rows.filter(({ target_role }) => target_role === 'gridcell').length).toBeGreaterThan(forms);
    },
  );
});

/**
 * Every value that the log holds: the clipboard's content, what stood in cells and fields, and who worked on which file. The
 * value of a button is its label, which is what should come out.
 */
async function valuesOf(path: string): Promise<Set<string>> {
  const options = { columns: true, bom: true, relax_quotes: true } as const;
  const records = parse<Record<string, string>>(await readFile(path, 'utf8'), options);
  const values = new Set<string>();
  for (const row of records) {
    const isButton = ['button', 'submit'].includes((row['target.type'] ?? '').toLowerCase());
    const texts = [row['content'], isButton ? '' : row['target.value'], row['userID'], row['target.workbookName']];
    for (const text of texts) for (const value of parts(text ?? '')) values.add(value);
  }
  return values;
}

/** The value, and if it is a range of cells, each of theirs. */
function parts(text: string): string[] {
  const all = [text, ...text.split(/[\t\r\n,;[\]"]+/u)];
  return all.map((part) => part.trim().toLowerCase()).filter((part) => part.length >= 2);
}

function stringsOf(rows: readonly TableRow[]): Set<string> {
  const strings = new Set<string>();
  const columns = COLUMNS.filter(
    ({ values, pattern, type }) => type === 'string' && values === undefined && pattern === undefined,
  );
  for (const row of rows) {
    for (const { name } of columns) if (typeof row[name] === 'string') strings.add(row[name].toLowerCase());
  }
  return strings;
}

/** Values that are a string of the table, or stand in one between characters that are neither letters nor digits. */
function found(values: ReadonlySet<string>, strings: ReadonlySet<string>): string[] {
  return [...values].filter((value) =>
    [...strings].some((text) => {
      const at = text.indexOf(value);
      const isWordLike = (character: string | undefined): boolean => /[\p{L}\p{N}]/u.test(character ?? '');
      return at !== -1 && !isWordLike(text[at - 1]) && !isWordLike(text[at + value.length]);
    }),
  );
}
