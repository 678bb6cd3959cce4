import { describe, expect, it } from 'vitest';
import type { ReleasedAction, ReleasedFields } from '../../src/events/released.ts';
import type { Policy } from '../../src/privacy/policy.ts';
import { readmit, release } from '../../src/processors/release.ts';
import { FREE_TEXT, OPEN_COLUMNS, policyWith, VOCABULARY } from '../helpers/line.ts';
import { action, pseudonym } from '../helpers/released.ts';

const POLICY = policyWith({ columns: OPEN_COLUMNS });
const REFUSED = { kind: 'quarantine', reason: 'release_refused' };

const fieldsOf = (actions: readonly object[], head: object = {}): ReleasedFields =>
  ({
    session: pseudonym(1),
    subject: pseudonym(2),
    day: 20_000,
    policy: POLICY.digest,
    schema: 1,
    actions,
    ...head,
  }) as ReleasedFields;

const gate = (fields: ReleasedFields, policy: Policy = POLICY) =>
  release({ policy, vocabulary: VOCABULARY })({ fields, dropped: {}, events: 1 });

const CLICK = action(0, {
  app: 'Word',
  window: '{file} - Home',
  url: 'https://docs.example.com/edit/{n}',
  target_role: 'button',
  target: 'Save as',
  button: 'left',
  cell: 'top-left',
  pause: '<1s',
  count: '<4',
});
const TYPE = action(0, { action: 'type', length: '<16' });
const PRESS = action(0, { action: 'press', key: 'Enter' });
const SHORTCUT = action(0, { action: 'shortcut', key: 'Ctrl+S' });
const SCROLL = action(0, { action: 'scroll', direction: 'up', count: 'more' });

