import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, mock, test } from 'node:test';
import fc from 'fast-check';
import { DOCUMENT_KINDS } from '../../src/accounts/documents.ts';
import { openAll, QUIET } from '../../src/cli/open.ts';
import { run } from '../../src/cli/run.ts';
import { readConfig } from '../../src/config.ts';
import { sql } from '../../src/db/db.ts';
import { acme } from '../acme.ts';
import { eachEngine, testDatabase, type Engine, type TestDatabase } from '../database.ts';
import { START } from '../world.ts';

const COLUMNS = ['customer', 'customer name', 'kind', 'number', 'title', 'date', 'amount', 'currency', 'status', 'url'];
const KEYS = `fuzz:${Buffer.alloc(32, 'fuzz').toString('base64url')}`;
const anything = fc
  .oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string())
  .map((text) => text.toWellFormed());

interface Said {
  readonly exit: number;
  readonly out: string;
  readonly error: string;
}

/** A shell without a terminal: runs a command in this process, with what is piped into it. */
async function shell(words: readonly string[], input = ''): Promise<Said> {
  const said = { out: '', error: '' };
  const into = (where: keyof typeof said) => (text?: unknown) => void (said[where] += `${String(text)}\n`);
  const mocks = [
    mock.method(console, 'log', into('out')),
    mock.method(console, 'error', into('error')),
    mock.method(process.stdout, 'write', (text: string) => ((said.out += text), true)),
    mock.method(process.stderr, 'write', (text: string) => ((said.error += text), true)),
    mock.getter(process, 'stdin', () => Readable.from([Buffer.from(input)]) as unknown as typeof process.stdin),
  ];
  process.exitCode = 0;
  try {
    const exit = await run([...words], { now: () => START, demo: async () => undefined });
    return { ...said, exit };
  } finally {
    for (const { mock: mocked } of mocks) mocked.restore();
    process.exitCode = 0;
  }
}

/** Points the environment of commands at a database of its own, with Acme in it. */
function atAcme(engine: Engine): { place: () => TestDatabase } {
  let database: TestDatabase;
  let folder: string;
  before(async () => {
    database = await testDatabase(engine);
    folder = mkdtempSync(join(tmpdir(), 'sallyport-commands-'));
    const env = {
      SALLYPORT_DATA: folder,
      SALLYPORT_KEYS: KEYS,
      ...(engine === 'postgres' && { SALLYPORT_DATABASE_URL: database.place }),
    };
    Object.assign(process.env, env);
    const installation = await openAll(readConfig(), () => START, QUIET);
    await acme(installation);
    await installation.db.close();
  });
  after(async () => {
    for (const name of ['DATA', 'KEYS', 'DATABASE_URL']) delete process.env[`SALLYPORT_${name}`];
    await database.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  return { place: () => database };
}

function isSentence({ exit, error }: Said): void {
  assert.ok([0, 1, 2, 3, 4].includes(exit), `exit ${exit}`);
  assert.ok(!error.includes('Something went wrong that should not have'), error);
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(error, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/, 'an operator’s screen can be rewritten');
}

eachEngine('document import', (engine) => {
  atAcme(engine);
  const good: Record<string, fc.Arbitrary<string>> = {
    customer: fc.constant(''),
    'customer name': fc.constantFrom('Globex', 'globex', ' Initech '),
    kind: fc.constantFrom(...DOCUMENT_KINDS, 'Invoice'),
    number: fc.uuid(),
    title: fc.constantFrom('November', '=1+1', '<b>x</b>', '"quoted", with a comma'),
    date: fc.constantFrom('2026-11-24', '2028-02-29'),
    amount: fc.constantFrom('1250.00', '-3', '0.0001'),
    currency: fc.constantFrom('EUR', 'USD'),
    status: fc.constantFrom('open', 'paid'),
    url: fc.constantFrom('', 'https://pay.test/1?a=b'),
  };
  const bad = fc.oneof(
    anything,
    fc.constantFrom(
      '\0',
      'a\0b',
      'https:pay.test',
      'HTTPS://pay.test',
      'https://pay.test/\nx',
      'javascript:alert(1)',
      '2026-02-30',
      '1e3',
      'eur',
      'x'.repeat(201),
    ),
  );
  const cell = (name: string): fc.Arbitrary<string> =>
    fc.oneof({ weight: 40, arbitrary: good[name]! }, { weight: 1, arbitrary: bad });
  const row = fc.tuple(...COLUMNS.map(cell));
  const csv = fc
    .tuple(fc.constant(COLUMNS), fc.array(row, { maxLength: 3 }), fc.constantFrom('\n', '\r\n'))
    .map(([header, rows, end]) =>
      [header, ...rows].map((cells) => cells.map((one) => `"${one.replaceAll('"', '""')}"`).join(',')).join(end),
    );

  const nobodys = anything.map(
    (name) => `${COLUMNS.join()}\n"","${name.replaceAll('"', '')}\0",invoice,1,x,2026-11-24,1,EUR,open,\n`,
  );

  test('takes a file as a whole or says which line is wrong, and keeps nothing that the table cannot show', async () => {
    const tally = { imported: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ weight: 8, arbitrary: csv }, { weight: 1, arbitrary: anything }, { weight: 1, arbitrary: nobodys }),
        async (text) => {
          const said = await shell(['document', 'import', '--organization', 'acme'], text);
          isSentence(said);
          if (said.exit === 0) tally.imported++;
          else tally.refused++;
        },
      ),
      { numRuns: 150 },
    );
    assert.ok(tally.imported > 0 && tally.refused > 0, JSON.stringify(tally));
    const { db } = await openAll(readConfig(), () => START, QUIET);
    const documents = await db.all<Record<string, string | null>>(
      sql`SELECT number, title, date, amount, currency, status, url FROM documents`,
    );
    await db.close();
    for (const { number, title, date, amount, status, url } of documents) {
      for (const text of [number!, title!, status!]) assert.match(text, /^[^\p{Cc}]{1,200}$/u);
      assert.equal(new Date(date!).toISOString().slice(0, 10), date);
      assert.equal(
        typeof new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' }).format(amount! as `${number}`),
        'string',
      );
      if (typeof url === 'string')
        assert.match(
          url,
          /^https:\/\/[^\s\p{Cc}]+$/u,
          'a link that is not shown, or leads elsewhere than it was written',
        );
    }
  });
});

