/**
 * Who gets which partitions of a topic: pure, the same answer for the same members in any order.
 *
 * Balanced: shares differ by at most one. Sticky: as few partitions move as balance allows. Cooperative (KIP-429): a
 * partition that is to move is given to nobody in this generation; its owner lets it go and asks for another, in which
 * it is free. So there are at most two rounds, and nobody stops work on what they keep.
 */

/** A member of the group, with the partitions that it works on or has not stopped working on. */
export interface Claim {
  readonly id: string;
  readonly owned: readonly number[];
  /** Of the group, in which it was last given what it owns: of two claims to a partition the higher one holds. */
  readonly generation: number;
}

/**
 * The shares of this generation, ascending, by member id; every member has one, and no partition is in two.
 *
 * @param partitions how many the topic has; claims to others are ignored.
 */
export function assignPartitions(partitions: number, claims: readonly Claim[]): ReadonlyMap<string, readonly number[]> {
  const owners = ownersOf(partitions, claims);
  const members = membersByNeed(claims, owners);
  const shares = new Map<string, number[]>();
  const smallest = Math.floor(partitions / members.length);
  const oneMore = partitions % members.length;
  const quotas = members.map(({ id }, rank) => ({ id, quota: smallest + (rank < oneMore ? 1 : 0) }));
  // Who owns most comes first and gets the larger quotas: that keeps the most where it is.
  for (const [rank, { owned }] of members.entries()) {
    const { id, quota } = quotas[rank] ?? { id: '', quota: 0 };
    shares.set(id, owned.slice(0, quota));
  }
  const free = owners.flatMap((owner, partition) => (owner === FREE ? [partition] : []));
  giveTo(quotas, shares, free);
  return shares;
}

/** Nobody claims it. */
const FREE = Symbol('free');
/** Claimed by two members of one generation: both must let it go before anybody gets it. */
const DISPUTED = Symbol('disputed');

type Owner = string | typeof FREE | typeof DISPUTED;

/** By partition number. */
function ownersOf(partitions: number, claims: readonly Claim[]): readonly Owner[] {
  const owners = Array.from({ length: partitions }, (): { owner: Owner; generation: number } => ({
    owner: FREE,
    generation: -Infinity,
  }));
  for (const { id, owned, generation } of claims) {
    for (const partition of new Set(owned)) {
      const known = owners[partition];
      if (known === undefined || generation < known.generation) continue;
      const disputed = known.owner !== FREE && generation === known.generation;
      owners[partition] = { owner: disputed ? DISPUTED : id, generation };
    }
  }
  return owners.map(({ owner }) => owner);
}

interface Member {
  readonly id: string;
  /** What it owns undisputed, ascending. */
  readonly owned: readonly number[];
}

/** Who owns most first, then by id. */
function membersByNeed(claims: readonly Claim[], owners: readonly Owner[]): readonly Member[] {
  const owned = new Map<Owner, number[]>(claims.map(({ id }) => [id, []]));
  for (const [partition, owner] of owners.entries()) owned.get(owner)?.push(partition);
  const members = claims.map(({ id }) => ({ id, owned: owned.get(id) ?? [] }));
  return members.sort((a, b) => b.owned.length - a.owned.length || (a.id < b.id ? -1 : 1));
}

/** Gives what is free one by one to those with the smallest share, so that nobody waits for a second round with nothing. */
function giveTo(
  quotas: readonly { readonly id: string; readonly quota: number }[],
  shares: Map<string, number[]>,
  free: readonly number[],
): void {
  for (const partition of free) {
    let neediest: number[] | undefined;
    for (const { id, quota } of quotas) {
      const share = shares.get(id) ?? [];
      if (share.length < quota && share.length < (neediest?.length ?? Infinity)) neediest = share;
    }
    neediest?.push(partition);
  }
  for (const share of shares.values()) share.sort((a, b) => a - b);
}
