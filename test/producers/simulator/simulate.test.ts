import { createHash } from 'node:crypto';
import { faker } from '@faker-js/faker';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../src/producers/simulator/index.ts';
import type { SimulationOptions } from '../../../src/producers/simulator/index.ts';
import { MINUTE, START, collect, groupBy, keyDowns, subjectKey } from './collect.ts';

const digest = (options: Partial<SimulationOptions>): string => {
  const hash = createHash('sha256');
  const { records, planted } = collect(options);
  for (const record of records) hash.update(JSON.stringify(record));
  return hash.update(JSON.stringify(planted)).digest('hex');
};

describe('the stream', () => {
  it('is the same for the same options, and another for another seed', () => {
    const first = digest({ people: 6, minutes: 6, seed: 4 });
    expect(digest({ people: 6, minutes: 6, seed: 4 })).toBe(first);
    expect(digest({ people: 6, minutes: 6, seed: 5 })).not.toBe(first);
  });

  it('does not change when nobody asks for the truth', () => {
    const bare = Array.from(simulate({ people: 6, minutes: 6, seed: 4, start: START, subjectKey }));
    expect(bare).toEqual(collect({ people: 6, minutes: 6, seed: 4 }).records);
  });

  it('neither reads nor moves the global faker', () => {
    faker.seed(12);
    const expected = [faker.person.fullName(), faker.person.fullName()];
    const before = digest({ people: 3, minutes: 2 });
    faker.seed(12);
    expect(faker.person.fullName()).toBe(expected[0]);
    expect(digest({ people: 3, minutes: 2 })).toBe(before);
    expect(faker.person.fullName()).toBe(expected[1]);
  });

  it('comes in order of trusted time over all people', () => {
    const { records } = collect({ people: 30, minutes: 20 });
    const times = records.map((record) => record.at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    for (const record of records) {
      expect(record.at).toBe(record.kind === 'capture' ? record.record.envelope.receivedAt : record.decision.decidedAt);
      expect(Number.isInteger(record.at)).toBe(true);
      expect(record.at).toBeGreaterThanOrEqual(START);
    }
    expect(times.at(-1)).toBeLessThan(START + 31 * MINUTE);
  });

  it('keys every record by the subject key, asked for once a person', () => {
    const asked: string[] = [];
    const keys = new Set<string>();
    const owners = new Set<string>();
    const options = { people: 9, minutes: 2, seed: 3, start: START };
    for (const record of simulate({ ...options, subjectKey: (subject) => `${asked.push(subject)}:${subject}` })) {
      keys.add(record.kind === 'consent' ? record.decision.subjectKey : record.record.key);
      if (record.kind === 'capture') owners.add(`${record.record.key} ${record.record.payload.subject}`);
    }
    expect([...keys].toSorted()).toEqual(asked.map((subject, i) => `${i + 1}:${subject}`).toSorted());
    for (const owner of owners) expect(owner).toMatch(/^\d:(emp-\d{5}@corp\.example) \1$/u);
    expect(new Set(asked).size).toBe(9);
    expect(asked).toHaveLength(9);
  });

  it('is lazy, and runs ahead by a few batches a person only', () => {
    let made = 0;
    let given = 0;
    let ahead = 0;
    const people = 20;
    const options = { people, minutes: 1_000_000, seed: 8, start: START, subjectKey };
    const truth = ({ kind }: { kind: string }) => {
      if (kind === 'device') made += 1;
    };
    for (const record of simulate({ ...options, truth })) {
      if (record.kind === 'capture') given += 1;
      ahead = Math.max(ahead, made - given);
      if (given === 8000) break;
    }
    expect(given).toBe(8000);
    expect(ahead).toBeLessThan(people * 30);
  });

  it('plans no further than it has to, however long it lasts', () => {
    const options = { people: 3, minutes: 1e9, seed: 8, start: START, subjectKey };
    const kinds = new Set<string>();
    let given = 0;
    for (const record of simulate({ ...options, consent: { pauses: 1 } })) {
      kinds.add(record.kind === 'consent' ? record.decision.kind : record.kind);
      given += 1;
      if (given === 12_000) break;
    }
    expect(kinds).toEqual(new Set(['enrol', 'pause', 'resume', 'capture']));
  });

  it('refuses options that make no sense', () => {
    const wrong: readonly Partial<SimulationOptions>[] = [
      { people: 0 },
      { people: 1.5 },
      { minutes: 0 },
      { minutes: Number.NaN },
      { seed: 0.5 },
      { start: -1 },
      { faults: { late: 1.1 } },
      { consent: { pauses: -0.1 } },
    ];
    for (const options of wrong) expect(() => collect(options)).toThrow(RangeError);
  });
});

describe('a batch', () => {
  const { batches } = collect({ people: 24, minutes: 15, seed: 2 });

  it('stands alone, with events in order of time', () => {
    const wrong = batches.filter(({ events, contexts, elements }) =>
      events.some(
        ({ at, context, element }, i) =>
          !Number.isInteger(at) ||
          at < (events[i - 1]?.at ?? 0) ||
          contexts[context] === undefined ||
          (element !== -1 && elements[element] === undefined),
      ),
    );
    expect(wrong).toEqual([]);
    expect(Math.min(...batches.map((batch) => batch.events.length))).toBeGreaterThan(0);
  });

  it('has no more in its tables than its events point into, and where the person was when it began', () => {
    const unused = (length: number, used: readonly number[]): number =>
      length - new Set(used.filter((i) => i >= 0)).size;
    const idle = batches.map(({ events, contexts, elements }) => [
      unused(
        contexts.length,
        events.map((event) => event.context),
      ),
      unused(
        elements.length,
        events.map((event) => event.element),
      ),
    ]);
    expect(idle.filter(([contexts = 0, elements = 0]) => contexts > 1 || elements > 1)).toEqual([]);
  });

  it('holds about five seconds and at most some hundreds of events', () => {
    for (const { events } of batches) {
      expect((events.at(-1)?.at ?? 0) - (events[0]?.at ?? 0)).toBeLessThan(6000);
      expect(events.length).toBeLessThanOrEqual(410);
    }
    const mean = batches.reduce((sum, batch) => sum + batch.events.length, 0) / batches.length;
    expect(mean).toBeGreaterThan(70);
    expect(mean).toBeLessThan(300);
  });

  it('has whole pixels on the screen', () => {
    const inside = (place: number, limit: number): boolean => Number.isInteger(place) && place >= 0 && place < limit;
    const points = batches
      .flatMap((batch) => batch.events)
      .flatMap((event) => ('x' in event ? [{ x: event.x, y: event.y }] : []));
    expect(points.filter(({ x, y }) => !inside(x, 1920) || !inside(y, 1080))).toEqual([]);
    expect(points.length).toBeGreaterThan(10_000);
  });
});

describe('the work', () => {
  const { sessions, batches } = collect({ people: 40, minutes: 30, seed: 6 });
  const events = batches.flatMap((batch) => batch.events);

  it('makes as many events of each kind as people do', () => {
    const share = (kind: string): number => events.filter((event) => event.kind === kind).length / events.length;
    expect(share('pointer_move')).toBeGreaterThan(0.7);
    expect(share('pointer_move')).toBeLessThan(0.85);
    expect(share('key_down')).toBeGreaterThan(0.05);
    expect(Math.abs(share('key_down') - share('key_up'))).toBeLessThan(0.002);
    for (const kind of ['focus', 'wheel', 'pointer_down', 'pointer_up', 'value_change', 'navigate', 'clipboard']) {
      expect({ kind, seen: share(kind) > 0, rare: share(kind) < 0.05 }).toEqual({ kind, seen: true, rare: true });
    }
  });

  it('makes 15 to 40 events a second while somebody works', () => {
    let ms = 0;
    for (const session of sessions.values()) {
      const times = session.flatMap((batch) => [batch.events[0]?.at ?? 0, batch.events.at(-1)?.at ?? 0]);
      ms += Math.max(...times) - Math.min(...times);
    }
    const rate = (events.length / ms) * 1000;
    expect(rate).toBeGreaterThan(15);
    expect(rate).toBeLessThan(40);
  });

  it('types at a pace of its own for each person', () => {
    const medians = Array.from(groupBy(batches, (batch) => batch.subject).values(), (own) => {
      const steps: number[] = [];
      for (const { events } of own) {
        const downs = keyDowns(events);
        for (const [i, down] of downs.entries()) {
          const step = down.at - (downs[i - 1]?.at ?? Number.NaN);
          if (step < 1000) steps.push(step);
        }
      }
      return steps.toSorted((a, b) => a - b)[steps.length >> 1] ?? Number.NaN;
    }).filter((median) => !Number.isNaN(median));
    for (const median of medians) {
      expect(1000 / median).toBeGreaterThan(2.5);
      expect(1000 / median).toBeLessThan(10);
    }
    expect(Math.max(...medians) / Math.min(...medians)).toBeGreaterThan(1.5);
  });
});
