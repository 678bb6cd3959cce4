/** What must hold after every run, whatever happened on the way. */
import { expect } from 'vitest';
import type { LogRecord } from '../../src/log/event-log.ts';
import { openOwner, type OwnerContent } from '../../src/privacy/owners.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { readTable, tableDigest, type TableRow } from '../../src/sinks/index.ts';
import { isForbidden } from './consent-rule.ts';
import { PARTITIONS, type Finished, type Kit } from './harness.ts';
import {
  actual,
  decidedBy,
  openRaw,
  placeOf,
  readTopic,
  rowsOf,
  singlePass,
  sortedRows,
  withoutForbidden,
} from './oracle.ts';
import type { Counts, Decided, Released } from './oracle.ts';
import type { RunPlan } from './plan.ts';

export async function checkRun(plan: RunPlan, kit: Kit, run: Finished): Promise<void> {
  const raw = await readTopic(run.log, TOPICS.raw);
  const sanitized = await readTopic(run.log, TOPICS.sanitized);
  const released = actual(sanitized);
  const pass = singlePass(run.tools, raw, PARTITIONS);

  expect(released.map(({ source }) => source)).toEqual([...new Set(released.map(({ source }) => source))]);
  if (plan.consentFirst) {
    expectSame(released, pass.released);
    const blanked = singlePass(run.tools, withoutForbidden(run.tools, raw, run), PARTITIONS);
    expectSame(released, blanked.released);
  } else {
    const settled = settledPeople(run, raw);
    const keyOf = new Map(raw.map((record) => [placeOf(record), record.key]));
    const isSettled = ({ source }: Released): boolean => settled.has(keyOf.get(source) ?? '');
    expectSame(released.filter(isSettled), pass.released.filter(isSettled));
  }
  expectConsented(run, raw, released);
  const steps = pass.rows.map(({ session, step }) => `${session}/${step}`);
  expect(steps.length).toBe(new Set(steps).size);

  await expectTable(
    kit,
    run,
    sanitized.flatMap(({ value }) => rowsOf(kit.codec.decodeReleased(value ?? new Uint8Array()))),
  );
  const quarantine = (await readTopic(run.log, TOPICS.quarantine)).map(({ key, value }) => {
    const entry = kit.codec.decodeQuarantine(value ?? new Uint8Array());
    expect(key).toBe(placeOf(entry));
    return `${key} ${entry.reason}`;
  });
  if (plan.consentFirst) expect(quarantine.sort()).toEqual(pass.quarantined);
  expectCounts(plan, run, pass);
  await expectOwners(plan, run, sanitized, raw);
}

/** Whoever holds the keys can tell whose each released session is; without late decisions, also how much came of it. */
async function expectOwners(
  plan: RunPlan,
  run: Finished,
  sanitized: readonly LogRecord[],
  raw: readonly LogRecord[],
): Promise<void> {
  const { codec, tables } = run.tools;
  const owners = new Map<string, OwnerContent>();
  for (const { key, value } of await readTopic(run.log, TOPICS.owners)) {
    const { epoch, closed } = codec.decodeOwner(value ?? new Uint8Array());
    const owner = openOwner(tables.keyring.ownerKey(epoch) ?? new Uint8Array(), key, closed);
    if (owner === undefined) throw new Error('a record of an owner does not open');
    owners.set(key, owner);
  }
  const people = new Map(raw.map((record) => [placeOf(record), record.key]));
  const rows = new Map<string, number>();
  for (const record of sanitized) {
    const { session, actions } = codec.decodeReleased(record.value ?? new Uint8Array());
    rows.set(session, (rows.get(session) ?? 0) + actions.length);
    const { 'source-topic': topic = '', 'source-partition': partition, 'source-offset': offset } = record.headers;
    const source = placeOf({ topic, partition: Number(partition), offset: Number(offset) });
    expect(owners.get(session)?.subjectKey).toBe(people.get(source));
  }
  if (!plan.consentFirst) return;
  expect([...rows]).toEqual([...rows.keys()].map((session) => [session, owners.get(session)?.rows]));
}

