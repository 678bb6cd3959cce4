import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { FRESH_MS, readStatus, standingOf, type Known } from '../../../clients/page/standing.ts';
import type { Status } from '../../../src/producers/gateway/protocol.ts';

const NOW = Date.UTC(2026, 10, 25, 9);
const STATUS: Status = {
  recording: 'enrolled',
  until: null,
  now: NOW,
  sessions: 0,
  sentBytesToday: 0,
  dataBudgetBytes: 1,
  thin: [],
};
const PAUSED: Status = { ...STATUS, recording: 'paused', until: NOW + 300_000 };
const known = (change: Partial<Status>, ageMs = 0): Known => ({ status: { ...STATUS, ...change }, ageMs });

const status: fc.Arbitrary<Status> = fc.record({
  recording: fc.constantFrom('not_enrolled', 'enrolled', 'paused', 'withdrawn', 'exempt'),
  until: fc.option(fc.integer({ min: NOW - 1_000, max: NOW + 1_800_000 })),
  now: fc.constant(NOW),
  sessions: fc.nat(2),
  sentBytesToday: fc.nat(),
  dataBudgetBytes: fc.nat(),
  thin: fc.constant([]),
});
const SAYS_NO: ReadonlySet<string> = new Set(['paused', 'withdrawn', 'exempt', 'not_enrolled']);

/** Whether an answer says so itself, and is fresh. */
function isBacked(kind: string, { status, ageMs }: Known): boolean {
  const isFresh = ageMs >= 0 && ageMs < FRESH_MS;
  return status.recording === kind && isFresh && (kind !== 'paused' || NOW + ageMs < (status.until ?? 0));
}

it('never says that nothing is recorded without a fresh answer that says so', () => {
  fc.assert(
    fc.property(
      fc.option(fc.record({ status, ageMs: fc.integer({ min: -1_000, max: 60_000 }) })),
      fc.option(fc.constantFrom('unreachable' as const, 'busy' as const, 'refused' as const)),
      (last, trouble) => {
        const { kind } = standingOf(last, trouble);
        return !SAYS_NO.has(kind) || (trouble === null && last !== null && isBacked(kind, last));
      },
    ),
    { numRuns: 1_000 },
  );
  expect(standingOf(known({ recording: 'exempt' }), null).kind).toBe('exempt');
});

it('counts a pause down by the clock of the gateway', () => {
  expect(standingOf({ status: PAUSED, ageMs: 1_000 }, null)).toEqual({
    kind: 'paused',
    leftMs: 299_000,
    until: NOW + 300_000,
  });
  const short = { ...PAUSED, until: NOW + 5_000 };
  expect(standingOf({ status: short, ageMs: 4_999 }, null).kind).toBe('paused');
  expect(standingOf({ status: short, ageMs: 5_000 }, null).kind).toBe('pauseOver');
});

it('says that it is recording rather too long', () => {
  expect(standingOf(known({ sessions: 2 }, FRESH_MS * 9), null)).toEqual({ kind: 'recording', sessions: 2 });
  expect(standingOf(known({}, 0), null).kind).toBe('allowed');
  expect(standingOf(known({}, FRESH_MS), null).kind).toBe('checking');
  expect(standingOf(null, null).kind).toBe('checking');
});

it.each([
  null,
  'paused',
  {},
  { recording: 'paused' },
  { ...PAUSED, recording: 'off' },
  { ...PAUSED, recording: 'constructor' },
  { ...PAUSED, now: null },
  { ...PAUSED, until: '5' },
  { ...PAUSED, until: undefined },
  { ...PAUSED, sessions: -1 },
  { ...PAUSED, thin: 'none' },
])('takes no status from %j', (body) => {
  expect(readStatus(body)).toBeNull();
});

it('takes a status', () => {
  expect(readStatus(PAUSED)).toBe(PAUSED);
});
