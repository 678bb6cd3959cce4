/** The key epoch of a session: the UTC month `YYYY-MM` of its `grantedAt` (ms). Pure and browser-safe. */
export function epochOf(grantedAt: number): string {
  return new Date(grantedAt).toISOString().slice(0, 7);
}

/** When the epoch of a time ends: the first moment (ms) of the next UTC month. */
export function epochEnd(at: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}
