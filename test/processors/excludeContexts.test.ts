import { describe, expect, it } from 'vitest';
import type { Context } from '../../src/events/raw.ts';
import { createContextRule } from '../../src/privacy/contexts.ts';
import { excludeContexts } from '../../src/processors/excludeContexts.ts';
import { policyWith } from '../helpers/line.ts';
import { context, cut, opened, script, type Placed, type Script } from '../helpers/recording.ts';

const BANK = context({ app: 'Bank' });
const WORD = context();

interface Visible {
  readonly kinds: readonly string[];
  readonly dropped: Readonly<Record<string, number>>;
}

function exclude(
  batches: readonly (readonly Placed[])[],
  unknown: 'keep' | 'drop' = 'keep',
  gapBefore?: number,
): Visible {
  const excluder = excludeContexts({ isExcluded: ({ app }: Context) => app === 'Bank', unknown });
  const kinds: string[] = [];
  const dropped: Record<string, number> = {};
  for (const [i, placed] of batches.entries()) {
    if (i === gapBefore) excluder.onGap();
    const outcome = excluder.process(opened(placed));
    if (outcome.kind !== 'keep') throw new Error('the excluder keeps every batch');
    // What is only heard is no event any more: see its own test.
    kinds.push(...outcome.batch.events.map(({ kind }) => kind).filter((kind) => kind !== 'overheard'));
    for (const [reason, n] of Object.entries(outcome.batch.dropped)) dropped[reason] = (dropped[reason] ?? 0) + n;
  }
  return { kinds, dropped };
}

const there = (s: Script): Script => s.in(BANK).focus().type('a').in(WORD);

describe('excludeContexts', () => {
  it('makes one away of a whole stay', () => {
    expect(exclude([there(script().wheel(1)).wheel(1).end().events])).toEqual({
      kinds: ['wheel', 'away', 'wheel', 'session_end'],
      dropped: { excluded_context: 3 },
    });
  });

  it('says nothing of the place, and lets only what may enter text be heard', () => {
    const excluder = excludeContexts({ isExcluded: () => true, unknown: 'keep' });
    const outcome = excluder.process(opened(script().move(1, 1).wheel(1).type('a').events));
    if (outcome.kind !== 'keep') throw new Error('the excluder keeps every batch');
    expect(outcome.batch.events).toMatchObject([
      { kind: 'away', context: -1, element: -1 },
      { kind: 'overheard', context: -1, event: { kind: 'key_down', key: 'a' } },
    ]);
  });

  it('makes one of a stay over several batches', () => {
    const { events } = script().wheel(1).in(BANK).focus().type('abc').in(WORD).wheel(1).end();
    const whole = exclude([events]);
    for (let at = 1; at < events.length; at++) expect(exclude(cut(events, [at]))).toEqual(whole);
    expect(whole.kinds.filter((kind) => kind === 'away')).toHaveLength(1);
  });

  it('makes another of each stay', () => {
    expect(exclude([there(there(script()).wheel(1)).end().events]).kinds).toEqual([
      'away',
      'wheel',
      'away',
      'session_end',
    ]);
  });

  it('takes unknown contexts for the place that they interrupt', () => {
    const s = script().in(BANK).focus().in(null).type('a').in(WORD).wheel(1).in(null).wheel(1);
    expect(exclude([s.events])).toEqual({ kinds: ['away', 'wheel', 'wheel'], dropped: { excluded_context: 3 } });
  });

  it('drops unknown contexts where the policy says so', () => {
    const s = script().in(null).type('a').in(WORD).wheel(1);
    expect(exclude([s.events], 'drop')).toEqual({ kinds: ['wheel'], dropped: { unknown_context: 2 } });
    expect(exclude([s.events], 'keep')).toEqual({ kinds: ['key_down', 'key_up', 'wheel'], dropped: {} });
  });

  it('keeps the end marker wherever it comes', () => {
    expect(exclude([script().in(BANK).focus().end().events])).toMatchObject({ kinds: ['away', 'session_end'] });
    expect(exclude([script().in(null).end().events], 'drop')).toEqual({ kinds: ['session_end'], dropped: {} });
  });

  it('after a gap takes no unknown context for a known one', () => {
    const batches = [script().wheel(1).events, script().in(null).type('a').in(WORD).wheel(1).in(null).wheel(1).events];
    expect(exclude(batches, 'keep', 1)).toEqual({
      kinds: ['wheel', 'wheel', 'wheel'],
      dropped: { unknown_context: 2 },
    });
  });
  it('before it has seen anything takes no unknown context for a known one, if something is missing', () => {
    const batch = script().in(null).type('a').in(WORD).wheel(1).in(null).wheel(1).events;
    expect(exclude([batch], 'keep', 0)).toEqual({ kinds: ['wheel', 'wheel'], dropped: { unknown_context: 2 } });
    expect(exclude([batch]).kinds).toEqual(['key_down', 'key_up', 'wheel', 'wheel']);
  });
  it('after a gap goes on with a recorder that sees no contexts', () => {
    const batches = [script().in(null).wheel(1).events, script().in(null).wheel(1).events];
    expect(exclude(batches, 'keep', 1)).toEqual({ kinds: ['wheel', 'wheel'], dropped: {} });
  });

  it('knows the strict policy’s places', () => {
    const excluder = excludeContexts({
      isExcluded: createContextRule(policyWith()),
      unknown: 'keep',
    });
    const places = [
      context({ private: true }),
      context({ app: 'KeePassXC' }),
      context({ url: 'https://app.slack.com/' }),
    ];
    for (const place of places) {
      const outcome = excluder.process(opened(script({ context: place }).type('a').events));
      expect(outcome).toMatchObject({ batch: { dropped: { excluded_context: 2 } } });
    }
  });
});
