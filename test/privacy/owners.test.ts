import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DROP_REASONS } from '../../src/events/outcome.ts';
import { closeOwner, openOwner, type OwnerContent } from '../../src/privacy/owners.ts';

const count = fc.integer({ min: 0, max: 1e9 });
const owner: fc.Arbitrary<OwnerContent> = fc.record(
  {
    subjectKey: fc.stringMatching(/^[0-9a-f]{64}$/u),
    day: fc.integer({ min: 0, max: 40_000 }),
    // Not there in records of versions before.
    grantedAt: fc.integer({ min: 0, max: 4e12 }),
    rows: count,
    events: count,
    dropped: fc.dictionary(fc.constantFrom(...DROP_REASONS), count, { maxKeys: 6 }).map((all) => ({ ...all })),
  },
  { requiredKeys: ['subjectKey', 'day', 'rows', 'events', 'dropped'] },
);
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const name = fc.stringMatching(/^[0-9a-f]{32}$/u);

describe('whose a session is', () => {
  it('opens with its key, for its record', () => {
    fc.assert(
      fc.property(key, name, owner, (secret, at, content) => {
        expect(openOwner(secret, at, closeOwner(secret, at, content))).toEqual(content);
      }),
    );
  });

  it('opens with no other key, for no other record, and with no bit changed', () => {
    fc.assert(
      fc.property(key, key, name, name, owner, fc.nat(), (secret, other, at, elsewhere, content, bit) => {
        fc.pre(at !== elsewhere && Buffer.compare(secret, other) !== 0);
        const closed = closeOwner(secret, at, content);
        expect(openOwner(other, at, closed)).toBeUndefined();
        expect(openOwner(secret, elsewhere, closed)).toBeUndefined();
        const changed = Uint8Array.from(closed);
        const place = bit % changed.length;
        changed[place] = (changed[place] ?? 0) ^ 1;
        expect(openOwner(secret, at, changed)).toBeUndefined();
        expect(openOwner(secret, at, closed.subarray(0, place))).toBeUndefined();
      }),
    );
  });

  it('shows nothing of the person; its length is the same for one count or another', () => {
    fc.assert(
      fc.property(key, name, owner, (secret, at, content) => {
        const closed = Buffer.from(closeOwner(secret, at, content));
        expect(closed.includes(content.subjectKey.slice(0, 8))).toBe(false);
        expect((closed.length - 28) % 128).toBe(0);
      }),
    );
  });

  it('is the same bytes for the same content, and other bytes for every other content', () => {
    fc.assert(
      fc.property(key, name, owner, (secret, at, content) => {
        const closed = Buffer.from(closeOwner(secret, at, content));
        expect(closed.equals(closeOwner(secret, at, { ...content }))).toBe(true);
        const later = Buffer.from(closeOwner(secret, at, { ...content, rows: content.rows + 1 }));
        // Never one nonce for two contents.
        expect(later.subarray(0, 12).equals(closed.subarray(0, 12))).toBe(false);
      }),
    );
  });
});
