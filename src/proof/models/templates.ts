/** Template matchers: the mean of a person's vectors, and a distance to it. */
import { cholesky, meanOf, shrunkCovariance, whiten, type Vector } from '../statistics/matrix.ts';
import type { Comparison, Model, Subject } from './model.ts';

/**
 * Manhattan distance, each feature divided by its mean absolute deviation within a person: the best of fourteen detectors
 * on keystroke data (Killourhy and Maxion, "Comparing anomaly-detection algorithms for keystroke dynamics", 2009).
 */
export const scaledManhattan: Model = {
  name: 'scaled Manhattan',
  fit(background) {
    const residuals = residualsOf(background);
    const size = residuals[0]?.length ?? 0;
    const deviation = new Float64Array(size);
    for (let i = 0; i < size; i += 1) {
      let sum = 0;
      for (const residual of residuals) sum += Math.abs(residual[i] ?? 0);
      deviation[i] = sum / residuals.length + 0.05;
    }
    const place = (recordings: readonly Vector[]): Vector =>
      meanOf(recordings).map((value, i) => value / (deviation[i] ?? 1));
    return { place, score: (a, b) => -sumOver(a, (value, i) => Math.abs(value - (b[i] ?? 0))) };
  },
};

/**
 * Mahalanobis distance under the covariance within people: directions in which one person varies count little (within-class
 * covariance normalisation: Hatch, Kajarekar and Stolcke, 2006, for speakers).
 */
export const withinMahalanobis: Model = {
  name: 'within-person Mahalanobis',
  fit(background) {
    const lower = cholesky(shrunkCovariance(residualsOf(background), 0.3));
    return {
      place: (recordings) => whiten(lower, meanOf(recordings)),
      score: (a, b) => -sumOver(a, (value, i) => (value - (b[i] ?? 0)) ** 2),
    };
  },
};

/** Cosine of the angle between two means: for counts of many things, of which a person does few. */
export const cosine: Model = {
  name: 'cosine',
  fit: () => ANGLE,
};

const ANGLE: Comparison = {
  place(recordings) {
    const mean = meanOf(recordings);
    const length = Math.sqrt(sumOver(mean, (value) => value * value));
    return length === 0 ? mean : mean.map((value) => value / length);
  },
  score: (a, b) => sumOver(a, (value, i) => value * (b[i] ?? 0)),
};

/**
 * Cosine over all counts, each weighted by how few background recordings have it (tf-idf: Salton and Buckley, 1988): finds
 * people by rare things of their own, of which no background person could tell that they matter.
 */
export const rareThings: Model = {
  name: 'rare things in common',
  takesAll: true,
  fit(background) {
    const all = background.flatMap(({ enrol, probe }) => [...enrol, ...probe]);
    const weights = new Float64Array(all[0]?.length ?? 0);
    for (let i = 0; i < weights.length; i += 1) {
      let seen = 0;
      for (const vector of all) if ((vector[i] ?? 0) > 0) seen += 1;
      weights[i] = Math.log((1 + all.length) / (1 + seen));
    }
    return {
      ...ANGLE,
      place: (recordings) =>
        ANGLE.place(recordings.map((vector) => vector.map((value, i) => value * (weights[i] ?? 0)))),
    };
  },
};

function sumOver(vector: Vector, of: (value: number, i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i += 1) sum += of(vector[i] ?? 0, i);
  return sum;
}

/** What is left of every vector when its person's mean is taken off. */
function residualsOf(background: readonly Subject[]): Vector[] {
  return background.flatMap(({ enrol, probe }) => {
    const vectors = [...enrol, ...probe];
    const mean = meanOf(vectors);
    // Two vectors lie nearer to their own mean than to the person's: n - 1 in place of n.
    const factor = Math.sqrt(vectors.length / Math.max(1, vectors.length - 1));
    return vectors.map((vector) => vector.map((value, i) => (value - (mean[i] ?? 0)) * factor));
  });
}
