/** The value below which so many hundredths of all lie. */
export function percentile(values: readonly number[], hundredths: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * hundredths) / 100))] ?? NaN;
}

/** Prints rows of a name and a figure, one below the other. */
export function printTable(title: string, rows: readonly (readonly [name: string, figure: string])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length));
  console.log(`\n${title}\n`);
  for (const [name, figure] of rows) console.log(`  ${name.padEnd(width)}  ${figure}`);
  console.log();
}
