import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONSENT_KINDS, type ConsentDecision, type ConsentKind } from '../../src/events/control.ts';
import { createConsentTimeline, type ConsentTimeline, type ConsentVerdict } from '../../src/privacy/consent.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const GUARD = 5 * SECOND;
/** Noon of a day; tests count from here. */
const T0 = Date.UTC(2025, 2, 10, 12);
const ANA = 'a'.repeat(64);

let ids = 0;
function decision(
  kind: ConsentKind,
  decidedAt: number,
  until: number | null = null,
  subjectKey = ANA,
): ConsentDecision {
  ids += 1;
  return { subjectKey, decisionId: `d${ids}`, kind, decidedAt, until };
}

function timeline(...decisions: ConsentDecision[]): ConsentTimeline {
  const table = createConsentTimeline({ guardMs: GUARD });
  for (const each of decisions) table.apply(each);
  return table;
}

const reasonOf = (verdict: ConsentVerdict): string => (verdict.allowed ? 'allowed' : verdict.reason);
const intervalsOf = (verdict: ConsentVerdict): unknown => (verdict.allowed ? verdict.pausedIntervals : verdict.reason);

describe('enrolment', () => {
  it('collects nothing of someone unknown', () => {
    expect(reasonOf(timeline().judge(ANA, T0, T0))).toBe('not_enrolled');
    expect(reasonOf(timeline(decision('enrol', 0, null, 'b'.repeat(64))).judge(ANA, T0, T0))).toBe('not_enrolled');
  });

  it('counts from its own millisecond, without the guard', () => {
    const table = timeline(decision('enrol', T0));
    expect(reasonOf(table.judge(ANA, T0, T0))).toBe('allowed');
    expect(reasonOf(table.judge(ANA, T0 - 1, T0 + MINUTE))).toBe('not_enrolled');
  });

  it('is not had by pausing or resuming', () => {
    const table = timeline(decision('pause', T0, T0 + MINUTE), decision('resume', T0 + MINUTE));
    expect(reasonOf(table.judge(ANA, T0 + 10 * MINUTE, T0 + 11 * MINUTE))).toBe('not_enrolled');
  });

  it.each(['withdraw', 'exempt'] as const)('comes back after %s by enrolling again, for later sessions', (kind) => {
    const reason = kind === 'withdraw' ? 'withdrawn' : 'exempt';
    const table = timeline(decision('enrol', T0), decision(kind, T0 + MINUTE), decision('enrol', T0 + 2 * MINUTE));
    expect(reasonOf(table.judge(ANA, T0 + 90 * SECOND, T0 + 3 * MINUTE))).toBe(reason);
    expect(reasonOf(table.judge(ANA, T0 + 2 * MINUTE, T0 + 3 * MINUTE))).toBe('allowed');
    expect(reasonOf(table.judge(ANA, T0, T0 + 3 * MINUTE))).toBe(reason);
  });

  it.each(['withdraw', 'exempt'] as const)('loses to %s in the same millisecond', (kind) => {
    const table = timeline(decision(kind, T0), decision('enrol', T0));
    expect(reasonOf(table.judge(ANA, T0 + MINUTE, T0 + MINUTE))).toBe(kind === 'withdraw' ? 'withdrawn' : 'exempt');
  });
});

describe.each(['withdraw', 'exempt', 'pause'] as const)('%s', (kind) => {
  const at = T0 + 10 * MINUTE;
  const table = timeline(decision('enrol', T0 - MINUTE), decision(kind, at, kind === 'pause' ? at + MINUTE : null));
  const reason = { withdraw: 'withdrawn', exempt: 'exempt', pause: 'paused' }[kind];

  it('ends the sessions granted before it: from the guard before it on, batches are dropped', () => {
    expect(reasonOf(table.judge(ANA, T0, at - GUARD - 1))).toBe('allowed');
    expect(reasonOf(table.judge(ANA, T0, at - GUARD))).toBe(reason);
    expect(reasonOf(table.judge(ANA, T0, at + SECOND))).toBe(reason);
  });

  it('reaches sessions granted within the guard after it', () => {
    expect(reasonOf(table.judge(ANA, at + GUARD, at + GUARD))).toBe(reason);
  });

  it('reaches them although the person was enrolled, or resumed, in between', () => {
    const back = decision(kind === 'pause' ? 'resume' : 'enrol', at + 1);
    const again = timeline(decision('enrol', T0 - MINUTE), decision(kind, at, at + MINUTE), back);
    expect(again.judge(ANA, at + GUARD, at + MINUTE).allowed).toBe(false);
    expect(again.judge(ANA, at + GUARD + 2, at + MINUTE).allowed).toBe(true);
  });

  it('takes stamps in the wrong order for a batch received at its grant', () => {
    expect(reasonOf(table.judge(ANA, at, at - MINUTE))).toBe(reason);
  });

  it('does not touch others', () => {
    const other = 'c'.repeat(64);
    table.apply(decision('enrol', T0 - MINUTE, null, other));
    expect(reasonOf(table.judge(other, T0, at))).toBe('allowed');
  });
});

