import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReleasedAction, ReleasedFields } from '../../src/events/released.ts';
import { checkRecord } from '../../src/sinks/contract.ts';
import { ContractError } from '../../src/sinks/sink.ts';
import { RowBuffer } from '../../src/sinks/training-table/row-buffer.ts';
import { FREE_TEXT, policyWith, records, run, toolsWith } from '../helpers/line.ts';
import { context, element, script } from '../helpers/recording.ts';
import { action, record } from '../helpers/released.ts';

const SECRET = 'hunter2-typed-by-a-person';

/** What a broken upstream could send, in spite of the types. */
const broken = (fields: Record<string, unknown>): Partial<ReleasedAction> => fields;
const inAction = (fields: Record<string, unknown>): Partial<ReleasedFields> => ({
  actions: [action(0), action(1, broken(fields))],
});

const VIOLATIONS: readonly (readonly [string, string, Partial<ReleasedFields>])[] = [
  ['a session that is no pseudonym', 'session', { session: SECRET }],
  ['a session that is a whole hash', 'session', { session: 'a'.repeat(64) }],
  ['a subject that is no pseudonym', 'subject', { subject: SECRET }],
  ['a policy that is no digest', 'policy', { policy: SECRET }],
  ['another schema version', 'schema', { schema: 2 }],
  ['a day before 1970', 'date', { day: -1 }],
  ['a day after 2099', 'date', { day: 47_482 }],
  ['half a day', 'date', { day: 1.5 }],
  ['a negative step', 'step', { actions: [action(-1)] }],
  ['a fraction of a step', 'step', { actions: [action(0.5)] }],
  ['a step beyond 32 bits', 'step', { actions: [action(2 ** 31)] }],
  ['a repeated step', 'step', { actions: [action(3), action(3)] }],
  ['a falling step', 'step', { actions: [action(3), action(2)] }],
  ['no action', 'action', inAction({ action: null })],
  ['an unknown action', 'action', inAction({ action: SECRET })],
  ['an unknown button', 'button', inAction({ button: SECRET })],
  ['an unknown direction', 'direction', inAction({ direction: SECRET })],
  ['an unknown cell', 'cell', inAction({ cell: SECRET })],
  ['an unknown pause', 'pause', inAction({ pause: SECRET })],
  ['an exact length', 'length', inAction({ action: 'type', length: '17' })],
  ['an exact count', 'count', inAction({ count: 3 })],
  ['a number for a text', 'app', inAction({ app: 7 })],
  ['nothing for a null', 'window', inAction({ window: undefined })],
  ['a text that is too long', 'window', inAction({ window: 'x'.repeat(1025) })],
  ['a line break', 'target', inAction({ target: `${SECRET}\n` })],
  ['a C1 control', 'target', inAction({ target: 'a\u0085b' })],
  ['half a surrogate pair', 'url', inAction({ url: 'a\ud800b' })],
  ['a key on a typing action', 'key', inAction({ action: 'type', key: 'Enter' })],
  ['a length on a click', 'length', inAction({ action: 'click', length: '<4' })],
];

test.each(VIOLATIONS)('%s is refused by name and place, without the value', (_, column, fields) => {
  const bad = record(2, 1234, fields);
  const buffer = new RowBuffer();
  for (const check of [() => checkRecord(bad), () => buffer.append(bad)]) {
    let error: unknown;
    try {
      check();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ContractError);
    expect(error).toMatchObject({ column, partition: 2, offset: 1234 });
    expect(String(error)).toContain(`"${column}"`);
    expect(String(error)).not.toContain(SECRET);
  }
  expect(buffer.rows).toBe(0);
  expect(buffer.days()).toEqual([]);
});

test('a batch of every kind of value passes', () => {
  const good = record(0, 0, {
    subject: '0'.repeat(32),
    actions: [
      action(0, {
        app: 'Excel',
        window: 'Übersicht {n} - Excel 😀',
        url: 'https://example.com/{n}',
        target_role: 'cell',
      }),
      action(1, { action: 'type', length: '<16' }),
      action(5, { action: 'shortcut', key: 'Ctrl+S', pause: '<5s' }),
      action(6, { action: 'scroll', direction: 'down', count: 'more' }),
      action(7, { action: 'click', button: 'left', cell: 'center', target: 'x'.repeat(1024) }),
    ],
  });
  expect(() => checkRecord(good)).not.toThrow();
  const buffer = new RowBuffer();
  buffer.append(good);
  expect(buffer.rows).toBe(5);
});

test('impossible coordinates are refused', () => {
  expect(() => checkRecord(record(-1, 0))).toThrow(ContractError);
  expect(() => checkRecord(record(0, 0, {}, { topic: 't', partition: 0, offset: -1 }))).toThrow(ContractError);
});

test('whatever the gate releases keeps the contract, free texts that became longer too', { timeout: 120_000 }, () => {
  const unit = fc.constantFrom(
    'x 1 ',
    '1 ',
    'a1b2 ',
    'é',
    'Ann Lee ',
    'ann.lee@corp.com ',
    'http://a/b ',
    '(1)',
    '😀 ',
  );
  const text = fc
    .tuple(fc.array(unit, { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 1_100 }))
    .map(([units, length]) => units.join('').repeat(length).slice(0, length));
  const tools = toolsWith({ policy: policyWith(FREE_TEXT) });
  const check = (title: string, name: string): void => {
    const placed = script()
      .in(context({ title }), element({ role: 'button', name }))
      .click()
      .type('dear ann')
      .focus()
      .end().events;
    const { released, results } = run(records([placed]), tools);
    expect(results.map(({ kind }) => kind)).toEqual(['keep']);
    for (const batch of released)
      checkRecord({ partition: 0, offset: 0, source: { topic: 'raw', partition: 0, offset: 0 }, batch });
  };
  check('x 1 '.repeat(255), 'x 1 '.repeat(255));
  fc.assert(fc.property(text, text, check), { numRuns: 60 });
});
