import { Heap } from './heap.ts';
import { Population } from './people.ts';
import { Random, evenly } from './random.ts';
import { DEFAULT_CONSENT, DEFAULT_FAULTS, NO_FAULTS } from './types.ts';
import type { ConsentShares, Faults, SimulatedRecord, SimulationOptions } from './types.ts';
import { Worker } from './worker.ts';

/**
 * Simulates office people at their computers: what their recorders send, and what they decide about being recorded.
 *
 * Records come in order of trusted time (`at`), over all people; a consent decision comes before everything that was
 * captured under it. The same options give the same records. It is lazy: memory grows with the people, not with the
 * minutes, and nothing is made before it is asked for.
 *
 * @throws RangeError when an option is out of range.
 */
export function* simulate(options: SimulationOptions): Generator<SimulatedRecord, void, void> {
  check(options);
  const workers = new Heap<Worker>(sooner);
  for (const worker of makeWorkers(options)) workers.push(worker);
  for (;;) {
    const worker = workers.pop();
    if (worker === undefined) return;
    // Nobody else can still have anything earlier: their next times are all at or after this worker's.
    const record = worker.take();
    if (record !== undefined) yield record;
    else worker.work();
    if (worker.nextAt < Number.POSITIVE_INFINITY) workers.push(worker);
  }
}

function sooner(a: Worker, b: Worker): boolean {
  return a.nextAt < b.nextAt || (a.nextAt === b.nextAt && a.index < b.index);
}

function* makeWorkers(options: SimulationOptions): Generator<Worker, void, void> {
  const { people, minutes, seed, start } = options;
  const population = new Population({ people, seed, start });
  const faults: Faults = options.faults === 'none' ? NO_FAULTS : { ...DEFAULT_FAULTS, ...options.faults };
  const shares = sharesOf(options.consent);
  const shared = { population, seed, start, end: start + minutes * 60_000, faults, shares, truth: options.truth };
  for (let index = 0; index < people; index += 1) {
    const subject = population.subject(index);
    yield new Worker({
      ...shared,
      index,
      subject,
      key: options.subjectKey(subject),
      leaning: evenly(index, 1, seed),
      random: new Random(seed, index, 'work'),
    });
  }
}

const EVERYONE: ConsentShares = { pauses: 0, withdraws: 0, exempt: 0, neverEnrolled: 0, enrolsLate: 0 };

function sharesOf(consent: SimulationOptions['consent']): ConsentShares {
  if (consent === 'all_enrolled') return EVERYONE;
  return { ...(consent === undefined ? DEFAULT_CONSENT : EVERYONE), ...consent };
}

function check({ people, minutes, seed, start, faults, consent }: SimulationOptions): void {
  const demand = (right: boolean, what: string): void => {
    if (!right) throw new RangeError(`simulation: ${what}`);
  };
  demand(Number.isInteger(people) && people >= 1, 'people must be a whole number of at least 1');
  demand(Number.isFinite(minutes) && minutes > 0, 'minutes must be more than 0');
  demand(Number.isSafeInteger(seed), 'seed must be a whole number');
  demand(Number.isSafeInteger(start) && start >= 0, 'start must be whole milliseconds since the epoch');
  const shares = [faults, consent].filter((option) => typeof option === 'object');
  for (const [name, value] of shares.flatMap((option) => Object.entries<number>(option))) {
    demand(value >= 0 && value <= 1, `${name} must be between 0 and 1`);
  }
}
