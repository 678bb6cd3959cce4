import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import type { Cleanup, EventLog, LogRecord } from '../../src/log/event-log.ts';

/** What happens to a log, small enough to shrink: batches of (key, time, size; null for a tombstone), and cleanings. */
type Step =
  | {
      readonly kind: 'append';
      readonly records: readonly (readonly [key: number, time: number, size: number | null])[];
    }
  | { readonly kind: 'clean'; readonly at: number };

interface Kept {
  readonly offset: number;
  readonly key: string;
  readonly time: number;
  readonly size: number | null;
  /** Time of the cleaning that first met this tombstone. */
  met?: number;
}

const DAY = 24 * 60 * 60 * 1000;
const RETENTION = 2 * DAY;
const time = fc.integer({ min: 0, max: 20 * DAY });
// Some values fill a batch of 64 KB by themselves, so that partitions have several batches.
const size = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(40_000), fc.constant(100_000), fc.constant(null));
const append = fc.record({
  kind: fc.constant('append' as const),
  records: fc.array(fc.tuple(fc.nat(5), time, size), { maxLength: 8 }),
});
const clean = fc.record({ kind: fc.constant('clean' as const), at: time });
const steps = fc.array(fc.oneof({ arbitrary: append, weight: 3 }, { arbitrary: clean, weight: 1 }), { maxLength: 12 });

describe('the embedded log against a plain list', () => {
  let dir: string;
  let log: EventLog;
  let topics = 0;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-log-'));
    log = await openEmbeddedLog({ dir });
  });
  afterAll(async () => {
    await log.close();
    await rm(dir, { recursive: true });
  });

  it.each<Cleanup>([{ kind: 'delete', retentionMs: RETENTION }, { kind: 'compact' }])(
    'reads, begins, ends, finds times and cleans alike: $kind',
    async (cleanup) => {
      await fc.assert(
        fc.asyncProperty(steps, fc.array(time, { maxLength: 5 }), fc.nat(), async (all, times, cut) => {
          const topic = `model.${(topics += 1)}`;
          await log.createTopics([{ name: topic, partitions: 1, cleanup }]);
          const model = new Model(cleanup);
          expect(await log.partitions(topic)).toBe(1);
          for (const step of all) await both(topic, model, step);
          await expectSame(topic, model, times, cut);
        }),
        { numRuns: 60 },
      );
    },
  );

  async function both(topic: string, model: Model, step: Step): Promise<void> {
    if (step.kind === 'clean') {
      // Other topics of this log are long done with: cleaning them again changes nothing that is looked at.
      await log.clean(step.at);
      model.clean(step.at);
      return;
    }
    const records = step.records.map(([key, timestamp, bytes]) => ({
      key: `k${key}`,
      value: bytes === null ? null : new Uint8Array(bytes).fill(key),
      timestamp,
    }));
    expect(await log.append(topic, records)).toEqual(step.records.map((r) => model.append(...r)));
  }

  async function expectSame(topic: string, model: Model, times: readonly number[], cut: number): Promise<void> {
    expect(await log.beginOffsets(topic)).toEqual([model.begin]);
    expect(await log.endOffsets(topic)).toEqual([model.end]);
    expect(await readFrom(topic, model.begin, 1 + (cut % 3))).toEqual(model.records.map(asRead));
    const from = model.begin + (cut % (model.end - model.begin + 1));
    expect(await readFrom(topic, from, 1000)).toEqual(model.records.filter((r) => r.offset >= from).map(asRead));
    for (const wanted of times) {
      const expected = model.records.find((r) => r.time >= wanted)?.offset ?? model.end;
      expect(await log.offsetForTime({ topic, partition: 0 }, wanted)).toBe(expected);
    }
  }

  async function readFrom(topic: string, from: number, maxRecords: number): Promise<unknown[]> {
    const seen: LogRecord[] = [];
    for (let offset = from; ;) {
      const fetched = await log.read({ topic, partition: 0, offset, maxRecords, maxBytes: 1e9, waitMs: 0 });
      seen.push(...fetched.records);
      if (fetched.nextOffset === fetched.endOffset) break;
      expect(fetched.nextOffset).toBeGreaterThan(offset);
      offset = fetched.nextOffset;
    }
    return seen.map((r) => [r.offset, r.key, r.timestamp, r.value?.length ?? null]);
  }
});

const asRead = (r: Kept): unknown[] => [r.offset, r.key, r.time, r.size];

class Model {
  records: Kept[] = [];
  begin = 0;
  end = 0;
  readonly #cleanup: Cleanup;

  constructor(cleanup: Cleanup) {
    this.#cleanup = cleanup;
  }

  append(key: number, time: number, size: number | null): number {
    this.records.push({ offset: this.end, key: `k${key}`, time, size });
    this.end += 1;
    return this.end - 1;
  }

  clean(now: number): void {
    if (this.#cleanup.kind === 'delete') this.#expire(now - this.#cleanup.retentionMs);
    else this.#compact(now);
  }

  #expire(oldest: number): void {
    const first = this.records.findIndex((r) => r.time >= oldest);
    this.records = first < 0 ? [] : this.records.slice(first);
    this.begin = this.records[0]?.offset ?? this.end;
  }

  #compact(now: number): void {
    const last = new Map(this.records.map((r) => [r.key, r.offset]));
    this.records = this.records.filter((r) => last.get(r.key) === r.offset);
    this.records = this.records.filter((r) => r.size !== null || r.met === undefined || now < r.met + DAY);
    for (const r of this.records) if (r.size === null) r.met ??= now;
  }
}
