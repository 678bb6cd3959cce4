/** A consumer group that moves partitions about by seed, and tells its members late: so two of them work on one. */
import type { Membership, TopicPartition } from '../../src/log/event-log.ts';
import type { Random } from '../../src/producers/simulator/random.ts';
import { turns, type Hands } from './faults.ts';

export class Crew {
  readonly #random: Random;
  readonly #partitions: number;
  readonly #members: CrewMember[] = [];
  readonly #owners: (CrewMember | undefined)[];
  /** A calm crew moves nothing without need and tells everybody at once. */
  calm = false;

  /** Chance of each partition to be moved, whenever a member asks what is new. */
  readonly #restlessness: number;

  constructor(random: Random, partitions: number) {
    this.#random = random;
    this.#restlessness = random.pick([0.02, 0.1]);
    this.#partitions = partitions;
    this.#owners = Array.from({ length: partitions }, () => undefined);
  }

  join(topic: string, hands: Hands): Membership {
    const member = new CrewMember(this, this.#random, topic, hands);
    this.#members.push(member);
    this.move();
    // A member may believe at first that all is its own: a zombie that comes back.
    member.view = this.#random.chance(0.4) ? Array.from({ length: this.#partitions }, (_, p) => p) : this.of(member);
    return member;
  }

  leave(member: CrewMember): void {
    const at = this.#members.indexOf(member);
    if (at !== -1) this.#members.splice(at, 1);
    for (const [p, owner] of this.#owners.entries()) if (owner === member) this.#owners[p] = undefined;
  }

  /** Gives free partitions to somebody, and sometimes takes one away. */
  move(): void {
    if (this.#members.length === 0) return;
    for (const [p, owner] of this.#owners.entries()) {
      const moves = owner === undefined || (!this.calm && this.#random.chance(this.#restlessness));
      if (moves) this.#owners[p] = this.#random.pick(this.#members);
    }
  }

  of(member: CrewMember): number[] {
    return this.#owners.flatMap((owner, p) => (owner === member ? [p] : []));
  }
}

class CrewMember implements Membership {
  readonly #crew: Crew;
  readonly #random: Random;
  readonly #topic: string;
  readonly #hands: Hands;
  /** The partitions that this member believes to have. */
  view: readonly number[] = [];

  constructor(crew: Crew, random: Random, topic: string, hands: Hands) {
    this.#crew = crew;
    this.#random = random;
    this.#topic = topic;
    this.#hands = hands;
  }

  assignment(): readonly TopicPartition[] {
    return this.view.map((partition) => ({ topic: this.#topic, partition }));
  }

  async changed(): Promise<void> {
    await this.#hands.do('poll', () => turns(this.#random.whole(2, 8)));
    this.#crew.move();
    if (this.#crew.calm || this.#random.chance(0.3)) this.view = this.#crew.of(this);
  }

  /** Also what a group does by itself with a member that is heard of no more. */
  async leave(): Promise<void> {
    this.view = [];
    this.#crew.leave(this);
  }
}
