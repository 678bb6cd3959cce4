import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceToken } from '../../../src/events/control.ts';
import { createDeviceTokens, newToken } from '../../../src/producers/gateway/tokens.ts';
import { seededBytes } from '../../helpers/seeded-bytes.ts';

const START = Date.UTC(2026, 10, 25);

function issued(seed: number): { readonly text: string; readonly token: DeviceToken } {
  const { text, tokenId, hash } = newToken(seededBytes(seed));
  const of = { subjectKey: 'ana', device: null, issuedAt: START, expiresAt: START + 1_000, revokedAt: null };
  return { text, token: { ...of, tokenId, hash } };
}

describe('a device token', () => {
  it('is good until it expires or is revoked, and never again after that', () => {
    const { text, token } = issued(1);
    const tokens = createDeviceTokens();
    expect(tokens.check(text, START)).toBeUndefined();
    tokens.apply(token);
    expect(tokens.check(text, START + 999)).toBe(token);
    expect(tokens.check(text, START + 1_000)).toBeUndefined();
    tokens.apply({ ...token, revokedAt: START + 5 });
    expect(tokens.check(text, START)).toBeUndefined();
    // Whoever could write it there again brings it back no more.
    tokens.apply(token);
    expect(tokens.check(text, START)).toBeUndefined();
  });

  it('is not what is kept of it', () => {
    const { text, token } = issued(2);
    const secret = text.slice(21);
    const kept = Buffer.from(token.hash);
    expect(kept.includes(Buffer.from(secret, 'base64url'))).toBe(false);
    expect(JSON.stringify({ ...token, hash: kept.toString('base64url') })).not.toContain(secret);
  });

  it('is the only text that opens for its person: no other is let in', () => {
    const [mine, other] = [issued(3), issued(4)];
    const tokens = createDeviceTokens();
    tokens.apply(mine.token);
    tokens.apply(other.token);
    const spoilt = fc
      .tuple(fc.nat(mine.text.length - 2), fc.stringMatching(/^[\w-]$/u))
      .map(([at, by]) => mine.text.slice(0, at) + by + mine.text.slice(at + 1));
    const texts = fc.oneof(
      fc.string(),
      spoilt,
      fc.constantFrom('', mine.text.slice(0, 21) + other.text.slice(21), `${mine.text}A`, ` ${mine.text}`),
      fc.stringMatching(/^rdt_[0-9a-f]{16}_[\w-]{43}$/u),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(tokens.check(text, START)).toBe(text === mine.text ? mine.token : undefined);
      }),
      { examples: [[mine.text]] },
    );
  });

  it('whose hash is damaged on the topic lets nobody in', () => {
    const { text, token } = issued(5);
    for (const hash of [new Uint8Array(0), new Uint8Array(32), token.hash.slice(1)]) {
      const tokens = createDeviceTokens();
      tokens.apply({ ...token, hash });
      expect(tokens.check(text, START)).toBeUndefined();
    }
  });
});
