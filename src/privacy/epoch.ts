/** The key epoch of a session: the UTC month `YYYY-MM` of its `grantedAt` (ms). Pure and browser-safe. */
export function epochOf(grantedAt: number): string {
  return new Date(grantedAt).toISOString().slice(0, 7);
}
