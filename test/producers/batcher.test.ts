import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CapturePayload, Context, UiElement } from '../../src/events/raw.ts';
import { BATCH_LIMITS, createBatcher, type EventBody } from '../../src/producers/batcher.ts';

const context = (title: string): Context => ({ app: 'Editor', title, url: '', private: false });
const element = (name: string): UiElement => ({ role: 'button', name, value: '', secure: false, bounds: null });
const move = (at: number): EventBody => ({ kind: 'pointer_move', at, x: 1, y: 2 });

type Step = readonly [event: EventBody, context: Context | null, element: UiElement | null];

function run(steps: readonly Step[], limits = {}): CapturePayload[] {
  const batcher = createBatcher({ subject: 'ada', device: 'pc', limits });
  const payloads = steps.map(([event, c, e]) => batcher.add(event, c, e));
  return [...payloads, batcher.flush()].filter((p) => p !== undefined);
}

describe('batcher', () => {
  test('a batch holds each context and element once, whether the same object or an equal one', () => {
    const [payload, ...more] = run([
      [move(1), context('a'), element('x')],
      [move(2), context('a'), element('x')],
      [move(3), context('b'), null],
      [move(4), context('a'), element('y')],
      [move(5), null, element('x')],
    ]);
    expect(more).toEqual([]);
    expect(payload?.contexts).toEqual([context('a'), context('b')]);
    expect(payload?.elements).toEqual([element('x'), element('y')]);
    expect(payload?.events.map((e) => [e.context, e.element])).toEqual([
      [0, 0],
      [0, 0],
      [1, -1],
      [0, 1],
      [-1, 0],
    ]);
    expect(payload).toMatchObject({ subject: 'ada', device: 'pc' });
  });

  test('elements that differ in one field only are two', () => {
    const base = element('x');
    const others: UiElement[] = [
      { ...base, role: 'link' },
      { ...base, value: 'v' },
      { ...base, secure: true },
      { ...base, bounds: { x: 0, y: 0, width: 0, height: 0 } },
      { ...base, bounds: { x: 0, y: 0, width: 0, height: 1 } },
    ];
    const [payload] = run([base, ...others].map((e, i) => [move(i), null, e]));
    expect(payload?.elements).toHaveLength(1 + others.length);
  });

  test('contexts that differ in one field only are two; a private window is never taken for another', () => {
    const base = context('a');
    const others: Context[] = [
      { ...base, app: 'Mail' },
      { ...base, title: 'b' },
      { ...base, url: 'https://x.test/' },
      { ...base, private: true },
    ];
    const [payload] = run([base, ...others].map((c, i) => [move(i), c, null]));
    expect(payload?.contexts).toEqual([base, ...others]);
  });

  test('texts cannot run into each other', () => {
    const one: Context = { app: 'a","b', title: '', url: '', private: false };
    const two: Context = { app: 'a', title: 'b', url: '', private: false };
    expect(
      run([
        [move(1), one, null],
        [move(2), two, null],
      ])[0]?.contexts,
    ).toEqual([one, two]);
  });

  test('a batch ends after 5 seconds of device time, in either direction', () => {
    const sizes = (...times: number[]) => run(times.map((at) => [move(at), null, null])).map((p) => p.events.length);
    expect(sizes(10_000, 15_000)).toEqual([2]);
    expect(sizes(10_000, 15_001)).toEqual([1, 1]);
    expect(sizes(10_000, 4_999)).toEqual([1, 1]);
    expect(sizes(10_000, 5_000)).toEqual([2]);
  });

  test('a batch ends after 1,000 events', () => {
    const steps = Array.from({ length: 2_500 }, (_, i): Step => [move(i), null, null]);
    expect(run(steps).map((p) => p.events.length)).toEqual([1_000, 1_000, 500]);
  });

  test('a batch ends before its texts pass the limit; contexts and elements count once', () => {
    const text = 'ü'.repeat(50);
    const copy = (at: number): EventBody => ({ kind: 'clipboard', at, op: 'copy', text });
    expect(
      run(
        [1, 2, 3].map((at) => [copy(at), null, null]),
        { maxTextBytes: 200 },
      ).map((p) => p.events.length),
    ).toEqual([2, 1]);
    const titled = context('x'.repeat(90));
    expect(
      run(
        [1, 2, 3].map((at) => [move(at), titled, null]),
        { maxTextBytes: 100 },
      ),
    ).toHaveLength(1);
    expect(
      run(
        [
          [move(1), titled, null],
          [move(2), context('y'.repeat(90)), null],
        ],
        { maxTextBytes: 100 },
      ),
    ).toHaveLength(2);
  });

  test('an event with more text than the limit has a batch of its own', () => {
    const big: EventBody = { kind: 'value_change', at: 2, value: 'v'.repeat(300) };
    const sizes = run(
      [
        [move(1), null, null],
        [big, null, null],
        [move(3), null, null],
      ],
      { maxTextBytes: 200 },
    );
    expect(sizes.map((p) => p.events.length)).toEqual([1, 1, 1]);
  });

  test('each batch stands alone', () => {
    const [first, second] = run([
      [move(0), context('a'), element('x')],
      [move(9_000), context('a'), element('x')],
    ]);
    expect(first?.contexts).toEqual(second?.contexts);
    expect(second?.events).toEqual([{ kind: 'pointer_move', at: 9_000, x: 1, y: 2, context: 0, element: 0 }]);
  });

  test('property: no event is lost, changed or moved, and every batch keeps its limits', () => {
    const step = fc.tuple(
      fc.integer({ min: 0, max: 20_000 }),
      fc.option(fc.constantFrom('a', 'b', 'c'), { nil: null }),
      fc.option(fc.constantFrom('x', 'y'), { nil: null }),
      fc.string({ maxLength: 40 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 20 }), (given, maxEvents) => {
        const steps = given.map(([at, c, e, value]): Step => [
          { kind: 'value_change', at, value },
          c === null ? null : context(c),
          e === null ? null : element(e),
        ]);
        const payloads = run(steps, { maxEvents });
        const back = payloads.flatMap((p) =>
          p.events.map(({ context: c, element: e, ...event }) => [event, p.contexts[c] ?? null, p.elements[e] ?? null]),
        );
        expect(back).toEqual(steps);
        for (const { events } of payloads) {
          expect(events.length).toBeLessThanOrEqual(maxEvents);
          for (const { at } of events)
            expect(Math.abs(at - (events[0]?.at ?? 0))).toBeLessThanOrEqual(BATCH_LIMITS.maxMillis);
        }
      }),
    );
  });
});
