import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Erasure } from '../../../src/events/control.ts';
import { addCounts } from '../../../src/events/outcome.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import { closeOwner } from '../../../src/privacy/owners.ts';
import type { Person } from '../../../src/producers/gateway/gateway.ts';
import { isRefused, type Kept } from '../../../src/producers/gateway/protocol.ts';
import type { RunResult } from '../../../src/cli/run.ts';
import { appendErasure } from '../../../src/runtime/erasures.ts';
import { appendRequest, openRequests } from '../../../src/runtime/requests.ts';
import { eraseOne, openErasures, watchLine, type EraseTools } from '../../../src/runtime/steward/erase.ts';
import { readOwners } from '../../../src/runtime/steward/follow-owners.ts';
import { eraseOnce, openSteward, type Steward } from '../../../src/runtime/steward/steward.ts';
import { changeManifest, type ReplayManifest } from '../../../src/runtime/replay/manifest.ts';
import { REPLAYS_SPEC, REPLAYS_TOPIC } from '../../../src/runtime/replay/names.ts';
import { createTelemetry, silentLogger } from '../../../src/runtime/telemetry.ts';
import { TOPICS } from '../../../src/runtime/topics.ts';
import { destroyEpoch } from '../../../src/runtime/keyring-changes.ts';
import { epochOf } from '../../../src/privacy/keyring.ts';
import { openTableStore, readTable, type TableRow, type TableStore } from '../../../src/sinks/index.ts';
import { readTopic } from '../../simulation/oracle.ts';
import { foundCompany, START, type Company } from './company.ts';

const GUARD_MS = 5_000;
const personOf = (subjectKey: string): Person => ({ subjectKey, device: null });
const ASKING = { headers: {}, remoteAddress: undefined };

async function rowsOf(store: TableStore): Promise<TableRow[]> {
  const rows: TableRow[] = [];
  for await (const batch of (await readTable({ store })).batches()) rows.push(...batch);
  return rows;
}

/** An erasure writes files anew, and so in another order. */
const inOrder = (rows: readonly TableRow[]): TableRow[] =>
  [...rows].sort((a, b) => (a.session === b.session ? a.step - b.step : a.session < b.session ? -1 : 1));

const openStewardOf = (company: Company): Promise<Steward> =>
  openSteward({
    workspace: company.workspace,
    telemetry: createTelemetry(silentLogger),
    openStore: () => company.store(),
    guardMs: GUARD_MS,
  });

async function keptOf(steward: Steward, subjectKey: string): Promise<Kept> {
  const kept = await steward.view.kept(personOf(subjectKey), ASKING);
  if (isRefused(kept)) throw new Error(kept.refused);
  return kept;
}

const MANIFEST: ReplayManifest = {
  v: 1,
  name: 'trial',
  policy: 'p',
  vocabulary: 'v',
  from: null,
  to: null,
  span: null,
  table: 't',
  partitions: [],
  expired: 0,
  startedAt: 1,
  state: 'done',
  finishedAt: 1,
  promoted: null,
};

/** Says whose a session is, as a replay's sanitizer does. */
async function putOwner(
  { workspace }: Company,
  key: string,
  of: { readonly subjectKey: string; readonly rows: number },
): Promise<void> {
  const { log, codec } = workspace;
  const tables = await workspace.controlTables(0);
  await tables.catchUp();
  const epoch = epochOf(START);
  const owner = { ...of, day: Math.floor(START / 86_400_000), events: 1, dropped: {} };
  const closed = closeOwner(tables.keyring.ownerKey(epoch) ?? new Uint8Array(), key, owner);
  await log.append(TOPICS.owners, [{ key, value: codec.encodeOwner({ epoch, closed }), timestamp: START }]);
}

