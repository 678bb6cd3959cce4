import { describe, expect, it } from 'vitest';
import { createFeed } from '../../../src/runtime/playground/feed.ts';
import type { ProcessedBatch } from '../../../src/runtime/playground/protocol.ts';

const batch = (sequence: number): ProcessedBatch => ({
  policy: 'strict',
  session: 's',
  sequence,
  kind: 'keep',
  reason: null,
  read: 1,
  dropped: {},
  quarantined: 0,
  released: 1,
  batch: null,
});
const FOR_EVER = 600_000;

describe('the feed', () => {
  it('gives what came after a position, once', async () => {
    const feed = createFeed();
    feed.add(batch(0));
    feed.add(batch(1));
    expect(await feed.after(0, FOR_EVER)).toEqual({ batches: [batch(0), batch(1)], next: 2 });
    expect(await feed.after(1, FOR_EVER)).toEqual({ batches: [batch(1)], next: 2 });
    expect(await feed.after(2, 0)).toEqual({ batches: [], next: 2 });
  });

  it('waits for what is new', async () => {
    const feed = createFeed();
    const answers = Promise.all([feed.after(0, FOR_EVER), feed.after(0, FOR_EVER)]);
    feed.add(batch(0));
    const one = { batches: [batch(0)], next: 1 };
    expect(await answers).toEqual([one, one]);
  });

  it('keeps so many and no more', async () => {
    const feed = createFeed({ maxKept: 3 });
    for (let i = 0; i < 10; i++) feed.add(batch(i));
    expect(await feed.after(0, FOR_EVER)).toEqual({ batches: [batch(7), batch(8), batch(9)], next: 10 });
    expect(await feed.after(8, FOR_EVER)).toEqual({ batches: [batch(8), batch(9)], next: 10 });
  });

  it('gives all that there is to who has a position of an earlier run', async () => {
    const feed = createFeed();
    feed.add(batch(0));
    expect(await feed.after(900, FOR_EVER)).toEqual({ batches: [batch(0)], next: 1 });
  });

  it('lets so many wait and no more', async () => {
    const feed = createFeed({ maxWaiting: 1 });
    const first = feed.after(0, FOR_EVER);
    expect(await feed.after(0, FOR_EVER)).toBe('busy');
    feed.close();
    expect(await first).toEqual({ batches: [], next: 0 });
  });

  it('tells nothing any more once it is closed', async () => {
    const feed = createFeed();
    feed.add(batch(0));
    feed.close();
    feed.add(batch(1));
    expect(await feed.after(0, FOR_EVER)).toMatchObject({ batches: [] });
  });
});
