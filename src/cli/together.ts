/**
 * Does two things at once. Each gets a signal that aborts with `stop`, and when the other one fails. Both have ended when this
 * does: what they use may be closed then.
 *
 * @throws what the first of them that failed has thrown.
 */
export async function together<A, B>(
  stop: AbortSignal,
  one: (signal: AbortSignal) => Promise<A>,
  other: (signal: AbortSignal) => Promise<B>,
): Promise<readonly [A, B]> {
  const failure = new AbortController();
  const signal = AbortSignal.any([stop, failure.signal]);
  const guarded = async <T>(work: (until: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await work(signal);
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  };
  const [first, second] = await Promise.allSettled([guarded(one), guarded(other)]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value];
  throw failure.signal.reason;
}
