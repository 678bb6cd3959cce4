import type { Attack, Outcome, ReleasedForms } from './attack.ts';
import { isAtChance, measureNamed } from './measure.ts';

/** `no target`: measured, and told. `too weak`: the attack fails where it must succeed, or succeeds where nothing is. */
export const VERDICTS = ['pass', 'fail', 'no target', 'too weak', 'not run'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Judgement {
  readonly verdict: Verdict;
  /** What speaks against it; empty for `pass` and `no target`. */
  readonly reasons: readonly string[];
}

/** Judges an attack's figures for one policy. */
export function judge(attack: Attack, outcome: Outcome, released: ReleasedForms): Judgement {
  const weak = weaknesses(attack, outcome);
  if (weak.length > 0) return { verdict: 'too weak', reasons: weak };
  const missed = released.forms
    .filter(({ isAside }) => isAside !== true)
    .flatMap(({ name, measures }) =>
      attack.targets
        .filter(({ measure, isMet }) => !isMet(measureNamed(measures, measure)))
        .map(({ says }) => `${name}: not ${says}`),
    );
  if (missed.length > 0) return { verdict: 'fail', reasons: missed };
  return { verdict: attack.targets.length === 0 ? 'no target' : 'pass', reasons: [] };
}

/** Why an attack does not count, whatever it found in released data. */
export function weaknesses(attack: Attack, { raw, control }: Outcome): string[] {
  const found = measureNamed(raw[0]?.measures ?? [], attack.headline);
  const reasons: string[] = [];
  if (!(found.range[0] >= attack.floor)) {
    reasons.push(`too weak: ${attack.headline} on raw data does not surely reach ${attack.floor}`);
  }
  if (!isAtChance(measureNamed(control.measures, attack.headline))) {
    reasons.push('unsound: it finds something where there is nothing to find');
  }
  return reasons;
}
