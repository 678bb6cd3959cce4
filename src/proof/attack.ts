import type { Measure } from './measure.ts';
import type { PolicyUnderTest } from './policies.ts';
import type { OfficeSource } from './data/office.ts';

/** What an attack gets to work with. */
export interface AttackContext {
  readonly policies: readonly PolicyUnderTest[];
  /** The folder with `biometrics/` and `recordings/`, if one is named. */
  readonly folder: string | undefined;
  readonly seed: number;
  /** Fewer people and rounds: for tests, not for a sign-off. */
  readonly quick: boolean;
  /** Simulated office people, made once for all attacks that need them. */
  readonly office: OfficeSource;
  /** Says on the way what is being done. Waiting for it lets signals be heard; what it throws ends the run. */
  readonly tell: (what: string) => Promise<void>;
}

/** What is attacked, and what came of it. */
export interface Form {
  /** `raw`, `table`, `sanitised topic`, ... */
  readonly name: string;
  readonly measures: readonly Measure[];
  /** Shown beside the others: no target is asked of it. */
  readonly isAside?: true;
}

/** The forms in which one policy releases something. */
export interface ReleasedForms {
  readonly policy: string;
  readonly forms: readonly Form[];
}

export interface Outcome {
  /** The same attack on what the recorder saw: it must succeed, or the attack is too weak to count. The first is judged. */
  readonly raw: readonly Form[];
  /** The same attack where there is nothing to find: it must be at chance, or the attack finds what is not there. */
  readonly control: Form;
  readonly released: readonly ReleasedForms[];
}

/** What a figure must be. */
export interface Target {
  readonly measure: string;
  /** As reports print it. */
  readonly says: string;
  readonly isMet: (measure: Measure) => boolean;
}

/** One attack. `run` throws MissingDataError when what it needs is not there. */
export interface Attack {
  readonly name: string;
  /** The question that it answers, for reports. */
  readonly asks: string;
  /** Where the method comes from. */
  readonly source: string;
  /** Without targets the figures are told and nobody is judged by them. */
  readonly targets: readonly Target[];
  /** The measure that reports show, and that the raw data must give away. */
  readonly headline: string;
  /** How much of it the attack must reach on raw data, at the lower end of the interval. */
  readonly floor: number;
  run(context: AttackContext): Promise<Outcome>;
}
