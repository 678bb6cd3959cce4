/**
 * Shares rounds of work. The round under way may have looked before a call was made, so the one after it serves the call,
 * and all calls that come meanwhile: however many there are, one round at a time runs for them.
 */
export function shareRounds(round: () => Promise<void>): () => Promise<void> {
  let current = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= current
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        current = round();
        return current;
      });
    return next;
  };
}
