import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadZstd } from '../../src/events/zstd.ts';
import {
  eraseSessions,
  FencedSinkError,
  openTrainingTable,
  readTable,
  tableDigest,
  type Erasure,
  type SinkRecord,
  type TrainingTable,
} from '../../src/sinks/index.ts';
import { MemoryStore, type StoreOperation } from '../helpers/memory-store.ts';
import { action, pseudonym, record } from '../helpers/released.ts';
import { filesThatHold } from '../helpers/table-bytes.ts';

/**
 * Writers that share partitions, die and are started again, over a store that fails before, after and in place of every
 * kind of operation: the table must hold each record exactly once. A failure prints its seed.
 */
const TOPIC = 'interactions.sanitized';
const PARTITIONS = [0, 1];
const zstd = await loadZstd();

type Random = (below: number) => number;

/** Mulberry32. */
function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

interface Topic {
  readonly records: ReadonlyMap<number, readonly SinkRecord[]>;
  /** `partition/offset` of those that belong in the table. */
  readonly wanted: readonly string[];
}

/** Offsets with holes; sources of two raw partitions; now and then a source record a second time, as aborts leave them. */
function makeTopic(random: Random): Topic {
  const wanted: string[] = [];
  const records = new Map<number, SinkRecord[]>();
  for (const partition of PARTITIONS) {
    const list: SinkRecord[] = [];
    const taken = [-1, -1];
    let offset = random(3);
    for (let i = 0; i < 12; i++) {
      const from = random(2);
      const last = taken[from] ?? -1;
      const isDouble = last >= 0 && random(5) === 0;
      const source = {
        topic: 'interactions.raw',
        partition: from,
        offset: isDouble ? random(last + 1) : last + 1 + random(2),
      };
      if (!isDouble) {
        taken[from] = source.offset;
        wanted.push(`${partition}/${offset}`);
      }
      const session = pseudonym(partition * 1000 + offset);
      list.push(record(partition, offset, { session, actions: [action(0), action(1)] }, source));
      offset += 1 + random(3);
    }
    records.set(partition, list);
  }
  return { records, wanted };
}

/** A store of one life of a writer: slow by turns, failing now and then, and dead after so many operations. */
function unreliable(files: Map<string, Uint8Array>, random: Random, faults: { left: number }): MemoryStore {
  let operationsToLive = faults.left > 0 ? 10 + random(60) : Infinity;
  const fail = (operation: StoreOperation, when: string): void => {
    if (operationsToLive <= 0) throw new Error('the process is dead');
    if (faults.left > 0 && random(40) === 0) {
      faults.left--;
      throw new Error(`injected ${when} ${operation}`);
    }
  };
  const wait = async (): Promise<void> => {
    for (let turns = random(6); turns > 0; turns--) await Promise.resolve();
  };
  return new MemoryStore(files, {
    async before(operation) {
      await wait();
      operationsToLive--;
      fail(operation, 'before');
    },
    async after(operation) {
      if (operation !== 'read' && operation !== 'list' && random(8) === 0) operationsToLive--;
      await wait();
      fail(operation, 'after');
    },
  });
}

async function runWriter(files: Map<string, Uint8Array>, topic: Topic, random: Random, faults: { left: number }) {
  for (let life = 0; ; life++) {
    if (life > 30) throw new Error('a writer that makes no headway');
    const store = unreliable(files, random, faults);
    try {
      const sink = await openTrainingTable({ topic: TOPIC, now: () => 0, store, zstd, flushRows: 9 });
      await work(sink, topic, random);
      return;
    } catch {
      // Died or failed: the next life starts from the table. What it held is gone.
      faults.left--;
    }
  }
}

async function work(sink: TrainingTable, topic: Topic, random: Random): Promise<void> {
  for (let rounds = 0; rounds < 300; rounds++) {
    try {
      let isDone = true;
      for (const partition of random(2) === 0 ? PARTITIONS : PARTITIONS.toReversed()) {
        const from = await sink.resumeFrom(partition);
        const records = topic.records.get(partition)?.filter((r) => r.offset >= from) ?? [];
        isDone &&= records.length === 0;
        await sink.write(records.slice(0, 1 + random(6)));
        if (random(3) === 0) await sink.flush();
      }
      await sink.flush();
      if (isDone) return;
    } catch (error) {
      if (!(error instanceof FencedSinkError)) throw error;
    }
  }
  throw new Error('a writer that makes no headway');
}

