import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readForm, RequestRefused } from '../../src/web/forms.ts';

const TYPE = 'application/x-www-form-urlencoded';
const FIELDS = ['email', 'password'] as const;

function refused(status: number, body: string, type: string | undefined = TYPE): void {
  const isRefused = (fault: unknown): boolean => fault instanceof RequestRefused && fault.status === status;
  assert.throws(() => readForm(type, body, FIELDS), isRefused, body);
}

test('a form is read as browsers send it', () => {
  const read = { email: 'maria@globex.test', password: 'a b+c&d=e é' };
  assert.deepEqual(readForm(TYPE, new URLSearchParams(read).toString(), FIELDS), read);
  assert.deepEqual(readForm(`${TYPE}; charset=UTF-8`, 'email=a%20b', FIELDS), { email: 'a b', password: '' });
  assert.deepEqual(readForm(`${TYPE};charset=utf-8`, 'password', FIELDS), { email: '', password: '' });
});

test('a field that is missing reads as empty', () => {
  assert.deepEqual(readForm(TYPE, '', FIELDS), { email: '', password: '' });
});

test('whatever people type goes through unharmed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (email, password) => {
      fc.pre(!`${email}${password}`.includes('\0'));
      assert.deepEqual(readForm(TYPE, new URLSearchParams({ email, password }).toString(), FIELDS), {
        email,
        password,
      });
    }),
  );
});

test('a field that does not belong to the form is refused, so that no form names its own subject (I13)', () => {
  for (const body of [
    'email=a&account=b',
    'email=a&Email=b',
    'email[]=a',
    'email.x=a',
    '=a',
    '__proto__=a',
    'constructor=a',
    'email=a&&',
    '&',
  ]) {
    refused(400, body);
  }
});

test('a field that comes twice is refused', () => {
  refused(400, 'email=a&email=b');
  refused(400, 'email=a&%65mail=a');
});

test('NUL and broken UTF-8 are refused', () => {
  for (const body of ['email=a%00b', 'email=%ff', 'email=%e2%82', 'email=%', 'email=%zz', '%00=a']) refused(400, body);
});

test('another content type is refused, however it is written', () => {
  const types = [
    'application/json',
    'multipart/form-data',
    'text/plain',
    '',
    `${TYPE}x`,
    `${TYPE}; charset=utf-16`,
    `${TYPE}, text/html`,
  ];
  for (const type of types) refused(415, 'email=a', type);
  assert.throws(() => readForm(undefined, 'email=a', FIELDS), { status: 415 });
});

test('a refusal never repeats what was typed', () => {
  const bodies = ['secret-field=a', 'password=hunter2&password=hunter3', 'password=hunter2%00', 'email=hunter2%ff'];
  for (const body of bodies) {
    assert.throws(
      () => readForm(TYPE, body, FIELDS),
      (fault) => fault instanceof RequestRefused && !/hunter|secret-field/.test(fault.message),
    );
  }
});
