import type { SanitizerSummary } from '../runtime/sanitizer.ts';

/** The counts by outcome and reason, as a table that adds up. */
export function describeCounts(summary: SanitizerSummary): string {
  const lines: [string, number][] = [['released in actions', summary.released]];
  const dropped = Object.entries(summary.dropped).toSorted(([, a], [, b]) => b - a);
  for (const [reason, n] of dropped) if (n > 0) lines.push([`dropped: ${reason.replaceAll('_', ' ')}`, n]);
  lines.push(['quarantined', summary.quarantined], ['still open in sessions', summary.pending]);
  const sum = lines.reduce((total, [, n]) => total + n, 0);
  const share = (n: number): string => `${((100 * n) / Math.max(1, summary.read)).toFixed(1)} %`;
  const rows = lines.map(([name, n]) => `  ${name.padEnd(34)}${number(n).padStart(14)}${share(n).padStart(9)}`);
  const check = sum === summary.read ? 'adds up' : `DOES NOT ADD UP to ${number(summary.read)}`;
  return [
    `raw events read: ${number(summary.read)} in ${number(summary.batches)} batches (${number(summary.rawBytes)} bytes)`,
    ...rows,
    `  ${'sum'.padEnd(34)}${number(sum).padStart(14)}   ${check}`,
  ].join('\n');
}

const number = (n: number): string => n.toLocaleString('en');