describe('a pause', () => {
  const enrol = decision('enrol', T0 - MINUTE);

  it('ends sessions for good: when it is over they stay ended', () => {
    const table = timeline(enrol, decision('pause', T0 + MINUTE, T0 + 3 * MINUTE));
    expect(reasonOf(table.judge(ANA, T0, T0 + 3 * MINUTE))).toBe('paused');
    expect(reasonOf(table.judge(ANA, T0, T0 + 3 * MINUTE + 1))).toBe('session_ended_by_consent');
    expect(reasonOf(table.judge(ANA, T0, T0 + 20 * MINUTE))).toBe('session_ended_by_consent');
  });

  it('drops sessions granted in it, guard included, and no later ones', () => {
    const table = timeline(enrol, decision('pause', T0, T0 + 10 * MINUTE));
    expect(reasonOf(table.judge(ANA, T0 + 9 * MINUTE, T0 + 11 * MINUTE))).toBe('paused');
    expect(reasonOf(table.judge(ANA, T0 + 10 * MINUTE + GUARD, T0 + 11 * MINUTE))).toBe('paused');
    expect(reasonOf(table.judge(ANA, T0 + 10 * MINUTE + GUARD + 1, T0 + 11 * MINUTE))).toBe('allowed');
  });

  it('ends at the next resumption', () => {
    const table = timeline(enrol, decision('pause', T0, T0 + 10 * MINUTE), decision('resume', T0 + 2 * MINUTE));
    expect(reasonOf(table.judge(ANA, T0 + 2 * MINUTE, T0 + 5 * MINUTE))).toBe('paused');
    expect(reasonOf(table.judge(ANA, T0 + 2 * MINUTE + GUARD + 1, T0 + 5 * MINUTE))).toBe('allowed');
    expect(reasonOf(table.judge(ANA, T0 - GUARD - 1, T0 + 5 * MINUTE))).toBe('session_ended_by_consent');
  });

  it('holds against a resumption of the same millisecond', () => {
    const table = timeline(enrol, decision('resume', T0), decision('pause', T0, T0 + 10 * MINUTE));
    expect(reasonOf(table.judge(ANA, T0 + 5 * MINUTE, T0 + 6 * MINUTE))).toBe('paused');
  });

  it.each([
    ['longer than that', T0 + 24 * 60 * MINUTE],
    ['without an end', null],
    ['with an end before its beginning', T0 - MINUTE],
  ])('lasts 30 minutes when it is %s', (_, until) => {
    const table = timeline(enrol, decision('pause', T0, until));
    expect(reasonOf(table.judge(ANA, T0 + 30 * MINUTE, T0 + 31 * MINUTE))).toBe('paused');
    expect(reasonOf(table.judge(ANA, T0 + 30 * MINUTE + GUARD + 1, T0 + 31 * MINUTE))).toBe('allowed');
  });

  it('drops events by their own time, guard included, joined where pauses touch', () => {
    const pauses = [
      decision('pause', T0, T0 + 10 * MINUTE),
      decision('pause', T0 + 5 * MINUTE, T0 + 15 * MINUTE),
      decision('pause', T0 + 40 * MINUTE, T0 + 41 * MINUTE),
    ];
    const verdict = timeline(enrol, ...pauses).judge(ANA, T0 + 20 * MINUTE, T0 + 21 * MINUTE);
    expect(intervalsOf(verdict)).toEqual([
      [T0 - GUARD, T0 + 15 * MINUTE + GUARD],
      [T0 + 40 * MINUTE - GUARD, T0 + 41 * MINUTE + GUARD],
    ]);
  });

  it('counts for device times however far away: an imported recording is older than its grant', () => {
    const table = timeline(decision('enrol', 0), decision('pause', T0, T0 + MINUTE));
    const interval = [T0 - GUARD, T0 + MINUTE + GUARD];
    const year = 365 * 24 * 60 * MINUTE;
    expect(intervalsOf(table.judge(ANA, T0 + year, T0 + year))).toEqual([interval]);
    expect(intervalsOf(table.judge(ANA, T0 - MINUTE - year, T0 - year))).toEqual([interval]);
  });

  it('gives consecutive batches the same answer object', () => {
    const table = timeline(enrol, decision('pause', T0, T0 + MINUTE));
    const first = table.judge(ANA, T0 + 10 * MINUTE, T0 + 11 * MINUTE);
    expect(table.judge(ANA, T0 + 10 * MINUTE, T0 + 12 * MINUTE)).toBe(first);
    const unpaused = timeline(enrol);
    expect(unpaused.judge(ANA, T0, T0)).toBe(unpaused.judge(ANA, T0 + 1, T0 + 1));
  });
});

