import { csvText } from './csv-text.ts';
import type { Mapping } from './columns.ts';
import { looksSecret } from './secrets.ts';
import type { CsvRecord } from './records.ts';
import type { Problem } from './rows.ts';

/** A record that does not go in, with everything that is wrong with it. */
export interface LeftRow {
  readonly record: CsvRecord;
  readonly errors: readonly string[];
}

/** The records of a part that have problems, in the order of the file. */
export function withErrors(records: readonly CsvRecord[], problems: readonly Problem[]): LeftRow[] {
  const byLine = Map.groupBy(problems, ({ line }) => line);
  return records.flatMap((record) => {
    const errors = byLine.get(record.line)?.map(({ line, text }) => `Line ${line}: ${text}`);
    return errors ? [{ record, errors }] : [];
  });
}

/**
 * Such rows as lines of a file that can be mended and uploaded again: as they came, and behind them why they did not go
 * in. Secrets and hashes leave the product on no way (I19): in their place stand words that the next check refuses, so
 * that nobody uploads the file again without what belongs there.
 */
export function leftRows(
  headers: readonly (readonly string[])[],
  rows: readonly LeftRow[],
  mapping: Mapping,
  width: number,
): string {
  const hidden = [mapping.totp_secret, mapping.password_hash];
  const read = Object.values(mapping);
  // A column that nobody has said to read may be one of them under another name.
  const isHidden = (cell: string, at: number): boolean =>
    read.includes(at) ? hidden.includes(at) && cell.trim() !== '' : looksSecret(cell);
  const lines = rows.map(({ record, errors }) => {
    const cells = Array.from({ length: Math.max(width, record.cells.length) }, (_, at) => record.cells[at] ?? '');
    const shown = cells.map((cell, at) => (isHidden(cell, at) ? ELSEWHERE : cell));
    return [...shown, errors.join('; ')];
  });
  return csvText([...headers.map((header) => [...header, 'error']), ...lines]);
}

const ELSEWHERE = '(copy it from your own file)';
