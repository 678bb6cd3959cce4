import type { ReleasedAction } from '../../events/released.ts';
import type { Released } from '../line.ts';
import type { Vector } from '../statistics/matrix.ts';

/** Columns whose values are features, alone and with the action. */
const COLUMNS = [
  'app',
  'window',
  'url',
  'target_role',
  'target',
  'key',
  'button',
  'direction',
  'cell',
  'pause',
  'length',
  'count',
] as const satisfies readonly (keyof ReleasedAction)[];

/** What a released recording looks like to an attacker: how often each thing was seen. */
export type Bag = ReadonlyMap<string, number>;

/** Of a reader of the training table: kinds, values, pairs of actions that follow each other, and how much there is. */
export function tableBag({ actions }: Released): Bag {
  const bag = new Map<string, number>();
  const add = (token: string): void => void bag.set(token, (bag.get(token) ?? 0) + 1);
  let before = 'start';
  for (const action of actions) {
    add('rows');
    add(`action ${action.action}`);
    for (const column of COLUMNS) {
      const value = action[column];
      if (value === null) continue;
      add(`${column} ${value}`);
      add(`${action.action} ${column} ${value}`);
    }
    const now = `${action.action} ${action.key ?? action.length ?? action.button ?? ''} ${action.pause ?? ''}`;
    add(`${before} > ${now}`);
    before = now;
  }
  return bag;
}

/** Of a reader of the sanitised topic, who sees batches of about 5 seconds and the raw offsets that they came from. */
export function topicBag(released: Released): Bag {
  const bag = new Map(tableBag(released));
  const add = (token: string, n = 1): void => void bag.set(token, (bag.get(token) ?? 0) + n);
  for (const [i, batch] of released.batches.entries()) {
    add('batches');
    add(`batch of ${Math.min(12, batch.actions.length)} rows`);
    const gap = released.gaps[i] ?? 0;
    add(`gap of ${Math.min(12, gap)} records`);
    add('records', gap);
    for (const action of batch.actions) {
      add(`${action.action} after ${Math.min(12, gap)} records`);
    }
  }
  return bag;
}

/** What only one recording has links it to no other. */
const SEEN_IN = 2;
const MOST_TOKENS = 8_000;

/** Makes vectors of bags: the logarithm of one more than the count of each of the most frequent things. */
export function vectorsOf(bags: readonly Bag[]): Vector[] {
  const seen = new Map<string, number>();
  for (const bag of bags) for (const token of bag.keys()) seen.set(token, (seen.get(token) ?? 0) + 1);
  const tokens = [...seen]
    .filter(([, n]) => n >= SEEN_IN)
    .toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, MOST_TOKENS)
    .map(([token]) => token);
  return bags.map((bag) => Float64Array.from(tokens, (token) => Math.log1p(bag.get(token) ?? 0)));
}
