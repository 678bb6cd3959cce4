import { createPipeline, preparePolicy } from '../src/processors/pipeline.ts';
import { createEchoMemory } from '../src/privacy/echoes.ts';
import { excludeContexts } from '../src/processors/excludeContexts.ts';
import { generalise } from '../src/processors/generalise.ts';
import { keepConsented } from '../src/processors/keepConsented.ts';
import { openBatch } from '../src/processors/openBatch.ts';
import { pseudonymise } from '../src/processors/pseudonymise.ts';
import { redactKeystrokes } from '../src/processors/redactKeystrokes.ts';
import { redactText } from '../src/processors/redactText.ts';
import { reduceToActions } from '../src/processors/reduceToActions.ts';
import { release } from '../src/processors/release.ts';
import type { Outcome } from '../src/events/outcome.ts';
import type { RawRecord } from '../src/processors/stages.ts';
import { createUnseal, type Unseal } from '../src/runtime/unseal.ts';
import { createWorkload, EVERYBODY, sizeFor, type Workload } from './workload.ts';
import { BEGINNING } from '../src/processors/stretches.ts';
import { simulate } from '../src/producers/simulator/index.ts';

/** Raw events a second over several runs. */
export interface Throughput {
  readonly stage: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Measures each stage by itself on the output of the one before, and the whole chain. */
export async function benchPipeline(options: {
  readonly events: number;
  readonly runs: number;
}): Promise<Throughput[]> {
  const work = await createWorkload(options.events);
  const { codec, policy, vocabulary, records, captured } = work;
  const prepared = preparePolicy(policy, vocabulary);
  const tools = { ...work, echoes: createEchoMemory(vocabulary), isExcluded: prepared.isExcluded };

  const opened = kept(records, openBatch(work));
  const visible = kept(opened, excludeContexts({ isExcluded: prepared.isExcluded, unknown: 'keep' }).process);
  const keyless = kept(visible, redactKeystrokes({ policy: policy.keystrokes, echoes: tools.echoes }).process);
  const actions = kept(keyless, reduceToActions({ policy: policy.gestures }).process);
  const textTools = {
    policy: policy.columns,
    publicText: prepared.publicText,
    freeTexts: prepared.freeTexts,
    vocabulary,
    echoes: tools.echoes,
    isComplete: () => true,
  };
  const texts = kept(actions, redactText(textTools));
  const general = kept(texts, generalise({ policy: policy.columns }).process);
  const pseudonymous = kept(general, pseudonymise({ policy, keyring: work.keyring, placeFor: () => BEGINNING }));

  const stages: [string, () => void][] = [
    ['simulate', () => simulateAll(work)],
    ['encode (producer)', () => captured.forEach((c) => void codec.encodeCapture(c.envelope, c.payload))],
    ['openBatch (decode)', () => void kept(records, openBatch(work))],
    ['keepConsented', () => void kept(opened, keepConsented(work))],
    [
      'excludeContexts',
      () => void kept(opened, excludeContexts({ isExcluded: prepared.isExcluded, unknown: 'keep' }).process),
    ],
    [
      'redactKeystrokes',
      () => void kept(visible, redactKeystrokes({ policy: policy.keystrokes, echoes: tools.echoes }).process),
    ],
    ['reduceToActions', () => void kept(keyless, reduceToActions({ policy: policy.gestures }).process)],
    ['redactText', () => void kept(actions, redactText(textTools))],
    ['generalise', () => void kept(texts, generalise({ policy: policy.columns }).process)],
    [
      'pseudonymise',
      () => void kept(general, pseudonymise({ policy, keyring: work.keyring, placeFor: () => BEGINNING })),
    ],
    ['release', () => void kept(pseudonymous, release(work))],
    ['pipeline, raw to released', () => runPipeline(work, prepared)],
  ];
  const plain = stages.map(([stage, run]) => measure(stage, work.events, options.runs, run));
  return [...plain, ...(await benchSealed(work, prepared, options.runs))];
}

/** As many payloads side by side as a producer has. */
const SEALED_AT_ONCE = 32;

/** The same batches sealed: closing them, opening them, and the whole chain in turns with the one that is not sealed. */
async function benchSealed(
  work: Workload,
  prepared: ReturnType<typeof preparePolicy>,
  runs: number,
): Promise<Throughput[]> {
  const sealed = await sealAll(work);
  const unseal = createUnseal({ ...work, sealed: 'accepted' });
  const [closing, opening, plain, whole]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let run = 0; run <= runs; run++) {
    const rates = [
      await rateOf(work.events, () => sealAll(work)),
      await rateOf(work.events, () => unsealAll(unseal, sealed)),
      await rateOf(work.events, async () => runPipeline(work, prepared)),
      await rateOf(work.events, async () => {
        runPipeline({ ...work, records: await unsealAll(unseal, sealed) }, prepared);
      }),
    ] as const;
    // The first warms up.
    if (run > 0) [closing, opening, plain, whole].forEach((all, i) => all.push(rates[i] ?? 0));
  }
  return [
    spreadOf('seal (producer)', closing),
    spreadOf('unseal', opening),
    spreadOf('pipeline again, not sealed', plain),
    spreadOf('pipeline, sealed to released', whole),
  ];
}

