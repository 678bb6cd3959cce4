/**
 * Rotations, rewrappings and destructions at the same time as workers that make keys, each step of each in any order, each ended
 * at any step, on a topic that is compacted meanwhile.
 */
import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCodec, type Codec } from '../../src/events/codec.ts';
import { KEY_PURPOSES } from '../../src/events/control.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import { loadContracts, schemaIds } from '../../src/events/schemas.ts';
import { loadZstd } from '../../src/events/zstd.ts';
import type { EventLog, LogRecord } from '../../src/log/event-log.ts';
import { createKeyring, KeyError, type KeyringTable } from '../../src/privacy/keyring.ts';
import { readStill } from '../../src/privacy/keys/key-files.ts';
import { fixedWrapping, masterKeyWrapping, type KeyWrapping } from '../../src/privacy/keys/wrapping.ts';
import { openControlTables } from '../../src/runtime/control-tables.ts';
import {
  destroyEpoch,
  openKeyring,
  rotateWrapping,
  wrapAgain,
  type Rotation,
} from '../../src/runtime/keyring-changes.ts';
import { TOPICS } from '../../src/runtime/topics.ts';

const NOW = Date.UTC(2026, 10, 10);
const EPOCHS = ['2026-10', '2026-11'] as const;
const GRANTS: Readonly<Record<string, number>> = { '2026-10': Date.UTC(2026, 9, 5), '2026-11': NOW };

let codec: Codec;
beforeAll(async () => {
  codec = createCodec({ zstd: await loadZstd(), schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });
});

/** What a process of this world does next happens when the scheduler says so; one that has crashed does nothing more. */
type Step = () => Promise<void>;

class Crashed extends Error {
  override name = 'Crashed';
}

/** The keyring topic and the key files, as all processes share them. */
class World {
  readonly records: LogRecord[] = [];
  readonly #drawn = { count: 0 };
  end = 0;
  present = this.randomBytes(32);
  next: Uint8Array | undefined;

  /** Bytes that never repeat and are the same in every run. */
  randomBytes(size: number): Uint8Array {
    this.#drawn.count += 1;
    return Uint8Array.from(createHmac('sha256', 'world').update(String(this.#drawn.count)).digest().subarray(0, size));
  }

  /** As Kafka does it below an offset: of each key the last record stays; tombstones go in the end. */
  compact(below: number): void {
    const last = new Map<string, number>();
    for (const { key, offset } of this.records) if (offset < below) last.set(key, offset);
    const stays = ({ key, offset, value }: LogRecord): boolean =>
      offset >= below || (last.get(key) === offset && value !== null);
    this.records.splice(0, this.records.length, ...this.records.filter(stays));
  }

  log(step: Step): EventLog {
    const log: Partial<EventLog> = {
      append: async (topic, records) => {
        expect(topic).toBe(TOPICS.keyring);
        await step();
        const offsets = records.map(({ key, value, timestamp }) => {
          this.records.push({ topic, partition: 0, offset: this.end, key, value, timestamp, headers: {} });
          return this.end++;
        });
        // It is on the topic, and who appended may never learn of it.
        await step();
        return offsets;
      },
      read: async ({ topic, offset }) => {
        await step();
        const endOffset = topic === TOPICS.keyring ? this.end : 0;
        const found = topic === TOPICS.keyring ? this.records.filter((record) => record.offset >= offset) : [];
        const some = found.slice(0, 3);
        const nextOffset = found.length > some.length ? (some.at(-1)?.offset ?? 0) + 1 : endOffset;
        return { records: some, nextOffset, endOffset };
      },
      beginOffsets: () => Promise.resolve([0]),
      endOffsets: async (topic) => {
        await step();
        return [topic === TOPICS.keyring ? this.end : 0];
      },
    };
    // Nothing else of a log is used here.
    return log as EventLog;
  }

  wrapping(step: Step): KeyWrapping {
    const files = {
      present: async () => {
        await step();
        return this.present;
      },
      next: async () => {
        await step();
        return this.next;
      },
    };
    return masterKeyWrapping(
      () => readStill(files),
      (size) => this.randomBytes(size),
    );
  }

  /** As src/privacy/keys/key-files.ts does it. */
  rotation(step: Step): Rotation {
    let mine: Uint8Array | undefined;
    return {
      begin: async () => {
        await step();
        this.next ??= this.randomBytes(32);
        mine = this.next;
        await step();
        return this.wrapping(step);
      },
      finish: async () => {
        await step();
        if (mine === this.present) return;
        if (mine === undefined || this.next !== mine) throw new KeyError('another rotation');
        [this.present, this.next] = [mine, undefined];
      },
    };
  }

  /** A process that starts now, has only what is there now, and never waits. */
  async fresh(): Promise<KeyringTable> {
    const still: Step = () => Promise.resolve();
    const keys = this.next === undefined ? [] : [this.next];
    const wrapping = fixedWrapping({ masterKey: this.present, alsoOpens: keys });
    const { keyring } = await openKeyring({ log: this.log(still), codec, now: () => NOW }, wrapping);
    await keyring.openKeys();
    return keyring;
  }
}

type Epoch = (typeof EPOCHS)[number];
type Act =
  | { readonly kind: 'worker'; readonly epochs: readonly Epoch[]; readonly crashAt: number }
  | { readonly kind: 'rotate'; readonly crashAt: number }
  | { readonly kind: 'rewrap'; readonly crashAt: number }
  | { readonly kind: 'destroy'; readonly epoch: Epoch; readonly crashAt: number }
  | { readonly kind: 'compact'; readonly back: number };

const epoch = fc.constantFrom(...EPOCHS);
/** Most end before their last step; some do not. */
const crashAt = fc.oneof(fc.nat(60), fc.constant(Infinity));
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('worker' as const),
        epochs: fc.array(epoch, { minLength: 1, maxLength: 4 }),
        crashAt,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.oneof(
        fc.record({ kind: fc.constant('rotate' as const), crashAt }),
        fc.record({ kind: fc.constant('rewrap' as const), crashAt }),
      ),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('destroy' as const), epoch, crashAt }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('compact' as const), back: fc.nat(6) }) },
  ),
  { minLength: 1, maxLength: 8 },
);