describe('an erasure', () => {
  const erasure = (requestedAt: number) => ({ subjectKey: ANA, requestedAt });

  it('drops all sessions granted up to it, guard included, and no later ones', () => {
    const table = timeline(decision('enrol', 0));
    table.applyErasure(erasure(T0));
    expect(reasonOf(table.judge(ANA, T0 - 1000 * MINUTE, T0 - 999 * MINUTE))).toBe('erased');
    expect(reasonOf(table.judge(ANA, T0 + GUARD, T0 + MINUTE))).toBe('erased');
    expect(reasonOf(table.judge(ANA, T0 + GUARD + 1, T0 + MINUTE))).toBe('allowed');
    expect(table.erasedUpTo(ANA)).toBe(T0);
  });

  it('counts up to the latest, in whatever order they come', () => {
    const table = timeline(decision('enrol', 0));
    for (const at of [T0, T0 + MINUTE, T0 - MINUTE]) table.applyErasure(erasure(at));
    expect(reasonOf(table.judge(ANA, T0 + MINUTE, T0 + 2 * MINUTE))).toBe('erased');
  });
});

describe('status', () => {
  it('says how a person stands at a moment', () => {
    const table = timeline(
      decision('enrol', T0),
      decision('pause', T0 + MINUTE, T0 + 5 * MINUTE),
      decision('resume', T0 + 3 * MINUTE),
      decision('exempt', T0 + 10 * MINUTE),
      decision('withdraw', T0 + 20 * MINUTE),
    );
    expect(table.status(ANA, T0 - 1)).toEqual({ kind: 'not_enrolled' });
    expect(table.status(ANA, T0)).toEqual({ kind: 'enrolled' });
    expect(table.status(ANA, T0 + 2 * MINUTE)).toEqual({ kind: 'paused', until: T0 + 3 * MINUTE });
    expect(table.status(ANA, T0 + 4 * MINUTE)).toEqual({ kind: 'enrolled' });
    expect(table.status(ANA, T0 + 10 * MINUTE)).toEqual({ kind: 'exempt' });
    expect(table.status(ANA, T0 + 30 * MINUTE)).toEqual({ kind: 'withdrawn' });
    expect(table.decisions(ANA).map(({ kind }) => kind)).toEqual(['enrol', 'pause', 'resume', 'exempt', 'withdraw']);
    expect(timeline().status(ANA, T0)).toEqual({ kind: 'not_enrolled' });
  });
});

it('refuses a guard that is no time', () => {
  expect(() => createConsentTimeline({ guardMs: NaN })).toThrow(RangeError);
  expect(() => createConsentTimeline({ guardMs: -1 })).toThrow(RangeError);
});

