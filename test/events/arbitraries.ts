/** Random captures of every kind of event, for properties. */
import * as fc from 'fast-check';
import type { CaptureEnvelope, CapturePayload, RawEvent } from '../../src/events/raw.ts';
import { CLIPBOARD_OPS, POINTER_BUTTONS } from '../../src/events/raw.ts';
import { MAX_TIME, MIN_TIME } from '../../src/events/limits.ts';

/** Plain objects, as the codec makes them: fast-check's own have no prototype half of the time. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { noNullPrototype: true });
const text = fc.string({ unit: 'binary', maxLength: 12 });
const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const pixel = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: -50, max: 5_000 }) }, int32);
export const time = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2025, 0, 1) + 5_000 }) },
  fc.integer({ min: MIN_TIME, max: MAX_TIME - 1 }),
);

export const envelope: fc.Arbitrary<CaptureEnvelope> = record({
  session: text,
  sequence: fc.nat(),
  grantedAt: time,
  receivedAt: time,
});

const context = record({ app: text, title: text, url: text, private: fc.boolean() });
const bounds = record({ x: pixel, y: pixel, width: pixel, height: pixel });
const element = record({
  role: text,
  name: text,
  value: text,
  secure: fc.boolean(),
  bounds: fc.option(bounds),
});

function event(contexts: number, elements: number): fc.Arbitrary<RawEvent> {
  const at = {
    at: time,
    context: fc.integer({ min: -1, max: contexts - 1 }),
    element: fc.integer({ min: -1, max: elements - 1 }),
  };
  const point = { ...at, x: pixel, y: pixel };
  const button = fc.constantFrom(...POINTER_BUTTONS);
  const key = { ...at, key: text, code: text };
  return fc.oneof(
    record({ kind: fc.constant('pointer_move'), ...point }),
    record({ kind: fc.constantFrom('pointer_down', 'pointer_up'), ...point, button }),
    record({ kind: fc.constant('wheel'), ...at, dx: pixel, dy: pixel }),
    record({ kind: fc.constantFrom('key_down', 'key_up'), ...key }),
    record({ kind: fc.constantFrom('focus', 'navigate'), ...at }),
    record({ kind: fc.constant('clipboard'), ...at, op: fc.constantFrom(...CLIPBOARD_OPS), text }),
    record({ kind: fc.constant('value_change'), ...at, value: text }),
    record({ kind: fc.constant('composition'), ...at, text }),
    record({ kind: fc.constant('session_end'), ...at }),
    record({ kind: fc.constant('unknown'), ...at, code: fc.integer({ min: 12, max: 255 }) }),
  );
}

export const payload: fc.Arbitrary<CapturePayload> = fc
  .tuple(fc.array(context, { maxLength: 4 }), fc.array(element, { maxLength: 5 }))
  .chain(([contexts, elements]) =>
    record({
      subject: text,
      device: text,
      contexts: fc.constant(contexts),
      elements: fc.constant(elements),
      events: fc.array(event(contexts.length, elements.length), { maxLength: 60 }),
    }),
  );

/** How many cases a fuzz property tries; CI asks for more. */
export const FUZZ_CASES = Number(process.env['REDACTORY_FUZZ_CASES'] ?? 300);
