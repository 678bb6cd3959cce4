import { expect, it } from 'vitest';
import { cholesky, meanOf, shrunkCovariance, whiten } from '../../../src/proof/statistics/matrix.ts';
import { Random } from '../../../src/producers/simulator/random.ts';

const vector = (...values: readonly number[]): Float64Array => Float64Array.from(values);

it('the mean is taken in each place', () => {
  expect([...meanOf([vector(1, 2), vector(3, 6)])]).toEqual([2, 4]);
});

it('Cholesky’s triangle of a matrix known by hand', () => {
  const lower = cholesky([vector(4, 12, -16), vector(12, 37, -43), vector(-16, -43, 98)]);
  expect(lower.map((row) => [...row])).toEqual([
    [2, 0, 0],
    [6, 1, 0],
    [-8, 5, 3],
  ]);
  // L y = b, solved by hand.
  expect([...whiten(lower, vector(2, 7, -6))]).toEqual([1, 1, -1]);
});

it('a matrix that is not positive definite is refused', () => {
  expect(() => cholesky([vector(1, 2), vector(2, 1)])).toThrow(RangeError);
});

it('the covariance is that of the vectors, drawn to its diagonal as told', () => {
  const centred = [vector(1, 1), vector(-1, -1), vector(1, 1), vector(-1, -1)];
  const [first, second] = shrunkCovariance(centred, 0.25);
  expect(first?.[0]).toBeCloseTo(1, 5);
  expect(first?.[1]).toBeCloseTo(0.75, 5);
  expect(second?.[0]).toBe(first?.[1]);
});

it('whitened vectors have no covariance left', () => {
  const random = new Random(2, 'whiten');
  const correlated = Array.from({ length: 5_000 }, () => {
    const [a, b] = [random.normal(), random.normal()];
    return vector(3 * a, 2 * a + b);
  });
  const lower = cholesky(shrunkCovariance(correlated, 0));
  const [first, second] = shrunkCovariance(
    correlated.map((one) => whiten(lower, one)),
    0,
  );
  expect(first?.[0]).toBeCloseTo(1, 3);
  expect(second?.[1]).toBeCloseTo(1, 3);
  expect(first?.[1]).toBeCloseTo(0, 3);
});
