import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { csvText } from '../../src/import/csv-text.ts';
import { FileRefused, readRecords, type CsvRecord, type FileProblem } from '../../src/import/records.ts';

async function read(file: string | Uint8Array, pieceBytes = 7): Promise<CsvRecord[]> {
  const bytes = typeof file === 'string' ? Buffer.from(file) : file;
  const cut = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, at) =>
    bytes.subarray(at * pieceBytes, (at + 1) * pieceBytes),
  );
  return Array.fromAsync(readRecords(cut));
}

async function refusal(file: string | Uint8Array, pieceBytes?: number): Promise<FileProblem> {
  const fault: unknown = await read(file, pieceBytes).then(
    () => assert.fail('the file was read'),
    (thrown: unknown) => thrown,
  );
  assert.ok(fault instanceof FileRefused, String(fault));
  return fault.problem;
}

const PEOPLE = 'email,name\nmaria@globex.test,"Silva, Maria"\nnoor@globex.test,Noor Haddad – ☂\n';
const READ = [
  { line: 1, cells: ['email', 'name'] },
  { line: 2, cells: ['maria@globex.test', 'Silva, Maria'] },
  { line: 3, cells: ['noor@globex.test', 'Noor Haddad – ☂'] },
];

function utf16(text: string, bigEndian = false): Buffer {
  const bytes = Buffer.from(text, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
}

describe('a CSV file', () => {
  const forms: Record<string, string | Uint8Array> = {
    'UTF-8': PEOPLE,
    'UTF-8 with a mark': `\uFEFF${PEOPLE}`,
    'UTF-16 as Excel writes it': utf16(`\uFEFF${PEOPLE}`),
    'UTF-16 the other way round': utf16(`\uFEFF${PEOPLE}`, true),
    'UTF-16 without a mark': utf16(PEOPLE),
    'UTF-16 the other way round without a mark': utf16(PEOPLE, true),
    'lines as Windows ends them': PEOPLE.replaceAll('\n', '\r\n'),
    'lines as old Macs end them': PEOPLE.replaceAll('\n', '\r'),
    'no end of its last line': PEOPLE.trimEnd(),
  };
  for (const [form, file] of Object.entries(forms)) {
    test(`is read with ${form}, however it arrives`, async () => {
      for (const pieceBytes of [1, 2, 3, 5, 10_000]) assert.deepEqual(await read(file, pieceBytes), READ);
    });
  }

  test('may have semicolons or tabs between its cells', async () => {
    for (const mark of [';', '\t']) {
      const file = `email${mark}name\nmaria@globex.test${mark}"Silva${mark} Maria, of Globex"\n`;
      assert.deepEqual((await read(file))[1]?.cells, ['maria@globex.test', `Silva${mark} Maria, of Globex`]);
    }
    assert.deepEqual((await read('"a, b, c";email\n1;2\n'))[0]?.cells, ['a, b, c', 'email']);
  });

  test('tells each row by the line on which it begins, whatever its cells hold', async () => {
    const file =
      'email,name\r\n\r\na@b.test,"one\r\ntwo\r\n\r\nfour"\r\n\r\nc@d.test,"say ""hello"""\r\ne@f.test,"x\ny"';
    assert.deepEqual(
      (await read(file)).map(({ line }) => line),
      [1, 3, 8, 9],
    );
  });

  test('that is none is told so', async () => {
    for (const [name, start] of Object.entries({
      xlsx: 'PK\u0003\u0004',
      pdf: '%PDF-1.7',
      png: '\u0089PNG',
      xls: '\u00D0\u00CF\u0011\u00E0',
    }))
      assert.deepEqual(await refusal(Buffer.from(`${start}email,name`, 'latin1')), { kind: 'not-csv' }, name);
    assert.deepEqual(await refusal(Buffer.from('email,name\nJos\u00E9', 'latin1')), { kind: 'encoding' });
    assert.deepEqual(await refusal(Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x41])), { kind: 'encoding' });
  });

  test('with a quote out of place is told so, with the line', async () => {
    const cases: [string, number, RegExp][] = [
      ['email\n"maria@globex.test\n\n', 2, /never closed/],
      ['email,name\na@b.test,5" nails\n', 2, /middle of a cell/],
      ['email,name\na@b.test,x\nc@d.test,"x"y\n', 3, /closing quote/],
    ];
    for (const [file, line, why] of cases) {
      const problem = await refusal(file);
      assert.ok(problem.kind === 'not-csv');
      assert.match(problem.why ?? '', why);
      assert.ok(Math.abs((problem.line ?? 0) - line) <= 1, `${file}: line ${problem.line}`);
    }
  });

  test('with one cell of ten megabytes is given up at the first of them', async () => {
    const before = process.memoryUsage().rss;
    for (const cell of ['x'.repeat(10_000_000), `"${'x'.repeat(10_000_000)}"`]) {
      const problem = await refusal(`email\n${cell}\n`, 64 * 1024);
      assert.ok(problem.kind === 'not-csv' && /longer/.test(problem.why ?? ''));
    }
    assert.ok(process.memoryUsage().rss - before < 150 * 2 ** 20);
  });

  test('of any bytes is read or refused, and nothing else', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .string({ unit: fc.constantFrom('"', ',', ';', '\n', '\r', '\t', 'a', '\0', '\u00e9', "'"), maxLength: 60 })
        .map((text) => Buffer.from(text)),
      fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a'), maxLength: 40 }).map((text) => utf16(text)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 50 }), async (file, pieceBytes) => {
        try {
          for (const { line, cells } of await read(file, pieceBytes)) assert.ok(line > 0 && cells.length > 0);
        } catch (fault) {
          assert.ok(fault instanceof FileRefused, String(fault));
        }
      }),
      { numRuns: 500 },
    );
  });
});

function escaped(text: string): string {
  return /^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? `'${text}` : text;
}

describe('a file that we write', () => {
  test('is read again as it was, but for what a spreadsheet would run', async () => {
    const cell = fc
      .string({ unit: 'grapheme', maxLength: 20 })
      .map((text) => text.toWellFormed().replace(/\r\n?/g, '\n'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
        async (rows) => {
          const records = await read(csvText(rows), 64);
          assert.deepEqual(
            records.map(({ cells }) => cells),
            rows.map((row) => row.map(escaped)),
          );
        },
      ),
    );
  });
});
