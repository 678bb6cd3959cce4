import type { Attack, AttackContext, Outcome } from './attack.ts';
import { canaries } from './attacks/canaries.ts';
import { linkage } from './attacks/linkage.ts';
import { membership } from './attacks/membership.ts';
import { pointer } from './attacks/pointer.ts';
import { rhythm } from './attacks/rhythm.ts';
import { sentence } from './attacks/sentence.ts';
import { inference, linkability, singlingOut } from './attacks/table-risks.ts';
import { officeSource } from './data/office.ts';
import { MissingDataError } from './data/tables.ts';
import type { PolicyUnderTest } from './policies.ts';
import { measureUtility, type Utility } from './utility/utility.ts';
import { judge, type Judgement } from './verdict.ts';

/** Every attack, in the order in which they are run and reported; a new one needs its file and its line here. */
export const ATTACKS: readonly Attack[] = [
  rhythm,
  pointer,
  sentence,
  linkage,
  singlingOut,
  linkability,
  inference,
  membership,
  canaries,
];

export interface ProofOptions {
  /** The first is the one that is judged; the others stand beside it. */
  readonly policies: readonly PolicyUnderTest[];
  readonly attacks: readonly Attack[];
  readonly folder: string | undefined;
  readonly seed: number;
  readonly quick: boolean;
  readonly utility: boolean;
  /** Told of each step before it begins; what it throws ends the run. */
  readonly tell: (what: string) => Promise<void>;
}

export interface AttackReport {
  readonly attack: Attack;
  /** Undefined when it could not be run. */
  readonly outcome: Outcome | undefined;
  /** By policy, in their order. */
  readonly judgements: readonly Judgement[];
}

export interface ProofReport {
  readonly seed: number;
  readonly quick: boolean;
  readonly policies: readonly PolicyUnderTest[];
  readonly attacks: readonly AttackReport[];
  /** By policy; undefined when not asked for. */
  readonly utility: Utility | undefined;
}

/** Runs attacks one after another. The same options give the same figures: keys are random, and no figure depends on them. */
export async function runAttacks(options: ProofOptions): Promise<ProofReport> {
  const { policies, folder, seed, quick, tell } = options;
  const context: AttackContext = { policies, folder, seed, quick, tell, office: officeSource(options) };
  const attacks: AttackReport[] = [];
  for (const attack of options.attacks) attacks.push(await runOne(attack, context));
  const utility = options.utility ? await measureUtility(context) : undefined;
  return { seed, quick, policies, attacks, utility };
}

async function runOne(attack: Attack, context: AttackContext): Promise<AttackReport> {
  try {
    const outcome = await attack.run(context);
    return { attack, outcome, judgements: outcome.released.map((released) => judge(attack, outcome, released)) };
  } catch (error) {
    if (!(error instanceof MissingDataError)) throw error;
    const judgement: Judgement = { verdict: 'not run', reasons: [error.message] };
    return { attack, outcome: undefined, judgements: context.policies.map(() => judgement) };
  }
}
