import { ACTIVITIES } from './activities/index.ts';
import { ConsentPlan, behaviourAt } from './consent-plan.ts';
import { Desk } from './desk.ts';
import type { Script } from './desk.ts';
import { Heap } from './heap.ts';
import type { Population } from './people.ts';
import { Pointer } from './pointer.ts';
import type { Random } from './random.ts';
import { Recorder } from './recorder.ts';
import { windowOf } from './screen.ts';
import { Typist } from './typing.ts';
import type { ConsentShares, Faults, PlantedString, SimulatedRecord } from './types.ts';

export interface WorkerOptions {
  readonly index: number;
  readonly population: Population;
  readonly subject: string;
  readonly key: string;
  readonly seed: number;
  readonly start: number;
  readonly end: number;
  readonly faults: Faults;
  readonly shares: ConsentShares;
  /** Where this person stands among all, 0..1: decides how they take to being recorded. */
  readonly leaning: number;
  readonly random: Random;
  readonly truth: ((planted: PlantedString) => void) | undefined;
}

/** One simulated person with their recorder: works on when asked to, and hands out what came of it. */
export class Worker {
  readonly index: number;
  readonly #o: WorkerOptions;
  readonly #outbox: Heap<SimulatedRecord>;
  /** Nothing that is still to come can be earlier. */
  #now: number;
  #plannedUntil = Number.NEGATIVE_INFINITY;
  #day: Script | undefined;

  constructor(options: WorkerOptions) {
    this.#o = options;
    this.index = options.index;
    this.#now = options.start;
    this.#outbox = new Heap<SimulatedRecord>((a, b) => a.at < b.at);
  }

  /** The time of the next record if there is one, or that until which nothing will come; Infinity at the end. */
  get nextAt(): number {
    return Math.min(this.#now, this.#outbox.peek()?.at ?? Number.POSITIVE_INFINITY);
  }

  /** The next record, if it is certain that no earlier one will come. */
  take(): SimulatedRecord | undefined {
    const first = this.#outbox.peek();
    return first !== undefined && first.at <= this.#now ? this.#outbox.pop() : undefined;
  }

  /** Works until there is something new or time has passed. */
  work(): void {
    this.#day ??= this.#workday();
    if (this.#day.next().done === true) this.#now = Number.POSITIVE_INFINITY;
  }

  *#workday(): Script {
    const { random, faults, start, end } = this.#o;
    const person = this.#o.population.person(this.index);
    const plan = new ConsentPlan({
      subjectKey: this.#o.key,
      behaviour: behaviourAt(this.#o.leaning, this.#o.shares),
      start,
      end,
      faults,
      random,
    });
    const recorder = new Recorder({
      key: this.#o.key,
      subject: this.#o.subject,
      device: person.device,
      random,
      faults,
      clockError: clockError(random, faults),
      outbox: this.#outbox,
      truth: this.#o.truth,
    });
    const typist = new Typist(person.keyboard, person.rhythm, recorder, random);
    const pointer = new Pointer(person.hand, recorder, random);
    recorder.arrive(start, 'focus', windowOf(person, 'files', 'Desktop'));
    const desk = new Desk({ person, recorder, typist, pointer, random, now: start });
    recorder.schedule([{ kind: 'stop', at: end }]);
    yield* this.#activities(desk, recorder, plan);
    recorder.passTime(end);
  }

  *#activities(desk: Desk, recorder: Recorder, plan: ConsentPlan): Script {
    const { random, end } = this.#o;
    const weights = ACTIVITIES.map((activity) => activity.weight * Math.exp(0.7 * random.normal()));
    this.#plan(desk, recorder, plan);
    let breakAt = desk.now + random.between(8, 40) * 60_000;
    while (desk.now < end) {
      // Nobody sees what is done while the recorder is off.
      if (recorder.offUntil > 0) desk.now = Math.max(desk.now, recorder.offUntil);
      if (desk.now >= end) break;
      if (desk.now > breakAt) {
        desk.lock();
        desk.wait(60_000, 6 * 60_000);
        breakAt = desk.now + random.between(8, 40) * 60_000;
      }
      this.#plan(desk, recorder, plan);
      this.#passTime(desk, recorder);
      const activity = ACTIVITIES[random.weighted(weights)];
      if (activity === undefined) return;
      const script = activity.run(desk);
      while (recorder.offUntil === 0 && script.next().done !== true) {
        this.#passTime(desk, recorder);
        yield;
      }
    }
  }

  /** Asks for the next stretch of the plan once the last is over; it begins a quarter of an hour later at the earliest. */
  #plan(desk: Desk, recorder: Recorder, plan: ConsentPlan): void {
    while (desk.now >= this.#plannedUntil) {
      const { decisions, changes, until } = plan.next();
      for (const decision of decisions) this.#outbox.push({ kind: 'consent', at: decision.decidedAt, decision });
      recorder.schedule(changes);
      this.#plannedUntil = until;
    }
  }

  #passTime(desk: Desk, recorder: Recorder): void {
    recorder.passTime(desk.now);
    this.#now = desk.now;
  }
}

/** Most clocks are kept by the network; some are wrong by minutes. */
function clockError(random: Random, faults: Faults): number {
  if (!random.chance(faults.lyingClock)) return random.between(-800, 800);
  return random.between(2, 12) * 60_000 * (random.chance(0.5) ? 1 : -1);
}
