/** What an attack achieved, as numbers. Ties never count as success by luck of order: they count by their share. */

/**
 * Area under the ROC curve: how often a genuine score is above an impostor's, ties counting half (Mann and Whitney,
 * 1947; Fawcett, "An introduction to ROC analysis", 2006). NaN if either list is empty.
 */
export function areaUnderCurve(genuine: readonly number[], impostor: readonly number[]): number {
  if (genuine.length === 0 || impostor.length === 0) return Number.NaN;
  const sorted = Float64Array.from(impostor).sort();
  let wins = 0;
  for (const score of genuine) wins += (countBelow(sorted, score) + countUpTo(sorted, score)) / 2;
  return wins / (genuine.length * impostor.length);
}

/**
 * Equal error rate: where as many impostors are taken for genuine as genuine ones are refused, by linear interpolation
 * between thresholds. 0 for a perfect attack, 0.5 for one that knows nothing.
 */
export function equalErrorRate(genuine: readonly number[], impostor: readonly number[]): number {
  if (genuine.length === 0 || impostor.length === 0) return Number.NaN;
  const good = Float64Array.from(genuine).sort();
  const bad = Float64Array.from(impostor).sort();
  // Two pointers over both sorted lists: at each threshold, scores at or above it are accepted.
  let before = { falseAccept: 1, falseReject: 0 };
  let [g, b] = [0, 0];
  while (g < good.length || b < bad.length) {
    const threshold = Math.min(good[g] ?? Infinity, bad[b] ?? Infinity);
    while (g < good.length && (good[g] ?? 0) <= threshold) g += 1;
    while (b < bad.length && (bad[b] ?? 0) <= threshold) b += 1;
    const now = { falseAccept: 1 - b / bad.length, falseReject: g / good.length };
    if (now.falseReject >= now.falseAccept) return crossing(before, now);
    before = now;
  }
  return 0;
}

interface Rates {
  readonly falseAccept: number;
  readonly falseReject: number;
}

/** Where the two rates meet on the straight line between two thresholds. */
export function crossing(before: Rates, now: Rates): number {
  const gapBefore = before.falseAccept - before.falseReject;
  const gapNow = now.falseAccept - now.falseReject;
  const share = gapBefore === gapNow ? 0 : gapBefore / (gapBefore - gapNow);
  return before.falseReject + share * (now.falseReject - before.falseReject);
}

/** 1 if the right candidate has the highest score, 1/k if it shares that with others (k in all), else 0. */
export function topOne(scores: ArrayLike<number>, right: number): number {
  const best = scores[right] ?? Number.NEGATIVE_INFINITY;
  let equals = 0;
  for (let i = 0; i < scores.length; i += 1) {
    const score = scores[i] ?? Number.NEGATIVE_INFINITY;
    if (score > best) return 0;
    if (score === best) equals += 1;
  }
  return 1 / equals;
}

/** How many of an ascending list are less than `value`. */
export function countBelow(sorted: ArrayLike<number>, value: number): number {
  return search(sorted, (other) => other < value);
}

/** How many of an ascending list are at most `value`. */
export function countUpTo(sorted: ArrayLike<number>, value: number): number {
  return search(sorted, (other) => other <= value);
}

function search(sorted: ArrayLike<number>, isLeft: (value: number) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isLeft(sorted[middle] ?? Infinity)) low = middle + 1;
    else high = middle;
  }
  return low;
}