interface Seen {
  readonly epoch: string;
  readonly purpose: string;
  readonly pseudonym: string;
}

/** Does all of them at once, in the order that the scheduler likes; what workers made of `x` with each key is returned. */
async function play(world: World, scheduler: fc.Scheduler, all: readonly Act[]): Promise<Seen[]> {
  const seen: Seen[] = [];
  const errors: unknown[] = [];
  const processes = all.map(async (act, index) => {
    let steps = 0;
    const step: Step = async () => {
      if (act.kind !== 'compact' && steps++ >= act.crashAt) throw new Crashed();
      await scheduler.schedule(Promise.resolve(), `${act.kind} ${index}`);
    };
    try {
      await doAct(world, act, step, seen);
    } catch (error) {
      if (!(error instanceof Crashed) && !isExpected(act, error)) errors.push(error);
    }
  });
  await scheduler.waitFor(Promise.all(processes));
  expect(errors).toEqual([]);
  return seen;
}

/** An operator may be told that somebody else was faster, or that there is nothing to destroy; a worker never fails. */
function isExpected(act: Act, error: unknown): boolean {
  if (act.kind === 'worker' || !(error instanceof KeyError)) return false;
  return /somebody else|another rotation|there is no key of|does not open|go on/u.test(error.message);
}

async function doAct(world: World, act: Act, step: Step, seen: Seen[]): Promise<void> {
  await step();
  if (act.kind === 'compact') return world.compact(world.end - act.back);
  const access = { log: world.log(step), codec, now: () => NOW };
  const wrapping = world.wrapping(step);
  if (act.kind === 'rotate') return void (await rotateWrapping(access, world.rotation(step)));
  if (act.kind === 'rewrap') return void (await wrapAgain(access, wrapping));
  if (act.kind === 'destroy') return void (await destroyEpoch(access, wrapping, act.epoch));
  const tables = await openControlTables({ ...access, guardMs: 5_000, wrapping });
  for (const one of act.epochs) {
    await tables.catchUp();
    await tables.ensureKeys([GRANTS[one] ?? NOW]);
    for (const purpose of KEY_PURPOSES) {
      const pseudonym = tables.keyring.pseudonym(purpose, one, 'x');
      if (pseudonym !== undefined) seen.push({ epoch: one, purpose, pseudonym });
    }
  }
}

/** Of each key no more than one pseudonym was ever seen, and it is what the keyring makes now, unless it is destroyed. */
function checkAgainst(keyring: KeyringTable, seen: readonly Seen[]): void {
  for (const purpose of KEY_PURPOSES) {
    for (const one of EPOCHS) {
      const all = seen.filter((pseudonym) => pseudonym.purpose === purpose && pseudonym.epoch === one);
      const different = new Set(all.map(({ pseudonym }) => pseudonym));
      expect(different.size).toBeLessThanOrEqual(1);
      if (all.length === 0 || keyring.state(purpose, one) === 'destroyed') continue;
      expect([...different]).toEqual([keyring.pseudonym(purpose, one, 'x')]);
    }
  }
}

it('a rotation that ended before it chose its key leaves workers the one that was chosen', async () => {
  const world = new World();
  const still: Step = () => Promise.resolve();
  const access = { log: world.log(still), codec, now: () => NOW };
  await rotateWrapping(access, world.rotation(still));
  await world.rotation(still).begin();
  const seen: Seen[] = [];
  await doAct(world, { kind: 'worker', epochs: ['2026-11'], crashAt: Infinity }, still, seen);
  expect(seen).toHaveLength(2);
  checkAgainst(await world.fresh(), seen);
  await checkHealed(world, seen);
});

