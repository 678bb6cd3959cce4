import { drop, keep, quarantine, type DropCounts, type Processor } from '../events/outcome.ts';
import { TABLE_SCHEMA_VERSION, type ReleasedFields } from '../events/released.ts';
import { epochOf } from '../privacy/epoch.ts';
import type { Keyring } from '../privacy/keyring.ts';
import type { Policy } from '../privacy/policy.ts';
import type { GeneralBatch } from './generalise.ts';
import { sessionName } from './stages.ts';
import type { Place } from './stretches.ts';

/** Ready to be released, if `release` finds nothing against it. */
export interface PseudonymousBatch {
  readonly fields: ReleasedFields;
  readonly dropped: DropCounts;
  /** Raw events behind the actions. */
  readonly events: number;
}

const DAY_MS = 86_400_000;

/**
 * Replaces session and person by keyed pseudonyms of their purpose and epoch, and the time by its UTC day. Each stretch of
 * a session has a pseudonym of its own. Actions are numbered from `placeFor()`. Without a key there is no pseudonym and nothing is released.
 */
export function pseudonymise(tools: {
  readonly policy: Pick<Policy, 'columns' | 'digest'>;
  readonly keyring: Pick<Keyring, 'pseudonym' | 'state'>;
  /** Where a batch of so many actions begins. */
  readonly placeFor: (actions: number) => Place;
}): Processor<GeneralBatch, PseudonymousBatch> {
  const { policy, keyring } = tools;
  return (batch) => {
    const epoch = epochOf(batch.grantedAt);
    const withSubject = policy.columns.subject === 'pseudonym';
    const { stretch, step: first } = tools.placeFor(batch.actions.length);
    const name = sessionName(batch);
    const session = keyring.pseudonym('session', epoch, stretch === 0 ? name : `${name}/${stretch}`);
    const subject = withSubject ? keyring.pseudonym('subject', epoch, batch.subject) : null;
    if (session === undefined || subject === undefined) {
      const destroyed =
        keyring.state('session', epoch) === 'destroyed' || keyring.state('subject', epoch) === 'destroyed';
      return destroyed ? drop('key_destroyed') : quarantine('key_missing');
    }
    let events = 0;
    const actions = batch.actions.map(({ events: behind, ...action }, index) => {
      events += behind;
      return { step: first + index, ...action };
    });
    return keep({
      fields: {
        session,
        subject,
        day: Math.floor(batch.grantedAt / DAY_MS),
        policy: policy.digest,
        schema: TABLE_SCHEMA_VERSION,
        actions,
      },
      dropped: batch.dropped,
      events,
    });
  };
}
