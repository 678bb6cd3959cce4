import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createPoll } from '../../../clients/page/poll.ts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
  vi.stubGlobal('window', new EventTarget());
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it('asks again after a question that failed, and tells the browser of it', async () => {
  const reportError = vi.fn<(error: unknown) => void>();
  vi.stubGlobal('reportError', reportError);
  const failure = new Error('no such element');
  const ask = vi.fn<() => Promise<number>>().mockRejectedValueOnce(failure).mockResolvedValue(1_000);
  const poll = createPoll(ask);
  poll.start();
  await vi.advanceTimersByTimeAsync(19_999);
  expect(ask).toHaveBeenCalledTimes(1);
  expect(reportError).toHaveBeenCalledExactlyOnceWith(failure);
  await vi.advanceTimersByTimeAsync(1);
  expect(ask).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ask).toHaveBeenCalledTimes(3);
  poll.stop();
});
