import type { Random } from '../../producers/simulator/random.ts';
import type { Measure } from '../measure.ts';
import { bootstrap, mean, middle, shuffled } from '../statistics/intervals.ts';
import { countBelow, countUpTo, crossing, topOne } from '../statistics/measures.ts';
import { fitScaling } from './scaling.ts';
import type { Model, Subject } from './model.ts';
import { cosine, rareThings, scaledManhattan, withinMahalanobis } from './templates.ts';
import { pairLogistic, pairTrees } from './pairs.ts';

/** All comparisons; the strongest of them is reported. */
export const MODELS: readonly Model[] = [
  scaledManhattan,
  withinMahalanobis,
  cosine,
  rareThings,
  pairLogistic,
  pairTrees,
];

export interface IdentifyOptions {
  readonly models?: readonly Model[];
  readonly random: Random;
  /** Rounds of bootstrap and of permutation. */
  readonly rounds: number;
  /** Most features that are used. */
  readonly features?: number;
}

/**
 * Who of many made a recording? Twice: half of the people are background, from whom scaling and models are learned; the other
 * half are tested, each probe against the templates of all; then the halves change places. Nothing of a tested person is
 * learned from.
 *
 * Gives `top-1`, `AUC` and `EER`, each of the model that was strongest in it. Intervals are by bootstrap over tested people,
 * the templates kept (the subsets bootstrap: Bolle, Ratha and Pankanti, 2004). What chance gives is found by permuting who is
 * who among the tested, for all models, and taking the strongest there as well: so choosing among models is no advantage.
 */
export function identify(people: readonly Subject[], options: IdentifyOptions): Measure[] {
  const { random, rounds, models = MODELS } = options;
  const order = shuffled(people, random);
  const half = Math.floor(order.length / 2);
  const halves = [order.slice(0, half), order.slice(half)] as const;
  const folds = [fold(halves[0], halves[1], models, options), fold(halves[1], halves[0], models, options)];
  const results = models.map(({ name }, m) => ({ name, trials: folds.flatMap((trials) => trials.slice(m, m + 1)) }));
  return measuresOf(results, { random, rounds });
}

/** A way to compare, and the scores that it gave in each fold. */
interface Result {
  readonly name: string;
  readonly trials: readonly Trial[];
}

/** The figures of the strongest of some ways to compare the same people. */
export function measuresOf(results: readonly Result[], options: Pick<IdentifyOptions, 'random' | 'rounds'>): Measure[] {
  const { random, rounds } = options;
  const permuted = permutations(results, random, rounds);
  const sizes = results[0]?.trials.map(({ people }) => people) ?? [];
  const chance = { 'top-1': weighted(sizes.map((size) => [size, 1 / size])), AUC: 0.5, EER: 0.5 };
  return STATISTICS.map((statistic) => {
    const scored = results.map(({ name, trials }) => ({ name, trials, value: over(trials, statistic.of) }));
    const best = scored.reduce((a, b) => (statistic.isStronger(b.value, a.value) ? b : a));
    const draws = best.trials.reduce((sum, trial) => sum + trial.people, 0);
    return {
      name: statistic.name,
      value: best.value,
      range: bootstrap(draws, rounds, random, (drawn) => overDrawn(best.trials, drawn, statistic.of)),
      chance: chance[statistic.name],
      chanceRange: middle(permuted[statistic.name]),
      by: best.name,
      ...(statistic.name === 'EER' ? ({ lowerIsStronger: true } as const) : {}),
    };
  });
}

/** People with the recordings at each place in their lists mixed up: whoever is found here is found by chance. */
export function shuffleIdentities(people: readonly Subject[], random: Random): Subject[] {
  const mix = (lists: readonly Subject['enrol'][]): Subject['enrol'][] => {
    const longest = Math.max(0, ...lists.map((list) => list.length));
    const mixed = lists.map((): Float64Array[] => []);
    for (let place = 0; place < longest; place += 1) {
      const owners = lists.flatMap((list, i) => (place < list.length ? [i] : []));
      const sources = shuffled(owners, random);
      for (const [n, owner] of owners.entries()) {
        const vector = lists[sources[n] ?? owner]?.[place];
        if (vector !== undefined) mixed[owner]?.push(vector);
      }
    }
    return mixed;
  };
  const enrol = mix(people.map((person) => person.enrol));
  const probe = mix(people.map((person) => person.probe));
  return people.map((_, i) => ({ enrol: enrol[i] ?? [], probe: probe[i] ?? [] }));
}

