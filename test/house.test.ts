import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const IMPORTS = 'eslint(no-restricted-imports)';
const PROPERTIES = 'eslint(no-restricted-properties)';

/** A file nobody should write, and the rule that names it. */
const FORBIDDEN: [sentence: string, file: string, text: string, rule: string][] = [
  ['crypto imports something of ours', 'src/crypto/a.ts', uses('../db/db.ts'), IMPORTS],
  ['crypto imports a library', 'src/crypto/b.ts', uses('pino'), IMPORTS],
  ['db imports something of ours', 'src/db/a.ts', uses('../crypto/seal.ts'), IMPORTS],
  ['db imports a library that is no driver', 'src/db/b.ts', uses('zod'), IMPORTS],
  ['pg is imported in db, but not in postgres.ts', 'src/db/c.ts', uses('pg'), IMPORTS],
  ['node:sqlite is imported in db, but not in sqlite.ts', 'src/db/d.ts', uses('node:sqlite'), IMPORTS],
  ['postgres.ts imports node:sqlite', 'src/db/postgres.ts', uses('node:sqlite'), IMPORTS],
  ['sqlite.ts imports pg', 'src/db/sqlite.ts', uses('pg'), IMPORTS],
  ['the composition root imports a driver', 'src/a.ts', uses('node:sqlite'), IMPORTS],
  ['main imports a driver', 'src/main.ts', uses('pg'), IMPORTS],
  ['accounts imports auth', 'src/accounts/a.ts', uses('../auth/sessions.ts'), IMPORTS],
  ['accounts imports a driver of ours', 'src/accounts/b.ts', uses('../db/sqlite.ts'), IMPORTS],
  ['accounts speaks HTTP', 'src/accounts/c.ts', uses('hono'), IMPORTS],
  ['auth imports web', 'src/auth/a.ts', uses('../web/cookies.ts'), IMPORTS],
  ['auth imports the configuration', 'src/auth/b.ts', uses('../config.ts'), IMPORTS],
  ['auth imports a driver', 'src/auth/c.ts', uses('pg'), IMPORTS],
  ['auth imports a driver of ours', 'src/auth/d.ts', uses('../db/postgres.ts'), IMPORTS],
  ['auth speaks HTTP', 'src/auth/e.ts', uses('hono/html'), IMPORTS],
  ['auth reads files', 'src/auth/f.ts', uses('node:fs/promises'), IMPORTS],
  ['auth imports a surface', 'src/auth/g.ts', uses('../portal/verify.ts'), IMPORTS],
  ['a factor imports a surface', 'src/auth/factors/a.ts', uses('../../portal/verify.ts'), IMPORTS],
  ['a factor speaks HTTP', 'src/auth/factors/b.ts', uses('hono'), IMPORTS],
  ['jobs imports a surface', 'src/jobs/a.ts', uses('../admin/routes.ts'), IMPORTS],
  ['jobs speaks HTTP', 'src/jobs/b.ts', uses('hono'), IMPORTS],
  ['jobs imports a driver', 'src/jobs/c.ts', uses('pg'), IMPORTS],
  ['mail imports a surface', 'src/mail/a.ts', uses('../admin/routes.ts'), IMPORTS],
  ['mail imports auth', 'src/mail/b.ts', uses('../auth/sessions.ts'), IMPORTS],
  ['mail opens sockets of its own', 'src/mail/c.ts', uses('node:net'), IMPORTS],
  ['auth sends mail', 'src/auth/sends.ts', uses('../mail/sender.ts'), IMPORTS],
  ['words imports something of ours', 'src/words/a.ts', uses('../web/forms.ts'), IMPORTS],
  ['web imports a surface', 'src/web/a.ts', uses('../portal/routes.ts'), IMPORTS],
  ['web imports the door', 'src/web/b.ts', uses('../door/verify.ts'), IMPORTS],
  ['web imports a factor', 'src/web/c.ts', uses('../auth/factors/totp.ts'), IMPORTS],
  ['web starts a session', 'src/web/d.ts', starts(), IMPORTS],
  ['what runs in the browser imports the server', 'src/web/assets/a.ts', uses('../forms.ts'), IMPORTS],
  ['door imports a surface', 'src/door/a.ts', uses('../portal/home.ts'), IMPORTS],
  ['door imports the database', 'src/door/b.ts', uses('../db/db.ts'), IMPORTS],
  ['door imports a factor', 'src/door/c.ts', uses('../auth/factors/totp.ts'), IMPORTS],
  ['door starts a session', 'src/door/d.ts', starts(), IMPORTS],
  ['portal imports admin', 'src/portal/a.ts', uses('../admin/routes.ts'), IMPORTS],
  ['portal imports a factor', 'src/portal/b.ts', uses('../auth/factors/totp.ts'), IMPORTS],
  ['portal imports the database', 'src/portal/c.ts', uses('../db/db.ts'), IMPORTS],
  ['portal starts a session', 'src/portal/d.ts', starts(), IMPORTS],
  ['portal imports a driver', 'src/portal/e.ts', uses('pg'), IMPORTS],
  ['portal loads admin late', 'src/portal/f.ts', loads('../admin/routes.ts'), IMPORTS],
  ['admin imports portal', 'src/admin/a.ts', uses('../portal/routes.ts'), IMPORTS],
  ['admin imports a factor', 'src/admin/b.ts', uses('../auth/factors/totp.ts'), IMPORTS],
  ['admin imports the database', 'src/admin/c.ts', uses('../db/db.ts'), IMPORTS],
  ['admin starts a session', 'src/admin/d.ts', starts(), IMPORTS],
  ['api imports portal', 'src/api/a.ts', uses('../portal/routes.ts'), IMPORTS],
  ['cli imports a surface', 'src/cli/a.ts', uses('../admin/routes.ts'), IMPORTS],
  ['cli imports web', 'src/cli/b.ts', uses('../web/layout.ts'), IMPORTS],
  ['cli starts a session', 'src/cli/c.ts', starts(), IMPORTS],
  ['the composition root imports the demo', 'src/b.ts', uses('./demo/world.ts'), IMPORTS],
  ['the composition root loads the demo late', 'src/c.ts', loads('./demo/world.ts'), IMPORTS],
  ['portal imports the demo', 'src/portal/g.ts', uses('../demo/world.ts'), IMPORTS],
  ['cli imports the demo', 'src/cli/d.ts', uses('../demo/world.ts'), IMPORTS],
  ['the clock is read', 'src/auth/h.ts', 'export const now = Date.now();', PROPERTIES],
  ['the clock is read by its new name', 'src/auth/i.ts', 'export const now = Temporal.Now;', PROPERTIES],
  ['the clock is read out of the configuration', 'src/config.ts', 'export const now = Date.now();', PROPERTIES],
  ['chance is guessable', 'src/crypto/c.ts', 'export const chance = Math.random();', PROPERTIES],
  ['the environment is read', 'src/app.ts', "export const port = process.env['PORT'];", PROPERTIES],
  ['something is exported as default', 'src/d.ts', 'export default 1;', 'import(no-default-export)'],
  [
    'two files import each other',
    'src/e.ts',
    "import { f } from './f.ts';\nexport const e = () => f;",
    'import(no-cycle)',
  ],
  [
    'two files import each other',
    'src/f.ts',
    "import { e } from './e.ts';\nexport const f = () => e;",
    'import(no-cycle)',
  ],
  [
    'a promise floats',
    'src/g.ts',
    'export const g = () => { Promise.resolve(1); };',
    'typescript(no-floating-promises)',
  ],
  ['a switch forgets a case', 'src/h.ts', forgetful(), 'typescript(switch-exhaustiveness-check)'],
  ['something is printed past the log', 'src/auth/j.ts', "console.log('Maria');", 'eslint(no-console)'],
  ['a name is in camel case', 'src/signIn.ts', 'export const i = 1;', 'unicorn(filename-case)'],
  ['a file has 301 lines', 'src/i.ts', '// A line.\n'.repeat(301), 'eslint(max-lines)'],
  ['a function has 61 lines', 'src/j.ts', longFunction(61), 'eslint(max-lines-per-function)'],
];

