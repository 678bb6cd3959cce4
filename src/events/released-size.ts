import type { ReleasedAction, ReleasedFields } from './released.ts';

/**
 * The largest released batch, bytes. A few kilobytes of raw can be megabytes when each of 50,000 actions repeats the place
 * that a batch names once; topics take records of 1 MiB and what surrounds them.
 */
export const MAX_RELEASED_BYTES = 2 ** 20;

/** Whether it would be larger than that, encoded. The same for the same batch, wherever it is asked. */
export function isTooLarge({ actions }: Pick<ReleasedFields, 'actions'>): boolean {
  // Nearly all batches are far below the bound, and then nobody has to count bytes.
  return atMost(actions, threeEach) > MAX_RELEASED_BYTES && atMost(actions, utf8) > MAX_RELEASED_BYTES;
}

/** No UTF-16 unit has more bytes of UTF-8. */
const threeEach = (text: string): number => 3 * text.length;
const encoder = new TextEncoder();
const utf8 = (text: string): number => encoder.encode(text).length;

/** Bytes of the actions in Avro: a mark and a length before each text, and the step; the head is put in with them. */
function atMost(actions: readonly ReleasedAction[], bytesOf: (text: string) => number): number {
  const text = (value: string | null): number => (value === null ? 1 : 4 + bytesOf(value));
  let bytes = HEAD_BYTES;
  for (const a of actions) {
    bytes += STEP_BYTES + text(a.action) + text(a.app) + text(a.window) + text(a.url) + text(a.target_role);
    bytes += text(a.target) + text(a.key) + text(a.button) + text(a.direction) + text(a.cell) + text(a.pause);
    bytes += text(a.length) + text(a.count);
  }
  return bytes;
}

const HEAD_BYTES = 256;
const STEP_BYTES = 4;
