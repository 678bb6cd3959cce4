/** Sealing keys over the life of a deployment: made, followed by others, destroyed; with workers at work meanwhile. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { FencedError, type EventLog, type LogRecord } from '../../src/log/event-log.ts';
import { KeyError } from '../../src/privacy/keyring.ts';
import { fixedWrapping, withOthers } from '../../src/privacy/keys/wrapping.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import type { Captured } from '../../src/producers/captured.ts';
import { simulate } from '../../src/producers/simulator/index.ts';
import { appendDecision, createIngest } from '../../src/runtime/ingest.ts';
import { openKeyring, wouldWrapAgain, wrapAgain } from '../../src/runtime/keyring-changes.ts';
import { LIVE_ROUTE, runSanitizer, type SanitizerRoute, type SanitizerSummary } from '../../src/runtime/sanitizer.ts';
import { createRawSealer, SEALING_REFRESH_MS, type RawSealer } from '../../src/runtime/sealer.ts';
import { ensureSealingKey, makeSealingKey, openSealingKeys } from '../../src/runtime/sealing-keys.ts';
import { boundSealed, countSealed, destroySealingKey, SEALED_LATE_MS } from '../../src/runtime/sealing-retirement.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';
import { readTopic } from '../simulation/oracle.ts';

const START = Date.UTC(2026, 0, 5, 9);

let dir: string;
let workspace: Workspace;
let captured: Captured[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-sealing-'));
  workspace = await openWorkspace(await loadConfig({ env: {}, cwd: dir }), {}, { now: () => START });
  captured = [];
  const subjectKey = await workspace.subjectKeys();
  for (const one of simulate({ people: 3, minutes: 4, seed: 5, start: START, subjectKey, consent: 'all_enrolled' })) {
    if (one.kind === 'consent') await appendDecision(workspace.log, workspace.codec, one.decision);
    else captured.push(one.record);
  }
});
afterEach(async () => {
  await workspace.close();
  await rm(dir, { recursive: true });
});

const rotate = async (now = START): Promise<string> => {
  const { log, codec } = workspace;
  return (await makeSealingKey({ log, codec, tables: await workspace.controlTables(0), now })).keyId;
};

/** A sealer that looks for a new key whenever it is told to. */
async function sealerWithClock(): Promise<RawSealer & { later(): void }> {
  let time = 0;
  const keys = await openSealingKeys(workspace);
  const sealer = createRawSealer({ keys, monotonic: () => time });
  return { ...sealer, later: () => void (time += SEALING_REFRESH_MS) };
}

async function put(batches: readonly Captured[], sealer: RawSealer): Promise<void> {
  const ingest = createIngest({ ...workspace, sealer });
  for (const batch of batches) await ingest.capture(batch);
  await ingest.flush();
}

async function work(
  given: { log?: EventLog; route?: SanitizerRoute; maxRecords?: number } = {},
  until: { end: boolean; signal?: AbortSignal } = { end: true },
): Promise<SanitizerSummary> {
  const { codec, config, now } = workspace;
  const { log = workspace.log, route = LIVE_ROUTE, maxRecords = 512 } = given;
  const { policy, vocabulary } = await loadPolicy(config.policy);
  return runSanitizer(
    {
      log,
      codec,
      policy,
      vocabulary,
      subjectKey: await workspace.subjectKeys(),
      tables: await workspace.controlTables(5000),
      sealed: 'required',
      telemetry: createTelemetry(silentLogger),
      fetch: { ...config.fetch, maxRecords },
      now,
      route,
      delay: () => Promise.resolve(),
    },
    { end: until.end, signal: until.signal ?? AbortSignal.timeout(60_000) },
  );
}

/** Topics of their own for another run over the same captures. */
async function routeOf(name: string): Promise<SanitizerRoute> {
  const route = {
    group: name,
    raw: `${name}.raw`,
    sanitized: `${name}.sanitized`,
    quarantine: `${name}.quarantine`,
    owners: `${name}/`,
  };
  const cleanup = { kind: 'delete', retentionMs: 1e12 } as const;
  await workspace.log.createTopics(
    [route.raw, route.sanitized, route.quarantine].map((topic) => ({ name: topic, partitions: 4, cleanup })),
  );
  return route;
}

async function copyRaw(route: SanitizerRoute, records: readonly LogRecord[]): Promise<void> {
  await workspace.log.append(
    route.raw,
    records.map(({ key, value, timestamp }) => ({ key, value, timestamp })),
  );
}