describe('what was kept', () => {
  let company: Company;
  let ran: RunResult;
  let steward: Steward;
  beforeAll(async () => {
    company = await foundCompany();
    ran = await company.run();
    steward = await openStewardOf(company);
  });
  afterAll(() => company.close());

  it("is each person's own rows and no others, in plain columns without pseudonyms", async () => {
    const owners = await company.ownersByKeys();
    const rows = await rowsOf(await company.store());
    expect(rows.length).toBeGreaterThan(50);
    for (const subjectKey of company.people) {
      const own = rows.filter(({ session }) => owners.get(session) === subjectKey);
      const { days } = await keptOf(steward, subjectKey);
      expect(days.reduce((sum, day) => sum + day.rows, 0)).toBe(own.length);
      expect(days.flatMap(({ actions }) => actions.map(({ action }) => action))).toEqual(
        own.slice(-200).map(({ action }) => action),
      );
      const shown = JSON.stringify(days);
      for (const pseudonym of [...owners.keys(), ...company.people]) expect(shown).not.toContain(pseudonym);
    }
  });

  it('is looked for once by all who ask at the same time, and no further when they have gone', async () => {
    const [owner = ''] = company.people;
    const store = await company.store();
    const reads: string[] = [];
    let onRead = (): void => {};
    const counted: TableStore = {
      location: store.location,
      read: async (path) => {
        if (path.endsWith('.parquet')) {
          reads.push(path);
          onRead();
        }
        return await store.read(path);
      },
      list: (folder, startAfter) => store.list(folder, startAfter),
      folders: (folder) => store.folders(folder),
      putIfAbsent: (path, data) => store.putIfAbsent(path, data),
      put: (path, data) => store.put(path, data),
      delete: (path) => store.delete(path),
    };
    const { workspace } = company;
    const telemetry = createTelemetry(silentLogger);
    const own = await openSteward({ workspace, telemetry, openStore: async () => counted, guardMs: GUARD_MS });
    const answers = await Promise.all([keptOf(own, owner), keptOf(own, owner), keptOf(own, owner)]);
    expect(answers[1]).toEqual(answers[0]);
    expect(reads.length).toBeGreaterThan(0);
    expect(new Set(reads).size).toBe(reads.length);

    const gone = new AbortController();
    const told = own.view.kept(personOf(owner), { ...ASKING, gone: () => gone.signal });
    onRead = () => gone.abort();
    const before = reads.length;
    expect(await told).toEqual({ refused: 'unavailable' });
    expect(reads.length).toBe(before + 1);
    onRead = () => {};
    expect(await keptOf(own, owner)).toEqual(answers[0]);
  });

  it('accounts for every raw event: all people together make what the run counted', async () => {
    let dropped = {};
    let events = 0;
    for (const subjectKey of company.people) {
      for (const day of (await keptOf(steward, subjectKey)).days) {
        dropped = addCounts(dropped, day.dropped);
        events += day.events;
      }
    }
    expect(dropped).toEqual(ran.sanitized.dropped);
    expect(events).toBe(ran.sanitized.released);
  });

  it('is nothing of a month whose keys were destroyed, also for who had opened it before', async () => {
    const closing = await foundCompany();
    try {
      await closing.run();
      const [ana = ''] = closing.people;
      const open = await openStewardOf(closing);
      expect((await keptOf(open, ana)).days).not.toEqual([]);
      await destroyEpoch(closing.workspace, await closing.workspace.wrapping(), epochOf(START));
      expect(await keptOf(open, ana)).toEqual({ days: [] });
    } finally {
      await closing.close();
    }
  });

  it('is read to the end that was there before keys were looked for: what came since may have others', async () => {
    const { log, codec } = company.workspace;
    const tables = await company.workspace.controlTables(0);
    const ends = (await log.endOffsets(TOPICS.owners)).map((end) => Math.max(0, end - 1));
    const earlier = new Proxy(log, {
      get(of, name) {
        if (name === 'endOffsets') return async () => ends;
        const value: unknown = Reflect.get(of, name);
        return typeof value === 'function' ? (value.bind(of) as unknown) : value;
      },
    });
    const positions: number[] = [];
    let seen = 0;
    await readOwners({ log: earlier, codec, tables }, positions, () => void seen++);
    expect(positions).toEqual(ends);
    expect(seen).toBe(ends.reduce((sum, end) => sum + end));
    await readOwners({ log, codec, tables }, positions, (_place, owner) => expect(owner).toBeDefined());
    expect(positions).toEqual(await log.endOffsets(TOPICS.owners));
  });

  it('has the rows that a promoted replay brought, and not those of one that was not promoted', async () => {
    const { workspace, people } = company;
    const [owner = '', other = ''] = people;
    const owners = await company.ownersByKeys();
    const rows = await rowsOf(await company.store());
    const theirs = rows.find(({ session }) => owners.get(session) === other)?.session ?? '';
    const own = async (): Promise<number> =>
      (await keptOf(steward, owner)).days.reduce((sum, { actions }) => sum + actions.length, 0);
    const counts = (await keptOf(steward, owner)).days.map(({ rows, events, dropped }) => ({ rows, events, dropped }));
    const before = await own();
    await workspace.log.createTopics([REPLAYS_SPEC]);
    await changeManifest(workspace.log, 'trial', async () => MANIFEST);
    await putOwner(company, `trial/${theirs}`, { subjectKey: owner, rows: 1 });
    expect(await own()).toBe(before);
    await changeManifest(workspace.log, 'trial', async () => ({ ...MANIFEST, state: 'promoted' }));
    expect(await own()).toBeGreaterThan(before);
    const after = (await keptOf(steward, owner)).days;
    expect(after.map(({ rows, events, dropped }) => ({ rows, events, dropped }))).toEqual(counts);
  });

  it('is nothing of somebody unknown', async () => {
    expect(await keptOf(steward, 'nobody')).toEqual({ days: [] });
  });

  it('says on the log only to holders of the keys whose a session is', async () => {
    for (const { value } of await readTopic(company.workspace.log, TOPICS.owners)) {
      for (const subjectKey of company.people) expect(Buffer.from(value ?? []).includes(subjectKey)).toBe(false);
    }
  });
});

