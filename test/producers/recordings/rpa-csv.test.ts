import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { validateRecording } from '../../../src/producers/recordings/index.ts';
import { collect, failure, folderOf, kinds, options, placed } from './helpers.ts';

const COLUMNS = [
  'timeStamp',
  'userID',
  'targetApp',
  'eventType',
  'url',
  'content',
  'target.workbookName',
  'target.sheetName',
  'target.id',
  'target.tagName',
  'target.type',
  'target.name',
  'target.value',
  'target.innerText',
] as const;
type Cells = Partial<Record<(typeof COLUMNS)[number], string>>;

const time = (seconds: number) => new Date(Date.UTC(2025, 0, 1, 8, 0, seconds)).toISOString();
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** A row of the person `ada`, one second after the row before. */
function csv(...rows: readonly Cells[]): string {
  const lines = rows.map((row, i) => {
    const cells: Cells = { timeStamp: time(i), userID: 'ada', ...row };
    return COLUMNS.map((name) => quoted(cells[name] ?? '')).join(',');
  });
  return [COLUMNS.map(quoted).join(','), ...lines, ''].join('\n');
}

const chrome = (eventType: string, more: Cells = {}): Cells => ({
  targetApp: 'Chrome',
  eventType,
  url: 'https://form.test/1',
  ...more,
});
const excel = (eventType: string, more: Cells = {}): Cells => ({
  targetApp: 'Excel',
  eventType,
  'target.workbookName': 'Trip.xlsx',
  'target.sheetName': 'Costs',
  ...more,
});
const field: Cells = { 'target.tagName': 'INPUT', 'target.type': 'text', 'target.name': 'first', 'target.id': 'f1' };
const clipboard = (content: string): Cells => ({ targetApp: 'OS-Clipboard', eventType: 'copy', content, userID: '' });

async function importing(content: string, more = {}) {
  const folder = await folderOf({ 'log.csv': content });
  return options(join(folder, 'log.csv'), 'rpa-csv', more);
}

async function placedOf(...rows: readonly Cells[]) {
  return placed(await collect(await importing(csv(...rows)))).slice(0, -1);
}