async function rowsOf(files: Map<string, Uint8Array>): Promise<string[]> {
  const rows: string[] = [];
  for await (const batch of (await readTable({ store: new MemoryStore(files), zstd })).batches()) {
    for (const { session, step } of batch) {
      const place = Number.parseInt(session, 16);
      rows.push(`${Math.floor(place / 1000)}/${place % 1000}/${step}`);
    }
  }
  return rows.sort();
}

/** Erases again and again, over a failing store, until the writers are done and one call has come through after that. */
async function runEraser(
  files: Map<string, Uint8Array>,
  erasure: { readonly id: string; readonly sessions: ReadonlySet<string> },
  random: Random,
  world: { readonly faults: { left: number }; readonly isDone: () => boolean },
): Promise<{ readonly result: Erasure; readonly beside: number }> {
  let beside = 0;
  for (let failures = 0; ;) {
    if (failures > 100) throw new Error('an eraser that makes no headway');
    // A round that finds nothing takes no turn of the event loop, for which the writers wait.
    await setImmediate();
    const isLast = world.isDone();
    const store = unreliable(files, random, world.faults);
    try {
      const { id, sessions } = erasure;
      const result = await eraseSessions({ store, sessions, erasure: id, now: () => 0, zstd });
      if (isLast) return { result, beside };
      beside = result.rows;
    } catch {
      failures++;
      world.faults.left--;
    }
  }
}

const ERASURES = ['0b9f1c52-6f1e-4f0e-9c3e-5a2f2f6d7a10', '0b9f1c52-6f1e-4f0e-9c3e-5a2f2f6d7a11'];

test(
  'with erasures beside the writers, each row is there once, or was erased and counted once',
  { timeout: 300_000 },
  async () => {
    let beside = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = seeded(seed);
        const topic = makeTopic(random);
        const files = new Map<string, Uint8Array>();
        const faults = { left: 16 };
        const erased = topic.wanted.filter(() => random(3) === 0);
        const halves = ERASURES.map((id, half) => {
          const places = erased.filter((_, i) => i % 2 === half);
          return { id, places, sessions: new Set(places.map(sessionAt)) };
        });
        let working = 2;
        const write = async (): Promise<void> => {
          await runWriter(files, topic, random, faults);
          working--;
        };
        const world = { faults, isDone: () => working === 0 };
        const [ends] = await Promise.all([
          Promise.all(halves.map((half) => runEraser(files, half, random, world))),
          write(),
          write(),
        ]);

        const left = topic.wanted.filter((place) => !erased.includes(place));
        expect(await rowsOf(files)).toEqual(left.flatMap((place) => [`${place}/0`, `${place}/1`]).sort());
        expect(ends.map(({ result }) => result.rows)).toEqual(halves.map(({ places }) => places.length * 2));
        expect(await filesThatHold(new MemoryStore(files), erased.map(sessionAt), zstd)).toEqual([]);
        beside += ends.reduce((sum, end) => sum + end.beside, 0);
      }),
      { numRuns: 60, endOnFailure: true },
    );
    // The test is worth nothing if the erasures come when the writers are done.
    expect(beside).toBeGreaterThan(100);
  },
);

const sessionAt = (place: string): string => {
  const [partition, offset] = place.split('/').map(Number);
  return pseudonym((partition ?? 0) * 1000 + (offset ?? 0));
};

test('whatever fails and whoever races, every record is in the table exactly once', { timeout: 300_000 }, async () => {
  let runs = 0;
  let injected = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const random = seeded(seed);
      const topic = makeTopic(random);
      const files = new Map<string, Uint8Array>();
      const faults = { left: 8 };
      await Promise.all([runWriter(files, topic, random, faults), runWriter(files, topic, random, faults)]);
      runs++;
      injected += 8 - faults.left;

      expect(await rowsOf(files)).toEqual(topic.wanted.flatMap((place) => [`${place}/0`, `${place}/1`]).sort());

      const quiet = new Map<string, Uint8Array>();
      await runWriter(quiet, topic, seeded(seed), { left: 0 });
      const digest = async (of: Map<string, Uint8Array>) =>
        await tableDigest(await readTable({ store: new MemoryStore(of), zstd }));
      expect(await digest(files)).toEqual(await digest(quiet));
    }),
    { numRuns: 100, endOnFailure: true },
  );
  // The test is worth nothing if nothing went wrong in it.
  expect(injected).toBeGreaterThan(runs * 4);
});
