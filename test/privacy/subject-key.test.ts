import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSubjectKeys } from '../../src/privacy/subject-key.ts';

const ingestKey = new Uint8Array(32).fill(7);

describe('createSubjectKeys', () => {
  it('is HMAC-SHA-256 over a domain and the subject', () => {
    const expected = createHmac('sha256', ingestKey).update('subject-key\0jane@corp.example', 'utf8').digest('hex');
    const keyOf = createSubjectKeys(ingestKey);
    expect(keyOf('jane@corp.example')).toBe(expected);
    expect(keyOf('jane@corp.example')).toBe(expected);
  });

  it('gives one key for both Unicode forms of a name', () => {
    const keyOf = createSubjectKeys(ingestKey);
    expect(keyOf('Jose\u0301')).toBe(keyOf('Jos\u00e9'));
  });

  it('depends on the ingest key', () => {
    expect(createSubjectKeys(new Uint8Array(32).fill(8))('x')).not.toBe(createSubjectKeys(ingestKey)('x'));
  });

  it('keeps its own copy of the key', () => {
    const key = Uint8Array.from(ingestKey);
    const keyOf = createSubjectKeys(key);
    key.fill(0);
    expect(keyOf('x')).toBe(createSubjectKeys(ingestKey)('x'));
  });

  it('refuses a key of another length', () => {
    expect(() => createSubjectKeys(new Uint8Array(16))).toThrow(/must be 32 bytes/u);
  });
});