describe('rows', () => {
  test('clicks are presses and releases of the left button, on an element', async () => {
    const events = await placedOf(
      chrome('clickTextField', { ...field, 'target.value': 'Ada', 'target.innerText': 'Ada' }),
      chrome('clickButton', {
        'target.tagName': 'BUTTON',
        'target.type': 'submit',
        'target.innerText': '\\n   Send\\n  now ',
      }),
      chrome('clickLink', { 'target.tagName': 'A', 'target.innerText': 'Add another' }),
      chrome('clickCheckbox', { 'target.tagName': 'INPUT', 'target.type': 'checkbox', 'target.id': 'agree' }),
      chrome('clickTextField', { ...field, 'target.type': 'password' }),
      chrome('selectOptions', { 'target.tagName': 'SELECT', 'target.name': 'country' }),
    );
    const downs = events.filter((e) => e.event.kind === 'pointer_down');
    expect(events.map((e) => e.event.kind)).toEqual(downs.flatMap(() => ['pointer_down', 'pointer_up']));
    expect(downs.map((e) => [e.element?.role, e.element?.name, e.element?.value, e.element?.secure])).toEqual([
      ['textbox', 'first', 'Ada', false],
      ['button', 'Send now', '', false],
      ['link', 'Add another', '', false],
      ['checkbox', 'agree', '', false],
      ['textbox', 'first', '', true],
      ['combobox', 'country', '', false],
    ]);
    expect(events[1]).toMatchObject({
      event: { x: 0, y: 0, button: 'left' },
      context: { app: 'Google Chrome', title: '', url: 'https://form.test/1', private: false },
      element: { name: 'first', bounds: null },
    });
  });

  test('edits, pages and clipboard', async () => {
    const events = await placedOf(
      chrome('navigate_to'),
      chrome('editField', { ...field, 'target.value': 'Ada L' }),
      chrome('paste', { ...field, content: 'pasted' }),
      chrome('form_submit', { url: 'https://form.test/done' }),
      chrome('createNewTab', { url: '', 'target.id': '218' }),
    );
    expect(events.map((e) => e.event)).toMatchObject([
      { kind: 'navigate' },
      { kind: 'value_change', value: 'Ada L' },
      { kind: 'clipboard', op: 'paste', text: 'pasted' },
      { kind: 'navigate' },
      { kind: 'navigate' },
    ]);
    expect(events.map((e) => [e.context?.url, e.element?.name])).toEqual([
      ['https://form.test/1', undefined],
      ['https://form.test/1', 'first'],
      ['https://form.test/1', 'first'],
      ['https://form.test/done', undefined],
      ['', undefined],
    ]);
  });

  test('cells and sheets', async () => {
    const events = await placedOf(
      excel('selectWorksheet'),
      excel('getCell', { 'target.id': 'B2', 'target.value': '77' }),
      excel('editCell', { 'target.id': 'B3', 'target.value': '78' }),
      clipboard('78'),
      excel('openWorkbook'),
    );
    expect(events.map((e) => [e.event.kind, e.context?.title, e.element?.role, e.element?.name])).toEqual([
      ['focus', 'Trip.xlsx - Excel', 'tab', 'Costs'],
      ['focus', 'Trip.xlsx - Excel', 'gridcell', 'B2'],
      ['focus', 'Trip.xlsx - Excel', 'gridcell', 'B3'],
      ['value_change', 'Trip.xlsx - Excel', 'gridcell', 'B3'],
      // The system's clipboard has no place of its own.
      ['clipboard', 'Trip.xlsx - Excel', 'gridcell', 'B3'],
      ['focus', 'Trip.xlsx - Excel', undefined, undefined],
    ]);
    expect(events[3]?.event).toMatchObject({ value: '78' });
    expect(events[0]?.context?.app).toBe('Microsoft Excel');
  });

  test('rows that came late are put in order of time', async () => {
    const events = await placedOf(
      { ...chrome('paste', { ...field, content: 'x' }), timeStamp: time(3) },
      { ...excel('getCell', { 'target.id': 'A2' }), timeStamp: time(1) },
      { ...clipboard('x'), timeStamp: time(2) },
      { ...clipboard('y'), timeStamp: time(2) },
    );
    expect(events.map((e) => [e.event.kind, e.context?.app])).toEqual([
      ['focus', 'Microsoft Excel'],
      ['clipboard', 'Microsoft Excel'],
      ['clipboard', 'Microsoft Excel'],
      ['clipboard', 'Google Chrome'],
    ]);
    expect(events[1]?.event).toMatchObject({ text: 'x' });
  });

  test('every row comes out, many more than the window in which they are ordered', async () => {
    const rows = Array.from({ length: 1_300 }, (_, i) => chrome('editField', { ...field, 'target.value': `${i}` }));
    const o = await importing(csv(...rows));
    const values = placed(await collect(o)).flatMap((e) => (e.event.kind === 'value_change' ? [e.event.value] : []));
    expect(values).toEqual(rows.map((_, i) => `${i}`));
    expect(await validateRecording(o)).toMatchObject({ records: 1_300, events: 1_301, sessions: 1, subjects: 1 });
  });

  test('a gap of more than 30 minutes cuts the session', async () => {
    const o = await importing(csv(chrome('navigate_to'), { ...chrome('navigate_to'), timeStamp: time(2_000) }));
    expect(kinds(await collect(o))).toEqual(['navigate', 'session_end', 'navigate', 'session_end']);
  });
});

