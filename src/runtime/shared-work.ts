/**
 * Shares work by what it is about: who asks while it is under way gets the same answer, so that asking again costs nothing. It
 * is stopped when all who asked have gone.
 */
export function shareWork<T>(
  work: (about: string, signal: AbortSignal) => Promise<T>,
): (about: string, gone?: AbortSignal) => Promise<T> {
  const underWay = new Map<string, { waiting: number; readonly stop: AbortController; readonly answer: Promise<T> }>();

  function begin(about: string) {
    const stop = new AbortController();
    const one = { waiting: 0, stop, answer: work(about, stop.signal) };
    underWay.set(about, one);
    const forget = (): void => {
      if (underWay.get(about) === one) underWay.delete(about);
    };
    // Who comes after it was stopped begins anew.
    stop.signal.addEventListener('abort', forget);
    one.answer.then(forget, forget);
    return one;
  }

  return async (about, gone) => {
    gone?.throwIfAborted();
    const one = underWay.get(about) ?? begin(about);
    one.waiting++;
    const leave = (): void => {
      one.waiting--;
      if (one.waiting === 0) one.stop.abort(gone?.reason);
    };
    gone?.addEventListener('abort', leave, { once: true });
    try {
      return await one.answer;
    } finally {
      gone?.removeEventListener('abort', leave);
    }
  };
}
