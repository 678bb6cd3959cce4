/**
 * The three risks that the Article 29 Working Party names in Opinion 05/2014 (WP216): singling out, linkability, inference,
 * measured as Anonymeter does (Giomi, Boenisch, Wehmeyer and Tasnádi, "A unified framework for quantifying privacy risk in
 * synthetic data", PoPETs 2023; arXiv 2211.10459 of 2022). An attack uses the released records of some people against those
 * people, and against others who are not in the release. What works against the others is knowledge of people in general; the
 * rest is the risk of having been released: (attack - control) / (1 - control).
 *
 * A record is a session. The attacker knows it exactly, also what the policy took out, and has translated the names of apps
 * and windows into the table's own terms, since the vocabulary is no secret.
 */
import { Random } from '../../producers/simulator/random.ts';
import type { Attack, AttackContext, Form } from '../attack.ts';
import type { Measure } from '../measure.ts';
import { ATTRIBUTES, type AttributeName, type Attributes } from '../models/attributes.ts';
import { bootstrap, mean, shuffled } from '../statistics/intervals.ts';
import { roundsOf } from './identification.ts';

/** Records that belong together: the people in the release, those records as they were, and other people's. */
export interface Records {
  readonly released: readonly Attributes[];
  /** The same people's, as they were: in the same order. */
  readonly originals: readonly Attributes[];
  readonly control: readonly Attributes[];
}

/** How often an attack succeeds, 0..1: with each released record, and with each of those that it is compared with. */
interface Successes {
  readonly attack: readonly number[];
  readonly control: readonly number[];
}

/** An attack. `controlIsOfReleased`: its control figures belong to the released records too, not to the other people. */
interface Method {
  readonly run: (records: Records, random: Random) => Successes;
  readonly controlIsOfReleased: boolean;
}

/** How often people are divided anew into those who are in the release and those who are not. */
const DIVISIONS = 20;

function attackOf(name: string, asks: string, floor: number, method: Method): Attack {
  return {
    name,
    asks,
    source: 'Giomi et al. 2022',
    targets: [],
    headline: 'risk',
    floor,
    async run(context) {
      const office = (await context.office()).filter(({ sessions }) => sessions.length > 0);
      await context.tell(name);
      const first = office.flatMap(({ sessions }) => sessions.slice(0, 1));
      const measure = (form: string, released: readonly Attributes[], originals: readonly Attributes[]): Form => ({
        name: form,
        measures: riskOf(divide(method, released, originals, new Random(context.seed, name)), context, name),
      });
      const raw = first.map((session) => session.raw.attributes);
      const known = first.map((session) => session.known);
      const mixedUp = shuffledColumns(raw, new Random(context.seed, name, 'columns'));
      return {
        raw: [measure('raw', raw, raw)],
        control: measure('shuffled', mixedUp, raw),
        released: context.policies.map(({ name: policy }, i) => {
          const released = first
            .flatMap((session) => session.released.slice(i, i + 1))
            .map(({ attributes }) => attributes);
          return { policy, forms: [measure('table', released, known)] };
        }),
      };
    },
  };
}

/** Nothing of a record belongs to anybody any more: each column is in an order of its own, over people in and out. */
function shuffledColumns(records: readonly Attributes[], random: Random): Attributes[] {
  const columns = ATTRIBUTES.map((name) =>
    shuffled(
      records.map((record) => record[name]),
      random,
    ),
  );
  return records.map(
    (_, i) => Object.fromEntries(ATTRIBUTES.map((name, c) => [name, columns[c]?.[i] ?? ''])) as unknown as Attributes, // one value for each name of ATTRIBUTES
  );
}

/** A person's part in all divisions: how often the attack on them succeeded when they were released, and the control. */
interface Part {
  readonly attack: number;
  readonly control: number;
}

