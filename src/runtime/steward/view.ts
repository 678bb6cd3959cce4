import { addCounts, type DropCounts } from '../../events/outcome.ts';
import { epochOf } from '../../privacy/keyring.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { OwnerContent } from '../../privacy/owners.ts';
import type { PersonView } from '../../producers/gateway/person-view.ts';
import type { Kept, KeptAction, Readers } from '../../producers/gateway/protocol.ts';
import { KEPT_ACTIONS, KEPT_DAYS, READERS_DAYS } from '../../producers/gateway/spans.ts';
import { NoTableError, withTable, type TableRow, type TableStore, type TableView } from '../../sinks/index.ts';
import { readManifests } from '../replay/manifest.ts';
import { shareRounds } from '../shared-round.ts';
import { shareWork } from '../shared-work.ts';
import { isLive, pseudonymIn, readOwners, type OwnerPlace, type OwnersTools } from './follow-owners.ts';

export interface ViewTools extends OwnersTools {
  readonly store: TableStore;
  readonly now: () => number;
  /** Who had access to raw data since a time (ms), latest first. */
  readonly readersSince: (since: number) => Promise<Readonly<Readers['readers']>>;
}

const DAY_MS = 86_400_000;

const epochIn = ({ day }: OwnerContent): string => epochOf(day * DAY_MS);

interface Day {
  rows: number;
  events: number;
  dropped: DropCounts;
  readonly sessions: Set<string>;
}

/**
 * Answers about one person at a time: what of the last days is in the table, and what was dropped. Knows whose each recent
 * session is, in memory; about 400 bytes for each stretch of a session.
 */
export function createPersonView(tools: ViewTools): PersonView {
  const recent = new Map<string, Map<string, OwnerContent>>();
  const ownerOf = new Map<string, string>();
  const positions: number[] = [];
  /** Of what is remembered. */
  const epochs = new Set<string>();

  function forget(key: string): void {
    const subjectKey = ownerOf.get(key);
    if (subjectKey === undefined) return;
    ownerOf.delete(key);
    const own = recent.get(subjectKey);
    own?.delete(key);
    if (own?.size === 0) recent.delete(subjectKey);
  }
  function visit({ key }: OwnerPlace, owner: OwnerContent | undefined): void {
    if (owner === undefined) return forget(key);
    if (owner.day < firstDay()) return;
    const own = recent.get(owner.subjectKey) ?? new Map<string, OwnerContent>();
    recent.set(owner.subjectKey, own.set(key, owner));
    ownerOf.set(key, owner.subjectKey);
    epochs.add(epochIn(owner));
  }
  const firstDay = (): number => Math.floor(tools.now() / DAY_MS) - KEPT_DAYS + 1;
  let forgottenTo = 0;
  function forgetOld(): void {
    const first = firstDay();
    if (first === forgottenTo) return;
    forgottenTo = first;
    for (const own of recent.values()) for (const [key, { day }] of own) if (day < first) forget(key);
  }

  /** Whose keys were destroyed: nobody is to know any more whose those sessions were. */
  function forgetClosed(): void {
    for (const epoch of epochs) {
      if (tools.tables.keyring.ownerKey(epoch) !== undefined) continue;
      for (const own of recent.values()) for (const [key, owner] of own) if (epochIn(owner) === epoch) forget(key);
      epochs.delete(epoch);
    }
  }

  const catchUp = shareRounds(async () => {
    forgetOld();
    await readOwners(tools, positions, visit);
    forgetClosed();
  });

  async function look(subjectKey: string, signal: AbortSignal): Promise<Kept> {
    await catchUp();
    signal.throwIfAborted();
    const days = daysOf(recent.get(subjectKey) ?? new Map(), await promotedReplays(tools.log));
    const actions = await actionsOf(tools.store, days, signal);
    return {
      days: [...days.keys()]
        .sort((a, b) => b - a)
        .map((day) => {
          const { rows, events, dropped } = days.get(day) ?? emptyDay();
          return { day: dateOf(day), rows, events, dropped: { ...dropped }, actions: actions.get(day) ?? [] };
        }),
    };
  }

  /** Of one person only one is under way: a page that gave up and asks again begins no second one. */
  const kept = shareWork(look);

  return {
    async kept({ subjectKey }, asking) {
      const gone = asking.gone?.();
      try {
        return await kept(subjectKey, gone);
      } catch (error) {
        if (gone?.aborted === true) return { refused: 'unavailable' };
        throw error;
      }
    },
    readers: async () => ({ readers: [...(await tools.readersSince(tools.now() - READERS_DAYS * DAY_MS))] }),
  };
}

const emptyDay = (): Day => ({ rows: 0, events: 0, dropped: {}, sessions: new Set() });
const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** Names of replays whose rows are in the live table. */
async function promotedReplays(log: EventLog): Promise<ReadonlySet<string>> {
  const manifests = [...(await readManifests(log)).values()];
  return new Set(manifests.filter(({ state }) => state === 'promoted').map(({ name }) => name));
}

/**
 * Counts are those of live work. Of a promoted replay only the sessions are taken, so that all rows are shown: it counts the
 * same events once more.
 */
function daysOf(owners: ReadonlyMap<string, OwnerContent>, promoted: ReadonlySet<string>): Map<number, Day> {
  const days = new Map<number, Day>();
  for (const [key, owner] of owners) {
    const replay = isLive(key) ? undefined : key.slice(0, key.indexOf('/'));
    if (replay !== undefined && !promoted.has(replay)) continue;
    const day = days.get(owner.day) ?? emptyDay();
    days.set(owner.day, day);
    if (replay === undefined) {
      day.rows += owner.rows;
      day.events += owner.events;
      day.dropped = addCounts(day.dropped, owner.dropped);
    }
    const session = pseudonymIn(key);
    if (session !== undefined) day.sessions.add(session);
  }
  return days;
}

/** The last rows of each day, as they are in the table. */
async function actionsOf(
  store: TableStore,
  days: ReadonlyMap<number, Day>,
  signal: AbortSignal,
): Promise<Map<number, KeptAction[]>> {
  const byDate = new Map([...days].map(([day, { sessions }]) => [dateOf(day), { day, sessions }]));
  if (byDate.size === 0) return new Map();
  try {
    return await withTable({ store }, (table) => actionsIn(table, byDate, signal));
  } catch (error) {
    if (error instanceof NoTableError) return new Map();
    throw error;
  }
}

async function actionsIn(
  table: TableView,
  byDate: ReadonlyMap<string, { readonly day: number; readonly sessions: ReadonlySet<string> }>,
  signal: AbortSignal,
): Promise<Map<number, KeptAction[]>> {
  const found = new Map<number, KeptAction[]>();
  const sessions = new Set([...byDate.values()].flatMap((of) => [...of.sessions]));
  for await (const rows of table.batches({ dates: new Set(byDate.keys()), sessions, signal })) {
    for (const row of rows) {
      const of = byDate.get(row.date);
      if (of?.sessions.has(row.session) !== true) continue;
      const actions = found.get(of.day) ?? [];
      found.set(of.day, actions);
      actions.push(withoutPseudonyms(row));
      if (actions.length > KEPT_ACTIONS) actions.shift();
    }
  }
  return found;
}

function withoutPseudonyms(row: TableRow): KeptAction {
  const { action, app, window, url, target_role, target, key, button, direction, cell, pause, length, count } = row;
  return { action, app, window, url, target_role, target, key, button, direction, cell, pause, length, count };
}
