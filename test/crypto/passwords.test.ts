import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BACKUP_CODE_COST,
  hashBackupCode,
  hashPassword,
  isOutdated,
  PASSWORD_COST,
  randomSalt,
  verifyPassword,
} from '../../src/crypto/passwords.ts';

const CHEAP = { memoryKiB: 64, passes: 1 };

test('a password is hashed with argon2id at the cost that OWASP names', async () => {
  assert.deepEqual(PASSWORD_COST, { memoryKiB: 19_456, passes: 2 });
  assert.match(await hashPassword('correct horse', PASSWORD_COST), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.deepEqual(BACKUP_CODE_COST, { memoryKiB: 8_192, passes: 1 });
});

test('a password has its own hash each time, and only itself fits', async () => {
  const [one, two] = [await hashPassword('correct horse', CHEAP), await hashPassword('correct horse', CHEAP)];
  assert.notEqual(one, two);
  assert.equal(await verifyPassword(one, 'correct horse'), true);
  assert.equal(await verifyPassword(two, 'correct horse'), true);
  for (const wrong of ['', 'correct horse ', 'Correct horse', 'correct\0horse', 'correct horse\0']) {
    assert.equal(await verifyPassword(one, wrong), false, JSON.stringify(wrong));
  }
});

test('a password typed on another keyboard is the same password', async () => {
  const composed = await hashPassword('café ﬁne', CHEAP);
  assert.equal(await verifyPassword(composed, 'cafe\u0301 fine'), true);
});

test('a hash made at another cost is due for a new one', async () => {
  const argon2 = await hashPassword('correct horse', CHEAP);
  assert.equal(isOutdated(argon2, CHEAP), false);
  assert.equal(isOutdated(argon2, { memoryKiB: 65, passes: 1 }), true);
  assert.equal(isOutdated(argon2, { memoryKiB: 64, passes: 2 }), true);
});

test('backup codes of one set share its salt, and other salts give other hashes', async () => {
  const salt = randomSalt();
  const hash = await hashBackupCode('123456789012', salt, CHEAP);
  assert.deepEqual(await hashBackupCode('123456789012', salt, CHEAP), hash);
  assert.notDeepEqual(await hashBackupCode('123456789013', salt, CHEAP), hash);
  assert.notDeepEqual(await hashBackupCode('123456789012', randomSalt(), CHEAP), hash);
  assert.equal(hash.length, 32);
});
