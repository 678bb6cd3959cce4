/**
 * A clock (ms) that is never behind `floor`, the latest stamp on the log, and goes on from there in real time. It must not
 * stand still until the machine's clock has caught up: sessions would not expire meanwhile, nor a pause run out.
 *
 * @param elapsed ms since some moment, whatever is done to the machine's clock.
 */
export function clockFrom(floor: number, now: () => number, elapsed: () => number): () => number {
  const began = elapsed();
  return () => Math.max(now(), floor + Math.floor(elapsed() - began));
}
