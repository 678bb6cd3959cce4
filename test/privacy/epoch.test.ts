import { describe, expect, it } from 'vitest';
import { epochEnd, epochOf } from '../../src/privacy/epoch.ts';

describe('an epoch', () => {
  it.each([
    ['2026-11-25T10:00:00Z', '2026-11', '2026-12-01T00:00:00Z'],
    ['2026-12-31T23:59:59.999Z', '2026-12', '2027-01-01T00:00:00Z'],
    ['2028-02-01T00:00:00Z', '2028-02', '2028-03-01T00:00:00Z'],
  ])('at %s is the UTC month %s and ends at %s', (at, epoch, end) => {
    expect(epochOf(Date.parse(at))).toBe(epoch);
    expect(epochEnd(Date.parse(at))).toBe(Date.parse(end));
    expect(epochOf(epochEnd(Date.parse(at)) - 1)).toBe(epoch);
  });
});
