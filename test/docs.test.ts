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
    const tests = [...shownBy.matchAll(/`(test\/[^`]+)`: “([^”]+)”/g)];
    return {
      number,
      files: [...heldBy.matchAll(/`(src\/[^`]+|migrations\/[^`]+)`/g)].map(([, file = '']) => file),
      tests: tests.map(([, file = '', sentence = '']) => ({ file, sentence })),
    };
  });
}

describe('the documents', () => {
  const held = heldInvariants();

  it('name every invariant of this release once, in order', () => {
    const due = Array.from({ length: 23 }, (_, index) => `I${index + 1}`);
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
