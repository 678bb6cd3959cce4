/**
 * Who holds which partition of a topic in a consumer group: a pure state machine. Every member computes the same plan from
 * the state that they share in the log, so there is no coordinator.
 */

/** What the members share. */
export interface GroupState {
  /** Last heartbeat of each member, ms. */
  readonly members: Readonly<Record<string, number>>;
  /** The member that holds each partition, undefined (null in JSON) when free; by partition number. */
  readonly owners: readonly (string | null)[];
}

export function emptyGroup(partitions: number): GroupState {
  return { members: {}, owners: Array.from({ length: partitions }, () => null) };
}

/**
 * The state without the other members that have been silent for longer than `timeoutMs`; their partitions are free. `self`
 * lives as long as nobody else has declared it dead.
 */
export function withoutDead(state: GroupState, self: string, now: number, timeoutMs: number): GroupState {
  const dead = Object.entries(state.members).flatMap(([member, beat]) =>
    member !== self && now - beat > timeoutMs ? [member] : [],
  );
  return dead.length === 0 ? state : without(state, dead);
}

/** The state after these members have left: their partitions are free. */
export function without(state: GroupState, gone: readonly string[]): GroupState {
  return {
    members: Object.fromEntries(Object.entries(state.members).filter(([member]) => !gone.includes(member))),
    owners: state.owners.map((owner) => (owner !== null && gone.includes(owner) ? null : owner)),
  };
}

/** One member's step: heartbeat, let go of `released`, take what is planned for it and free. */
export function step(state: GroupState, member: string, now: number, released: readonly number[]): GroupState {
  const members = { ...state.members, [member]: now };
  const freed = state.owners.map((owner, p) => (owner === member && released.includes(p) ? null : owner));
  const planned = plan({ members, owners: freed });
  return { members, owners: freed.map((owner, p) => (owner === null && planned[p] === member ? member : owner)) };
}

/**
 * Which member each partition should have: as even as possible (counts differ by at most one), and nobody loses a partition
 * without need.
 */
export function plan(state: GroupState): readonly (string | null)[] {
  const held = new Map(Object.keys(state.members).map((member): [string, number] => [member, 0]));
  if (held.size === 0) return state.owners.map(() => null);
  for (const owner of state.owners) if (owner !== null && held.has(owner)) held.set(owner, (held.get(owner) ?? 0) + 1);
  // Who holds most keeps most: moves are fewest. Ties by name, so that all members agree.
  const byHolding = [...held.keys()].sort((a, b) => (held.get(b) ?? 0) - (held.get(a) ?? 0) || (a < b ? -1 : 1));
  const share = Math.floor(state.owners.length / held.size);
  const extra = state.owners.length % held.size;
  const room = new Map(byHolding.map((member, i): [string, number] => [member, i < extra ? share + 1 : share]));
  const take = (member: string | undefined): string | null => {
    const left = member === undefined ? 0 : (room.get(member) ?? 0);
    if (member === undefined || left === 0) return null;
    room.set(member, left - 1);
    return member;
  };
  const kept = state.owners.map((owner) => (owner === null ? null : take(owner)));
  return kept.map((owner) => owner ?? take(byHolding.find((member) => (room.get(member) ?? 0) > 0)));
}
