import { describe, expect, it } from 'vitest';
import type { CaptureBatch } from '../../../src/events/raw.ts';
import { NO_FAULTS } from '../../../src/producers/simulator/index.ts';
import { MINUTE, START, collect, groupBy, subjectKey } from './collect.ts';
import type { Simulation } from './collect.ts';

const HALF_HOUR = 30 * MINUTE;
const ofSubject = (simulation: Simulation) => groupBy(simulation.batches, (batch) => batch.subject);
const decisionsOf = (simulation: Simulation, subject: string) =>
  simulation.decisions.filter((decision) => decision.subjectKey === subjectKey(subject));

const hasEnd = (batches: readonly CaptureBatch[]): boolean =>
  batches.some((batch) => batch.events.some((event) => event.kind === 'session_end'));

describe('sessions', () => {
  const calm = collect({ people: 20, minutes: 100, seed: 3, faults: 'none' });

  it('last 30 minutes at most, end marker included', () => {
    let longest = 0;
    for (const batches of calm.sessions.values()) {
      const times = batches.flatMap((batch) => [batch.events[0]?.at ?? 0, batch.events.at(-1)?.at ?? 0]);
      longest = Math.max(longest, Math.max(...times) - Math.min(...times));
      for (const { receivedAt, grantedAt } of batches) expect(receivedAt - grantedAt).toBeLessThanOrEqual(HALF_HOUR);
    }
    expect(longest).toBeLessThanOrEqual(HALF_HOUR);
    // Work goes on for longer than that, so some sessions must have been cut.
    expect(longest).toBeGreaterThan(27 * MINUTE);
  });

  it('without faults are whole: numbered from 0, in order, and ended by their marker', () => {
    for (const batches of calm.sessions.values()) {
      expect(batches.map((batch) => batch.sequence)).toEqual(batches.map((_, i) => i));
      const last = batches.at(-1)?.events.at(-1);
      expect(last?.kind).toBe('session_end');
      const ends = batches.flatMap((batch) => batch.events.filter((event) => event.kind === 'session_end'));
      expect(ends).toHaveLength(1);
      expect(batches.flatMap((batch) => batch.events).some((event) => event.kind === 'unknown')).toBe(false);
    }
  });

  it('are one at a time on a device, and belong to one person', () => {
    for (const own of ofSubject(calm).values()) {
      const spans = [...groupBy(own, (batch) => batch.session).values()].map((batches) => ({
        from: batches[0]?.grantedAt ?? 0,
        to: Math.max(...batches.map((batch) => batch.receivedAt)),
      }));
      for (const [i, span] of spans.entries()) expect(span.from).toBeGreaterThan((spans[i - 1]?.to ?? 0) - 1000);
      expect(new Set(own.map((batch) => batch.device)).size).toBe(1);
    }
    for (const batches of calm.sessions.values()) {
      expect(new Set(batches.map((batch) => `${batch.subject} ${batch.grantedAt}`)).size).toBe(1);
    }
  });

  it('and decisions have ids that tell nothing', () => {
    const ids = [...calm.sessions.keys(), ...calm.decisions.map((decision) => decision.decisionId)];
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/u);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toEqual(ids.toSorted());
  });

  it('have device times close to the trusted ones, unless the clock lies', () => {
    for (const batch of calm.batches)
      expect(Math.abs((batch.events[0]?.at ?? 0) - batch.receivedAt)).toBeLessThan(8000);
    const liars = collect({ people: 4, minutes: 3, faults: { ...NO_FAULTS, lyingClock: 1 }, consent: 'all_enrolled' });
    for (const batch of liars.batches) {
      expect(Math.abs((batch.events[0]?.at ?? 0) - batch.receivedAt)).toBeGreaterThan(1.8 * MINUTE);
      expect(batch.receivedAt).toBeLessThan(START + 4 * MINUTE);
    }
  });
});

