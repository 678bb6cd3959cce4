import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createQuotas, secondsLeft } from '../../../src/producers/gateway/quotas.ts';

const DAY = 86_400_000;
/** Half an hour before midnight. */
const START = Date.UTC(2026, 10, 25, 23, 30);
const LIMITS = { requestsPerMinute: 6, dataBudgetBytes: 1_000 };

describe('the data budget', () => {
  it('is never overrun on any day by anybody, whatever is taken back and however late', () => {
    const act = fc.record({
      person: fc.constantFrom('ana', 'ben'),
      bytes: fc.nat(600),
      /** Time goes on by so much, ms. */
      later: fc.constantFrom(0, 1, DAY / 2, DAY),
      /** Which of what was spent before is taken back, if any. */
      refunds: fc.option(fc.nat(), { freq: 2 }),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const quotas = createQuotas(LIMITS);
        let now = START;
        const spent = new Set<{ readonly person: string; readonly bytes: number; readonly at: number }>();
        const kept = (person: string): number =>
          [...spent]
            .filter((one) => one.person === person && Math.floor(one.at / DAY) === Math.floor(now / DAY))
            .reduce((sum, { bytes }) => sum + bytes, 0);
        for (const { person, bytes, later, refunds } of acts) {
          now += later;
          const fits = kept(person) + bytes <= LIMITS.dataBudgetBytes;
          expect(quotas.spend(person, bytes, now)).toBe(fits);
          if (fits) spent.add({ person, bytes, at: now });
          const back = refunds === null ? undefined : [...spent][refunds % Math.max(1, spent.size)];
          if (back !== undefined) {
            quotas.refund(back.person, back.bytes, back.at);
            spent.delete(back);
          }
          expect(quotas.sent(person, now)).toBe(kept(person));
        }
      }),
    );
  });

  it('is not given again by a clock that is set back', () => {
    const quotas = createQuotas(LIMITS);
    expect(quotas.spend('ana', 1_000, START)).toBe(true);
    expect(quotas.spend('ana', 1, START - DAY)).toBe(false);
    expect(quotas.spend('ana', 1, START)).toBe(false);
  });

  it('is over at midnight', () => {
    expect(secondsLeft(START)).toBe(1_800);
    expect(secondsLeft(START + 1_799_999)).toBe(1);
    expect(secondsLeft(START + 1_800_000)).toBe(86_400);
  });
});

describe('the rate', () => {
  it('lets through a minute’s requests at once and then no more than come in time, with a clock that jumps', () => {
    const step = fc.record({ jump: fc.integer({ min: -30_000, max: 60_000 }), asks: fc.nat(8) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const quotas = createQuotas(LIMITS);
        let [now, latest, passed] = [START, START, 0];
        // The account is opened, and its time begins.
        quotas.sent('ana', now);
        for (const { jump, asks } of steps) {
          now += jump;
          latest = Math.max(latest, now);
          for (let i = 0; i < asks; i++) if (quotas.request('ana', now) === 0) passed++;
          const earned = ((latest - START) / 60_000) * LIMITS.requestsPerMinute;
          expect(passed).toBeLessThanOrEqual(LIMITS.requestsPerMinute + earned + 1e-6);
        }
      }),
    );
  });

  it('says how long to wait, and lets in who waited as long', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30_000), { maxLength: 20 }), (waits) => {
        const quotas = createQuotas(LIMITS);
        let now = START;
        for (const wait of waits) {
          now += wait;
          const seconds = quotas.request('ana', now);
          now += seconds * 1_000;
          expect(seconds === 0 ? 0 : quotas.request('ana', now)).toBe(0);
        }
      }),
    );
  });

  it('of one person is not another’s', () => {
    const quotas = createQuotas(LIMITS);
    for (let i = 0; i < 6; i++) expect(quotas.request('ana', START)).toBe(0);
    expect(quotas.request('ana', START)).toBe(10);
    expect(quotas.request('ben', START)).toBe(0);
  });
});