describe('the command line', () => {
  atAcme('sqlite');
  const commands = [
    'migrate',
    'organization create',
    'staff create',
    'customer create',
    'contact create',
    'contact show',
    'contact list',
    'mfa policy',
    'mfa reset',
    'account unlock',
    'account password',
    'audit list',
    'audit verify',
  ].map((command) => command.split(' '));
  const options = [
    'organization',
    'slug',
    'name',
    'email',
    'role',
    'customer',
    'reason',
    'limit',
    'before',
    'time-zone',
    'phone',
    'contact-details',
  ];
  const value = fc.oneof(
    anything,
    fc.constantFrom(
      'acme',
      'maria@globex.test',
      'ada@acme.test',
      'owner',
      '1',
      '-1',
      '1e9',
      'off',
      '--',
      '__proto__',
      '\u001b[2J',
    ),
  );
  // The system hands no NUL over to a program.
  const word = value.map((text) => text.replaceAll('\0', ''));
  const option = fc.oneof(
    fc.tuple(fc.constantFrom(...options), word).map(([name, text]) => [`--${name}`, text]),
    fc.constantFrom(['--json'], ['--yes'], ['--staff'], ['--password-stdin'], ['--help'], ['--nonsense']),
  );
  // Most name the organization, or nothing would get as far as it.
  const asked = fc.tuple(fc.constantFrom(...commands), fc.boolean(), fc.array(option, { maxLength: 5 }));
  const words = fc.oneof(
    {
      weight: 9,
      arbitrary: asked.map(([command, acmes, rest]) => [
        ...command,
        ...rest.flat(),
        ...(acmes ? ['--organization', 'acme'] : []),
      ]),
    },
    {
      weight: 1,
      arbitrary: fc.array(word, { maxLength: 4 }).filter(([name = '']) => !['serve', 'demo', 'doctor'].includes(name)),
    },
  );

  test('does what it was told or says in a sentence why not, whatever words it is given', async () => {
    const exits = new Set<number>();
    await fc.assert(
      fc.asyncProperty(words, anything, async (given, input) => {
        const said = await shell(given, input);
        isSentence(said);
        exits.add(said.exit);
        if (given.includes('--json') && said.exit === 0 && !given.includes('--help')) JSON.parse(said.out);
      }),
      {
        numRuns: 300,
        examples: [
          [['audit', 'list', '--organization', 'acme'], ''],
          [['audit', 'list', '--nonsense'], ''],
          [['audit', 'list', '--organization', 'nobody'], ''],
        ],
      },
    );
    assert.ok(exits.has(0) && exits.has(2) && exits.has(3), `nothing but ${[...exits].join()}`);
  });
});
