import type { Codec } from '../../events/codec.ts';
import type { Erasure } from '../../events/control.ts';
import type { EventLog, NewRecord } from '../../log/event-log.ts';
import { openGlobalTable } from '../../log/global-table.ts';
import type { OwnerContent } from '../../privacy/owners.ts';
import { eraseSessions, progressMark, type TableStore, type TableView } from '../../sinks/index.ts';
import { audited, type AuditEntry, type AuditTrail } from '../audit.ts';
import { appendErasure, laterErasure } from '../erasures.ts';
import { readManifests, type ReplayManifest } from '../replay/manifest.ts';
import { openRequests, requestKey } from '../requests.ts';
import { endSegments } from '../segments.ts';
import { partitionsBehind, tableAt, TableBehindError } from '../table-progress.ts';
import { COMPACTED_WITHIN_MS, GROUPS, OWNERS_WITHIN_MS, TOPICS } from '../topics.ts';
import { canBeRead } from '../written.ts';
import { isLive, pseudonymIn, readOwners, type OwnerPlace, type OwnersTools } from './follow-owners.ts';

export interface EraseTools extends OwnersTools {
  readonly log: EventLog;
  readonly codec: Codec;
  /** The live table's location. */
  readonly table: string;
  /** A table, to write into. */
  readonly openStore: (location: string) => Promise<TableStore>;
  readonly erasures: Pick<ErasureTable, 'of' | 'catchUp'>;
  /** The policy's guard: what was granted so much later than an erasure was asked for still belongs to it, ms. */
  readonly guardMs: number;
  readonly now: () => number;
  readonly signal?: AbortSignal;
  readonly audit: AuditTrail;
}

export interface Erased {
  readonly rows: number;
  readonly sessions: number;
}

/** What still has to happen before an erasure can be done. */
export type WaitingFor = 'sanitizer' | 'sink' | 'replay';

export interface ErasureTable {
  of(subjectKey: string): Erasure | undefined;
  /** Those that are not done, oldest first. */
  open(): readonly Erasure[];
  catchUp(): Promise<void>;
}

export async function openErasures({
  log,
  codec,
}: {
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'decodeErasure'>;
}): Promise<ErasureTable> {
  const erasures = new Map<string, Erasure>();
  const table = await openGlobalTable({
    log,
    topic: TOPICS.erasures,
    apply: ({ key, value }) => {
      if (value === null) erasures.delete(key);
      else erasures.set(key, laterErasure(erasures.get(key), codec.decodeErasure(value)));
    },
  });
  return {
    of: (subjectKey) => erasures.get(subjectKey),
    open: () =>
      [...erasures.values()].filter(({ doneAt }) => doneAt === null).sort((a, b) => a.requestedAt - b.requestedAt),
    catchUp: async () => table.caughtUpTo(await log.endOffsets(TOPICS.erasures)),
  };
}

/** Tells of an erasure what the line has yet to do with batches that came in before it. */
export interface LineWatch {
  /**
   * Undefined when all that came in before the erasure was first asked for here, with this time of request, has arrived in the
   * tables: what comes after is judged by who knows of it. A line that is busy all the time does not hold it up.
   */
  waitsFor(erasure: Pick<Erasure, 'erasureId' | 'requestedAt'>): Promise<WaitingFor | undefined>;
  forget(erasureId: string): void;
}

/** Where topics ended when it was looked for the first time. */
interface Ends {
  readonly requestedAt: number;
  readonly raw: readonly number[];
  sanitized?: readonly number[];
  owners?: readonly number[];
}