// --- one fold ---

/** One model on one half of the people: all that its statistics need, so that each round of resampling is cheap. */
interface Trial {
  readonly people: number;
  /** Row by row: the score of probe i with template j. */
  readonly scores: readonly Float64Array[];
  /** Rank of each score among all, from 1; equal scores share the middle of their ranks. */
  readonly ranks: readonly Float64Array[];
  /** Which of {@link LEVELS} quantiles each score has reached. */
  readonly levels: readonly Uint16Array[];
  /** For each probe i and row j: the share of j's impostor scores that i's genuine score beats. */
  readonly beaten: readonly Float64Array[];
  /** For each row: how many of its impostor scores have each level; and of all rows together. */
  readonly impostors: readonly Uint32Array[];
  readonly allImpostors: Float64Array;
}

const LEVELS = 256;

function fold(
  background: readonly Subject[],
  tested: readonly Subject[],
  models: readonly Model[],
  { random, features = 80 }: IdentifyOptions,
): Trial[] {
  const scale = fitScaling(background, features);
  const scaled = (subject: Subject): Subject => ({
    enrol: subject.enrol.map(scale),
    probe: subject.probe.map(scale),
  });
  const learned = background.map(scaled);
  const others = tested.map(scaled);
  return models.map((model) => {
    const compare = model.fit(model.takesAll === true ? background : learned, random);
    const asked = model.takesAll === true ? tested : others;
    const templates = asked.map(({ enrol }) => compare.place(enrol));
    const probes = asked.map(({ probe }) => compare.place(probe));
    return trialOf(probes.map((probe) => Float64Array.from(templates, (template) => compare.score(template, probe))));
  });
}

/** Prepares a square matrix of scores: row i is a probe, its right template is i. */
export function trialOf(scores: readonly Float64Array[]): Trial {
  const people = scores.length;
  const sorted = new Float64Array(people * people);
  for (const [i, row] of scores.entries()) sorted.set(row, i * people);
  sorted.sort();
  const steps = Float64Array.from({ length: LEVELS }, (_, k) => sorted[Math.floor((k * sorted.length) / LEVELS)] ?? 0);
  const ranks = scores.map((row) => row.map((s) => (countBelow(sorted, s) + countUpTo(sorted, s) + 1) / 2));
  const levels = scores.map((row) => Uint16Array.from(row, (s) => countUpTo(steps, s)));
  const genuine = scores.map((row, i) => row[i] ?? 0);
  const rows = scores.map((row, i) => row.filter((_, j) => j !== i).sort());
  const beaten = genuine.map((own) =>
    Float64Array.from(rows, (row) => (countBelow(row, own) + countUpTo(row, own)) / (2 * row.length)),
  );
  const impostors = levels.map((row, i) => {
    const histogram = new Uint32Array(LEVELS + 1);
    for (const [j, level] of row.entries()) if (j !== i) histogram[level] = (histogram[level] ?? 0) + 1;
    return histogram;
  });
  const allImpostors = new Float64Array(LEVELS + 1);
  for (const row of impostors) addTo(allImpostors, row);
  return { people, scores, ranks, levels, beaten, impostors, allImpostors };
}

// --- statistics ---

type StatisticName = 'top-1' | 'AUC' | 'EER';
interface Statistic {
  readonly name: StatisticName;
  readonly isStronger: (value: number, than: number) => boolean;
  /** Of some of the trial's people, repeats allowed. */
  readonly of: (trial: Trial, people: Int32Array) => number;
  /** Of all of them, when probe i is taken to be of person `who[i]`. */
  readonly permuted: (trial: Trial, who: readonly number[]) => number;
}