describe('faults', () => {
  const only = (fault: Partial<typeof NO_FAULTS>) =>
    collect({ people: 8, minutes: 20, seed: 5, faults: { ...NO_FAULTS, ...fault }, consent: 'all_enrolled' });
  const sequences = (batches: readonly CaptureBatch[]) => batches.map((batch) => batch.sequence);

  it('late: batches arrive after those that follow them, some after six minutes', () => {
    const { sessions, batches } = only({ late: 0.05 });
    const unordered = [...sessions.values()].filter(
      (own) => String(sequences(own)) !== String(sequences(own).toSorted((a, b) => a - b)),
    );
    expect(unordered.length).toBeGreaterThan(3);
    const delays = batches.map((batch) => batch.receivedAt - (batch.events.at(-1)?.at ?? 0));
    expect(Math.max(...delays)).toBeGreaterThan(6 * MINUTE);
    expect(Math.max(...delays)).toBeLessThan(10 * MINUTE);
    for (const own of sessions.values()) expect(new Set(sequences(own)).size).toBe(own.length);
  });

  it('repeated: the same batch comes again, stamped anew', () => {
    const { sessions } = only({ repeated: 0.05 });
    let repeats = 0;
    for (const own of sessions.values()) {
      for (const twice of groupBy(own, (batch) => batch.sequence).values()) {
        if (twice.length === 1) continue;
        repeats += 1;
        expect(twice).toHaveLength(2);
        expect(twice[1]?.events).toEqual(twice[0]?.events);
        expect(twice[1]?.receivedAt).toBeGreaterThan(twice[0]?.receivedAt ?? 0);
      }
    }
    expect(repeats).toBeGreaterThan(10);
  });

  it('missing: sequences have gaps, but each session still counts on', () => {
    const { sessions } = only({ missing: 0.05 });
    const gaps = [...sessions.values()].filter((own) => own.some((batch, i) => batch.sequence !== i));
    expect(gaps.length).toBeGreaterThan(3);
  });

  it('unknown: events of kinds 128 to 255', () => {
    const codes = only({ unknown: 0.1 }).batches.flatMap((batch) =>
      batch.events.flatMap((event) => (event.kind === 'unknown' ? [event.code] : [])),
    );
    expect(codes.length).toBeGreaterThan(20);
    expect(Math.min(...codes)).toBeGreaterThanOrEqual(128);
    expect(Math.max(...codes)).toBeLessThanOrEqual(255);
  });

  it('noEnd: the end marker never comes', () => {
    expect([...only({ noEnd: 1 }).sessions.values()].some(hasEnd)).toBe(false);
    expect([...only({ noEnd: 0 }).sessions.values()].every(hasEnd)).toBe(true);
  });

  it('all occur with the default rates', () => {
    const { sessions, batches } = collect({ people: 40, minutes: 60, seed: 2 });
    const all = [...sessions.values()];
    expect(all.some((own) => !hasEnd(own))).toBe(true);
    expect(all.some((own) => own.some((batch, i) => batch.sequence < (own[i - 1]?.sequence ?? -1)))).toBe(true);
    expect(all.some((own) => new Set(sequences(own)).size < own.length)).toBe(true);
    expect(all.some((own) => new Set(sequences(own)).size <= Math.max(...sequences(own)))).toBe(true);
    expect(batches.some((batch) => batch.events.some((event) => event.kind === 'unknown'))).toBe(true);
  });
});

