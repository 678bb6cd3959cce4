import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_GRANT_MS, MAX_OPEN_SESSIONS } from '../../../src/producers/gateway/protocol.ts';
import { createSessions, type Session } from '../../../src/producers/gateway/sessions.ts';

const START = Date.UTC(2026, 10, 25);
const PEOPLE = ['ana', 'ben', 'eve'];

const person = fc.constantFrom(...PEOPLE);
const act = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), person, device: fc.nat(11), later: fc.nat(MAX_GRANT_MS) }),
  fc.record({ kind: fc.constant('end' as const), person }),
);

it('are found by whom they belong to alone, one a device and eight a person, whatever is opened and ended', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      let ids = 0;
      const sessions = createSessions(() => `session-${ids++}`);
      const all: Session[] = [];
      let now = START;
      for (const one of acts) {
        if (one.kind === 'end') {
          sessions.endAll(one.person, 'paused');
          if (sessions.openOf(one.person, now).length > 0) throw new Error('a session outlived its end');
          continue;
        }
        now += one.later;
        const session = sessions.open({ subjectKey: one.person, device: `device-${one.device}`, now });
        all.push(session);
        expect(sessions.openOf(one.person, now)).toContain(session);
        for (const somebody of PEOPLE) {
          const open = sessions.openOf(somebody, now);
          expect(open.length).toBeLessThanOrEqual(MAX_OPEN_SESSIONS);
          expect(new Set(open.map(({ device }) => device)).size).toBe(open.length);
          expect(open.every(({ subjectKey }) => subjectKey === somebody)).toBe(true);
          const others = all.filter(({ subjectKey }) => subjectKey !== somebody);
          for (const { id } of others) expect(sessions.find(id, somebody)).toBeUndefined();
        }
        // Until its time is over, its person learns why a session ended.
        for (const old of all.filter(({ endsAt }) => endsAt > now))
          expect(sessions.find(old.id, old.subjectKey)).toBe(old);
      }
    }),
  );
});

it('are forgotten half an hour after their end', () => {
  const sessions = createSessions(() => crypto.randomUUID());
  const first = sessions.open({ subjectKey: 'ana', device: 'laptop', now: START });
  sessions.open({ subjectKey: 'ben', device: 'laptop', now: START + 2 * MAX_GRANT_MS - 1 });
  expect(sessions.find(first.id, 'ana')).toBe(first);
  sessions.open({ subjectKey: 'ben', device: 'laptop', now: START + 2 * MAX_GRANT_MS });
  expect(sessions.find(first.id, 'ana')).toBeUndefined();
});

it('a decision that ends them does not change why one had ended before', () => {
  const sessions = createSessions(() => crypto.randomUUID());
  const first = sessions.open({ subjectKey: 'ana', device: 'laptop', now: START });
  const second = sessions.open({ subjectKey: 'ana', device: 'laptop', now: START + 1 });
  sessions.endAll('ana', 'withdrawn');
  expect([first.ended, second.ended]).toEqual(['ended', 'withdrawn']);
});
