import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '../../src/log/partitioner.ts';

describe("Kafka's default partitioner", () => {
  // From org.apache.kafka.common.utils.UtilsTest.testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('murmur2 of %s', (text, hash) => {
    expect(murmur2(new TextEncoder().encode(text))).toBe(hash);
  });

  it('takes the sign bit off before the modulo', () => {
    expect(partitionOf('21', 1000)).toBe((-973932308 & 0x7fffffff) % 1000);
    expect(partitionOf('abc', 4)).toBe(479470107 % 4);
  });

  it('hashes the UTF-8 bytes, also of a view into a larger buffer', () => {
    const inside = Buffer.from('xxfoobar').subarray(2);
    expect(murmur2(inside)).toBe(-790332482);
    expect(partitionOf('é', 97)).toBe((murmur2(Uint8Array.of(0xc3, 0xa9)) & 0x7fffffff) % 97);
  });
});