const AT_FIRST = { erasureId: 'e', requestedAt: 1 };

describe('what is on its way', () => {
  let company: Company;
  beforeAll(async () => {
    company = await foundCompany();
    await company.run();
  });
  afterAll(() => company.close());

  it('is nothing once the line is done; else it is told who has yet to do it', async () => {
    const { log } = company.workspace;
    const now = (): Promise<string | undefined> => watchLine(log).waitsFor(AT_FIRST);
    expect(await now()).toBeUndefined();
    await log.createTopics([REPLAYS_SPEC]);
    const manifest = { ...MANIFEST, state: 'running', finishedAt: null };
    await log.append(REPLAYS_TOPIC, [{ key: 'trial', value: Buffer.from(JSON.stringify(manifest)), timestamp: 1 }]);
    expect(await now()).toBe('replay');
    const [released] = await readTopic(log, TOPICS.sanitized);
    await log.append(TOPICS.sanitized, [{ key: 'k', value: released?.value ?? null, timestamp: 1 }]);
    expect(await now()).toBe('sink');
    await log.append(TOPICS.raw, [{ key: 'k', value: Buffer.from('broken'), timestamp: START }]);
    expect(await now()).toBe('sanitizer');
  });

  it('is also what is written and cannot be read yet: commits show on each partition at their own time', async () => {
    const quiet = await foundCompany();
    await quiet.run();
    try {
      const { log } = quiet.workspace;
      let behind: string | undefined;
      const line = watchLine(
        new Proxy(log, {
          get(of, name) {
            if (name !== 'endOffsets') {
              const value: unknown = Reflect.get(of, name);
              return typeof value === 'function' ? (value.bind(of) as unknown) : value;
            }
            return async (topic: string) => {
              const ends = await of.endOffsets(topic);
              return topic === behind ? ends.map((end) => Math.max(0, end - 1)) : ends;
            };
          },
        }),
      );
      for (behind of [TOPICS.sanitized, TOPICS.owners]) expect(await line.waitsFor(AT_FIRST)).toBe('sanitizer');
      behind = undefined;
      expect(await line.waitsFor(AT_FIRST)).toBeUndefined();
    } finally {
      await quiet.close();
    }
  });

  it('is what came before the erasure: what comes later does not hold it up', async () => {
    const busy = await foundCompany(9);
    try {
      const line = watchLine(busy.workspace.log);
      const append = (): Promise<unknown> =>
        busy.workspace.log.append(TOPICS.raw, [{ key: 'k', value: Buffer.from('broken'), timestamp: START }]);
      expect(await line.waitsFor(AT_FIRST)).toBe('sanitizer');
      await busy.run();
      await append();
      expect(await line.waitsFor(AT_FIRST)).toBeUndefined();
      expect(await line.waitsFor({ erasureId: 'later', requestedAt: 1 })).toBe('sanitizer');
      // Asked for again, it is of what has come in since.
      expect(await line.waitsFor({ ...AT_FIRST, requestedAt: 2 })).toBe('sanitizer');
    } finally {
      await busy.close();
    }
  });
});

