import { stringify } from 'csv-stringify/sync';

/** What a file for spreadsheets begins with, so that they read it as UTF-8. */
export const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Rows as lines of a CSV file. A spreadsheet runs a cell that begins like a formula, and in some countries splits cells
 * at semicolons: so such a beginning is escaped, and every cell quoted (OWASP CSV Injection).
 */
export function csvText(rows: readonly (readonly string[])[]): string {
  return stringify(rows as string[][], {
    quoted: true,
    quoted_empty: true,
    escape_formulas: true,
    record_delimiter: 'windows',
  });
}
