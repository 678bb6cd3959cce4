import { meanOf, type Vector } from '../statistics/matrix.ts';
import type { Subject } from './model.ts';

/** Brings vectors to the features that tell people apart, each with mean 0 and deviation 1 among background people. */
export type Scaling = (vector: Vector) => Vector;

/**
 * Learns the scaling of background people, and which features to keep: at most `most`, those whose variance between people
 * is largest against the variance within a person (Fisher's ratio). Features that never change are dropped.
 */
export function fitScaling(background: readonly Subject[], most: number): Scaling {
  const groups = background.map(({ enrol, probe }) => [...enrol, ...probe]);
  const all = groups.flat();
  const centre = meanOf(all);
  const personal = groups.map((vectors) => ({ vectors, mean: meanOf(vectors) }));
  const scored: { feature: number; deviation: number; ratio: number }[] = [];
  for (let f = 0; f < centre.length; f += 1) {
    const total = sum(all, (vector) => squared((vector[f] ?? 0) - (centre[f] ?? 0)));
    if (total <= 1e-12) continue;
    const within = sum(personal, ({ vectors, mean }) =>
      sum(vectors, (vector) => squared((vector[f] ?? 0) - (mean[f] ?? 0))),
    );
    const deviation = Math.sqrt(total / all.length);
    scored.push({ feature: f, deviation, ratio: total / (within + 0.05 * total) });
  }
  const kept = scored.toSorted((a, b) => b.ratio - a.ratio || a.feature - b.feature).slice(0, most);
  return (vector) =>
    Float64Array.from(kept, ({ feature, deviation }) => {
      const z = ((vector[feature] ?? 0) - (centre[feature] ?? 0)) / deviation;
      // One wild value (a pause of a minute) must not decide alone.
      return Math.max(-6, Math.min(6, z));
    });
}

const squared = (x: number): number => x * x;

function sum<T>(list: readonly T[], of: (item: T) => number): number {
  let total = 0;
  for (const item of list) total += of(item);
  return total;
}