const HOUR_MS = 3_600_000;
/** When an erasure is asked for: after all that was recorded at first. */
const ASKED = START + HOUR_MS;

const erasureOf = (subjectKey: string): Erasure => ({
  subjectKey,
  erasureId: '11111111-2222-4333-8444-555555555555',
  requestedAt: ASKED,
  by: 'person',
  doneAt: null,
  rows: 0,
  sessions: 0,
});

/** From the operation `at` on, counted from 0, of those that change something, none of them does: as if killed there. */
function crashing(at: number): {
  isDead(): boolean;
  log(log: EventLog): EventLog;
  store(store: TableStore): TableStore;
} {
  let count = 0;
  const before = <T extends object>(target: T, names: readonly string[]): T =>
    new Proxy(target, {
      get(of, name) {
        const value: unknown = Reflect.get(of, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (names.includes(String(name)) && count++ >= at) throw new Error('killed');
          return Reflect.apply(value, of, args);
        };
      },
    });
  return {
    isDead: () => count > at,
    log: (log) => before(log, ['append']),
    store: (store) => before(store, ['put', 'putIfAbsent', 'delete']),
  };
}

describe('an erasure', () => {
  let company: Company;
  let rows: readonly TableRow[];
  let owners: ReadonlyMap<string, string>;
  let ana: string;
  beforeAll(async () => {
    company = await foundCompany();
    await company.run();
    rows = await rowsOf(await company.store());
    owners = await company.ownersByKeys();
    ana = company.people[0] ?? '';
    const { log, codec } = company.workspace;
    const request = { subjectKey: ana, requestId: 'r', kind: 'exemption', reason: 'mine', askedAt: START } as const;
    await appendRequest({ log, codec }, { ...request, answer: null, answeredAt: null, comment: '' });
  });
  afterAll(() => company.close());

  it('killed at each of its steps and begun again, ends the same: rows gone, all others there, counts exact', async () => {
    const { workspace } = company;
    const tables = await workspace.controlTables(0);
    await tables.catchUp();
    await appendErasure(workspace, erasureOf(ana));
    const erasures = await openErasures(workspace);
    let crashes = 0;
    let done: { rows: number; sessions: number } | undefined;
    for (let at = 0; done === undefined; at++) {
      if (at > 200) throw new Error('it never ends');
      const crash = crashing(at);
      const tools: EraseTools = {
        log: crash.log(workspace.log),
        codec: workspace.codec,
        tables,
        table: workspace.config.table,
        openStore: async () => crash.store(await company.store()),
        erasures,
        guardMs: 0,
        now: () => ASKED + 2,
        audit: workspace.audit,
      };
      done = await eraseOne(tools, erasureOf(ana)).catch((error: unknown) => {
        if (!crash.isDead()) throw error;
        crashes++;
        return undefined;
      });
    }
    expect(crashes).toBeGreaterThan(4);

    const others = rows.filter(({ session }) => owners.get(session) !== ana);
    expect(inOrder(await rowsOf(await company.store()))).toEqual(inOrder(others));
    const gone = rows.filter(({ session }) => owners.get(session) === ana);
    expect(gone.length).toBeGreaterThan(5);
    expect(done).toEqual({ rows: gone.length, sessions: new Set(gone.map(({ session }) => session)).size });
    const recorded = (await openErasures(workspace)).of(ana);
    expect(recorded).toMatchObject({ doneAt: ASKED + 2, rows: gone.length });
  });

  it('leaves nothing that says whose sessions they were, nor what they asked for, and others as they were', async () => {
    const steward = await openStewardOf(company);
    expect(await keptOf(steward, ana)).toEqual({ days: [] });
    const other = company.people.find((one) => one !== ana) ?? '';
    expect((await keptOf(steward, other)).days[0]?.rows).toBeGreaterThan(0);
    expect((await openRequests(company.workspace)).of(ana)).toEqual([]);
    expect(await steward.eraseDue()).toBe(0);
  });

  it('ends the segments that hold what it removed, so that a cluster compacts it also when nothing else comes', async () => {
    for (const topic of [TOPICS.owners, TOPICS.requests]) {
      const records = await readTopic(company.workspace.log, topic);
      for (let partition = 0; partition < (await company.workspace.log.partitions(topic)); partition++) {
        const last = records.findLast((record) => record.partition === partition);
        expect(last).toMatchObject({ key: 'segment-end', value: null });
        expect(last?.timestamp).toBeGreaterThan(ASKED + 60_000);
      }
    }
  });

  it('removes a record where it was read, not where its key would be put now', async () => {
    const { workspace } = company;
    const [, , , own = ''] = company.people;
    const { log } = workspace;
    // As after partitions were added: records lie elsewhere than their keys say.
    const elsewhere = (await readTopic(log, TOPICS.owners)).map((record) => {
      return { ...record, partition: (record.partition + 1) % 4 };
    });
    await log.append(TOPICS.owners, elsewhere);
    await appendErasure(workspace, { ...erasureOf(own), erasureId: '41111111-2222-4333-8444-555555555555' });
    const steward = await openStewardOf(company);
    expect(await steward.eraseDue()).toBe(0);
    const places = new Map<string, string | undefined>();
    const tables = await workspace.controlTables(0);
    await readOwners({ log, codec: workspace.codec, tables }, [], ({ key, partition }, owner) => {
      places.set(`${partition}/${key}`, owner?.subjectKey);
    });
    expect([...places.values()].filter((subjectKey) => subjectKey === own)).toEqual([]);
  });

  it('that fails holds up nobody else, and is done the next time', async () => {
    const [, ben = '', eva = ''] = company.people;
    await appendErasure(company.workspace, { ...erasureOf(ben), erasureId: '21111111-2222-4333-8444-555555555555' });
    await appendErasure(company.workspace, { ...erasureOf(eva), erasureId: '31111111-2222-4333-8444-555555555555' });
    let tries = 0;
    const steward = await openSteward({
      workspace: company.workspace,
      telemetry: createTelemetry(silentLogger),
      openStore: async (_location, access) => {
        if (access === 'write' && tries++ === 0) throw new Error('the store is away');
        return company.store();
      },
      guardMs: GUARD_MS,
    });
    await expect(steward.eraseDue()).rejects.toThrow('the store is away');
    expect((await openErasures(company.workspace)).open()).toHaveLength(1);
    expect(await steward.eraseDue()).toBe(0);
  });

  it('is refused a second life: the raw batches again give no row of theirs', async () => {
    const { log } = company.workspace;
    const again = (await readTopic(log, TOPICS.raw)).filter(({ key }) => key === ana);
    await log.append(
      TOPICS.raw,
      again.map(({ key, value, timestamp }) => ({ key, value, timestamp })),
    );
    await company.run();
    const left = await rowsOf(await company.store());
    expect(left.filter(({ session }) => owners.get(session) === ana)).toEqual([]);
  });
});