/** In the order of their sources: sessions of different raw partitions meet in any order. */
const outputs = async (topic: string): Promise<unknown[]> =>
  (await readTopic(workspace.log, topic))
    .map(({ partition, key, value, timestamp, headers }) => {
      const place = `${headers['source-partition']}/${headers['source-offset']?.padStart(9, '0')}`;
      return { place, partition, key, value: Buffer.from(value ?? []).toString('base64'), timestamp };
    })
    .toSorted((a, b) => (a.place < b.place ? -1 : 1));

const reasons = async (topic: string = TOPICS.quarantine): Promise<string[]> =>
  (await readTopic(workspace.log, topic)).map(
    ({ value }) => workspace.codec.decodeQuarantine(value ?? Buffer.of()).reason,
  );

const sealedTo = async (): Promise<(string | undefined)[]> =>
  (await readTopic(workspace.log, TOPICS.raw)).map(({ value }) => {
    const envelope = workspace.codec.openEnvelope(value ?? Buffer.of());
    return envelope.ok ? envelope.value.seal?.keyId : undefined;
  });

const eventsOf = (batches: readonly Captured[]): number =>
  batches.reduce((sum, { payload }) => sum + payload.events.length, 0);

describe('a worker at work', () => {
  it('goes on through rotations, with nothing lost and the same output as without any', async () => {
    const first = await rotate();
    const sealer = await sealerWithClock();
    const stop = new AbortController();
    const running = work({}, { end: false, signal: AbortSignal.any([stop.signal, AbortSignal.timeout(60_000)]) });
    const third = Math.floor(captured.length / 3);
    const keys = [first];
    for (const from of [0, third, 2 * third]) {
      if (from > 0) keys.push(await rotate());
      sealer.later();
      await put(captured.slice(from, from === 2 * third ? captured.length : from + third), sealer);
      // Each third is worked on before the next key is made: the worker meets keys that were not there at its start.
      await expect.poll(() => positions(LIVE_ROUTE), { timeout: 30_000, interval: 20 }).toEqual(await ends(TOPICS.raw));
    }
    stop.abort();
    const summary = await running;
    expect(new Set(await sealedTo())).toEqual(new Set(keys));
    expect(summary).toMatchObject({ batches: captured.length, read: eventsOf(captured), quarantined: 0 });
    expect(summary.released).toBeGreaterThan(0);

    // The same captures, sealed anew to one key.
    const again = await routeOf('again');
    const before = await ends(TOPICS.raw);
    sealer.later();
    await put(captured, sealer);
    const copies = (await readTopic(workspace.log, TOPICS.raw)).filter(
      ({ partition, offset }) => offset >= (before[partition] ?? 0),
    );
    await copyRaw(again, copies);
    await work({ route: again });
    const released = await outputs(TOPICS.sanitized);
    expect(released.length).toBeGreaterThan(5);
    expect(await outputs(again.sanitized)).toEqual(released);
    expect(await reasons(again.quarantine)).toEqual([]);
  });

  it('that crashes and starts again writes what one does that did not', async () => {
    await put(captured, await workspace.sealer());
    await work();
    const route = await routeOf('crashing');
    await copyRaw(route, await readTopic(workspace.log, TOPICS.raw));
    let commits = 0;
    const crashing = failingCommits(workspace.log, () => ++commits % 3 === 0);
    await work({ route, log: crashing, maxRecords: 3 });
    expect(commits).toBeGreaterThan(6);
    expect(await outputs(route.sanitized)).toEqual(await outputs(TOPICS.sanitized));
    expect(await reasons(route.quarantine)).toEqual([]);
  });

  it('quarantines what only a destroyed key would open, and processes the rest', async () => {
    const old = await rotate();
    const sealer = await sealerWithClock();
    const half = Math.floor(captured.length / 2);
    await put(captured.slice(0, half), sealer);
    const current = await rotate();
    sealer.later();
    await put(captured.slice(half), sealer);
    await destroy(old);
    const summary = await work();
    expect(summary.batchesByReason.sealing_key_destroyed).toBe(half);
    expect(await reasons()).toEqual(Array.from({ length: half }, () => 'sealing_key_destroyed'));
    expect(summary.read).toBe(eventsOf(captured.slice(half)));
    expect(new Set(await sealedTo())).toEqual(new Set([old, current]));
  });

  const positions = ({ group, raw }: SanitizerRoute): Promise<number[]> =>
    Promise.all(
      [0, 1, 2, 3].map(async (partition) => {
        return (await workspace.log.committed(group, { topic: raw, partition }))?.offset ?? 0;
      }),
    );
  const ends = (topic: string): Promise<readonly number[]> => workspace.log.endOffsets(topic);
});