describe('people', () => {
  const subjects = async (content: string, more = {}) => {
    const batches = await collect(await importing(content, more));
    return batches.flatMap((b) => b.payload.events.flatMap((e) => (e.kind === 'clipboard' ? [b.payload.subject] : [])));
  };

  test('rows without a person are of the last one, or of the first one to come', async () => {
    const rows = [
      clipboard('1'),
      chrome('navigate_to'),
      clipboard('2'),
      chrome('navigate_to', { userID: 'bob' }),
      clipboard('3'),
    ];
    expect((await subjects(csv(...rows))).sort()).toEqual(['ada', 'ada', 'bob']);
  });

  test('a subject that is given overrules the file', async () => {
    expect(await subjects(csv(clipboard('1'), { ...clipboard('2'), userID: 'ada' }), { subject: 'eve' })).toEqual([
      'eve',
      'eve',
    ]);
  });

  test('a file that names nobody needs a subject', async () => {
    const { error, batches } = await failure(await importing(csv(clipboard('1'), clipboard('2'))));
    expect(error.message).toMatch(/^log\.csv:2: userID is empty.* --subject/);
    expect(batches).toBe(0);
    const many = Array.from({ length: 2_000 }, () => clipboard('1'));
    expect((await failure(await importing(csv(...many)))).error.message).toMatch(/:2: userID is empty/);
    expect(await subjects(csv(...many), { subject: 'eve' })).toHaveLength(2_000);
  });
});

describe('CSV', () => {
  test('quotes that are not doubled inside a field are taken as they are', async () => {
    const content = csv(excel('getRange', { 'target.id': 'C2:D2', 'target.value': 'RANGE' }), clipboard('x'));
    const events = placed(await collect(await importing(content.replace('"RANGE"', '[["1 Main St";"Town";7]]'))));
    expect(events[0]?.element?.value).toBe('[["1 Main St";"Town";7]]');
    expect(events).toHaveLength(3);
    const inQuotes = placed(await collect(await importing(content.replace('RANGE', '[["1 Main St";"Town";7]]'))));
    expect(inQuotes[0]?.element?.value).toContain('Main St');
    expect(inQuotes).toHaveLength(3);
  });

  test('line breaks inside quotes belong to the row, and lines are counted with them', async () => {
    const good = [chrome('paste', { ...field, content: 'one\ntwo\nthree' }), clipboard('x')];
    const events = placed(await collect(await importing(csv(...good))));
    expect(events[0]?.event).toMatchObject({ text: 'one\ntwo\nthree' });
    const { error } = await failure(
      await importing(csv(...good, chrome('unheardOf', { content: 'a\nb' }), clipboard('x'))),
    );
    expect(error.line).toBe(6);
  });

  test('a byte order mark, carriage returns and empty lines are no content', async () => {
    const content = `\uFEFF${csv(chrome('navigate_to'), clipboard('x'))}\n`.replaceAll('\n', '\r\n');
    expect(kinds(await collect(await importing(content)))).toEqual(['navigate', 'clipboard', 'session_end']);
  });

  test('ms since the epoch are a time as well', async () => {
    const events = await placedOf({ ...chrome('navigate_to'), timeStamp: '1735718400123' });
    expect(events[0]?.event.at).toBe(1_735_718_400_123);
  });

  test.each([
    [
      'an unknown event type',
      csv(clipboard('x'), chrome('Frank')),
      /^log\.csv:3: eventType is not known; the known ones are/,
    ],
    ['a name of the prototype', csv(clipboard('x'), chrome('constructor')), /:3: eventType is not known/],
    ['a bad time', csv({ ...clipboard('x'), timeStamp: 'soon' }), /^log\.csv:2: timeStamp must be like/],
    [
      'a month that is none',
      csv({ ...clipboard('x'), timeStamp: '2025-13-01T00:00:00Z' }),
      /:2: timeStamp must be like/,
    ],
    ['a missing column', csv(clipboard('x')).replace('targetApp', 'app'), /:1: the column targetApp is missing/],
    ['a row that is too short', `${csv(clipboard('x'))}"a","b"\n`, /:3: has not as many fields/],
    ['a quote that is not closed', `${csv(clipboard('x'))}"a,b\n`, /: a quote is not closed/],
    ['nothing', '', /:1: the first line must name the columns/],
  ])('%s', async (_, content, message) => {
    const { error, batches } = await failure(await importing(content, { subject: 'eve' }));
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/Frank|soon/);
    expect(batches).toBe(0);
  });

  test('a record is bounded', async () => {
    const content = csv(clipboard('x\n'.repeat(500)));
    const { error } = await failure(await importing(content, { subject: 'eve', limits: { maxLineBytes: 600 } }));
    expect(error.message).toMatch(/: the record is longer than 600 bytes; check that its quotes are closed/);
  });
});