export function watchLine(log: EventLog): LineWatch {
  const seen = new Map<string, Ends>();
  return {
    async waitsFor({ erasureId, requestedAt }) {
      const before = seen.get(erasureId);
      const at: Ends =
        before?.requestedAt === requestedAt ? before : { requestedAt, raw: await log.endOffsets(TOPICS.raw) };
      seen.set(erasureId, at);
      if (!(await isPast(log, GROUPS.sanitize, TOPICS.raw, at.raw))) return 'sanitizer';
      // By now all that will ever be released of them is written; but a commit shows on each partition at its own time.
      at.sanitized ??= await log.highWatermarks(TOPICS.sanitized);
      at.owners ??= await log.highWatermarks(TOPICS.owners);
      if (!(await canBeRead(log, TOPICS.sanitized, at.sanitized))) return 'sanitizer';
      if (!(await canBeRead(log, TOPICS.owners, at.owners))) return 'sanitizer';
      if (!(await isPast(log, GROUPS.sink, TOPICS.sanitized, at.sanitized))) return 'sink';
      const replays = await readManifests(log);
      return [...replays.values()].some(({ state }) => state === 'running' || state === 'abandoning')
        ? 'replay'
        : undefined;
    },
    forget: (erasureId) => void seen.delete(erasureId),
  };
}

async function isPast(log: EventLog, group: string, topic: string, ends: readonly number[]): Promise<boolean> {
  const begins = await log.beginOffsets(topic);
  for (const [partition, end] of ends.entries()) {
    if (end <= (begins[partition] ?? 0)) continue;
    const position = await log.committed(group, { topic, partition });
    if ((position?.offset ?? 0) < end) return false;
  }
  return true;
}

/**
 * Erases what there is of one person up to when they asked: their rows from the live table and those of replays, then the
 * records that say whose they were, then what they asked for. The record that it is done comes last, so that whoever is
 * started after a crash goes on. Counts are of all tries together.
 *
 * Call it when a {@link LineWatch} says that nothing is on its way.
 *
 * @returns undefined when it was asked for once more meanwhile: then it is not done, and the later request is to be worked on.
 * @throws what the log, the tables and the keyring throw; then it is not done.
 */
export async function eraseOne(tools: EraseTools, erasure: Erasure): Promise<Erased | undefined> {
  // Not the erasure's id: with the topic of erasures it would tell whose it was.
  const entry = { what: 'erasure' as const, why: '', about: { by: erasure.by } };
  const erased = await audited(tools.audit, entry, () => eraseAll(tools, erasure), countsOf);
  if (await isAskedAgain(tools, erasure)) return undefined;
  await appendErasure(tools, { ...erasure, doneAt: tools.now(), ...erased });
  if (!(await isAskedAgain(tools, erasure))) return erased;
  // Compaction keeps the last record only: let it be the request that came between the look and the one before.
  const open = tools.erasures.of(erasure.subjectKey);
  if (open?.doneAt === null) await appendErasure(tools, open);
  return undefined;
}

async function isAskedAgain({ erasures }: EraseTools, { subjectKey, requestedAt }: Erasure): Promise<boolean> {
  await erasures.catchUp();
  return erasures.of(subjectKey)?.requestedAt !== requestedAt;
}

const countsOf = ({ rows, sessions }: Erased): AuditEntry['about'] => ({ rows, sessions });

async function eraseAll(tools: EraseTools, erasure: Erasure): Promise<Erased> {
  const { erasureId } = erasure;
  const owned = await recordsOf(tools, erasure);
  const sessions = new Set(owned.flatMap(({ key }) => pseudonymIn(key) ?? []));
  const total = { rows: 0, sessions: 0 };
  for (const table of await tablesOf(tools)) {
    const store = await tools.openStore(table.location);
    await refuseIfElsewhere(tools, table, store, owned);
    const stop = tools.signal === undefined ? {} : { signal: tools.signal };
    const one = await eraseSessions({ store, sessions, erasure: erasureId, now: tools.now, ...stop });
    total.rows += one.rows;
    total.sessions += one.sessions;
  }
  tools.signal?.throwIfAborted();
  await removeAll(tools, TOPICS.owners, owned);
  await endSegments(tools, TOPICS.owners, OWNERS_WITHIN_MS);
  await removeAll(tools, TOPICS.requests, await requestsOf(tools, erasure));
  await endSegments(tools, TOPICS.requests, COMPACTED_WITHIN_MS);
  return total;
}