/** Runs the attack over many divisions of the people, so that neither half's peculiarities count. */
function divide(
  { run, controlIsOfReleased }: Method,
  released: readonly Attributes[],
  originals: readonly Attributes[],
  random: Random,
): Part[] {
  const attacks = originals.map((): number[] => []);
  const controls = originals.map((): number[] => []);
  for (let division = 0; division < DIVISIONS; division += 1) {
    const order = shuffled(
      originals.map((_, i) => i),
      random,
    );
    const inside = order.slice(0, Math.floor(order.length / 2));
    const outside = order.slice(inside.length);
    const of = (list: readonly Attributes[], people: readonly number[]): Attributes[] =>
      people.flatMap((i) => list.slice(i, i + 1));
    const records = {
      released: of(released, inside),
      originals: of(originals, inside),
      control: of(originals, outside),
    };
    const { attack, control } = run(records, random);
    for (const [n, success] of attack.entries()) attacks[inside[n] ?? -1]?.push(success);
    const owners = controlIsOfReleased ? inside : outside;
    for (const [n, success] of control.entries()) controls[owners[n] ?? -1]?.push(success);
  }
  return attacks.flatMap((list, i) => {
    const others = controls[i] ?? [];
    return list.length === 0 || others.length === 0 ? [] : [{ attack: mean(list), control: mean(others) }];
  });
}

/** Risk, and the two rates that it is made of. Intervals are by drawing people. */
function riskOf(parts: readonly Part[], context: AttackContext, by: string): Measure[] {
  const random = new Random(context.seed, by, 'intervals');
  const rounds = roundsOf(context);
  const rate = (of: readonly Part[], which: keyof Part): number => mean(of.map((part) => part[which]));
  const risk = (of: readonly Part[]): number => {
    const base = rate(of, 'control');
    return base >= 1 ? 0 : (rate(of, 'attack') - base) / (1 - base);
  };
  const interval = (statistic: (of: readonly Part[]) => number): Measure['range'] =>
    bootstrap(parts.length, rounds, random, (drawn) => statistic([...drawn].flatMap((i) => parts.slice(i, i + 1))));
  const value = risk(parts);
  const range = interval(risk);
  const plain = (which: keyof Part): Measure => ({
    name: which,
    value: rate(parts, which),
    range: interval((of) => rate(of, which)),
    chance: rate(parts, 'control'),
    chanceRange: interval((of) => rate(of, 'control')),
    by,
  });
  return [
    // Without any risk the figure would scatter around 0 as it does around its value.
    { name: 'risk', value, range, chance: 0, chanceRange: [range[0] - value, range[1] - value], by },
    plain('attack'),
    plain('control'),
  ];
}

// --- singling out ---

const PREDICATES = 20;
const CONDITIONS = 4;

type Condition = (record: Attributes) => boolean;

/** Conditions that a released record fulfils single somebody out if exactly one original fulfils them. */
export const singleOut: Method = {
  controlIsOfReleased: true,
  run: ({ released, originals, control }, random) => {
    const medians = mediansOf(released);
    const attack: number[] = [];
    const others: number[] = [];
    for (const record of released) {
      let [hits, otherHits] = [0, 0];
      for (let p = 0; p < PREDICATES; p += 1) {
        const conditions = shuffled(ATTRIBUTES, random)
          .slice(0, CONDITIONS)
          .map((name) => conditionOf(name, record[name], medians));
        const fulfils = (one: Attributes): boolean => conditions.every((condition) => condition(one));
        if (originals.filter(fulfils).length === 1) hits += 1;
        if (control.filter(fulfils).length === 1) otherHits += 1;
      }
      attack.push(hits / PREDICATES);
      others.push(otherHits / PREDICATES);
    }
    return { attack, control: others };
  },
};

/** As Anonymeter's multivariate predicates: equal, or for numbers at least or at most, away from the middle. */
function conditionOf(
  name: AttributeName,
  value: string | number,
  medians: ReadonlyMap<AttributeName, number>,
): Condition {
  if (typeof value === 'string') return (record) => record[name] === value;
  const above = value >= (medians.get(name) ?? 0);
  return (record) => {
    const other = record[name];
    return typeof other === 'number' && (above ? other >= value : other <= value);
  };
}

