import { createHmac, randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Codec } from '../../events/codec.ts';
import { OffsetOutOfRangeError, type EventLog, type TopicPartition } from '../../log/event-log.ts';
import type { RandomBytes, Selection } from '../../privacy/partition-selection.ts';
import type { Policy } from '../../privacy/policy.ts';
import { mergeLines } from '../../privacy/vocabulary-changes.ts';
import { MAX_ENTRIES, type EntryLine, type Vocabulary } from '../../privacy/vocabulary.ts';
import type { Pipeline } from '../../processors/pipeline.ts';
import { createSegmentPipeline, prepareSegments } from '../../processors/segmentPipeline.ts';
import type { ControlTables } from '../control-tables.ts';
import type { ReplayPartition } from '../replay/manifest.ts';
import { judgedAgain } from '../replay/run.ts';
import { processWhenKnown } from '../pending-schemas.ts';
import { fixStretch, type Asked } from '../replay/stretch.ts';
import { RunError } from '../run-error.ts';
import type { FetchSize } from '../sanitizer.ts';
import { TOPICS } from '../topics.ts';
import { createUnseal, type RawSealing, type Unseal } from '../unseal.ts';
import { createPeopleCounter, type PeopleCounter } from './count.ts';
import { openSpillFolder, type SpillFolder } from './spill.ts';

export interface BuildRequest {
  readonly asked: Asked;
  /** Says which contexts and columns count. */
  readonly policy: Policy;
  /** What it holds is not proposed again. */
  readonly known: Vocabulary;
  readonly selection: Selection;
}

export interface BuildTools {
  /** Signed in as the sanitizer. */
  readonly log: EventLog;
  readonly codec: Codec;
  readonly subjectKey: (subject: string) => string;
  readonly tables: ControlTables;
  /** Whether raw batches must be sealed; those that must and are not do not count. */
  readonly sealed: RawSealing;
  readonly fetch: FetchSize;
  /** What lines in memory may take before they go to disk. */
  readonly memoryBytes: number;
  /** Where they go. */
  readonly spillDir: string;
  readonly random?: RandomBytes;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Built {
  /** In the order of a parsed file; none means the same as another. */
  readonly lines: readonly EntryLine[];
  /** For the operator's eyes: not part of what a selection promises. */
  readonly people: number;
  readonly batches: number;
  readonly spilledFiles: number;
}

/** Records processed before other work of this process gets its turn. */
const SLICE = 32;

/**
 * Reads a stretch of raw as a replay does, with consent as of the capture and as of today, and proposes the segments that the
 * selection keeps. Writes nothing to the log.
 *
 * @throws RunError when it was stopped, when raw expired meanwhile, or when it would be more than a vocabulary may hold.
 */
export async function buildVocabulary(request: BuildRequest, tools: BuildTools): Promise<Built> {
  const { log, random = randomBytes } = tools;
  let folder: Promise<SpillFolder> | undefined;
  const counter = createPeopleCounter({
    selection: request.selection,
    random,
    limitBytes: tools.memoryBytes,
    folder: () => (folder ??= openSpillFolder(tools.spillDir)),
  });
  try {
    const { partitions } = await fixStretch(log, request.asked, request.policy);
    const batches = await countAll(request, tools, partitions, counter);
    const { people } = counter;
    return { lines: await select(counter), people, batches, spilledFiles: counter.spilled };
  } catch (error) {
    if (!(error instanceof OffsetOutOfRangeError)) throw error;
    throw new RunError(
      `${error.message}\nRaw of the stretch expired while it was read: give a later --from, or a longer retention`,
    );
  } finally {
    await counter.close();
  }
}

async function countAll(
  request: BuildRequest,
  tools: BuildTools,
  partitions: readonly ReplayPartition[],
  counter: PeopleCounter,
): Promise<number> {
  const { policy, known } = request;
  const { consent, keyring } = tools.tables;
  const key = randomBytes(32);
  const prepared = prepareSegments(policy, known);
  const unseal = createUnseal({ ...tools, keyring });
  const total = partitions.reduce((sum, { warmFrom, end }) => sum + end - warmFrom, 0);
  let done = 0;
  let counting = false;
  for (const [partition, stretch] of partitions.entries()) {
    const pipeline = createSegmentPipeline({
      ...tools,
      policy,
      consent: judgedAgain(consent),
      keyring,
      prepared,
      fingerprint: (text) => createHmac('sha256', key).update(text).digest().readUIntBE(0, 6),
      onSegment: (person, segment) => {
        if (counting) counter.add(person, segment);
      },
    });
    await readStretch(
      tools,
      { topic: TOPICS.raw, partition },
      stretch,
      { pipeline, unseal },
      {
        // Before the stretch, sessions that reach into it are only followed.
        before: (offset) => (counting = offset >= stretch.from),
        after: () => counter.settle(),
        fetched: (records) => tools.onProgress?.((done += records), total),
      },
    );
  }
  return partitions.reduce((sum, { from, end }) => sum + end - from, 0);
}

async function readStretch(
  tools: BuildTools,
  at: TopicPartition,
  { warmFrom, end }: ReplayPartition,
  work: { readonly pipeline: Pipeline; readonly unseal: Unseal },
  on: {
    readonly before: (offset: number) => void;
    readonly after: () => Promise<void>;
    readonly fetched: (records: number) => void;
  },
): Promise<void> {
  const { log, fetch, tables, signal } = tools;
  let offset = warmFrom;
  while (offset < end) {
    if (signal.aborted) throw new RunError('stopped: nothing was written');
    const fetched = await log.read({ ...at, offset, ...fetch, waitMs: 200, standIns: true, signal });
    // As for live work: what was decided before these batches arrived must be known when they are judged.
    await tables.catchUp();
    const ready = await work.unseal(fetched.records.filter(({ offset: at }) => at < end));
    for (const [i, record] of ready.entries()) {
      on.before(record.offset);
      await processWhenKnown(work.pipeline, ready, i, tools);
      await on.after();
      if (i % SLICE === SLICE - 1) await nextTurn();
    }
    on.fetched(Math.min(fetched.nextOffset, end) - offset);
    offset = fetched.nextOffset;
  }
}

async function select(counter: PeopleCounter): Promise<readonly EntryLine[]> {
  const lines: EntryLine[] = [];
  for await (const { kind, text } of counter.selected()) {
    lines.push({ kind, text, aliases: [] });
    if (lines.length > MAX_ENTRIES) {
      throw new RunError(
        `more than ${MAX_ENTRIES.toLocaleString('en')} entries would be proposed: raise --k, or take a shorter stretch`,
      );
    }
  }
  // Of spellings that mean the same, the first in code-unit order stays: which one more people saw is not said.
  return mergeLines([], lines);
}