/** What every row of the table allows, so that a rule which forbids everything is noticed too. */
const ALLOWED: [file: string, ...imports: string[]][] = [
  ['src/crypto/ok.ts', 'node:crypto', '@node-rs/argon2', './base32.ts'],
  ['src/db/ok.ts', './db.ts', 'node:fs/promises'],
  ['src/accounts/ok.ts', '../db/db.ts', '../crypto/tokens.ts', './contacts.ts'],
  ['src/auth/ok.ts', '../db/db.ts', '../crypto/seal.ts', '../accounts/contacts.ts', './factors/index.ts'],
  ['src/auth/factors/ok.ts', '../limits.ts', './factor.ts', '../../db/db.ts', '../../crypto/totp.ts'],
  ['src/web/ok.ts', '../auth/sessions.ts', '../accounts/contacts.ts', '../words/en.ts', 'hono', './forms.ts'],
  ['src/door/ok.ts', '../web/forms.ts', '../auth/sign-in.ts', '../accounts/contacts.ts', '../words/en.ts'],
  ['src/portal/ok.ts', '../web/forms.ts', '../door/verify.ts', '../auth/sessions.ts', '../words/en.ts', 'hono/html'],
  ['src/admin/ok.ts', '../web/forms.ts', '../door/verify.ts', '../auth/recovery.ts', '../accounts/customers.ts'],
  ['src/cli/ok.ts', '../auth/recovery.ts', '../accounts/staff.ts', '../db/migrate.ts', '../config.ts', '../app.ts'],
  ['src/ok.ts', './portal/routes.ts', './admin/routes.ts', './db/sqlite.ts'],
];

