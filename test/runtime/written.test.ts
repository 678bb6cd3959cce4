import { expect, it } from 'vitest';
import { canBeRead, endsOfWritten } from '../../src/runtime/written.ts';

/** Two partitions; of the second, readers see one record more each time they ask. */
function settling(): { endOffsets(): Promise<readonly number[]>; highWatermarks(): Promise<readonly number[]> } {
  let seen = 0;
  return { endOffsets: async () => [9, seen++], highWatermarks: async () => [7, 3] };
}

it('can be read when each partition has come so far', async () => {
  const ends = (...offsets: number[]) => canBeRead({ endOffsets: async () => offsets }, 't', [7, 3]);
  expect(await Promise.all([ends(7, 3), ends(9, 4), ends(6, 3), ends(7, 2), ends(7)])).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

it('waits for transactions that wrote before it was called, and for a while only', async () => {
  expect(await endsOfWritten(settling(), 't', { tries: 4, everyMs: 0 })).toEqual([7, 3]);
  expect(await endsOfWritten(settling(), 't', { tries: 3, everyMs: 0 })).toBeUndefined();
});
