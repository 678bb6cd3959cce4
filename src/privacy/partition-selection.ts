/**
 * Which segments may be proposed, from how many people have seen each: from k people on, or by differentially private
 * partition selection.
 *
 * The private way is the optimal one for one contribution a person of D. Desfontaines, J. Voss, B. Gipson, C. Mandayam:
 * "Differentially private partition selection", PoPETs 2022(1) (the truncated geometric mechanism, wherever that is the
 * optimum), after A. Korolova, K. Kenthapadi, N. Mishra, A. Ntoulas: "Releasing search queries and clicks privately", WWW
 * 2009. A person counts for at most m segments, each decided with epsilon / m and delta / m, so that together (basic
 * composition) one person more or less changes the odds of any outcome by no more than epsilon and delta.
 */

/** Random bytes that nobody can guess; tests bring bytes of a seed. */
export type RandomBytes = (count: number) => Uint8Array;

export interface Selection {
  /** A person counts for at most so many segments, picked at random; null for all of theirs. */
  readonly maxContributions: number | null;
  /** Decides on one segment that so many people count for; each segment is to be asked about once. */
  readonly keeps: (people: number) => boolean;
}

/** From `k` people on, always; else never. */
export function byPeople(k: number): Selection {
  return { maxContributions: null, keeps: (people) => people >= k };
}

export interface Budget {
  readonly epsilon: number;
  readonly delta: number;
  readonly maxContributions: number;
}

/** @throws RangeError when the budget is out of bounds. */
export function byBudget(budget: Budget, random: RandomBytes): Selection {
  const table = keepProbabilities(budget);
  return {
    maxContributions: budget.maxContributions,
    keeps: (people) => people > 0 && uniform(random) < (table[people] ?? ONE),
  };
}

/** Probabilities are whole numbers of 2^-128: nothing is rounded when one is drawn (Mironov 2012 shows what rounding gives away). */
export const PROBABILITY_BITS = 128;
const ONE = 1n << BigInt(PROBABILITY_BITS);

/**
 * The probability to keep a segment that n people count for, in units of 2^-128, by n from 0; 1 from the array's end on.
 *
 * Everything is rounded to the safe side: what holds exactly, for whole numbers, is the definition's inequalities with an
 * e^epsilon and a delta that are not above those asked for.
 */
export function keepProbabilities({ epsilon, delta, maxContributions }: Budget): readonly bigint[] {
  const m = BigInt(Number.isSafeInteger(maxContributions) && maxContributions >= 1 ? maxContributions : 0);
  if (m === 0n) throw new RangeError('a person must count for a whole number of segments, 1 at least');
  if (!(epsilon > 0 && epsilon <= 20) || !(epsilon / maxContributions >= 1e-4)) {
    throw new RangeError(
      'epsilon must be above 0, at most 20, and at least 0.0001 for each of the segments of a person',
    );
  }
  if (!(delta > 0 && delta < 1)) throw new RangeError('delta must be between 0 and 1');
  const growth = expBelow(epsilon, m);
  const step = fixedBelow(delta, PROBABILITY_BITS) / m;
  if (step === 0n) throw new RangeError('delta is too small to be drawn');
  const table = [0n];
  for (let p = 0n; p < ONE; table.push(p)) {
    const byGrowth = ((growth * p) >> BigInt(GROWTH_BITS)) + step;
    const left = ONE - p - step;
    const byShrinking = left <= 0n ? ONE : ONE - divideUp(left << BigInt(GROWTH_BITS), growth);
    p = least(byGrowth, byShrinking, ONE);
  }
  table.pop();
  return table;
}

const GROWTH_BITS = 192;

/** e^(epsilon / m), rounded down, in units of 2^-192: a series of terms above 0, each rounded down, and cut. */
function expBelow(epsilon: number, m: bigint): bigint {
  const x = fixedBelow(epsilon, GROWTH_BITS) / m;
  let term = 1n << BigInt(GROWTH_BITS);
  let sum = 0n;
  for (let n = 1n; term > 0n; n++) {
    sum += term;
    term = ((term * x) >> BigInt(GROWTH_BITS)) / n;
  }
  return sum;
}

/** A number from 0 up as a whole number of 2^-bits, rounded down; exact before that, as every double is. */
function fixedBelow(value: number, bits: number): bigint {
  let scaled = value;
  let exponent = 0;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    exponent++;
  }
  return (BigInt(scaled) << BigInt(bits)) >> BigInt(exponent);
}

function divideUp(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

function least(...values: readonly [bigint, ...bigint[]]): bigint {
  return values.reduce((a, b) => (b < a ? b : a));
}

function uniform(random: RandomBytes): bigint {
  return fromBytes(random(PROBABILITY_BITS / 8));
}

function fromBytes(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** A whole number below `limit` (at most 2^48), each as likely as any other. */
export function randomBelow(limit: number, random: RandomBytes): number {
  const all = 2 ** 48;
  const fair = all - (all % limit);
  for (;;) {
    const drawn = Number(fromBytes(random(6)));
    if (drawn < fair) return drawn % limit;
  }
}

/**
 * Picks at most `max` of the items put in, every choice as likely as any other, in one pass (algorithm R, Vitter 1985).
 */
export function createSample<T>(max: number, random: RandomBytes): { put(item: T): void; taken(): readonly T[] } {
  const sample: T[] = [];
  let seen = 0;
  return {
    put(item) {
      seen++;
      if (sample.length < max) {
        sample.push(item);
        return;
      }
      const place = randomBelow(seen, random);
      if (place < max) sample[place] = item;
    },
    taken: () => sample,
  };
}
