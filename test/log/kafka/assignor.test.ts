import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignPartitions, type Claim } from '../../../src/log/kafka/assignor.ts';

type Shares = ReadonlyMap<string, readonly number[]>;

describe('the assignor', () => {
  it('shares evenly, gives nothing twice, and everything by the second round, whoever claims what', () => {
    fc.assert(
      fc.property(partitionCounts, claimSets, (partitions, claims) => {
        const first = assignPartitions(partitions, claims);
        expectNoneTwice(first);
        expect([...first.keys()].sort()).toEqual(claims.map(({ id }) => id).sort());
        const second = nextRound(partitions, first);
        expect([...second.values()].flat().sort(ascending)).toEqual(range(partitions));
        const sizes = [...second.values()].map((share) => share.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(nextRound(partitions, second)).toEqual(second);
      }),
    );
  });

  it('gives a claimed partition to nobody but its owner in that round', () => {
    fc.assert(
      fc.property(partitionCounts, claimSets, (partitions, claims) => {
        for (const [id, share] of assignPartitions(partitions, claims)) {
          for (const partition of share) {
            const claimants = claims.filter(({ owned }) => owned.includes(partition));
            if (claimants.length === 0) continue;
            const highest = Math.max(...claimants.map(({ generation }) => generation));
            expect(claimants.filter(({ generation }) => generation === highest).map((one) => one.id)).toEqual([id]);
          }
        }
      }),
    );
  });

  it('is the same for members in any order', () => {
    fc.assert(
      fc.property(
        partitionCounts,
        claimSets.chain((claims) => fc.tuple(fc.constant(claims), shuffled(claims))),
        (partitions, [claims, others]) => {
          expect(sorted(assignPartitions(partitions, others))).toEqual(sorted(assignPartitions(partitions, claims)));
        },
      ),
    );
  });

  it('moves only what a new member gets', () => {
    fc.assert(
      fc.property(partitionCounts, fc.integer({ min: 1, max: 12 }), (partitions, members) => {
        const before = settled(partitions, ids(members));
        const claims = [...claimsOf(before), { id: 'new', owned: [], generation: -1 }];
        const after = nextRound(partitions, assignPartitions(partitions, claims));
        const gained = after.get('new') ?? [];
        expect(gained).toHaveLength(Math.floor(partitions / (members + 1)));
        for (const [id, share] of before) {
          expect(after.get(id)).toEqual(share.filter((partition) => !gained.includes(partition)));
        }
      }),
    );
  });

  it("moves only a leaving member's partitions, at once", () => {
    fc.assert(
      fc.property(partitionCounts, fc.integer({ min: 2, max: 12 }), fc.nat(), (partitions, members, choice) => {
        const before = settled(partitions, ids(members));
        const gone = `m${choice % members}`;
        const after = assignPartitions(
          partitions,
          claimsOf(before).filter(({ id }) => id !== gone),
        );
        for (const [id, share] of after) expect(share).toEqual(expect.arrayContaining([...(before.get(id) ?? [])]));
        expect([...after.values()].flat().sort(ascending)).toEqual(range(partitions));
      }),
    );
  });

  it('believes the claim of the higher generation, and of two equal ones none', () => {
    const claims: Claim[] = [
      { id: 'zombie', owned: [0, 1], generation: 3 },
      { id: 'owner', owned: [0], generation: 4 },
      { id: 'twin', owned: [1], generation: 3 },
    ];
    const shares = assignPartitions(3, claims);
    expect(shares.get('owner')).toEqual([0]);
    expect([...shares.values()].flat().sort(ascending)).toEqual([0, 2]);
  });

  it('keeps what is within the larger quota with those who own more', () => {
    const claims: Claim[] = [
      { id: 'a', owned: [0, 1], generation: 1 },
      { id: 'b', owned: [2, 3, 4], generation: 1 },
    ];
    expect(sorted(assignPartitions(5, claims))).toEqual([
      ['a', [0, 1]],
      ['b', [2, 3, 4]],
    ]);
  });
});

const partitionCounts = fc.integer({ min: 1, max: 40 });
const claimSets: fc.Arbitrary<Claim[]> = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 3 }),
    owned: fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 12 }),
    generation: fc.integer({ min: -1, max: 3 }),
  }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 10 },
);

const shuffled = (claims: readonly Claim[]): fc.Arbitrary<Claim[]> =>
  fc.shuffledSubarray([...claims], { minLength: claims.length });
const claimsOf = (shares: Shares): Claim[] => [...shares].map(([id, owned]) => ({ id, owned, generation: 9 }));
const nextRound = (partitions: number, shares: Shares): Shares => assignPartitions(partitions, claimsOf(shares));
const ids = (count: number): string[] => range(count).map((i) => `m${i}`);
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const ascending = (a: number, b: number): number => a - b;
const sorted = (shares: Shares): [string, readonly number[]][] => [...shares].sort(([a], [b]) => (a < b ? -1 : 1));

function settled(partitions: number, members: readonly string[]): Shares {
  return assignPartitions(
    partitions,
    members.map((id) => ({ id, owned: [], generation: -1 })),
  );
}

function expectNoneTwice(shares: Shares): void {
  const all = [...shares.values()].flat();
  expect(new Set(all).size).toBe(all.length);
}
