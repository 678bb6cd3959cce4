import { byBudget, createSample, type Budget, type RandomBytes } from '../../privacy/partition-selection.ts';
import { Random } from '../../producers/simulator/random.ts';
import type { Attack, Form } from '../attack.ts';
import type { OfficeWorker } from '../data/office.ts';
import type { Measure } from '../measure.ts';
import { bootstrap, mean, middle, shuffled } from '../statistics/intervals.ts';
import { areaUnderCurve } from '../statistics/measures.ts';
import { roundsOf } from './identification.ts';

/** The texts, as normalised segments, that were on one person's screen. */
export type PersonTexts = ReadonlySet<string>;

/** Makes a vocabulary of people who take part: its entries as normalised segments. A shipped one ignores them. */
export type VocabularyMaker = (people: readonly PersonTexts[]) => ReadonlySet<string>;

/** Everything that anybody showed: what must not be done, and what the attack must succeed on. */
const everything: VocabularyMaker = seenBy(1);

/** What at least so many people showed. */
export function seenBy(least: number): VocabularyMaker {
  return (people) => {
    const counts = new Map<string, number>();
    for (const texts of people) for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
    return new Set([...counts].filter(([, n]) => n >= least).map(([text]) => text));
  };
}

/** What `vocabulary build` would propose of these texts with such a budget, before a recogniser or a reviewer has a say. */
export function selectedBy(budget: Budget, random: Random): VocabularyMaker {
  const bytes: RandomBytes = (count) => Uint8Array.from({ length: count }, () => random.whole(0, 255));
  return (people) => {
    const counts = new Map<string, number>();
    for (const texts of people) {
      const sample = createSample<string>(budget.maxContributions, bytes);
      for (const text of texts) sample.put(text);
      for (const text of sample.taken()) counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    const { keeps } = byBudget(budget, bytes);
    return new Set([...counts].filter(([, n]) => keeps(n)).map(([text]) => text));
  };
}

/** Generous, so that anything is kept of so few people at all. */
const BUDGET: Budget = { epsilon: 8, delta: 1e-3, maxContributions: 8 };

/**
 * Ways to make a vocabulary of recordings: what they would give away is shown beside the shipped one. A new one takes its place
 * here.
 */
export function makers(random: Random): readonly { readonly name: string; readonly make: VocabularyMaker }[] {
  const { epsilon, delta, maxContributions } = BUDGET;
  return [
    ...[2, 5, 10].map((people) => ({ name: `made of what ${people} people share`, make: seenBy(people) })),
    {
      name: `made with differential privacy (epsilon ${epsilon}, delta ${delta}, ${maxContributions} texts a person)`,
      make: selectedBy(BUDGET, random),
    },
  ];
}

/**
 * Did somebody take part in making the vocabulary? Membership inference (Shokri, Stronati, Song and Shmatikov, 2017): the
 * attacker knows all of a person's texts, and background people to learn from. A text that nobody in the background has
 * counts most. The advantage is true less false positives at the threshold that was best on background people, of whom the
 * attacker makes a vocabulary in the same way (Yeom, Giacomelli, Fredrikson and Jha, 2018).
 */
export const membership: Attack = {
  name: 'membership',
  asks: 'Does the vocabulary tell who took part in making it?',
  source: 'Shokri et al. 2017; Yeom et al. 2018',
  targets: [
    {
      measure: 'AUC',
      says: 'AUC within what chance gives (95 %)',
      isMet: ({ value, chanceRange }) => value <= chanceRange[1],
    },
  ],
  headline: 'AUC',
  floor: 0.9,
  async run(context) {
    const office = await context.office();
    await context.tell('membership');
    const random = (word: string): Random => new Random(context.seed, 'membership', word);
    const attack = (name: string, make: VocabularyMaker): Form => ({
      name,
      measures: attackVocabulary(office, make, random(name), roundsOf(context)),
    });
    return {
      raw: [attack('every text of everybody', everything)],
      control: attack('of other people', withoutThem(office)),
      released: context.policies.map(({ name, vocabulary }, i) => {
        const entries = new Set(vocabulary.entries.map(({ text }) => text.toLowerCase()));
        const forms = [attack('vocabulary', () => entries)];
        const built = (i === 0 ? makers(random('budget')) : []).map(({ name, make }) => ({
          ...attack(name, make),
          isAside: true as const,
        }));
        return { policy: name, forms: [...forms, ...built] };
      }),
    };
  },
};

/** A vocabulary of the same people, whoever takes part: there is nothing to find. */
function withoutThem(office: readonly OfficeWorker[]): VocabularyMaker {
  const some = everything(office.slice(0, Math.ceil(office.length / 3)).map(({ texts }) => texts));
  return () => some;
}

const ROUNDS = 10;

/** Half of the people are background; of the other half, half take part. Many times, each with other halves. */
export function attackVocabulary(
  people: readonly { readonly texts: PersonTexts }[],
  make: VocabularyMaker,
  random: Random,
  rounds: number,
): Measure[] {
  const trials = Array.from({ length: ROUNDS }, () => {
    const order = shuffled([...people.keys()], random);
    const textsOf = (some: readonly number[]) => some.flatMap((person) => people[person]?.texts ?? []);
    const target = order.slice(Math.floor(order.length / 2));
    const background = textsOf(order.slice(0, order.length - target.length));
    const threshold = bestThreshold(scoresOf(background, background, make));
    return { ...scoresOf(textsOf(target), background, make), target, threshold };
  });
  const auc = (some: readonly Scores[]): number =>
    mean(some.map(({ members, others }) => areaUnderCurve(members, others)));
  const advantage = (some: readonly Scores[]): number =>
    mean(
      some.map(({ members, others }, i) => {
        const threshold = trials[i]?.threshold ?? Infinity;
        return above(members, threshold) - above(others, threshold);
      }),
    );
  const mixedUp = (statistic: 'auc' | 'advantage'): number =>
    mean(
      trials.map(({ members, others, threshold }) => {
        const mixed = shuffled([...members, ...others], random);
        const [a, b] = [mixed.slice(0, members.length), mixed.slice(members.length)];
        return statistic === 'auc' ? areaUnderCurve(a, b) : above(a, threshold) - above(b, threshold);
      }),
    );
  const by = 'rare texts';
  const interval = (of: () => number): readonly [number, number] => middle(Array.from({ length: rounds }, of));
  // The trials share people: whoever is drawn is drawn for all of them.
  const ofDrawn =
    (statistic: (some: readonly Scores[]) => number) =>
    (drawn: Int32Array): number =>
      statistic(trials.map((trial) => drawnScores(trial, drawn)));
  return [
    {
      name: 'AUC',
      value: auc(trials),
      range: bootstrap(people.length, rounds, random, ofDrawn(auc)),
      chance: 0.5,
      chanceRange: interval(() => mixedUp('auc')),
      by,
    },
    {
      name: 'advantage',
      value: advantage(trials),
      range: bootstrap(people.length, rounds, random, ofDrawn(advantage)),
      chance: 0,
      chanceRange: interval(() => mixedUp('advantage')),
      by,
    },
  ];
}

interface Scores {
  readonly members: readonly number[];
  readonly others: readonly number[];
}

/** A trial's scores, each as often as its person was drawn. `target` are the people of {@link scoresOf}, in its order. */
function drawnScores(trial: Scores & { readonly target: readonly number[] }, drawn: Int32Array): Scores {
  const placeOf = new Map(trial.target.map((person, place) => [person, place]));
  const [members, others]: [number[], number[]] = [[], []];
  for (const person of drawn) {
    const place = placeOf.get(person);
    if (place === undefined) continue;
    const [from, to] = place % 2 === 0 ? [trial.members, members] : [trial.others, others];
    to.push(from[Math.floor(place / 2)] ?? 0);
  }
  return { members, others };
}

/** Every other one of the targets takes part; each is scored by their texts that the vocabulary holds. */
function scoresOf(targets: readonly PersonTexts[], background: readonly PersonTexts[], make: VocabularyMaker): Scores {
  const members = targets.filter((_, i) => i % 2 === 0);
  const vocabulary = make(members);
  const frequency = new Map<string, number>();
  for (const texts of background) for (const text of texts) frequency.set(text, (frequency.get(text) ?? 0) + 1);
  const score = (texts: PersonTexts): number => {
    let [held, all] = [0, 0];
    for (const text of texts) {
      // In the shadow run the person is in the background themselves.
      const others = (frequency.get(text) ?? 0) - (background.includes(texts) ? 1 : 0);
      const weight = 1 / (1 + Math.max(0, others)) ** 2;
      all += weight;
      if (vocabulary.has(text)) held += weight;
    }
    return all === 0 ? 0 : held / all;
  };
  return { members: members.map(score), others: targets.filter((_, i) => i % 2 === 1).map(score) };
}

function bestThreshold({ members, others }: Scores): number {
  let best = { threshold: Infinity, advantage: 0 };
  for (const threshold of [...members, ...others]) {
    const advantage = above(members, threshold) - above(others, threshold);
    if (advantage > best.advantage) best = { threshold, advantage };
  }
  return best.threshold;
}

const above = (scores: readonly number[], threshold: number): number =>
  scores.filter((score) => score >= threshold).length / Math.max(1, scores.length);
