import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Codec } from '../events/codec.ts';
import { SchemaUnavailableError } from '../events/schema-unavailable.ts';
import type { Pipeline, Processed } from '../processors/pipeline.ts';
import type { RawRecord } from '../processors/stages.ts';

/** Payloads looked into before other work of this process gets its turn. */
const SLICE = 32;

/**
 * Processes `records[at]`, once it can be told what the schema is that its payload names.
 *
 * Those of the records after it are asked for at the same time. Who may write raw batches may name any id in them: if each
 * were waited for by itself, or at another try only, a fetch full of ids that nobody gave out would hold its partition up.
 *
 * @throws RegistryUnavailableError when the registry does not answer; what `process` throws; anything, once `signal` aborts.
 */
export async function processWhenKnown(
  pipeline: Pick<Pipeline, 'process'>,
  records: readonly RawRecord[],
  at: number,
  { codec, signal }: { readonly codec: Pick<Codec, 'openEnvelope' | 'openPayload'>; readonly signal?: AbortSignal },
): Promise<Processed> {
  const record = records[at];
  if (record === undefined) throw new RangeError('There is no such record.');
  for (let tries = 0; ; tries++) {
    try {
      return pipeline.process(record);
    } catch (error) {
      const known = pendingOf(error);
      if (known === undefined || signal?.aborted === true) throw error;
      // What is known of others may have to be asked for again meanwhile; of this one it has just been told.
      const all = tries === 0 ? [known, ...(await pendingIn(records.slice(at + 1), codec))] : [known];
      await unlessAborted(Promise.all(all), signal);
    }
  }
}

const pendingOf = (error: unknown): Promise<void> | undefined =>
  error instanceof SchemaUnavailableError ? error.known : undefined;

async function pendingIn(
  records: readonly RawRecord[],
  codec: Pick<Codec, 'openEnvelope' | 'openPayload'>,
): Promise<readonly Promise<void>[]> {
  const pending = new Set<Promise<void>>();
  for (const [i, { value, unsealed }] of records.entries()) {
    try {
      const envelope = value === null ? undefined : codec.openEnvelope(value);
      if (unsealed?.ok === true) codec.openPayload(unsealed.value);
      else if (envelope?.ok === true && envelope.value.seal === null) codec.openPayload(envelope.value.payload);
    } catch (error) {
      // Other errors are found again when it is the record's turn.
      const known = pendingOf(error);
      if (known !== undefined) pending.add(known);
    }
    if (i % SLICE === SLICE - 1) await nextTurn();
  }
  return [...pending];
}

async function unlessAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  let stop = (): void => undefined;
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
    signal?.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
