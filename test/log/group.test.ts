import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyGroup, plan, step, without, withoutDead, type GroupState } from '../../src/log/embedded/group.ts';

const TIMEOUT = 3000;
const members = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 });

describe('the plan of a consumer group', () => {
  it('is even, and takes nothing from a member that is not over its share', () => {
    fc.assert(
      fc.property(
        members,
        fc.array(fc.constantFrom('a', 'b', 'gone', null), { minLength: 1, maxLength: 9 }),
        (all, owners) => {
          const state = { members: Object.fromEntries(all.map((m) => [m, 0])), owners };
          const planned = plan(state);
          const counts = all.map((m) => planned.filter((p) => p === m).length);
          expect(counts.reduce((sum, n) => sum + n, 0)).toBe(owners.length);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
          for (const [i, m] of all.entries()) {
            const had = owners.filter((owner) => owner === m).length;
            const kept = owners.filter((owner, p) => owner === m && planned[p] === m).length;
            expect(kept).toBe(Math.min(had, counts[i] ?? 0));
          }
        },
      ),
    );
  });

  it('gives all partitions back to no one when all have left', () => {
    expect(plan(emptyGroup(2))).toEqual([null, null]);
  });
});

describe('the steps of group members', () => {
  it('never take a partition that another live member holds, and come to rest evenly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 20 }),
        fc.integer({ min: 1, max: 6 }),
        (order, n) => {
          let state = emptyGroup(n);
          for (const member of [...order, ...ROUNDS]) {
            const before = state.owners;
            const planned = plan(state);
            // A member lets go of what is planned for others.
            const released = state.owners.flatMap((owner, p) => (owner === member && planned[p] !== member ? [p] : []));
            state = step(state, member, 0, released);
            // Only what was free or its own may change, and only to its own or free.
            const others = (owner: string | null): boolean => owner !== null && owner !== member;
            const taken = state.owners.filter(
              (owner, p) => owner !== before[p] && (others(owner) || others(before[p] ?? null)),
            );
            expect(taken).toEqual([]);
          }
          expect(state.owners).toEqual(plan(state));
          expect(state.owners).not.toContain(null);
        },
      ),
    );
  });

  it('keep a partition that was not let go', () => {
    const alone = step(emptyGroup(4), 'a', 0, []);
    const joined = step(alone, 'b', 0, []);
    expect(joined.owners).toEqual(['a', 'a', 'a', 'a']);
    const freed = step(joined, 'a', 0, [2, 3]);
    expect(step(freed, 'b', 0, []).owners).toEqual(['a', 'a', 'b', 'b']);
  });

  it('drop members that are silent for longer than the timeout, never oneself', () => {
    const state: GroupState = { members: { a: 0, b: 100 }, owners: ['a', 'b', null] };
    expect(withoutDead(state, 'b', TIMEOUT, TIMEOUT)).toBe(state);
    expect(withoutDead(state, 'b', TIMEOUT + 1, TIMEOUT)).toEqual({ members: { b: 100 }, owners: [null, 'b', null] });
    expect(withoutDead(state, 'a', TIMEOUT + 1, TIMEOUT)).toBe(state);
    expect(without(state, ['b'])).toEqual({ members: { a: 0 }, owners: ['a', null, null] });
  });
});

/** Enough turns for three members to settle. */
const ROUNDS = Array.from({ length: 6 }, () => ['a', 'b', 'c']).flat();