describe('release', () => {
  it.each([CLICK, TYPE, PRESS, SHORTCUT, SCROLL, action(0, { action: 'away' })])('lets out what is right', (right) => {
    const fields = fieldsOf([right]);
    expect(gate(fields)).toEqual({ kind: 'keep', batch: { batch: fields, dropped: {}, events: 1 } });
  });

  it.each<[keyof ReleasedFields, readonly unknown[]]>([
    ['session', ['ann', '', null, 'A'.repeat(32), `${pseudonym(1)}0`, `${pseudonym(1)}\n`]],
    ['subject', ['ann', '', null]],
    ['day', [1.5, NaN, '20000', undefined]],
    ['policy', ['', 'sha256:0', null]],
    ['schema', [0, 2, '1']],
  ])('refuses the head’s %s', (field, values) => {
    for (const value of values) expect(gate(fieldsOf([CLICK], { [field]: value }))).toEqual(REFUSED);
  });

  it('refuses a text that is longer than the table takes, under any policy and on the way back', () => {
    const policy = policyWith(FREE_TEXT);
    for (const [length, kind] of [
      [1_024, 'keep'],
      [1_025, 'quarantine'],
    ] as const) {
      const fields = fieldsOf([action(0, { window: 'x'.repeat(length) })], { subject: null, policy: policy.digest });
      expect([gate(fields, policy).kind, readmit(fields).kind]).toEqual([kind, kind]);
    }
  });

  it('refuses a subject that the policy does not release', () => {
    const strict = policyWith({ columns: { ...OPEN_COLUMNS, subject: 'none' } });
    expect(gate(fieldsOf([CLICK]), strict)).toEqual(REFUSED);
    expect(gate(fieldsOf([CLICK], { subject: null }), strict)).toMatchObject({ kind: 'keep' });
  });

  const WRONG: Readonly<Record<keyof ReleasedAction, readonly unknown[]>> = {
    step: [-1, 0.5, NaN, '0', 10_000_001, null],
    action: ['paste', '', 'CLICK'],
    app: ['winword', 'word', 'ann', 'Word ', ' ', 'http', '{other}'],
    window: ['ann', 'Home - ann', 'home', 'Home-Save', 'Home  -  Save', ' - ', 'Home - ', 'Page 1 of 2', 'Home\n'],
    url: [
      'ann',
      'https://ann.example',
      'https://ann@docs.example.com',
      'https://docs.example.com:1/edit',
      'https://docs.example.com/ann',
      'https://docs.example.com/edit?q=ann',
      'https://docs.example.com/edit#ann',
      'https://docs.example.com/',
      'ftp://docs.example.com',
      ' https://docs.example.com',
      'https://docs.example.com\n',
    ],
    target_role: ['ann', 'Button', ''],
    target: ['ann', 'save', 'Save as…', '17'],
    key: ['Enter', 'a'],
    button: ['back', 'LEFT', ''],
    direction: ['north', ''],
    cell: ['0', 'top-center'],
    pause: ['2s', '250', ''],
    length: ['<4', '5'],
    count: ['5', '<5'],
  };
  const columns = Object.keys(action(0)) as (keyof ReleasedAction)[];

  it.each(columns)('refuses what is wrong in the column %s', (column) => {
    for (const value of WRONG[column]) expect(gate(fieldsOf([{ ...CLICK, [column]: value }]))).toEqual(REFUSED);
  });

  it.each(columns)('refuses any text that nobody reviewed, an object and a list in the column %s', (column) => {
    for (const value of ['Ann Lee', 'a', {}, [], ['Save'], 0.1]) {
      expect(gate(fieldsOf([{ ...CLICK, [column]: value }])).kind).toBe('quarantine');
    }
  });

  const closable = columns.filter((column) => column !== 'step' && column !== 'action');
  it.each(closable)('refuses anything in the column %s where the policy releases nothing of it', (column) => {
    const closed = policyWith({ columns: { ...OPEN_COLUMNS, [column]: 'none' } });
    const full = [CLICK, TYPE, PRESS, SCROLL].find((right) => right[column] !== null);
    if (full === undefined) throw new Error(`no example has a ${column}`);
    expect(gate(fieldsOf([full]), closed)).toEqual(REFUSED);
    expect(gate(fieldsOf([{ ...full, [column]: null }]), closed)).toMatchObject({ kind: 'keep' });
  });

  it.each<[ReleasedAction, unknown]>([
    [PRESS, 'a'],
    [PRESS, 'Ctrl+S'],
    [PRESS, 'Insert'],
    [PRESS, null],
    [SHORTCUT, 'Enter'],
    [SHORTCUT, 'Ctrl+M'],
    [SHORTCUT, 'ctrl+s'],
    [SHORTCUT, null],
  ])('refuses keys that are on no list: %#', (right, key) => {
    expect(gate(fieldsOf([{ ...right, key }]))).toEqual(REFUSED);
  });

  it.each(closable.filter((column) => column !== 'pause'))('refuses a stay away that tells its %s', (column) => {
    const full = [CLICK, TYPE, PRESS, SCROLL].find((right) => right[column] !== null);
    expect(gate(fieldsOf([action(0, { action: 'away', [column]: full?.[column] })]))).toEqual(REFUSED);
  });

  it('refuses fields that nobody knows', () => {
    expect(gate(fieldsOf([{ ...CLICK, text: 'ann' }]))).toEqual(REFUSED);
    expect(gate(fieldsOf([CLICK], { device: 'ann' }))).toEqual(REFUSED);
  });

  it('refuses holes and doubles in the steps, and the whole batch for one of them', () => {
    expect(gate(fieldsOf([CLICK, { ...CLICK, step: 2 }]))).toEqual(REFUSED);
    expect(gate(fieldsOf([CLICK, CLICK]))).toEqual(REFUSED);
    expect(
      gate(
        fieldsOf([
          { ...CLICK, step: 7 },
          { ...CLICK, step: 8 },
        ]),
      ),
    ).toMatchObject({ kind: 'keep' });
  });

  it('takes an entry that holds the separator for one', () => {
    expect(gate(fieldsOf([{ ...CLICK, window: '{typed} - Find - Replace - Home' }]))).toMatchObject({ kind: 'keep' });
    expect(gate(fieldsOf([{ ...CLICK, window: 'Find - Home' }]))).toEqual(REFUSED);
  });
});

