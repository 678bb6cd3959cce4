import type { ConsentDecision } from '../events/control.ts';

export type DecisionKind = ConsentDecision['kind'];
export class DecisionError extends Error {
  override name = 'DecisionError';
}
export interface DecisionInput {
  readonly subjectKey: string;
  /** Length of a pause, 1..30. */
  readonly minutes?: number;
  /** ms since the epoch. */
  readonly now: number;
  readonly randomId: () => string;
}
export declare function makeDecision(kind: DecisionKind, input: DecisionInput): ConsentDecision;
