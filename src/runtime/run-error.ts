/** A run cannot start or go on; the message is our own, says what to do and holds nothing of what was processed. */
export class RunError extends Error {
  override name = 'RunError';
}
