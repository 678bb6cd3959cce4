import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/privacy/policy.ts';
import { reduceToActions } from '../../src/processors/reduceToActions.ts';
import type { KeylessBatch, KeylessEvent, RawAction } from '../../src/processors/stages.ts';
import { policyWith } from '../helpers/line.ts';
import { context, cut, element, opened, script, type Placed, type Script } from '../helpers/recording.ts';

/** Only events that need no redaction: keys are not typed here but put in as what is left of them. */
const keyless = (placed: readonly Placed[]): KeylessBatch => {
  const batch = opened(placed);
  const events = batch.events.flatMap((event): KeylessEvent[] => {
    const where = { context: batch.contexts[event.context] ?? null, element: batch.elements[event.element] ?? null };
    const left = { at: event.at, where, events: 1 };
    switch (event.kind) {
      case 'key_down':
        return event.key.includes('+')
          ? [{ ...left, kind: 'shortcut', key: event.key }]
          : [{ ...left, kind: 'pressed', key: event.key }];
      case 'value_change':
        return [{ ...left, kind: 'edited' }];
      case 'composition':
        return [{ ...left, kind: 'typed', length: '<16', events: 9 }];
      case 'clipboard':
        return [{ ...left, kind: 'copied', op: event.op }];
      case 'key_up':
      case 'unknown':
        return [];
      case 'pointer_move':
      case 'pointer_down':
      case 'pointer_up':
      case 'wheel':
      case 'focus':
      case 'navigate':
      case 'session_end':
        return [event];
    }
  });
  return { ...batch, events };
};

interface Reduced {
  readonly actions: readonly RawAction[];
  readonly dropped: Readonly<Record<string, number>>;
  readonly pending: number;
}

function reduce(
  batches: readonly (readonly Placed[])[],
  gestures: Partial<Policy['gestures']> = {},
  gapBefore?: number,
): Reduced {
  const reducer = reduceToActions({ policy: policyWith({ gestures }).gestures });
  const actions: RawAction[] = [];
  const dropped: Record<string, number> = {};
  for (const [i, placed] of batches.entries()) {
    if (i === gapBefore) reducer.onGap();
    const outcome = reducer.process(keyless(placed));
    if (outcome.kind !== 'keep') throw new Error('the reducer keeps every batch');
    actions.push(...outcome.batch.actions);
    for (const [reason, n] of Object.entries(outcome.batch.dropped)) dropped[reason] = (dropped[reason] ?? 0) + n;
  }
  return { actions, dropped, pending: reducer.pending() };
}

const kinds = (written: Script, gestures: Partial<Policy['gestures']> = {}): string[] =>
  reduce([written.end().events], gestures).actions.map(({ action }) => action);

/** A press and release, `heldMs` long and `px` far. */
const gesture = (s: Script, heldMs: number, px: number): Script => {
  s.press(100, 100).wait(heldMs - s.stepMs);
  return s.lift(100 + px, 100);
};

describe('one press', () => {
  it.each([
    [100, 0, 'click'],
    [100, 6, 'click'],
    [100, 7, 'drag'],
    [1000, 0, 'click'],
    [1001, 0, 'long_press'],
    [5000, 7, 'drag'],
  ])('held %i ms and moved %i px is a %s', (ms, px, kind) => {
    expect(kinds(gesture(script(), ms, px))).toEqual([kind]);
  });

  it('takes its thresholds from the policy', () => {
    expect(kinds(gesture(script(), 100, 7), { dragPx: 20 })).toEqual(['click']);
    expect(kinds(gesture(script(), 1500, 0), { longPressMs: 2000 })).toEqual(['click']);
  });

  it('is told where it began', () => {
    const there = element({ name: 'elsewhere' });
    const { actions } = reduce([script().press(3, 4).on(there).lift(90, 90).end().events]);
    expect(actions).toMatchObject([
      { action: 'drag', x: 3, y: 4, button: 'left', element: { name: 'Search' }, events: 2 },
    ]);
  });

  it.each(['right', 'middle', 'back', 'forward', 'other'] as const)('may be of the %s button', (button) => {
    expect(reduce([script().click(1, 1, button).end().events]).actions).toMatchObject([{ action: 'click', button }]);
  });

  it('is not mixed up with another button', () => {
    const s = script().press(1, 1, 'left').press(50, 50, 'right').lift(1, 1, 'left').lift(90, 90, 'right');
    expect(reduce([s.end().events]).actions.map(({ action, button }) => [action, button])).toEqual([
      ['click', 'left'],
      ['drag', 'right'],
    ]);
  });
});

describe('two presses', () => {
  const twice = (apartMs: number, px = 0, second: 'left' | 'right' = 'left', heldMs = 50): Script => {
    const s = script({ stepMs: heldMs }).click(100, 100);
    return s.wait(apartMs - 2 * heldMs).click(100 + px, 100, second);
  };
  it.each<[string, Script, string[]]>([
    ['at the time limit', twice(500), ['double_click']],
    ['just over it', twice(501), ['click', 'click']],
    ['just inside of the distance', twice(200, 3), ['double_click']],
    ['at the distance', twice(200, 4), ['click', 'click']],
    ['with different buttons', twice(200, 0, 'right'), ['click', 'click']],
    ['held just short enough', twice(499, 0, 'left', 249), ['double_click']],
    ['in reverse order of time', twice(-200), ['click', 'click']],
  ])('%s', (_what, written, expected) => {
    expect(kinds(written)).toEqual(expected);
  });
  it('held too long are no double click', () => {
    const s = gesture(script(), 500, 0).wait(-400);
    expect(kinds(gesture(s, 50, 0))).toEqual(['click', 'click']);
  });
  it('that moved are no double click', () => {
    const s = gesture(script({ stepMs: 20 }), 20, 4);
    expect(kinds(gesture(s, 20, 0))).toEqual(['click', 'click']);
  });
  it('and a third are a double click and a click', () => {
    expect(kinds(script({ stepMs: 20 }).click().click().click())).toEqual(['double_click', 'click']);
  });
  it('with an action between them are two clicks', () => {
    expect(kinds(script({ stepMs: 20 }).click().wheel(1).click())).toEqual(['click', 'scroll', 'click']);
  });
});