async function destroy(keyId: string): Promise<boolean> {
  const tables = await workspace.controlTables(0);
  const keys = await openSealingKeys(workspace);
  return destroySealingKey({ ...workspace, keys, keyring: tables.keyring, keyId, now: START });
}

describe('a sealer', () => {
  it('has a key from the first batch on, where one user does it all', async () => {
    await put(captured.slice(0, 2), await workspace.sealer());
    const [key] = (await openSealingKeys(workspace)).all();
    expect(await sealedTo()).toEqual([key?.keyId, key?.keyId]);
    await put(captured.slice(0, 1), await workspace.sealer());
    expect((await openSealingKeys(workspace)).all()).toHaveLength(1);
  });

  it('writes nothing while there is no key', async () => {
    const sealer = createRawSealer({ keys: await openSealingKeys(workspace) });
    await expect(put(captured, sealer)).rejects.toThrow(KeyError);
    expect(await readTopic(workspace.log, TOPICS.raw)).toEqual([]);
  });

  it('follows a rotation when it looks again, and not before', async () => {
    const old = await rotate();
    const sealer = await sealerWithClock();
    await put(captured.slice(0, 1), sealer);
    const current = await rotate();
    await put(captured.slice(0, 1), sealer);
    sealer.later();
    await put(captured.slice(0, 1), sealer);
    expect((await sealedTo()).filter((keyId) => keyId === old)).toHaveLength(2);
    expect((await sealedTo()).filter((keyId) => keyId === current)).toHaveLength(1);
  });

  it('stops at a key that is not what its id says', async () => {
    const keyId = await rotate();
    const { codec, log } = workspace;
    const value = codec.encodeSealingKey({
      keyId,
      publicKey: Buffer.alloc(32, 9),
      createdAt: START + 5,
      state: 'active',
    });
    const sealer = await sealerWithClock();
    await log.append(TOPICS.sealing, [{ key: keyId, value, timestamp: START }]);
    await expect(put(captured, sealer)).rejects.toThrow(`the sealing key ${keyId} is not the key`);
    await expect(openSealingKeys(workspace)).rejects.toThrow(KeyError);
  });
});

describe('keys', () => {
  it('are made once where one is ensured', async () => {
    const { log, codec } = workspace;
    const tables = await workspace.controlTables(0);
    await ensureSealingKey({ log, codec, tables, now: START });
    await ensureSealingKey({ log, codec, tables, now: START });
    expect((await openSealingKeys(workspace)).all()).toHaveLength(1);
  });

  it('follow each other in the order of their making, whatever the clock says', async () => {
    const made = [await rotate(START), await rotate(START), await rotate(START - 1e6), await rotate(START + 10)];
    const keys = await openSealingKeys(workspace);
    expect(keys.all().map(({ keyId }) => keyId)).toEqual(made);
    expect(keys.current()?.keyId).toBe(made[3]);
    expect(made.map((keyId) => keys.retiredAt(keyId))).toEqual([START + 1, START + 2, START + 10, null]);
  });

  it('are told to producers only once they are on the keyring', async () => {
    const { codec } = workspace;
    const tables = await workspace.controlTables(0);
    for (const lost of [TOPICS.sealing, TOPICS.keyring]) {
      const log = withoutAppends(workspace.log, lost);
      await expect(makeSealingKey({ log, codec, tables, now: START })).rejects.toThrow('append failed');
      expect((await openSealingKeys(workspace)).all()).toEqual([]);
    }
    await tables.catchUp();
    // The one whose public part was lost.
    expect(tables.keyring.sealing.entries()).toHaveLength(1);
  });

  it('are not told to producers when the keyring has not kept them', async () => {
    const { log, codec } = workspace;
    const tables = await workspace.controlTables(0);
    // As if what was appended did not count: a later record has destroyed it, or a retired master key has wrapped it.
    const sealing = { ...tables.keyring.sealing, state: () => 'missing' as const };
    const forgetful = { catchUp: () => tables.catchUp(), keyring: { ...tables.keyring, sealing } };
    await expect(makeSealingKey({ log, codec, tables: forgetful, now: START })).rejects.toThrow('did not keep');
    expect((await openSealingKeys(workspace)).all()).toEqual([]);
  });

  it('are destroyed in both places, also when that was broken off', async () => {
    const old = await rotate();
    const current = await rotate();
    const tables = await workspace.controlTables(0);
    const keys = await openSealingKeys(workspace);
    const broken = { ...workspace, log: withoutAppends(workspace.log, TOPICS.keyring), keys };
    const options = { keyring: tables.keyring, keyId: old, now: START };
    await expect(destroySealingKey({ ...broken, ...options })).rejects.toThrow('append failed');
    await keys.catchUp();
    expect(await destroySealingKey({ ...workspace, keys, ...options })).toBe(true);
    await tables.catchUp();
    await keys.catchUp();
    expect(tables.keyring.sealing.state(old)).toBe('destroyed');
    expect(tables.keyring.sealing.privateKey(old)).toBeUndefined();
    expect(keys.all().map(({ keyId, state }) => [keyId, state])).toEqual([
      [old, 'destroyed'],
      [current, 'active'],
    ]);
    expect(await destroySealingKey({ ...workspace, keys, ...options })).toBe(false);
    // A record that comes late does not bring it back.
    const value = workspace.codec.encodeSealingKey({ ...one(keys.all()), state: 'active' });
    await workspace.log.append(TOPICS.sealing, [{ key: old, value, timestamp: START }]);
    await keys.catchUp();
    expect(one(keys.all()).state).toBe('destroyed');
  });

  it('stay readable through a rotation of the master key', async () => {
    const keyId = await rotate();
    const tables = await workspace.controlTables(0);
    await tables.catchUp();
    const before = tables.keyring.sealing.privateKey(keyId)?.slice();
    const next = fixedWrapping({ masterKey: new Uint8Array(32).fill(8), alsoOpens: [] });
    const moving = withOthers(next, [await workspace.wrapping()]);
    expect(await wouldWrapAgain(workspace, moving, await next.currentId())).toBe(1);
    expect(await wrapAgain(workspace, moving)).toBe(1);
    // What wrapped it before opens nothing any more.
    const rotated = (await openKeyring(workspace, next)).keyring;
    await rotated.openKeys();
    expect(rotated.sealing.privateKey(keyId)).toHaveLength(32);
    expect(rotated.sealing.privateKey(keyId)).toEqual(before);
    // No pseudonym is made with it, and no list of those keys shows it.
    expect(rotated.entries()).toEqual([]);
  });
});

