import { createHash } from 'node:crypto';
import type { RandomBytes } from '../../src/privacy/partition-selection.ts';

/** Random bytes that are the same for the same seed. */
export function seededBytes(seed: number): RandomBytes {
  let block = Buffer.alloc(0);
  let blocks = 0;
  let at = 0;
  return (count) => {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      if (at === block.length) {
        block = createHash('sha512').update(`${seed}/${blocks++}`).digest();
        at = 0;
      }
      bytes[i] = block[at++] ?? 0;
    }
    return bytes;
  };
}