describe('what grows', () => {
  it('scrolls in one direction, whatever the time between', () => {
    const { actions } = reduce([script().wheel(-1).wait(3_600_000).wheel(-2).wheel(5).end().events]);
    expect(actions.map(({ direction, times }) => [direction, times])).toEqual([
      ['down', 2],
      ['up', 1],
    ]);
  });
  it.each([
    [3, 0, 'up'],
    [-3, 0, 'down'],
    [0, 3, 'right'],
    [0, -3, 'left'],
    [1, -3, 'left'],
    [3, -3, 'up'],
  ])('a wheel of %i, %i goes %s', (dy, dx, direction) => {
    expect(reduce([script().wheel(dy, dx).end().events]).actions).toMatchObject([{ action: 'scroll', direction }]);
  });
  it('scrolls in another page are another scroll', () => {
    expect(
      kinds(
        script()
          .wheel(1)
          .in(context({ url: 'https://a.example' }))
          .wheel(1),
      ),
    ).toEqual(['scroll', 'scroll']);
  });
  it('repeats of a key', () => {
    const { actions } = reduce([script().down('Tab').down('Tab').down('Tab').down('Enter').end().events]);
    expect(actions.map(({ key, times }) => [key, times])).toEqual([
      ['Tab', 3],
      ['Enter', 1],
    ]);
  });
  it('repeats of a key elsewhere are told apart', () => {
    expect(
      kinds(
        script()
          .down('Tab')
          .on(element({ name: 'Next' }))
          .down('Tab'),
      ),
    ).toEqual(['press', 'press']);
  });
  it('repeats of a shortcut, which is no key', () => {
    expect(kinds(script().down('Ctrl+Z').down('Ctrl+Z').down('Z'))).toEqual(['shortcut', 'press']);
  });
  it('edits, arrivals and stays away', () => {
    expect(kinds(script().edit('a').edit('b').focus().focus().navigate().navigate())).toEqual([
      'edit',
      'focus',
      'navigate',
    ]);
  });
  it('never runs of typing nor uses of the clipboard', () => {
    expect(kinds(script().compose('x').compose('x').clipboard('copy', '').clipboard('copy', ''))).toEqual([
      'type',
      'type',
      'clipboard',
      'clipboard',
    ]);
  });
});

describe('what is not finished', () => {
  it('a press without a release, and the other way round, are counted', () => {
    const { actions, dropped } = reduce([script().lift().press().press().lift().press().end().events]);
    expect(actions.map(({ action }) => action)).toEqual(['click']);
    expect(dropped).toEqual({ incomplete_gesture: 3, session_marker: 1 });
  });
  it('a gap gives up what began before it', () => {
    const batches = [script().press().events, script().lift().end().events];
    expect(reduce(batches, {}, 1)).toMatchObject({ actions: [], dropped: { incomplete_gesture: 2 } });
    expect(reduce(batches).actions).toHaveLength(1);
  });
  it('a stay away gives up what began before it', () => {
    const reducer = reduceToActions({ policy: policyWith().gestures });
    const batch = keyless(script().press().events);
    const away = { kind: 'away', at: 0, context: -1, element: -1 } as const;
    const outcome = reducer.process({
      ...batch,
      events: [...batch.events, away, away, ...keyless(script().lift().end().events).events],
    });
    expect(outcome).toMatchObject({
      batch: {
        actions: [{ action: 'away', events: 0, context: null, element: null, times: 1 }],
        dropped: { incomplete_gesture: 2, session_marker: 1 },
      },
    });
  });
  it('is pending until the session ends', () => {
    expect(reduce([script().press().events]).pending).toBe(1);
    expect(reduce([script().click().events])).toMatchObject({ actions: [], pending: 2 });
    expect(reduce([script().click().end().events]).pending).toBe(0);
  });
});

it('pointer paths are dropped', () => {
  const { actions, dropped } = reduce([script().move(1, 1).press().move(2, 2).lift().move(3, 3).end().events]);
  expect(actions).toHaveLength(1);
  expect(dropped).toEqual({ pointer_path: 3, session_marker: 1 });
});

it('actions are the same wherever the batches are cut', () => {
  const s = script({ stepMs: 30 }).click().click().wheel(1).wheel(1).focus().press().move(2, 2).lift(50, 50);
  const { events } = s.down('Tab').down('Tab').compose('x').edit('a').edit('b').end();
  const whole = reduce([events]).actions;
  for (let at = 1; at < events.length; at++) expect(reduce(cut(events, [at])).actions).toEqual(whole);
});

it('an action knows how much had been typed when it was done', () => {
  const reducer = reduceToActions({ policy: policyWith().gestures });
  const batch = keyless(script().wheel(1).wheel(1).click().end().events);
  const [first, second, ...rest] = batch.events;
  if (first === undefined || second === undefined) throw new Error('unreachable');
  const told = (echoes: number): KeylessEvent => ({ kind: 'remembered', echoes });
  const outcome = reducer.process({ ...batch, events: [told(1), first, told(2), second, told(3), ...rest] });
  expect(outcome).toMatchObject({ batch: { actions: [{ echoes: 1 }, { echoes: 3 }] } });
});
