import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachEngine } from '../world.ts';
import { sentences } from './checker.ts';
import { killInTheMiddle } from './killed.ts';

const SIGN_INS = 200;

eachEngine('200 sign-ins in whose middle the server is killed', (engine) => {
  test('leave every acknowledged session, used code and audit row, and no code works twice', async (t) => {
    const killed = await killInTheMiddle(engine, SIGN_INS, [40, 90, 140]);
    assert.equal(killed.letIn, SIGN_INS);
    const statuses = new Set(killed.failures.map(({ status }) => status));
    assert.deepEqual([...statuses], [0], 'nothing but connections that broke');
    assert.equal(killed.enteredAgain, SIGN_INS, 'every code was entered again within its window');
    assert.equal(killed.workedAgain, 0, 'no code worked a second time');
    t.diagnostic(`${killed.failures.length} requests without an answer, ${killed.enteredAgain} codes entered again`);
    assert.deepEqual(sentences(killed.findings), []);
  });
});
