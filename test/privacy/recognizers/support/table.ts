/** Prints rows as a table with aligned columns: figures are for people to read. */
export function printTable(title: string, rows: readonly Readonly<Record<string, string | number>>[]): void {
  const names = Object.keys(rows[0] ?? {});
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => String(row[name]).length)));
  const line = (cells: readonly string[]): string => cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ');
  const lines = [line(names), ...rows.map((row) => line(names.map((name) => String(row[name]))))];
  process.stdout.write(`${title}\n${lines.map((each) => `  ${each.trimEnd()}\n`).join('')}`);
}