/** The rules again, by brute force over the plain list of decisions. */
function naive(
  decisions: readonly ConsentDecision[],
  erased: readonly number[],
  grantedAt: number,
  receivedAt: number,
): string {
  const received = Math.max(grantedAt, receivedAt);
  if (erased.some((at) => grantedAt <= at + GUARD)) return 'erased';
  const rank = { enrol: 0, exempt: 1, withdraw: 2, pause: -1, resume: -1 };
  let last: ConsentDecision | undefined;
  for (const each of decisions) {
    if (rank[each.kind] < 0 || each.decidedAt > grantedAt) continue;
    const later = last === undefined || each.decidedAt > last.decidedAt;
    if (later || (each.decidedAt === last?.decidedAt && rank[each.kind] > rank[last.kind])) last = each;
  }
  if (last === undefined) return 'not_enrolled';
  if (last.kind !== 'enrol') return last.kind === 'exempt' ? 'exempt' : 'withdrawn';
  const ends = (kind: ConsentKind): ConsentDecision[] =>
    decisions.filter(
      (each) => each.kind === kind && grantedAt <= each.decidedAt + GUARD && received >= each.decidedAt - GUARD,
    );
  if (ends('withdraw').length > 0) return 'withdrawn';
  if (ends('exempt').length > 0) return 'exempt';
  const windows = naiveWindows(decisions);
  if (windows.some(([from, to]) => grantedAt >= from - GUARD && grantedAt <= to + GUARD)) return 'paused';
  if (ends('pause').length === 0) return 'allowed';
  const over = windows.every(([from, to]) => from > received + GUARD || to < received);
  return over ? 'session_ended_by_consent' : 'paused';
}

function naiveWindows(decisions: readonly ConsentDecision[]): (readonly [number, number])[] {
  return decisions
    .filter(({ kind }) => kind === 'pause')
    .map((pause) => {
      const resumes = decisions.filter((each) => each.kind === 'resume' && each.decidedAt > pause.decidedAt);
      const until = pause.until !== null && pause.until > pause.decidedAt ? pause.until : Infinity;
      const end = Math.min(until, pause.decidedAt + 30 * MINUTE, ...resumes.map(({ decidedAt }) => decidedAt));
      return [pause.decidedAt, end] as const;
    });
}

// Few distinct moments a few seconds apart, so that boundaries and ties come up often.
const moment = fc
  .integer({ min: 0, max: 60 })
  .chain((minute) =>
    fc.constantFrom(-GUARD - 1, -GUARD, -1, 0, 1, GUARD, GUARD + 1).map((offset) => T0 + minute * MINUTE + offset),
  );
const anyDecision = fc.record({
  subjectKey: fc.constant(ANA),
  decisionId: fc.uuid(),
  kind: fc.constantFrom(...CONSENT_KINDS),
  decidedAt: moment,
  until: fc.option(moment),
});
const enrolledFirst = decision('enrol', T0 - 60 * MINUTE);
// Most people begin by enrolling; without it nearly all answers are `not_enrolled`.
const history = fc
  .tuple(fc.boolean(), fc.array(anyDecision, { maxLength: 8 }))
  .map(([enrolled, rest]) => (enrolled ? rest.concat(enrolledFirst) : rest));

function judged(
  decisions: readonly ConsentDecision[],
  grantedAt: number,
  receivedAt: number,
  erased: number[] = [],
): ConsentVerdict {
  const table = timeline(...decisions);
  for (const requestedAt of erased) table.applyErasure({ subjectKey: ANA, requestedAt });
  return table.judge(ANA, grantedAt, receivedAt);
}