describe('somebody who is recorded on while their erasure waits', () => {
  let company: Company;
  let ana: string;
  beforeAll(async () => {
    company = await foundCompany();
    await company.run();
    ana = company.people[0] ?? '';
  });
  afterAll(() => company.close());

  it('loses what came before they asked, and keeps what came after, which is theirs to see and to erase', async () => {
    const before = await company.ownersByKeys();
    await appendErasure(company.workspace, erasureOf(ana));
    const { log, codec } = company.workspace;
    for (const [requestId, askedAt] of [
      ['before', ASKED - 1],
      ['after', ASKED + HOUR_MS],
    ] as const) {
      const request = { subjectKey: ana, requestId, kind: 'exemption', reason: 'mine', askedAt } as const;
      await appendRequest({ log, codec }, { ...request, answer: null, answeredAt: null, comment: '' });
    }
    await company.record(ASKED + HOUR_MS);
    await company.run();
    const all = await rowsOf(await company.store());
    const owners = await company.ownersByKeys();
    const later = all.filter(({ session }) => owners.get(session) === ana && !before.has(session));
    expect(later.length).toBeGreaterThan(5);

    const steward = await openStewardOf(company);
    expect(await steward.eraseDue()).toBe(0);
    const left = await rowsOf(await company.store());
    expect(left.filter(({ session }) => owners.get(session) === ana)).toEqual(later);
    const { days } = await keptOf(steward, ana);
    expect(days.reduce((sum, day) => sum + day.rows, 0)).toBe(later.length);
    expect((await openRequests(company.workspace)).of(ana).map(({ requestId }) => requestId)).toEqual(['after']);

    await appendErasure(company.workspace, { ...erasureOf(ana), requestedAt: ASKED + 2 * HOUR_MS });
    expect(await steward.eraseDue()).toBe(0);
    const end = await rowsOf(await company.store());
    expect(end.filter(({ session }) => owners.get(session) === ana)).toEqual([]);
    expect(await keptOf(steward, ana)).toEqual({ days: [] });
  });
});

