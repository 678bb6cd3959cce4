/** Results of processing, as values with a reason from a closed set. Reasons are metric labels: keep them few and bounded. */

/** Why a raw event, or a whole batch of them, may not be released. */
export const DROP_REASONS = [
  'not_enrolled',
  'withdrawn',
  'exempt',
  'paused',
  'session_ended_by_consent',
  'erased',
  'key_destroyed',
  'duplicate',
  'out_of_order',
  'late',
  'after_end',
  'excluded_context',
  'unknown_context',
  'unknown_kind',
  'key_up',
  'modifier',
  'pointer_path',
  'incomplete_gesture',
  'unfinished',
  'session_marker',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** Why a batch could not be processed at all. */
export const QUARANTINE_REASONS = [
  'oversized',
  'bad_wire_format',
  'unknown_schema',
  'bad_envelope',
  'not_sealed',
  'unknown_sealing_key',
  'sealing_key_destroyed',
  'unseal_failed',
  'bad_compression',
  'bad_payload',
  'limit_exceeded',
  'subject_mismatch',
  'key_missing',
  'processor_error',
  'release_refused',
] as const;
export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

/** What a processor makes of a batch. A throw inside a processor becomes `quarantine` with reason `processor_error`. */
export type Outcome<B> =
  | { readonly kind: 'keep'; readonly batch: B }
  | { readonly kind: 'drop'; readonly reason: DropReason }
  | { readonly kind: 'quarantine'; readonly reason: QuarantineReason };

/** A processor: pure as seen from outside, synchronous, made by a factory that closes over config, keys and tables. */
export type Processor<In, Out> = (batch: In) => Outcome<Out>;

/** Raw events by the reason for which they were dropped. */
export type DropCounts = Readonly<Partial<Record<DropReason, number>>>;

/** Two counts by reason together; a new object. */
export function addCounts<K extends string>(
  a: Readonly<Partial<Record<K, number>>>,
  b: Readonly<Partial<Record<K, number>>>,
): Partial<Record<K, number>> {
  const sum: Partial<Record<K, number>> = { ...a };
  for (const key of Object.keys(b) as K[]) sum[key] = (a[key] ?? 0) + (b[key] ?? 0);
  return sum;
}

export const keep = <B>(batch: B): Outcome<B> => ({ kind: 'keep', batch });
export const drop = (reason: DropReason): Outcome<never> => ({ kind: 'drop', reason });
export const quarantine = (reason: QuarantineReason): Outcome<never> => ({ kind: 'quarantine', reason });
