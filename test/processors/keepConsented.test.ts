import { describe, expect, it } from 'vitest';
import type { ConsentVerdict } from '../../src/privacy/consent.ts';
import { keepConsented } from '../../src/processors/keepConsented.ts';
import { opened, script, START } from '../helpers/recording.ts';

const judge = (verdict: ConsentVerdict) => keepConsented({ consent: { judge: () => verdict } });
const BATCH = opened(script({ stepMs: 1000 }).move(0, 0).move(1, 1).move(2, 2).move(3, 3).end().events);

describe('keepConsented', () => {
  it('asks by the record’s key and the trusted side’s stamps', () => {
    const asked: unknown[] = [];
    const processor = keepConsented({
      consent: { judge: (...args) => (asked.push(args), { allowed: true, pausedIntervals: [] }) },
    });
    processor({ ...BATCH, key: 'k', grantedAt: 5, receivedAt: 9 });
    expect(asked).toEqual([['k', 5, 9]]);
  });

  it('keeps what was agreed to', () => {
    expect(judge({ allowed: true, pausedIntervals: [] })(BATCH)).toEqual({ kind: 'keep', batch: BATCH });
  });

  it.each(['not_enrolled', 'withdrawn', 'exempt', 'paused', 'session_ended_by_consent', 'erased'] as const)(
    'drops the batch: %s',
    (reason) => {
      expect(judge({ allowed: false, reason })(BATCH)).toEqual({ kind: 'drop', reason });
    },
  );

  it('drops events whose own time falls inside of a pause, both ends included', () => {
    const outcome = judge({
      allowed: true,
      pausedIntervals: [
        [0, 1],
        [START + 1000, START + 2000],
      ],
    })(BATCH);
    expect(outcome).toMatchObject({
      kind: 'keep',
      batch: { events: [{ x: 0 }, { x: 3 }, { kind: 'session_end' }], dropped: { paused: 2 } },
    });
  });

  it('hands a batch on as it is when no pause reaches its events', () => {
    const between = [START + 100, START + 900] as const;
    for (const interval of [between, [0, 1] as const]) {
      const outcome = judge({ allowed: true, pausedIntervals: [interval] })(BATCH);
      expect(outcome.kind === 'keep' && outcome.batch).toBe(BATCH);
    }
  });

  it('keeps the end marker whatever its time: the session must end', () => {
    const outcome = judge({ allowed: true, pausedIntervals: [[0, START * 2]] })(BATCH);
    expect(outcome).toMatchObject({ batch: { events: [{ kind: 'session_end' }], dropped: { paused: 4 } } });
  });
});
