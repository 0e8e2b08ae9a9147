import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BOUNDS, chanceOf, guessPasswords, lockOut, play, type Strategy } from './attacker.ts';

/** How many guesses the server looks at within any year. What the chances in docs/sign-in.md stand on. */
const LOOKED_AT: Readonly<Record<Strategy, number>> = {
  'as fast as the waits allow': 20,
  'codes of the app and backup codes by turns': 20,
  'three challenges at once, 15 codes in parallel': 20,
  'all from one address': 20,
  'while support ends every wait': 50,
  'while Maria signs in all the time': 50,
  'for a year, just under the cap of each window': 638,
  'the same, with one more window saved up before': 686,
};

describe('a thief of the password who guesses the second factor', () => {
  for (const [strategy, lookedAt] of Object.entries(LOOKED_AT) as [Strategy, number][])
    test(`${strategy}, is looked at ${lookedAt} times in a year`, async () => {
      const { totp, backupCodes, inWorstYear } = await play(strategy);
      assert.equal(inWorstYear, lookedAt);
      assert.ok(chanceOf(Math.min(totp, inWorstYear), backupCodes) <= BOUNDS[strategy]);
    });
});

describe('somebody without the password', () => {
  test('tries fifty an hour from each address, and moves no count of the second factor (I21)', async () => {
    assert.deepEqual(await guessPasswords(1, 2), { tried: 100, codesCounted: 0 });
    assert.deepEqual(await guessPasswords(10, 1), { tried: 500, codesCounted: 0 });
  });

  test('keeps Maria out nowhere but at the own address, and has her wait 30 s after a slip elsewhere (I21)', async () => {
    assert.deepEqual(await lockOut(4), {
      atHomeMs: 0,
      elsewhereMs: 0,
      elsewhereAfterASlipMs: 30_000,
      atTheirAddressMs: 600_000,
    });
  });
});