function mediansOf(records: readonly Attributes[]): Map<AttributeName, number> {
  const medians = new Map<AttributeName, number>();
  for (const name of ATTRIBUTES) {
    const numbers = records.map((record) => record[name]).filter((value) => typeof value === 'number');
    if (numbers.length > 0) medians.set(name, numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0);
  }
  return medians;
}

// --- linkability ---

/** What one source knows of a person, and what another does. */
const ONE_SOURCE: readonly AttributeName[] = [
  'app',
  'second_app',
  'apps',
  'window',
  'clicks',
  'scrolls',
  'role',
  'away',
];
const OTHER_SOURCE: readonly AttributeName[] = ATTRIBUTES.filter((name) => !ONE_SOURCE.includes(name));

/** Two sources are linked if both lead to the same released record as the nearest. */
export const linkSources: Method = {
  controlIsOfReleased: false,
  run: ({ released, originals, control }) => {
    const ranges = rangesOf(released);
    const isLinked = (record: Attributes): number => {
      const one = nearest(record, released, ONE_SOURCE, ranges);
      const other = nearest(record, released, OTHER_SOURCE, ranges);
      const common = one.filter((i) => other.includes(i)).length;
      return common / (one.length * other.length);
    };
    return { attack: originals.map(isLinked), control: control.map(isLinked) };
  },
};

// --- inference ---

const SECRETS: readonly AttributeName[] = ['app', 'key', 'modifier', 'window', 'away', 'length'];

/** Everything but a secret is known: the nearest released record tells it. */
export const inferSecrets: Method = {
  controlIsOfReleased: false,
  run: ({ released, originals, control }) => {
    const ranges = rangesOf(released);
    const share = (record: Attributes): number =>
      mean(
        SECRETS.map((secret) => {
          const known = ATTRIBUTES.filter((name) => name !== secret);
          const found = nearest(record, released, known, ranges);
          return mean(found.map((i) => (released[i]?.[secret] === record[secret] ? 1 : 0)));
        }),
      );
    return { attack: originals.map(share), control: control.map(share) };
  },
};

/** Indices of the released records nearest to `record` in some columns (Gower's distance, 1971): several if equally near. */
function nearest(
  record: Attributes,
  released: readonly Attributes[],
  columns: readonly AttributeName[],
  ranges: ReadonlyMap<AttributeName, number>,
): number[] {
  let least = Infinity;
  let found: number[] = [];
  for (const [i, other] of released.entries()) {
    let distance = 0;
    for (const name of columns) {
      const [a, b] = [record[name], other[name]];
      if (typeof a === 'number' && typeof b === 'number') distance += Math.abs(a - b) / (ranges.get(name) ?? 1);
      else if (a !== b) distance += 1;
    }
    if (distance < least - 1e-12) [least, found] = [distance, [i]];
    else if (distance <= least + 1e-12) found.push(i);
  }
  return found;
}

function rangesOf(records: readonly Attributes[]): Map<AttributeName, number> {
  const ranges = new Map<AttributeName, number>();
  for (const name of ATTRIBUTES) {
    const numbers = records.map((record) => record[name]).filter((value) => typeof value === 'number');
    ranges.set(name, Math.max(1e-9, Math.max(...numbers, 0) - Math.min(...numbers, 0)));
  }
  return ranges;
}

export const singlingOut = attackOf('singling-out', 'Do released records single people out?', 0.1, singleOut);
export const linkability = attackOf(
  'linkability',
  'Do released records link what two sources know of one person?',
  0.5,
  linkSources,
);
export const inference = attackOf(
  'inference',
  'Do released records tell what is not known of somebody?',
  0.3,
  inferSecrets,
);
