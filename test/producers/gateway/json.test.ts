import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseJson } from '../../../src/producers/gateway/json.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What recorders send: objects of texts, numbers and lists of such objects, no deeper than a batch. */
const scalar = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.constant(null));
const flat = fc.dictionary(fc.string({ unit: 'binary' }), scalar, { maxKeys: 4 });
const element = fc.record({ flat, name: scalar });
const batch = fc.record({ subject: scalar, contexts: fc.array(flat), elements: fc.array(element) });

it('reads every value of the shape of a batch as JSON.parse does, with whatever is in its texts', () => {
  fc.assert(
    fc.property(batch, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
      const text = JSON.stringify(value, null, space);
      expect(parseJson(bytesOf(text), 1_000)).toEqual({ value: JSON.parse(text) });
    }),
  );
});

it('counts structures as they are, not those in texts', () => {
  fc.assert(
    fc.property(batch, (value) => {
      const text = JSON.stringify(value);
      const structures = 3 + value.contexts.length + 2 * value.elements.length;
      expect(parseJson(bytesOf(text), structures)).toEqual({ value: JSON.parse(text) });
      expect(parseJson(bytesOf(text), structures - 1)).toBe('too_many_structures');
    }),
  );
});

/** What JSON.parse makes of it, or undefined. */
function plainly(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    return undefined;
  }
}

it('reads what is a single value, makes nothing of what is no JSON, nothing else of the rest, and never throws', () => {
  const single = scalar.map((value) => bytesOf(JSON.stringify(value)));
  const some = fc.oneof(fc.uint8Array(), fc.string().map(bytesOf), fc.json().map(bytesOf), single);
  fc.assert(
    fc.property(some, (bytes) => {
      const parsed = parseJson(bytes, 20);
      const plain = plainly(bytes);
      // Objects and lists may be of a shape that nobody sends.
      const mayRefuse = plain === undefined || (typeof plain.value === 'object' && plain.value !== null);
      if (mayRefuse && typeof parsed === 'string') return;
      expect(parsed).toEqual(plain);
    }),
  );
});