const STATISTICS: readonly Statistic[] = [
  {
    name: 'top-1',
    isStronger: (value, than) => value > than,
    of: ({ scores }, people) => mean(Float64Array.from(people, (i) => topOne(scores[i] ?? [], i))),
    permuted: ({ scores }, who) => mean(who.map((right, i) => topOne(scores[i] ?? [], right))),
  },
  {
    name: 'AUC',
    isStronger: (value, than) => value > than,
    of: ({ beaten }, people) => {
      let sum = 0;
      for (const i of people) {
        const row = beaten[i] ?? [];
        for (const j of people) sum += row[j] ?? 0;
      }
      return sum / people.length ** 2;
    },
    // Mann and Whitney's U from the ranks of the genuine scores.
    permuted: ({ ranks, people: n }, who) => {
      let sum = 0;
      for (const [i, right] of who.entries()) sum += ranks[i]?.[right] ?? 0;
      return (sum - (n * (n + 1)) / 2) / (n * (n * n - n));
    },
  },
  {
    name: 'EER',
    isStronger: (value, than) => value < than,
    of: ({ levels, impostors }, people) => {
      const good = new Float64Array(LEVELS + 1);
      const bad = new Float64Array(LEVELS + 1);
      for (const i of people) {
        const level = levels[i]?.[i] ?? 0;
        good[level] = (good[level] ?? 0) + 1;
        addTo(bad, impostors[i] ?? []);
      }
      return crossingOf(good, bad);
    },
    permuted: ({ levels, allImpostors }, who) => {
      const good = new Float64Array(LEVELS + 1);
      const bad = allImpostors.slice();
      for (const [i, right] of who.entries()) {
        const own = levels[i]?.[i] ?? 0;
        const taken = levels[i]?.[right] ?? 0;
        good[taken] = (good[taken] ?? 0) + 1;
        bad[own] = (bad[own] ?? 0) + 1;
        bad[taken] = (bad[taken] ?? 0) - 1;
      }
      return crossingOf(good, bad);
    },
  },
];

function addTo(sums: Float64Array, row: ArrayLike<number>): void {
  for (let k = 0; k < row.length; k += 1) sums[k] = (sums[k] ?? 0) + (row[k] ?? 0);
}

/** Equal error rate from histograms of the two kinds of scores. */
function crossingOf(good: Float64Array, bad: Float64Array): number {
  const total = (histogram: Float64Array): number => histogram.reduce((sum, count) => sum + count, 0);
  const [goods, bads] = [total(good), total(bad)];
  let before = { falseAccept: 1, falseReject: 0 };
  let [refused, kept] = [0, 0];
  for (let k = 0; k < good.length; k += 1) {
    refused += good[k] ?? 0;
    kept += bad[k] ?? 0;
    const now = { falseAccept: 1 - kept / bads, falseReject: refused / goods };
    if (now.falseReject >= now.falseAccept) return crossing(before, now);
    before = now;
  }
  return 0;
}

/** The statistic over the trials of all folds, each as much as it has people. */
function over(trials: readonly Trial[], of: Statistic['of']): number {
  return weighted(
    trials.map((trial) => [
      trial.people,
      of(
        trial,
        Int32Array.from({ length: trial.people }, (_, i) => i),
      ),
    ]),
  );
}

function overDrawn(trials: readonly Trial[], drawn: Int32Array, of: Statistic['of']): number {
  let first = 0;
  return weighted(
    trials.map((trial) => {
      const from = first;
      first += trial.people;
      const own = drawn.filter((i) => i >= from && i < from + trial.people).map((i) => i - from);
      return [own.length, own.length === 0 ? 0 : of(trial, own)];
    }),
  );
}

function weighted(values: readonly (readonly [weight: number, value: number])[]): number {
  const total = values.reduce((sum, [weight]) => sum + weight, 0);
  return values.reduce((sum, [weight, value]) => sum + weight * value, 0) / total;
}

/** What the strongest model reaches when who is who is drawn at random. */
function permutations(results: readonly Result[], random: Random, rounds: number): Record<StatisticName, number[]> {
  const values: Record<StatisticName, number[]> = { 'top-1': [], AUC: [], EER: [] };
  const sizes = results[0]?.trials.map(({ people }) => people) ?? [];
  for (let round = 0; round < rounds; round += 1) {
    const who = sizes.map((size) =>
      shuffled(
        Array.from({ length: size }, (_, i) => i),
        random,
      ),
    );
    for (const { name, permuted, isStronger } of STATISTICS) {
      const reached = results.map(({ trials }) =>
        weighted(trials.map((trial, f) => [trial.people, permuted(trial, who[f] ?? [])])),
      );
      values[name].push(reached.reduce((a, b) => (isStronger(b, a) ? b : a)));
    }
  }
  return values;
}
