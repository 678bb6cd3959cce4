import type { Asked } from '../replay/stretch.ts';

/** How segments were picked. */
export type Mechanism =
  | { readonly kind: 'people'; readonly k: number }
  | { readonly kind: 'dp'; readonly epsilon: number; readonly delta: number; readonly maxContributions: number };

export interface Provenance {
  readonly mechanism: Mechanism;
  readonly asked: Asked;
  /** People who counted for anything. */
  readonly people: number;
  /** Digests: of the policy that said what may count, of the vocabulary that was left out, of the proposal. */
  readonly policy: string;
  readonly base: string;
  readonly digest: string;
  readonly now: number;
}

/**
 * The comments at the top of a proposed file: how it was made, for whoever reviews it. No count of anything is exact, days are
 * those that were asked for, and with differential privacy the number of people is left out: it is no part of what
 * epsilon and delta cover.
 */
export function commentsOn(made: Provenance): string[] {
  const { mechanism, policy, base, digest, now } = made;
  return [
    'Proposed by `redactory vocabulary build` from what people were shown. Not reviewed: read every entry, and take out',
    'what one person or one company wrote or is called by, before a policy pins this file or one that it is merged into.',
    '',
    `mechanism: ${describeMechanism(mechanism)}`,
    `stretch: ${describeStretch(made)}`,
    ...(mechanism.kind === 'dp' ? [] : [`people: ${peopleBucket(made.people)}`]),
    `judged by policy: ${policy}`,
    `left out, as reviewed already: ${base}`,
    `made on: ${dayOf(now)}`,
    `digest: ${digest}`,
  ];
}

export function describeMechanism(mechanism: Mechanism): string {
  if (mechanism.kind === 'people') return `seen by at least ${mechanism.k} people each`;
  const { epsilon, delta, maxContributions } = mechanism;
  return (
    `differentially private partition selection (Desfontaines et al. 2022), epsilon ${epsilon}, delta ${delta} ` +
    `for one person more or less, who counts for at most ${maxContributions} entries`
  );
}

/** Days of reception, UTC. */
export function describeStretch({ asked, now }: Pick<Provenance, 'asked' | 'now'>): string {
  const from = asked.from === null ? 'the first day that was kept' : dayOf(asked.from);
  return `${from} to ${dayOf(asked.to === null ? now : Math.max(asked.to - 1, asked.from ?? 0))}`;
}

/** How many people, coarsely. */
export function peopleBucket(people: number): string {
  if (people < 20) return 'fewer than 20';
  const digits = String(people).length;
  if (people < 100) return '20 to 99';
  const from = 10 ** (digits - 1);
  return `${from.toLocaleString('en')} to ${(from * 10 - 1).toLocaleString('en')}`;
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
