/** Learned comparisons: a classifier is told of pairs of recordings whether they are of one person. */
import type { Random } from '../../producers/simulator/random.ts';
import { shuffled } from '../statistics/intervals.ts';
import { meanOf, type Vector } from '../statistics/matrix.ts';
import type { Model, Subject } from './model.ts';

/** How far two recordings lie apart in each feature, and whether one person made them. */
interface Pair {
  readonly apart: Vector;
  readonly same: boolean;
}

/** Ways in which each background person's recordings are cut in two, and strangers that each half is paired with. */
const CUTS = 6;
const STRANGERS = 3;

function pairsOf(background: readonly Subject[], random: Random): Pair[] {
  const pairs: Pair[] = [];
  const all = background.map(({ enrol, probe }) => [...enrol, ...probe]);
  for (const [person, own] of all.entries()) {
    for (let cut = 0; cut < CUTS; cut += 1) {
      const mixed = shuffled(own, random);
      const at = Math.max(1, Math.floor(mixed.length / 2));
      const template = meanOf(mixed.slice(0, at));
      pairs.push({ apart: difference(template, meanOf(mixed.slice(at))), same: true });
      for (let s = 0; s < STRANGERS; s += 1) {
        const step = random.whole(1, all.length - 1);
        const stranger = shuffled(all[(person + step) % all.length] ?? own, random);
        pairs.push({ apart: difference(template, meanOf(stranger.slice(0, own.length - at))), same: false });
      }
    }
  }
  return pairs;
}

function difference(a: Vector, b: Vector): Vector {
  const apart = new Float64Array(a.length);
  for (let i = 0; i < a.length; i += 1) apart[i] = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return apart;
}

/** Logistic regression on the differences, with an L2 penalty, by gradient descent with momentum. */
export const pairLogistic: Model = {
  name: 'logistic on pairs',
  fit(background, random) {
    const pairs = pairsOf(background, random);
    const weights = logisticWeights(pairs);
    return { place: meanOf, score: (a, b) => linear(weights, difference(a, b)) };
  },
};

function logisticWeights(pairs: readonly Pair[]): Vector {
  const size = pairs[0]?.apart.length ?? 0;
  const weights = new Float64Array(size + 1);
  const speed = new Float64Array(size + 1);
  const gradient = new Float64Array(size + 1);
  for (let round = 0; round < 120; round += 1) {
    gradient.fill(0);
    for (const { apart, same } of pairs) {
      const error = 1 / (1 + Math.exp(-linear(weights, apart))) - (same ? 1 : 0);
      for (let i = 0; i < size; i += 1) gradient[i] = (gradient[i] ?? 0) + error * (apart[i] ?? 0);
      gradient[size] = (gradient[size] ?? 0) + error;
    }
    for (let i = 0; i <= size; i += 1) {
      const slope = (gradient[i] ?? 0) / pairs.length + (i < size ? 0.003 * (weights[i] ?? 0) : 0);
      speed[i] = 0.9 * (speed[i] ?? 0) - 0.1 * slope;
      weights[i] = (weights[i] ?? 0) + (speed[i] ?? 0);
    }
  }
  return weights;
}

/** The last weight is the constant. */
function linear(weights: Vector, values: Vector): number {
  let sum = weights[values.length] ?? 0;
  for (let i = 0; i < values.length; i += 1) sum += (weights[i] ?? 0) * (values[i] ?? 0);
  return sum;
}

const TREES = 50;
const LEAF = 4;
const DEPTH = 14;

/**
 * Extremely randomised trees on the differences (Geurts, Ernst and Wehenkel, 2006): sees what no straight line separates,
 * such as two features that only tell something together.
 */