/** Up to when (ms) the erasure reaches: that far, consent refuses what is still to come. What was granted later stays. */
const reachOf = ({ guardMs }: EraseTools, { requestedAt }: Erasure): number => requestedAt + guardMs;

/** One of the person's records, and how many rows it is of. */
interface Owned extends OwnerPlace {
  readonly rows: number;
}

async function recordsOf(tools: EraseTools, erasure: Erasure): Promise<readonly Owned[]> {
  const reach = reachOf(tools, erasure);
  const found = new Map<string, Owned>();
  await readOwners(tools, [], ({ key, partition }, owner) => {
    const place = `${partition}/${key}`;
    if (owner?.subjectKey !== erasure.subjectKey || startOf(owner) > reach) found.delete(place);
    else found.set(place, { key, partition, rows: owner.rows });
  });
  return [...found.values()];
}

interface Table {
  readonly location: string;
  /** Null for the live one. */
  readonly replay: string | null;
}

const DAY_MS = 86_400_000;

/** Where only the day is known, its beginning: rather too much is erased than too little. */
const startOf = ({ grantedAt, day }: OwnerContent): number => grantedAt ?? day * DAY_MS;

/** Those of replays, also of one that was promoted; then the live one, which may have taken rows from them meanwhile. */
async function tablesOf({ log, table }: EraseTools): Promise<readonly Table[]> {
  const replays: readonly Pick<ReplayManifest, 'name' | 'table'>[] = [...(await readManifests(log)).values()];
  const theirs = replays.map(({ name, table: location }) => ({ location, replay: name }));
  return [...theirs.filter(({ location }) => location !== table), { location: table, replay: null }];
}

/**
 * An erasure that looks at another place than the sink wrote to would find nothing, and then forget whose the rows are.
 *
 * @throws TableBehindError when there is no table, or another, where the person's rows should be.
 */
async function refuseIfElsewhere(
  { log }: EraseTools,
  { location, replay }: Table,
  store: TableStore,
  owned: readonly Owned[],
): Promise<void> {
  const isOwn = (key: string): boolean => (replay === null ? isLive(key) : key.startsWith(`${replay}/`));
  const mayBeMissing = !owned.some(({ key, rows }) => rows > 0 && isOwn(key));
  if (replay !== null) {
    if (mayBeMissing || (await tableAt(store)) !== undefined) return;
    throw new TableBehindError(
      `there is no table at ${location}, where the replay ${replay} has put rows of somebody who asked to be erased: ` +
        'let the steward run where it is. ' +
        `If it was deleted, and no copy is left, \`redactory replay abandon ${replay} --table-lost\` says so`,
    );
  }
  const route = { group: GROUPS.sink, topic: TOPICS.sanitized };
  let seen: { readonly table: TableView | undefined } | undefined;
  const behind = await partitionsBehind(log, route, async (partition) => {
    seen ??= { table: await tableAt(store) };
    return 1 + (seen.table?.marks.get(progressMark(seen.table.name, route.topic, partition)) ?? -1);
  });
  if (behind.length === 0 && (mayBeMissing || seen?.table !== undefined)) return;
  throw new TableBehindError(
    `the table at ${location} has not all that the sink has written: it is another one, or its volume is not mounted. ` +
      "Give the steward the sink's own `table`",
  );
}

async function requestsOf(tools: EraseTools, erasure: Erasure): Promise<readonly Removed[]> {
  const reach = reachOf(tools, erasure);
  const own = (await openRequests(tools)).of(erasure.subjectKey);
  return own.filter(({ askedAt }) => askedAt <= reach).map((request) => ({ key: requestKey(request) }));
}

const TOGETHER = 1_000;

type Removed = Pick<NewRecord, 'key' | 'partition'>;

async function removeAll({ log, now }: EraseTools, topic: string, removed: readonly Removed[]): Promise<void> {
  for (let i = 0; i < removed.length; i += TOGETHER) {
    const some = removed.slice(i, i + TOGETHER);
    await log.append(
      topic,
      some.map((record) => ({ ...record, value: null, timestamp: now() })),
    );
  }
}
