/** What the playground's page tells of events, without a page. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf, type Fate, type SeenEvent } from '../../../clients/playground/events.ts';
import { fatesOf } from '../../../clients/playground/fates.ts';
import { createModel } from '../../../clients/playground/model.ts';
import { RAW_KINDS } from '../../../src/events/raw.ts';
import type { ProcessedBatch } from '../../../src/runtime/playground/protocol.ts';
import { DROPPED } from '../../../src/runtime/playground/reasons.ts';

const dropped = Object.fromEntries(
  Object.entries(DROPPED).map(([name, { why, kinds }]) => [name, { why, kinds: [...kinds] }]),
);

const event = (kind: SeenEvent['kind'], change: Partial<SeenEvent> = {}): SeenEvent => ({
  kind,
  title: 'T',
  url: 'http://x/',
  role: '',
  name: '',
  ...change,
});
const typed = (text: string): SeenEvent[] =>
  Array.from(text).flatMap((key) => [event('key_down', { key }), event('key_up', { key })]);
const result = (change: Partial<ProcessedBatch> = {}): ProcessedBatch => ({
  policy: 'strict',
  session: 's',
  sequence: 0,
  kind: 'keep',
  reason: null,
  read: 0,
  dropped: {},
  quarantined: 0,
  released: 0,
  batch: null,
  ...change,
});
const anyEvent = fc
  .record({
    kind: fc.constantFrom(...RAW_KINDS),
    key: fc.constantFrom('a', 'Shift', 'Enter'),
    title: fc.constantFrom('A', 'B'),
  })
  .map(({ kind, key, title }) => event(kind, { title, ...(kind.startsWith('key') ? { key } : {}) }));
const anyFate: fc.Arbitrary<Fate> = fc.oneof(
  fc.constantFrom<Fate>({ kind: 'kept' }, { kind: 'waiting' }, { kind: 'unsent' }),
  fc.constantFrom('key_up', 'late').map((reason): Fate => ({ kind: 'lost', reason })),
);

describe('lines', () => {
  it('hold every event once', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyEvent, anyFate)), (pairs) => {
        const lines = linesOf(
          pairs.map(([one]) => one),
          pairs.map(([, fate]) => fate),
        );
        expect(lines.reduce((sum, line) => sum + line.events, 0)).toBe(pairs.length);
        for (const kind of ['kept', 'waiting', 'unsent', 'lost'] as const) {
          const of = lines.filter(({ fate }) => fate.kind === kind).reduce((sum, line) => sum + line.events, 0);
          expect(of).toBe(pairs.filter(([, fate]) => fate.kind === kind).length);
        }
      }),
    );
  });

  it('show what is typed in one piece, and releases as a number', () => {
    const events = typed('hi');
    const lines = linesOf(
      events,
      events.map(() => ({ kind: 'kept' })),
    );
    expect(lines.map(({ what, pieces }) => [what, pieces.map(({ text }) => text).join()])).toEqual([
      ['in', 'T,http://x/'],
      ['typed', 'hi'],
      ['2 key releases', ''],
    ]);
  });
});

describe('a field that was cleared', () => {
  it('is shown as empty, and no piece of a line is without a text', () => {
    const cleared = { title: '', text: '', role: 'textbox' };
    const events = [event('value_change', cleared), event('composition', cleared)];
    const lines = linesOf(events, []);
    expect(lines[1]?.pieces.map(({ text }) => text)).toEqual(['(empty)', 'textbox']);
    expect(lines.flatMap(({ pieces }) => pieces).filter(({ text }) => text === '')).toEqual([]);
  });
});

describe('fates', () => {
  const kindsOf = (fates: readonly Fate[]): readonly string[] =>
    fates.map((fate) => (fate.kind === 'lost' ? fate.reason : fate.kind));

  it('are not known before the processors have told', () => {
    const events = [event('focus')];
    const both = fatesOf(
      [
        { events, isSent: true, result: undefined },
        { events, isSent: false, result: undefined },
      ],
      dropped,
    );
    expect(both.map(kindsOf)).toEqual([['processing'], ['unsent']]);
  });

  it('of typing are to wait, until a later batch ends it', () => {
    const first = { events: typed('ab'), isSent: true, result: result({ read: 4, dropped: { key_up: 2 } }) };
    const [open] = fatesOf([first], dropped);
    expect(kindsOf(open ?? [])).toEqual(['waiting', 'key_up', 'waiting', 'key_up']);
    const click = { events: [event('focus')], isSent: true, result: result({ sequence: 1, read: 1, released: 3 }) };
    const [ended, after] = fatesOf([first, click], dropped);
    expect([kindsOf(ended ?? []), kindsOf(after ?? [])]).toEqual([['kept', 'key_up', 'kept', 'key_up'], ['kept']]);
  });

  it('are to wait for what can still grow, before what cannot', () => {
    const events = [event('pointer_down'), event('focus'), event('pointer_up'), event('focus')];
    const told = result({ read: 4, released: 2 });
    const [fates] = fatesOf([{ events, isSent: true, result: told }], dropped);
    expect(kindsOf(fates ?? [])).toEqual(['waiting', 'kept', 'waiting', 'kept']);
  });

  it('are the whole batch’s where it was dropped or quarantined', () => {
    const events = typed('a');
    for (const [kind, reason] of [
      ['drop', 'paused'],
      ['quarantine', 'bad_payload'],
    ] as const) {
      const [fates] = fatesOf([{ events, isSent: true, result: result({ kind, reason, read: 2 }) }], dropped);
      expect(kindsOf(fates ?? [])).toEqual([reason, reason]);
    }
  });

  it('are told of no single event where the counts leave a doubt', () => {
    const events = [event('pointer_down'), event('pointer_up'), event('pointer_down')];
    const told = result({ read: 3, released: 2, dropped: { incomplete_gesture: 1 } });
    const [fates] = fatesOf([{ events, isSent: true, result: told }], dropped);
    expect(kindsOf(fates ?? [])).toEqual(['kept', 'kept', 'kept']);
  });

  it('tell of no more losses than there were', () => {
    const counts = fc.record({
      key_up: fc.nat(5),
      modifier: fc.nat(5),
      pointer_path: fc.nat(5),
      unfinished: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(anyEvent), counts, (events, drops) => {
        const [fates = []] = fatesOf(
          [{ events, isSent: true, result: result({ read: events.length, dropped: drops }) }],
          dropped,
        );
        for (const [name, count] of Object.entries(drops)) {
          expect(kindsOf(fates).filter((kind) => kind === name).length).toBeLessThanOrEqual(count);
        }
      }),
    );
  });
});

describe('the model', () => {
  it('matches batches by session and number, for each policy, newest first', () => {
    const model = createModel(dropped);
    model.saw(event('focus'), { id: 's', batch: 0 });
    model.saw(event('navigate'), { id: 's', batch: 2 });
    model.sent('s', 0);
    model.processed(result({ read: 1, released: 1 }));
    model.processed(result({ read: 1, released: 1, session: 'of another tab' }));
    const [newest, oldest] = model.shown('strict');
    expect(newest).toMatchObject({ sequence: 2, result: undefined, fates: [{ kind: 'unsent' }] });
    expect(oldest).toMatchObject({ sequence: 0, fates: [{ kind: 'kept' }] });
    expect(model.shown('balanced')[1]).toMatchObject({ result: undefined, fates: [{ kind: 'processing' }] });
  });
});