describe('an erasure that is asked for again while it is under way', () => {
  let company: Company;
  beforeAll(async () => {
    company = await foundCompany();
    await company.run();
  });
  afterAll(() => company.close());

  const again = (subjectKey: string): Erasure => ({ ...erasureOf(subjectKey), requestedAt: ASKED + 2 * HOUR_MS });

  it('goes on until what came before the last request is erased too, and counts all', async () => {
    const { workspace } = company;
    const [ana = ''] = company.people;
    await appendErasure(workspace, erasureOf(ana));
    await company.record(ASKED + HOUR_MS);
    await company.run();
    const owners = await company.ownersByKeys();
    const own = (await rowsOf(await company.store())).filter(({ session }) => owners.get(session) === ana);
    let asked = 0;
    const steward = await openSteward({
      workspace,
      telemetry: createTelemetry(silentLogger),
      openStore: async (_location, access) => {
        if (access === 'write' && asked++ === 0) await appendErasure(workspace, again(ana));
        return company.store();
      },
      guardMs: GUARD_MS,
    });
    expect(await steward.eraseDue()).toBe(1);
    const told = await readTopic(workspace.log, TOPICS.erasures);
    expect(told.map(({ value }) => workspace.codec.decodeErasure(value ?? new Uint8Array()))).toEqual([
      erasureOf(ana),
      again(ana),
    ]);
    expect(await steward.eraseDue()).toBe(0);
    expect((await openErasures(workspace)).of(ana)).toMatchObject({
      requestedAt: ASKED + 2 * HOUR_MS,
      rows: own.length,
      doneAt: expect.any(Number) as unknown,
    });
    const left = await rowsOf(await company.store());
    expect(left.filter(({ session }) => owners.get(session) === ana)).toEqual([]);
  });

  it('is not done by the record that the request before is, which may come right after it', async () => {
    const { workspace } = company;
    const [, ben = ''] = company.people;
    await appendErasure(workspace, erasureOf(ben));
    let asked = 0;
    const log = new Proxy(workspace.log, {
      get(of, name) {
        const value: unknown = Reflect.get(of, name);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]): Promise<unknown> => {
          const isDone = name === 'append' && args[0] === TOPICS.erasures && asked++ === 0;
          if (isDone) await appendErasure(workspace, again(ben));
          return Reflect.apply(value, of, args) as unknown;
        };
      },
    });
    const steward = await openSteward({
      workspace: { ...workspace, log },
      telemetry: createTelemetry(silentLogger),
      openStore: () => company.store(),
      guardMs: GUARD_MS,
    });
    expect(await steward.eraseDue()).toBe(1);
    // What compaction leaves.
    const last = (await readTopic(workspace.log, TOPICS.erasures)).findLast(({ key }) => key === ben);
    expect(workspace.codec.decodeErasure(last?.value ?? new Uint8Array())).toEqual(again(ben));
    expect(await steward.eraseDue()).toBe(0);
    expect((await openErasures(workspace)).of(ben)).toMatchObject({ requestedAt: ASKED + 2 * HOUR_MS });
  });
});

