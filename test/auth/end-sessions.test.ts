import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { endOneSession, signOutElsewhere } from '../../src/auth/end-sessions.ts';
import { openSessions, type Session } from '../../src/auth/sessions.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import { enrol, insideBy, type Acme, type Person } from '../acme.ts';
import { eachEngine, HOUR_MS, openWorld, type World } from '../world.ts';

async function threeTimes(world: World): Promise<Acme & { sessions: Session[]; open: () => Promise<string[]> }> {
  const people = await world.acmeWithMfa();
  const sessions: Session[] = [];
  for (const _ of [1, 2, 3]) {
    world.clock.advance(STEP_MS);
    sessions.push(await insideBy(world.installation, people.maria, world.codeFor(people.secret)));
  }
  const open = async (): Promise<string[]> => openOf(world, people.maria);
  return { ...people, sessions, open };
}

async function openOf(world: World, person: Person): Promise<string[]> {
  const all = await openSessions(world.db, 'portal', await world.account(person), world.clock.now);
  return all.map(({ id }) => id).toSorted();
}

const ended = async (world: World, person: Person): Promise<number> =>
  (await world.audit(person)).filter(({ action }) => action === 'sessions.ended').length;

eachEngine('signing out elsewhere', (engine) => {
  test('ends every other session and tells how many; once more there is none to end', async () => {
    await using world = await openWorld(engine);
    const { maria, sessions, open } = await threeTimes(world);
    const own = sessions[1];
    assert.ok(own);
    assert.equal(await signOutElsewhere(world.installation, OPERATOR, own), 2);
    assert.deepEqual(await open(), [own.id]);
    assert.equal(await signOutElsewhere(world.installation, OPERATOR, own), 0);
    assert.equal(await ended(world, maria), 1);
  });

  test('counts as open only where somebody is still in', async () => {
    await using world = await openWorld(engine);
    const { maria, sessions } = await threeTimes(world);
    const own = sessions[2];
    assert.ok(own);
    world.clock.advance(HOUR_MS);
    assert.equal(await signOutElsewhere(world.installation, OPERATOR, own), 0);
    assert.equal(await ended(world, maria), 0);
  });

  test('touches nobody else, and one session of another’s is none of hers to end', async () => {
    await using world = await openWorld(engine);
    const { eve, maria, sessions, open } = await threeTimes(world);
    const thief = await enrol(world.installation, eve);
    world.clock.advance(STEP_MS);
    const own = await insideBy(world.installation, eve, world.codeFor(thief.secret));
    assert.equal(await signOutElsewhere(world.installation, OPERATOR, own), 0);
    for (const { id } of sessions) assert.equal(await endOneSession(world.installation, OPERATOR, eve, id), false);
    assert.equal((await open()).length, 3);
    assert.equal(await endOneSession(world.installation, OPERATOR, maria, sessions[0]?.id ?? ''), true);
    assert.equal(await endOneSession(world.installation, OPERATOR, maria, sessions[0]?.id ?? ''), false);
    assert.equal((await open()).length, 2);
    assert.equal(await ended(world, maria), 1);
  });
});
