import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { deleteContact } from '../../src/accounts/deletion.ts';
import { findContact } from '../../src/accounts/contacts.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { sweep } from '../../src/auth/housekeeping.ts';
import { findParked, parkForm, takeParked, type ParkedForm } from '../../src/auth/parked-forms.ts';
import { findSession, type Session } from '../../src/auth/sessions.ts';
import { SealError } from '../../src/crypto/seal.ts';
import { sql } from '../../src/db/db.ts';
import { acme, signsIn, type Acme, type Person } from '../acme.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

const FORM: ParkedForm = {
  path: '/portal/acme/security/password?from=home',
  body: 'password=seven+quiet+llamas+knit&name=Zo%C3%AB',
  about: 'choose another password',
};

async function sessionOf({ installation, db, clock }: World, person: Person): Promise<Session> {
  const outcome = await signsIn(installation, person);
  assert.ok(outcome.kind === 'signed-in');
  const session = await findSession(db, person.surface, outcome.cookie, clock.now);
  assert.ok(session);
  return session;
}

interface Scene {
  readonly people: Acme;
  readonly noor: Session;
  readonly id: string;
}

/** Noor, who is signed in without MFA, and a form of hers that waits. */
async function scene(world: World): Promise<Scene> {
  const people = await world.acme();
  const noor = await sessionOf(world, people.noor);
  const id = await parkForm(world.installation, noor, FORM);
  assert.ok(id);
  return { people, noor, id };
}

eachEngine('a form that waits for a fresh proof', (engine) => {
  test('is what was sent, to the letter, and is taken up once', async () => {
    await using world = await openWorld(engine);
    const { noor, id } = await scene(world);
    for (const time of ['once', 'again'])
      assert.deepEqual(await findParked(world.installation, noor, id), FORM, `looked at ${time}`);
    assert.deepEqual(await takeParked(world.installation, noor, id), FORM);
    assert.equal(await takeParked(world.installation, noor, id), undefined);
    assert.equal(await findParked(world.installation, noor, id), undefined);
  });

  test('waits for ten minutes', async () => {
    await using world = await openWorld(engine);
    const { noor, id } = await scene(world);
    world.clock.advance(10 * MINUTE_MS - 1);
    assert.deepEqual(await findParked(world.installation, noor, id), FORM);
    world.clock.advance(1);
    assert.equal(await findParked(world.installation, noor, id), undefined);
    assert.equal(await takeParked(world.installation, noor, id), undefined);
    await sweep(world.installation);
    assert.deepEqual(await world.rows('parked_forms'), []);
  });

  test('is nobody else’s: no other session’s of hers, no colleague’s, no other merchant’s', async () => {
    await using world = await openWorld(engine);
    const { people, noor, id } = await scene(world);
    const rival = await acme(world.installation, 'rival');
    const strangers = [people.noor, people.maria, rival.noor];
    for (const stranger of strangers) {
      const session = await sessionOf(world, stranger);
      assert.notEqual(session.id, noor.id);
      assert.equal(await findParked(world.installation, session, id), undefined);
      assert.equal(await takeParked(world.installation, session, id), undefined);
      // Not even if somebody else's session had the id of hers.
      const forged = { ...session, id: noor.id };
      if (stranger !== people.noor) assert.equal(await takeParked(world.installation, forged, id), undefined);
    }
    assert.deepEqual(await takeParked(world.installation, noor, id), FORM);
  });

  test('does not outlive the epoch in which it was sent, and none is left by one that is over', async () => {
    await using world = await openWorld(engine);
    const { people, noor, id } = await scene(world);
    await setPortalAccess(world.installation, OPERATOR, await world.account(people.noor), false);
    assert.equal(await takeParked(world.installation, noor, id), undefined);
    assert.equal(await parkForm(world.installation, noor, FORM), undefined, 'the session is over');
    assert.deepEqual(await world.rows('parked_forms'), []);
  });

  test('goes with the contact who is deleted', async () => {
    await using world = await openWorld(engine);
    const { people } = await scene(world);
    const { organizationId, id } = people.noor;
    const contact = await findContact(world.db, organizationId, people.globex.id, id);
    assert.ok(contact);
    await deleteContact(world.installation, OPERATOR, contact, 'left the company');
    assert.deepEqual(await world.rows('parked_forms'), []);
  });

  test('is one of five: the sixth of a session puts the first away, and nobody else’s', async () => {
    await using world = await openWorld(engine);
    const { people, noor, id } = await scene(world);
    const other = await sessionOf(world, people.maria);
    const hers = (await parkForm(world.installation, other, FORM)) ?? '';
    for (let more = 0; more < 4; more++) {
      world.clock.advance(1);
      await parkForm(world.installation, noor, FORM);
    }
    assert.deepEqual(await findParked(world.installation, noor, id), FORM, 'five wait');
    world.clock.advance(1);
    await parkForm(world.installation, noor, FORM);
    assert.equal(await findParked(world.installation, noor, id), undefined);
    assert.deepEqual(await findParked(world.installation, other, hers), FORM);
    assert.equal((await world.rows('parked_forms')).length, 6);
  });

  test('lies sealed, and in its own place alone', async () => {
    await using world = await openWorld(engine);
    const { people, noor, id } = await scene(world);
    assert.doesNotMatch(JSON.stringify(await world.rows('parked_forms')), /llamas|security|choose/);
    const maria = await sessionOf(world, people.maria);
    const hers = (await parkForm(world.installation, maria, FORM)) ?? '';
    await world.change(sql`UPDATE parked_forms SET sealed = (SELECT p.sealed FROM parked_forms p WHERE p.id = ${id})
      WHERE id = ${hers}`);
    await assert.rejects(findParked(world.installation, maria, hers), SealError);
    assert.deepEqual(await takeParked(world.installation, noor, id), FORM);
  });
});