describe('consent', () => {
  const minutes = 90;
  const shares = { pauses: 0.3, withdraws: 0.2, exempt: 0.2, neverEnrolled: 0.1 };
  const calm = collect({ people: 60, minutes, seed: 7, faults: 'none', consent: shares });
  const people = [...ofSubject(calm).keys()];

  it('is decided in every way by a few dozen people', () => {
    const stories = new Set(
      people.map((subject) =>
        decisionsOf(calm, subject)
          .map((decision) => decision.kind)
          .join(' '),
      ),
    );
    expect(stories).toContain('');
    expect(stories).toContain('enrol');
    expect(stories).toContain('enrol withdraw');
    expect(stories).toContain('enrol exempt');
    expect([...stories].some((story) => story.includes('enrol pause resume'))).toBe(true);
    expect([...stories].some((story) => story.includes('enrol pause pause') || story === 'enrol pause')).toBe(true);
  });

  it('has pauses of 5 to 30 minutes, and an end for nothing else', () => {
    const lengths = calm.decisions
      .filter((decision) => decision.kind === 'pause')
      .map((pause) => (pause.until ?? 0) - pause.decidedAt);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(5 * MINUTE);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(HALF_HOUR);
    const others = calm.decisions.filter((decision) => decision.kind !== 'pause');
    expect(new Set(others.map((decision) => decision.until))).toEqual(new Set([null]));
  });

  it('is kept by recorders that behave: nothing granted or captured while it is withheld', () => {
    for (const subject of people) {
      const decisions = decisionsOf(calm, subject);
      const own = ofSubject(calm).get(subject) ?? [];
      for (const [i, decision] of decisions.entries()) {
        if (decision.kind === 'enrol' || decision.kind === 'resume') continue;
        const next = decisions[i + 1]?.decidedAt ?? Number.POSITIVE_INFINITY;
        const over = Math.min(next, decision.until ?? Number.POSITIVE_INFINITY);
        const within = own.filter(
          (batch) => batch.receivedAt > decision.decidedAt + 1000 && batch.receivedAt < over + 5000,
        );
        expect(within).toEqual([]);
      }
    }
  });

  it('precedes what depends on it by more than the guard of five seconds', () => {
    for (const subject of people) {
      const decisions = decisionsOf(calm, subject);
      if (decisions.length === 0 || decisions[0]?.kind !== 'enrol') continue;
      if (decisions[0].decidedAt > START + 1000) continue;
      for (const { grantedAt } of ofSubject(calm).get(subject) ?? []) {
        expect(grantedAt).toBeGreaterThan(decisions[0].decidedAt + 5000);
      }
    }
  });

  it('is missing for those who never enrolled, whose batches come all the same', () => {
    const strangers = collect({ people: 3, minutes: 3, consent: { neverEnrolled: 1 } });
    expect(strangers.decisions).toEqual([]);
    expect(ofSubject(strangers).size).toBe(3);
  });

  it('comes late for some, whose recorders have begun before', () => {
    const late = collect({ people: 3, minutes: 20, consent: { enrolsLate: 1 }, faults: 'none' });
    for (const [subject, own] of ofSubject(late)) {
      const [enrolled, ...more] = decisionsOf(late, subject);
      expect(enrolled?.kind).toBe('enrol');
      expect(more).toEqual([]);
      const granted = new Set(own.map((batch) => batch.grantedAt));
      expect([...granted].some((at) => at < (enrolled?.decidedAt ?? 0))).toBe(true);
      expect([...granted].some((at) => at > (enrolled?.decidedAt ?? 0) + 5000)).toBe(true);
    }
  });

  it('is broken by recorders that go on, start anew or hold back in a pause', () => {
    const faults = { ...NO_FAULTS, recordsWhilePaused: 1 };
    const rude = collect({ people: 24, minutes: 80, seed: 1, consent: { pauses: 1 }, faults });
    const kinds = new Set<string>();
    for (const [subject, own] of ofSubject(rude)) {
      for (const [i, pause] of decisionsOf(rude, subject).entries()) {
        if (pause.kind !== 'pause') continue;
        const next = decisionsOf(rude, subject)[i + 1];
        const over = next?.kind === 'resume' ? next.decidedAt : (pause.until ?? 0);
        for (const batch of own) {
          const captured = batch.events[0]?.at ?? 0;
          if (captured < pause.decidedAt + 2000 || captured > over - 2000) continue;
          if (batch.receivedAt > Math.max(over, captured + 10_000)) kinds.add('held back');
          else kinds.add(batch.grantedAt < pause.decidedAt ? 'went on' : 'started anew');
        }
      }
    }
    expect(kinds).toEqual(new Set(['held back', 'went on', 'started anew']));
  });

  it('is broken by recorders that go on after a withdrawal or an exemption', () => {
    const faults = { ...NO_FAULTS, recordsAfterEnd: 1 };
    for (const consent of [{ withdraws: 1 }, { exempt: 1 }]) {
      const rude = collect({ people: 6, minutes: 30, consent, faults });
      for (const [subject, own] of ofSubject(rude)) {
        const end = decisionsOf(rude, subject).find(
          (decision) => decision.kind === 'withdraw' || decision.kind === 'exempt',
        );
        expect(own.some((batch) => batch.receivedAt > (end?.decidedAt ?? Number.POSITIVE_INFINITY) + 10_000)).toBe(
          true,
        );
      }
    }
  });
});