describe('an erasure whose tables are not where the steward looks', () => {
  let company: Company;
  beforeAll(async () => {
    company = await foundCompany();
    await company.run();
  });
  afterAll(() => company.close());

  it('fails where the table is not the sink’s, and forgets nothing of whose the rows are', async () => {
    const eva = company.people[3] ?? '';
    const copy = join(company.dir, 'copy');
    await cp(company.workspace.config.table, copy, { recursive: true });
    const { log } = company.workspace;
    const released = await readTopic(log, TOPICS.sanitized);
    await log.append(
      TOPICS.sanitized,
      released.map(({ key, value, timestamp, headers }) => ({
        key,
        value,
        timestamp,
        headers: { ...headers, 'source-offset': String(1_000_000 + Number(headers['source-offset'])) },
      })),
    );
    await company.run();
    const owners = (await readTopic(log, TOPICS.owners)).length;
    await appendErasure(company.workspace, { ...erasureOf(eva), erasureId: '41111111-2222-4333-8444-555555555555' });
    for (const elsewhere of [join(company.dir, 'not-mounted'), copy]) {
      const steward = await openSteward({
        workspace: company.workspace,
        telemetry: createTelemetry(silentLogger),
        openStore: () => openTableStore(elsewhere),
        guardMs: GUARD_MS,
      });
      await expect(steward.eraseDue()).rejects.toThrow(/has not all that the sink has written: it is another one/u);
    }
    expect(await readTopic(log, TOPICS.owners)).toHaveLength(owners);
    expect((await openErasures(company.workspace)).open()).toHaveLength(1);
  });

  it('fails where the table of a replay with such rows is missing, and passes by one without', async () => {
    const { log } = company.workspace;
    const eva = company.people[3] ?? '';
    await log.createTopics([REPLAYS_SPEC]);
    await changeManifest(log, 'trial', async () => ({ ...MANIFEST, table: join(company.dir, 'lost') }));
    const put = (rows: number): Promise<void> =>
      putOwner(company, `trial/${'0'.repeat(32)}`, { subjectKey: eva, rows });
    const steward = await openSteward({
      workspace: company.workspace,
      telemetry: createTelemetry(silentLogger),
      openStore: (location) => openTableStore(location, { access: 'write' }),
      guardMs: GUARD_MS,
    });
    await put(1);
    await expect(steward.eraseDue()).rejects.toThrow(/`redactory replay abandon trial --table-lost`/u);
    await put(0);
    expect(await steward.eraseDue()).toBe(0);
  });
});

describe('erasing once', () => {
  /** So many are left after each try. */
  function trying(...left: readonly number[]): { tries: number; eraseDue(): Promise<number> } {
    return {
      tries: 0,
      eraseDue: async function () {
        return left[this.tries++] ?? 0;
      },
    };
  }
  const signal = new AbortController().signal;

  it('tries until nothing is left, as what was on its way arrives', async () => {
    const steward = trying(2, 1, 0, 7);
    expect(await eraseOnce(steward, { everyMs: 0, waitMs: 600_000, signal })).toBe(0);
    expect(steward.tries).toBe(3);
  });

  it('tells how many are left when it may not wait, or is stopped', async () => {
    const steward = trying(2, 1, 0);
    expect(await eraseOnce(steward, { everyMs: 0, waitMs: 0, signal })).toBe(2);
    expect(await eraseOnce(steward, { everyMs: 0, waitMs: 600_000, signal: AbortSignal.abort() })).toBe(1);
    expect(steward.tries).toBe(2);
  });

  it('tries for the last time when it has waited for so long', async () => {
    const steward = trying(...Array.from({ length: 2 }, () => 1), 0);
    expect(await eraseOnce(steward, { everyMs: 600_000, waitMs: 1, signal })).toBe(1);
    expect(steward.tries).toBe(2);
  });
});
