import type { ConsentDecision, Erasure } from '../events/control.ts';

export type ConsentVerdict =
  | {
      readonly allowed: true;
      /** Closed intervals of device time (ms) whose events are dropped as `paused`. */
      readonly pausedIntervals: readonly (readonly [number, number])[];
    }
  | {
      readonly allowed: false;
      readonly reason: 'not_enrolled' | 'withdrawn' | 'exempt' | 'paused' | 'session_ended_by_consent' | 'erased';
    };

export type ConsentStatus =
  | { readonly kind: 'not_enrolled' | 'enrolled' | 'withdrawn' | 'exempt' }
  | { readonly kind: 'paused'; readonly until: number };

export interface ConsentTimeline {
  judge(subjectKey: string, grantedAt: number, receivedAt: number): ConsentVerdict;
  apply(decision: ConsentDecision): void;
  applyErasure(erasure: Erasure): void;
  status(subjectKey: string, at: number): ConsentStatus;
}

export declare function createConsentTimeline(options: { readonly guardMs: number }): ConsentTimeline;
