import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Shares } from '../../../src/log/kafka/shares.ts';

/** Shares with a clock that stands still until it is moved, and how often a change was told. */
function make(): { readonly shares: Shares; readonly told: () => number; readonly pass: (ms: number) => void } {
  let [now, told] = [0, 0];
  const shares = new Shares(
    () => now,
    () => (told += 1),
  );
  return { shares, told: () => told, pass: (ms) => void (now += ms) };
}

const sorted = (partitions: readonly number[]): number[] => partitions.toSorted((a, b) => a - b);

type Step =
  | { readonly do: 'give'; readonly partitions: readonly number[] }
  | { readonly do: 'lose' }
  | { readonly do: 'stop' };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('give' as const), partitions: fc.uniqueArray(fc.nat(5), { maxLength: 6 }) }),
    fc.record({ do: fc.constant('lose' as const) }),
    fc.record({ do: fc.constant('stop' as const) }),
  ),
  { maxLength: 30 },
);

describe('the shares of a member', () => {
  it('show what is given, in order, and tell each change once', () => {
    const { shares, told } = make();
    shares.give([3, 1]);
    expect(shares.visible).toEqual([1, 3]);
    expect([shares.version, told()]).toEqual([1, 1]);
    shares.give([1, 3]);
    expect([shares.version, told()]).toEqual([1, 1]);
    shares.give([3, 1, 0]);
    expect(shares.visible).toEqual([0, 1, 3]);
    expect([shares.version, told()]).toEqual([2, 2]);
  });

  it('hide at once what is taken away, and leave the rest as it is', () => {
    const { shares } = make();
    shares.give([0, 1, 2]);
    shares.give([0, 2]);
    expect(shares.visible).toEqual([0, 2]);
    expect(shares.hasUnstopped).toBe(true);
    expect(shares.claimed).toEqual([0, 1, 2]);
  });

  it('free what was taken away when the work on it has stopped, once', () => {
    const { shares } = make();
    shares.give([0, 1, 2]);
    shares.give([1]);
    expect(shares.stopped()).toEqual([0, 2]);
    expect(shares.claimed).toEqual([1]);
    expect(shares.hasUnstopped).toBe(false);
    expect(shares.stopped()).toEqual([]);
  });

  it('do not show again what was taken away before the work on it has stopped', () => {
    const { shares } = make();
    shares.give([0, 1]);
    shares.give([1]);
    shares.give([0, 1]);
    expect(shares.visible).toEqual([1]);
    // It is nobody else's, so it is not released.
    expect(shares.stopped()).toEqual([]);
    expect(shares.visible).toEqual([0, 1]);
  });

  it('of a member that has lost its seat are none, and all of it is claimed until it has stopped', () => {
    const { shares } = make();
    shares.give([0, 1]);
    shares.lose();
    expect(shares.visible).toEqual([]);
    expect(shares.claimed).toEqual([0, 1]);
    expect(shares.stopped()).toEqual([0, 1]);
    expect(shares.claimed).toEqual([]);
  });

  it('know how long the oldest of what was taken away has been waiting', () => {
    const { shares, pass } = make();
    pass(100);
    shares.give([0, 1, 2]);
    pass(100);
    expect(shares.waitingMs).toBe(0);
    shares.give([0, 1]);
    pass(30);
    shares.give([0]);
    pass(12);
    expect(shares.waitingMs).toBe(42);
    shares.stopped();
    expect(shares.waitingMs).toBe(0);
    pass(5);
    shares.lose();
    pass(7);
    expect(shares.waitingMs).toBe(7);
  });

  it('never show what somebody else may be given, and free nothing while work on it may go on', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { shares, told } = make();
        let given: readonly number[] = [];
        let working = new Set<number>();
        let seen = shares.visible;
        for (const step of all) {
          const before = new Set(shares.visible);
          if (step.do === 'give') shares.give(step.partitions);
          if (step.do === 'lose') shares.lose();
          if (step.do !== 'stop') given = step.do === 'give' ? step.partitions : [];
          // What was shown is worked on until its user has said that it stopped: all of it but what they may see now.
          working = new Set([...working, ...before]);
          const stopped = step.do === 'stop' ? [...working].filter((partition) => !before.has(partition)) : [];
          const released = step.do === 'stop' ? shares.stopped() : [];
          expect(sorted(released)).toEqual(sorted(stopped.filter((partition) => !given.includes(partition))));
          if (step.do === 'stop') working = before;
          const { visible, claimed } = shares;
          expect(visible).toEqual(sorted(visible));
          expect(visible.every((partition) => given.includes(partition))).toBe(true);
          for (const partition of [...working, ...visible, ...given]) expect(claimed).toContain(partition);
          expect(claimed.length).toBe(new Set([...working, ...visible, ...given]).size);
          expect(shares.version === told()).toBe(true);
          seen = visible;
        }
        shares.stopped();
        expect(shares.visible).toEqual(sorted(given));
        expect(seen.every((partition) => given.includes(partition))).toBe(true);
      }),
    );
  });
});
