import type { Range } from './statistics/intervals.ts';

/** One figure of an attack, with what an attacker who knows nothing would get. */
export interface Measure {
  /** What is measured, as the reports print it: `top-1`, `AUC`, `EER`, ... */
  readonly name: string;
  readonly value: number;
  /** 95 % interval. */
  readonly range: Range;
  /** What knowing nothing gives. */
  readonly chance: number;
  /** The middle 95 % of what knowing nothing gives with as many people. */
  readonly chanceRange: Range;
  /** The method that achieved it: the strongest of those tried. */
  readonly by: string;
  /** Whether less is a success, as for error rates. */
  readonly lowerIsStronger?: true;
}

/** @throws Error when there is no such measure: a mistake in the code. */
export function measureNamed(measures: readonly Measure[], name: string): Measure {
  const found = measures.find((measure) => measure.name === name);
  if (found === undefined) throw new Error(`no measure is named "${name}"`);
  return found;
}

/** Whether an attacker who knows nothing would get this as well. */
export function isAtChance({ value, chanceRange: [low, high], lowerIsStronger }: Measure): boolean {
  return lowerIsStronger === true ? value >= low : value <= high;
}
