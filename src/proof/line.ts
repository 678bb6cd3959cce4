import { randomBytes } from 'node:crypto';
import { createCodec, type Codec } from '../events/codec.ts';
import { KEY_PURPOSES } from '../events/control.ts';
import { DEFAULT_LIMITS } from '../events/limits.ts';
import type { ReleasedAction, ReleasedBatch } from '../events/released.ts';
import { loadContracts, schemaIds } from '../events/schemas.ts';
import { loadZstd } from '../events/zstd.ts';
import { createConsentTimeline } from '../privacy/consent.ts';
import { makeDecision } from '../privacy/decisions.ts';
import { createKeyring, epochOf, type Keyring } from '../privacy/keyring.ts';
import { KEY_BYTES } from '../privacy/keys/key-error.ts';
import { fixedWrapping } from '../privacy/keys/wrapping.ts';
import { createSubjectKeys } from '../privacy/subject-key.ts';
import { createPipeline } from '../processors/pipeline.ts';
import type { Captured } from '../producers/captured.ts';
import { createLineParser } from '../producers/recordings/capture-jsonl.ts';
import { failIn } from '../producers/recordings/import-error.ts';
import { IMPORT_LIMITS } from '../producers/recordings/limits.ts';
import { createSessions } from '../producers/recordings/sessions.ts';
import type { PolicyUnderTest } from './policies.ts';

/** A line of `capture-jsonl` (docs/capture-jsonl.md); `at` is in whole ms from the recording's beginning. */
export type RecordingLine = Readonly<Record<string, unknown>> & { readonly at: number; readonly kind: string };

/** A recording as a recorder would write it. */
export interface Recording {
  readonly subject: string;
  /** Ids in place of those that the importer would give. */
  readonly ids?: { readonly session: string; readonly device: string };
  readonly lines: readonly RecordingLine[];
}

/** What left the line of one recording. */
export interface Released {
  readonly actions: readonly ReleasedAction[];
  /** As they lie on the sanitised topic, whose readers see where one ends. */
  readonly batches: readonly ReleasedBatch[];
  /** For each released batch how many raw records lie between it and the one before, as the source offsets tell. */
  readonly gaps: readonly number[];
}

/** The stretches of a recording: what a reader of the table or of the topic sees as one, and nothing links to the others. */
export function stretchesOf({ batches, gaps }: Released): Released[] {
  const stretches = new Map<string, { batches: ReleasedBatch[]; gaps: number[] }>();
  for (const [i, batch] of batches.entries()) {
    const stretch = stretches.get(batch.session) ?? { batches: [], gaps: [] };
    stretches.set(batch.session, stretch);
    // What came before a stretch's first batch is another stretch's: how far back it was says nothing.
    stretch.gaps.push(stretch.batches.length === 0 ? 1 : (gaps[i] ?? 1));
    stretch.batches.push(batch);
  }
  return [...stretches.values()].map((stretch) => ({
    ...stretch,
    actions: stretch.batches.flatMap(({ actions }) => actions),
  }));
}

/**
 * The real line, in memory: importer, codec, keys, consent and processors, one partition a policy. Nothing of it is a stand-in
 * but the log between its parts, and nothing raw touches a disk.
 */
export interface Line {
  /** Sends one recording through under every policy; the results are in the policies' order. @throws LineError */
  record(recording: Recording): readonly Released[];
  /** The same for batches of one session that a producer made. */
  capture(captured: readonly Captured[]): readonly Released[];
  readonly subjectKey: (subject: string) => string;
  readonly codec: Codec;
}

/** Something of a recording was dropped whole or quarantined. What is not released cannot be attacked: that is no success. */
export class LineError extends Error {
  override name = 'LineError';
}

/** Trusted time of the first recording; each begins a minute after the one before. There are keys for its month alone. */
export const LINE_START = Date.UTC(2026, 2, 2, 8);
const MINUTE = 60_000;

export async function createLine(policies: readonly PolicyUnderTest[]): Promise<Line> {
  const codec = createCodec({ zstd: await loadZstd(), schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });
  const subjectKey = createSubjectKeys(randomBytes(KEY_BYTES));
  const consent = createConsentTimeline({ guardMs: 0 });
  const keyring = await keyringOf(LINE_START);
  const pipelines = policies.map(({ policy, vocabulary }) =>
    createPipeline({ codec, subjectKey, policy, vocabulary, consent, keyring }),
  );
  const enrolled = new Set<string>();
  let offset = 0;
  let recordings = 0;

  function enrol(key: string): void {
    if (enrolled.has(key)) return;
    enrolled.add(key);
    const decision = { subjectKey: key, now: LINE_START - MINUTE, randomId: () => randomBytes(16).toString('hex') };
    consent.apply(makeDecision('enrol', decision));
  }

  function capture(captured: readonly Captured[]): readonly Released[] {
    const batches = pipelines.map((): ReleasedBatch[] => []);
    const gaps = pipelines.map((): number[] => []);
    const last = pipelines.map(() => offset - 1);
    for (const { key, envelope, payload } of captured) {
      enrol(key);
      const record = { key, value: codec.encodeCapture(envelope, payload), offset };
      for (const [i, pipeline] of pipelines.entries()) {
        const { kind, reason, released } = pipeline.process(record);
        if (kind !== 'keep')
          throw new LineError(`the line did not keep a recording (${reason}); no attack on it counts`);
        if (released === null) continue;
        batches[i]?.push(released);
        gaps[i]?.push(offset - (last[i] ?? 0));
        last[i] = offset;
      }
      offset += 1;
    }
    return batches.map((own, i) => ({
      batches: own,
      actions: own.flatMap(({ actions }) => actions),
      gaps: gaps[i] ?? [],
    }));
  }

  return {
    subjectKey,
    codec,
    capture,
    record({ subject, ids, lines }) {
      const fail = failIn('recording');
      const parse = createLineParser(subject, fail);
      recordings += 1;
      const sessions = createSessions({
        subjectKey,
        now: () => LINE_START + recordings * MINUTE,
        randomId: () => randomBytes(16).toString('hex'),
        limits: IMPORT_LIMITS,
        fail,
        labelsRestart: false,
      });
      const captured: Captured[] = [];
      for (const [n, line] of lines.entries()) {
        const text = JSON.stringify({ session: 'recording', ...line, at: LINE_START + line.at });
        sessions.add(parse(text, n + 1), captured);
      }
      sessions.finish(captured);
      return capture(ids === undefined ? captured : captured.map((one) => withIds(one, ids)));
    },
  };
}

const withIds = (
  { key, envelope, payload }: Captured,
  { session, device }: NonNullable<Recording['ids']>,
): Captured => ({
  key,
  envelope: { ...envelope, session },
  payload: { ...payload, device },
});

/** Random keys, wrapped and opened as real ones are, for the month of `time`. */
async function keyringOf(time: number): Promise<Keyring> {
  const wrapping = fixedWrapping({ masterKey: randomBytes(KEY_BYTES), alsoOpens: [] });
  const keyring = createKeyring({ wrapping });
  for (const [offset, purpose] of KEY_PURPOSES.entries()) {
    keyring.apply(await keyring.newEntry(purpose, epochOf(time), time), offset);
  }
  await keyring.openKeys();
  return keyring;
}
