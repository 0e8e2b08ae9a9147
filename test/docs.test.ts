import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** A line of "What always holds": number, the file that holds it, the test files and their sentences. */
interface Held {
  readonly number: string;
  readonly files: readonly string[];
  readonly tests: readonly { file: string; sentence: string }[];
}

function heldInvariants(): Held[] {
  const section = read('docs/sign-in.md').split('## What always holds')[1] ?? '';
  const rows = section.split('\n').filter((row) => /^\| I\d+ \|/.test(row));
  return rows.map((row) => {
    const [, number = '', , heldBy = '', shownBy = ''] = row.split('|').map((cell) => cell.trim());
    return {
      number,
      files: [...heldBy.matchAll(/`(src\/[^`]+|migrations\/[^`]+)`/g)].map(([, file = '']) => file),
      tests: sentencesIn(shownBy),
    };
  });
}

/** The tests that a cell names: `file`: “sentence”. */
function sentencesIn(cell: string): { file: string; sentence: string }[] {
  const all = cell.matchAll(/`(test\/[^`]+)`: “([^”]+)”/g);
  return [...all].map(([, file = '', sentence = '']) => ({ file, sentence }));
}

/** ASVS 5.0, levels 1 and 2, of authentication, session management, logging and cryptography, in order. */
const CLAUSES = [
  ...numbers('6.1', 3),
  ...numbers('6.2', 12),
  ...numbers('6.3', 4),
  ...numbers('6.4', 4),
  ...numbers('6.5', 5),
  ...numbers('6.6', 3),
  ...numbers('6.8', 4),
  ...numbers('7.1', 3),
  ...numbers('7.2', 4),
  ...numbers('7.3', 2),
  ...numbers('7.4', 5),
  ...numbers('7.5', 2),
  ...numbers('7.6', 2),
  ...numbers('16.1', 1),
  ...numbers('16.2', 5),
  ...numbers('16.3', 4),
  ...numbers('16.4', 3),
  ...numbers('16.5', 3),
  '11.2.4',
  '11.3.2',
  '11.3.3',
  '11.3.4',
  '11.4.2',
  '11.5.1',
  '13.3.1',
  '13.3.4',
];

function numbers(section: string, last: number): string[] {
  return Array.from({ length: last }, (_, index) => `${section}.${index + 1}`);
}

/** The rows of a table of clauses in docs/security.md, under a heading. */
function clausesUnder(heading: string): { clause: string; state: string; shownBy: string }[] {
  const section = read('docs/security.md').split(heading)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((row) => /^\| \d+\.\d+\.\d+ \|/.test(row));
  return rows.map((row) => {
    const [, clause = '', , state = '', shownBy = ''] = row.split('|').map((cell) => cell.trim());
    return { clause, state, shownBy };
  });
}

describe('the documents', () => {
  const held = heldInvariants();

  it('name every invariant of this release once, in order', () => {
    const due = Array.from({ length: 25 }, (_, index) => `I${index + 1}`);
    assert.deepEqual(
      held.map(({ number }) => number),
      due,
    );
  });

  for (const { number, files, tests } of held) {
    it(`say where ${number} is held, and which sentence shows it`, () => {
      assert.ok(files.length > 0 && tests.length > 0, 'a file and a sentence each');
      for (const file of files) assert.ok(existsSync(join(ROOT, file)), `${file} is not there`);
      for (const { file, sentence } of tests) {
        assert.ok(read(file).includes(sentence), `${file} has no sentence “${sentence}”`);
      }
    });
  }

  it('link to nothing that is not there', () => {
    const pages = [
      'README.md',
      'CONTRIBUTING.md',
      'SECURITY.md',
      ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
    ];
    for (const page of pages.filter((name) => name.endsWith('.md'))) {
      for (const [, link = ''] of read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
        if (/^[a-z]+:/.test(link)) continue;
        assert.ok(existsSync(join(ROOT, page, '..', link)), `${page} links to ${link}`);
      }
    }
  });
});

describe('the clauses of docs/security.md', () => {
  const due = clausesUnder('## OWASP ASVS 5.0, levels 1 and 2');

  it('are all of levels 1 and 2 that concern the doors, each once', () => {
    assert.deepEqual(
      due.map(({ clause }) => clause),
      CLAUSES,
    );
  });

  it('are met only where a file or a test shows it, and else say why they are not', () => {
    for (const { clause, state, shownBy } of [...due, ...clausesUnder('## Level 3')]) {
      assert.match(state, /^(met|not met|not applicable)$/, clause);
      assert.ok(shownBy.length >= 15, `${clause} says nothing`);
      const files = [...shownBy.matchAll(/`((?:src|docs|test)\/[^`]+)`/g)].map(([, file = '']) => file);
      assert.ok(state !== 'met' || files.length > 0, `${clause} is shown by nothing`);
      for (const file of files) assert.ok(existsSync(join(ROOT, file)), `${file} is not there`);
      for (const { file, sentence } of sentencesIn(shownBy))
        assert.ok(read(file).includes(sentence), `${file} has no sentence “${sentence}”`);
    }
  });

  it('come after the classes of attack, whose files are there', () => {
    const section = read('docs/security.md').split('## Classes of attack')[1]?.split('\n## ')[0] ?? '';
    const named = [...section.matchAll(/`([a-z-]+)`/g)].map(([, name = '']) => `${name}.test.ts`);
    const files = readdirSync(join(ROOT, 'test/attacks')).filter((file) => /^(?!matrix).*\.test\.ts$/.test(file));
    assert.deepEqual(named.toSorted(), files.toSorted());
  });
});

describe('the words that contacts read', () => {
  const source = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('words/'))
    .map((file) => read(join('src', file)))
    .join('\n');

  it('are all used: no key of the catalogue is left over', async () => {
    const { en } = await import('../src/words/en.ts');
    // A family of keys may be chosen by its last part: say(`pw.${problem}`).
    const families = [...source.matchAll(/`([a-z.-]+\.)\$\{/g)].map(([, family = '']) => family);
    const unused = Object.keys(en).filter(
      (key) =>
        !source.includes(`'${key.replace(/\.staff$/, '')}'`) &&
        !families.some((family) => key.startsWith(family) && !key.slice(family.length).includes('.')),
    );
    assert.deepEqual(unused, []);
  });

  it('are plain: none of the words that only we would use, and no sentence over 25 words', async () => {
    const { en } = await import('../src/words/en.ts');
    const banned = /\b(OTP|TOTP|2FA|token|factor|authenticate|credential|invalid|failed|seed)s?\b/i;
    for (const [key, text] of Object.entries(en)) {
      const shown = text
        .replace(/\{(\w+), (?:plural|select),[^}]*?other \{([^}]*)\}\}/g, '$2')
        .replace('multi-factor', '');
      assert.doesNotMatch(shown, banned, key);
      for (const sentence of shown.split(/[.?!]\s/))
        assert.ok(sentence.split(/\s+/).length <= 25, `${key}: ${sentence}`);
    }
  });
});
