import { COLUMNS_MAX, FILE_BYTES_MAX, refusalText, ROWS_MAX } from '../import/records.ts';
import type { Staged } from './import-file.ts';

/** What a file may be. */
export const LIMITS = `CSV, up to ${FILE_BYTES_MAX / 1024 ** 2} MB and ${ROWS_MAX.toLocaleString('en-GB')} rows`;

/** Why a file cannot be imported, in a sentence. */
export function refusalOf(staged: Exclude<Staged, { kind: 'staged' }>): string {
  switch (staged.kind) {
    case 'no-email':
      return `The file has no "email" column. We found: ${someOf(staged.found)}`;
    case 'no-rows':
      return 'The file has no rows below its first line';
    case 'too-large':
      return `The file is too large. ${LIMITS}, and ${COLUMNS_MAX} columns`;
    case 'refused':
      return refusalText(staged.problem);
  }
}

const FOUND_SHOWN = 20;

function someOf(found: readonly string[]): string {
  const names = found.filter((name) => name !== '').map((name) => Array.from(name).slice(0, 40).join(''));
  const more = names.length > FOUND_SHOWN ? `, and ${names.length - FOUND_SHOWN} more` : '';
  return `${names.slice(0, FOUND_SHOWN).join(', ')}${more}`;
}
