import type { Stroke } from '../data/typing.ts';

/** The keys of an English keyboard that a text needs: Shift is a key, and is pressed before each capital. */
export function strokesOf(text: string): string[] {
  return Array.from(text).flatMap((letter) => (SHIFTED.test(letter) ? ['Shift', letter.toLowerCase()] : [letter]));
}

const SHIFTED = /[\p{Lu}!"#$%&()*+:<>?@^_{|}~]/u;

interface Moments {
  count: number;
  sum: number;
  squares: number;
}

/** Pairs that were seen as often as this count as much as what is known of all pairs together. */
const PRIOR = 4;

/**
 * Learns how long the way from one key to the next takes, and how long a key is held, in units of the typist's own spread
 * (Song, Wagner and Tian, "Timing analysis of keystrokes and timing attacks on SSH", 2001). The result tells how likely some
 * strokes, of which only the times are looked at, are of some keys. -Infinity when their numbers differ.
 */
export function learnTimings(
  background: readonly (readonly Stroke[])[],
): (strokes: readonly Stroke[], keys: readonly string[]) => number {
  const ways = new Map<string, Moments>();
  const holds = new Map<string, Moments>();
  for (const strokes of background) {
    const times = normalised(strokes);
    for (const [i, { way, hold }] of times.entries()) {
      const key = strokes[i]?.key.toLowerCase() ?? '';
      add(holds, key, hold);
      if (way === undefined) continue;
      add(ways, `${strokes[i - 1]?.key.toLowerCase() ?? ''} ${key}`, way);
    }
  }
  return (strokes, keys) => {
    if (strokes.length !== keys.length) return Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (const [i, { way, hold }] of normalised(strokes).entries()) {
      sum += logLikelihood(holds.get(keys[i]?.toLowerCase() ?? ''), hold);
      if (way !== undefined)
        sum += logLikelihood(ways.get(`${keys[i - 1]?.toLowerCase()} ${keys[i]?.toLowerCase()}`), way);
    }
    return sum;
  };
}

interface Times {
  /** From the press before to this one; undefined for the first. */
  readonly way: number | undefined;
  readonly hold: number;
}

/** Logarithms of the times, less their mean in these strokes, by their deviation. */
function normalised(strokes: readonly Stroke[]): Times[] {
  const ways = strokes.map(({ press }, i) =>
    i === 0 ? undefined : Math.log(press - (strokes[i - 1]?.press ?? 0) + 5),
  );
  const holds = strokes.map(({ press, release }) => Math.log(release - press + 5));
  const scale = (values: readonly number[]): ((value: number) => number) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    const spread =
      Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length)) + 0.05;
    return (value) => Math.max(-4, Math.min(4, (value - mean) / spread));
  };
  const [scaleWay, scaleHold] = [scale(ways.filter((way) => way !== undefined)), scale(holds)];
  return strokes.map((_, i) => {
    const way = ways[i];
    return { way: way === undefined ? undefined : scaleWay(way), hold: scaleHold(holds[i] ?? 0) };
  });
}

function add(table: Map<string, Moments>, key: string, value: number): void {
  const moments = table.get(key) ?? { count: 0, sum: 0, squares: 0 };
  table.set(key, moments);
  moments.count += 1;
  moments.sum += value;
  moments.squares += value * value;
}

/** Of a normal distribution, whose mean and variance are drawn towards 0 and 1 where little was seen. */
function logLikelihood(moments: Moments | undefined, value: number): number {
  const { count, sum, squares } = moments ?? { count: 0, sum: 0, squares: 0 };
  const mean = sum / (count + PRIOR);
  const variance = (squares + PRIOR) / (count + PRIOR) - mean * mean + 0.05;
  return -0.5 * Math.log(variance) - (value - mean) ** 2 / (2 * variance);
}
