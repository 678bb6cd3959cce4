/** What a seed stands for. */
import type { Policy } from '../../src/privacy/policy.ts';
import { Random } from '../../src/producers/simulator/random.ts';

export const POLICIES = ['strict', 'balanced', 'recognizers'] as const;
export type PolicyName = (typeof POLICIES)[number];

export interface RunPlan {
  /** Decides who the people are and what they do. */
  readonly seed: number;
  /** Decides what befalls the workers. */
  readonly luck: number;
  readonly people: number;
  readonly minutes: number;
  /** ms since the epoch; now and then a minute before a month ends, so that days and keys change on the way. */
  readonly start: number;
  readonly policy: PolicyName;
  /** Short ones end by time within the run, and change their pseudonym often; null: the policy's own. */
  readonly session: Policy['session'] | null;
  /** All decisions are on the log before the first raw batch: then the output is one function of the log. */
  readonly consentFirst: boolean;
  /** Keys are there before the workers; else the workers make them, and the run is not quite the same each time. */
  readonly keysFirst: boolean;
  readonly sanitizers: number;
  readonly sinks: number;
  /** Chance of a fault, for each operation, and how many there may be. */
  readonly faultRate: number;
  readonly faults: number;
  /** Chances, for each raw record. */
  readonly redelivered: number;
  readonly damaged: number;
  /** Somebody asks to be erased on the way. */
  readonly erasure: boolean;
}

const MID_MONTH = Date.UTC(2026, 2, 10, 9);
const MONTH_END = Date.UTC(2026, 2, 31, 23, 58, 30);

export function planOf(seed: number): RunPlan {
  const random = new Random(seed, 'plan');
  return {
    seed,
    luck: seed,
    people: random.whole(3, 6),
    minutes: random.whole(2, 4),
    start: random.chance(0.2) ? MONTH_END : MID_MONTH,
    policy: random.pick(POLICIES),
    session: random.chance(0.3) ? { maxMinutes: 2, maxActions: random.pick([1, 4, 25]), latenessMinutes: 1 } : null,
    consentFirst: random.chance(0.6),
    keysFirst: random.chance(0.7),
    sanitizers: random.whole(1, 3),
    sinks: random.whole(1, 3),
    faultRate: random.pick([0.0005, 0.002, 0.006]),
    faults: random.pick([0, 5, 15, 30]),
    redelivered: random.pick([0, 0.02, 0.1]),
    damaged: random.pick([0, 0.01, 0.03]),
    erasure: random.chance(0.2),
  };
}
