import { expect, it } from 'vitest';
import { shareRounds } from '../../src/runtime/shared-round.ts';

/** Rounds that end when they are told to. */
function rounds(): { readonly share: () => Promise<void>; readonly begun: (() => void)[] } {
  const begun: (() => void)[] = [];
  return { begun, share: shareRounds(() => new Promise((done) => begun.push(done))) };
}
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

it('whoever calls while a round is under way gets one that begins later, together with the others', async () => {
  const { share, begun } = rounds();
  const first = share();
  await settled();
  const [second, third] = [share(), share()];
  await settled();
  expect(begun).toHaveLength(1);
  begun[0]?.();
  await first;
  await settled();
  expect(begun).toHaveLength(2);
  begun[1]?.();
  await Promise.all([second, third]);
});

it('a round that failed is told to its own callers, and the next one runs', async () => {
  let count = 0;
  const share = shareRounds(async () => {
    if (++count === 1) throw new Error('the first');
  });
  const first = share();
  await expect(first).rejects.toThrow('the first');
  await share();
  expect(count).toBe(2);
});
