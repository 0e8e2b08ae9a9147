import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { offer } from '../../src/auth/enrolment.ts';
import { closeCopy, closeRestored, markAsCopy } from '../../src/auth/restored.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { makeWelcomeLink } from '../../src/auth/welcome.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import { sql } from '../../src/db/db.ts';
import { acme, answers, challenged, found, home, signsIn, type Acme, type Enrolled } from '../acme.ts';
import { eachEngine, openWorld, START, type Engine, type World } from '../world.ts';

const KEEP = { revokeBackupCodes: false };

/** Acme as a copy of a moment ago knows it: of the code by which Maria has signed in since, it knows nothing. */
async function putBack(
  engine: Engine,
): Promise<{ world: World; people: Acme & Enrolled; used: string; session: string }> {
  const world = await openWorld(engine);
  const people = await world.acmeWithMfa();
  const before = await world.db.one<{ step: number }>(sql`SELECT last_step AS step FROM authenticators`);
  await world.db.transaction((tx) => markAsCopy(tx, world.clock.now));
  const used = world.codeFor(people.secret);
  const answered = await answers(world.installation, await challenged(world.installation, people.maria), used);
  assert.ok(answered.kind === 'right' && before);
  await world.change(sql`UPDATE authenticators SET last_step = ${before.step}`);
  return { world, people, used, session: answered.bought.cookie };
}

const restorations = async (world: World): Promise<unknown[]> =>
  (await world.db.all(sql`SELECT actor_kind, details FROM audit_rows WHERE action = 'database.restored'`)).map(
    ({ actor_kind: by, details }) => [by, JSON.parse(String(details)) as unknown],
  );

eachEngine('a restored database', (engine) => {
  test('accepts no code that was used after the copy was made, and says when one comes that could not have been', async () => {
    const { world, people, used } = await putBack(engine);
    await using _ = world;
    await closeCopy(world.installation);
    const challenge = await challenged(world.installation, people.maria);
    const refused = await answers(world.installation, challenge, used);
    assert.ok(refused.kind === 'already-used');
    const next = await answers(world.installation, challenge, world.codeFor(people.secret, 1));
    assert.equal(next.kind, 'already-used', 'the next could have been used as well');
    assert.equal(refused.nextCodeAt, world.clock.now + 80_000, 'she is told when there is one that could not');
    world.clock.now = refused.nextCodeAt;
    assert.equal((await answers(world.installation, challenge, world.codeFor(people.secret))).kind, 'right');
  });

  test('has ended what was open in it: sessions, challenges, enrolments and links', async () => {
    const { world, people, session } = await putBack(engine);
    await using _ = world;
    const { maria, noor, eve } = people;
    const half = await signsIn(world.installation, maria);
    const setUp = await challenged(world.installation, noor);
    await offer(world.installation, setUp, home(noor));
    await world.change(sql`UPDATE accounts SET password = NULL, password_set_at = NULL WHERE id = ${eve.id}`);
    const link = await makeWelcomeLink(world.installation, OPERATOR, await world.account(eve));
    assert.ok(link && half.kind === 'challenge');
    await closeCopy(world.installation);
    assert.equal(await findSession(world.db, 'portal', session, world.clock.now), undefined);
    assert.equal((await found(world.installation, maria, half.cookie)).kind, 'dead');
    const open = await world.db.all(sql`SELECT 'link' AS what FROM welcome_links WHERE spent_at IS NULL
      UNION ALL SELECT 'challenge' FROM challenges WHERE consumed_at IS NULL
      UNION ALL SELECT 'session' FROM sessions WHERE ended_at IS NULL
      UNION ALL SELECT 'secret' FROM authenticators WHERE enabled_at IS NULL AND secret IS NOT NULL
      UNION ALL SELECT 'epoch' FROM challenges c JOIN accounts a ON a.id = c.account_id WHERE c.epoch >= a.epoch`);
    assert.deepEqual(open, []);
  });

  test('is closed once, by one of the servers that start on it, and every organization has it on record', async () => {
    const { world } = await putBack(engine);
    await using _ = world;
    await acme(world.installation, 'other');
    const closed = await Promise.all([closeCopy(world.installation), closeCopy(world.installation)]);
    const [first, ...more] = closed.filter((one) => one !== undefined);
    assert.equal(more.length, 0);
    assert.deepEqual(first, {
      takenAt: START + STEP_MS,
      accounts: 12,
      sessions: 1,
      authenticators: 1,
      backupCodeSets: 0,
    });
    const counts = { authenticators: 1, backupCodeSets: 0, sessions: 1 };
    assert.deepEqual(await restorations(world), [
      ['system', { accounts: 6, ...counts, takenAt: START + STEP_MS }],
      ['system', { accounts: 6, authenticators: 0, backupCodeSets: 0, sessions: 0, takenAt: START + STEP_MS }],
    ]);
  });

  test('is closed by the next server where the first was stopped in the middle', async () => {
    const { world, session } = await putBack(engine);
    await using _ = world;
    let times = 0;
    const now = (): number => {
      if (times++ > 0) throw new Error('killed');
      return world.clock.now;
    };
    await assert.rejects(closeCopy({ ...world.installation, now }), /killed/);
    assert.ok(await findSession(world.db, 'portal', session, world.clock.now), 'nothing of it is done');
    assert.ok(await closeCopy(world.installation));
    assert.equal(await findSession(world.db, 'portal', session, world.clock.now), undefined);
  });

  test('that was copied by other means is closed at the word of the operator, who may end the backup codes too', async () => {
    const { world, people, used } = await putBack(engine);
    await using _ = world;
    await world.change(sql`DELETE FROM backup_copy`);
    assert.equal(await closeCopy(world.installation), undefined, 'no server knows that it is one');
    const closed = await closeRestored(world.installation, OPERATOR, KEEP);
    assert.deepEqual(closed, { takenAt: null, accounts: 6, sessions: 1, authenticators: 1, backupCodeSets: 0 });
    const [one = '', two = ''] = people.codes;
    const challenge = await challenged(world.installation, people.maria);
    assert.equal((await answers(world.installation, challenge, used)).kind, 'already-used');
    assert.equal((await answers(world.installation, challenge, one)).kind, 'right', 'by default they stay');
    await closeRestored(world.installation, OPERATOR, { revokeBackupCodes: true });
    const again = await challenged(world.installation, people.maria);
    assert.equal((await answers(world.installation, again, two)).kind, 'wrong');
    assert.deepEqual(
      (await restorations(world)).map((row) => (row as unknown[])[0]),
      ['operator', 'operator'],
    );
  });
});
