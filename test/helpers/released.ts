import type { ReleasedAction, ReleasedBatch, ReleasedFields } from '../../src/events/released.ts';
import type { SinkRecord } from '../../src/sinks/sink.ts';

/** Only `release` mints a batch; tests of what comes after it make theirs here, and nowhere else. */
export const asReleased = (fields: ReleasedFields): ReleasedBatch => fields as ReleasedBatch;

/** A pseudonym's form: 32 hexadecimal digits, told apart by `n`. */
export const pseudonym = (n: number): string => n.toString(16).padStart(32, '0');

export const action = (step: number, fields: Partial<ReleasedAction> = {}): ReleasedAction => ({
  step,
  action: 'click',
  app: null,
  window: null,
  url: null,
  target_role: null,
  target: null,
  key: null,
  button: null,
  direction: null,
  cell: null,
  pause: null,
  length: null,
  count: null,
  ...fields,
});

export const POLICY_DIGEST = `sha256:${'ab'.repeat(32)}`;
/** 2026-11-01 as days since 1970-01-01. */
export const DAY = 20_758;

export const fields = (given: Partial<ReleasedFields> = {}): ReleasedFields => ({
  session: pseudonym(1),
  subject: null,
  day: DAY,
  policy: POLICY_DIGEST,
  schema: 1,
  actions: [action(0)],
  ...given,
});

export const record = (
  partition: number,
  offset: number,
  given: Partial<ReleasedFields> = {},
  source = { topic: 'interactions.raw', partition: 0, offset },
): SinkRecord => ({ partition, offset, source, batch: asReleased(fields(given)) });
