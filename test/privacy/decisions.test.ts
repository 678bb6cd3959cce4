import { describe, expect, it } from 'vitest';
import { askErasure, DecisionError, makeDecision } from '../../src/privacy/decisions.ts';

const input = { subjectKey: 'ab'.repeat(32), now: 1_741_600_000_000, randomId: () => 'id-1' };

describe('makeDecision', () => {
  it('makes a pause with its end', () => {
    expect(makeDecision('pause', { ...input, minutes: 10 })).toEqual({
      subjectKey: input.subjectKey,
      decisionId: 'id-1',
      kind: 'pause',
      decidedAt: input.now,
      until: input.now + 600_000,
    });
    expect(makeDecision('pause', { ...input, minutes: 30 }).until).toBe(input.now + 1_800_000);
  });

  it.each(['enrol', 'resume', 'withdraw', 'exempt'] as const)('makes %s without an end', (kind) => {
    expect(makeDecision(kind, input)).toMatchObject({ kind, until: null });
    expect(() => makeDecision(kind, { ...input, minutes: 5 })).toThrow(/leave --minutes out/u);
  });

  it.each([undefined, 0, -1, 30.01, 31, NaN, Infinity])(
    'refuses a pause of %s minutes and says what to do',
    (minutes) => {
      const pause = (): unknown => makeDecision('pause', minutes === undefined ? input : { ...input, minutes });
      expect(pause).toThrow(DecisionError);
      expect(pause).toThrow(/--minutes 1\.\.30/u);
    },
  );

  it('refuses what is no subject key, without repeating it', () => {
    const withName = (): unknown => makeDecision('enrol', { ...input, subjectKey: 'jane.doe@corp.example' });
    expect(withName).toThrow(DecisionError);
    expect(withName).not.toThrow(/jane/u);
  });

  it('refuses a clock that gives no whole milliseconds', () => {
    expect(() => makeDecision('enrol', { ...input, now: NaN })).toThrow(DecisionError);
  });
});

describe('askErasure', () => {
  const person = { subjectKey: input.subjectKey, by: 'person', randomId: () => 'new' } as const;
  const open = {
    subjectKey: input.subjectKey,
    by: 'operator',
    erasureId: 'old',
    requestedAt: 100,
    doneAt: null,
  } as const;
  const done = { ...open, doneAt: 150, rows: 3, sessions: 1 };
  const nothing = { rows: 0, sessions: 0 };

  it('is a new one, unless one is under way, which it is then', () => {
    const asked = { subjectKey: input.subjectKey, by: 'person', erasureId: 'new', requestedAt: 200, doneAt: null };
    expect(askErasure(undefined, { ...person, now: 200 })).toEqual({ ...asked, ...nothing });
    expect(askErasure(done, { ...person, now: 200 })).toEqual({ ...asked, ...nothing });
    const again = askErasure({ ...open, ...nothing }, { ...person, now: 200 });
    expect(again).toEqual({ ...asked, erasureId: 'old', ...nothing });
  });

  it('is later than the one before, by whatever clock', () => {
    expect(askErasure(done, { ...person, now: 90 }).requestedAt).toBe(101);
    expect(askErasure({ ...open, ...nothing }, { ...person, now: 100 }).requestedAt).toBe(101);
  });
});
