import { createHash, timingSafeEqual } from 'node:crypto';
import type { DeviceToken } from '../../events/control.ts';

/** A token as its recorder has it, and what is kept of it. */
export interface NewToken {
  /** Shown once. */
  readonly text: string;
  readonly tokenId: string;
  readonly hash: Uint8Array;
}

const TOKEN = /^rdt_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/u;

/**
 * A token of 256 random bits. A plain SHA-256 of it is kept: what nobody can guess needs no slow hash, which is there for
 * passwords that somebody chose.
 */
export function newToken(randomBytes: (count: number) => Uint8Array): NewToken {
  const tokenId = Buffer.from(randomBytes(8)).toString('hex');
  const secret = Buffer.from(randomBytes(32));
  return { text: `rdt_${tokenId}_${secret.toString('base64url')}`, tokenId, hash: hashOf(secret) };
}

export interface DeviceTokens {
  /** Takes what the topic says of a token; what was revoked stays so. */
  apply(token: DeviceToken): void;
  /** All that are known, in no order. */
  all(): readonly DeviceToken[];
  /** The token of this text, if it is good at this time (ms). Takes the same time whatever part of the secret is wrong. */
  check(text: string, at: number): DeviceToken | undefined;
}

export function createDeviceTokens(): DeviceTokens {
  const tokens = new Map<string, DeviceToken>();
  return {
    apply(token) {
      if ((tokens.get(token.tokenId)?.revokedAt ?? null) === null) tokens.set(token.tokenId, token);
    },
    all: () => [...tokens.values()],
    check(text, at) {
      const [, tokenId = '', secret = ''] = TOKEN.exec(text) ?? [];
      const token = tokens.get(tokenId);
      if (token === undefined || token.hash.length !== 32) return undefined;
      if (!timingSafeEqual(hashOf(Buffer.from(secret, 'base64url')), token.hash)) return undefined;
      return token.revokedAt === null && at < token.expiresAt ? token : undefined;
    },
  };
}

const hashOf = (secret: Uint8Array): Uint8Array => createHash('sha256').update(secret).digest();
