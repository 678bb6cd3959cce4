/** The little linear algebra that the attacks need: symmetric positive definite systems, rows as Float64Array. */

export type Vector = Float64Array;

/** Mean of vectors of one length; the list must not be empty. */
export function meanOf(vectors: readonly Vector[]): Vector {
  const sum = new Float64Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) for (let i = 0; i < sum.length; i += 1) sum[i] = (sum[i] ?? 0) + (vector[i] ?? 0);
  return sum.map((value) => value / vectors.length);
}

/**
 * Covariance of vectors around zero, shrunk towards its own diagonal: (1 - shrink) S + shrink diag(S), with a small ridge.
 * With fewer vectors than dimensions S alone has no inverse (Ledoit and Wolf, 2004; the weight is fixed here).
 */
export function shrunkCovariance(centred: readonly Vector[], shrink: number): Vector[] {
  const size = centred[0]?.length ?? 0;
  const rows = Array.from({ length: size }, () => new Float64Array(size));
  for (const vector of centred) {
    for (let i = 0; i < size; i += 1) {
      const row = rows[i] ?? new Float64Array(0);
      const value = vector[i] ?? 0;
      for (let j = 0; j <= i; j += 1) row[j] = (row[j] ?? 0) + value * (vector[j] ?? 0);
    }
  }
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      const covariance = (rows[i]?.[j] ?? 0) / Math.max(1, centred.length);
      const value = i === j ? covariance + 1e-6 : (1 - shrink) * covariance;
      set(rows, i, j, value);
      set(rows, j, i, value);
    }
  }
  return rows;
}

/**
 * The lower triangle L of Cholesky's decomposition, L L' = `matrix`.
 * @throws RangeError when the matrix is not positive definite.
 */
export function cholesky(matrix: readonly Vector[]): Vector[] {
  const size = matrix.length;
  const lower = Array.from({ length: size }, () => new Float64Array(size));
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = matrix[i]?.[j] ?? 0;
      for (let k = 0; k < j; k += 1) sum -= (lower[i]?.[k] ?? 0) * (lower[j]?.[k] ?? 0);
      if (i === j && sum <= 0) throw new RangeError('the matrix is not positive definite');
      set(lower, i, j, i === j ? Math.sqrt(sum) : sum / (lower[j]?.[j] ?? 1));
    }
  }
  return lower;
}

/** Solves L y = `vector`: `vector` in coordinates in which the covariance L L' is the identity. */
export function whiten(lower: readonly Vector[], vector: Vector): Vector {
  const result = new Float64Array(lower.length);
  for (let i = 0; i < lower.length; i += 1) {
    const row = lower[i] ?? new Float64Array(0);
    let sum = vector[i] ?? 0;
    for (let k = 0; k < i; k += 1) sum -= (row[k] ?? 0) * (result[k] ?? 0);
    result[i] = sum / (row[i] ?? 1);
  }
  return result;
}

function set(rows: readonly Vector[], i: number, j: number, value: number): void {
  const row = rows[i];
  if (row !== undefined) row[j] = value;
}