describe('the house', () => {
  const found = new Map<string, string[]>();
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-house-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  before(() => {
    for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json'])
      cpSync(join(ROOT, name), join(folder, name));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
    for (const [, file, text] of FORBIDDEN) plant(folder, file, text);
    for (const [file, ...imports] of ALLOWED) plant(folder, file, uses(...imports));
    for (const finding of lint(folder)) found.set(finding.file, [...(found.get(finding.file) ?? []), finding.rule]);
  });

  for (const [sentence, file, , rule] of FORBIDDEN)
    test(`lint fails when ${sentence} (${file})`, () =>
      assert.ok(found.get(file)?.includes(rule), found.get(file)?.join(', ') ?? 'nothing was found'));

  for (const [file, ...imports] of ALLOWED)
    test(`${file} may import ${imports.join(', ')}`, () => assert.ok(!found.get(file)?.includes(IMPORTS)));

  test('what lint cannot say is found in the text', () => {
    assert.deepEqual(faults('src/auth/sign-in.ts', 'const now = new Date( );'), ['reads the clock']);
    assert.deepEqual(faults('src/auth/sign-in.ts', 'const day = new Date(now);'), []);
    assert.deepEqual(faults('src/main.ts', "new Date(); await import('./demo/demo.ts');"), []);
    assert.deepEqual(faults('src/app.ts', "const { demo } = await import('./later.ts');"), ['imports late']);
    assert.deepEqual(faults('src/cli/run.ts', "await import('./serve.ts');"), []);
    assert.deepEqual(faults('src/cli/run.ts', "await import('../demo/demo.ts');"), ['imports late']);
    assert.deepEqual(faults('src/main.ts', "import { demo } from './demo/demo.ts';"), [
      'loads the demo at every start',
    ]);
    assert.deepEqual(faults('src/app.ts', "import { env } from 'node:process';"), ['reads the environment']);
    for (const name of ['src/utils.ts', 'src/web/helpers.ts', 'src/auth/types.ts', 'src/common/x.ts', 'test/util.ts'])
      assert.deepEqual(faults(name, ''), ['has a name that says nothing'], name);
  });

  test('no file of ours has such a fault', () => {
    const faulty = ['src', 'test', 'bench', 'bin']
      .flatMap(files)
      .map((file) => ({ file, faults: faults(file, read(file)) }));
    assert.deepEqual(
      faulty.filter((one) => one.faults.length > 0),
      [],
    );
  });

  test('every folder of src has its row among the rules', () => {
    const rows = read('.oxlintrc.json');
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.deepEqual(
      folders.map((entry) => entry.name).filter((name) => !rows.includes(`"src/${name}/**"`)),
      [],
    );
  });

  test('every dependency is accounted for in a decision record', () => {
    const records = readdirSync(join(ROOT, 'docs/decisions'))
      .map((name) => read(`docs/decisions/${name}`))
      .join('\n');
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    const names = Object.keys({ ...dependencies, ...devDependencies });
    assert.deepEqual(
      names.filter((name) => !records.includes(`\`${name}\``)),
      [],
    );
  });
});

const OWN_COMMAND = /\bimport\('\.\/[a-z]+\.ts'\)/g;

/** What a file's name or text has against it that no lint rule expresses. */
function faults(file: string, text: string): string[] {
  const product = file.startsWith('src/');
  const main = file === 'src/main.ts';
  const commands = file === 'src/cli/run.ts';
  const checks: [string, boolean][] = [
    ['has a name that says nothing', /(^|\/)(utils?|helpers?|types|common)(\.|\/)/.test(file)],
    ['reads the clock', product && !main && /\bnew Date\(\s*\)/.test(text)],
    // The command line loads its commands as they are said; what lies outside its folder comes by the rules of lint.
    ['imports late', product && !main && /\bimport\(/.test(commands ? text.replaceAll(OWN_COMMAND, '') : text)],
    ['loads the demo at every start', main && /\bfrom '\.\/demo\//.test(text)],
    ['reads the environment', product && /'node:process'/.test(text)],
  ];
  return checks.filter(([, faulty]) => faulty).map(([fault]) => fault);
}

function lint(folder: string): { file: string; rule: string }[] {
  const oxlint = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const run = spawnSync(process.execPath, [oxlint, '--format=json'], { cwd: folder, encoding: 'utf8' });
  const { diagnostics } = JSON.parse(run.stdout) as { diagnostics: { code: string; filename: string }[] };
  return diagnostics.map(({ code, filename }) => ({ file: filename.replaceAll('\\', '/'), rule: code }));
}

function plant(folder: string, file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

function files(folder: string): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length).replaceAll('\\', '/'))
    .filter((file) => file !== 'test/house.test.ts');
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function uses(...modules: string[]): string {
  return modules
    .map((module, i) => `import { thing as m${i} } from '${module}';\nexport const n${i} = m${i};\n`)
    .join('');
}

function loads(module: string): string {
  return `export const late = () => import('${module}');\n`;
}

function starts(): string {
  return "import { startSession } from '../auth/sessions.ts';\nexport const start = startSession;\n";
}

function forgetful(): string {
  return "export function h(x: 'a' | 'b'): number { switch (x) { case 'a': return 1; } return 2; }\n";
}

function longFunction(lines: number): string {
  return `export function long(): void {\n${'  // A line.\n'.repeat(lines - 2)}}\n`;
}