describe('for any history', () => {
  it('answers as the rules do, read one by one', () => {
    fc.assert(
      fc.property(
        history,
        fc.array(moment, { maxLength: 1 }),
        moment,
        moment,
        (decisions, erased, grantedAt, receivedAt) => {
          const verdict = judged(decisions, grantedAt, receivedAt, erased);
          expect(reasonOf(verdict)).toBe(naive(decisions, erased, grantedAt, receivedAt));
          if (!verdict.allowed) return;
          for (const at of naiveWindows(decisions).flatMap(([from, to]) => [
            from - GUARD - 1,
            from - GUARD,
            to + GUARD,
            to + GUARD + 1,
          ])) {
            const inside = naiveWindows(decisions).some(([from, to]) => at >= from - GUARD && at <= to + GUARD);
            expect(verdict.pausedIntervals.some(([from, to]) => at >= from && at <= to)).toBe(inside);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('depends on the set of decisions only: not on order, repetition, or questions asked in between', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat()), moment, moment, (decisions, picks, grantedAt, receivedAt) => {
        const expected = judged(decisions, grantedAt, receivedAt);
        const shuffled = [...decisions, ...decisions].map((each) => ({ each, at: picks.next().value }));
        const table = timeline();
        for (const { each } of shuffled.sort((a, b) => a.at - b.at)) {
          table.apply(each);
          table.judge(ANA, grantedAt, receivedAt);
        }
        expect(table.judge(ANA, grantedAt, receivedAt)).toEqual(expected);
      }),
    );
  });

  it('never allows a denied batch, nor an event in a pause, because of one more pause, withdrawal or exemption', () => {
    const protective = anyDecision.filter(({ kind }) => kind !== 'enrol' && kind !== 'resume');
    fc.assert(
      fc.property(history, protective, moment, moment, (decisions, added, grantedAt, receivedAt) => {
        const before = judged(decisions, grantedAt, receivedAt);
        const after = judged([...decisions, added], grantedAt, receivedAt);
        if (!after.allowed) return;
        expect(before.allowed).toBe(true);
        for (const [from, to] of before.allowed ? before.pausedIntervals : []) {
          expect(after.pausedIntervals.some((wider) => wider[0] <= from && wider[1] >= to)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('lets an enrolment or a resumption open only what was granted from then on', () => {
    const opening = anyDecision.filter(({ kind }) => kind === 'enrol' || kind === 'resume');
    fc.assert(
      fc.property(history, opening, moment, moment, (decisions, added, grantedAt, receivedAt) => {
        const opened =
          !judged(decisions, grantedAt, receivedAt).allowed &&
          judged([...decisions, added], grantedAt, receivedAt).allowed;
        expect(!opened || grantedAt >= added.decidedAt).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('judging again, in a replay', () => {
  const capturedAt = T0 + 10 * MINUTE;
  const again = (table: ConsentTimeline): string => reasonOf(table.judgeAgain(ANA, T0, capturedAt));

  it.each(['withdraw', 'exempt'] as const)(
    'refuses all of a person after %s, also what was captured before',
    (kind) => {
      const table = timeline(decision('enrol', T0), decision(kind, T0 + 300 * MINUTE));
      expect(reasonOf(table.judge(ANA, T0, capturedAt))).toBe('allowed');
      expect(again(table)).toBe(kind === 'withdraw' ? 'withdrawn' : 'exempt');
    },
  );

  it('refuses all of a person who asked for an erasure, also what was captured since', () => {
    const table = timeline(decision('enrol', T0));
    table.applyErasure({ subjectKey: ANA, requestedAt: T0 - 300 * MINUTE });
    expect(reasonOf(table.judge(ANA, T0, capturedAt))).toBe('allowed');
    expect(again(table)).toBe('erased');
  });

  it('does not mind a pause after the capture, nor a withdrawal that was followed by enrolling', () => {
    const later = T0 + 300 * MINUTE;
    expect(again(timeline(decision('enrol', T0), decision('pause', later, later + MINUTE)))).toBe('allowed');
    expect(again(timeline(decision('enrol', T0), decision('withdraw', later), decision('enrol', later + 1)))).toBe(
      'allowed',
    );
    expect(again(timeline())).toBe('not_enrolled');
  });

  it('allows what judging allowed of people who stand as enrolled after all decisions, in the same words, and nothing else', () => {
    fc.assert(
      fc.property(history, moment, moment, fc.boolean(), (decisions, grantedAt, receivedAt, erased) => {
        const table = timeline(...decisions);
        if (erased) table.applyErasure({ subjectKey: ANA, requestedAt: T0 - 1e9 });
        const then = table.judge(ANA, grantedAt, receivedAt);
        const now = table.judgeAgain(ANA, grantedAt, receivedAt);
        const { kind } = table.status(ANA, Number.MAX_SAFE_INTEGER);
        const standing = then.allowed && kind !== 'enrolled' ? kind : then;
        const wanted = erased ? 'erased' : standing;
        expect(typeof wanted === 'string' ? reasonOf(now) : now).toEqual(wanted);
      }),
      { numRuns: 2000 },
    );
  });
});
