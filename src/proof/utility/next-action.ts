/** How much a model of behaviour can still learn: what somebody does next, from what they did before. */
import { Random } from '../../producers/simulator/random.ts';
import type { Measure } from '../measure.ts';
import { bootstrap, shuffled } from '../statistics/intervals.ts';

/** Actions before the one that is predicted. */
const ORDER = 3;
const FOLDS = 5;

/** A person's sessions, each a list of tokens in order; the part of a token before the first `|` is the kind of action. */
export type Sequences = readonly (readonly string[])[];

/**
 * Share of actions whose kind is predicted rightly, by a model of runs of up to {@link ORDER} tokens with back-off by
 * interpolation (Witten and Bell, 1991), learned from other people: five-fold cross-validation over people.
 */
export function nextActionAccuracy(people: readonly Sequences[], seed: number, rounds: number): Measure {
  const order = shuffled(people, new Random(seed, 'next action'));
  const hits = order.map((own, i) => ({ own, fold: i % FOLDS }));
  const models = Array.from({ length: FOLDS }, (_, fold) =>
    learn(hits.filter((one) => one.fold !== fold).map(({ own }) => own)),
  );
  const counts = hits.map(({ own, fold }) => tally(own, models[fold] ?? learn([])));
  const kinds = new Map<string, number>();
  for (const token of people.flat(2)) kinds.set(kindOf(token), (kinds.get(kindOf(token)) ?? 0) + 1);
  const total = [...kinds.values()].reduce((sum, n) => sum + n, 0);
  const guess = Math.max(0, ...kinds.values()) / Math.max(1, total);
  const share = (of: readonly Tally[]): number =>
    of.reduce((sum, { right }) => sum + right, 0) /
    Math.max(
      1,
      of.reduce((sum, { asked }) => sum + asked, 0),
    );
  return {
    name: 'next action',
    value: share(counts),
    range: bootstrap(counts.length, rounds, new Random(seed, 'next action', 'bootstrap'), (drawn) =>
      share(Array.from(drawn, (i) => counts[i] ?? { right: 0, asked: 0 })),
    ),
    // The most frequent kind, always.
    chance: guess,
    chanceRange: [guess, guess],
    by: `runs of up to ${ORDER}`,
  };
}

interface Tally {
  readonly right: number;
  readonly asked: number;
}

/** What followed a run of tokens, and how often. */
type Followers = ReadonlyMap<string, { readonly total: number; readonly kinds: ReadonlyMap<string, number> }>;

function learn(people: readonly Sequences[]): Followers {
  const table = new Map<string, { total: number; kinds: Map<string, number> }>();
  for (const tokens of people.flat()) {
    for (const [i, token] of tokens.entries()) {
      for (let length = 0; length <= Math.min(ORDER, i); length += 1) {
        const run = runBefore(tokens, i, length);
        const entry = table.get(run) ?? { total: 0, kinds: new Map<string, number>() };
        table.set(run, entry);
        entry.total += 1;
        entry.kinds.set(kindOf(token), (entry.kinds.get(kindOf(token)) ?? 0) + 1);
      }
    }
  }
  return table;
}

function tally(own: Sequences, model: Followers): Tally {
  let [right, asked] = [0, 0];
  for (const tokens of own) {
    for (const [i, token] of tokens.entries()) {
      asked += 1;
      if (predict(tokens, i, model) === kindOf(token)) right += 1;
    }
  }
  return { right, asked };
}

/** Each longer run takes over from the shorter as far as it has been seen: total / (total + different followers). */
function predict(tokens: readonly string[], i: number, model: Followers): string | undefined {
  let chances = new Map<string, number>();
  for (let length = 0; length <= Math.min(ORDER, i); length += 1) {
    const entry = model.get(runBefore(tokens, i, length));
    if (entry === undefined) break;
    const trust = entry.total / (entry.total + entry.kinds.size);
    const next = new Map([...chances].map(([kind, chance]) => [kind, chance * (1 - trust)]));
    for (const [kind, n] of entry.kinds) next.set(kind, (next.get(kind) ?? 0) + (trust * n) / entry.total);
    chances = next;
  }
  let best: string | undefined;
  let most = 0;
  for (const [kind, chance] of chances) if (chance > most) [best, most] = [kind, chance];
  return best;
}

const runBefore = (tokens: readonly string[], i: number, length: number): string =>
  `${length}\n${tokens.slice(i - length, i).join('\n')}`;

const kindOf = (token: string): string => token.slice(0, token.indexOf('|'));