it('a worker that has another master key than the one that was chosen makes no key, and says what to do', async () => {
  const world = new World();
  const still: Step = () => Promise.resolve();
  const access = { log: world.log(still), codec, now: () => NOW };
  const wrapping = fixedWrapping({ masterKey: world.present, alsoOpens: [] });
  const tables = await openControlTables({ ...access, guardMs: 5_000, wrapping });
  await rotateWrapping(access, world.rotation(still));
  await expect(tables.ensureKeys([NOW])).rejects.toThrow(/new keys do not count.*run `redactory keys rewrap`/u);
  expect(tables.keyring.pseudonym('session', '2026-11', 'x')).toBeUndefined();
});

it('a key that is rotated between reading and opening it is opened as it is wrapped then', async () => {
  const world = new World();
  const still: Step = () => Promise.resolve();
  const access = { log: world.log(still), codec, now: () => NOW };
  const seen: Seen[] = [];
  await doAct(world, { kind: 'worker', epochs: ['2026-11'], crashAt: Infinity }, still, seen);
  const own = world.wrapping(still);
  let rotation: Promise<number> | undefined;
  const wrapping: KeyWrapping = {
    ...own,
    name: own.name,
    unwrap: async (wrapped, name) => {
      rotation ??= rotateWrapping(access, world.rotation(still));
      await rotation;
      return own.unwrap(wrapped, name);
    },
  };
  const tables = await openControlTables({ ...access, guardMs: 5_000, wrapping });
  await tables.catchUp();
  expect(tables.keyring.pseudonym('session', '2026-11', 'x')).toBe(seen[0]?.pseudonym);
});

it('a worker that meets a key which another partition’s round has not opened yet waits for it', async () => {
  const world = new World();
  const still: Step = () => Promise.resolve();
  const access = { log: world.log(still), codec, now: () => NOW };
  await doAct(world, { kind: 'worker', epochs: ['2026-11'], crashAt: Infinity }, still, []);
  const own = fixedWrapping({ masterKey: world.present, alsoOpens: [] });
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const asked: string[] = [];
  const wrapping: KeyWrapping = {
    ...own,
    name: own.name,
    unwrap: async (wrapped, name) => {
      asked.push(name.purpose);
      await answered;
      return own.unwrap(wrapped, name);
    },
  };
  const tables = await openControlTables({ ...access, guardMs: 5_000, wrapping });
  const round = tables.catchUp();
  await expect.poll(() => asked.length).toBe(2);
  let isEnsured = false;
  const ensured = tables.ensureKeys([NOW]).then(() => (isEnsured = true));
  // All that it could do without the answer is done by then.
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  expect(isEnsured).toBe(false);
  answer();
  await Promise.all([round, ensured]);
  expect(tables.keyring.pseudonym('session', '2026-11', 'x')).toBeDefined();
});

describe('rotate, rewrap, destroy and workers at the same time, ended at any step', () => {
  it('there is one key a purpose and epoch, it opens with what there is, and destroyed ones stay destroyed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), acts, acts, async (scheduler, before, after) => {
        const world = new World();
        const seen = await play(world, scheduler, before);
        const between = await world.fresh();
        checkAgainst(between, seen);
        const destroyed = EPOCHS.filter((one) => between.state('session', one) === 'destroyed');

        seen.push(...(await play(world, scheduler, after)));
        const last = await world.fresh();
        checkAgainst(last, seen);
        for (const one of destroyed) {
          expect(last.state('session', one)).toBe('destroyed');
          expect(last.pseudonym('session', one, 'x')).toBeUndefined();
        }
        await checkHealed(world, seen);
      }),
      { numRuns: Number(process.env['REDACTORY_SEEDS'] ?? 100) },
    );
  });
});

/** After one rotation that nobody ends, the new master key alone opens all there is, and the old one nothing. */
async function checkHealed(world: World, seen: readonly Seen[]): Promise<void> {
  const still: Step = () => Promise.resolve();
  const access = { log: world.log(still), codec, now: () => NOW };
  const old = [world.present, ...(world.next === undefined ? [] : [world.next])];
  if (world.next !== undefined) await rotateWrapping(access, world.rotation(still));
  await rotateWrapping(access, world.rotation(still));
  expect(old).not.toContain(world.present);
  const healed = await world.fresh();
  checkAgainst(healed, seen);
  expect(
    healed.entries().filter(({ state, current, leftover }) => leftover || (state === 'active' && !current)),
  ).toEqual([]);
  world.compact(world.end);
  const compacted = await world.fresh();
  checkAgainst(compacted, seen);
  const active = (keyring: KeyringTable): string[] =>
    keyring.entries().flatMap(({ state, keyId }) => (state === 'active' ? [keyId] : []));
  expect(active(compacted)).toEqual(active(healed));
  for (const one of EPOCHS) expect(compacted.state('session', one)).toBe(healed.state('session', one));
  const thief = createKeyring({ wrapping: fixedWrapping({ masterKey: old[0] ?? world.present, alsoOpens: old }) });
  for (const { value, offset } of world.records) if (value !== null) thief.apply(codec.decodeKeyEntry(value), offset);
  const outcome: unknown = await thief.openKeys().catch((error: unknown) => error);
  expect(outcome instanceof KeyError).toBe(active(thief).length > 0);
}
