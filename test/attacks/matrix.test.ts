import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROUTES } from '../../src/app.ts';
import { ENTRY_POINTS } from './entry-points.ts';
import { ALL_CLASSES } from './matrix.ts';
import { nameOf } from './siege.ts';

const read = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8');

describe('the matrix of attacks', () => {
  test('knows every route, each at one entry point: a new one is decided before it lands', () => {
    const named = Object.values(ENTRY_POINTS).flat();
    assert.deepEqual(named.toSorted(), ROUTES.map(nameOf).toSorted());
  });

  test('has the classes that this product must refuse, each once', () => {
    assert.equal(ALL_CLASSES.length, 33);
    assert.equal(new Set(ALL_CLASSES.map(({ name }) => name)).size, ALL_CLASSES.length);
    for (const { name, clauses } of ALL_CLASSES) assert.match(clauses, /\d/, name);
  });

  for (const { name, cells } of ALL_CLASSES)
    test(`says of ${name}, for each entry point once, which sentences attack it or why there is none`, () => {
      assert.deepEqual(cells.flatMap(({ at }) => at).toSorted(), Object.keys(ENTRY_POINTS).toSorted());
      for (const cell of cells) {
        if ('why' in cell) {
          assert.ok(cell.why.length > 15, cell.at.join());
          continue;
        }
        assert.ok(cell.tests.length > 0, cell.at.join());
        for (const one of cell.tests) {
          const [, file = '', sentence = ''] = /^(\S+): (.+)$/.exec(one) ?? [];
          assert.ok(existsSync(join(import.meta.dirname, file)), `${file} is not there`);
          assert.ok(read(file).includes(sentence), `${file} has no sentence “${sentence}”`);
        }
      }
    });

  test('names every file of the suite', () => {
    const named = JSON.stringify(ALL_CLASSES);
    const files = readdirSync(import.meta.dirname).filter((file) => /^(?!matrix).*\.test\.ts$/.test(file));
    assert.deepEqual(
      files.filter((file) => !named.includes(`"${file}: `)),
      [],
    );
  });
});
