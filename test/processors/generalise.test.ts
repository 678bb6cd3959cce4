import { describe, expect, it } from 'vitest';
import { generalise, type GeneralAction } from '../../src/processors/generalise.ts';
import type { TextAction } from '../../src/processors/stages.ts';
import type { Policy } from '../../src/privacy/policy.ts';
import { OPEN_COLUMNS, policyWith } from '../helpers/line.ts';
import { opened, START } from '../helpers/recording.ts';

const ACTION: TextAction = {
  action: 'click',
  at: START,
  key: null,
  button: 'left',
  direction: null,
  x: 100,
  y: 200,
  length: null,
  times: 1,
  events: 2,
  app: 'Word',
  window: null,
  url: null,
  target_role: null,
  target: null,
  bounds: { x: 100, y: 200, width: 30, height: 60 },
};

function generalised(
  actions: readonly Partial<TextAction>[],
  columns: Partial<Policy['columns']> = OPEN_COLUMNS,
): readonly GeneralAction[] {
  const processor = generalise({ policy: policyWith({ columns }).columns });
  const outcome = processor.process({ ...opened([]), actions: actions.map((action) => ({ ...ACTION, ...action })) });
  if (outcome.kind !== 'keep') throw new Error('generalise keeps every batch');
  return outcome.batch.actions;
}

const one = (action: Partial<TextAction>, columns?: Partial<Policy['columns']>) => generalised([action], columns)[0];

describe('positions', () => {
  it.each([
    [100, 200, 'top-left'],
    [109, 219, 'top-left'],
    [110, 219, 'top'],
    [119, 220, 'center'],
    [120, 200, 'top-right'],
    [100, 220, 'left'],
    [129, 220, 'right'],
    [100, 240, 'bottom-left'],
    [110, 259, 'bottom'],
    [129, 259, 'bottom-right'],
    [99, 200, null],
    [130, 200, null],
    [100, 199, null],
    [100, 260, null],
  ])('%i, %i is in the %s', (x, y, cell) => {
    expect(one({ x, y })?.cell).toBe(cell);
  });
  it('without an element’s bounds are nothing', () => {
    expect(one({ bounds: null })?.cell).toBeNull();
    expect(one({ bounds: { x: 100, y: 200, width: 0, height: 60 } })?.cell).toBeNull();
    expect(one({ x: null })?.cell).toBeNull();
  });
  it('never leave as they are', () => {
    expect(one({})).not.toHaveProperty('x');
    expect(one({})).not.toHaveProperty('bounds');
    expect(one({})).not.toHaveProperty('at');
  });
});

describe('time', () => {
  const at = (...times: number[]) => generalised(times.map((time) => ({ at: START + time }))).map(({ pause }) => pause);
  it.each([
    [999, '<1s'],
    [1000, '<5s'],
    [4999, '<5s'],
    [5000, '<30s'],
    [29_999, '<30s'],
    [30_000, 'more'],
    [-5, '<1s'],
  ])('a wait of %i ms is %s', (ms, pause) => {
    expect(at(0, ms)).toEqual([null, pause]);
  });
  it('is nothing unless the policy says so', () => {
    expect(generalised([{}, { at: START + 1e6 }], { pause: 'none' }).map(({ pause }) => pause)).toEqual([null, null]);
  });
  it('goes on over batches', () => {
    const processor = generalise({ policy: policyWith({ columns: { pause: 'coarse' } }).columns });
    processor.process({ ...opened([]), actions: [ACTION] });
    const outcome = processor.process({ ...opened([]), actions: [{ ...ACTION, at: START + 6000 }] });
    expect(outcome).toMatchObject({ batch: { actions: [{ pause: '<30s' }] } });
  });
});

describe('amounts', () => {
  it('are buckets, and nothing for what happened once', () => {
    expect(one({ action: 'press', times: 1 })?.count).toBeNull();
    expect(one({ action: 'press', times: 2 })?.count).toBe('<4');
    expect(one({ action: 'press', times: 300 })?.count).toBe('more');
    expect(one({ action: 'scroll', times: 1 })?.count).toBe('<4');
  });
  it.each(['back', 'forward', 'other'] as const)('the button %s is another', (button) => {
    expect(one({ button })?.button).toBe('other');
  });
});

it('columns that the policy releases nothing of are empty', () => {
  const full = { key: 'Enter', direction: 'up', length: '<4', times: 9 } as const;
  const none = {
    key: 'none',
    button: 'none',
    direction: 'none',
    cell: 'none',
    pause: 'none',
    length: 'none',
    count: 'none',
  } as const;
  const empty = { key: null, button: null, direction: null, cell: null, pause: null, length: null, count: null };
  expect(generalised([full, full], none)[1]).toMatchObject(empty);
  for (const value of Object.entries(generalised([full, full])[1] ?? {}))
    expect(value[1]).toSatisfy((v) => v !== undefined);
});
