import type { Context } from '../events/raw.ts';
import type { Policy } from './policy.ts';

/** Whether a context is one that the policy keeps out of every record: `true` means that its events are dropped. */
export type ContextRule = (context: Context) => boolean;

/** placeholder that excludes everything until the rule is in place */
export function createContextRule(_policy: Policy): ContextRule {
  return () => true;
}