async function sealAll({ codec, records, sealer }: Workload): Promise<RawRecord[]> {
  const sealed: RawRecord[] = [];
  for (let i = 0; i < records.length; i += SEALED_AT_ONCE) {
    const some = records.slice(i, i + SEALED_AT_ONCE).map(async (record) => {
      const opened = codec.openEnvelope(record.value ?? Buffer.of());
      if (!opened.ok) throw new Error(opened.reason);
      const value = codec.encodeEnvelope({
        ...opened.value,
        ...(await sealer.seal(opened.value, opened.value.payload)),
      });
      return { ...record, value };
    });
    sealed.push(...(await Promise.all(some)));
  }
  return sealed;
}

/** In fetches of a worker's size. */
async function unsealAll(unseal: Unseal, records: readonly RawRecord[]): Promise<RawRecord[]> {
  const all: RawRecord[] = [];
  for (let i = 0; i < records.length; i += 512) all.push(...(await unseal(records.slice(i, i + 512))));
  if (all.some(({ unsealed }) => unsealed?.ok !== true)) throw new Error('a batch did not open');
  return all;
}

async function rateOf(events: number, run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (events / (performance.now() - start)) * 1000;
}

function kept<A, B>(batches: readonly A[], process: (batch: A) => Outcome<B>): B[] {
  const out: B[] = [];
  for (const batch of batches) {
    const outcome = process(batch);
    if (outcome.kind === 'keep') out.push(outcome.batch);
  }
  return out;
}

function runPipeline(work: Workload, prepared: ReturnType<typeof preparePolicy>): void {
  const pipeline = createPipeline(work, prepared);
  for (const record of work.records) {
    const { released } = pipeline.process(record);
    if (released !== null) work.codec.encodeReleased(released);
  }
}

function simulateAll(work: Workload): void {
  let events = 0;
  for (const simulated of simulate({
    ...sizeFor(work.events),
    ...EVERYBODY,
    subjectKey: work.subjectKey,
  })) {
    if (simulated.kind === 'capture') events += simulated.record.payload.events.length;
    if (events >= work.events) break;
  }
}

function measure(stage: string, events: number, runs: number, run: () => void): Throughput {
  run();
  const rates = Array.from({ length: runs }, () => {
    const start = performance.now();
    run();
    return (events / (performance.now() - start)) * 1000;
  });
  return spreadOf(stage, rates);
}

function spreadOf(stage: string, all: readonly number[]): Throughput {
  const rates = all.toSorted((a, b) => a - b);
  return { stage, median: rates[Math.floor(rates.length / 2)] ?? 0, min: rates[0] ?? 0, max: rates.at(-1) ?? 0 };
}
