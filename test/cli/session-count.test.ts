import { describe, expect, it } from 'vitest';
import { SessionCounter } from '../../src/cli/session-count.ts';

function countOf(counter: SessionCounter, rows: readonly (readonly [string, string])[]): object {
  for (const [date, session] of rows) counter.add({ date, session });
  return counter.result();
}

describe('session pseudonyms', () => {
  it('are counted once each, also in several files of a date', () => {
    const rows = ['a', 'a', 'b', 'a', 'c'].map((session) => ['2026-11-01', session] as const);
    expect(countOf(new SessionCounter(), [...rows, ['2026-11-02', 'd']])).toEqual({ sessions: 4, isMore: false });
    expect(countOf(new SessionCounter(), [])).toEqual({ sessions: 0, isMore: false });
  });

  it('are remembered of one date only, up to a number, and that there are more is told', () => {
    const [first, second] = ['2026-11-01', '2026-11-02'];
    const full = [first, second].flatMap((date) => ['a', 'b'].map((session) => [date, `${date}${session}`] as const));
    expect(countOf(new SessionCounter(2), [...full, [second, `${second}a`]])).toEqual({ sessions: 4, isMore: false });
    const more = [[first, 'c'] as const, ...full];
    expect(countOf(new SessionCounter(2), more)).toEqual({ sessions: 4, isMore: true });
  });
});