/** Compares small things first: a difference in a hex value of a hundred is what one wants to see. */
function expectSame(got: readonly Released[], want: readonly Released[]): void {
  expect(got.map(({ source }) => source)).toEqual(want.map(({ source }) => source));
  for (const [i, one] of got.entries()) expect(one).toEqual(want[i]);
}

/** People all of whose decisions were known before anything of theirs arrived. */
function settledPeople(run: Finished, raw: readonly Parameters<typeof openRaw>[1][]): Set<string> {
  const settled = new Set(raw.map(({ key }) => key));
  for (const record of raw) {
    const known = run.known.get(placeOf(record));
    if (known === undefined) throw new Error(`${placeOf(record)} was not appended by the run`);
    const all = decidedBy(record.key, run);
    const then = decidedBy(record.key, knownThen(run, known));
    const isComplete = all.decisions.length === then.decisions.length && all.erasures.length === then.erasures.length;
    if (!isComplete) settled.delete(record.key);
  }
  return settled;
}

const knownThen = (run: Finished, known: { decisions: number; erasures: number }): Decided => ({
  decisions: run.decisions.slice(0, known.decisions),
  erasures: run.erasures.slice(0, known.erasures),
});

/** Nothing was released of a batch that decisions known before its arrival forbid, and of none twice, however often it came. */
function expectConsented(
  run: Finished,
  raw: readonly Parameters<typeof openRaw>[1][],
  released: readonly Released[],
): void {
  const sources = new Set(released.map(({ source }) => source));
  const seen = new Set<string>();
  for (const record of raw) {
    const place = placeOf(record);
    if (!sources.has(place)) continue;
    const batch = openRaw(run.tools.codec, record);
    const known = run.known.get(place);
    if (batch === undefined || known === undefined) throw new Error(`${place} was released and cannot be opened`);
    const identity = `${record.key}/${batch.session}/${batch.grantedAt}/${batch.sequence}`;
    if (seen.has(identity)) throw new Error(`${place} was released a second time`);
    seen.add(identity);
    const { decisions, erasures } = decidedBy(record.key, knownThen(run, known));
    if (isForbidden(batch, decisions, erasures)) throw new Error(`${place} was released against its person's decision`);
  }
}

async function expectTable(kit: Kit, run: Finished, expected: readonly TableRow[]): Promise<void> {
  if (expected.length === 0) return;
  const table = await readTable({ store: run.store, zstd: kit.zstd });
  const rows: TableRow[] = [];
  for await (const batch of table.batches()) rows.push(...batch);
  expect(rows.length).toBe(expected.length);
  expect(sortedRows(rows)).toEqual(sortedRows(expected));
  const digest = await tableDigest({
    async *batches() {
      yield expected;
    },
  });
  expect(await tableDigest(table)).toEqual(digest);
}

function expectCounts(plan: RunPlan, run: Finished, pass: ReturnType<typeof singlePass>): void {
  const { read = 0, ...parts } = pass.counts;
  const sum = Object.values(parts).reduce((a, b) => a + b, 0);
  expect(sum + pass.pending).toBe(read);
  // Work whose acknowledgement was lost is not counted by anybody; nothing is ever counted twice.
  if (run.weather.unacknowledged > 0) expect(run.counts['read'] ?? 0).toBeLessThanOrEqual(read);
  else if (plan.consentFirst) expect(joined(run.counts)).toEqual(joined(pass.counts));
  else expect(run.counts['read'] ?? 0).toBe(read);
}

/**
 * A worker that takes over a session which has ended knows that it has, but not which of its batches were missing: what
 * comes late is dropped all the same, for the other of two reasons.
 */
function joined({ duplicate = 0, out_of_order = 0, ...others }: Counts): Counts {
  return { ...others, seen_or_late: duplicate + out_of_order };
}