export const pairTrees: Model = {
  name: 'extra trees on pairs',
  fit(background, random) {
    const pairs = pairsOf(background, random);
    const trees = Array.from({ length: TREES }, () => {
      const nodes: Node[] = [];
      grow(nodes, pairs, random, DEPTH);
      return packed(nodes);
    });
    const score = (a: Vector, b: Vector): number => {
      const apart = difference(a, b);
      let sum = 0;
      for (const tree of trees) sum += leafOf(tree, apart);
      return sum / TREES;
    };
    return { place: meanOf, score };
  },
};

/** A split, or with `feature` -1 a leaf, whose `value` is the share of pairs of one person. Below a split follows the next. */
interface Node {
  readonly feature: number;
  /** Threshold of a split. */
  readonly value: number;
  above: number;
}

/** Nodes in columns: a hundred thousand pairs go down every tree. */
interface Tree {
  readonly feature: Int16Array;
  readonly value: Float64Array;
  readonly above: Int32Array;
}

const packed = (nodes: readonly Node[]): Tree => ({
  feature: Int16Array.from(nodes, ({ feature }) => feature),
  value: Float64Array.from(nodes, ({ value }) => value),
  above: Int32Array.from(nodes, ({ above }) => above),
});

function leafOf({ feature, value, above }: Tree, values: Vector): number {
  let node = 0;
  let split = feature[0] ?? -1;
  while (split >= 0) {
    node = (values[split] ?? 0) < (value[node] ?? 0) ? node + 1 : (above[node] ?? 0);
    split = feature[node] ?? -1;
  }
  return value[node] ?? 0.5;
}

/** Adds the tree of these pairs to `nodes`. */
function grow(nodes: Node[], pairs: readonly Pair[], random: Random, depth: number): void {
  const same = countSame(pairs);
  const isDone = depth === 0 || pairs.length < 2 * LEAF || same === 0 || same === pairs.length;
  const split = isDone ? undefined : bestSplit(pairs, random);
  if (split === undefined) {
    // With a small pull to one half, so that leaves of few pairs are not sure of anything.
    nodes.push({ feature: -1, value: (same + 1) / (pairs.length + 2), above: 0 });
    return;
  }
  const node: Node = { feature: split.feature, value: split.at, above: 0 };
  nodes.push(node);
  const isBelow = ({ apart }: Pair): boolean => (apart[split.feature] ?? 0) < split.at;
  grow(nodes, pairs.filter(isBelow), random, depth - 1);
  node.above = nodes.length;
  grow(
    nodes,
    pairs.filter((pair) => !isBelow(pair)),
    random,
    depth - 1,
  );
}

/** Of one random threshold in each of some random features, the one that leaves the least impurity (Gini). */
function bestSplit(pairs: readonly Pair[], random: Random): { feature: number; at: number } | undefined {
  const size = pairs[0]?.apart.length ?? 0;
  let best: { feature: number; at: number } | undefined;
  let least = Infinity;
  for (let tried = 0; tried < Math.ceil(Math.sqrt(size)) + 2; tried += 1) {
    const feature = random.whole(0, size - 1);
    let [low, high] = [Infinity, -Infinity];
    for (const { apart } of pairs) {
      const value = apart[feature] ?? 0;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (!(high > low)) continue;
    const at = random.between(low, high);
    const impurity = impurityOf(pairs, feature, at);
    if (impurity < least) [least, best] = [impurity, { feature, at }];
  }
  return best;
}

function impurityOf(pairs: readonly Pair[], feature: number, at: number): number {
  let [below, belowSame, above, aboveSame] = [0, 0, 0, 0];
  for (const { apart, same } of pairs) {
    if ((apart[feature] ?? 0) < at) {
      below += 1;
      if (same) belowSame += 1;
    } else {
      above += 1;
      if (same) aboveSame += 1;
    }
  }
  if (below < LEAF || above < LEAF) return Infinity;
  return (belowSame * (below - belowSame)) / below + (aboveSame * (above - aboveSame)) / above;
}

const countSame = (pairs: readonly Pair[]): number => pairs.reduce((sum, { same }) => sum + (same ? 1 : 0), 0);