describe('what is still sealed to a key', () => {
  it('is counted where raw may be read', async () => {
    const old = await rotate();
    const sealer = await sealerWithClock();
    await put(captured.slice(0, 5), sealer);
    const current = await rotate();
    sealer.later();
    await put(captured.slice(5, 7), sealer);
    const stillSealed = await countSealed(workspace.log, workspace.codec);
    expect([old, current, 'another'].map((keyId) => stillSealed(keyId).batches)).toEqual([5, 2, 0]);
  });

  it('is bounded by its time where it may not, and is nothing once that has expired', async () => {
    await put(captured, await workspace.sealer());
    const times = (await readTopic(workspace.log, TOPICS.raw)).map(({ timestamp }) => timestamp);
    const last = Math.max(...times);
    expect((await boundSealed(workspace.log, last)).batches).toBe(captured.length);
    const early = START - SEALED_LATE_MS;
    expect((await boundSealed(workspace.log, early)).batches).toBe(times.filter((time) => time < START).length);
    await workspace.log.clean(last + 8 * 86_400_000);
    expect(await boundSealed(workspace.log, last)).toEqual({ batches: 0, counted: false });
  });
});

const one = <T>(all: readonly T[]): T => {
  const [first] = all;
  if (first === undefined) throw new Error('there is none');
  return first;
};

/** The same log, on which nothing can be appended to a topic. */
function withoutAppends(log: EventLog, refused: string): EventLog {
  return over(log, {
    append: (topic, records) =>
      topic === refused ? Promise.reject(new Error('append failed')) : log.append(topic, records),
  });
}

/** The same log, whose commits fail when `fails` says so, as if another had taken over. */
function failingCommits(log: EventLog, fails: () => boolean): EventLog {
  return over(log, {
    transactional: async (id) => {
      const producer = await log.transactional(id);
      return over(producer, {
        begin: async () => {
          const transaction = await producer.begin();
          return over(transaction, {
            commit: async () => {
              if (fails()) throw new FencedError('another has taken over');
              await transaction.commit();
            },
          });
        },
      });
    },
  });
}

function over<T extends object>(target: T, own: Partial<T>): T {
  return new Proxy(target, {
    get(from, name) {
      const member: unknown = Reflect.get(own, name) ?? Reflect.get(from, name);
      return typeof member === 'function' ? (member.bind(from) as unknown) : member;
    },
  });
}
