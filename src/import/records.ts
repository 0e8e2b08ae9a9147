import { pipeline, Readable } from 'node:stream';
import { parse, type CsvError, type Info } from 'csv-parse';

/** Bounds of a file: what can be uploaded, and what one row of it may hold before it is no row of a list of people. */
export const FILE_BYTES_MAX = 10 * 1024 * 1024;
export const ROWS_MAX = 50_000;
export const COLUMNS_MAX = 250;
const ROW_CHARACTERS_MAX = 64 * 1024;

/** Why a file as a whole cannot be read; `line` is where that was noticed. */
export type FileProblem = { kind: 'encoding' } | { kind: 'not-csv'; line?: number; why?: string };

/** Why a file cannot be read, as a sentence without its full stop. */
export function refusalText(problem: FileProblem): string {
  if (problem.kind === 'encoding') return "The file isn't UTF-8 or UTF-16. Save it again as CSV UTF-8";
  return problem.why === undefined
    ? "That isn't a CSV file"
    : `That isn't a CSV file. Line ${problem.line}: ${problem.why}`;
}

/** Thrown out of the reading of a file, whose caller answers `problem`. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused';
  readonly problem: FileProblem;

  constructor(problem: FileProblem) {
    super(problem.kind);
    this.problem = problem;
  }
}

/** One record with the number of the line on which it begins; a quoted cell may reach over several. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * The records of a CSV file, the header first, as the bytes come in: never more of the file in memory than a piece and a
 * row. UTF-8 or UTF-16, with comma, semicolon or tab between cells. Throws FileRefused.
 */
export async function* readRecords(
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<CsvRecord, void> {
  const texts = withOneKindOfLineBreak(decoded(bytes));
  const { head, all } = await lookedAhead(texts);
  const parser = parse({
    delimiter: delimiterOf(head),
    record_delimiter: '\n',
    relax_column_count: true,
    skip_empty_lines: true,
    info: true,
    max_record_size: ROW_CHARACTERS_MAX,
  });
  // Its fault comes out of the parser, which is read below.
  pipeline(Readable.from(all), parser, () => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>)
      yield { line: info.lines - lineBreaksIn(record), cells: record };
  } catch (fault) {
    throw fault instanceof FileRefused ? fault : refusalOf(fault as CsvError);
  }
}

const WHY: Partial<Record<CsvError['code'], string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened and never closed',
  CSV_INVALID_CLOSING_QUOTE: 'something follows a closing quote',
  INVALID_OPENING_QUOTE: 'a quote stands in the middle of a cell',
  CSV_MAX_RECORD_SIZE: 'the row is longer than any list of people has',
};

function refusalOf(fault: CsvError): Error {
  const why = WHY[fault.code];
  if (why === undefined) return fault;
  return new FileRefused({ kind: 'not-csv', line: Number(fault['lines'] ?? 0), why });
}

function lineBreaksIn(cells: readonly string[]): number {
  return cells.reduce((count, cell) => count + (cell.includes('\n') ? cell.split('\n').length - 1 : 0), 0);
}

// What other programs' files begin with: renamed, they are the commonest upload that is no CSV.
const OTHER_FILES = ['PK\u0003\u0004', '%PDF', '\u0089PNG', '\u00D0\u00CF\u0011\u00E0', '\u001F\u008B'];

async function* decoded(bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let first = new Uint8Array();
  const decode = (piece?: Uint8Array): string => {
    try {
      return decoder?.decode(piece, { stream: piece !== undefined }) ?? '';
    } catch {
      throw new FileRefused({ kind: 'encoding' });
    }
  };
  for await (const piece of bytes) {
    if (decoder) {
      yield decode(piece);
      continue;
    }
    first = Buffer.concat([first, piece]);
    if (first.length < 4) continue;
    decoder = decoderFor(first);
    yield decode(first);
  }
  if (!decoder) {
    decoder = decoderFor(first);
    yield decode(first);
  }
  yield decode();
}

// UTF-16 without its mark is told by the zero beside the first letter, which no UTF-8 text has.
function decoderFor(first: Uint8Array): TextDecoder {
  const signature = Buffer.from(first).toString('latin1');
  if (OTHER_FILES.some((start) => signature.startsWith(start))) throw new FileRefused({ kind: 'not-csv' });
  const [a = 0, b = 0] = first;
  const little = (a === 0xff && b === 0xfe) || (first.length > 1 && a !== 0 && b === 0);
  const big = (a === 0xfe && b === 0xff) || (first.length > 1 && a === 0 && b !== 0);
  return new TextDecoder(little ? 'utf-16le' : big ? 'utf-16be' : 'utf-8', { fatal: true });
}

// So that a line is a line however it ends, inside quotes too.
async function* withOneKindOfLineBreak(texts: AsyncIterable<string>): AsyncGenerator<string, void> {
  let held = '';
  for await (const text of texts) {
    const whole = held + text;
    held = whole.endsWith('\r') ? '\r' : '';
    yield (held === '' ? whole : whole.slice(0, -1)).replace(/\r\n?/g, '\n');
  }
  if (held !== '') yield '\n';
}

/** The first line, or as much of it as a row may have, and the whole text again. */
async function lookedAhead(texts: AsyncGenerator<string, void>): Promise<{ head: string; all: AsyncIterable<string> }> {
  let head = '';
  while (!head.trimStart().includes('\n') && head.length < ROW_CHARACTERS_MAX) {
    const next = await texts.next();
    if (next.done === true) break;
    head += next.value;
  }
  async function* all(): AsyncGenerator<string> {
    yield head;
    yield* texts;
  }
  return { head, all: all() };
}

/** Whichever stands most often in the first line, outside quotes; a comma where none does. */
function delimiterOf(head: string): string {
  const [line = ''] = head.trimStart().slice(0, ROW_CHARACTERS_MAX).split('\n');
  const bare = line.replace(/"[^"]*"/g, '');
  const count = (mark: string): number => bare.split(mark).length;
  return [';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best), ',');
}
