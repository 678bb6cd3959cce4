import type { Comparison, Tally } from '../runtime/replay/compare.ts';
import type { Estimate } from '../runtime/replay/estimate.ts';
import type { ReplayCounts } from '../runtime/replay/ledger.ts';
import type { ReplayManifest } from '../runtime/replay/manifest.ts';
import type { Promotion } from '../sinks/index.ts';
import { describeCounts } from './summary.ts';

/** What a replay is about, in a line or two. */
export function describeManifest(manifest: ReplayManifest): string {
  const { name, state, partitions, promoted } = manifest;
  const batches = partitions.reduce((sum, { from, end }) => sum + end - from, 0);
  const ended = state === 'abandoned' || state === 'abandoning' ? 'abandoned' : 'done';
  return [
    `replay ${name}: ${state}${promoted === null ? '' : ` as version ${promoted.version} of the live table, ${iso(promoted.at)}`}`,
    `  stretch  ${manifest.from === null ? 'all that was there' : iso(manifest.from)} to ${manifest.to === null ? 'its end at the start' : iso(manifest.to)}, up to ${number(batches)} raw batches`,
    `  policy   ${manifest.policy}`,
    `  started  ${iso(manifest.startedAt)}${manifest.finishedAt === null ? '' : `, ${ended} ${iso(manifest.finishedAt)}`}`,
    `  table    ${manifest.table}`,
  ].join('\n');
}

/** The counts, and what was handled with more care than usual. */
export function describeReplayed(counts: ReplayCounts, expired: number): string {
  const destroyed = counts.batchesByReason.key_destroyed ?? 0;
  const notes = [
    expired > 0 ? [`up to ${number(expired)} batches of the stretch had expired before it began`] : [],
    counts.cutSessions > 0
      ? [
          `${number(counts.cutSessions)} sessions had lost their beginning: ` +
            `of their ${number(counts.cutBatches)} batches no free text is kept`,
        ]
      : [],
    destroyed > 0 ? [`${number(destroyed)} batches were dropped because the key of their month is destroyed`] : [],
  ].flat();
  return [describeCounts(counts), ...notes.map((note) => `note: ${note}`)].join('\n');
}

/** What differs between live and replay. */
export function describeComparison(comparison: Comparison): string {
  const { live, replay, rows, batches, columns } = comparison;
  const line = (name: string, ...cells: readonly (number | string)[]): string =>
    `  ${name.padEnd(10)}${cells.map((cell) => (typeof cell === 'number' ? number(cell) : cell).padStart(14)).join('')}`;
  const tally = (name: string, t: Tally): string => line(name, t.equal, t.changed, t.dropped, t.kept);
  const changed = Object.entries(columns).map(([name, n]) => `${name} ${number(n)}`);
  return [
    'compared with what live work released of the stretch:',
    line('', 'live', 'replay'),
    line('batches', live.batches, replay.batches),
    line('pseudonyms', live.sessions, replay.sessions),
    line('rows', live.rows, replay.rows),
    line('', 'equal', 'changed', 'newly dropped', 'newly kept'),
    tally('batches', batches),
    tally('rows', rows),
    ...(changed.length === 0 ? [] : [`  changed columns: ${changed.join(', ')}`]),
    live.digest === replay.digest
      ? `  identical: digest ${live.digest}`
      : `  digests: live ${live.digest}\n           replay ${replay.digest}`,
    ...(comparison.liveBehind === 0
      ? []
      : [`  live work has still ${number(comparison.liveBehind)} batches of the stretch before it`]),
    ...(comparison.liveExpired ? ['  live output of the stretch may have expired: this is over what is there'] : []),
  ].join('\n');
}

export function describeEstimate(name: string, estimate: Estimate): string {
  const { batches, bytes, sessions, warmUp, expired, sample, seconds, cores } = estimate;
  return [
    `replay ${name} would process ${number(batches)} raw batches (${number(bytes)} bytes) of ${number(sessions)} sessions`,
    ...(warmUp > 0
      ? [`and first read up to ${number(warmUp)} batches before them, for sessions open at the start`]
      : []),
    ...(expired > 0 ? [`up to ${number(expired)} batches of the stretch have expired`] : []),
    seconds === null
      ? 'there is nothing to measure'
      : `with one worker about ${duration(seconds)}, from a sample of ${number(sample.batches)} batches; this machine has ${cores} cores`,
    'nothing was written',
  ].join('\n');
}

export function describePromotion(name: string, promotion: Promotion): string {
  const { version, already, removed, rewritten, added } = promotion;
  if (already) return `replay ${name} is in the live table since version ${version}; nothing was changed`;
  return [
    `replay ${name} is in the live table from version ${version} on:`,
    `  ${number(removed)} rows of the stretch left, ${number(added)} rows of the replay came`,
    ...(rewritten === 0 ? [] : [`  ${number(rewritten)} other rows were written again`]),
    `version ${version - 1} still has the rows as they were`,
  ].join('\n');
}

const duration = (seconds: number): string =>
  seconds < 90
    ? `${Math.ceil(seconds)} s`
    : seconds < 5_400
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3_600).toFixed(1)} h`;

export const iso = (ms: number): string => new Date(ms).toISOString();
const number = (n: number): string => n.toLocaleString('en');

/** A manifest as --json shows it: times as text. */
export function manifestJson(manifest: ReplayManifest): object {
  const time = (ms: number | null): string | null => (ms === null ? null : iso(ms));
  const { span, promoted, startedAt, finishedAt, from, to, ...others } = manifest;
  return {
    ...others,
    from: time(from),
    to: time(to),
    span: span === null ? null : { first: iso(span.first), last: iso(span.last) },
    startedAt: iso(startedAt),
    finishedAt: time(finishedAt),
    promoted: promoted === null ? null : { version: promoted.version, at: iso(promoted.at) },
  };
}
