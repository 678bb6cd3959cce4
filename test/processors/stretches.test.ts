import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { BEGINNING, placeFor, type Place } from '../../src/processors/stretches.ts';
import { policyWith, records, run, toolsWith } from '../helpers/line.ts';
import { cut } from '../helpers/recording.ts';
import { gibberish, play, stepsOf } from '../helpers/sessions.ts';

const batchSizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });

/** Where each batch of a session begins. */
function placesOf(sizes: readonly number[], maxActions: number): Place[] {
  let end = BEGINNING;
  return sizes.map((size) => {
    const place = placeFor(size, end, maxActions);
    end = { ...place, step: place.step + size };
    return place;
  });
}

it('no stretch has more actions than it may, but one that is a single batch', () => {
  fc.assert(
    fc.property(batchSizes, fc.integer({ min: 1, max: 50 }), (sizes, maxActions) => {
      const places = placesOf(sizes, maxActions);
      for (const [i, { step }] of places.entries()) {
        expect(step === 0 || step + (sizes[i] ?? 0) <= maxActions).toBe(true);
      }
    }),
  );
});

it('stretches follow each other, and the actions of each', () => {
  fc.assert(
    fc.property(batchSizes, fc.integer({ min: 1, max: 50 }), (sizes, maxActions) => {
      const places = placesOf(sizes, maxActions);
      const following = places.map((place, i): Place => {
        const before = places[i - 1];
        if (before === undefined) return BEGINNING;
        const isNew = place.stretch !== before.stretch;
        return isNew
          ? { stretch: before.stretch + 1, step: 0 }
          : { ...before, step: before.step + (sizes[i - 1] ?? 0) };
      });
      expect(places).toEqual(following);
    }),
  );
});

it('a stretch is as full as its batches allow', () => {
  fc.assert(
    fc.property(batchSizes, fc.integer({ min: 1, max: 50 }), (sizes, maxActions) => {
      const places = placesOf(sizes, maxActions);
      const sums = places.flatMap(({ step }, i) => {
        const last = places[i - 1];
        return step === 0 && last !== undefined ? [last.step + (sizes[i - 1] ?? 0) + (sizes[i] ?? 0)] : [];
      });
      expect(sums.filter((sum) => sum <= maxActions)).toEqual([]);
    }),
  );
});

it('a session has a pseudonym for each stretch, and the actions of each are numbered from 0', () => {
  fc.assert(
    fc.property(stepsOf(gibberish, 40), fc.array(fc.nat(400)), fc.integer({ min: 1, max: 6 }), (steps, cuts, most) => {
      const { session: lasts } = policyWith();
      const tools = toolsWith({ policy: policyWith({ session: { ...lasts, maxActions: most } }) });
      const { released } = run(records(cut(play(steps).end().events, cuts)), tools);
      const next = new Map<string, number>();
      for (const { session, actions } of released) {
        const first = next.get(session) ?? 0;
        expect(actions.map(({ step }) => step)).toEqual(actions.map((_, i) => first + i));
        expect(first === 0 || first + actions.length <= most).toBe(true);
        next.set(session, first + actions.length);
      }
      // One that is left never comes back.
      const order = released.map(({ session }) => session);
      expect(order.filter((name, i) => name !== order[i - 1])).toHaveLength(next.size);
    }),
  );
});
