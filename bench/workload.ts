import { createCodec, type Codec } from '../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../src/events/limits.ts';
import { loadContracts, schemaIds } from '../src/events/schemas.ts';
import { loadZstd } from '../src/events/zstd.ts';
import { packagePath } from '../src/package-path.ts';
import { createConsentTimeline, type ConsentTimeline } from '../src/privacy/consent.ts';
import { epochOf } from '../src/privacy/keyring.ts';
import { createKeyring, type KeyringTable } from '../src/privacy/keyring.ts';
import { fixedWrapping } from '../src/privacy/keys/wrapping.ts';
import { loadPolicy, type Policy } from '../src/privacy/policy.ts';
import { newSealingKeyPair } from '../src/privacy/sealing/key-pair.ts';
import { NodeHkdf } from '../src/privacy/sealing/node-hkdf.ts';
import { createSealer, type Sealer } from '../src/privacy/sealing/seal.ts';
import { createSubjectKeys } from '../src/privacy/subject-key.ts';
import type { Vocabulary } from '../src/privacy/vocabulary.ts';
import type { RawRecord } from '../src/processors/stages.ts';
import type { Captured } from '../src/producers/captured.ts';
import { simulate } from '../src/producers/simulator/index.ts';

/** 2026-01-05T08:00Z: a fixed start, so that every run has the same events. */
const START = 1_767_600_000_000;

/** Everybody takes part all the time: batches that are dropped whole would make the processors look fast. */
export const EVERYBODY = { seed: 7, start: START, consent: 'all_enrolled' } as const;

/** Everything that a pipeline needs, in memory, and simulated work for it. */
export interface Workload {
  readonly codec: Codec;
  readonly policy: Policy;
  readonly vocabulary: Vocabulary;
  readonly consent: ConsentTimeline;
  readonly keyring: KeyringTable;
  readonly subjectKey: (subject: string) => string;
  readonly captured: readonly Captured[];
  readonly records: readonly RawRecord[];
  /** Seals to a key that the keyring has. */
  readonly sealer: Sealer;
  readonly events: number;
}

/** The tools alone: keys, an empty consent table, the strict policy. */
export async function createWorkloadTools(): Promise<
  Omit<Workload, 'captured' | 'records' | 'events'> & { readonly start: number }
> {
  const zstd = await loadZstd();
  const codec = createCodec({ zstd, schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });
  const { policy, vocabulary } = await loadPolicy(packagePath('policies/strict.yaml'));
  const subjectKey = createSubjectKeys(new Uint8Array(32).fill(1));
  const consent = createConsentTimeline({ guardMs: policy.consent.guardSeconds * 1000 });
  const keyring = createKeyring({
    wrapping: fixedWrapping({ masterKey: new Uint8Array(32).fill(2), alsoOpens: [] }),
  });
  for (const purpose of ['session', 'subject'] as const) {
    keyring.apply(await keyring.newEntry(purpose, epochOf(START), START), 0);
  }
  const pair = await newSealingKeyPair();
  keyring.apply(await keyring.sealing.newEntry(pair, START), 1);
  await keyring.openKeys();
  const sealer = await createSealer(pair.publicKey, new NodeHkdf());
  return { codec, policy, vocabulary, consent, keyring, subjectKey, sealer, start: START };
}

/** About `events` raw events of simulated people, in the order in which one partition would have them. */
export async function createWorkload(events: number): Promise<Workload> {
  const { start: _start, ...tools } = await createWorkloadTools();
  const { codec, consent, subjectKey } = tools;
  const captured: Captured[] = [];
  const records: RawRecord[] = [];
  let count = 0;
  for (const simulated of simulate({ ...sizeFor(events), ...EVERYBODY, subjectKey })) {
    if (simulated.kind === 'consent') consent.apply(simulated.decision);
    else {
      const { key, envelope, payload } = simulated.record;
      captured.push(simulated.record);
      records.push({ key, value: codec.encodeCapture(envelope, payload), offset: records.length });
      count += payload.events.length;
      if (count >= events) break;
    }
  }
  return { ...tools, captured, records, events: count };
}

/** Enough people and minutes for that many events, at the simulator's usual pace of some 20 to 40 events a second. */
export function sizeFor(events: number): { readonly people: number; readonly minutes: number } {
  const people = Math.max(20, Math.min(200, Math.round(events / 20_000)));
  return { people, minutes: Math.ceil(events / people / 500) + 10 };
}
