import type { Codec } from '../../events/codec.ts';
import type { EventLog, LogRecord, TopicPartition } from '../../log/event-log.ts';
import { sessionName } from '../../processors/stages.ts';
import { addSummaries, addTo, decodeMetadata, emptySummary, type Ledger, type SanitizerSummary } from '../sanitizer.ts';
import type { ReplayManifest } from './manifest.ts';
import { replayNames } from './names.ts';
import { timeOf } from './stretch.ts';

/** What a replay has done up to now, by whatever processes, counted once each. */
export interface ReplayCounts extends SanitizerSummary {
  /** Sessions whose beginning had expired: no free text of theirs is kept. */
  readonly cutSessions: number;
  readonly cutBatches: number;
}

/** A partition's counts as they travel with its offset commits. */
interface Carried {
  readonly summary: SanitizerSummary;
  readonly sessions: number;
  readonly batches: number;
  /** Timestamp (ms) of the first record that was kept when work on the partition began; null when none had expired. */
  readonly keptFrom: number | null;
}

/** Makes the ledgers of a replay's partitions. */
export function createLedgers(options: {
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'openEnvelope'>;
  readonly manifest: ReplayManifest;
  /** How long after its grant a session's batches may come, ms. */
  readonly horizonMs: number;
}): (at: TopicPartition, carried: unknown) => Promise<Ledger> {
  const { log, codec, manifest } = options;
  return async (at, rendered) => {
    const carried = isCarried(rendered) ? rendered : await atFirst(log, at, manifest);
    const summary = addSummaries(carried.summary, emptySummary());
    const cut = { sessions: carried.sessions, batches: carried.batches };
    const from = manifest.partitions[at.partition]?.from ?? 0;
    const watch = watchCuts(codec, carried.keptFrom, options.horizonMs);
    return {
      warmed(record) {
        watch(record, record.offset >= from);
      },
      processed(record, result) {
        addTo(summary, result, record.value?.length ?? 0);
        const seen = watch(record, true);
        if (seen === 'first') cut.sessions++;
        if (seen !== undefined) cut.batches++;
      },
      pending(change) {
        summary.pending += change;
      },
      render: (): Carried => ({ summary, ...cut, keptFrom: carried.keptFrom }),
    };
  };
}

async function atFirst(log: EventLog, at: TopicPartition, manifest: ReplayManifest): Promise<Carried> {
  const begin = (await log.beginOffsets(at.topic))[at.partition] ?? 0;
  const { warmFrom = 0, end = 0 } = manifest.partitions[at.partition] ?? {};
  const isWhole = begin === 0 || begin < warmFrom;
  const keptFrom = isWhole ? null : await timeOf(log, at, begin, end);
  return { summary: emptySummary(), sessions: 0, batches: 0, keptFrom };
}

/**
 * Finds the batches of sessions whose beginning is gone: granted before the first record that was kept, and first seen in
 * their middle. Says `first` of the first batch of such a session that is in the stretch, `later` of its others.
 */
function watchCuts(
  codec: Pick<Codec, 'openEnvelope'>,
  keptFrom: number | null,
  horizonMs: number,
): (record: LogRecord, isInStretch: boolean) => 'first' | 'later' | undefined {
  /** Sessions of that time: whether their beginning is missing, and whether that was counted. */
  const sessions = new Map<string, { readonly isCut: boolean; counted: boolean }>();
  return ({ key, value, timestamp }, isInStretch) => {
    // Beyond the horizon none of those sessions goes on.
    if (keptFrom === null || value === null || timestamp > keptFrom + horizonMs) return undefined;
    const envelope = codec.openEnvelope(value);
    if (!envelope.ok || envelope.value.grantedAt > keptFrom) return undefined;
    const name = sessionName({ key, ...envelope.value });
    let session = sessions.get(name);
    if (session === undefined) sessions.set(name, (session = { isCut: envelope.value.sequence > 0, counted: false }));
    if (!session.isCut || !isInStretch) return undefined;
    const seen = session.counted ? 'later' : 'first';
    session.counted = true;
    return seen;
  };
}

/** The counts of all partitions, from their last commits. */
export async function readCounts(log: EventLog, manifest: ReplayManifest): Promise<ReplayCounts> {
  const { group, raw } = replayNames(manifest.name).sanitizer;
  let total: ReplayCounts = { ...emptySummary(), cutSessions: 0, cutBatches: 0 };
  for (const partition of manifest.partitions.keys()) {
    const committed = await log.committed(group, { topic: raw, partition });
    if (committed === undefined) continue;
    const { ledger } = decodeMetadata(committed.metadata, committed.offset);
    if (!isCarried(ledger)) continue;
    total = {
      ...addSummaries(total, ledger.summary),
      cutSessions: total.cutSessions + ledger.sessions,
      cutBatches: total.cutBatches + ledger.batches,
    };
  }
  return total;
}

/** Only ledgers of this module travel with a replay group's commits, and their version is the metadata's. */
const isCarried = (value: unknown): value is Carried =>
  typeof value === 'object' && value !== null && 'summary' in value && 'keptFrom' in value;