describe('release where a policy keeps any text', () => {
  const { text, columns } = FREE_TEXT;
  const freePolicy = policyWith({ text, columns: { ...OPEN_COLUMNS, ...columns } });
  const verdict = (column: 'app' | 'window' | 'target', value: unknown, policy = freePolicy): string =>
    gate(fieldsOf([{ ...CLICK, app: null, window: null, target: null, [column]: value }]), policy).kind;

  it.each(['app', 'window', 'target'] as const)('lets out clean texts in the column %s', (column) => {
    for (const value of [
      'Quarterly letter',
      'Page {n}',
      '{email}',
      'see https://docs.example.com/edit/{n} now',
      'Home - Word',
    ]) {
      expect([value, verdict(column, value)]).toEqual([value, 'keep']);
    }
  });

  it.each(['app', 'window', 'target'] as const)('looks again at what leaves in the column %s', (column) => {
    for (const value of [
      'mail ann.lee@corp.example',
      '4111 1111 1111 1111',
      'Page 3',
      'x²',
      'see https://ann.example/edit',
      'www.ann.example',
      'docs.google.com/ann',
      'a\u200Bb',
      'a\nb',
      ' a',
      '',
      'x'.repeat(3_000),
      {},
      ['Save'],
      7,
    ]) {
      expect([value, verdict(column, value)]).toEqual([value, 'quarantine']);
    }
  });

  it.each(['app', 'window', 'target'] as const)(
    'refuses such a text in the column %s under every other policy',
    (column) => {
      const onlyColumn = policyWith({ columns: { ...OPEN_COLUMNS, ...columns } });
      const onlyMode = policyWith({ text, columns: OPEN_COLUMNS });
      const otherColumns = policyWith({ text, columns: { ...OPEN_COLUMNS, ...columns, [column]: 'vocabulary' } });
      for (const policy of [POLICY, onlyColumn, onlyMode, otherColumns]) {
        expect(verdict(column, 'Quarterly letter', policy)).toBe('quarantine');
        expect(verdict(column, null, policy)).toBe('keep');
      }
    },
  );

  it('judges addresses and roles as ever', () => {
    const bad = { url: 'https://ann.example', target_role: 'ann', key: 'Enter' };
    for (const [column, value] of Object.entries(bad)) {
      expect(gate(fieldsOf([{ ...CLICK, [column]: value }]), freePolicy)).toEqual(REFUSED);
    }
  });

  it('takes no verdict on one column for another', () => {
    const mixed = policyWith({ text, columns: { ...OPEN_COLUMNS, window: 'recognizers' } });
    expect(gate(fieldsOf([{ ...CLICK, window: 'Quarterly letter', target: 'Quarterly letter' }]), mixed)).toEqual(
      REFUSED,
    );
    expect(gate(fieldsOf([{ ...CLICK, window: 'Quarterly letter' }]), mixed).kind).toBe('keep');
  });
});

describe('readmit', () => {
  it('takes back what was released', () => {
    const fields = fieldsOf([CLICK, { ...TYPE, step: 1 }]);
    expect(readmit(fields)).toEqual({ kind: 'keep', batch: fields });
  });
  it.each<[string, ReleasedFields]>([
    ['a session', fieldsOf([CLICK], { session: 'ann' })],
    ['a subject', fieldsOf([CLICK], { subject: 'ann' })],
    ['a version', fieldsOf([CLICK], { schema: 2 })],
    ['a step', fieldsOf([CLICK, CLICK])],
    ['an action', fieldsOf([{ ...CLICK, action: 'paste' }])],
    ['a length', fieldsOf([{ ...CLICK, length: '<4' }])],
    ['a field', fieldsOf([{ ...CLICK, text: 'ann' }])],
    ['a head’s field', fieldsOf([CLICK], { device: 'ann' })],
  ])('refuses %s that is wrong', (_what, fields) => {
    expect(readmit(fields)).toEqual(REFUSED);
  });
});
