/** What the attacks that recognise people have in common. */
import { Random } from '../../producers/simulator/random.ts';
import type { AttackContext, Form, Outcome, ReleasedForms, Target } from '../attack.ts';
import { stretchesOf, type Released } from '../line.ts';
import { isAtChance, type Measure } from '../measure.ts';
import { identify, shuffleIdentities } from '../models/identify.ts';
import type { Subject } from '../models/model.ts';
import { tableBag, topicBag, vectorsOf, type Bag } from '../models/released-features.ts';
import { mean } from '../statistics/intervals.ts';

export const AT_CHANCE: Target = {
  measure: 'top-1',
  says: 'top-1 within what chance gives (95 %)',
  isMet: isAtChance,
};

export const LOW_AUC: Target = {
  measure: 'AUC',
  says: 'AUC at most 0.55',
  isMet: ({ value }) => value <= 0.55,
};

/** A person's recordings as they were released under one policy. */
export interface ReleasedPerson {
  readonly enrol: readonly Released[];
  readonly probe: readonly Released[];
}

/** How often the control is repeated: its figures are means, so that one unlucky shuffle condemns no attack. */
const SHUFFLES = 3;

/** Rounds of bootstrap and permutation. */
export const roundsOf = ({ quick }: AttackContext): number => (quick ? 100 : 400);

/** Runs one identification attack over raw data, its control, and what each policy released. */
export async function recognise(
  context: AttackContext,
  name: string,
  raw: readonly Subject[],
  releasedBy: (policy: number) => readonly ReleasedPerson[],
): Promise<Outcome> {
  const rounds = roundsOf(context);
  // Released forms share their seed: policies are compared on the same background people and the same draws.
  const run = (people: readonly Subject[], word: string): Measure[] =>
    identify(people, { random: new Random(context.seed, name, word), rounds });
  await context.tell(`${name}: raw data`);
  const found: Form = { name: 'raw', measures: run(raw, 'raw') };
  await context.tell(`${name}: shuffled identities`);
  const random = new Random(context.seed, name, 'shuffle');
  const shuffles = Array.from({ length: SHUFFLES }, () =>
    identify(shuffleIdentities(raw, random), { random, rounds: Math.ceil(rounds / 2) }),
  );
  const released: ReleasedForms[] = [];
  for (const [i, { name: policy }] of context.policies.entries()) {
    await context.tell(`${name}: ${policy}`);
    const people = releasedBy(i);
    // Other policies are there to be compared, by what the table gives away.
    // One generator for all people: with one each, they would all be asked about the same stretch of theirs.
    const draws = new Random(context.seed, name, 'stretches');
    const parts = people.map((person) => inStretches(person, draws));
    const forms = (i === 0 ? RELEASED_FORMS : RELEASED_FORMS.slice(0, 1)).map(({ form, bag, isJoined, isAside }) => {
      const measures = run(subjectsOf(isJoined === true ? people : parts, bag), 'released');
      return { name: form, measures, ...(isAside === true ? { isAside } : {}) };
    });
    released.push({ policy, forms });
  }
  return { raw: [found], control: { name: 'shuffled', measures: meanMeasures(shuffles) }, released };
}

/**
 * What an attacker has of a person: of recordings that they know to be this person's, every stretch; of the one that they
 * ask about, a stretch, since nothing says which other ones belong to it. Any of them, each as likely as the others.
 */
function inStretches({ enrol, probe }: ReleasedPerson, random: Random): ReleasedPerson {
  return {
    enrol: enrol.flatMap(stretchesOf),
    probe: probe.flatMap((one) => {
      const stretches = stretchesOf(one);
      return stretches.length === 0 ? [] : [random.pick(stretches)];
    }),
  };
}

interface ReleasedForm {
  readonly form: string;
  readonly bag: (released: Released) => Bag;
  /** Stretches of one session are put together, as if their pseudonyms said so. */
  readonly isJoined?: true;
  readonly isAside?: true;
}

const RELEASED_FORMS: readonly ReleasedForm[] = [
  { form: 'table', bag: tableBag },
  { form: 'table, stretches joined', bag: tableBag, isJoined: true, isAside: true },
  { form: 'sanitised topic', bag: topicBag, isAside: true },
];

function subjectsOf(people: readonly ReleasedPerson[], bagOf: (released: Released) => Bag): Subject[] {
  const vectors = vectorsOf(people.flatMap(({ enrol, probe }) => [...enrol, ...probe].map(bagOf))).values();
  const take = (list: readonly Released[]): Float64Array[] =>
    list.map(() => vectors.next().value ?? new Float64Array(0));
  return people.map(({ enrol, probe }) => ({ enrol: take(enrol), probe: take(probe) }));
}

/** Means of the same figures of several runs. */
export function meanMeasures(runs: readonly (readonly Measure[])[]): Measure[] {
  return (runs[0] ?? []).map((first, i) => {
    const all = runs.flatMap((run) => run.slice(i, i + 1));
    const over = (of: (measure: Measure) => number): number => mean(all.map(of));
    return {
      ...first,
      value: over(({ value }) => value),
      range: [over(({ range }) => range[0]), over(({ range }) => range[1])],
      chanceRange: [over(({ chanceRange }) => chanceRange[0]), over(({ chanceRange }) => chanceRange[1])],
      by: `mean of ${runs.length} shuffles`,
    };
  });
}
