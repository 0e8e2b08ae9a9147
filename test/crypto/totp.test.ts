import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { encodeBase32 } from '../../src/crypto/base32.ts';
import { matchingSteps, stepStart, timeStep, totpCode } from '../../src/crypto/totp.ts';

test('the codes of RFC 4226 appendix D', () => {
  const secret = Buffer.from('12345678901234567890');
  const codes = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ');
  assert.deepEqual(
    codes.map((_, counter) => totpCode(secret, counter)),
    codes,
  );
});

test('the codes of RFC 6238 appendix B', () => {
  const secret = Buffer.from('12345678901234567890');
  const codes: [seconds: number, code: string][] = [
    [59, '94287082'],
    [1111111109, '07081804'],
    [1111111111, '14050471'],
    [1234567890, '89005924'],
    [2000000000, '69279037'],
    [20000000000, '65353130'],
  ];
  for (const [seconds, code] of codes) assert.equal(totpCode(secret, timeStep(seconds * 1000), 8), code);
});

test('a time step is 30 seconds long and begins where it says', () => {
  assert.equal(timeStep(0), 0);
  assert.equal(timeStep(29_999), 0);
  assert.equal(timeStep(30_000), 1);
  assert.equal(stepStart(timeStep(1_764_000_012_345)), 1_764_000_000_000);
});

test('a code is found in each step of the window, and in none outside it', () => {
  const secret = randomBytes(20);
  for (const step of [9, 10, 11]) {
    const found = matchingSteps(secret, totpCode(secret, step), 9, 11);
    assert.ok(found.includes(step));
  }
  const outside = [8, 12].filter(
    (step) => ![9, 10, 11].some((inside) => totpCode(secret, inside) === totpCode(secret, step)),
  );
  for (const step of outside) assert.deepEqual(matchingSteps(secret, totpCode(secret, step), 9, 11), []);
});

test('a code of another length matches nothing', () => {
  const secret = randomBytes(20);
  const code = totpCode(secret, 10);
  for (const typed of ['', code.slice(1), `${code}0`, `0${code}`, ` ${code}`]) {
    assert.deepEqual(matchingSteps(secret, typed, 10, 10), []);
  }
});

test('oathtool agrees on 1,000 random secrets and times', async () => {
  const run = promisify(execFile);
  const program = process.env['TEST_OATHTOOL'] ?? 'oathtool';
  const cases = Array.from({ length: 1000 }, () => ({ secret: randomBytes(20), seconds: randomInt(0, 2 ** 32) }));
  const next = cases.values();
  let agreed = 0;
  const workers = Array.from({ length: 8 }, async () => {
    for (const { secret, seconds } of next) {
      const args = ['--totp', '--base32', '--now', `@${seconds}`, encodeBase32(secret)];
      const { stdout } = await run(program, args);
      assert.equal(totpCode(secret, timeStep(seconds * 1000)), stdout.trim(), `${encodeBase32(secret)} at ${seconds}`);
      agreed++;
    }
  });
  await Promise.all(workers);
  assert.equal(agreed, 1000);
});
